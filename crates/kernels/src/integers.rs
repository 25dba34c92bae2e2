//! Sixteen whole numbers side by side: the vocabulary of products of quantized numbers.
//!
//! Codes are unsigned bytes, activations signed ones, sums are 32 bits wide and exact: no implementation may saturate
//! or wrap for the ranges that are stated, so that all of them agree. What becomes f32 is computed by single IEEE 754
//! operations, as in [`Lanes`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use crate::lanes::{Lanes, WIDTH};

/// Inputs that lie side by side in one 32-bit lane.
pub(crate) const STEP: usize = 4;

/// What one panel's codes of a sub-block are multiplied with, and how.
#[derive(Clone, Copy)]
pub(crate) struct Dot {
    /// Steps of four inputs in the sub-block: 4 or 8.
    pub steps: usize,
    /// Steps whose products of one sign-extended half lane (two a step) stay below 2¹⁵; 0 for codes of eight bits.
    pub chain: usize,
    /// Whether sums are multiplied with the sub-block's scale before they are added.
    pub scaled: bool,
}

/// Operations on sixteen 32-bit sums, one an output column.
pub(crate) trait Integers: Copy {
    /// Sixteen i32.
    type Sums: Copy;
    /// Whether [`Integers::dot`] takes codes of eight bits as they are; else it takes them less 128.
    const WIDE_AS_STORED: bool;

    /// Whether several rows at once are faster than one after the other.
    const MANY_ROWS: bool;

    /// Sixteen bytes as whole numbers.
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums;

    /// Sixteen signed bytes as whole numbers.
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums;

    /// `low & 15` and `low >> 4` of bytes that were widened.
    fn nibbles(self, bytes: Self::Sums) -> [Self::Sums; 2];

    /// Words of two signed 16-bit halves.
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums;

    /// Scales as [`Integers::dot`] wants them.
    fn scales(self, scales: Self::Sums) -> Self::Sums;

    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]);

    fn zero(self) -> Self::Sums;

    /// Adds to each of the `R` rows' `sums` the products of codes `[steps][16][4]` with `x` (row r at `r · stride`), times
    /// `scale` (`[16]` of [`Integers::scales`]) if `dot.scaled`.
    ///
    /// Activations lie in -127..=127, scales in -128..=127.
    ///
    /// # Safety
    /// The codes, `steps · 4` activations of each row and, if scaled, the scales are readable.
    unsafe fn dot<const R: usize>(
        self,
        dot: Dot,
        codes: *const u8,
        x: *const i8,
        stride: usize,
        scale: *const i32,
        sums: &mut [Self::Sums; R],
    );

    /// `sums + low · low + high · high` over the signed 16-bit halves of `words` `[16]` and of `pair`.
    ///
    /// # Safety
    /// Sixteen words are readable.
    unsafe fn add_pairs(self, sums: Self::Sums, words: *const i32, pair: i32) -> Self::Sums;

    /// `sums - times · factor`, which must not overflow.
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums;

    /// `sums + value` in each lane.
    fn add_all(self, sums: Self::Sums, value: i32) -> Self::Sums;

    /// The nearest f32 of each sum.
    fn to_floats(self, sums: Self::Sums) -> Self::Wide
    where
        Self: Lanes;

    /// `to[i] = table[from[i]]` for 64 bytes below 16.
    fn look_up(self, table: &[u8; 16], from: [u8; 64]) -> [u8; 64];
}
