//! What is done to a product before it is written.

use super::Product;
use crate::lanes::{LANES, Lanes, WIDTH};
use crate::maths::gelu_tanh;
use crate::tile::Sums;

/// What is done to a product `v` before it is written to `out`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Epilogue<'a> {
    /// `out = v`
    Store,
    /// `out = v + bias`, `bias` being `[n_out]`
    Bias(&'a [f32]),
    /// `out = gelu_tanh(v + bias)`, `bias` being `[n_out]`
    BiasGelu(&'a [f32]),
    /// `out = out + (v + bias)`, `bias` being `[n_out]`
    BiasResidual(&'a [f32]),
    /// `out = gelu_tanh(out) · v`
    GeluGate,
}

impl<'a> Epilogue<'a> {
    pub(super) fn bias(self) -> Option<&'a [f32]> {
        match self {
            Self::Bias(bias) | Self::BiasGelu(bias) | Self::BiasResidual(bias) => Some(bias),
            Self::Store | Self::GeluGate => None,
        }
    }

    /// `v` is eight products, `old` what their places in `out` hold.
    #[inline(always)]
    fn apply<S: Lanes>(self, s: S, v: S::V, old: S::V, bias: S::V) -> S::V {
        match self {
            Self::Store => v,
            Self::Bias(_) => s.add(v, bias),
            Self::BiasGelu(_) => gelu_tanh(s, s.add(v, bias)),
            Self::BiasResidual(_) => s.add(old, s.add(v, bias)),
            Self::GeluGate => s.mul(gelu_tanh(s, old), v),
        }
    }
}

impl Product<'_> {
    /// Finishes sixteen sums of one row and writes those columns that exist.
    ///
    /// # Safety
    /// No other thread writes this panel of this row.
    #[inline(always)]
    pub(crate) unsafe fn finish<S: Lanes>(&self, s: S, sums: Sums<S>, row: usize, panel: usize) {
        let n_out = self.w.n_out();
        for (i, v) in s.halves(sums).into_iter().enumerate() {
            let column = panel * WIDTH + i * LANES;
            let n = LANES.min(n_out.saturating_sub(column));
            if n == 0 {
                return;
            }
            // SAFETY: the caller promises that nobody else has this range.
            let out = unsafe { self.out.range_mut(row * n_out + column, n) };
            let bias =
                self.epilogue.bias().map_or(s.splat(0.0), |bias| s.load_slice(&bias[column..column + n]));
            let v = self.epilogue.apply(s, v, s.load_slice(out), bias);
            s.store_slice(v, out);
        }
    }
}
