//! 512-bit registers and VNNI: four products of bytes are added to a 32-bit sum in one step, without a bound to watch.

use std::arch::x86_64::*;

use super::{Dot, Integers, STEP};
use crate::lanes::{Avx512, Lanes, WIDTH};

impl Integers for Avx512 {
    type Sums = __m512i;

    const WIDE_AS_STORED: bool = true;
    const MANY_ROWS: bool = true;

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
    fn nibbles(self, bytes: Self::Sums) -> [Self::Sums; 2] {
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
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        // SAFETY: `self` exists only where the CPU has AVX-512 F; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), sums) }
    }

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "iterators over arrays of registers send them through memory"
    )]
    unsafe fn dot<const R: usize>(
        self,
        dot: Dot,
        codes: *const u8,
        x: *const i8,
        stride: usize,
        scale: *const i32,
        sums: &mut [Self::Sums; R],
    ) {
        // SAFETY: `self` proves the CPU; every step is below `dot.steps`, whose codes and activations the caller
        // promises, as it does the scales.
        unsafe {
            let mut block = if dot.scaled { [self.zero(); R] } else { *sums };
            for step in 0..dot.steps {
                let codes = _mm512_loadu_si512(codes.add(step * STEP * WIDTH).cast());
                for r in 0..R {
                    let x = x.add(r * stride + step * STEP).cast::<i32>().read_unaligned();
                    block[r] = _mm512_dpbusd_epi32(block[r], codes, _mm512_set1_epi32(x));
                }
            }
            if dot.scaled {
                let scale = _mm512_loadu_si512(scale.cast());
                for r in 0..R {
                    sums[r] = _mm512_add_epi32(sums[r], _mm512_mullo_epi32(block[r], scale));
                }
            } else {
                *sums = block;
            }
        }
    }

    #[inline(always)]
    unsafe fn add_pairs(self, sums: Self::Sums, words: *const i32, pair: i32) -> Self::Sums {
        // SAFETY: `self` proves the CPU; the caller promises sixteen words.
        unsafe { _mm512_dpwssd_epi32(sums, _mm512_loadu_si512(words.cast()), _mm512_set1_epi32(pair)) }
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

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], from: [u8; 64]) -> [u8; 64] {
        let mut to = [0; 64];
        // SAFETY: `self` exists only where the CPU has AVX-512 F and BW; both arrays have 64 bytes, the table sixteen.
        unsafe {
            let table = _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast()));
            let found = _mm512_shuffle_epi8(table, _mm512_loadu_si512(from.as_ptr().cast()));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), found);
        }
        to
    }
}
