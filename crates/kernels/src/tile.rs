//! The one micro-kernel: a few rows of f32 against a few panels of sixteen columns.

use crate::lanes::{Lanes, WIDTH};

/// Most rows that one tile holds: 6 rows of 16 columns are 12 of the 16 registers of AVX2.
pub(crate) const MAX_ROWS: usize = 6;

/// Rows of the tall tile, where [`Lanes::TALL`] says that their sums fit: 24 of the 32 registers of AVX-512.
pub(crate) const TALL_ROWS: usize = 24;

/// How far ahead a streamed panel is asked for, in bytes.
const PREFETCH_BYTES: usize = 2048;

/// A stored number: how sixteen of them become lanes.
pub(crate) trait Stored: Copy + Send + Sync {
    /// # Safety
    /// `from` is valid for reading 16 values.
    unsafe fn lanes<S: Lanes>(s: S, from: *const Self) -> S::Wide;

    /// Rows of sixteen values, widened into the start of `room` where they are not f32 already.
    #[inline(always)]
    fn widened<'a, S: Lanes>(s: S, from: &'a [Self], room: &'a mut [f32]) -> &'a [f32] {
        let to = &mut room[..from.len()];
        for (from, to) in from.as_chunks::<WIDTH>().0.iter().zip(to.as_chunks_mut::<WIDTH>().0) {
            // SAFETY: both are arrays of sixteen.
            unsafe { s.wide_store(Self::lanes(s, from.as_ptr()), to.as_mut_ptr()) };
        }
        to
    }
}

impl Stored for f32 {
    #[inline(always)]
    unsafe fn lanes<S: Lanes>(s: S, from: *const Self) -> S::Wide {
        // SAFETY: the caller promises 16 readable f32.
        unsafe { s.wide_load(from) }
    }

    #[inline(always)]
    fn widened<'a, S: Lanes>(_s: S, from: &'a [Self], _room: &'a mut [f32]) -> &'a [f32] {
        from
    }
}

/// A bf16 number in a panel, in the order of `bf16_slot`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Bf16(u16);

impl Stored for Bf16 {
    #[inline(always)]
    unsafe fn lanes<S: Lanes>(s: S, from: *const Self) -> S::Wide {
        // SAFETY: the caller promises 16 readable values, which are transparent u16.
        unsafe { s.wide_bf16(from.cast::<u16>()) }
    }
}

/// An f16 number in a panel.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct F16(u16);

impl Stored for F16 {
    #[inline(always)]
    unsafe fn lanes<S: Lanes>(s: S, from: *const Self) -> S::Wide {
        // SAFETY: the caller promises 16 readable values, which are transparent u16.
        unsafe { s.wide_f16(from.cast::<u16>()) }
    }
}

/// Sums of one row and one panel.
pub(crate) type Sums<S> = <S as Lanes>::Wide;

/// Adds `n` products to the sums of `R` rows and `P` panels: `acc = fma(a[k], w[k], acc)`, k ascending.
///
/// Row r starts at `a + r · row_stride`; panel p at `w + p · panel_stride`, its sixteen columns of one k side by
/// side. `STREAM` asks for the panels ahead of their use.
///
/// # Safety
/// `n` f32 are readable from each row's start and `16 · n` values from each panel's.
#[inline(always)]
pub(crate) unsafe fn tile<S: Lanes, W: Stored, const R: usize, const P: usize, const STREAM: bool>(
    s: S,
    a: *const f32,
    row_stride: usize,
    w: *const W,
    panel_stride: usize,
    n: usize,
    mut sums: [[Sums<S>; P]; R],
) -> [[Sums<S>; P]; R] {
    for k in 0..n {
        // SAFETY: k < n, so every address lies in the ranges that the caller promised; what is only
        // prefetched is computed with wrapping arithmetic and never read here.
        unsafe {
            let mut columns = [s.wide_splat(0.0); P];
            for (p, columns) in columns.iter_mut().enumerate() {
                let from = w.add(p * panel_stride + k * WIDTH);
                *columns = W::lanes(s, from);
                if STREAM {
                    s.prefetch(from.wrapping_byte_add(PREFETCH_BYTES));
                }
            }
            for (r, row) in sums.iter_mut().enumerate() {
                let value = s.wide_splat(*a.add(r * row_stride + k));
                for (sums, columns) in row.iter_mut().zip(&columns) {
                    *sums = s.wide_fma(value, *columns, *sums);
                }
            }
        }
    }
    sums
}

/// Sums that start at +0.
#[inline(always)]
pub(crate) fn zeros<S: Lanes, const R: usize, const P: usize>(s: S) -> [[Sums<S>; P]; R] {
    [[s.wide_splat(0.0); P]; R]
}

/// Calls `$body` with `$R` a constant equal to `$n`, which is 1 to 6.
macro_rules! with_rows {
    ($n:expr, $R:ident => $body:expr) => {
        match $n {
            1 => {
                const $R: usize = 1;
                $body
            }
            2 => {
                const $R: usize = 2;
                $body
            }
            3 => {
                const $R: usize = 3;
                $body
            }
            4 => {
                const $R: usize = 4;
                $body
            }
            5 => {
                const $R: usize = 5;
                $body
            }
            _ => {
                const $R: usize = 6;
                $body
            }
        }
    };
}
pub(crate) use with_rows;
