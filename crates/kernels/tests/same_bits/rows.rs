//! Norms, rotary embedding and pooling.

use crate::support::{Random, assert_close, assert_same_bits, backends, best, portable};
use lightbox_kernels::{Backend, Rope};

const EPS: f32 = 1e-6;

/// Relative to 1 + |value|: an eighth of the width's additions in a row, then a tree, and a few operations.
fn tolerance(d: usize) -> f64 {
    (d as f64 / 8.0 + 12.0) * f64::from(f32::EPSILON) / 2.0
}

#[derive(Clone, Copy, Debug)]
enum Norm {
    Rms,
    RmsResidual,
    Layer,
}

const NORMS: [Norm; 3] = [Norm::Rms, Norm::RmsResidual, Norm::Layer];

impl Norm {
    fn run(self, backend: &Backend, x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
        match self {
            Self::Rms => backend.rms_norm(x, weight, EPS, out),
            Self::RmsResidual => backend.rms_norm_residual(x, weight, EPS, out),
            Self::Layer => backend.layer_norm(x, weight, bias, EPS, out),
        }
        .expect("shapes fit");
    }

    fn exact(self, x: &[f32], weight: &[f32], bias: &[f32], before: &[f32]) -> Vec<f64> {
        let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let d = x.len() as f64;
        let mean = if matches!(self, Self::Layer) { x.iter().sum::<f64>() / d } else { 0.0 };
        let squares = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
        let r = 1.0 / (squares + f64::from(EPS)).sqrt();
        (x.iter().zip(weight).zip(bias.iter().zip(before)))
            .map(|((x, w), (bias, before))| {
                let y = (x - mean) * r * f64::from(*w);
                match self {
                    Self::Rms => y,
                    Self::RmsResidual => f64::from(*before) + y,
                    Self::Layer => y + f64::from(*bias),
                }
            })
            .collect()
    }
}

#[test]
fn norms_are_their_definitions_with_the_same_bits_everywhere() {
    let mut random = Random::new(21);
    for d in (1..=20).chain([72, 256, 600, 2561]) {
        for n in [1, 5, 40] {
            let x: Vec<f32> = random.values(n * d).iter().map(|x| 3.0 * x + 0.5).collect();
            let (weight, bias, before) = (random.values(d), random.values(d), random.values(n * d));
            for norm in NORMS {
                let what = format!("{norm:?} [{n}×{d}]");
                let mut alone = before.clone();
                for (x, out) in x.chunks(d).zip(alone.chunks_mut(d)) {
                    norm.run(&portable(), x, &weight, &bias, out);
                }
                let exact: Vec<f64> = (x.chunks(d).zip(before.chunks(d)))
                    .flat_map(|(x, before)| norm.exact(x, &weight, &bias, before))
                    .collect();
                // A difference from the mean is rounded relative to the mean.
                let scale = |i: usize| 4.0 + exact[i].abs();
                if d > 1 || !matches!(norm, Norm::Layer) {
                    assert_close(&alone, &exact, tolerance(d), scale, &what);
                }
                for (name, backend) in backends() {
                    let mut out = before.clone();
                    norm.run(&backend, &x, &weight, &bias, &mut out);
                    assert_same_bits(&out, &alone, &format!("{what} on {name}"));
                }
            }
        }
    }
}

/// The order that the documentation states, spelled out: a replay by a later version depends on it.
#[test]
fn squares_are_summed_in_the_stated_order() {
    let mut random = Random::new(25);
    for d in [1, 7, 8, 9, 72, 1000] {
        let (x, weight) = (random.values(d), random.values(d));
        let mut lanes = [0.0f32; 8];
        for (i, x) in x.iter().enumerate() {
            lanes[i % 8] = x.mul_add(*x, lanes[i % 8]);
        }
        let [l0, l1, l2, l3, l4, l5, l6, l7] = lanes;
        let sum = ((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7));
        let r = 1.0 / (sum / d as f32 + EPS).sqrt();
        let expected: Vec<f32> = x.iter().zip(&weight).map(|(x, w)| x * r * w).collect();
        for (name, backend) in backends() {
            let mut out = vec![f32::NAN; d];
            backend.rms_norm(&x, &weight, EPS, &mut out).expect("shapes fit");
            assert_same_bits(&out, &expected, &format!("{d} values on {name}"));
        }
    }
}

