//! Activations as the integer kernels take them.
//!
//! A row is cut at multiples of the weights' block (256 or 32 values). Of each piece, `a` being its largest magnitude,
//! `scale = a / 127`, `q[k] = round(x[k] · (127 / a))`, the nearest whole number, ties to even, where each operation
//! rounds once to f32; so `q` lies in -127..=127. Where `127 / a` is not finite (all zero, or `a` below 4·10⁻³⁷) scale and
//! codes are 0; where the piece holds an infinity or a NaN, the scale is NaN, which makes the row's products NaN.

use super::layout::CHUNK;
use crate::backend::{Parts, Scratch, Shared, share};
use crate::error::{Error, Result};
use crate::lanes::{Lanes, ROUNDING};

/// Rows that are multiplied with a chunk at once.
pub(super) const TILE_ROWS: usize = 4;

/// One row's codes of one chunk.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Codes(pub [i8; CHUNK]);

/// What belongs to one row's codes of one chunk.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Facts {
    /// Sums of codes by sixteens.
    pub sums_of_16: [i16; CHUNK / 16],
    /// Sums of codes by 32.
    pub sums_of_32: [i16; CHUNK / 32],
    /// The scale of each piece; the first one alone counts where a piece is the whole chunk.
    pub scales: [f32; CHUNK / 32],
}

/// Quantized rows, chunk by chunk: `[n_chunks][stride]`, of which the last rows are there so that a tile of rows may
/// begin at any. Kept between operations for its memory.
#[derive(Default)]
pub(crate) struct Activations {
    n_rows: usize,
    stride: usize,
    codes: Vec<Codes>,
    facts: Vec<Facts>,
}

impl Activations {
    /// Room for `n_rows` rows of `n_in` values.
    pub fn reserve(&mut self, n_rows: usize, n_in: usize) -> Result<()> {
        self.n_rows = n_rows;
        self.stride = n_rows.saturating_add(TILE_ROWS - 1);
        let n = self.stride.saturating_mul(n_in.div_ceil(CHUNK));
        let refused =
            |_| Error::resources(format!("{n_rows} × {n_in} quantized values are more than memory holds"));
        self.codes.try_reserve_exact(n.saturating_sub(self.codes.len())).map_err(refused)?;
        self.facts.try_reserve_exact(n.saturating_sub(self.facts.len())).map_err(refused)?;
        if self.codes.len() < n {
            self.codes.resize(n, Codes([0; CHUNK]));
            self.facts.resize(n, Facts { sums_of_16: [0; 16], sums_of_32: [0; 8], scales: [0.0; 8] });
        }
        Ok(())
    }

    /// The rows' codes and facts of chunk `chunk`.
    #[inline(always)]
    pub fn chunk(&self, chunk: usize) -> (&[Codes], &[Facts]) {
        let rows = chunk * self.stride..(chunk + 1) * self.stride;
        (&self.codes[rows.clone()], &self.facts[rows])
    }
}

/// The work of quantizing rows.
pub(crate) struct Quantize<'a> {
    x: &'a [f32],
    n_in: usize,
    n_rows: usize,
    stride: usize,
    /// 32 or 256.
    piece: usize,
    codes: Shared<'a, Codes>,
    facts: Shared<'a, Facts>,
}

impl<'a> Quantize<'a> {
    /// `to` has room for the rows of `x` `[n_rows, n_in]`.
    pub fn new(x: &'a [f32], n_in: usize, piece: usize, to: &'a mut Activations) -> Self {
        let (codes, facts) = (Shared::new(&mut to.codes), Shared::new(&mut to.facts));
        Self { x, n_in, n_rows: to.n_rows, stride: to.stride, piece, codes, facts }
    }
}

impl Parts for Quantize<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, _s: S, part: usize, n_parts: usize, _scratch: &mut Scratch) {
        for row in share(self.n_rows, part, n_parts) {
            let x = &self.x[row * self.n_in..(row + 1) * self.n_in];
            for (chunk, x) in x.chunks(CHUNK).enumerate() {
                let at = chunk * self.stride + row;
                // SAFETY: each row belongs to one part.
                let (codes, facts) =
                    unsafe { (&mut self.codes.range_mut(at, 1)[0], &mut self.facts.range_mut(at, 1)[0]) };
                let pieces = x.chunks(self.piece).zip(codes.0.chunks_mut(self.piece));
                for ((x, codes), scale) in pieces.zip(&mut facts.scales) {
                    *scale = quantize(x, codes);
                }
                let sum = |codes: &[i8]| codes.iter().map(|code| i16::from(*code)).sum();
                for (sums, codes) in facts.sums_of_16.iter_mut().zip(codes.0.as_chunks::<16>().0) {
                    *sums = sum(codes);
                }
                for (sums, parts) in facts.sums_of_32.iter_mut().zip(facts.sums_of_16.as_chunks::<2>().0) {
                    *sums = parts[0] + parts[1];
                }
            }
        }
    }
}

/// Quantizes one piece; returns its scale.
#[inline(always)]
fn quantize(x: &[f32], codes: &mut [i8]) -> f32 {
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    // Bits of magnitudes are ordered as their numbers are, infinities and NaN last.
    let largest = f32::from_bits(x.iter().map(magnitude).fold(0, u32::max));
    let (scale, factor) = match 127.0 / largest {
        _ if !largest.is_finite() => (f32::NAN, 0.0),
        factor if !factor.is_finite() => (0.0, 0.0),
        factor => (largest / 127.0, factor),
    };
    if factor == 0.0 {
        codes.fill(0);
        return scale;
    }
    for (code, x) in codes.iter_mut().zip(x) {
        *code = (x * factor + ROUNDING).to_bits() as i8;
    }
    scale
}
