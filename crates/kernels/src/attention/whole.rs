//! Many queries that see the whole of a block, which is nearly all of a picture and most of a long prompt.
//!
//! Each panel of keys and each chunk of values is brought to the first-level cache once for all queries of an item, and
//! tiles may be taller than those whose rows see different keys. Every row's operations are those of [`Walk::step`].

use super::merge::Partial;
use super::walk::Walk;
use crate::cache::KEY_BLOCK;
use crate::lanes::{LANES, Lanes, WIDTH};
use crate::tile::{MAX_ROWS, tile, with_rows, zeros};

/// Rows of a tile of two panels where [`Lanes::TALL`] says that they fit.
const TALL_QUERIES: usize = 12;

/// Values of a chunk of a block.
const CHUNK: usize = KEY_BLOCK * WIDTH;

/// Queries that see all of a block, and the block.
pub(super) struct Whole<'a> {
    pub n: usize,
    pub d: usize,
    pub padded: usize,
    pub scale: f32,
    /// `[queries][d]`
    pub queries: &'a [f32],
    /// `[panel][d][16]`
    pub keys: &'a [f32],
    /// `[chunk][64][16]`
    pub values: &'a [f32],
}

/// Calls `$body` with `$R` a constant for each tile of `$n` rows, the first of which is `$row`; `$tall` of them where
/// they fit, else at most six.
macro_rules! tiles {
    ($n:expr, $tall:expr, $row:ident, $R:ident => $body:expr) => {
        let mut $row = 0;
        while $row < $n {
            if $tall && $row + TALL_QUERIES <= $n {
                const $R: usize = TALL_QUERIES;
                $body;
                $row += TALL_QUERIES;
            } else {
                let rows = MAX_ROWS.min($n - $row);
                with_rows!(rows, $R => $body);
                $row += rows;
            }
        }
    };
}

impl Whole<'_> {
    /// Takes the block's keys into what the queries gathered; `scores` `[queries][64]` and `factors`, laid out as
    /// [`Partial::maxima`], are overwritten.
    #[inline(always)]
    pub fn gather<S: Lanes>(
        &self,
        s: S,
        gathered: &mut Partial<'_>,
        scores: &mut [f32],
        factors: &mut [f32],
    ) {
        let n_panels = KEY_BLOCK / WIDTH;
        if S::TALL {
            for panel in (0..n_panels).step_by(2) {
                tiles!(self.n, true, row, R => self.score::<S, R, 2>(s, row, panel, scores));
            }
        } else {
            for panel in 0..n_panels {
                tiles!(self.n, false, row, R => self.score::<S, R, 1>(s, row, panel, scores));
            }
        }
        tiles!(self.n, false, row, R => self.soften::<S, R>(s, row, gathered, scores, factors));
        let n_chunks = self.values.len() / CHUNK;
        let mut chunk = 0;
        if S::TALL {
            while chunk + 2 <= n_chunks {
                tiles!(self.n, true, row, R => self.add::<S, R, 2>(s, row, chunk, gathered, scores, factors));
                chunk += 2;
            }
        }
        while chunk < n_chunks {
            tiles!(self.n, S::TALL, row, R => self.add::<S, R, 1>(s, row, chunk, gathered, scores, factors));
            chunk += 1;
        }
    }

    /// Scores of `R` queries with `P` panels of keys.
    #[inline(always)]
    fn score<S: Lanes, const R: usize, const P: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        scores: &mut [f32],
    ) {
        let d = self.d;
        let queries = &self.queries[row * d..(row + R) * d];
        let keys = &self.keys[panel * d * WIDTH..(panel + P) * d * WIDTH];
        let scores = &mut scores[row * KEY_BLOCK..(row + R) * KEY_BLOCK];
        let scale = s.wide_splat(self.scale);
        // SAFETY: R queries of d values, P panels of d × 16 and R rows of 64 scores are there, as just sliced.
        unsafe {
            let (q, k) = (queries.as_ptr(), keys.as_ptr());
            let dots = tile::<S, f32, R, P, false>(s, q, d, k, d * WIDTH, d, zeros(s));
            for (r, dots) in dots.into_iter().enumerate() {
                for (p, dots) in dots.into_iter().enumerate() {
                    let to = scores.as_mut_ptr().add(r * KEY_BLOCK + (panel + p) * WIDTH);
                    s.wide_store(s.wide_mul(dots, scale), to);
                }
            }
        }
    }

    #[inline(always)]
    fn soften<S: Lanes, const R: usize>(
        &self,
        s: S,
        row: usize,
        gathered: &mut Partial<'_>,
        scores: &mut [f32],
        factors: &mut [f32],
    ) {
        let at = Partial::at(row);
        let mut walk = Walk::<f32> {
            keys: self.keys,
            values: self.values,
            scale: self.scale,
            d: self.d,
            queries: &self.queries[row * self.d..],
            outputs: &mut [],
            maxima: &mut gathered.maxima[at..at + LANES],
            sums: &mut gathered.sums[at..at + LANES],
            scores: &mut scores[row * KEY_BLOCK..],
        };
        factors[at..at + LANES].copy_from_slice(&walk.soften::<S, R>(s, 0, &[(0, KEY_BLOCK); R]));
    }

    /// Adds the values, weighted, to `P` chunks of sixteen dimensions of `R` queries.
    #[inline(always)]
    fn add<S: Lanes, const R: usize, const P: usize>(
        &self,
        s: S,
        row: usize,
        chunk: usize,
        gathered: &mut Partial<'_>,
        scores: &[f32],
        factors: &[f32],
    ) {
        let padded = self.padded;
        let weights = &scores[row * KEY_BLOCK..(row + R) * KEY_BLOCK];
        let values = &self.values[chunk * CHUNK..(chunk + P) * CHUNK];
        let outputs = &mut gathered.outputs[row * padded..(row + R) * padded];
        assert!((chunk + P) * WIDTH <= padded, "a chunk is one of the outputs'");
        // SAFETY: R rows of 64 weights, P chunks of 64 × 16 values and R rows of `padded` outputs, chunk + P of sixteen
        // at least, are there, as just sliced and checked.
        unsafe {
            let (weights, values) = (weights.as_ptr(), values.as_ptr());
            let sums = tile::<S, f32, R, P, false>(s, weights, KEY_BLOCK, values, CHUNK, KEY_BLOCK, zeros(s));
            for (r, sums) in sums.into_iter().enumerate() {
                let factor = s.wide_splat(factors[Partial::at(row + r)]);
                for (p, sum) in sums.into_iter().enumerate() {
                    let at = outputs.as_mut_ptr().add(r * padded + (chunk + p) * WIDTH);
                    s.wide_store(s.wide_fma(s.wide_load(at), factor, sum), at);
                }
            }
        }
    }
}
