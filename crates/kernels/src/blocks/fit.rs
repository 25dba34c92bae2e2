//! Scales and minima of one group of values with the least squared error.
//!
//! A group is approximated by `scale · q − min`. For given whole numbers `q` the best scale and minimum follow from sums
//! (least squares); for given scale and minimum the best `q` are the nearest ones. Starting from several ranges, the
//! two steps alternate, and the best pair that was seen counts. Errors are not weighted: where nothing is known of the
//! activations, each weight's error counts alike in the output.

use crate::lanes::{LANES, ROUNDING};

/// `1 / scale`; of the scale 0, which all values share, 0.
#[inline(always)]
pub(super) fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

/// The nearest whole number in `least ..= most`.
#[inline(always)]
pub(super) fn nearest(x: f32, least: f32, most: f32) -> f32 {
    (x.max(least).min(most) + ROUNDING) - ROUNDING
}

/// What a scale, a minimum and the nearest whole numbers make of a group: the squared error, and sums over the `q`.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub error: f32,
    pub q: f32,
    pub qq: f32,
    pub xq: f32,
}

/// A scale, a minimum, and what they make of the group.
#[derive(Clone, Copy, Default)]
pub(super) struct Fit {
    pub scale: f32,
    pub min: f32,
    pub sums: Sums,
}

impl Fit {
    /// With `q` in `range`.
    #[inline(always)]
    pub(super) fn of<const N: usize>(x: &[f32; N], scale: f32, min: f32, range: (f32, f32)) -> Self {
        let inverse = inverse(scale);
        let mut lanes = [[0.0f32; LANES]; 4];
        for x in x.as_chunks::<LANES>().0 {
            for (i, &x) in x.iter().enumerate() {
                let q = nearest((x + min) * inverse, range.0, range.1);
                let off = scale * q - min - x;
                lanes[0][i] += off * off;
                lanes[1][i] += q;
                lanes[2][i] += q * q;
                lanes[3][i] += x * q;
            }
        }
        let [error, q, qq, xq] = lanes.map(|lanes| lanes.iter().sum());
        Self { scale, min, sums: Sums { error, q, qq, xq } }
    }

    #[inline(always)]
    fn keep(&mut self, other: Self) {
        if other.sums.error < self.sums.error {
            *self = other;
        }
    }
}

/// How the ranges at the start differ from the one that just holds all values, in steps of `q`.
const STRETCH: [f32; 7] = [-1.0, -0.5, 0.0, 0.6, 1.2, 1.8, 2.4];

/// Most least-squares steps from each start; [`symmetric`] takes one fewer.
const STEPS: usize = 3;

/// The best `scale ≥ 0` and `min ≥ 0` for `q` in `0 ..= most`.
#[inline(always)]
pub(super) fn affine<const N: usize>(x: &[f32; N], most: f32) -> Fit {
    let least = x.iter().fold(0.0f32, |least, &x| least.min(x));
    let largest = x.iter().fold(f32::NEG_INFINITY, |largest, &x| largest.max(x));
    let range = largest - least;
    if range <= 0.0 {
        return Fit::of(x, 0.0, -least, (0.0, most));
    }
    let sum: f32 = x.iter().sum();
    let mut best = Fit { sums: Sums { error: f32::INFINITY, ..Sums::default() }, ..Fit::default() };
    for stretch in STRETCH {
        let scale = range / (most + stretch);
        // What is cut off is cut off at both ends, unless the lower end is zero.
        let min = if least < 0.0 { (scale * most - largest - least).max(0.0) / 2.0 } else { 0.0 };
        let mut fit = Fit::of(x, scale, if stretch > 0.0 { min } else { -least }, (0.0, most));
        best.keep(fit);
        for _ in 0..STEPS {
            let (scale, min) = least_squares(&fit.sums, sum, N as f32);
            if scale <= 0.0 || scale.is_nan() {
                break;
            }
            fit = Fit::of(x, scale, min, (0.0, most));
            best.keep(fit);
        }
    }
    best
}

/// Scale and minimum, not negative, for given `q`.
#[inline(always)]
fn least_squares(sums: &Sums, x: f32, n: f32) -> (f32, f32) {
    let determinant = n * sums.qq - sums.q * sums.q;
    if determinant > 0.0 {
        let min = (sums.q * sums.xq - sums.qq * x) / determinant;
        if min >= 0.0 {
            return ((n * sums.xq - x * sums.q) / determinant, min);
        }
    }
    (if sums.qq > 0.0 { sums.xq / sums.qq } else { 0.0 }, 0.0)
}

/// The best scale, of either sign, for `q` in `-half ..= half - 1` and no minimum.
#[inline(always)]
pub(super) fn symmetric<const N: usize>(x: &[f32; N], half: f32) -> Fit {
    let farthest = x.iter().fold(0.0f32, |far, &x| if x.abs() > far.abs() { x } else { far });
    let mut best = Fit::of(x, 0.0, 0.0, (-half, half - 1.0));
    if farthest == 0.0 {
        return best;
    }
    for stretch in STRETCH {
        let mut fit = Fit::of(x, -farthest / (half + stretch), 0.0, (-half, half - 1.0));
        best.keep(fit);
        for _ in 1..STEPS {
            if fit.sums.qq <= 0.0 {
                break;
            }
            fit = Fit::of(x, fit.sums.xq / fit.sums.qq, 0.0, (-half, half - 1.0));
            best.keep(fit);
        }
    }
    best
}
