//! Attention over a cache, without a matrix of all scores.
//!
//! Rows are taken in groups that fit the caches, and the keys in blocks of 64 at fixed absolute positions. Each row
//! keeps a running maximum and sum, and its output is rescaled from block to block (Milakov and Gimelshein, "Online
//! normalizer calculation for softmax", 2018; tiled as in Dao et al., "FlashAttention", 2022).

mod softmax;

use std::ops::Range;

use crate::backend::{Backend, Parts, Scratch, Shared, scratch_len};
use crate::cache::{KEY_BLOCK, KvCache};
use crate::error::{Error, Result, expect_len};
use crate::lanes::{LANES, Lanes, WIDTH};
use crate::tile::{MAX_ROWS, Sums, tile, with_rows, zeros};

/// Query vectors that share a walk over the keys: their queries and outputs stay in the first- and second-level cache.
const QUERIES: usize = 48;

struct Attention<'a> {
    q: &'a [f32],
    cache: &'a KvCache,
    ranges: &'a [Range<usize>],
    scale: f32,
    n_heads: usize,
    out: Shared<'a>,
}

impl Backend {
    /// `out = softmax(scale · q · kᵀ) · v` for each head of each row, over the row's own range of positions.
    ///
    /// `q` and `out` are `[n, n_heads, head_dim]`, row-major, `n_heads` a multiple of the cache's heads: head h uses
    /// keys of head `h / (n_heads / n_kv_heads)`. `ranges` has one range of absolute positions a row, none empty.
    ///
    /// A score is one fused sum over the dimensions in order, times `scale`. Within each block of [`KEY_BLOCK`] keys
    /// values are summed in the order of keys; blocks follow one another in order of position, each with
    /// `out = fma(out, exp(old maximum - new maximum), block's sum)`. Keys outside the range take no part.
    ///
    /// # Errors
    /// Lengths that do not fit, a range that is empty, or one that the cache does not hold; `out` is then unchanged.
    pub fn attend(
        &self,
        q: &[f32],
        cache: &KvCache,
        ranges: &[Range<usize>],
        scale: f32,
        out: &mut [f32],
    ) -> Result<()> {
        const OP: &str = "attend";
        let d = cache.head_dim();
        if ranges.is_empty() {
            expect_len(OP, "q", q.len(), &[("rows", 0)])?;
            return expect_len(OP, "out", out.len(), &[("rows", 0)]);
        }
        let n_heads = q.len() / ranges.len() / d;
        let dims = [("rows", ranges.len()), ("heads", n_heads), ("head_dim", d)];
        expect_len(OP, "q", q.len(), &dims)?;
        expect_len(OP, "out", out.len(), &dims)?;
        if n_heads == 0 || !n_heads.is_multiple_of(cache.n_kv_heads()) {
            let message =
                format!("{n_heads} heads are no multiple of the {} of the cache", cache.n_kv_heads());
            return Err(Error::shape(OP, message));
        }
        let held = cache.held();
        for (row, range) in ranges.iter().enumerate() {
            if range.is_empty() || range.start < held.start || range.end > held.end {
                let message = format!("row {row} attends to positions {range:?}, the cache holds {held:?}");
                return Err(Error::shape(OP, message));
            }
        }
        let n_keys = ranges.iter().map(ExactSizeIterator::len).fold(0, usize::saturating_add);
        let attention = Attention { q, cache, ranges, scale, n_heads, out: Shared::new(out) };
        let work = n_keys.saturating_mul(2 * n_heads * d);
        self.parallel(work, scratch_len(&attention.lens()), &attention)
    }
}

impl Attention<'_> {
    /// Query heads that share a head of keys.
    #[inline(always)]
    fn group(&self) -> usize {
        self.n_heads / self.cache.n_kv_heads()
    }

    /// Rows whose queries share a walk.
    #[inline(always)]
    fn rows_at_once(&self) -> usize {
        (QUERIES / self.group()).max(1)
    }

    /// Queries, outputs, running maxima, running sums, scores.
    #[inline(always)]
    fn lens(&self) -> [usize; 5] {
        let n = self.rows_at_once().min(self.ranges.len()) * self.group();
        let per_tile = n.div_ceil(MAX_ROWS) * LANES;
        [n * self.cache.head_dim(), n * self.cache.padded_dim(), per_tile, per_tile, MAX_ROWS * KEY_BLOCK]
    }
}

impl Parts for Attention<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch) {
        let n_groups = self.ranges.len().div_ceil(self.rows_at_once());
        // Taken in turns, because later rows of a prompt see more keys.
        for item in (part..n_groups * self.cache.n_kv_heads()).step_by(n_parts) {
            let first = item % n_groups * self.rows_at_once();
            let rows = first..(first + self.rows_at_once()).min(self.ranges.len());
            // SAFETY: each head of keys and group of rows is one item, which belongs to one part.
            unsafe { self.item(s, item / n_groups, rows, scratch) };
        }
    }
}

