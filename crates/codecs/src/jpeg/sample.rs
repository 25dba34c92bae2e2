//! Samples of 8 and of more bits: what coding by blocks and coding by differences need of either.

use super::arithmetic::{Real, Short};
use super::transform::{Block, Transform};
use crate::Samples;

/// A sample's type.
pub(super) trait Sample: Copy + Default + Into<u32> {
    /// How blocks become samples.
    type Inverse;

    fn new_inverse() -> Self::Inverse;

    /// The samples of a block, `[8, 8]`; the quantization is in the order of rows.
    fn inverse(with: &mut Self::Inverse, block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]);

    /// The value that fits.
    fn of(value: u32) -> Self;

    /// The samples as a picture has them.
    fn wrap(samples: Vec<Self>) -> Samples;
}

impl Sample for u8 {
    fn of(value: u32) -> Self {
        value as u8
    }

    type Inverse = Transform<Short>;

    fn new_inverse() -> Self::Inverse {
        Transform::new()
    }

    fn inverse(with: &mut Self::Inverse, block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]) {
        with.inverse8(block, quantization, out);
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

    type Inverse = Transform<Real>;

    fn new_inverse() -> Self::Inverse {
        Transform::new()
    }

    fn inverse(with: &mut Self::Inverse, block: &Block, quantization: &[u16; 64], out: &mut [Self; 64]) {
        with.inverse12(block, quantization, out);
    }

    fn wrap(samples: Vec<Self>) -> Samples {
        Samples::U16(samples)
    }
}
