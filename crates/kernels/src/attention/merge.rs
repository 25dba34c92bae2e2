//! Spans of keys: each gathers for itself, and they are merged in order of position.

use std::ops::Range;

use super::gather::Workspace;
use super::{Attention, Item, SPAN_BLOCKS};
use crate::backend::{Backend, Parts, Scratch, Shared, scratch_len};
use crate::cache::KEY_BLOCK;
use crate::error::{Error, Result};
use crate::lanes::{LANES, Lanes};
use crate::maths::exp;
use crate::tile::MAX_ROWS;

/// Positions of a span.
const SPAN: usize = SPAN_BLOCKS * KEY_BLOCK;

/// What queries gathered: weighted values, and by which maximum and sum they are weighted.
pub(super) struct Partial<'a> {
    /// `[queries][padded d]`
    pub outputs: &'a mut [f32],
    /// Of query i at [`Partial::at`]: six in a group of eight.
    pub maxima: &'a mut [f32],
    /// As the maxima.
    pub sums: &'a mut [f32],
}

impl Partial<'_> {
    /// Where the maximum and the sum of a query lie.
    #[inline(always)]
    pub fn at(query: usize) -> usize {
        query / MAX_ROWS * LANES + query % MAX_ROWS
    }

    /// Nothing is gathered yet.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.outputs.fill(0.0);
        self.maxima.fill(f32::NEG_INFINITY);
        self.sums.fill(0.0);
    }

    /// Adds what one query gathered from the span after those that are in here.
    #[inline(always)]
    fn add<S: Lanes>(&mut self, s: S, query: usize, padded: usize, span: &Partial<'_>) {
        let at = Self::at(query);
        let (old, new) = (self.maxima[at], span.maxima[at]);
        let largest = if new > old { new } else { old };
        let factors = exp(s, s.sub(s.load_slice(&[old, new]), s.splat(largest)));
        let [a, b, ..] = s.to_array(factors);
        self.maxima[at] = largest;
        self.sums[at] = self.sums[at].mul_add(a, span.sums[at] * b);
        let (a, b) = (s.splat(a), s.splat(b));
        let all = &mut self.outputs[query * padded..(query + 1) * padded];
        let span = &span.outputs[query * padded..(query + 1) * padded];
        for (all, span) in all.as_chunks_mut::<LANES>().0.iter_mut().zip(span.as_chunks::<LANES>().0) {
            // SAFETY: both are arrays of eight.
            unsafe {
                let sum = s.fma(s.load(all.as_ptr()), a, s.mul(s.load(span.as_ptr()), b));
                s.store(sum, all.as_mut_ptr());
            }
        }
    }
}

impl Attention<'_> {
    /// Values of a [`Partial`]: outputs, maxima, sums.
    #[inline(always)]
    fn partial_lens(&self) -> [usize; 3] {
        let [_, outputs, maxima, sums, ..] = self.lens();
        [outputs, maxima, sums]
    }

    /// Spans that any of the rows sees a part of.
    #[inline(always)]
    fn spans(&self, rows: Range<usize>) -> Range<usize> {
        let ranges = &self.ranges[rows];
        let first = ranges.iter().map(|r| r.start).min().unwrap_or(0) / SPAN;
        first..ranges.iter().map(|r| r.end).max().unwrap_or(0).div_ceil(SPAN)
    }

    /// Adds what each of the item's queries gathered from a span, where it sees any of it.
    #[inline(always)]
    fn merge<S: Lanes>(&self, s: S, item: &Item, span: usize, all: &mut Partial<'_>, part: &Partial<'_>) {
        let padded = self.cache.layout().padded_dim;
        for query in 0..self.n_queries(item) {
            let range = self.range(item, query);
            if range.start < (span + 1) * SPAN && range.end > span * SPAN {
                all.add(s, query, padded, part);
            }
        }
    }
}

/// Attends: each item gathers from its spans, one after another. Where spans are shared out, each item and span is a
/// work of its own first, and then each item merges its spans.
pub(super) fn run(backend: &Backend, work: usize, attention: &Attention<'_>) -> Result<()> {
    let scratch = scratch_len(&attention.lens());
    if !attention.is_shared_out(backend.n_threads()) {
        return backend.parallel(work, scratch, &Gathering { attention, shared_out: None });
    }
    let spans = attention.spans(0..attention.ranges.len());
    let n = attention.n_items().checked_mul(spans.len());
    let n = n.and_then(|n| n.checked_mul(attention.partial_lens().iter().sum()));
    let n = n.ok_or_else(|| Error::resources("what spans of keys give is more than memory holds"))?;
    let mut partials = backend.partials();
    if partials.len() < n {
        partials.resize(n, 0.0);
    }
    let shared_out = SharedOut { attention, spans, partials: Shared::new(&mut partials[..n]) };
    backend.parallel(work, scratch, &Gathering { attention, shared_out: Some(&shared_out) })?;
    backend.parallel(n, scratch, &Merging(&shared_out))
}

