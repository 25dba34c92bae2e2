//! 512-bit registers and VNNI: four products of bytes are added to a 32-bit sum in one step, without a bound to watch.

use std::arch::x86_64::*;

use super::Integers;
use crate::lanes::{Avx512, Lanes, WIDTH};

impl Integers for Avx512 {
    type Bytes = __m512i;
    type Sums = __m512i;
    type Narrow = __m512i;

    const NARROW: bool = false;
    const WIDE_AS_STORED: bool = true;
    const MANY_ROWS: bool = true;

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> Self::Bytes {
        // SAFETY: `self` proves the CPU; the caller promises 64 readable bytes, of any alignment.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn store_bytes(self, bytes: Self::Bytes, to: &mut [u8; 64]) {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), bytes) }
    }

    #[inline(always)]
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_or_si512(a, b) }
    }

    #[inline(always)]
    fn low_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_and_si512(bytes, _mm512_set1_epi8(15)) }
    }

    #[inline(always)]
    fn high_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW.
        unsafe { self.low_nibbles(_mm512_srli_epi16::<4>(bytes)) }
    }

    #[inline(always)]
    fn field<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW.
        unsafe {
            let shifted = match FIELD {
                0 => bytes,
                1 => _mm512_srli_epi16::<2>(bytes),
                2 => _mm512_srli_epi16::<4>(bytes),
                _ => _mm512_srli_epi16::<6>(bytes),
            };
            _mm512_and_si512(shifted, _mm512_set1_epi8(3))
        }
    }

    #[inline(always)]
    fn field_above<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW.
        unsafe {
            let shifted = match FIELD {
                0 => _mm512_slli_epi16::<4>(bytes),
                1 => _mm512_slli_epi16::<2>(bytes),
                2 => bytes,
                _ => _mm512_srli_epi16::<2>(bytes),
            };
            _mm512_and_si512(shifted, _mm512_set1_epi8(3 << 4))
        }
    }

    #[inline(always)]
    fn bit(self, bytes: Self::Bytes, mask: u8, value: u8) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW.
        unsafe {
            _mm512_maskz_set1_epi8(_mm512_test_epi8_mask(bytes, _mm512_set1_epi8(mask as i8)), value as i8)
        }
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], bytes: Self::Bytes) -> Self::Bytes {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW; the table has sixteen bytes.
        unsafe { _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())), bytes) }
    }

    #[inline(always)]
    fn none(self) -> Self::Narrow {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn add_codes(self, sums: Self::Narrow, codes: Self::Bytes, x: *const i8) -> Self::Narrow {
        // SAFETY: `self` proves the CPU; the caller promises the activations.
        unsafe { _mm512_dpbusd_epi32(sums, codes, _mm512_set1_epi32(x.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    fn finish(self, sums: Self::Sums, narrow: Self::Narrow, scales: Self::Sums) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_add_epi32(sums, _mm512_mullo_epi32(narrow, scales)) }
    }

    #[inline(always)]
    fn finish_plain(self, sums: Self::Sums, narrow: Self::Narrow) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_add_epi32(sums, narrow) }
    }

    #[inline(always)]
    unsafe fn add_wide_codes(self, sums: Self::Sums, codes: Self::Bytes, x: *const i8) -> Self::Sums {
        // SAFETY: the caller's promise is the same.
        unsafe { self.add_codes(sums, codes, x) }
    }

    #[inline(always)]
    fn finish_wide(self, sums: Self::Sums, more: Self::Sums, scales: Self::Sums) -> Self::Sums {
        self.finish(sums, more, scales)
    }

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has sixteen bytes.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast())) }
    }

    #[inline(always)]
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has sixteen bytes.
        unsafe { _mm512_cvtepi8_epi32(_mm_loadu_si128(bytes.as_ptr().cast())) }
    }

    #[inline(always)]
    fn split(self, bytes: Self::Sums) -> [Self::Sums; 2] {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { [_mm512_and_si512(bytes, _mm512_set1_epi32(15)), _mm512_srli_epi32::<4>(bytes)] }
    }

    #[inline(always)]
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW.
        unsafe { _mm512_mask_blend_epi16(0xaaaa_aaaa, low, _mm512_slli_epi32::<16>(high)) }
    }

    #[inline(always)]
    fn scales(self, scales: Self::Sums) -> Self::Sums {
        scales
    }

    #[inline(always)]
    fn load_sums(self, from: &[i32; WIDTH]) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has 64 bytes.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), sums) }
    }

    #[inline(always)]
    fn add_pairs(self, sums: Self::Sums, words: Self::Sums, pair: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and VNNI.
        unsafe { _mm512_dpwssd_epi32(sums, words, _mm512_set1_epi32(pair)) }
    }

    #[inline(always)]
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_sub_epi32(sums, _mm512_mullo_epi32(times, _mm512_set1_epi32(factor))) }
    }

    #[inline(always)]
    fn add_all(self, sums: Self::Sums, value: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_add_epi32(sums, _mm512_set1_epi32(value)) }
    }

    #[inline(always)]
    fn to_floats(self, sums: Self::Sums) -> <Self as Lanes>::Wide {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_cvtepi32_ps(sums) }
    }
}
