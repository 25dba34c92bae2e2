//! Pages of keys and values: narrow types have the bits of the numbers that they widen to, and pages that several
//! caches share are changed by none.

use std::ops::Range;

use half::{bf16, f16};
use lightbox_kernels::{Backend, ErrorKind, KEY_BLOCK, KvCache, KvDtype, KvPage, KvPool};

use crate::support::{Random, assert_same_bits, backends, best, portable};

const SCALE: f32 = 0.6;

/// Keys and values as a cache of this type widens them: of each head at each position, `d` numbers.
fn widened(dtype: KvDtype, numbers: &[f32], d: usize) -> Vec<f32> {
    match dtype {
        KvDtype::F32 => numbers.to_vec(),
        KvDtype::F16 => numbers.iter().map(|n| f16::from_f32(*n).to_f32()).collect(),
        KvDtype::Bf16 => numbers.iter().map(|n| bf16::from_f32(*n).to_f32()).collect(),
        KvDtype::Q8 => numbers
            .chunks(d)
            .flat_map(|head| {
                let largest = head.iter().fold(0.0f32, |largest, n| largest.max(n.abs()));
                let (scale, inverse) =
                    if largest == 0.0 { (0.0, 0.0) } else { (largest / 127.0, 127.0 / largest) };
                head.iter().map(move |n| (n * inverse).round_ties_even() * scale)
            })
            .collect(),
    }
}

fn attend(backend: &Backend, cache: &KvCache, q: &[f32], ranges: &[Range<usize>]) -> Vec<f32> {
    let mut out = vec![f32::NAN; q.len()];
    backend.attend(q, cache, ranges, SCALE, &mut out).expect("shapes fit");
    out
}

#[test]
fn narrow_types_have_the_bits_of_what_they_widen_to() {
    let mut random = Random::new(21);
    for (heads, kv_heads, d) in [(2, 1, 32), (4, 2, 20), (3, 3, 72), (8, 1, 16)] {
        let n_keys = 300;
        let mut k = random.values(n_keys * kv_heads * d);
        let v = random.values(n_keys * kv_heads * d);
        // A head of zeros, numbers below the normal range of f16, and ties between two neighbours.
        k[..d].fill(0.0);
        k[kv_heads * d] = 3e-7;
        k[kv_heads * d + 1] = 1.0 + 1.0 / 2048.0;
        for dtype in KvDtype::ALL {
            let pool = KvPool::new(kv_heads, d, dtype).expect("small");
            let (mut narrow, mut wide) = (
                KvCache::in_pool(&pool, n_keys).expect("small"),
                KvCache::new(kv_heads, d, n_keys).expect("small"),
            );
            let mut at = 0;
            while at < n_keys {
                let rows = at..(at + 1 + random.below(90)).min(n_keys);
                let span = rows.start * kv_heads * d..rows.end * kv_heads * d;
                best().store(&mut narrow, &k[span.clone()], &v[span], at).expect("in order");
                at = rows.end;
            }
            wide.store(&widened(dtype, &k, d), &widened(dtype, &v, d), 0).expect("in order");
            for n in [1, 2, 7, 40] {
                let ranges: Vec<_> = (0..n).map(|i| i * 3 % 90..n_keys - i * 5 % 100).collect();
                let q: Vec<f32> = random.values(n * heads * d).iter().map(|q| 3.0 * q).collect();
                let expected = attend(&portable(), &wide, &q, &ranges);
                for (name, backend) in backends() {
                    let what = format!("{heads}/{kv_heads}×{d}, {dtype}, {n} rows on {name}");
                    assert_same_bits(&attend(&backend, &narrow, &q, &ranges), &expected, &what);
                }
            }
        }
    }
}

