//! Few rows: each panel is read once, straight from memory, and widened on the way.

use std::ops::Range;

use super::{K_BLOCK, Product, Products};
use crate::lanes::{Lanes, WIDTH};
use crate::matrix::Panels;
use crate::tile::{Stored, Sums, tile, with_rows, zeros};

/// Products of all rows, at most six, with `panels`.
///
/// # Safety
/// No other thread writes these panels of the output.
#[inline(always)]
pub(super) unsafe fn run<S: Lanes>(s: S, all: &Products<'_>, product: &Product<'_>, panels: Range<usize>) {
    // SAFETY: the caller's promise is handed on.
    unsafe {
        match product.w.panels() {
            Panels::F32(w) => with_rows!(all.n_rows, R => walk::<S, f32, R>(s, all, product, w, panels)),
            Panels::Bf16(w) => with_rows!(all.n_rows, R => walk::<S, _, R>(s, all, product, w, panels)),
            Panels::F16(w) => with_rows!(all.n_rows, R => walk::<S, _, R>(s, all, product, w, panels)),
        }
    }
}

#[inline(always)]
unsafe fn walk<S: Lanes, W: Stored, const R: usize>(
    s: S,
    all: &Products<'_>,
    product: &Product<'_>,
    w: &[W],
    panels: Range<usize>,
) {
    let n_in = all.n_in;
    assert!(all.x.len() >= R * n_in, "there are R rows");
    for panel in panels {
        let w = &w[panel * n_in * WIDTH..(panel + 1) * n_in * WIDTH];
        // SAFETY: `x` holds R rows and `w` a panel of n_in × 16, as just checked; the caller promises the output.
        unsafe {
            let totals = sums::<S, W, R>(s, all.x, n_in, w);
            for (row, totals) in totals.into_iter().enumerate() {
                product.finish(s, totals, row, panel);
            }
        }
    }
}

/// Complete sums of `R` rows with one panel.
///
/// # Safety
/// `x` holds `R` rows of `n_in`, `w` holds `n_in · 16` values.
#[inline(always)]
unsafe fn sums<S: Lanes, W: Stored, const R: usize>(s: S, x: &[f32], n_in: usize, w: &[W]) -> [Sums<S>; R] {
    let mut totals = [s.wide_splat(0.0); R];
    let mut k = 0;
    while k < n_in {
        let n = K_BLOCK.min(n_in - k);
        // SAFETY: k + n ≤ n_in, so the block lies inside what the caller promises.
        let block = unsafe {
            let (x, w) = (x.as_ptr().add(k), w.as_ptr().add(k * WIDTH));
            tile::<S, W, R, 1, true>(s, x, n_in, w, 0, n, zeros(s))
        };
        for (total, [block]) in totals.iter_mut().zip(block) {
            // The first block's sum is taken as it is.
            *total = if k == 0 { block } else { s.wide_add(*total, block) };
        }
        k += n;
    }
    totals
}
