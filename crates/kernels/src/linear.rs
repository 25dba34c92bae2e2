//! Products of activations with packed weights, with what follows them fused in.
//!
//! One definition of a product element for every number of rows and threads (see the crate's head), two
//! ways to walk: few rows stream the panels once, straight from memory; many rows keep a block of
//! activations in the second-level cache and unpack each block of a panel once for all of them.

mod blocked;
mod epilogue;
mod streamed;

use std::ops::Range;
use std::sync::PoisonError;

use crate::backend::{Backend, Parts, Scratch, Shared, share};
use crate::error::{Error, Result, expect_len, whole_rows};
use crate::lanes::{Lanes, WIDTH};
use crate::matrix::Matrix;
use crate::quantized::{self, Activations, Quantize};
use crate::tile::{MAX_ROWS, TALL_ROWS};

pub use epilogue::Epilogue;

/// Products are summed in blocks of this many consecutive k; a block's sum starts at zero.
const K_BLOCK: usize = 256;

/// Multiply-adds that take as long as bringing one value of an activation or a weight to a core's caches.
const FETCH: u64 = 32;

/// The pieces that activations are quantized in, for matrices of blocks of as many values.
const PIECES: [usize; 2] = [256, 32];

/// One matrix and where its products go.
pub(crate) struct Product<'a> {
    pub(crate) w: &'a Matrix,
    epilogue: Epilogue<'a>,
    out: Shared<'a>,
}

/// Products of the same rows with several matrices of the same `n_in`.
struct Products<'a> {
    x: &'a [f32],
    /// The same rows, quantized in [`PIECES`] as far as a matrix asks for it.
    quantized: &'a [Activations; 2],
    n_rows: usize,
    n_in: usize,
    each: &'a [Product<'a>],
}

impl Backend {
    /// `out = epilogue(x · wᵀ)`; `x` is `[n, n_in]`, `out` is `[n, n_out]`.
    ///
    /// # Errors
    /// Lengths that do not fit; `out` is then unchanged.
    pub fn linear(&self, x: &[f32], w: &Matrix, out: &mut [f32], epilogue: Epilogue<'_>) -> Result<()> {
        const OP: &str = "linear";
        let n_rows = whole_rows(OP, "x", x.len(), ("n_in", w.n_in()))?;
        expect_len(OP, "out", out.len(), &[("rows", n_rows), ("n_out", w.n_out())])?;
        if let Some(bias) = epilogue.bias() {
            expect_len(OP, "bias", bias.len(), &[("n_out", w.n_out())])?;
        }
        self.products(x, n_rows, &[Product { w, epilogue, out: Shared::new(out) }])
    }

    /// `outs[i] = x · weights[i]ᵀ` in one go; `x` is `[n, n_in]`, `outs[i]` is `[n, n_out of i]`.
    ///
    /// # Errors
    /// Lengths that do not fit; the outputs are then unchanged.
    pub fn linear_many(&self, x: &[f32], weights: &[&Matrix], outs: &mut [&mut [f32]]) -> Result<()> {
        const OP: &str = "linear_many";
        expect_len(OP, "outs", outs.len(), &[("weights", weights.len())])?;
        let Some(first) = weights.first() else { return Ok(()) };
        let n_rows = whole_rows(OP, "x", x.len(), ("n_in", first.n_in()))?;
        for (i, (w, out)) in weights.iter().zip(outs.iter()).enumerate() {
            if w.n_in() != first.n_in() {
                let message = format!("weight {i} has n_in {}, weight 0 has {}", w.n_in(), first.n_in());
                return Err(Error::shape(OP, message));
            }
            expect_len(OP, &format!("out {i}"), out.len(), &[("rows", n_rows), ("n_out", w.n_out())])?;
        }
        let products: Vec<Product<'_>> = (weights.iter().zip(outs.iter_mut()))
            .map(|(w, out)| Product { w, epilogue: Epilogue::Store, out: Shared::new(out) })
            .collect();
        self.products(x, n_rows, &products)
    }