#[test]
fn rows_of_zeros_and_of_large_values_stay_finite() {
    for value in [0.0f32, 1e-30, 1e15] {
        for norm in NORMS {
            let mut out = [0.0; 24];
            norm.run(&best(), &[value; 24], &[1.0; 24], &[0.0; 24], &mut out);
            assert!(out.iter().all(|y| y.is_finite()), "{norm:?} of {value}: {out:?}");
        }
    }
}

/// `inv_freq` of transformers 5.23.0 on PyTorch 2.15.0 (CPU): head_dim 16, base 10 000; head_dim 8, base
/// 1 000 000 divided by 8.
const FREQUENCIES: [(usize, f64, f64, &[f32]); 2] = [
    (16, 1e4, 1.0, &[1.0, 0.316_227_76, 0.1, 0.031_622_78, 0.01, 0.003_162_277_9, 0.001, 0.000_316_227_8]),
    (8, 1e6, 8.0, &[0.125, 0.003_952_847_3, 0.000_125, 3.952_847e-6]),
];

#[test]
fn heads_are_normed_and_rotated_by_position() {
    let mut random = Random::new(22);
    for (d, theta, divisor, frequencies) in FREQUENCIES {
        let rope = Rope::new(d, theta, divisor).expect("a valid embedding");
        let (n, heads) = (6, 3);
        let positions: Vec<usize> = (0..n).map(|i| [0, 1, 17, 1023, 8191, 131_071][i]).collect();
        let weight = random.values(d);
        let x = random.values(n * heads * d);
        let mut normed = vec![0.0; x.len()];
        portable().rms_norm(&x, &weight, EPS, &mut normed).expect("shapes fit");
        let exact: Vec<f64> = normed
            .chunks(d)
            .enumerate()
            .flat_map(|(head, x)| {
                let half = d / 2;
                (0..d).map(move |i| {
                    // The angle is an f32 by definition.
                    let angle = f64::from(positions_at(head / heads) * frequencies[i % half]);
                    let (x1, x2) = (f64::from(x[i % half]), f64::from(x[i % half + half]));
                    if i < half {
                        x1 * angle.cos() - x2 * angle.sin()
                    } else {
                        x2 * angle.cos() + x1 * angle.sin()
                    }
                })
            })
            .collect();
        for (name, backend) in backends() {
            let mut out = x.clone();
            backend.norm_rope(&mut out, &weight, EPS, &rope, &positions).expect("shapes fit");
            assert_close(&out, &exact, 4.0 * f64::from(f32::EPSILON), |_| 4.0, &name);
        }
    }
    fn positions_at(row: usize) -> f32 {
        [0.0, 1.0, 17.0, 1023.0, 8191.0, 131_071.0][row]
    }
}

#[test]
fn rotated_rows_have_the_same_bits_alone_and_together() {
    let mut random = Random::new(23);
    for d in [2, 8, 16, 40, 72, 256] {
        let rope = Rope::new(d, 1e4, 1.0).expect("a valid embedding");
        let (n, heads) = (30, 4);
        let positions: Vec<usize> = (0..n).map(|_| random.below(100_000)).collect();
        let (x, weight) = (random.values(n * heads * d), random.values(d));
        let mut alone = x.clone();
        for (x, position) in alone.chunks_mut(heads * d).zip(&positions) {
            portable().norm_rope(x, &weight, EPS, &rope, std::slice::from_ref(position)).expect("shapes fit");
        }
        for (name, backend) in backends() {
            let mut out = x.clone();
            backend.norm_rope(&mut out, &weight, EPS, &rope, &positions).expect("shapes fit");
            assert_same_bits(&out, &alone, &format!("head_dim {d} on {name}"));
        }
    }
}