/// Items and spans, each pair with a place for what it gathers.
struct SharedOut<'a> {
    attention: &'a Attention<'a>,
    spans: Range<usize>,
    /// `[items][spans]`
    partials: Shared<'a>,
}

impl SharedOut<'_> {
    /// What an item gathers from a span.
    ///
    /// # Safety
    /// No other partial of this pair is alive.
    #[inline(always)]
    unsafe fn partial(&self, item: usize, span: usize) -> Partial<'_> {
        let [outputs, maxima, sums] = self.attention.partial_lens();
        let each = outputs + maxima + sums;
        let at = (item * self.spans.len() + span - self.spans.start) * each;
        // SAFETY: pairs have disjoint places; for one pair the caller promises.
        let all = unsafe { self.partials.range_mut(at, each) };
        let (outputs, rest) = all.split_at_mut(outputs);
        let (maxima, sums) = rest.split_at_mut(maxima);
        Partial { outputs, maxima, sums }
    }
}

/// Items from queries to outputs, or pairs of an item and a span from queries to what they gathered.
struct Gathering<'a> {
    attention: &'a Attention<'a>,
    shared_out: Option<&'a SharedOut<'a>>,
}

impl Parts for Gathering<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch) {
        let attention = self.attention;
        let [
            queries,
            outputs,
            maxima,
            sums,
            all_outputs,
            all_maxima,
            all_sums,
            scores,
            factors,
            keys,
            values,
        ] = scratch.slices(attention.lens());
        let mut work = Workspace { scores, factors, keys, values };
        let mut own = Partial { outputs, maxima, sums };
        let mut all = Partial { outputs: all_outputs, maxima: all_maxima, sums: all_sums };
        let n_spans = self.shared_out.map_or(1, |shared_out| shared_out.spans.len());
        // Taken in turns, because later rows of a prompt see more keys.
        for work_idx in (part..attention.n_items() * n_spans).step_by(n_parts) {
            let item_idx = work_idx / n_spans;
            let item = attention.item(item_idx);
            let spans = match self.shared_out {
                Some(shared_out) => {
                    let span = shared_out.spans.start + work_idx % n_spans;
                    span..span + 1
                }
                None => attention.spans(item.rows.clone()),
            };
            attention.load(&item, queries);
            all.clear();
            for span in spans {
                let mut apart;
                let gathered = match self.shared_out {
                    Some(shared_out) => {
                        // SAFETY: a pair belongs to one part.
                        apart = unsafe { shared_out.partial(item_idx, span) };
                        &mut apart
                    }
                    None => &mut own,
                };
                attention.gather(s, &item, span_blocks(span), queries, gathered, &mut work);
                if self.shared_out.is_none() {
                    attention.merge(s, &item, span, &mut all, gathered);
                }
            }
            if self.shared_out.is_none() {
                // SAFETY: an item belongs to one part.
                unsafe { attention.finish(s, &item, &all) };
            }
        }
    }
}

/// The blocks of a span.
#[inline(always)]
fn span_blocks(span: usize) -> Range<usize> {
    span * SPAN_BLOCKS..(span + 1) * SPAN_BLOCKS
}

/// The second half of what is shared out: every item's spans in order.
struct Merging<'a>(&'a SharedOut<'a>);

impl Parts for Merging<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch) {
        let SharedOut { attention, spans, .. } = self.0;
        let [_, _, _, _, outputs, maxima, sums, ..] = scratch.slices(attention.lens());
        let mut all = Partial { outputs, maxima, sums };
        for item_idx in (part..attention.n_items()).step_by(n_parts) {
            let item = attention.item(item_idx);
            all.clear();
            for span in spans.clone() {
                // SAFETY: an item, and so its pairs, belong to one part, which has one of them at a time.
                let gathered = unsafe { self.0.partial(item_idx, span) };
                attention.merge(s, &item, span, &mut all, &gathered);
            }
            // SAFETY: an item belongs to one part.
            unsafe { attention.finish(s, &item, &all) };
        }
    }
}
