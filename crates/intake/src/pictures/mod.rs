//! Pictures of one frame: PNG, JPEG, TIFF.

mod exif;
pub(crate) mod jpeg;
pub(crate) mod limits;
pub(crate) mod png;
pub(crate) mod tiff;

use crate::{Frame, Orientation, Result, Samples, Step};

/// A picture as the file stores it, before it is turned upright.
struct Stored {
    width: usize,
    height: usize,
    samples: Samples,
    orientation: Orientation,
    steps: Vec<Step>,
}

impl Stored {
    /// Turns the picture as its orientation says.
    fn upright(self) -> Result<Frame> {
        let Self { width, height, samples, orientation, mut steps } = self;
        let samples = orientation.apply(samples, width, height)?;
        if orientation != Orientation::UPRIGHT {
            steps.push(Step::Orient { exif: orientation.exif() });
        }
        let (width, height) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
        Ok(Frame { width, height, samples, source: 0, number: 1, orientation, steps })
    }
}

/// Splits off the last of `channels` samples of each pixel, alpha; the second value says whether any was not `opaque`.
fn without_alpha<T: Copy + PartialEq>(samples: &[T], channels: usize, opaque: T) -> Result<(Vec<T>, bool)> {
    let mut kept = crate::memory::reserve(samples.len() / channels * (channels - 1))?;
    let mut translucent = false;
    for pixel in samples.chunks_exact(channels) {
        kept.extend_from_slice(&pixel[..channels - 1]);
        translucent |= pixel[channels - 1] != opaque;
    }
    Ok((kept, translucent))
}
