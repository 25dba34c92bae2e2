//! Products with quantized matrices: their definition on every path, and what it is worth.

use crate::support::{Random, assert_close, assert_same_bits, backends, best, portable};
use half::f16;
use lightbox_kernels::{Backend, Dtype, Epilogue, Matrix, MatrixBuilder, blocks};

/// A quantized type, and where a block's factors stand: the one that multiplies, and the one that is added or subtracted.
struct Type {
    dtype: Dtype,
    d: usize,
    m: Option<usize>,
}

const fn of(dtype: Dtype, d: usize, m: Option<usize>) -> Type {
    Type { dtype, d, m }
}

const TYPES: [Type; 12] = [
    of(Dtype::Q8_0, 0, None),
    of(Dtype::Q4_0, 0, None),
    of(Dtype::Q4_1, 0, Some(2)),
    of(Dtype::Q5_0, 0, None),
    of(Dtype::Q5_1, 0, Some(2)),
    of(Dtype::Iq4Nl, 0, None),
    of(Dtype::Q2K, 80, Some(82)),
    of(Dtype::Q3K, 108, None),
    of(Dtype::Q4K, 0, Some(2)),
    of(Dtype::Q5K, 0, Some(2)),
    of(Dtype::Q6K, 208, None),
    of(Dtype::Iq4Xs, 0, None),
];

impl Type {
    fn block_bytes(&self) -> usize {
        self.dtype.block().1
    }

    /// Blocks of `n` values whose bytes are `byte()`, but for small factors.
    fn blocks(&self, random: &mut Random, n: usize, mut byte: impl FnMut(&mut Random) -> u8) -> Vec<u8> {
        let (values, bytes) = self.dtype.block();
        let mut all: Vec<u8> = (0..n / values * bytes).map(|_| byte(random)).collect();
        for block in all.chunks_mut(bytes) {
            for at in [Some(self.d), self.m].into_iter().flatten() {
                let factor = f16::from_f32(random.value() * 0.01);
                block[at..at + 2].copy_from_slice(&factor.to_le_bytes());
            }
        }
        all
    }

    /// A block's values with other factors: whole numbers if those are.
    fn values(&self, block: &[u8], d: f32, m: f32) -> Vec<f32> {
        let mut block = block.to_vec();
        block[self.d..self.d + 2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
        if let Some(at) = self.m {
            block[at..at + 2].copy_from_slice(&f16::from_f32(m).to_le_bytes());
        }
        let mut out = vec![f32::NAN; self.dtype.block().0];
        blocks::dequantize(self.dtype, &block, &mut out).expect("one block");
        out
    }

    /// The definition, spelled out on what the block's reader says.
    fn defined(&self, x: &[f32], row: &[u8]) -> f32 {
        let factor = |block: &[u8], at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
        let pieces = x.chunks(self.dtype.block().0).zip(row.chunks(self.block_bytes()));
        pieces.fold(0.0f32, |total, (x, block)| {
            let largest = x.iter().fold(0.0f32, |a, x| if x.abs() > a { x.abs() } else { a });
            let codes = x.iter().map(|x| (x * (127.0 / largest)).round_ties_even());
            let sum =
                |w: Vec<f32>| codes.clone().zip(w).map(|(q, w)| q as i64 * w as i64).sum::<i64>() as f32;
            let mut value = sum(self.values(block, 1.0, 0.0)) * factor(block, self.d);
            if let Some(at) = self.m {
                value = factor(block, at).mul_add(sum(self.values(block, 0.0, 1.0)), value);
            }
            (largest / 127.0).mul_add(value, total)
        })
    }

    fn matrix(&self, n_out: usize, n_in: usize, bytes: &[u8]) -> Matrix {
        let mut builder = MatrixBuilder::new(n_out, n_in, self.dtype).expect("a small matrix");
        builder.rows(0, bytes).expect("all rows");
        builder.finish().expect("all rows were given")
    }

    fn random(&self, random: &mut Random, n_out: usize, n_in: usize) -> (Matrix, Vec<u8>) {
        let bytes = self.blocks(random, n_out * n_in, |random| random.next() as u8);
        (self.matrix(n_out, n_in, &bytes), bytes)
    }
}

fn product(backend: &Backend, x: &[f32], w: &Matrix) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len() / w.n_in() * w.n_out()];
    backend.linear(x, w, &mut out, Epilogue::Store).expect("shapes fit");
    out
}

