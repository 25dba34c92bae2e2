//! Norms over the last dimension.

use crate::backend::{Backend, Parts, Scratch, Shared, share};
use crate::error::{Result, expect_len, whole_rows};
use crate::lanes::{LANES, Lanes};

/// Σ x², in eight partial sums (value i in lane i mod 8, each step fused) and then a fixed tree.
#[inline(always)]
pub(crate) fn sum_of_squares<S: Lanes>(s: S, x: &[f32]) -> f32 {
    let mut sums = s.splat(0.0);
    for x in x.chunks(LANES) {
        let x = s.load_slice(x);
        sums = s.fma(x, x, sums);
    }
    s.sum(sums)
}

/// 1 / √(mean of squares + eps).
#[inline(always)]
pub(crate) fn rms_factor<S: Lanes>(s: S, x: &[f32], eps: f32) -> f32 {
    1.0 / (sum_of_squares(s, x) / x.len() as f32 + eps).sqrt()
}

#[derive(Clone, Copy)]
enum Norm<'a> {
    Rms,
    RmsResidual,
    Layer { bias: &'a [f32] },
}

struct Rows<'a> {
    norm: Norm<'a>,
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: Shared<'a>,
}

impl Backend {
    /// `out = x · r · weight` with `r = 1 / √(mean(x²) + eps)`, row by row.
    ///
    /// `x` and `out` are `[n, d]`; `weight_plus_one` is `[d]`, with Gemma's +1 already added. The sum of squares is
    /// eight partial sums (value i in lane i mod 8, each step fused), then a tree of lanes 4 apart, 2 apart, 1 apart.
    ///
    /// # Errors
    /// Lengths that do not fit; `out` is then unchanged.
    pub fn rms_norm(&self, x: &[f32], weight_plus_one: &[f32], eps: f32, out: &mut [f32]) -> Result<()> {
        self.norm("rms_norm", Norm::Rms, x, weight_plus_one, eps, out)
    }

    /// `residual = residual + x · r · weight`, with the norm of [`Backend::rms_norm`].
    ///
    /// # Errors
    /// Lengths that do not fit; `residual` is then unchanged.
    pub fn rms_norm_residual(
        &self,
        x: &[f32],
        weight_plus_one: &[f32],
        eps: f32,
        residual: &mut [f32],
    ) -> Result<()> {
        self.norm("rms_norm_residual", Norm::RmsResidual, x, weight_plus_one, eps, residual)
    }

    /// `out = (x - mean) · r · weight + bias` with `r = 1 / √(variance + eps)`, row by row.
    ///
    /// `x` and `out` are `[n, d]`; `weight` and `bias` are `[d]`. The mean is taken first, then the (biased)
    /// variance of the differences from it.
    ///
    /// # Errors
    /// Lengths that do not fit; `out` is then unchanged.
    pub fn layer_norm(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: f32,
        out: &mut [f32],
    ) -> Result<()> {
        expect_len("layer_norm", "bias", bias.len(), &[("d", weight.len())])?;
        self.norm("layer_norm", Norm::Layer { bias }, x, weight, eps, out)
    }

    fn norm(
        &self,
        op: &str,
        norm: Norm<'_>,
        x: &[f32],
        weight: &[f32],
        eps: f32,
        out: &mut [f32],
    ) -> Result<()> {
        let n_rows = whole_rows(op, "x", x.len(), ("d", weight.len()))?;
        expect_len(op, "output", out.len(), &[("rows", n_rows), ("d", weight.len())])?;
        self.parallel(x.len(), 0, &Rows { norm, x, weight, eps, out: Shared::new(out) })
    }
}

impl Parts for Rows<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, _scratch: &mut Scratch) {
        let d = self.weight.len();
        for row in share(self.x.len() / d, part, n_parts) {
            let x = &self.x[row * d..(row + 1) * d];
            // SAFETY: each row belongs to one part.
            let out = unsafe { self.out.range_mut(row * d, d) };
            match self.norm {
                Norm::Rms => rms(s, x, self.weight, self.eps, out, false),
                Norm::RmsResidual => rms(s, x, self.weight, self.eps, out, true),
                Norm::Layer { bias } => layer(s, x, self.weight, bias, self.eps, out),
            }
        }
    }
}

#[inline(always)]
fn rms<S: Lanes>(s: S, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32], adds: bool) {
    let r = s.splat(rms_factor(s, x, eps));
    for ((x, weight), out) in x.chunks(LANES).zip(weight.chunks(LANES)).zip(out.chunks_mut(LANES)) {
        let mut y = s.mul(s.mul(s.load_slice(x), r), s.load_slice(weight));
        if adds {
            y = s.add(s.load_slice(out), y);
        }
        s.store_slice(y, out);
    }
}

#[inline(always)]
fn layer<S: Lanes>(s: S, x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let mut sums = s.splat(0.0);
    for x in x.chunks(LANES) {
        sums = s.add(sums, s.load_slice(x));
    }
    let mean = s.splat(s.sum(sums) / x.len() as f32);
    for (x, out) in x.chunks(LANES).zip(out.chunks_mut(LANES)) {
        s.store_slice(s.sub(s.load_slice(x), mean), out);
    }
    let r = s.splat(rms_factor(s, out, eps));
    let vectors = weight.chunks(LANES).zip(bias.chunks(LANES));
    for ((weight, bias), out) in vectors.zip(out.chunks_mut(LANES)) {
        let y = s.mul(s.load_slice(out), r);
        s.store_slice(s.fma(y, s.load_slice(weight), s.load_slice(bias)), out);
    }
}
