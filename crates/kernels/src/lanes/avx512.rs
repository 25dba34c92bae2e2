//! 512-bit registers, thirty-two of them: a row of a panel is one.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

use crate::isa::Job;

use super::{Avx2, Lanes};

/// The token of AVX-512 (F, BW, DQ, VL and VNNI) beside AVX2, FMA and F16C: made by [`Avx512::detect`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(Avx2);

impl Avx512 {
    /// The token, if this CPU (and the operating system) has all of them.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        Avx2::detect().filter(|_| has).map(Self)
    }
}

// Eight lanes are the instructions of AVX2, on twice as many registers.
impl Lanes for Avx512 {
    type V = __m256;
    type Wide = __m512;

    const TALL: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        self.0.splat(value)
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.add(a, b)
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.sub(a, b)
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.mul(a, b)
    }

    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.div(a, b)
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        self.0.fma(a, b, c)
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.max(a, b)
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        self.0.min(a, b)
    }

    #[inline(always)]
    fn power_of_two(self, n_plus_rounding: Self::V) -> Self::V {
        self.0.power_of_two(n_plus_rounding)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller's promise is the same.
        unsafe { self.0.load(from) }
    }

    #[inline(always)]
    unsafe fn store(self, v: Self::V, to: *mut f32) {
        // SAFETY: the caller's promise is the same.
        unsafe { self.0.store(v, to) }
    }

    #[inline(always)]
    fn halves(self, wide: Self::Wide) -> [Self::V; 2] {
        // SAFETY: `self` exists only where the CPU has AVX-512 F and DQ.
        unsafe { [_mm512_castps512_ps256(wide), _mm512_extractf32x8_ps::<1>(wide)] }
    }

    #[inline(always)]
    fn wide_splat(self, value: f32) -> Self::Wide {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn wide_add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn wide_mul(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn wide_fma(self, a: Self::Wide, b: Self::Wide, c: Self::Wide) -> Self::Wide {
        // SAFETY: `self` exists only where the CPU has AVX-512 F.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn wide_load(self, from: *const f32) -> Self::Wide {
        // SAFETY: `self` proves the CPU; the caller promises 16 readable f32, of any alignment.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn wide_store(self, wide: Self::Wide, to: *mut f32) {
        // SAFETY: `self` proves the CPU; the caller promises 16 writable f32, of any alignment.
        unsafe { _mm512_storeu_ps(to, wide) }
    }

    #[inline(always)]
    #[expect(clippy::cast_ptr_alignment, reason = "the load takes any alignment")]
    unsafe fn wide_bf16(self, from: *const u16) -> Self::Wide {
        // The words stand in both halves: the first eight columns are their low parts, the last eight their high parts.
        // SAFETY: `self` proves the CPU; the caller promises 16 readable u16, which are the 32 bytes loaded.
        unsafe {
            let words = _mm512_broadcast_i64x4(_mm256_loadu_si256(from.cast::<__m256i>()));
            let shifts = _mm512_inserti64x4::<0>(_mm512_setzero_si512(), _mm256_set1_epi32(16));
            let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
            _mm512_castsi512_ps(_mm512_and_si512(_mm512_sllv_epi32(words, shifts), upper))
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_ptr_alignment, reason = "the load takes any alignment")]
    unsafe fn wide_f16(self, from: *const u16) -> Self::Wide {
        // SAFETY: `self` proves the CPU; the caller promises 16 readable u16, which are the 32 bytes loaded.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast::<__m256i>())) }
    }

    #[inline(always)]
    fn apart<J: Job>(self, job: J) {
        // SAFETY: `self` exists only where the CPU has all of these.
        unsafe { apart(self, job) };
    }

    #[inline(always)]
    fn prefetch<T>(self, at: *const T) {
        self.0.prefetch(at);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
#[inline(never)]
fn apart<J: Job>(avx512: Avx512, job: J) {
    job.run(avx512);
}
