//! Prints what this machine makes of products with quantized matrices of the sizes of Gemma 3 4B.
//!
//! `cargo run --release -p lightbox-kernels --example speed_quantized -- [threads] [types, as q4_k,q6_k]`. For each
//! instruction set and type: GB/s of weights streamed for 1 and 4 rows, billions of operations (two a multiply-add) a second
//! for 512 rows, and GB/s of packing. The first line is what plain reading of a huge-page arena reaches. Figures are the best of
//! several runs; other work on the machine spoils them.

use std::hint::black_box;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use lightbox_kernels::{Backend, Dtype, Epilogue, Isa, Matrix, MatrixBuilder};

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

/// `[n_in, n_out]` of the products: the feed-forward layer's two, the queries', and the head.
const SHAPES: [(usize, usize); 4] = [(2560, 10240), (10240, 2560), (2560, 2048), (2560, 262_144)];

fn main() -> Anything<()> {
    let mut arguments = std::env::args().skip(1);
    let n_threads = arguments.next().map_or(Ok(2), |n| n.parse())?;
    let wanted = arguments.next().unwrap_or_else(|| "q4_k,q6_k,q8_0,q4_0,q5_k,bf16".to_owned());
    let isas = arguments.next();
    let mut out = io::stdout();
    writeln!(out, "plain reading, {n_threads} threads: {:.1} GB/s", reading(n_threads)?)?;
    for dtype in Dtype::ALL {
        if !wanted.split(',').any(|name| name == dtype.to_string()) {
            continue;
        }
        for (n_in, n_out) in SHAPES {
            let source = source(n_out, n_in, dtype);
            let start = Instant::now();
            let w = pack(n_out, n_in, dtype, &source, n_threads)?;
            let packing = source.len() as f64 / start.elapsed().as_secs_f64() / 1e9;
            // Several of them, so that no cache holds them.
            let n = (300_000_000 / w.len_bytes()).clamp(1, 100);
            let weights: Vec<Matrix> = std::iter::once(Ok(w))
                .chain((1..n).map(|_| pack(n_out, n_in, dtype, &source, n_threads)))
                .collect::<Anything<_>>()?;
            let gb = weights.iter().map(Matrix::len_bytes).sum::<usize>() as f64 / 1e9;
            for isa in Isa::available().into_iter().skip(1) {
                if isas.as_ref().is_some_and(|wanted| !isa.to_string().contains(wanted.as_str())) {
                    continue;
                }
                let backend = Backend::with_isa(isa, n_threads)?;
                let mut line = format!("{dtype:>6} {n_in:>5} x {n_out:<6} {isa:8} ");
                for rows in [1, 4] {
                    let time = best(5, &backend, rows, &weights)?;
                    line += &format!("{rows} row {:5.1} GB/s  ", gb / time.as_secs_f64());
                }
                if n_out < 100_000 {
                    let time = best(2, &backend, 512, &weights[..1])?;
                    let operations = (2 * 512 * n_in * n_out) as f64;
                    line += &format!("512 rows {:6.1} GOP/s  ", operations / time.as_secs_f64() / 1e9);
                }
                writeln!(out, "{line} packing {packing:4.1} GB/s")?;
            }
        }
    }
    Ok(())
}

/// The shortest of `runs` rounds over all weights, after one that is not counted.
fn best(runs: usize, backend: &Backend, rows: usize, weights: &[Matrix]) -> Anything<Duration> {
    let (n_in, n_out) = weights.first().map_or((0, 0), |w| (w.n_in(), w.n_out()));
    let x: Vec<f32> = (0..rows * n_in).map(|i| ((i * 7919 + i / 61) % 997) as f32 / 997.0 - 0.5).collect();
    let mut y = vec![0.0; rows * n_out];
    let mut shortest = Duration::MAX;
    for run in 0..=runs {
        let start = Instant::now();
        for w in weights {
            backend.linear(&x, w, &mut y, Epilogue::Store)?;
        }
        if run > 0 {
            shortest = shortest.min(start.elapsed());
        }
    }
    black_box(y);
    Ok(shortest)
}

/// Rows of arbitrary codes; plain numbers are small.
fn source(n_out: usize, n_in: usize, dtype: Dtype) -> Vec<u8> {
    let bytes = n_out * dtype.row_bytes(n_in).unwrap_or(0);
    (0..bytes).map(|i| ((i * 7919 + i / 61) % 249) as u8 & 0x3f).collect()
}

fn pack(n_out: usize, n_in: usize, dtype: Dtype, source: &[u8], n_threads: usize) -> Anything<Matrix> {
    let row_bytes = source.len() / n_out;
    let mut builder = MatrixBuilder::new(n_out, n_in, dtype)?;
    thread::scope(|scope| {
        let threads: Vec<_> = (builder.parts(n_threads)?.into_iter())
            .map(|mut part| {
                let rows = part.range();
                let bytes = &source[rows.start * row_bytes..rows.end * row_bytes];
                scope.spawn(move || part.rows(rows.start, bytes))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("packing does not panic"))
    })?;
    Ok(builder.finish()?)
}

/// GB/s of adding up an arena as large as the weights of a round.
fn reading(n_threads: usize) -> Anything<f64> {
    let mut arena = lightbox_host::Arena::zeroed(1 << 29)?;
    arena.as_bytes_mut().fill(1);
    let bytes = arena.as_bytes();
    let mut shortest = Duration::MAX;
    for _ in 0..7 {
        let start = Instant::now();
        thread::scope(|scope| {
            for part in bytes.chunks(bytes.len() / n_threads) {
                scope.spawn(move || {
                    let sums = part.as_chunks::<256>().0.iter().fold([0u8; 256], |mut sums, line| {
                        sums.iter_mut().zip(line).for_each(|(sum, byte)| *sum ^= byte);
                        sums
                    });
                    black_box(sums)
                });
            }
        });
        shortest = shortest.min(start.elapsed());
    }
    Ok(bytes.len() as f64 / shortest.as_secs_f64() / 1e9)
}