fn assert_defined(kind: &Type, x: &[f32], n_in: usize, bytes: &[u8], backends: &[(String, Backend)]) {
    let row_bytes = kind.dtype.row_bytes(n_in).expect("whole blocks");
    let n_out = bytes.len() / row_bytes;
    let w = kind.matrix(n_out, n_in, bytes);
    let expected: Vec<f32> =
        (x.chunks(n_in)).flat_map(|x| bytes.chunks(row_bytes).map(|row| kind.defined(x, row))).collect();
    for (name, backend) in backends {
        let n = x.len() / n_in;
        let what = format!("[{n}×{n_in}]·[{n_in}×{n_out}] {} on {name}", kind.dtype);
        assert_same_bits(&product(backend, x, &w), &expected, &what);
    }
}

#[test]
fn products_are_the_definition_on_every_path() {
    let mut random = Random::new(41);
    let backends = backends();
    for kind in &TYPES {
        let (block, _) = kind.dtype.block();
        let n_blocks = if block == 256 { [1, 2, 3, 1] } else { [1, 3, 8, 19] };
        for (case, (n_out, n)) in
            [(1, 1), (7, 13), (17, 2), (33, 7), (16, 20), (40, 3), (20, 6), (35, 5), (18, 4)]
                .into_iter()
                .enumerate()
        {
            let n_in = block * n_blocks[case % 4];
            let bytes = kind.blocks(&mut random, n_out * n_in, |random| random.next() as u8);
            let x = random.values(n * n_in);
            assert_defined(kind, &x, n_in, &bytes, &backends);
        }
    }
}

/// The largest codes, scales and activations: what would show if a sum were too narrow.
#[test]
fn sums_are_exact_at_the_extremes() {
    let mut random = Random::new(42);
    let backends = backends();
    for kind in &TYPES {
        let n_in = 512;
        for byte in [0x00, 0xff, 0x7f, 0x80, 0x3f, 0xf0, 0x0f] {
            let bytes = kind.blocks(&mut random, 17 * n_in, |_| byte);
            let alternating = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
            let x: Vec<f32> = (0..7 * n_in)
                .map(|i| {
                    [1.0, -1.0, alternating(i), alternating(i / 2), alternating(i / 16), 0.0, -0.5][i / n_in]
                })
                .map(|x| x * 3.0)
                .collect();
            // A row of zeros has no largest value; its products are zeros.
            let (zeros, rest) = (5 * n_in..6 * n_in, [&x[..5 * n_in], &x[6 * n_in..]].concat());
            assert_defined(kind, &rest, n_in, &bytes, &backends);
            for (name, backend) in &backends {
                let out = product(backend, &x[zeros.clone()], &kind.matrix(17, n_in, &bytes));
                assert!(out.iter().all(|v| *v == 0.0), "zeros, {} on {name}: {out:?}", kind.dtype);
            }
        }
    }
}

/// Large enough for several blocks of rows, groups of panels and parts of the thread grid.
#[test]
fn a_row_has_the_same_bits_alone_and_in_any_batch() {
    let mut random = Random::new(43);
    for kind in &TYPES {
        let (n, n_in, n_out) = (201, 512 + kind.dtype.block().0, 610);
        let (w, _) = kind.random(&mut random, n_out, n_in);
        let x = random.values(n * n_in);
        let alone: Vec<f32> = x.chunks(n_in).flat_map(|x| product(&best(), x, &w)).collect();
        for threads in 1..=4 {
            let backend = Backend::new(threads).expect("four threads");
            let what = format!("[{n}×{n_in}]·[{n_in}×{n_out}] {}, {threads} threads", kind.dtype);
            assert_same_bits(&product(&backend, &x, &w), &alone, &what);
            let (first, rest) = x.split_at(7 * n_in);
            let parts = [product(&backend, first, &w), product(&backend, rest, &w)].concat();
            assert_same_bits(&parts, &alone, &what);
        }
    }
}

