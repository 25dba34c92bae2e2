//! Attention over a cache, without a matrix of all scores.
//!
//! Rows are taken in groups that fit the caches, and the keys in blocks of 64 at fixed absolute positions. Each row
//! keeps a running maximum and sum, and its output is rescaled from block to block (Milakov and Gimelshein, "Online
//! normalizer calculation for softmax", 2018; tiled as in Dao et al., "FlashAttention", 2022). Spans of eight blocks
//! start anew and are merged, so that few rows over many keys can be shared out to many threads ("Flash-Decoding",
//! Dao et al., 2023) and have the bits that one thread gives them.

mod gather;
mod merge;
mod softmax;
mod walk;
mod whole;
mod widen;

use std::ops::Range;

use crate::backend::{Backend, Shared};
use crate::cache::{KEY_BLOCK, KvCache, KvDtype};
use crate::error::{Error, Result, expect_len};
use crate::lanes::LANES;
use crate::tile::MAX_ROWS;

/// Query vectors that share a walk over the keys: their queries and outputs stay in the first- and second-level cache.
const QUERIES: usize = 48;

/// The same where keys and values are widened first, which takes the time of about two queries.
const QUERIES_OF_WIDENED: usize = 96;

/// Query vectors that read 16-bit keys and values as they lie.
const FEW_QUERIES: usize = 2;

/// Blocks whose sums start anew.
const SPAN_BLOCKS: usize = 8;

/// Most rows whose keys are shared out to threads span by span: more rows make work enough.
const FEW_ROWS: usize = 16;

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
    /// Keys and values count as the f32 numbers that they widen to. A score is one fused sum over the dimensions in
    /// order, times `scale`. Within each block of [`KEY_BLOCK`] keys values are summed in the order of keys; blocks follow
    /// one another in order of position, each with `out = fma(out, exp(old maximum - new maximum), block's sum)`. Keys
    /// outside the range take no part. Every eight blocks (512 keys, at multiples of 512) that starts anew, and what
    /// the spans gave is merged in order of position: with `a` and `b` the exponentials of the two maxima less the larger
    /// one, `out = fma(out, a, b · span's out)`, and so with the sums of weights.
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
        merge::run(self, work, &attention)
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
        let queries = if self.cache.dtype() == KvDtype::F32 { QUERIES } else { QUERIES_OF_WIDENED };
        (queries / self.group()).max(1)
    }

    /// Queries of the largest item.
    #[inline(always)]
    fn most_queries(&self) -> usize {
        self.rows_at_once().min(self.ranges.len()) * self.group()
    }

    /// Groups of rows times heads of keys.
    #[inline(always)]
    fn n_items(&self) -> usize {
        self.ranges.len().div_ceil(self.rows_at_once()) * self.cache.n_kv_heads()
    }

    /// Whether spans are worth sharing out to this many threads.
    fn is_shared_out(&self, n_threads: usize) -> bool {
        n_threads > 1 && self.ranges.len() <= FEW_ROWS && !self.n_items().is_multiple_of(n_threads)
    }

    /// The head of keys and the rows of an item.
    #[inline(always)]
    fn item(&self, item: usize) -> Item {
        let n_groups = self.ranges.len().div_ceil(self.rows_at_once());
        let first = item % n_groups * self.rows_at_once();
        Item { kv_head: item / n_groups, rows: first..(first + self.rows_at_once()).min(self.ranges.len()) }
    }

    /// Whether blocks are widened before queries meet them: Q8 always, the others unless one row decodes.
    #[inline(always)]
    fn widens(&self, n_queries: usize) -> bool {
        match self.cache.dtype() {
            KvDtype::F32 => false,
            KvDtype::Bf16 | KvDtype::F16 => n_queries > FEW_QUERIES,
            KvDtype::Q8 => true,
        }
    }

    /// Queries, a span's outputs, maxima and sums, those of all spans so far, scores, factors, widened keys and values.
    #[inline(always)]
    fn lens(&self) -> [usize; 11] {
        let n = self.most_queries();
        let (d, padded) = (self.cache.head_dim(), self.cache.layout().padded_dim);
        let per_tile = n.div_ceil(MAX_ROWS) * LANES;
        let (keys, values) = if self.widens(n) { (KEY_BLOCK * d, KEY_BLOCK * padded) } else { (0, 0) };
        let outputs = n * padded;
        let scores = n.max(MAX_ROWS) * KEY_BLOCK;
        [n * d, outputs, per_tile, per_tile, outputs, per_tile, per_tile, scores, per_tile, keys, values]
    }
}

/// All queries of some rows that use one head of keys.
struct Item {
    kv_head: usize,
    rows: Range<usize>,
}
