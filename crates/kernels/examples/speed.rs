//! Prints what this machine makes of products and attention of the sizes of Gemma 3 4B and its vision tower.
//!
//! `cargo run --release -p lightbox-kernels --example speed [threads [instruction set]]`. Figures are the best of several runs; the first
//! line is what fused multiply-adds on registers alone reach, on as many threads (x86-64 with AVX2 and FMA; elsewhere the
//! other lines have nothing to be compared with). Other work on the machine spoils the figures.

#![allow(unsafe_code)]

use std::hint::black_box;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use lightbox_kernels::{
    Backend, Dtype, Epilogue, Isa, KEY_BLOCK, KvCache, KvDtype, KvPool, Matrix, MatrixBuilder, Rope,
};

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Anything<()> {
    let n_threads = std::env::args().nth(1).map_or(Ok(2), |n| n.parse())?;
    let isa = match std::env::args().nth(2) {
        None => Isa::best(),
        Some(name) => *Isa::available()
            .iter()
            .find(|isa| isa.to_string() == name)
            .ok_or_else(|| format!("this machine has no {name}"))?,
    };
    let backend = Backend::with_isa(isa, n_threads)?;
    let mut out = io::stdout();
    writeln!(out, "{}", backend.describe())?;

    let peak = peak(n_threads).unwrap_or(f64::NAN);
    writeln!(out, "fused multiply-adds alone         {peak:7.1} GFLOP/s")?;
    for (n, n_in, n_out, dtype) in [
        (512, 2560, 10240, Dtype::Bf16),
        (512, 10240, 2560, Dtype::Bf16),
        (512, 2560, 2048, Dtype::Bf16),
        (4096, 1152, 1152, Dtype::Bf16),
        (4096, 1152, 4304, Dtype::Bf16),
        (4096, 4304, 1152, Dtype::Bf16),
        (512, 2560, 10240, Dtype::F32),
        (512, 2560, 10240, Dtype::F16),
        (8, 2560, 10240, Dtype::Bf16),
        (48, 2560, 10240, Dtype::Bf16),
    ] {
        let rate = products(&backend, n, n_in, n_out, dtype, 3)?;
        let of_peak = 100.0 * rate / peak;
        writeln!(
            out,
            "{dtype:>4} [{n}×{n_in}]·[{n_in}×{n_out}]  {rate:7.1} GFLOP/s  {of_peak:4.0} % of that"
        )?;
    }
    for n in [1, 2, 4, 6] {
        for dtype in [Dtype::Bf16, Dtype::F16, Dtype::F32] {
            // Eight matrices, so that no cache holds them.
            let (n_in, n_out) = (2560, 10240);
            let weights = (0..8).map(|_| matrix(n_out, n_in, dtype)).collect::<Anything<Vec<_>>>()?;
            let (x, mut y) = (values(n * n_in), vec![0.0; n * n_out]);
            let time = best(5, || {
                for w in &weights {
                    backend.linear(&x, w, &mut y, Epilogue::Store)?;
                }
                Ok(())
            })?;
            let gb = weights.iter().map(Matrix::len_bytes).sum::<usize>() as f64 / 1e9;
            writeln!(
                out,
                "{dtype:>4} {n} × [{n_in}]·[{n_in}×{n_out}]  {:6.1} GB/s",
                gb / time.as_secs_f64()
            )?;
        }
    }
    let text = [KvDtype::F32, KvDtype::F16, KvDtype::Bf16, KvDtype::Q8];
    for (what, n, heads, kv_heads, d, past, window, types) in [
        ("vision tower", 4096, 16, 16, 72, 0, 0, &text[..1]),
        ("prompt of 512", 512, 8, 4, 256, 0, usize::MAX, &text[1..2]),
        ("512 after 3584", 512, 8, 4, 256, 3584, usize::MAX, &text),
        ("512 after 21488", 512, 8, 4, 256, 21_488, usize::MAX, &text[1..2]),
        ("512 sliding", 512, 8, 4, 256, 3584, 1024, &text[1..2]),
        ("1 at 4096", 1, 8, 4, 256, 4095, usize::MAX, &text),
        ("1 at 22000", 1, 8, 4, 256, 21_999, usize::MAX, &text[1..]),
        ("4 at 22000", 4, 8, 4, 256, 21_996, usize::MAX, &text[1..2]),
        ("1 sliding", 1, 8, 4, 256, 4095, 1024, &text[1..2]),
    ] {
        for dtype in types {
            let pool = KvPool::new(kv_heads, d, *dtype)?;
            // Several, so that a row finds its keys in no cache, as it does between the weights of a model.
            let n_caches = if n < 16 { 16_000 / (past + n) + 1 } else { 1 };
            let mut caches =
                (0..n_caches).map(|_| KvCache::in_pool(&pool, past + n)).collect::<Result<Vec<_>, _>>()?;
            let kv = values((past + n) * kv_heads * d);
            for cache in &mut caches {
                backend.store(cache, &kv, &kv, 0)?;
            }
            let range = |i: usize| (past + i + 1).saturating_sub(window)..past + i + 1;
            let ranges: Vec<_> = (0..n).map(|i| if window == 0 { 0..n } else { range(i) }).collect();
            let (q, mut y) = (values(n * heads * d), vec![0.0; n * heads * d]);
            let time = best(3, || {
                for cache in &caches {
                    backend.attend(&q, cache, &ranges, 0.1, &mut y)?;
                }
                Ok(())
            })? / u32::try_from(n_caches)?;
            let keys: usize = ranges.iter().map(ExactSizeIterator::len).sum();
            let rate = (keys * heads * d * 4) as f64 / time.as_secs_f64() / 1e9;
            let of_peak = 100.0 * rate / peak;
            let ms = time.as_secs_f64() * 1e3;
            let read = keys / n * pool.page_bytes() / KEY_BLOCK;
            let gb = if n < 16 { read as f64 / time.as_secs_f64() / 1e9 } else { 0.0 };
            writeln!(
                out,
                "attention, {what:15} {dtype:>4} {ms:9.3} ms  {rate:7.1} GFLOP/s {of_peak:4.0} % of that {gb:5.1} GB/s"
            )?;
        }
    }
    let rope = Rope::new(256, 1e6, 8.0)?;
    let (n, mut x) = (512, values(512 * 8 * 256));
    let (weight, positions) = (values(256), (0..n).collect::<Vec<_>>());
    let time = best(5, || Ok(backend.norm_rope(&mut x, &weight, 1e-6, &rope, &positions)?))?;
    writeln!(out, "norm and rope [512×8×256]    {:9.2} ms", time.as_secs_f64() * 1e3)?;
    let (x, weight, mut y) = (values(512 * 2560), values(2560), vec![0.0; 512 * 2560]);
    let time = best(5, || Ok(backend.rms_norm(&x, &weight, 1e-6, &mut y)?))?;
    writeln!(out, "rms norm [512×2560]          {:9.2} ms", time.as_secs_f64() * 1e3)?;
    Ok(())
}

