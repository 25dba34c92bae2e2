//! Attention and its cache: a row's bits depend on its query and on the keys and values in its range alone.

use std::ops::Range;

use crate::support::{Random, assert_close, assert_same_bits, backends, best, portable};
use lightbox_kernels::{Backend, KEY_BLOCK, KvCache, KvDtype, KvPool};

/// Queries, and keys and values of all positions.
struct Case {
    heads: usize,
    kv_heads: usize,
    d: usize,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    ranges: Vec<Range<usize>>,
    n_keys: usize,
}

const SCALE: f32 = 0.7;

impl Case {
    /// Rows of a prompt's end, with ranges of every kind: causal, windows, whole, single keys, blocks' edges.
    fn new(
        random: &mut Random,
        (heads, kv_heads, d): (usize, usize, usize),
        n: usize,
        n_keys: usize,
    ) -> Self {
        let ranges = (0..n)
            .map(|i| match i % 5 {
                0 => 0..n_keys,
                1 => random.below(n_keys)..n_keys,
                2 => {
                    let start = random.below(n_keys);
                    start..start + 1
                }
                3 => 0..1 + random.below(n_keys),
                _ => {
                    let start = random.below(n_keys) / KEY_BLOCK * KEY_BLOCK;
                    start..(start + KEY_BLOCK).min(n_keys)
                }
            })
            .collect();
        Self {
            heads,
            kv_heads,
            d,
            q: random.values(n * heads * d).iter().map(|q| 2.0 * q).collect(),
            k: random.values(n_keys * kv_heads * d),
            v: random.values(n_keys * kv_heads * d),
            ranges,
            n_keys,
        }
    }

    fn causal(mut self) -> Self {
        let past = self.n_keys - self.ranges.len();
        for (i, range) in self.ranges.iter_mut().enumerate() {
            *range = 0..past + i + 1;
        }
        self
    }

    fn cache(&self) -> KvCache {
        let mut cache = KvCache::new(self.kv_heads, self.d, self.n_keys).expect("small");
        cache.store(&self.k, &self.v, 0).expect("in order");
        cache
    }

    fn attend(&self, backend: &Backend, cache: &KvCache, rows: Range<usize>) -> Vec<f32> {
        let width = self.heads * self.d;
        let q = &self.q[rows.start * width..rows.end * width];
        let mut out = vec![f32::NAN; q.len()];
        backend.attend(q, cache, &self.ranges[rows], SCALE, &mut out).expect("shapes fit");
        out
    }

    /// Every row alone, in plain Rust.
    fn alone(&self, cache: &KvCache) -> Vec<f32> {
        (0..self.ranges.len()).flat_map(|row| self.attend(&portable(), cache, row..row + 1)).collect()
    }

    /// The same in f64, from the definition.
    fn exact(&self) -> Vec<f64> {
        let Self { heads, kv_heads, d, .. } = *self;
        let mut out = Vec::new();
        for (row, range) in self.ranges.iter().enumerate() {
            for head in 0..heads {
                let q = &self.q[(row * heads + head) * d..][..d];
                let at = |position: usize| (position * kv_heads + head / (heads / kv_heads)) * d;
                let scores: Vec<f64> = (range.clone())
                    .map(|p| {
                        let k = &self.k[at(p)..][..d];
                        q.iter().zip(k).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>()
                            * f64::from(SCALE)
                    })
                    .collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
                let sum: f64 = weights.iter().sum();
                out.extend((0..d).map(|i| {
                    let terms = range.clone().zip(&weights).map(|(p, w)| w * f64::from(self.v[at(p) + i]));
                    terms.sum::<f64>() / sum
                }));
            }
        }
        out
    }
}

const SHAPES: [(usize, usize, usize); 7] =
    [(1, 1, 8), (2, 1, 16), (4, 2, 72), (3, 3, 5), (6, 1, 40), (8, 4, 64), (14, 2, 20)];

/// Relative to the largest value, for scores of up to 40: their rounding, exponentiated.
const TOLERANCE: f64 = 2e-5;

