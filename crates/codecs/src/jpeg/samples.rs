//! Planes of samples, and the picture that they make.

use super::frame::{Frame, Layout};
use super::sample::Sample;
use super::upsample::Upsampled;
use super::{corrupt, unsupported};
use crate::Result;

/// The samples of a component.
pub(super) struct Plane<T> {
    /// `[height, width]` of the layout.
    pub samples: Vec<T>,
    pub layout: Layout,
}

impl<T: Sample> Plane<T> {
    pub fn new(layout: &Layout) -> Result<Self> {
        let samples = crate::memory::filled(layout.width * layout.height)?;
        Ok(Self { samples, layout: *layout })
    }

    /// Places a block at column `x` and row `y`; what lies beyond the plane is left out.
    #[inline(always)]
    pub fn place(&mut self, x: usize, y: usize, block: &[T; 64]) {
        let Layout { width, height, .. } = self.layout;
        if x + 8 <= width && y + 8 <= height {
            let area = &mut self.samples[y * width + x..];
            for (row, from) in block.as_chunks::<8>().0.iter().enumerate() {
                area[row * width..row * width + 8].copy_from_slice(from);
            }
            return;
        }
        let n_columns = width.saturating_sub(x).min(8);
        let rows = self.samples[y.min(height) * width..].chunks_mut(width);
        for (row, from) in rows.zip(block.as_chunks::<8>().0).take_while(|_| n_columns > 0) {
            row[x..x + n_columns].copy_from_slice(&from[..n_columns]);
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
    let mut pixels = crate::memory::filled::<T>(frame.width * frame.height * 3)?;
    for (y, out) in pixels.chunks_exact_mut(frame.width * 3).enumerate() {
        let rows = first.row(y).iter().zip(second.row(y)).zip(third.row(y));
        for (pixel, ((a, b), c)) in out.chunks_exact_mut(3).zip(rows) {
            pixel.copy_from_slice(&[*a, *b, *c]);
        }
    }
    Ok(pixels)
}
