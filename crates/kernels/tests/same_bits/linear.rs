//! Products: one definition for every instruction set, thread count, number of rows and way through the caches.

use crate::support::{
    Random, assert_close, assert_same_bits, backends, best, fast_backends, matrix, portable,
};
use lightbox_kernels::{Backend, Dtype, Epilogue, Matrix, MatrixBuilder};

const DTYPES: [Dtype; 3] = [Dtype::F32, Dtype::Bf16, Dtype::F16];

/// The definition, spelled out: blocks of 256, each summed from +0 with fused steps, added in order.
fn defined(x: &[f32], w: &[f32]) -> f32 {
    x.chunks(256)
        .zip(w.chunks(256))
        .map(|(x, w)| x.iter().zip(w).fold(0.0f32, |acc, (x, w)| x.mul_add(*w, acc)))
        .reduce(|total, block| total + block)
        .expect("there are inputs")
}

fn product(backend: &Backend, x: &[f32], w: &Matrix, n: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; n * w.n_out()];
    backend.linear(x, w, &mut out, Epilogue::Store).expect("shapes fit");
    out
}

#[test]
fn products_are_the_definition_on_every_path() {
    let mut random = Random::new(1);
    let backends = backends();
    let n_ins = (1..=40).step_by(3).chain([255, 256, 257, 512, 600]);
    for (case, n_in) in n_ins.enumerate() {
        for (n_out, n) in [(1, 1), (7, 13), (16, 2), (17, 6), (33, 7), (50, 3), (48, 25), (31, 5), (20, 4)] {
            let dtype = DTYPES[(case + n_out) % 3];
            let (w, values) = matrix(&mut random, n_out, n_in, dtype);
            let x = random.values(n * n_in);
            let expected: Vec<f32> = (0..n * n_out)
                .map(|i| {
                    let (row, column) = (i / n_out, i % n_out);
                    defined(&x[row * n_in..][..n_in], &values[column * n_in..][..n_in])
                })
                .collect();
            for (name, backend) in &backends {
                let what = format!("[{n}×{n_in}]·[{n_in}×{n_out}] {dtype} on {name}");
                assert_same_bits(&product(backend, &x, &w, n), &expected, &what);
            }
        }
    }
}

/// Large enough for several blocks of rows, groups of panels and parts of the thread grid.
#[test]
fn a_row_has_the_same_bits_alone_and_in_any_batch() {
    let mut random = Random::new(2);
    for (n, n_in, n_out) in [(401, 300, 610), (30, 520, 40)] {
        for dtype in DTYPES {
            let (w, _) = matrix(&mut random, n_out, n_in, dtype);
            let x = random.values(n * n_in);
            let alone: Vec<f32> = x.chunks(n_in).flat_map(|x| product(&best(), x, &w, 1)).collect();
            for (name, backend) in fast_backends() {
                let what = format!("[{n}×{n_in}]·[{n_in}×{n_out}] {dtype} on {name}");
                assert_same_bits(&product(&backend, &x, &w, n), &alone, &what);
                let split = 7 * n_in; // 7 rows, then the rest, each the other way through
                let mut parts = product(&backend, &x[..split], &w, 7);
                parts.extend(product(&backend, &x[split..], &w, n - 7));
                assert_same_bits(&parts, &alone, &what);
            }
        }
    }
}

/// Relative to Σ|x·w|: one rounding a step of a block, one a block.
const TOLERANCE: f64 = (256.0 + 4.0) * f32::EPSILON as f64 / 2.0;

#[test]
fn products_are_close_to_exact_ones() {
    let mut random = Random::new(3);
    for (n, n_in, n_out) in [(1, 1000, 40), (9, 777, 33)] {
        let (w, values) = matrix(&mut random, n_out, n_in, Dtype::Bf16);
        let x = random.values(n * n_in);
        let terms = |i: usize| {
            let (x, w) = (&x[i / n_out * n_in..][..n_in], &values[i % n_out * n_in..][..n_in]);
            x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w))
        };
        let exact: Vec<f64> = (0..n * n_out).map(|i| terms(i).sum()).collect();
        let scale = |i: usize| terms(i).map(f64::abs).sum();
        assert_close(&product(&best(), &x, &w, n), &exact, TOLERANCE, scale, "linear");
    }
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
}

