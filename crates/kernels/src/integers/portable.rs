//! Plain Rust: what the other instruction sets are compared with.

use super::{Dot, Integers, STEP};
use crate::lanes::{LANES, Lanes, Portable, WIDTH};

/// One row of [`Integers::dot`]; a function of its own, which all types share.
///
/// # Safety
/// As there.
#[inline(never)]
unsafe fn dot_row(dot: Dot, codes: *const u8, x: *const i8, scale: *const i32, sums: &mut [i32; WIDTH]) {
    let mut block = [0i32; WIDTH];
    for step in 0..dot.steps {
        // SAFETY: step < steps, whose codes and activations the caller promises.
        let (codes, x) = unsafe {
            let codes = codes.add(step * STEP * WIDTH).cast::<[[u8; STEP]; WIDTH]>().read_unaligned();
            (codes, x.add(step * STEP).cast::<[i8; STEP]>().read_unaligned())
        };
        for (sum, codes) in block.iter_mut().zip(codes) {
            for (code, x) in codes.into_iter().zip(x) {
                *sum += i32::from(code) * i32::from(x);
            }
        }
    }
    if dot.scaled {
        // SAFETY: there are sixteen scales if they are asked for.
        let scales = unsafe { scale.cast::<[i32; WIDTH]>().read_unaligned() };
        block.iter_mut().zip(scales).for_each(|(block, scale)| *block *= scale);
    }
    sums.iter_mut().zip(block).for_each(|(sum, block)| *sum += block);
}

impl Integers for Portable {
    type Sums = [i32; WIDTH];

    const WIDE_AS_STORED: bool = true;
    const MANY_ROWS: bool = false;

    #[inline(always)]
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        bytes.map(i32::from)
    }

    #[inline(always)]
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        bytes.map(|byte| i32::from(byte as i8))
    }

    #[inline(always)]
    fn nibbles(self, bytes: Self::Sums) -> [Self::Sums; 2] {
        [bytes.map(|byte| byte & 15), bytes.map(|byte| byte >> 4)]
    }

    #[inline(always)]
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums {
        std::array::from_fn(|i| (low[i] & 0xffff) | (high[i] << 16))
    }

    #[inline(always)]
    fn scales(self, scales: Self::Sums) -> Self::Sums {
        scales
    }

    #[inline(always)]
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        *to = sums;
    }

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        [0; WIDTH]
    }

    #[inline(always)]
    unsafe fn dot<const R: usize>(
        self,
        dot: Dot,
        codes: *const u8,
        x: *const i8,
        stride: usize,
        scale: *const i32,
        sums: &mut [Self::Sums; R],
    ) {
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise, of row r.
            unsafe { dot_row(dot, codes, x.add(r * stride), scale, sums) };
        }
    }

    #[inline(always)]
    unsafe fn add_pairs(self, sums: Self::Sums, words: *const i32, pair: i32) -> Self::Sums {
        // SAFETY: the caller promises sixteen words.
        let words = unsafe { words.cast::<[i32; WIDTH]>().read_unaligned() };
        let half = |word: i32| (i32::from(word as i16), word >> 16);
        let (low, high) = half(pair);
        std::array::from_fn(|i| sums[i] + half(words[i]).0 * low + half(words[i]).1 * high)
    }

    #[inline(always)]
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums {
        std::array::from_fn(|i| sums[i] - times[i] * factor)
    }

    #[inline(always)]
    fn add_all(self, sums: Self::Sums, value: i32) -> Self::Sums {
        sums.map(|sum| sum + value)
    }

    #[inline(always)]
    fn to_floats(self, sums: Self::Sums) -> <Self as Lanes>::Wide {
        let half = |first: usize| std::array::from_fn(|i| sums[first + i] as f32);
        [half(0), half(LANES)]
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], from: [u8; 64]) -> [u8; 64] {
        from.map(|code| table[usize::from(code & 15)])
    }
}