#[test]
fn attention_is_softmax_over_the_range_of_each_row() {
    let mut random = Random::new(11);
    for shape in SHAPES {
        for (n, n_keys) in [(1, 1), (7, 63), (11, 200)] {
            let case = Case::new(&mut random, shape, n, n_keys);
            let out = case.attend(&best(), &case.cache(), 0..n);
            assert_close(
                &out,
                &case.exact(),
                TOLERANCE,
                |_| 1.0,
                &format!("{shape:?}, {n} rows, {n_keys} keys"),
            );
        }
    }
}

#[test]
fn rows_have_the_same_bits_alone_and_together_on_every_path() {
    let mut random = Random::new(12);
    for shape in SHAPES {
        for (n, n_keys, causal) in [(13, 150, false), (60, 70, true), (53, 129, false)] {
            let case = Case::new(&mut random, shape, n, n_keys);
            let case = if causal { case.causal() } else { case };
            let cache = case.cache();
            let alone = case.alone(&cache);
            for (name, backend) in backends() {
                let what = format!("{shape:?}, {n} rows, {n_keys} keys on {name}");
                assert_same_bits(&case.attend(&backend, &cache, 0..n), &alone, &what);
                let split = random.below(n);
                let mut parts = case.attend(&backend, &cache, 0..split);
                parts.extend(case.attend(&backend, &cache, split..n));
                assert_same_bits(&parts, &alone, &what);
            }
        }
    }
}

/// Chunks are stored and attended to as they come, in a ring that is just large enough for the window.
#[test]
fn a_ring_that_wraps_around_gives_the_bits_of_a_cache_that_does_not() {
    let mut random = Random::new(13);
    let (shape, n, window) = ((4, 2, 24), 700, 100);
    let mut case = Case::new(&mut random, shape, n, n);
    for (i, range) in case.ranges.iter_mut().enumerate() {
        *range = (i + 1).saturating_sub(window)..i + 1;
    }
    let expected = case.attend(&portable(), &case.cache(), 0..n);
    let (width, kv_width) = (4 * 24, 2 * 24);
    for chunk in [1, 5, 64, 90] {
        for (name, backend) in [("two threads", best()), ("plain", portable())] {
            if name == "plain" && chunk != 64 {
                continue; // slow, and the paths are compared above
            }
            let mut cache = KvCache::new(2, 24, window - 1 + chunk).expect("small");
            let mut out = vec![f32::NAN; n * width];
            for start in (0..n).step_by(chunk) {
                let rows = start..(start + chunk).min(n);
                let kv = rows.start * kv_width..rows.end * kv_width;
                if start % 2 == 0 {
                    backend.store(&mut cache, &case.k[kv.clone()], &case.v[kv], start).expect("in order");
                } else {
                    cache.store(&case.k[kv.clone()], &case.v[kv], start).expect("in order");
                }
                out[rows.start * width..rows.end * width]
                    .copy_from_slice(&case.attend(&backend, &cache, rows));
            }
            assert_same_bits(&out, &expected, &format!("chunks of {chunk}, {name}"));
            assert!(
                cache.len_bytes() < case.cache().len_bytes(),
                "a ring is smaller than what passed through it"
            );
        }
    }
}

/// From within a panel of sixteen, so that the first and the last panel share a place in the ring; large enough for
/// several threads.
#[test]
fn a_ring_that_is_filled_at_once_holds_all_of_it() {
    let mut random = Random::new(15);
    let (capacity, d) = (128, 300);
    let first: Vec<f32> = random.values(5 * d);
    let (k, v) = (random.values(capacity * d), random.values(capacity * d));
    let q = random.values(d);
    let mut whole = KvCache::new(1, d, 5 + capacity).expect("small");
    whole.store(&first, &first, 0).expect("in order");
    whole.store(&k, &v, 5).expect("in order");
    let attend = |backend: &Backend, cache: &KvCache| {
        let mut out = vec![f32::NAN; d];
        let range = 5..5 + capacity;
        backend.attend(&q, cache, std::slice::from_ref(&range), SCALE, &mut out).expect("shapes fit");
        out
    };
    let expected = attend(&portable(), &whole);
    for (name, backend) in backends() {
        let mut ring = KvCache::new(1, d, capacity).expect("small");
        backend.store(&mut ring, &first, &first, 0).expect("in order");
        backend.store(&mut ring, &k, &v, 5).expect("as many as the capacity");
        assert_same_bits(&attend(&backend, &ring), &expected, &name);
    }
}