/// Few rows over many keys are shared out span by span; their bits stay those of one thread and of many rows.
#[test]
fn spans_that_are_shared_out_have_the_bits_of_one_thread() {
    let mut random = Random::new(22);
    let (heads, kv_heads, d, n_keys) = (6, 3, 24, 1700);
    let (k, v) = (random.values(n_keys * kv_heads * d), random.values(n_keys * kv_heads * d));
    for dtype in [KvDtype::F32, KvDtype::F16] {
        let pool = KvPool::new(kv_heads, d, dtype).expect("small");
        let mut cache = KvCache::in_pool(&pool, n_keys).expect("small");
        cache.store(&k, &v, 0).expect("in order");
        let n = 20;
        let ranges: Vec<_> = (0..n)
            .map(|i| match i % 4 {
                0 => 0..n_keys - i,
                1 => 511..513,
                2 => 1000 + i..n_keys,
                _ => 512..1024,
            })
            .collect();
        let q: Vec<f32> = random.values(n * heads * d).iter().map(|q| 4.0 * q).collect();
        let expected = attend(&portable(), &cache, &q, &ranges);
        for (name, backend) in backends() {
            for at_once in [1, 3, 16, 20] {
                let mut out = Vec::new();
                for first in (0..n).step_by(at_once) {
                    let rows = first..(first + at_once).min(n);
                    let q = &q[rows.start * heads * d..rows.end * heads * d];
                    out.extend(attend(&backend, &cache, q, &ranges[rows]));
                }
                assert_same_bits(&out, &expected, &format!("{dtype}, {at_once} rows at once on {name}"));
            }
        }
    }
}

#[test]
fn what_a_type_does_not_hold_is_refused_when_it_is_stored() {
    let table: [(KvDtype, f32, bool); 13] = [
        (KvDtype::F16, 65_504.0, true),
        (KvDtype::F16, -65_519.0, true),
        (KvDtype::F16, 65_520.0, false),
        (KvDtype::F16, -7e4, false),
        (KvDtype::F16, f32::INFINITY, false),
        (KvDtype::Bf16, 7e4, true),
        (KvDtype::Bf16, f32::MAX, false),
        (KvDtype::Bf16, f32::INFINITY, true),
        (KvDtype::Q8, f32::MAX, true),
        (KvDtype::Q8, f32::NAN, false),
        (KvDtype::Q8, f32::NEG_INFINITY, false),
        (KvDtype::F32, f32::INFINITY, true),
        (KvDtype::F32, f32::NAN, true),
    ];
    for (dtype, value, held) in table {
        for in_values in [false, true] {
            let pool = KvPool::new(2, 8, dtype).expect("small");
            let mut cache = KvCache::in_pool(&pool, 100).expect("small");
            cache.store(&[0.5; 32], &[0.5; 32], 0).expect("in order");
            let mut rows = [[0.25; 64], [0.25; 64]];
            rows[usize::from(in_values)][37] = value;
            let result = best().store(&mut cache, &rows[0], &rows[1], 2);
            assert_eq!(result.is_ok(), held, "{dtype} {value}");
            if let Err(error) = result {
                assert_eq!(error.kind(), ErrorKind::Range, "{dtype} {value}");
                assert!(error.to_string().contains("at position 4"), "{error}");
                assert!(error.to_string().contains(&format!("which {dtype} does not hold")), "{error}");
                assert_eq!(cache.len(), 2, "what was refused is not counted");
            }
        }
    }
}

/// Numbers of `n` positions with 2 heads of 24.
struct Rows {
    k: Vec<f32>,
    v: Vec<f32>,
}

const WIDTH: usize = 2 * 24;

impl Rows {
    fn new(random: &mut Random, n: usize) -> Self {
        Self { k: random.values(n * WIDTH), v: random.values(n * WIDTH) }
    }

    fn store(&self, cache: &mut KvCache, positions: Range<usize>) {
        let span = positions.start * WIDTH..positions.end * WIDTH;
        cache.store(&self.k[span.clone()], &self.v[span], positions.start).expect("in order");
    }
}

fn pages(cache: &KvCache, blocks: Range<usize>) -> Vec<KvPage> {
    blocks.map(|block| cache.page(block).expect("complete and held")).collect()
}

