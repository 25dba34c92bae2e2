//! How much several files may bring together.

use crate::{Error, ErrorKind, Result};

/// What is left of the pixels that files read together may bring.
///
/// A file of a few kilobytes can hold a picture of half a gigabyte, so a limit for each picture is none for fifty of
/// them. Whoever reads several files hands the same allowance to each: [`Allowance::open`], [`Allowance::read`]. The
/// sides that a file states are taken from it before anything is decoded.
#[derive(Clone, Debug)]
pub struct Allowance {
    total: u64,
    taken: u64,
}

impl Allowance {
    /// Pixels of all files together unless said otherwise: two of the largest pictures, some thirty films. As RGB of
    /// 16 bits that is 1.6 GB.
    pub const PIXELS: u64 = 1 << 28;

    /// An allowance of that many pixels.
    #[must_use]
    pub fn new(pixels: u64) -> Self {
        Self { total: pixels, taken: 0 }
    }

    /// Takes the pixels of a picture.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] if not so many are left; none are taken then.
    pub(crate) fn take(&mut self, width: u64, height: u64) -> Result<()> {
        let taken = width.checked_mul(height).and_then(|n| n.checked_add(self.taken));
        match taken {
            Some(taken) if taken <= self.total => self.taken = taken,
            _ => {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!(
                        "header: expected up to {} pixels in all pictures together, found {width}×{height} after {}",
                        self.total, self.taken
                    ),
                )
                .hint("read fewer pictures at once, or crop or downscale them"));
            }
        }
        Ok(())
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self::new(Self::PIXELS)
    }
}
