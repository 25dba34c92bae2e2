//! Planes of samples, and the picture that they make.

use super::frame::{Frame, Layout};
use super::sample::Sample;
use super::upsample::Upsampled;
use super::{corrupt, unsupported};
use crate::Result;

/// The samples of a component, from the top down.
pub(super) struct Plane<T> {
    /// `[height, width]` of the layout when it is whole.
    pub samples: Vec<T>,
    pub layout: Layout,
}

impl<T: Sample> Plane<T> {
    /// Without samples yet.
    pub fn new(layout: &Layout) -> Result<Self> {
        Ok(Self { samples: crate::memory::reserve(layout.width * layout.height)?, layout: *layout })
    }

    /// Adds the rows of a stripe that belong to the picture.
    pub fn append(&mut self, stripe: &Stripe<T>) {
        let Layout { width, height, .. } = self.layout;
        let n_missing = height - self.samples.len() / width;
        for row in stripe.samples.chunks_exact(stripe.width).take(n_missing) {
            self.samples.extend_from_slice(&row[..width]);
        }
    }
}

/// Rows of blocks, before they are cut to the picture.
pub(super) struct Stripe<T> {
    samples: Vec<T>,
    width: usize,
}

impl<T: Sample> Stripe<T> {
    /// Of so many blocks across and down.
    pub fn new(across: usize, down: usize) -> Result<Self> {
        Ok(Self { samples: crate::memory::filled(across * down * 64)?, width: across * 8 })
    }

    /// Places a block at so many blocks across and down.
    #[inline(always)]
    pub fn place(&mut self, across: usize, down: usize, block: &[T; 64]) {
        let width = self.width;
        let area = &mut self.samples[down * 8 * width + across * 8..];
        for (row, from) in block.as_chunks::<8>().0.iter().enumerate() {
            area[row * width..row * width + 8].copy_from_slice(from);
        }
    }
}

/// The picture of one or three planes, `[height, width, planes]`.
pub(super) fn picture<T: Sample>(frame: &Frame, mut planes: Vec<Plane<T>>) -> Result<Vec<T>> {
    if planes.len() == 1 {
        // The only component is as large as the picture, whatever sampling it states.
        return planes.pop().map(|plane| plane.samples).ok_or_else(|| corrupt("there is no component"));
    }
    let most = frame.most();
    let mut channels = planes
        .into_iter()
        .map(|plane| {
            let component = plane.layout.component;
            if !most.0.is_multiple_of(component.across) || !most.1.is_multiple_of(component.down) {
                return Err(unsupported(format!(
                    "a component of {}×{} samples where another has {}×{}",
                    component.across, component.down, most.0, most.1
                )));
            }
            Ok(Upsampled::new(plane, (most.0 / component.across, most.1 / component.down)))
        })
        .collect::<Result<Vec<_>>>()?;
    let [first, second, third] = channels.as_mut_slice() else {
        return Err(corrupt("expected three components"));
    };
    let width = frame.width;
    let mut pixels = crate::memory::reserve(width * frame.height * 3)?;
    let mut pixel_row = vec![[T::default(); 3]; width];
    for y in 0..frame.height {
        let (a, b, c) = (&first.row(y)[..width], &second.row(y)[..width], &third.row(y)[..width]);
        for x in 0..width {
            pixel_row[x] = [a[x], b[x], c[x]];
        }
        pixels.extend_from_slice(pixel_row.as_flattened());
    }
    Ok(pixels)
}
