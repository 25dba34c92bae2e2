//! Eight f32 values side by side: the vocabulary that all arithmetic of this room is written in.
//!
//! An implementation of [`Lanes`] is a token: having one proves that the CPU can run its operations. Each operation
//! is one IEEE 754 operation in each lane, so implementations agree in every bit (NaN payloads excepted).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use portable::Portable;

use crate::integers::Integers;
use crate::isa::Job;

/// Lanes of a vector.
pub(crate) const LANES: usize = 8;

/// Columns of a weight panel, keys of a key panel, values of a value panel: two vectors.
pub(crate) const WIDTH: usize = 16;

/// Adding and subtracting 1.5 · 2²³ rounds an f32 of less than 2²² to the nearest whole number, ties to even, which
/// then stands in the low bits of the sum.
pub(crate) const ROUNDING: f32 = 12_582_912.0;

/// Operations on eight f32 lanes, and those on sixteen that a tile is made of.
pub(crate) trait Lanes: Integers + Send + Sync {
    /// Eight f32 values.
    type V: Copy;

    /// Sixteen f32 values: one row of a panel. Two registers or one, the arithmetic in each lane is the same.
    type Wide: Copy;

    /// Whether the registers hold the sums of [`TALL_ROWS`](crate::tile::TALL_ROWS) rows of a panel.
    const TALL: bool;

    fn splat(self, value: f32) -> Self::V;

    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a · b + c`, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// `a` where `a > b`, else `b` (so `b` where either is NaN).
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a` where `a < b`, else `b` (so `b` where either is NaN).
    fn min(self, a: Self::V, b: Self::V) -> Self::V;

    /// 2ⁿ for whole n in -126..=127, given as `n + ROUNDING`.
    fn power_of_two(self, n_plus_rounding: Self::V) -> Self::V;

    /// # Safety
    /// `from` is valid for reading 8 f32.
    unsafe fn load(self, from: *const f32) -> Self::V;

    /// # Safety
    /// `to` is valid for writing 8 f32.
    unsafe fn store(self, v: Self::V, to: *mut f32);

    /// The first eight values and the last eight.
    fn halves(self, wide: Self::Wide) -> [Self::V; 2];

    fn wide_splat(self, value: f32) -> Self::Wide;
    fn wide_add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;
    fn wide_mul(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// `a · b + c`, rounded once.
    fn wide_fma(self, a: Self::Wide, b: Self::Wide, c: Self::Wide) -> Self::Wide;

    /// # Safety
    /// `from` is valid for reading 16 f32.
    unsafe fn wide_load(self, from: *const f32) -> Self::Wide;

    /// # Safety
    /// `to` is valid for writing 16 f32.
    unsafe fn wide_store(self, wide: Self::Wide, to: *mut f32);

    /// Widens 16 bf16 values that lie in the order of [`bf16_slot`].
    ///
    /// # Safety
    /// `from` is valid for reading 16 u16.
    unsafe fn wide_bf16(self, from: *const u16) -> Self::Wide;

    /// Widens 16 f16 values that lie in order.
    ///
    /// # Safety
    /// `from` is valid for reading 16 u16.
    unsafe fn wide_f16(self, from: *const u16) -> Self::Wide;

    /// Runs `job` in a function of its own: compilers take far longer over one large function than over its parts.
    fn apart<J: Job>(self, job: J);

    /// Asks for the cache line at `at`, which need not be readable.
    fn prefetch<T>(self, at: *const T);

    /// The values of `from`, at most eight; the rest of the lanes is +0.
    #[inline(always)]
    fn load_slice(self, from: &[f32]) -> Self::V {
        if from.len() >= LANES {
            // SAFETY: eight values are there, as just checked.
            return unsafe { self.load(from.as_ptr()) };
        }
        let mut all = [0.0f32; LANES];
        all[..from.len()].copy_from_slice(from);
        // SAFETY: the array has eight values.
        unsafe { self.load(all.as_ptr()) }
    }

    /// Writes the first lanes, at most eight, to the whole of `to`.
    #[inline(always)]
    fn store_slice(self, v: Self::V, to: &mut [f32]) {
        if to.len() >= LANES {
            // SAFETY: eight values are there, as just checked.
            unsafe { self.store(v, to.as_mut_ptr()) }
        } else {
            let all = self.to_array(v);
            to.copy_from_slice(&all[..to.len()]);
        }
    }

    #[inline(always)]
    fn to_array(self, v: Self::V) -> [f32; LANES] {
        let mut all = [0.0f32; LANES];
        // SAFETY: the array has eight values.
        unsafe { self.store(v, all.as_mut_ptr()) };
        all
    }

    /// The sum of all lanes, as a fixed tree: lanes 4 apart, then 2, then 1.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let v = self.to_array(v);
        ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
    }

    /// The largest lane, as the same tree.
    #[inline(always)]
    fn largest(self, v: Self::V) -> f32 {
        let v = self.to_array(v);
        let max = |a: f32, b: f32| if a > b { a } else { b };
        max(max(max(v[0], v[4]), max(v[2], v[6])), max(max(v[1], v[5]), max(v[3], v[7])))
    }
}

/// Where column `column` (0..16) of a bf16 panel row lies: columns `i` and `i + 8` share a 32-bit word, so that
/// a shift and a mask unpack eight columns each, in order.
#[inline(always)]
pub(crate) const fn bf16_slot(column: usize) -> usize {
    2 * (column % LANES) + column / LANES
}