#[test]
fn epilogues_do_what_they_say_after_the_last_block() {
    let mut random = Random::new(4);
    for (n, n_in, n_out) in [(1, 300, 21), (5, 20, 16), (8, 270, 40), (200, 30, 18)] {
        let (w, _) = matrix(&mut random, n_out, n_in, Dtype::Bf16);
        let x: Vec<f32> = random.values(n * n_in).iter().map(|x| x * 0.2).collect();
        let bias = random.values(n_out);
        let before = random.values(n * n_out);
        let v = product(&portable(), &x, &w, n);
        type Expected<'a> = &'a dyn Fn(usize) -> f64;
        let at = |i: usize| (f64::from(v[i]), f64::from(bias[i % n_out]), f64::from(before[i]));
        let cases: [(&str, Epilogue<'_>, Expected<'_>); 5] = [
            ("store", Epilogue::Store, &|i| at(i).0),
            ("bias", Epilogue::Bias(&bias), &|i| at(i).0 + at(i).1),
            ("bias, gelu", Epilogue::BiasGelu(&bias), &|i| gelu(at(i).0 + at(i).1)),
            ("bias, residual", Epilogue::BiasResidual(&bias), &|i| at(i).2 + at(i).0 + at(i).1),
            ("gelu gate", Epilogue::GeluGate, &|i| gelu(at(i).2) * at(i).0),
        ];
        for (name, epilogue, expected) in cases {
            let mut reference = before.clone();
            portable().linear(&x, &w, &mut reference, epilogue).expect("shapes fit");
            let exact: Vec<f64> = (0..n * n_out).map(expected).collect();
            assert_close(&reference, &exact, 1e-6, |i| 1.0 + at(i).0.abs(), name);
            for (isa, backend) in backends() {
                let mut out = before.clone();
                backend.linear(&x, &w, &mut out, epilogue).expect("shapes fit");
                assert_same_bits(&out, &reference, &format!("{name} on {isa}"));
            }
        }
    }
}

#[test]
fn several_products_at_once_are_those_one_by_one() {
    let mut random = Random::new(5);
    for n in [1, 6, 70] {
        let n_in = 300;
        let weights: Vec<Matrix> =
            [130, 17, 17].iter().map(|&n_out| matrix(&mut random, n_out, n_in, Dtype::Bf16).0).collect();
        let x = random.values(n * n_in);
        for (name, backend) in backends() {
            let mut outs: Vec<Vec<f32>> = weights.iter().map(|w| vec![f32::NAN; n * w.n_out()]).collect();
            let mut slices: Vec<&mut [f32]> = outs.iter_mut().map(Vec::as_mut_slice).collect();
            backend.linear_many(&x, &weights.iter().collect::<Vec<_>>(), &mut slices).expect("shapes fit");
            for (w, out) in weights.iter().zip(&outs) {
                assert_same_bits(out, &product(&best(), &x, w, n), &format!("linear_many on {name}"));
            }
            let mut gated = vec![f32::NAN; n * 17];
            backend.gated(&x, &weights[1], &weights[2], &mut gated).expect("shapes fit");
            let mut expected = product(&best(), &x, &weights[1], n);
            best().linear(&x, &weights[2], &mut expected, Epilogue::GeluGate).expect("shapes fit");
            assert_same_bits(&gated, &expected, &format!("gated on {name}"));
        }
    }
}

#[test]
fn every_half_precision_number_is_widened_exactly() {
    for dtype in [Dtype::Bf16, Dtype::F16] {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let mut builder = MatrixBuilder::new(1 << 16, 1, dtype).expect("a small matrix");
        builder.rows(0, &all).expect("all rows");
        let w = builder.finish().expect("all rows were given");
        let expected: Vec<f32> = (0..=u16::MAX)
            .map(|bits| match dtype {
                Dtype::Bf16 => f32::from_bits(u32::from(bits) << 16),
                _ => half::f16::from_bits(bits).to_f32(),
            })
            .collect();
        for n in [1, 7] {
            for (name, backend) in backends() {
                let out = product(&backend, &vec![1.0; n], &w, n);
                for (out, (bits, expected)) in out.iter().zip(expected.iter().enumerate().cycle()) {
                    // Adding to +0 is part of the product: it takes the sign of -0.
                    let same = out.to_bits() == (expected + 0.0).to_bits();
                    assert!(
                        same || out.is_nan() && expected.is_nan(),
                        "{dtype} {bits:#06x} on {name}: {out}"
                    );
                }
            }
        }
        let mut row = [0.0];
        for bits in (0..1 << 16).step_by(37) {
            w.row_into(bits, &mut row).expect("in range");
            assert!(row[0].to_bits() == expected[bits].to_bits() || row[0].is_nan(), "{dtype} {bits:#06x}");
        }
    }
}

