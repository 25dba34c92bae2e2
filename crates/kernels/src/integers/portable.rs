//! Plain Rust: what the other instruction sets are compared with.

use super::{Integers, STEP};
use crate::lanes::{LANES, Lanes, Portable, WIDTH};

/// [`Integers::add_codes`]: a function of its own, which all types share.
#[inline(never)]
fn add(sums: &mut [i32; WIDTH], codes: &[u8; 64], x: [i8; STEP]) {
    for (sum, codes) in sums.iter_mut().zip(codes.as_chunks::<STEP>().0) {
        for (code, x) in codes.iter().zip(x) {
            *sum += i32::from(*code) * i32::from(x);
        }
    }
}

#[inline(always)]
fn zip(a: [i32; WIDTH], b: [i32; WIDTH], f: impl Fn(i32, i32) -> i32) -> [i32; WIDTH] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Integers for Portable {
    type Bytes = [u8; 64];
    type Sums = [i32; WIDTH];
    type Narrow = [i32; WIDTH];

    const NARROW: bool = false;
    const WIDE_AS_STORED: bool = true;
    const MANY_ROWS: bool = false;

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> Self::Bytes {
        // SAFETY: the caller promises 64 readable bytes.
        unsafe { from.cast::<[u8; 64]>().read_unaligned() }
    }

    #[inline(always)]
    fn store_bytes(self, bytes: Self::Bytes, to: &mut [u8; 64]) {
        *to = bytes;
    }

    #[inline(always)]
    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes {
        std::array::from_fn(|i| a[i] | b[i])
    }

    #[inline(always)]
    fn low_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        bytes.map(|byte| byte & 15)
    }

    #[inline(always)]
    fn high_nibbles(self, bytes: Self::Bytes) -> Self::Bytes {
        bytes.map(|byte| byte >> 4)
    }

    #[inline(always)]
    fn field<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        bytes.map(|byte| (byte >> (2 * FIELD)) & 3)
    }

    #[inline(always)]
    fn field_above<const FIELD: usize>(self, bytes: Self::Bytes) -> Self::Bytes {
        bytes.map(|byte| ((byte >> (2 * FIELD)) & 3) << 4)
    }

    #[inline(always)]
    fn bit(self, bytes: Self::Bytes, mask: u8, value: u8) -> Self::Bytes {
        bytes.map(|byte| if byte & mask == 0 { 0 } else { value })
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], bytes: Self::Bytes) -> Self::Bytes {
        bytes.map(|byte| table[usize::from(byte & 15)])
    }

    #[inline(always)]
    fn none(self) -> Self::Narrow {
        [0; WIDTH]
    }

    #[inline(always)]
    unsafe fn add_codes(self, mut sums: Self::Narrow, codes: Self::Bytes, x: *const i8) -> Self::Narrow {
        // SAFETY: the caller promises four activations.
        add(&mut sums, &codes, unsafe { x.cast::<[i8; STEP]>().read_unaligned() });
        sums
    }

    #[inline(always)]
    fn finish(self, sums: Self::Sums, narrow: Self::Narrow, scales: Self::Sums) -> Self::Sums {
        zip(sums, zip(narrow, scales, |narrow, scale| narrow * scale), |sum, more| sum + more)
    }

    #[inline(always)]
    fn finish_plain(self, sums: Self::Sums, narrow: Self::Narrow) -> Self::Sums {
        zip(sums, narrow, |sum, more| sum + more)
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
        [0; WIDTH]
    }

    #[inline(always)]
    fn widen(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        bytes.map(i32::from)
    }

    #[inline(always)]
    fn widen_signed(self, bytes: &[u8; WIDTH]) -> Self::Sums {
        bytes.map(|byte| i32::from(byte as i8))
    }

    #[inline(always)]
    fn split(self, bytes: Self::Sums) -> [Self::Sums; 2] {
        [bytes.map(|byte| byte & 15), bytes.map(|byte| byte >> 4)]
    }

    #[inline(always)]
    fn pair(self, low: Self::Sums, high: Self::Sums) -> Self::Sums {
        zip(low, high, |low, high| (low & 0xffff) | (high << 16))
    }

    #[inline(always)]
    fn scales(self, scales: Self::Sums) -> Self::Sums {
        scales
    }

    #[inline(always)]
    fn load_sums(self, from: &[i32; WIDTH]) -> Self::Sums {
        *from
    }

    #[inline(always)]
    fn store_sums(self, sums: Self::Sums, to: &mut [i32; WIDTH]) {
        *to = sums;
    }

    #[inline(always)]
    fn add_pairs(self, sums: Self::Sums, words: Self::Sums, pair: i32) -> Self::Sums {
        let half = |word: i32| (i32::from(word as i16), word >> 16);
        zip(sums, words, |sum, word| sum + half(word).0 * half(pair).0 + half(word).1 * half(pair).1)
    }

    #[inline(always)]
    fn sub_times(self, sums: Self::Sums, times: Self::Sums, factor: i32) -> Self::Sums {
        zip(sums, times, |sum, times| sum - times * factor)
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
}
