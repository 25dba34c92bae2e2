//! What the queries of an item gather from a range of blocks.

use std::ops::Range;

use super::merge::Partial;
use super::walk::Walk;
use super::whole::Whole;
use super::{Attention, Item, widen};
use crate::cache::{KEY_BLOCK, Stretch};
use crate::lanes::{LANES, Lanes};
use crate::tile::{MAX_ROWS, Stored, with_rows};

/// Memory that one block after another uses.
pub(super) struct Workspace<'a> {
    /// `[queries, at least 6][64]`
    pub scores: &'a mut [f32],
    /// By what former outputs are multiplied, as [`Partial::maxima`].
    pub factors: &'a mut [f32],
    /// `[panel][d][16]`, empty where nothing is widened
    pub keys: &'a mut [f32],
    /// `[chunk][64][16]`, empty where nothing is widened
    pub values: &'a mut [f32],
}

impl Attention<'_> {
    /// Where a query, counted within the item, lies in `q` and in `out`.
    #[inline(always)]
    fn place(&self, item: &Item, query: usize) -> usize {
        let group = self.group();
        let row = item.rows.start + query / group;
        (row * self.n_heads + item.kv_head * group + query % group) * self.cache.head_dim()
    }

    #[inline(always)]
    pub(super) fn n_queries(&self, item: &Item) -> usize {
        item.rows.len() * self.group()
    }

    /// The positions that a query of the item sees.
    #[inline(always)]
    pub(super) fn range(&self, item: &Item, query: usize) -> &Range<usize> {
        &self.ranges[item.rows.start + query / self.group()]
    }

    /// The item's queries, side by side.
    #[inline(always)]
    pub(super) fn load(&self, item: &Item, queries: &mut [f32]) {
        let d = self.cache.head_dim();
        for (query, to) in queries.chunks_exact_mut(d).take(self.n_queries(item)).enumerate() {
            to.copy_from_slice(&self.q[self.place(item, query)..][..d]);
        }
    }

    /// Writes the item's outputs: what was gathered over the sum of weights.
    ///
    /// # Safety
    /// No other call is given the same item.
    #[inline(always)]
    pub(super) unsafe fn finish<S: Lanes>(&self, s: S, item: &Item, all: &Partial<'_>) {
        let (d, padded) = (self.cache.head_dim(), self.cache.layout().padded_dim);
        for query in 0..self.n_queries(item) {
            let sum = s.splat(all.sums[Partial::at(query)]);
            // SAFETY: this head of this row belongs to this item alone.
            let out = unsafe { self.out.range_mut(self.place(item, query), d) };
            for (out, from) in out.chunks_mut(LANES).zip(all.outputs[query * padded..].chunks(LANES)) {
                s.store_slice(s.div(s.load_slice(from), sum), out);
            }
        }
    }

    /// Takes the keys of `blocks` into `gathered`, which starts anew.
    #[inline(always)]
    pub(super) fn gather<S: Lanes>(
        &self,
        s: S,
        item: &Item,
        blocks: Range<usize>,
        queries: &[f32],
        gathered: &mut Partial<'_>,
        work: &mut Workspace<'_>,
    ) {
        gathered.clear();
        let ranges = &self.ranges[item.rows.clone()];
        let first = ranges.iter().map(|r| r.start).min().unwrap_or(0) / KEY_BLOCK;
        let last = ranges.iter().map(|r| r.end).max().unwrap_or(0).div_ceil(KEY_BLOCK);
        let widens = self.widens(self.most_queries());
        let seen_by_all = ranges.iter().map(|r| r.start).max().unwrap_or(0)
            ..ranges.iter().map(|r| r.end).min().unwrap_or(0);
        let n = self.n_queries(item);
        for block in first.max(blocks.start)..last.min(blocks.end) {
            let (keys, values) = self.cache.block(block, item.kv_head);
            let scores = &mut *work.scores;
            let (keys, values) = match (keys, values) {
                (Stretch::F32(keys), Stretch::F32(values)) => (keys, values),
                (Stretch::Bf16(k), Stretch::Bf16(v)) if !widens => {
                    self.few(s, item, block, queries, gathered, scores, (k, v));
                    continue;
                }
                (Stretch::F16(k), Stretch::F16(v)) if !widens => {
                    self.few(s, item, block, queries, gathered, scores, (k, v));
                    continue;
                }
                (keys, values) => {
                    widen::keys(s, keys, work.keys);
                    widen::values(s, values, work.values);
                    (&*work.keys, &*work.values)
                }
            };
            let whole = within(&seen_by_all, block) == (0, KEY_BLOCK);
            if whole && n > MAX_ROWS {
                let (d, padded) = (self.cache.head_dim(), self.cache.layout().padded_dim);
                Whole { n, d, padded, scale: self.scale, queries, keys, values }.gather(
                    s,
                    gathered,
                    scores,
                    work.factors,
                );
                continue;
            }
            for query in (0..self.n_queries(item)).step_by(MAX_ROWS) {
                let n_rows = MAX_ROWS.min(self.n_queries(item) - query);
                let (mut walk, seen) =
                    self.walk(item, block, query, queries, gathered, scores, (keys, values));
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
    }

    /// Takes one block's keys, as they lie, into what one or two queries gathered. They are of one row, or of two that
    /// may see different keys.
    #[inline(always)]
    fn few<S: Lanes, W: Stored>(
        &self,
        s: S,
        item: &Item,
        block: usize,
        queries: &[f32],
        gathered: &mut Partial<'_>,
        scores: &mut [f32],
        keys_and_values: (&[W], &[W]),
    ) {
        let n = self.n_queries(item);
        let (mut walk, seen) = self.walk(item, block, 0, queries, gathered, scores, keys_and_values);
        if n == 2 && seen[..2].iter().all(|(start, end)| start < end) {
            walk.step::<S, 2>(s, 0, &seen[..2]);
        } else {
            for (r, seen) in seen[..n].iter().enumerate().filter(|(_, (start, end))| start < end) {
                walk.step::<S, 1>(s, r, std::slice::from_ref(seen));
            }
        }
    }

    /// What a walk of the queries from `query` on needs, and which keys of the block each of up to six sees.
    #[inline(always)]
    fn walk<'w, W: Stored>(
        &self,
        item: &Item,
        block: usize,
        query: usize,
        queries: &'w [f32],
        gathered: &'w mut Partial<'_>,
        scores: &'w mut [f32],
        (keys, values): (&'w [W], &'w [W]),
    ) -> (Walk<'w, W>, [(usize, usize); MAX_ROWS]) {
        let (d, padded) = (self.cache.head_dim(), self.cache.layout().padded_dim);
        let n_rows = MAX_ROWS.min(self.n_queries(item) - query);
        let mut seen = [(0, 0); MAX_ROWS];
        for (r, seen) in seen.iter_mut().take(n_rows).enumerate() {
            *seen = within(self.range(item, query + r), block);
        }
        let tile = Partial::at(query);
        let walk = Walk {
            keys,
            values,
            scale: self.scale,
            d,
            queries: &queries[query * d..],
            outputs: &mut gathered.outputs[query * padded..(query + n_rows) * padded],
            maxima: &mut gathered.maxima[tile..tile + LANES],
            sums: &mut gathered.sums[tile..tile + LANES],
            scores,
        };
        (walk, seen)
    }
}

/// The part of `range` that lies in a block, counted from the block's start.
#[inline(always)]
fn within(range: &Range<usize>, block: usize) -> (usize, usize) {
    let start = block * KEY_BLOCK;
    (range.start.saturating_sub(start).min(KEY_BLOCK), range.end.saturating_sub(start).min(KEY_BLOCK))
}