#[test]
fn a_cache_goes_on_from_pages_of_another_and_changes_nothing_in_them() {
    let mut random = Random::new(23);
    let (one, other) = (Rows::new(&mut random, 400), Rows::new(&mut random, 400));
    let q = random.values(WIDTH);
    for dtype in KvDtype::ALL {
        let pool = KvPool::new(2, 24, dtype).expect("small");
        let new = || KvCache::in_pool(&pool, 400).expect("small");
        let see = |cache: &KvCache, first: usize| {
            attend(&best(), cache, &q, std::slice::from_ref(&(first..cache.len())))
        };

        let mut first = new();
        one.store(&mut first, 0..200);
        let (before, shared) = (see(&first, 0), pages(&first, 0..3));
        let begun = first.page(3).expect("begun");
        assert!(first.page(4).is_none(), "nothing of it is stored");

        // A second cache goes another way, a third forgets into a shared page and goes another way, too.
        let mut second = new();
        second.resume(0, &shared).expect("pages of the same sizes");
        assert_eq!(second.held(), 0..192);
        other.store(&mut second, 192..300);
        let mut third = new();
        third.resume(0, &shared).expect("pages of the same sizes");
        third.truncate(150).expect("as many are held");
        other.store(&mut third, 150..250);
        // A fourth goes on within a page that the first has begun; the first writes on in it, too.
        let mut fourth = new();
        fourth.resume(0, &[shared.clone(), vec![begun]].concat()).expect("pages of the same sizes");
        fourth.truncate(199).expect("as many are held");
        one.store(&mut first, 200..220);
        other.store(&mut fourth, 199..230);
        first.truncate(200).expect("as many are held");
        for (cache, common, n) in [(&second, 192, 300), (&third, 150, 250), (&fourth, 199, 230)] {
            let mut alone = new();
            one.store(&mut alone, 0..common);
            other.store(&mut alone, common..n);
            assert_same_bits(&see(cache, 0), &see(&alone, 0), &format!("{dtype}, from {common}"));
        }
        assert_same_bits(&see(&first, 0), &before, &format!("{dtype}, the first cache"));

        // From the middle, as a layer with a window does, through bytes; the first cache is gone.
        let bytes: Vec<Vec<u8>> = shared[1..].iter().map(|page| page.bytes().to_vec()).collect();
        drop((first, second, third, fourth, shared));
        let again: Vec<KvPage> = bytes.iter().map(|bytes| pool.page(bytes).expect("as many bytes")).collect();
        let mut cache = new();
        cache.resume(1, &again).expect("pages of the same sizes");
        assert_eq!(cache.held(), 64..192);
        one.store(&mut cache, 192..200);
        let mut alone = new();
        one.store(&mut alone, 0..200);
        assert_same_bits(&see(&cache, 70), &see(&alone, 70), &format!("{dtype}, from bytes"));
    }
}

/// A ring gives up pages that others still hold.
#[test]
fn pages_outlive_the_ring_that_they_came_from() {
    let mut random = Random::new(24);
    let rows = Rows::new(&mut random, 600);
    let q = random.values(WIDTH);
    let pool = KvPool::new(2, 24, KvDtype::F16).expect("small");
    let mut ring = KvCache::in_pool(&pool, 2 * KEY_BLOCK).expect("small");
    let mut kept = Vec::new();
    for start in (0..576).step_by(KEY_BLOCK) {
        rows.store(&mut ring, start..start + KEY_BLOCK);
        kept.extend(ring.page(start / KEY_BLOCK));
        assert!(ring.len_bytes() <= 3 * pool.page_bytes(), "a ring holds its capacity and a page");
    }
    let mut whole = KvCache::in_pool(&pool, 600).expect("small");
    rows.store(&mut whole, 0..576);
    let mut resumed = KvCache::in_pool(&pool, 600).expect("small");
    resumed.resume(0, &kept).expect("pages of the same sizes");
    let see = |cache: &KvCache| attend(&best(), cache, &q, std::slice::from_ref(&(0..576)));
    assert_same_bits(&see(&resumed), &see(&whole), "nine pages");
}

#[test]
fn pages_that_do_not_fit_are_refused() {
    let pool = KvPool::new(2, 24, KvDtype::F16).expect("small");
    let mut cache = KvCache::in_pool(&pool, 100).expect("small");
    cache.store(&[0.5; 70 * WIDTH], &[0.5; 70 * WIDTH], 0).expect("in order");
    let page = cache.page(0).expect("complete");
    let other = KvPool::new(2, 24, KvDtype::Bf16).expect("small");
    let foreign = other.page(&vec![0; other.page_bytes()]).expect("as many bytes");
    let results = [
        (cache.resume(0, &[]), "0 pages"),
        (cache.resume(0, &vec![page.clone(); 4]), "4 pages were given to go on from, expected 1 to 3"),
        (cache.resume(0, &[foreign]), "Bf16"),
        (cache.resume(usize::MAX / 2, &[page]), "too far"),
        (pool.page(&[0; 3]).map(|_| ()), "3 bytes were given for a page of"),
    ];
    for (result, expected) in results {
        let message = result.expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
    assert_eq!(cache.held(), 0..70, "a refused operation changes nothing");
    for name in ["f32", "f16", "bf16", "q8"] {
        assert_eq!(name.parse::<KvDtype>().expect("a type").to_string(), name);
    }
    assert!("f8".parse::<KvDtype>().expect_err("no type").contains("\"q8\""));
}