/// Not a number, infinity, a huge key: whatever stands outside a row's range leaves no trace.
#[test]
fn keys_outside_the_range_contribute_exactly_nothing() {
    let mut random = Random::new(14);
    for shape in [(4, 2, 72), (1, 1, 8)] {
        let n_keys = 260;
        let mut case = Case::new(&mut random, shape, 20, n_keys);
        for range in &mut case.ranges {
            let start = 10 + random.below(100);
            *range = start..start + 1 + random.below(120);
        }
        let expected = case.attend(&best(), &case.cache(), 0..20);
        for poison in [f32::NAN, f32::INFINITY, -1e30, -0.0] {
            for row in 0..20 {
                let mut poisoned = case.cache();
                poisoned.clear();
                let (mut k, mut v) = (case.k.clone(), case.v.clone());
                let width = shape.1 * shape.2;
                for position in (0..n_keys).filter(|p| !case.ranges[row].contains(p)) {
                    k[position * width..][..width].fill(poison);
                    v[position * width..][..width].fill(poison);
                }
                poisoned.store(&k, &v, 0).expect("in order");
                let width = shape.0 * shape.2;
                let out = case.attend(&best(), &poisoned, 0..20);
                let row = row * width..(row + 1) * width;
                assert_same_bits(&out[row.clone()], &expected[row], &format!("{shape:?}, {poison}"));
            }
        }
    }
}

#[test]
fn extreme_scores_neither_overflow_nor_vanish() {
    for (scores, expected) in
        [([1e4f32, 0.0, -1e4], 1.0), ([-1e4, -1e4, -1e4], 2.0), ([-1e30, 1e30, 0.0], 2.0)]
    {
        let mut cache = KvCache::new(1, 1, 3).expect("small");
        cache.store(&scores, &[1.0, 2.0, 3.0], 0).expect("in order");
        let mut out = [f32::NAN];
        best().attend(&[1.0], &cache, std::slice::from_ref(&(0..3)), 1.0, &mut out).expect("shapes fit");
        assert_eq!(out, [expected], "{scores:?}");
    }
}

#[test]
fn memory_grows_with_the_positions_stored() {
    let (heads, d, capacity) = (4, 256, 131_072);
    let mut cache = KvCache::new(heads, d, capacity).expect("sizes are fine");
    assert_eq!((cache.len_bytes(), cache.capacity(), cache.is_empty()), (0, capacity, true));
    let row = vec![1.0; heads * d];
    cache.store(&row, &row, 0).expect("in order");
    let all = 4 * heads * 2 * d * capacity;
    assert!(cache.len_bytes() < all / 50, "{} bytes", cache.len_bytes());
    let pool = KvPool::new(heads, d, KvDtype::F32).expect("sizes are fine");
    assert_eq!(KvCache::bytes_for(&pool, capacity, 1), Some(cache.len_bytes()));
    assert_eq!(KvCache::bytes_for(&pool, capacity, capacity), Some(all));
    let before = cache.len_bytes();
    cache.clear();
    cache.store(&row, &row, 0).expect("the first position comes next again");
    assert_eq!((cache.len(), cache.len_bytes()), (1, before));
}