#[test]
fn pieces_in_any_order_and_either_direction_pack_alike() {
    let mut random = Random::new(6);
    let (n_out, n_in) = (37, 150);
    for dtype in DTYPES {
        let (_, size) = dtype.block();
        let bytes: Vec<u8> = (0..n_out * n_in * size).map(|_| (random.next() & 0x3f) as u8).collect();
        let number = |row: usize, k: usize| &bytes[(row * n_in + k) * size..][..size];
        let mut whole = MatrixBuilder::new(n_out, n_in, dtype).expect("small");
        whole.rows(0, &bytes).expect("fits");
        let mut pieces = MatrixBuilder::new(n_out, n_in, dtype).expect("small");
        for (start, end) in [(20, 37), (0, 3), (3, 20)] {
            pieces.rows(start, &bytes[start * n_in * size..end * n_in * size]).expect("fits");
        }
        let transposed: Vec<u8> =
            (0..n_in).flat_map(|k| (0..n_out).flat_map(move |row| number(row, k).iter().copied())).collect();
        let mut columns = MatrixBuilder::new(n_out, n_in, dtype).expect("small");
        let cut = 61 * n_out * size;
        columns.columns(61, &transposed[cut..]).expect("fits");
        columns.columns(0, &transposed[..cut]).expect("fits");
        let [whole, pieces, columns] =
            [whole, pieces, columns].map(|b| b.finish().expect("all lines were given"));
        for row in 0..n_out {
            let rows = [&whole, &pieces, &columns].map(|w| {
                let mut out = vec![f32::NAN; n_in];
                w.row_into(row, &mut out).expect("in range");
                out
            });
            for (k, value) in rows[0].iter().enumerate() {
                let number = number(row, k);
                let expected = match dtype {
                    Dtype::F32 => f32::from_le_bytes(number.try_into().expect("four bytes")),
                    Dtype::Bf16 => half::bf16::from_le_bytes(number.try_into().expect("two bytes")).to_f32(),
                    Dtype::F16 => half::f16::from_le_bytes(number.try_into().expect("two bytes")).to_f32(),
                    quantized => unreachable!("{quantized} is not among the types above"),
                };
                assert_eq!(value.to_bits(), expected.to_bits(), "{dtype} row {row} input {k}");
            }
            assert_same_bits(&rows[1], &rows[0], "pieces");
            assert_same_bits(&rows[2], &rows[0], "columns");
        }
        assert_eq!(whole.len_bytes(), Matrix::packed_bytes(n_out, n_in, dtype).expect("fits"));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_shapes() {
    let (w, _) = matrix(&mut Random::new(7), 5, 8, Dtype::F32);
    let (other, _) = matrix(&mut Random::new(8), 5, 9, Dtype::F32);
    let backend = best();
    let mut out = [7.0; 10];
    let messages = [
        backend.linear(&[0.0; 17], &w, &mut out, Epilogue::Store),
        backend.linear(&[0.0; 16], &w, &mut out[..9], Epilogue::Store),
        backend.linear(&[0.0; 16], &w, &mut out, Epilogue::Bias(&[0.0; 4])),
        backend.gated(&[0.0; 16], &w, &other, &mut out),
        backend.linear_many(&[0.0; 16], &[&w, &other], &mut [&mut out, &mut [0.0; 10]]),
        w.row_into(5, &mut [0.0; 8]),
        w.row_into(0, &mut [0.0; 7]),
        MatrixBuilder::new(0, 3, Dtype::F32).map(|_| ()),
        MatrixBuilder::new(usize::MAX, usize::MAX, Dtype::F32).map(|_| ()),
        MatrixBuilder::new(1 << 40, 1 << 20, Dtype::F32).map(|_| ()),
        MatrixBuilder::new(4, 3, Dtype::F32).expect("small").rows(0, &[0; 13]),
        MatrixBuilder::new(4, 3, Dtype::F32).expect("small").rows(4, &[0; 12]),
        MatrixBuilder::new(4, 3, Dtype::F32).expect("small").rows(usize::MAX, &[0; 12]),
        MatrixBuilder::new(4, 3, Dtype::F32).expect("small").finish().map(|_| ()),
        {
            let mut twice = MatrixBuilder::new(4, 3, Dtype::F32).expect("small");
            twice.rows(1, &[0; 12]).expect("fits");
            twice.rows(0, &[0; 24])
        },
        {
            let mut mixed = MatrixBuilder::new(4, 3, Dtype::F32).expect("small");
            mixed.rows(1, &[0; 12]).expect("fits");
            mixed.columns(0, &[0; 16])
        },
    ]
    .map(|result| result.expect_err("it does not fit").to_string());
    let expected = [
        "17 values, expected whole rows of n_in 8",
        "9 values, expected rows 2 × n_out 5 = 10",
        "bias holds 4 values, expected n_out 5 = 5",
        "gate is n_out 5 × n_in 8, up is n_out 5 × n_in 9",
        "weight 1 has n_in 9, weight 0 has 8",
        "row 5 of a matrix with 5 rows",
        "out holds 7 values",
        "holds nothing",
        "larger than memory can be",
        "MiB",
        "source in bytes holds 13 values",
        "1 rows from 4 on do not fit a source of 4",
        "do not fit a source of 4",
        "4 of 4 lines of the source were not given",
        "line 1 was given twice",
        "begun by rows",
    ];
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
    assert_eq!(out, [7.0; 10], "a refused operation writes nothing");
}
