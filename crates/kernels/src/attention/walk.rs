//! A few queries against one block of keys: scores, softened to weights, and the values that they gather.

use crate::cache::KEY_BLOCK;
use crate::lanes::{LANES, Lanes, WIDTH};
use crate::tile::{Stored, Sums, tile, zeros};

/// Up to six queries against one block of keys, and what they have gathered so far.
pub(super) struct Walk<'a, W> {
    /// `[panel][d][16]`
    pub keys: &'a [W],
    /// `[chunk][64][16]`
    pub values: &'a [W],
    pub scale: f32,
    pub d: usize,
    /// `[rows][d]`
    pub queries: &'a [f32],
    /// `[rows][padded d]`
    pub outputs: &'a mut [f32],
    /// `[8]`, of which the first rows count
    pub maxima: &'a mut [f32],
    /// `[8]`, of which the first rows count
    pub sums: &'a mut [f32],
    /// `[6][64]`
    pub scores: &'a mut [f32],
}

impl<W: Stored> Walk<'_, W> {
    /// Takes this block's keys into rows `first .. first + R`, each seeing the keys of its entry of `seen`.
    #[inline(always)]
    pub fn step<S: Lanes, const R: usize>(&mut self, s: S, first: usize, seen: &[(usize, usize)]) {
        let seen: [(usize, usize); R] = std::array::from_fn(|r| seen[r]);
        // Few rows leave registers for more panels, whose sums hide one another's latency.
        match R {
            1 => self.score::<S, R, 4>(s, first),
            2 => self.score::<S, R, 2>(s, first),
            _ => self.score::<S, R, 1>(s, first),
        }
        let factors = self.soften::<S, R>(s, first, &seen);
        let n_chunks = self.values.len() / (KEY_BLOCK * WIDTH);
        let at_once = match R {
            1 => 4,
            2 => 2,
            _ => 1,
        };
        let mut chunk = 0;
        while chunk + at_once <= n_chunks {
            match R {
                1 => self.gather::<S, R, 4>(s, first, &seen, &factors, chunk),
                2 => self.gather::<S, R, 2>(s, first, &seen, &factors, chunk),
                _ => self.gather::<S, R, 1>(s, first, &seen, &factors, chunk),
            }
            chunk += at_once;
        }
        while chunk < n_chunks {
            self.gather::<S, R, 1>(s, first, &seen, &factors, chunk);
            chunk += 1;
        }
    }

    /// Scores of all 64 keys, `P` panels at a time.
    #[inline(always)]
    fn score<S: Lanes, const R: usize, const P: usize>(&mut self, s: S, first: usize) {
        let d = self.d;
        let queries = &self.queries[first * d..(first + R) * d];
        let scores = &mut self.scores[..R * KEY_BLOCK];
        let scale = s.wide_splat(self.scale);
        for panel in (0..KEY_BLOCK / WIDTH).step_by(P) {
            let keys = &self.keys[panel * d * WIDTH..(panel + P) * d * WIDTH];
            // SAFETY: R queries of d values, P panels of d × 16 and R rows of 64 scores are there, as just sliced.
            unsafe {
                let dots =
                    tile::<S, W, R, P, false>(s, queries.as_ptr(), d, keys.as_ptr(), d * WIDTH, d, zeros(s));
                for (r, dots) in dots.into_iter().enumerate() {
                    for (p, dots) in dots.into_iter().enumerate() {
                        let to = scores.as_mut_ptr().add(r * KEY_BLOCK + (panel + p) * WIDTH);
                        s.wide_store(s.wide_mul(dots, scale), to);
                    }
                }
            }
        }
    }

    /// Adds the values of seen keys, weighted, to `P` chunks of sixteen dimensions.
    #[inline(always)]
    fn gather<S: Lanes, const R: usize, const P: usize>(
        &mut self,
        s: S,
        first: usize,
        seen: &[(usize, usize); R],
        factors: &[f32; LANES],
        chunk: usize,
    ) {
        const CHUNK: usize = KEY_BLOCK * WIDTH;
        // Keys that all rows see are taken together; those before and after, row by row, in the same order.
        let start = seen.iter().map(|s| s.0).max().unwrap_or(0);
        let end = seen.iter().map(|s| s.1).min().unwrap_or(0);
        let (start, end) = if start < end { (start, end) } else { (KEY_BLOCK, KEY_BLOCK) };
        let ragged = seen.iter().any(|s| *s != (start, end));
        let values = &self.values[chunk * CHUNK..(chunk + P) * CHUNK];
        let weights = &self.scores[..R * KEY_BLOCK];
        let padded = self.values.len() / KEY_BLOCK;
        let outputs = &mut self.outputs[first * padded..(first + R) * padded];
        // SAFETY: rows of weights and chunks of values have 64 keys each, and key ranges end at 64 at most; outputs
        // have R rows of `padded` values, chunk + P of sixteen at least.
        unsafe {
            let one = |row: usize, from: usize, to: usize, sums: [Sums<S>; P]| {
                if from >= to {
                    return sums;
                }
                let weights = weights.as_ptr().add(row * KEY_BLOCK + from);
                let values = values.as_ptr().add(from * WIDTH);
                let [sums] = tile::<S, W, 1, P, false>(s, weights, 0, values, CHUNK, to - from, [sums]);
                sums
            };
            let mut sums = zeros::<S, R, P>(s);
            if ragged {
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = one(r, seen[r].0, seen[r].1.min(start), *sums);
                }
            }
            if start < end {
                let weights = weights.as_ptr().add(start);
                let values = values.as_ptr().add(start * WIDTH);
                sums = tile::<S, W, R, P, false>(s, weights, KEY_BLOCK, values, CHUNK, end - start, sums);
            }
            if ragged {
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = one(r, seen[r].0.max(end), seen[r].1, *sums);
                }
            }
            for (r, sums) in sums.into_iter().enumerate() {
                let factor = s.wide_splat(factors[r]);
                for (p, sum) in sums.into_iter().enumerate() {
                    let at = outputs.as_mut_ptr().add(r * padded + (chunk + p) * WIDTH);
                    s.wide_store(s.wide_fma(s.wide_load(at), factor, sum), at);
                }
            }
        }
    }
}