/// What was stored and forgotten leaves no trace, except that it took the places of what lay a capacity before it.
#[test]
fn forgotten_positions_are_stored_anew() {
    let mut random = Random::new(15);
    for (capacity, n_kept, n_forgotten) in [(64, 10, 3), (64, 70, 5), (128, 190, 70), (256, 200, 200)] {
        let d = 24;
        let (k, v, q) = (random.values(400 * d), random.values(400 * d), random.values(d));
        let other = random.values(400 * d);
        let rows = |from: &[f32], range: Range<usize>| from[range.start * d..range.end * d].to_vec();
        let store = |cache: &mut KvCache, k: &[f32], v: &[f32], range: Range<usize>| {
            for at in range {
                cache.store(&rows(k, at..at + 1), &rows(v, at..at + 1), at).expect("in order");
            }
        };
        let mut straight = KvCache::new(1, d, capacity).expect("small");
        store(&mut straight, &k, &v, 0..n_kept + 7);
        let mut detour = KvCache::new(1, d, capacity).expect("small");
        store(&mut detour, &k, &v, 0..n_kept);
        store(&mut detour, &other, &other, n_kept..n_kept + n_forgotten);
        detour.truncate(n_kept).expect("as many are stored");
        store(&mut detour, &k, &v, n_kept..n_kept + 7);
        let lost = (n_kept + n_forgotten.max(7)).saturating_sub(capacity).min(n_kept);
        assert_eq!(detour.held(), lost..n_kept + 7, "{capacity}, {n_kept}, {n_forgotten}");
        let attend = |cache: &KvCache| {
            let mut out = vec![f32::NAN; d];
            let range = lost..n_kept + 7;
            best().attend(&q, cache, std::slice::from_ref(&range), SCALE, &mut out).expect("held");
            out
        };
        assert_same_bits(&attend(&detour), &attend(&straight), &format!("{capacity}, {n_kept}"));
    }
    let mut cache = KvCache::new(1, 4, 64).expect("small");
    cache.store(&[1.0; 8], &[1.0; 8], 0).expect("in order");
    let error = cache.truncate(3).expect_err("two are stored").to_string();
    assert!(error.contains("3 positions were to be kept, 2 are stored"), "{error}");
    assert_eq!(cache.held(), 0..2);
}

#[test]
fn what_does_not_fit_is_refused_with_its_shapes() {
    let backend = best();
    let mut cache = KvCache::new(2, 8, 64).expect("small");
    let rows = |n: usize| vec![0.5; n * 16];
    cache.store(&rows(40), &rows(40), 0).expect("in order");
    cache.store(&rows(40), &rows(40), 40).expect("in order");
    assert_eq!((cache.len(), cache.held()), (80, 16..80));
    let mut out = [7.0f32; 32];
    let mut attend = |q: usize, range: Range<usize>| {
        backend.attend(&vec![0.0; q], &cache, std::slice::from_ref(&range), 1.0, &mut out[..q])
    };
    let attends =
        [attend(32, 15..80), attend(32, 16..81), attend(32, 20..20), attend(24, 16..80), attend(31, 16..80)];
    let stores = [
        cache.store(&rows(1), &rows(1), 79),
        cache.store(&rows(1), &rows(1), 81),
        backend.store(&mut cache, &rows(1), &rows(1), 0),
        cache.store(&rows(65), &rows(65), 80),
        cache.store(&rows(2), &rows(1), 80),
        cache.store(&[0.0; 17], &[0.0; 17], 80),
        KvCache::new(0, 8, 1).map(|_| ()),
        KvCache::new(8, usize::MAX / 8, 1).map(|_| ()),
        KvCache::new(1, 1, usize::MAX).map(|_| ()),
        KvCache::new(usize::MAX / 4096, 1, 1).map(|_| ()),
    ];
    let expected = [
        "row 0 attends to positions 15..80, the cache holds 16..80",
        "16..81",
        "20..20",
        "3 heads are no multiple of the 2",
        "q holds 31 values, expected rows 1 × heads 3 × head_dim 8 = 24",
        "position 79 was given, position 80 comes next",
        "position 81",
        "position 0",
        "65 positions at once do not fit a capacity of 64; feed smaller chunks",
        "values holds 16 values, expected positions 2",
        "keys holds 17 values",
        "hold nothing",
        "more than memory can be",
        "more than memory can be",
        "more than memory can be",
    ];
    for (result, expected) in attends.into_iter().chain(stores).zip(expected) {
        let message = result.expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
    assert_eq!((cache.len(), cache.held()), (80, 16..80), "a refused operation changes nothing");
    assert_eq!(out, [7.0; 32]);
}