    /// `out = gelu_tanh(x · gateᵀ) · (x · upᵀ)`, elementwise, in one go; `x` is `[n, n_in]`, `out` is `[n, n_out]`.
    ///
    /// The bits are those of [`Epilogue::Store`] with `gate` and then [`Epilogue::GeluGate`] with `up`.
    ///
    /// # Errors
    /// Lengths that do not fit; `out` is then unchanged.
    pub fn gated(&self, x: &[f32], gate: &Matrix, up: &Matrix, out: &mut [f32]) -> Result<()> {
        const OP: &str = "gated";
        if (gate.n_out(), gate.n_in()) != (up.n_out(), up.n_in()) {
            let message = format!(
                "gate is n_out {} × n_in {}, up is n_out {} × n_in {}",
                gate.n_out(),
                gate.n_in(),
                up.n_out(),
                up.n_in()
            );
            return Err(Error::shape(OP, message));
        }
        let n_rows = whole_rows(OP, "x", x.len(), ("n_in", gate.n_in()))?;
        expect_len(OP, "out", out.len(), &[("rows", n_rows), ("n_out", gate.n_out())])?;
        // Both write `out`, part by part: a part is the same rows and panels of both matrices, one after the other.
        let out = Shared::new(out);
        let products = [
            Product { w: gate, epilogue: Epilogue::Store, out: out.again() },
            Product { w: up, epilogue: Epilogue::GeluGate, out },
        ];
        self.products(x, n_rows, &products)
    }

    fn products(&self, x: &[f32], n_rows: usize, each: &[Product<'_>]) -> Result<()> {
        let Some(n_in) = each.first().map(|p| p.w.n_in()) else { return Ok(()) };
        if n_rows == 0 {
            return Ok(());
        }
        // Held until the end: callers take turns anyway.
        let mut quantized = self.activations.lock().unwrap_or_else(PoisonError::into_inner);
        for (to, piece) in quantized.iter_mut().zip(PIECES) {
            if each.iter().any(|p| p.w.dtype().is_quantized() && p.w.dtype().block().0 == piece) {
                to.reserve(n_rows, n_in)?;
                self.parallel(x.len(), 0, &Quantize::new(x, n_in, piece, to))?;
            }
        }
        let quantized = &*quantized;
        let n_weights = each.iter().map(|p| p.w.n_panels() * WIDTH * n_in).fold(0, usize::saturating_add);
        let plain = if n_rows <= MAX_ROWS { 0 } else { blocked::scratch(n_rows) };
        let scratch = plain.max(quantized::scratch(n_rows));
        let products = Products { x, quantized, n_rows, n_in, each };
        self.parallel(n_weights.saturating_mul(n_rows), scratch, &products)
    }
}

impl Parts for Products<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch) {
        for product in self.each {
            let (rows, panels) = self.share_of(product.w.n_panels(), part, n_parts);
            if rows.is_empty() || panels.is_empty() {
                continue;
            }
            // SAFETY: parts have disjoint rows or disjoint panels of each output, and an output that two products
            // share is split in the same way for both.
            unsafe {
                if product.w.dtype().is_quantized() {
                    let x = &self.quantized[usize::from(product.w.dtype().block().0 == PIECES[1])];
                    let stream = self.n_rows <= MAX_ROWS;
                    quantized::Share { product, x, rows, panels, stream }.run(s, scratch);
                } else if self.n_rows <= MAX_ROWS {
                    streamed::run(s, self, product, panels);
                } else {
                    blocked::run(s, self, product, rows, panels, scratch);
                }
            }
        }
    }
}

impl Products<'_> {
    /// The rows and panels of a part: threads form a grid of row parts × panel parts.
    ///
    /// Of all grids the one is taken in which the largest part takes least: its multiply-adds, and the rows and weights
    /// that it has to bring to its caches, each value of which costs about as much as [`FETCH`] multiply-adds.
    #[inline(always)]
    fn share_of(&self, n_panels: usize, part: usize, n_parts: usize) -> (Range<usize>, Range<usize>) {
        if self.n_rows <= MAX_ROWS {
            return (0..self.n_rows, share(n_panels, part, n_parts));
        }
        let n_tiles = self.n_rows.div_ceil(TALL_ROWS);
        let cost = |row_parts: usize| {
            let rows = (n_tiles.div_ceil(row_parts) * TALL_ROWS).min(self.n_rows) as u64;
            let columns = (n_panels.div_ceil(n_parts / row_parts) * WIDTH) as u64;
            rows * columns + FETCH * (rows + columns)
        };
        let grids = (1..=n_parts).filter(|row_parts| n_parts.is_multiple_of(*row_parts));
        let row_parts = grids.min_by_key(|row_parts| cost(*row_parts)).unwrap_or(1);
        let panel_parts = n_parts / row_parts;
        let tiles = share(n_tiles, part / panel_parts, row_parts);
        let rows = tiles.start * TALL_ROWS..(tiles.end * TALL_ROWS).min(self.n_rows);
        (rows, share(n_panels, part % panel_parts, panel_parts))
    }
}
