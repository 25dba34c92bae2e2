//! 256-bit registers with AVX2, FMA and F16C.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use crate::isa::Job;

use super::{LANES, Lanes};

/// The token of AVX2, FMA and F16C: made by [`Avx2::detect`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token, if this CPU (and the operating system) has all three.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has.then_some(Self(()))
    }
}

impl Lanes for Avx2 {
    type V = __m256;
    type Wide = [__m256; 2];

    const TALL: bool = false;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { _mm256_min_ps(a, b) }
    }

    #[inline(always)]
    fn power_of_two(self, n_plus_rounding: Self::V) -> Self::V {
        // The bits of ROUNDING below the exponent fall off at the top of the shift, so only n + 127 is left.
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe {
            let shifted = _mm256_slli_epi32::<23>(_mm256_castps_si256(n_plus_rounding));
            _mm256_castsi256_ps(_mm256_add_epi32(shifted, _mm256_set1_epi32(127 << 23)))
        }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: `self` proves the CPU; the caller promises 8 readable f32, of any alignment.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, v: Self::V, to: *mut f32) {
        // SAFETY: `self` proves the CPU; the caller promises 8 writable f32, of any alignment.
        unsafe { _mm256_storeu_ps(to, v) }
    }

    #[inline(always)]
    fn halves(self, wide: Self::Wide) -> [Self::V; 2] {
        wide
    }

    #[inline(always)]
    fn wide_splat(self, value: f32) -> Self::Wide {
        [self.splat(value); 2]
    }

    #[inline(always)]
    fn wide_add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        [self.add(a[0], b[0]), self.add(a[1], b[1])]
    }

    #[inline(always)]
    fn wide_mul(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        [self.mul(a[0], b[0]), self.mul(a[1], b[1])]
    }

    #[inline(always)]
    fn wide_fma(self, a: Self::Wide, b: Self::Wide, c: Self::Wide) -> Self::Wide {
        [self.fma(a[0], b[0], c[0]), self.fma(a[1], b[1], c[1])]
    }

    #[inline(always)]
    unsafe fn wide_load(self, from: *const f32) -> Self::Wide {
        // SAFETY: the caller promises 16 readable f32.
        unsafe { [self.load(from), self.load(from.add(LANES))] }
    }

    #[inline(always)]
    unsafe fn wide_store(self, wide: Self::Wide, to: *mut f32) {
        // SAFETY: the caller promises 16 writable f32.
        unsafe {
            self.store(wide[0], to);
            self.store(wide[1], to.add(LANES));
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_ptr_alignment, reason = "the load takes any alignment")]
    unsafe fn wide_bf16(self, from: *const u16) -> Self::Wide {
        // SAFETY: `self` proves the CPU; the caller promises 16 readable u16, which are the 32 bytes loaded.
        unsafe {
            let words = _mm256_loadu_si256(from.cast::<__m256i>());
            let low = _mm256_slli_epi32::<16>(words);
            let high = _mm256_and_si256(words, _mm256_set1_epi32(0xffff_0000_u32 as i32));
            [_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)]
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_ptr_alignment, reason = "the load takes any alignment")]
    unsafe fn wide_f16(self, from: *const u16) -> Self::Wide {
        // SAFETY: `self` proves the CPU; the caller promises 16 readable u16, which are the two times 16 bytes loaded.
        unsafe {
            let low = _mm_loadu_si128(from.cast::<__m128i>());
            let high = _mm_loadu_si128(from.add(LANES).cast::<__m128i>());
            [_mm256_cvtph_ps(low), _mm256_cvtph_ps(high)]
        }
    }

    #[inline(always)]
    fn apart<J: Job>(self, job: J) {
        // SAFETY: `self` exists only where the CPU has AVX2, FMA and F16C.
        unsafe { apart(self, job) };
    }

    #[inline(always)]
    fn prefetch<T>(self, at: *const T) {
        // SAFETY: a prefetch never faults, whatever the address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline(never)]
fn apart<J: Job>(avx2: Avx2, job: J) {
    job.run(avx2);
}