/// GFLOP/s of twelve independent chains of multiply-adds a thread, the best of several tries.
fn peak(n_threads: usize) -> Option<f64> {
    const STEPS: usize = 2_000_000;
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        let flops = (n_threads * STEPS * 12 * 8 * 2) as f64;
        let best = (0..60).map(|_| {
            let start = Instant::now();
            thread::scope(|scope| {
                for _ in 0..n_threads {
                    // SAFETY: the CPU has both, as just found.
                    scope.spawn(|| black_box(unsafe { chains(STEPS) }));
                }
            });
            start.elapsed()
        });
        return best.min().map(|time| flops / time.as_secs_f64() / 1e9);
    }
    None
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn chains(steps: usize) -> f32 {
    let (factor, term) = (black_box([0.5f32; 8]), black_box([1.0f32; 8]));
    let mut chains = [[0.0f32; 8]; 12];
    for _ in 0..steps {
        for chain in &mut chains {
            for lane in 0..8 {
                chain[lane] = chain[lane].mul_add(factor[lane], term[lane]);
            }
        }
    }
    chains.iter().flatten().sum()
}

/// GFLOP/s of one product.
fn products(
    backend: &Backend,
    n: usize,
    n_in: usize,
    n_out: usize,
    dtype: Dtype,
    runs: usize,
) -> Anything<f64> {
    let w = matrix(n_out, n_in, dtype)?;
    let (x, mut y) = (values(n * n_in), vec![0.0; n * n_out]);
    let time = best(runs, || Ok(backend.linear(&x, &w, &mut y, Epilogue::Store)?))?;
    Ok((2 * n * n_in * n_out) as f64 / time.as_secs_f64() / 1e9)
}

/// The shortest of `runs` runs, after one that is not counted.
fn best(runs: usize, mut run: impl FnMut() -> Anything<()>) -> Anything<Duration> {
    run()?;
    let mut shortest = Duration::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        shortest = shortest.min(start.elapsed());
    }
    Ok(shortest)
}

/// Small values without a pattern that arithmetic could profit from.
fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + i / 61) % 997) as f32 / 997.0 - 0.5).collect()
}

fn matrix(n_out: usize, n_in: usize, dtype: Dtype) -> Anything<Matrix> {
    let values = values(n_out * n_in);
    let bytes: Vec<u8> = match dtype {
        Dtype::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Dtype::Bf16 => values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect(),
        Dtype::F16 => values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect(),
        quantized => return Err(format!("{quantized} blocks are not timed here").into()),
    };
    let mut builder = MatrixBuilder::new(n_out, n_in, dtype)?;
    builder.rows(0, &bytes)?;
    Ok(builder.finish()?)
}
