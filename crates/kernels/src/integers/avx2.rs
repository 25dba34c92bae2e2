//! 256-bit registers: products of bytes are added in 16 bits as far as they fit, then widened and scaled in one step.

use std::arch::x86_64::*;

use super::Integers;
use crate::lanes::{Avx2, Lanes, WIDTH};

/// Four activations in every lane.
///
/// # Safety
/// The CPU has AVX2 and four activations are readable.
#[inline(always)]
unsafe fn broadcast(x: *const i8) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_set1_epi32(x.cast::<i32>().read_unaligned()) }
}

impl Integers for Avx2 {
    type Bytes = [__m256i; 2];
    type Sums = [__m256i; 2];
    type Narrow = [__m256i; 2];

    const NARROW: bool = true;
    const WIDE_AS_STORED: bool = false;
    const MANY_ROWS: bool = true;

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> Self::Bytes {
        // SAFETY: `self` proves the CPU; the caller promises 64 readable bytes, of any alignment.
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast())] }
    }

    #[inline(always)]
    fn store_bytes(self, bytes: Self::Bytes, to: &mut [u8; 64]) {
        let to = to.as_mut_ptr();
        // SAFETY: `self` exists only where the CPU has AVX2; the array has twice 32 bytes.
        unsafe {
            _mm256_storeu_si256(to.cast(), bytes[0]);
            _mm256_storeu_si256(to.add(32).cast(), bytes[1]);
        }
    }

    #[inline(always)]
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { [_mm256_or_si256(a[0], b[0]), _mm256_or_si256(a[1], b[1])] }
    }

    #[inline(always)]
    fn low_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let low = _mm256_set1_epi8(15);
            [_mm256_and_si256(bytes[0], low), _mm256_and_si256(bytes[1], low)]
        }
    }

    #[inline(always)]
    fn high_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { self.low_nibbles([_mm256_srli_epi16::<4>(bytes[0]), _mm256_srli_epi16::<4>(bytes[1])]) }
    }

    #[inline(always)]
    fn field<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let low = _mm256_set1_epi8(3);
            let shifted = match FIELD {
                0 => bytes,
                1 => [_mm256_srli_epi16::<2>(bytes[0]), _mm256_srli_epi16::<2>(bytes[1])],
                2 => [_mm256_srli_epi16::<4>(bytes[0]), _mm256_srli_epi16::<4>(bytes[1])],
                _ => [_mm256_srli_epi16::<6>(bytes[0]), _mm256_srli_epi16::<6>(bytes[1])],
            };
            [_mm256_and_si256(shifted[0], low), _mm256_and_si256(shifted[1], low)]
        }
    }

    #[inline(always)]
    fn field_above<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let above = _mm256_set1_epi8(3 << 4);
            let shifted = match FIELD {
                0 => [_mm256_slli_epi16::<4>(bytes[0]), _mm256_slli_epi16::<4>(bytes[1])],
                1 => [_mm256_slli_epi16::<2>(bytes[0]), _mm256_slli_epi16::<2>(bytes[1])],
                2 => bytes,
                _ => [_mm256_srli_epi16::<2>(bytes[0]), _mm256_srli_epi16::<2>(bytes[1])],
            };
            [_mm256_and_si256(shifted[0], above), _mm256_and_si256(shifted[1], above)]
        }
    }

    #[inline(always)]
    fn bit(self, bytes: Self::Bytes, mask: u8, value: u8) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let (mask, value) = (_mm256_set1_epi8(mask as i8), _mm256_set1_epi8(value as i8));
            let set = |bytes| _mm256_cmpeq_epi8(_mm256_and_si256(bytes, mask), mask);
            [_mm256_and_si256(set(bytes[0]), value), _mm256_and_si256(set(bytes[1]), value)]
        }
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX2; the table has sixteen bytes.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            [_mm256_shuffle_epi8(table, bytes[0]), _mm256_shuffle_epi8(table, bytes[1])]
        }
    }

    #[inline(always)]
    fn none(self) -> Self::Narrow {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    unsafe fn add_codes(self, sums: Self::Narrow, codes: Self::Bytes, x: *const i8) -> Self::Narrow {
        // SAFETY: `self` proves the CPU; the caller promises the activations.
        unsafe {
            let x = broadcast(x);
            [
                _mm256_add_epi16(sums[0], _mm256_maddubs_epi16(codes[0], x)),
                _mm256_add_epi16(sums[1], _mm256_maddubs_epi16(codes[1], x)),
            ]
        }
    }

    #[inline(always)]
    fn finish(self, sums: Self::Sums, narrow: Self::Narrow, scales: Self::Sums) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            [
                _mm256_add_epi32(sums[0], _mm256_madd_epi16(narrow[0], scales[0])),
                _mm256_add_epi32(sums[1], _mm256_madd_epi16(narrow[1], scales[1])),
            ]
        }
    }

    #[inline(always)]
    fn finish_plain(self, sums: Self::Sums, narrow: Self::Narrow) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { self.finish(sums, narrow, [_mm256_set1_epi16(1); 2]) }
    }

    /// Less 128 the codes are signed, and the sign moves to the activations, which have no -128. Two products are
    /// 2 · 128 · 127 < 2¹⁵ at most, so each step is widened by itself.
    #[inline(always)]
    unsafe fn add_wide_codes(self, sums: Self::Sums, codes: Self::Bytes, x: *const i8) -> Self::Sums {
        // SAFETY: `self` proves the CPU; the caller promises the activations.
        unsafe {
            let (x, ones, offset) = (broadcast(x), _mm256_set1_epi16(1), _mm256_set1_epi8(-128));
            let products = |codes| {
                let signed = _mm256_xor_si256(codes, offset);
                let narrow = _mm256_maddubs_epi16(_mm256_abs_epi8(signed), _mm256_sign_epi8(x, signed));
                _mm256_madd_epi16(narrow, ones)
            };
            [_mm256_add_epi32(sums[0], products(codes[0])), _mm256_add_epi32(sums[1], products(codes[1]))]
        }
    }

    #[inline(always)]
    fn finish_wide(self, sums: Self::Sums, more: Self::Sums, scales: Self::Sums) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let scales = [_mm256_srai_epi32::<16>(scales[0]), _mm256_srai_epi32::<16>(scales[1])];
            [
                _mm256_add_epi32(sums[0], _mm256_mullo_epi32(more[0], scales[0])),
                _mm256_add_epi32(sums[1], _mm256_mullo_epi32(more[1], scales[1])),
            ]
        }
    }

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2; the array has twice eight bytes.
        unsafe {
            let bytes = bytes.as_ptr();
            [
                _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.cast())),
                _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.add(8).cast())),
            ]
        }
    }

    #[inline(always)]
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2; the array has twice eight bytes.
        unsafe {
            let bytes = bytes.as_ptr();
            [
                _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.cast())),
                _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.add(8).cast())),
            ]
        }
    }

    #[inline(always)]
    fn split(self, bytes: Self::Sums) -> [Self::Sums; 2] {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let low = _mm256_set1_epi32(15);
            [
                [_mm256_and_si256(bytes[0], low), _mm256_and_si256(bytes[1], low)],
                [_mm256_srli_epi32::<4>(bytes[0]), _mm256_srli_epi32::<4>(bytes[1])],
            ]
        }
    }

    #[inline(always)]
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            [
                _mm256_blend_epi16::<0xaa>(low[0], _mm256_slli_epi32::<16>(high[0])),
                _mm256_blend_epi16::<0xaa>(low[1], _mm256_slli_epi32::<16>(high[1])),
            ]
        }
    }

    /// In both halves, for the widening multiplication of two 16-bit sums; where sums are wider, the upper half, shifted
    /// down, is the scale again.
    #[inline(always)]
    fn scales(self, scales: Self::Sums) -> Self::Sums {
        self.pair(scales, scales)
    }

    #[inline(always)]
    fn load_sums(self, from: &[i32; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2; the array has 64 bytes.
        unsafe { self.load_bytes(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        // SAFETY: `self` exists only where the CPU has AVX2; the array has 64 bytes.
        unsafe {
            let to = to.as_mut_ptr();
            _mm256_storeu_si256(to.cast(), sums[0]);
            _mm256_storeu_si256(to.add(8).cast(), sums[1]);
        }
    }

    #[inline(always)]
    fn add_pairs(self, sums: Self::Sums, words: Self::Sums, pair: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { self.finish(sums, words, [_mm256_set1_epi32(pair); 2]) }
    }

    #[inline(always)]
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let factor = _mm256_set1_epi32(factor);
            [
                _mm256_sub_epi32(sums[0], _mm256_mullo_epi32(times[0], factor)),
                _mm256_sub_epi32(sums[1], _mm256_mullo_epi32(times[1], factor)),
            ]
        }
    }

    #[inline(always)]
    fn add_all(self, sums: Self::Sums, value: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe {
            let value = _mm256_set1_epi32(value);
            [_mm256_add_epi32(sums[0], value), _mm256_add_epi32(sums[1], value)]
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: Self::Sums) -> <Self as Lanes>::Wide {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { [_mm256_cvtepi32_ps(sums[0]), _mm256_cvtepi32_ps(sums[1])] }
    }
}