/// Relative to Σ largest|x| · |w|: half a step of 127 on each activation; f32 sums are finer by far.
const TOLERANCE: f64 = 0.5 / 127.0 + 1e-5;

#[test]
fn products_are_close_to_those_of_the_values() {
    let mut random = Random::new(44);
    for kind in &TYPES {
        let (n, n_in, n_out) = (3, 768, 20);
        let (w, _) = kind.random(&mut random, n_out, n_in);
        let x = random.values(n * n_in);
        let mut values = vec![0.0; n_out * n_in];
        values.chunks_mut(n_in).enumerate().for_each(|(i, row)| w.row_into(i, row).expect("in range"));
        let terms = |i: usize| {
            let (x, w) = (&x[i / n_out * n_in..][..n_in], &values[i % n_out * n_in..][..n_in]);
            x.iter().zip(w).map(|(x, w)| (f64::from(*x), f64::from(*w)))
        };
        let exact: Vec<f64> = (0..n * n_out).map(|i| terms(i).map(|(x, w)| x * w).sum()).collect();
        // Minimums cancel against codes, so their share of the magnitude is what the parts have before.
        let spread = if kind.m.is_some() { 4.0 } else { 1.0 };
        let scale = |i: usize| spread * terms(i).map(|(_, w)| w.abs()).sum::<f64>();
        assert_close(&product(&best(), &x, &w), &exact, TOLERANCE, scale, &kind.dtype.to_string());
    }
}

#[test]
fn epilogues_and_several_products_at_once_are_those_one_by_one() {
    let mut random = Random::new(45);
    let (n_in, n_out) = (512, 37);
    for n in [1, 5, 30] {
        let x = random.values(n * n_in);
        let (bias, before) = (random.values(n_out), random.values(n * n_out));
        let mut weights: Vec<Matrix> =
            [8, 10, 1, 0].iter().map(|&kind| TYPES[kind].random(&mut random, n_out, n_in).0).collect();
        weights.push(crate::support::matrix(&mut random, n_out, n_in, Dtype::Bf16).0);
        for (name, backend) in backends() {
            let mut outs = vec![vec![f32::NAN; n * n_out]; weights.len()];
            let mut slices: Vec<&mut [f32]> = outs.iter_mut().map(Vec::as_mut_slice).collect();
            backend.linear_many(&x, &weights.iter().collect::<Vec<_>>(), &mut slices).expect("shapes fit");
            for (w, out) in weights.iter().zip(&outs) {
                assert_same_bits(
                    out,
                    &product(&portable(), &x, w),
                    &format!("linear_many, {} on {name}", w.dtype()),
                );
            }
            let mut gated = vec![f32::NAN; n * n_out];
            backend.gated(&x, &weights[0], &weights[1], &mut gated).expect("shapes fit");
            let mut expected = product(&portable(), &x, &weights[0]);
            portable().linear(&x, &weights[1], &mut expected, Epilogue::GeluGate).expect("shapes fit");
            assert_same_bits(&gated, &expected, &format!("gated on {name}"));
            for (w, v) in weights.iter().zip(&outs) {
                let mut out = before.clone();
                backend.linear(&x, w, &mut out, Epilogue::BiasResidual(&bias)).expect("shapes fit");
                let expected: Vec<f32> =
                    (0..n * n_out).map(|i| before[i] + (v[i] + bias[i % n_out])).collect();
                assert_same_bits(&out, &expected, &format!("bias, residual, {} on {name}", w.dtype()));
            }
        }
    }
}

#[test]
fn what_is_not_finite_shows_in_its_row_alone() {
    let mut random = Random::new(46);
    for kind in &TYPES {
        let (w, _) = kind.random(&mut random, 20, 512);
        for n in [3, 9] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let good = random.values(n * 512);
                let mut x = good.clone();
                x[512 + 300] = bad;
                for (name, backend) in backends() {
                    let (out, expected) = (product(&backend, &x, &w), product(&backend, &good, &w));
                    let what = format!("{} with {bad} on {name}", kind.dtype);
                    assert!(out[20..40].iter().all(|v| v.is_nan()), "{what}: {:?}", &out[20..40]);
                    assert_same_bits(&out[..20], &expected[..20], &what);
                    assert_same_bits(&out[40..], &expected[40..], &what);
                }
            }
        }
    }
}

