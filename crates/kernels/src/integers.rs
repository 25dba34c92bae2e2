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

/// Operations on 64 bytes, four inputs of each of sixteen output columns, and on sixteen 32-bit sums, one a column.
pub(crate) trait Integers: Copy {
    /// 64 bytes.
    type Bytes: Copy;
    /// Sixteen i32.
    type Sums: Copy;
    /// Unfinished sums of products with codes of up to six bits.
    type Narrow: Copy;

    /// Whether unfinished sums are 16 bits wide, two a column: then products of so many steps alone may be added in them
    /// that `2 · steps · 127 · largest code < 2¹⁵`.
    const NARROW: bool;

    /// Whether [`Integers::add_wide_codes`] takes codes of eight bits as they are; else it takes them less 128.
    const WIDE_AS_STORED: bool;

    /// Whether several rows at once are faster than one after the other.
    const MANY_ROWS: bool;

    /// # Safety
    /// 64 bytes are readable.
    unsafe fn load_bytes(self, from: *const u8) -> Self::Bytes;

    fn store_bytes(self, bytes: Self::Bytes, to: &mut [u8; 64]);

    /// `a | b`.
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;

    /// `byte & 15`.
    fn low_nibbles(self, bytes: Self::Bytes) -> Self::Bytes;

    /// `byte >> 4`.
    fn high_nibbles(self, bytes: Self::Bytes) -> Self::Bytes;

    /// `(byte >> 2 · FIELD) & 3`.
    fn field<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes;

    /// As [`Integers::field`], four bits higher.
    fn field_above<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes;

    /// `value` where a byte has the one bit of `mask`, else 0.
    fn bit(self, bytes: Self::Bytes, mask: u8, value: u8) -> Self::Bytes;

    /// `table[byte]` for bytes below 16.
    fn look_up(self, table: &[u8; 16], bytes: Self::Bytes) -> Self::Bytes;

    fn none(self) -> Self::Narrow;

    /// Adds the products of codes and four activations, each in -127..=127, to unfinished sums.
    ///
    /// # Safety
    /// Four activations are readable.
    unsafe fn add_codes(self, sums: Self::Narrow, codes: Self::Bytes, x: *const i8) -> Self::Narrow;

    /// `sums` and unfinished ones times `scales`, as [`Integers::scales`] gave them.
    fn finish(self, sums: Self::Sums, narrow: Self::Narrow, scales: Self::Sums) -> Self::Sums;

    /// `sums` and unfinished ones.
    fn finish_plain(self, sums: Self::Sums, narrow: Self::Narrow) -> Self::Sums;

    /// Adds the products of codes of eight bits and four activations, each in -127..=127.
    ///
    /// # Safety
    /// Four activations are readable.
    unsafe fn add_wide_codes(self, sums: Self::Sums, codes: Self::Bytes, x: *const i8) -> Self::Sums;

    /// `sums + more · scales`, as [`Integers::scales`] gave them.
    fn finish_wide(self, sums: Self::Sums, more: Self::Sums, scales: Self::Sums) -> Self::Sums;

    fn zero(self) -> Self::Sums;

    /// Sixteen bytes as whole numbers.
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums;

    /// Sixteen signed bytes as whole numbers.
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums;

    /// `byte & 15` and `byte >> 4` of bytes that were widened.
    fn split(self, bytes: Self::Sums) -> [Self::Sums; 2];

    /// Words of two signed 16-bit halves.
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums;

    /// Scales of -128..=255 as products want them.
    fn scales(self, scales: Self::Sums) -> Self::Sums;

    fn load_sums(self, from: &[i32; WIDTH]) -> Self::Sums;

    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]);

    /// `sums + low · low + high · high` over the signed 16-bit halves of `words` and of `pair`.
    fn add_pairs(self, sums: Self::Sums, words: Self::Sums, pair: i32) -> Self::Sums;

    /// `sums - times · factor`, which must not overflow.
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums;

    /// `sums + value` in each lane.
    fn add_all(self, sums: Self::Sums, value: i32) -> Self::Sums;

    /// The nearest f32 of each sum.
    fn to_floats(self, sums: Self::Sums) -> Self::Wide
    where
        Self: Lanes;
}
