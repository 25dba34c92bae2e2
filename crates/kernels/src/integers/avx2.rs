//! 256-bit registers: products of bytes are added in 16 bits as far as they fit, then widened and scaled in one step.

use std::arch::x86_64::*;

use super::{Dot, Integers, STEP};
use crate::lanes::{Avx2, Lanes, WIDTH};

/// Sixteen columns of one step.
#[inline(always)]
unsafe fn load_two<T>(from: *const T) -> [__m256i; 2] {
    // SAFETY: the caller promises 64 readable bytes and a CPU with AVX2; the load takes any alignment.
    unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.cast::<__m256i>().add(1))] }
}

impl Integers for Avx2 {
    type Sums = [__m256i; 2];

    const WIDE_AS_STORED: bool = false;
    const MANY_ROWS: bool = true;

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
    fn nibbles(self, bytes: Self::Sums) -> [Self::Sums; 2] {
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
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        // SAFETY: `self` exists only where the CPU has AVX2; the array has 64 bytes.
        unsafe {
            let to = to.as_mut_ptr();
            _mm256_storeu_si256(to.cast(), sums[0]);
            _mm256_storeu_si256(to.add(8).cast(), sums[1]);
        }
    }

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        // SAFETY: `self` exists only where the CPU has AVX2.
        unsafe { [_mm256_setzero_si256(); 2] }
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
            if dot.chain == 0 {
                return self.dot_wide(dot, codes, x, stride, scale, sums);
            }
            let factor = if dot.scaled { load_two(scale) } else { [_mm256_set1_epi16(1); 2] };
            let mut first = 0;
            while first < dot.steps {
                let mut narrow = [self.zero(); R];
                for step in first..first + dot.chain {
                    let codes = load_two(codes.add(step * STEP * WIDTH));
                    for r in 0..R {
                        let x =
                            _mm256_set1_epi32(x.add(r * stride + step * STEP).cast::<i32>().read_unaligned());
                        narrow[r][0] = _mm256_add_epi16(narrow[r][0], _mm256_maddubs_epi16(codes[0], x));
                        narrow[r][1] = _mm256_add_epi16(narrow[r][1], _mm256_maddubs_epi16(codes[1], x));
                    }
                }
                for r in 0..R {
                    sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(narrow[r][0], factor[0]));
                    sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(narrow[r][1], factor[1]));
                }
                first += dot.chain;
            }
        }
    }

    #[inline(always)]
    unsafe fn add_pairs(self, sums: Self::Sums, words: *const i32, pair: i32) -> Self::Sums {
        // SAFETY: `self` proves the CPU; the caller promises sixteen words.
        unsafe {
            let (words, pair) = (load_two(words), _mm256_set1_epi32(pair));
            [
                _mm256_add_epi32(sums[0], _mm256_madd_epi16(words[0], pair)),
                _mm256_add_epi32(sums[1], _mm256_madd_epi16(words[1], pair)),
            ]
        }
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

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], from: [u8; 64]) -> [u8; 64] {
        let mut to = [0; 64];
        // SAFETY: `self` exists only where the CPU has AVX2; both arrays have 64 bytes, the table sixteen.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            let from = load_two(from.as_ptr());
            let at = to.as_mut_ptr();
            _mm256_storeu_si256(at.cast(), _mm256_shuffle_epi8(table, from[0]));
            _mm256_storeu_si256(at.add(32).cast(), _mm256_shuffle_epi8(table, from[1]));
        }
        to
    }
}

impl Avx2 {
    /// Codes of eight bits: less 128 they are signed, and the sign moves to the activations, which have no -128. Two
    /// products are 2 · 128 · 127 < 2¹⁵ at most, so each step is widened by itself.
    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "iterators over arrays of registers send them through memory"
    )]
    unsafe fn dot_wide<const R: usize>(
        self,
        dot: Dot,
        codes: *const u8,
        x: *const i8,
        stride: usize,
        scale: *const i32,
        sums: &mut [[__m256i; 2]; R],
    ) {
        // SAFETY: as `dot`, which calls this.
        unsafe {
            let ones = _mm256_set1_epi16(1);
            let mut block = if dot.scaled { [self.zero(); R] } else { *sums };
            for step in 0..dot.steps {
                let codes = load_two(codes.add(step * STEP * WIDTH));
                let offset = _mm256_set1_epi8(-128);
                let signed = [_mm256_xor_si256(codes[0], offset), _mm256_xor_si256(codes[1], offset)];
                let magnitude = [_mm256_abs_epi8(signed[0]), _mm256_abs_epi8(signed[1])];
                for r in 0..R {
                    let x = _mm256_set1_epi32(x.add(r * stride + step * STEP).cast::<i32>().read_unaligned());
                    for half in 0..2 {
                        let x = _mm256_sign_epi8(x, signed[half]);
                        let narrow = _mm256_maddubs_epi16(magnitude[half], x);
                        block[r][half] = _mm256_add_epi32(block[r][half], _mm256_madd_epi16(narrow, ones));
                    }
                }
            }
            if dot.scaled {
                let scale = load_two(scale);
                let scale = [_mm256_srai_epi32::<16>(scale[0]), _mm256_srai_epi32::<16>(scale[1])];
                for r in 0..R {
                    sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_mullo_epi32(block[r][0], scale[0]));
                    sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_mullo_epi32(block[r][1], scale[1]));
                }
            } else {
                *sums = block;
            }
        }
    }
}
