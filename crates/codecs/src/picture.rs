//! What a decoder gives.

use crate::{Error, ErrorKind, Result};

/// What the header of coded data states of their picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// Samples a pixel, at least 1.
    pub n_components: usize,
    /// Bits a sample, 1 to 16.
    pub bits: u8,
    /// Whether samples are two's complement numbers.
    pub is_signed: bool,
}

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the samples are.
    pub outline: Outline,
    /// `[height, width, n_components]`, row-major from the top left, the components of a pixel side by side.
    pub samples: Samples,
}

/// Samples of up to 8 bits, or of up to 16. Signed ones are two's complement numbers extended to the full type.
#[derive(Clone, PartialEq, Eq)]
pub enum Samples {
    /// [`Outline::bits`] is at most 8.
    U8(Vec<u8>),
    /// [`Outline::bits`] is 9 to 16.
    U16(Vec<u16>),
}

/// Shows the shape only: samples are a patient's picture.
impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::U8(v) => write!(f, "Samples(8 bit × {})", v.len()),
            Self::U16(v) => write!(f, "Samples(16 bit × {})", v.len()),
        }
    }
}

impl Outline {
    /// Most samples of a picture: 2²⁷, which is more than twice the largest detectors in use, three times over.
    pub const MAX_SAMPLES: usize = 3 << 27;

    /// Samples that any picture may have, however few bytes it was coded in: a blank film of 4096 × 4096 pixels is coded
    /// in a few hundred bytes.
    pub(crate) const ALWAYS: usize = 1 << 24;

    /// How many samples the picture has.
    ///
    /// `most_per_byte` is how many samples one of the `n_coded_bytes` is believed to yield at most, above what any
    /// picture may have.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if there are more than [`Outline::MAX_SAMPLES`], or more than the coded bytes can hold.
    pub fn n_samples(&self, n_coded_bytes: usize, most_per_byte: usize) -> Result<usize> {
        let n = self.width.checked_mul(self.height).and_then(|n| n.checked_mul(self.n_components));
        let believed = n_coded_bytes.saturating_mul(most_per_byte).clamp(Self::ALWAYS, Self::MAX_SAMPLES);
        n.filter(|n| *n <= believed).ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the header promises {}×{} pixels of {} samples, more than {n_coded_bytes} coded bytes are believed \
                     to hold",
                    self.width, self.height, self.n_components
                ),
            )
            .hint("the file is incomplete or not honest about its size; copy or export it again")
        })
    }
}
