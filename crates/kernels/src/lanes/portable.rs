//! Plain Rust, on every machine.

use half::f16;

use crate::isa::Job;

use super::{LANES, Lanes, ROUNDING, WIDTH, bf16_slot};

/// The token of plain Rust. `mul_add` is one instruction on aarch64 and a (slow, exact) library call on x86-64.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn zip(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Lanes for Portable {
    type V = [f32; LANES];
    type Wide = [[f32; LANES]; 2];

    const TALL: bool = false;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        [value; LANES]
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn power_of_two(self, n_plus_rounding: Self::V) -> Self::V {
        n_plus_rounding.map(|n| {
            let n = n.to_bits().wrapping_sub(ROUNDING.to_bits());
            f32::from_bits(n.wrapping_add(127) << 23)
        })
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller promises 8 readable f32.
        unsafe { from.cast::<[f32; LANES]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, v: Self::V, to: *mut f32) {
        // SAFETY: the caller promises 8 writable f32.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(v) }
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
    unsafe fn wide_bf16(self, from: *const u16) -> Self::Wide {
        // SAFETY: the caller promises 16 readable u16.
        let packed = unsafe { from.cast::<[u16; WIDTH]>().read_unaligned() };
        let column = |i: usize| f32::from_bits(u32::from(packed[bf16_slot(i)]) << 16);
        [std::array::from_fn(column), std::array::from_fn(|i| column(i + LANES))]
    }

    #[inline(always)]
    unsafe fn wide_f16(self, from: *const u16) -> Self::Wide {
        // SAFETY: the caller promises 16 readable u16.
        let packed = unsafe { from.cast::<[u16; WIDTH]>().read_unaligned() };
        let column = |i: usize| f16::from_bits(packed[i]).to_f32();
        [std::array::from_fn(column), std::array::from_fn(|i| column(i + LANES))]
    }

    #[inline(never)]
    fn apart<J: Job>(self, job: J) {
        job.run(self);
    }

    #[inline(always)]
    fn prefetch<T>(self, _at: *const T) {}
}