#[test]
fn activations_too_small_for_a_scale_count_as_zero() {
    let (w, _) = TYPES[8].random(&mut Random::new(47), 16, 256);
    for (name, backend) in backends() {
        for tiny in [f32::from_bits(1), 1e-38, 3e-37] {
            let out = product(&backend, &[tiny; 256], &w);
            assert!(out.iter().all(|v| *v == 0.0), "{tiny:e} on {name}: {out:?}");
        }
        assert!(product(&backend, &[4e-37; 256], &w).iter().any(|v| *v != 0.0), "{name}");
    }
}

#[test]
fn rows_come_back_in_every_bit_however_they_were_packed() {
    let mut random = Random::new(48);
    for kind in &TYPES {
        for (n_out, n_in) in [(37, 512), (16, 256), (50, 768 + kind.dtype.block().0)] {
            let row_bytes = kind.dtype.row_bytes(n_in).expect("whole blocks");
            let bytes = kind.blocks(&mut random, n_out * n_in, |random| random.next() as u8);
            let mut expected = vec![0.0; n_out * n_in];
            blocks::dequantize(kind.dtype, &bytes, &mut expected).expect("whole blocks");
            let mut pieces = MatrixBuilder::new(n_out, n_in, kind.dtype).expect("small");
            for rows in [10..n_out, 0..3, 3..10] {
                pieces.rows(rows.start, &bytes[rows.start * row_bytes..rows.end * row_bytes]).expect("fits");
            }
            let mut parts = MatrixBuilder::new(n_out, n_in, kind.dtype).expect("small");
            for mut part in parts.parts(3).expect("begun by nothing") {
                let rows = part.range();
                part.rows(rows.start, &bytes[rows.start * row_bytes..rows.end * row_bytes]).expect("fits");
            }
            for builder in [pieces, parts] {
                let w = builder.finish().expect("all rows were given");
                let mut row = vec![f32::NAN; n_in];
                for (i, expected) in expected.chunks(n_in).enumerate() {
                    w.row_into(i, &mut row).expect("in range");
                    assert_same_bits(&row, expected, &format!("row {i} of {}", kind.dtype));
                }
                assert_eq!(w.len_bytes(), Matrix::packed_bytes(n_out, n_in, kind.dtype).expect("fits"));
                let inflation = w.len_bytes() as f64 / (n_out.next_multiple_of(16) * row_bytes) as f64;
                assert!(inflation < 1.06, "{}: {inflation}", kind.dtype);
            }
        }
    }
}

#[test]
fn parts_take_their_own_rows_alone() {
    let mut builder = MatrixBuilder::new(40, 32, Dtype::Q8_0).expect("small");
    let ranges: Vec<_> =
        builder.parts(9).expect("rows").iter().map(lightbox_kernels::RowsPart::range).collect();
    assert_eq!(ranges, [0..16, 16..32, 32..40], "whole panels");
    let mut parts = builder.parts(2).expect("rows");
    assert_eq!(parts[1].range(), 32..40);
    let refused = [
        (parts[1].rows(31, &[0; 34]), "row 31 is not of this part, 32 to 40"),
        (parts[1].rows(39, &[0; 68]), "do not fit"),
        (parts[0].rows(0, &[0; 33]), "source in bytes holds 33 values"),
    ];
    for (result, expected) in refused {
        let message = result.expect_err("not its own").to_string();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
    parts[0].rows(0, &[0; 32 * 34]).expect("its own");
    let message = builder.rows(31, &[0; 68]).expect_err("was given").to_string();
    assert!(message.contains("line 31 was given twice"), "{message}");
    let message = builder.finish().expect_err("eight rows are missing").to_string();
    assert!(message.contains("8 of 40 lines"), "{message}");
}