#[test]
fn pooling_takes_the_mean_of_each_cell() {
    let mut random = Random::new(24);
    for (side, kernel, d) in [(4, 2, 3), (6, 3, 8), (64, 4, 20), (7, 3, 9), (5, 1, 2), (2, 2, 33)] {
        let x = random.values(side * side * d);
        let out_side = side / kernel;
        let exact: Vec<f64> = (0..out_side * out_side * d)
            .map(|i| {
                let (cell, channel) = (i / d, i % d);
                let (top, left) = (cell / out_side * kernel, cell % out_side * kernel);
                let inside = (0..kernel).flat_map(|y| (0..kernel).map(move |x| (top + y) * side + left + x));
                inside.map(|row| f64::from(x[row * d + channel])).sum::<f64>() / (kernel * kernel) as f64
            })
            .collect();
        let mut reference = vec![f32::NAN; exact.len()];
        portable().average_pool(&x, side, kernel, &mut reference).expect("shapes fit");
        assert_close(&reference, &exact, 1e-6, |_| 1.0, &format!("side {side}, kernel {kernel}, d {d}"));
        for (name, backend) in backends() {
            let mut out = vec![f32::NAN; exact.len()];
            backend.average_pool(&x, side, kernel, &mut out).expect("shapes fit");
            assert_same_bits(&out, &reference, &name);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_shapes() {
    let backend = best();
    let rope = Rope::new(8, 1e4, 1.0).expect("a valid embedding");
    let (mut x, w) = ([7.0f32; 32], [1.0f32; 8]);
    let cases = [
        (backend.rms_norm(&[0.0; 12], &w, EPS, &mut x), "x holds 12 values, expected whole rows of d 8"),
        (backend.rms_norm(&[0.0; 16], &w, EPS, &mut x), "output holds 32 values, expected rows 2 × d 8"),
        (backend.rms_norm(&[], &[], EPS, &mut []), "whole rows of d 0"),
        (backend.rms_norm_residual(&[0.0; 16], &w, EPS, &mut x[..8]), "output holds 8 values"),
        (backend.layer_norm(&[0.0; 32], &w, &w[..7], EPS, &mut x), "bias holds 7 values, expected d 8"),
        (backend.norm_rope(&mut x, &w[..7], EPS, &rope, &[0]), "weight holds 7 values, expected head_dim 8"),
        (
            backend.norm_rope(&mut x, &w, EPS, &rope, &[0, 1, 2]),
            "expected rows 3 × heads 1 × head_dim 8 = 24",
        ),
        (
            backend.norm_rope(&mut x, &w, EPS, &rope, &[0, 524_289]),
            "position 524289, expected at most 524288",
        ),
        (backend.norm_rope(&mut x, &w, EPS, &rope, &[]), "x holds 32 values, expected rows 0"),
        (backend.average_pool(&x, 4, 5, &mut []), "a kernel of 5 × 5 does not fit a side of 4"),
        (backend.average_pool(&x, 4, 0, &mut [0.0; 2]), "a kernel of 0 × 0"),
        (
            backend.average_pool(&x, 4, 2, &mut [0.0; 7]),
            "out holds 7 values, expected side 2 × side 2 × d 2 = 8",
        ),
        (backend.average_pool(&x, usize::MAX, 1, &mut []), "too large"),
        (Rope::new(7, 1e4, 1.0).map(|_| ()), "head_dim 7, expected an even number"),
        (Rope::new(8, f64::NAN, 1.0).map(|_| ()), "base NaN"),
        (Rope::new(8, 1e4, 0.0).map(|_| ()), "divisor 0"),
        (Backend::new(0).map(|_| ()), "0 threads"),
        (Backend::new(5000).map(|_| ()), "5000 threads"),
    ];
    for (result, expected) in cases {
        let message = result.expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
    assert_eq!(x, [7.0; 32], "a refused operation writes nothing");
}

#[test]
fn a_backend_says_what_it_is() {
    assert_eq!(portable().describe(), "portable, 1 thread");
    assert_eq!(best().describe(), format!("{}, 2 threads", best().isa()));
}