impl Attention<'_> {
    /// All queries of `rows` that use keys of head `kv_head`.
    ///
    /// # Safety
    /// No other call is given the same rows and head.
    #[inline(always)]
    unsafe fn item<S: Lanes>(&self, s: S, kv_head: usize, rows: Range<usize>, scratch: &mut Scratch) {
        let (d, padded, group) = (self.cache.head_dim(), self.cache.padded_dim(), self.group());
        let n = rows.len() * group;
        let [queries, outputs, maxima, sums, scores] = scratch.slices(self.lens());
        // Where a query, counted within the item, lies in q and in out.
        let place = |query: usize| {
            ((rows.start + query / group) * self.n_heads + kv_head * group + query % group) * d
        };
        for (query, to) in queries.chunks_exact_mut(d).take(n).enumerate() {
            to.copy_from_slice(&self.q[place(query)..][..d]);
        }
        outputs.fill(0.0);
        maxima.fill(f32::NEG_INFINITY);
        sums.fill(0.0);

        let ranges = &self.ranges[rows.clone()];
        let first = ranges.iter().map(|r| r.start).min().unwrap_or(0) / KEY_BLOCK;
        let last = ranges.iter().map(|r| r.end).max().unwrap_or(0).div_ceil(KEY_BLOCK);
        for block in first..last {
            let (keys, values) = self.cache.block(block, kv_head);
            for (i, query) in (0..n).step_by(MAX_ROWS).enumerate() {
                let n_rows = MAX_ROWS.min(n - query);
                let mut seen = [(0, 0); MAX_ROWS];
                for (r, seen) in seen.iter_mut().take(n_rows).enumerate() {
                    *seen = within(&ranges[(query + r) / group], block);
                }
                let mut walk = Walk {
                    keys,
                    values,
                    scale: self.scale,
                    d,
                    queries: &queries[query * d..],
                    outputs: &mut outputs[query * padded..(query + n_rows) * padded],
                    maxima: &mut maxima[i * LANES..(i + 1) * LANES],
                    sums: &mut sums[i * LANES..(i + 1) * LANES],
                    scores,
                };
                let seen = &seen[..n_rows];
                if seen.iter().all(|(start, end)| start < end) {
                    with_rows!(n_rows, R => walk.step::<S, R>(s, 0, seen));
                } else {
                    for (r, seen) in seen.iter().enumerate().filter(|(_, (start, end))| start < end) {
                        walk.step::<S, 1>(s, r, std::slice::from_ref(seen));
                    }
                }
            }
        }

        for query in 0..n {
            let sum = s.splat(sums[query / MAX_ROWS * LANES + query % MAX_ROWS]);
            // SAFETY: this head of this row belongs to this item.
            let out = unsafe { self.out.range_mut(place(query), d) };
            for (out, from) in out.chunks_mut(LANES).zip(outputs[query * padded..].chunks(LANES)) {
                s.store_slice(s.div(s.load_slice(from), sum), out);
            }
        }
    }
}

/// The part of `range` that lies in a block, counted from the block's start.
#[inline(always)]
fn within(range: &Range<usize>, block: usize) -> (usize, usize) {
    let start = block * KEY_BLOCK;
    (range.start.saturating_sub(start).min(KEY_BLOCK), range.end.saturating_sub(start).min(KEY_BLOCK))
}

/// Up to six queries against one block of keys, and what they have gathered so far.
struct Walk<'a> {
    /// `[panel][d][16]`
    keys: &'a [f32],
    /// `[chunk][64][16]`
    values: &'a [f32],
    scale: f32,
    d: usize,
    /// `[rows][d]`
    queries: &'a [f32],
    /// `[rows][padded d]`
    outputs: &'a mut [f32],
    /// `[8]`, of which the first rows count
    maxima: &'a mut [f32],
    /// `[8]`, of which the first rows count
    sums: &'a mut [f32],
    /// `[6][64]`
    scores: &'a mut [f32],
}

impl Walk<'_> {
    /// Takes this block's keys into rows `first .. first + R`, each seeing the keys of its entry of `seen`.
    #[inline(always)]
    fn step<S: Lanes, const R: usize>(&mut self, s: S, first: usize, seen: &[(usize, usize)]) {
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
                let dots = tile::<S, f32, R, P, false>(
                    s,
                    queries.as_ptr(),
                    d,
                    keys.as_ptr(),
                    d * WIDTH,
                    d,
                    zeros(s),
                );
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
                let [sums] = tile::<S, f32, 1, P, false>(s, weights, 0, values, CHUNK, to - from, [sums]);
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
                sums = tile::<S, f32, R, P, false>(s, weights, KEY_BLOCK, values, CHUNK, end - start, sums);
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
