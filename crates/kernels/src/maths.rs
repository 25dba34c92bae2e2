//! Elementary functions and elementwise walks, in lanes.

use crate::lanes::{Lanes, ROUNDING};

/// eˣ, within 1.1 units in the last place of the exact value wherever that is a normal number.
///
/// `exp(0)` is 1 and `exp(-∞)` is 0 exactly, results past the largest f32 are ∞, NaN stays NaN. The polynomial is
/// that of Cephes `expf`. The power of two is applied in two factors, because one cannot hold 2^-150.
#[inline(always)]
pub(crate) fn exp<S: Lanes>(s: S, x: S::V) -> S::V {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // The clamped value stands first, so that NaN passes.
    let x = s.max(s.splat(-104.0), x);
    let x = s.min(s.splat(89.0), x);
    let rounding = s.splat(ROUNDING);
    let n = s.sub(s.fma(x, s.splat(std::f32::consts::LOG2_E), rounding), rounding);
    let r = s.fma(n, s.splat(-LN2_HIGH), x);
    let r = s.fma(n, s.splat(-LN2_LOW), r);
    let mut p = s.splat(1.987_569_1e-4);
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = s.fma(p, r, s.splat(coefficient));
    }
    let y = s.add(s.fma(p, s.mul(r, r), r), s.splat(1.0));
    let half_shifted = s.fma(n, s.splat(0.5), rounding);
    let half = s.sub(half_shifted, rounding);
    let rest_shifted = s.add(s.sub(n, half), rounding);
    s.mul(s.mul(y, s.power_of_two(half_shifted)), s.power_of_two(rest_shifted))
}

/// `gelu_pytorch_tanh`: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
///
/// Written as x / (1 + e^(-2u)), which is the same and has no cancellation at small or at negative x.
#[inline(always)]
pub(crate) fn gelu_tanh<S: Lanes>(s: S, x: S::V) -> S::V {
    const MINUS_TWO_SQRT_2_OVER_PI: f32 = -1.595_769;
    let cube = s.mul(s.mul(x, x), x);
    let u = s.fma(cube, s.splat(0.044_715), x);
    let e = exp(s, s.mul(u, s.splat(MINUS_TWO_SQRT_2_OVER_PI)));
    s.div(x, s.add(s.splat(1.0), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Job};
    use crate::lanes::LANES;

    #[derive(Clone, Copy)]
    enum Function {
        Exp,
        Gelu,
    }

    struct Apply<'a> {
        function: Function,
        x: &'a [f32],
        out: &'a mut [f32],
    }

    impl Job for Apply<'_> {
        #[inline(always)]
        fn run<S: Lanes>(self, s: S) {
            for (x, out) in self.x.chunks(LANES).zip(self.out.chunks_mut(LANES)) {
                let x = s.load_slice(x);
                let y = match self.function {
                    Function::Exp => exp(s, x),
                    Function::Gelu => gelu_tanh(s, x),
                };
                s.store_slice(y, out);
            }
        }
    }

    /// The function's values, which every instruction set must give alike.
    fn apply(function: Function, x: &[f32]) -> Vec<f32> {
        let mut portable = vec![0.0; x.len()];
        Isa::PORTABLE.run(Apply { function, x, out: &mut portable });
        for isa in Isa::available() {
            let mut out = vec![0.0; x.len()];
            isa.run(Apply { function, x, out: &mut out });
            for ((x, out), portable) in x.iter().zip(&out).zip(&portable) {
                let same = out.to_bits() == portable.to_bits() || (out.is_nan() && portable.is_nan());
                assert!(same, "{isa} at {x}: {out} and {portable}");
            }
        }
        portable
    }

    /// Units in the last place between `found` and the exact value.
    fn ulps(found: f32, exact: f64) -> f64 {
        let nearest = (exact as f32).abs();
        let ulp = f64::from(f32::from_bits(nearest.to_bits() + 1)) - f64::from(nearest);
        (f64::from(found) - exact).abs() / ulp
    }

    /// The tolerance of `exp` in units in the last place.
    const EXP_ULPS: f64 = 1.1;
    /// The tolerance of `gelu_tanh`, relative, where |x| is at most 3. There the exponent is at most 6.7 and carries
    /// three roundings and that of its constant, at most 6.7 · 3.5 half units, which is the relative error of the
    /// exponential; the rest is below two half units. (The textbook form loses a hundred times more to cancellation.)
    const GELU_RELATIVE: f64 = 13.0 * f32::EPSILON as f64;

    #[test]
    fn exp_is_within_its_tolerance() {
        // Every 3001st f32 between -87.3 and 88.7.
        let negative = (0..=87.3f32.to_bits()).step_by(3001).map(|bits| -f32::from_bits(bits));
        let positive = (0..=88.7f32.to_bits()).step_by(3001).map(f32::from_bits);
        let x: Vec<f32> = negative.chain(positive).collect();
        let worst = (x.iter().zip(apply(Function::Exp, &x)))
            .map(|(&x, found)| ulps(found, f64::from(x).exp()))
            .fold(0.0, f64::max);
        assert!(worst <= EXP_ULPS, "{worst} ULP");
    }

    #[test]
    fn exp_is_exact_at_its_ends() {
        let x = [0.0, -0.0, f32::NEG_INFINITY, -200.0, -104.0, f32::INFINITY, 89.0, f32::NAN];
        let y = apply(Function::Exp, &x);
        assert_eq!(y[..2], [1.0, 1.0]);
        assert_eq!(y[2..5].iter().map(|y| y.to_bits()).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(y[5..7], [f32::INFINITY, f32::INFINITY]);
        assert!(y[7].is_nan());
        // Subnormal results lose bits as they must, not more.
        let x = [-88.0f32, -95.0, -100.0, -103.0];
        for (x, y) in x.iter().zip(apply(Function::Exp, &x)) {
            let error = (f64::from(y) - f64::from(*x).exp()).abs();
            assert!(error <= 1.5 * f64::from(f32::from_bits(1)), "{x}");
        }
    }

    fn exact_gelu(x: f64) -> f64 {
        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
        x / (1.0 + (-2.0 * u).exp())
    }

    #[test]
    fn gelu_is_accurate_from_tiny_to_large() {
        let mut x: Vec<f32> = (-30_000..=30_000).map(|i| i as f32 / 10_000.0).collect();
        x.extend([1e-30f32, -1e-20, 1e-8, -1e-5]);
        for (&x, y) in x.iter().zip(apply(Function::Gelu, &x)) {
            let exact = exact_gelu(f64::from(x));
            assert!((f64::from(y) - exact).abs() <= GELU_RELATIVE * exact.abs(), "{x}: {y}, exactly {exact}");
        }
        let x = [-50.0f32, -10.0, -6.0, -4.0, 4.0, 6.0, 10.0, 1e10, 1e30];
        for (&x, y) in x.iter().zip(apply(Function::Gelu, &x)) {
            let exact = exact_gelu(f64::from(x));
            assert!((f64::from(y) - exact).abs() <= 1e-6 * exact.abs().max(1.0), "{x}: {y}, exactly {exact}");
        }
        let ends = apply(Function::Gelu, &[0.0, f32::NAN, f32::INFINITY]);
        assert!(ends[0] == 0.0 && ends[1].is_nan() && ends[2] == f32::INFINITY);
    }
}
