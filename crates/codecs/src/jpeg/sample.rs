//! Samples of 8 and of more bits: what coding by blocks and coding by differences need of either.

use super::transform::{Block, inverse8, inverse12};
use crate::Samples;

/// A sample's type.
pub(super) trait Sample: Copy + Default + Into<u32> {
    /// The value that fits.
    fn of(value: u32) -> Self;

    /// The samples of a block, `[8, 8]`; the quantization is in the order of rows.
    fn inverse(block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]);

    /// The samples as a picture has them.
    fn wrap(samples: Vec<Self>) -> Samples;
}

impl Sample for u8 {
    fn of(value: u32) -> Self {
        value as u8
    }

    fn inverse(block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]) {
        inverse8(block, quantization, out);
    }

    fn wrap(samples: Vec<Self>) -> Samples {
        Samples::U8(samples)
    }
}

/// Coding by blocks knows 8 and 12 bits.
impl Sample for u16 {
    fn of(value: u32) -> Self {
        value as u16
    }

    fn inverse(block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]) {
        inverse12(block, quantization, out);
    }

    fn wrap(samples: Vec<Self>) -> Samples {
        Samples::U16(samples)
    }
}
