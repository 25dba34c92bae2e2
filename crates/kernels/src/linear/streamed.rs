//! Few rows: each panel is read once, straight from memory, and widened on the way.

use std::ops::Range;

use super::{K_BLOCK, Product, Products};
use crate::lanes::{Lanes, WIDTH};
use crate::matrix::Panels;
use crate::tile::{Stored, tile, with_rows, zeros};

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
    assert!(w.len() >= panels.end * n_in * WIDTH, "there are these panels");
    let mut panel = panels.start;
    // SAFETY: `x` holds R rows and `w` the panels, as just checked; the caller promises the output.
    unsafe {
        // Sums of few rows wait for one another, so several panels go side by side, as many as the registers hold.
        if R == 1 {
            while panel + 4 <= panels.end {
                side_by_side::<S, W, R, 4>(s, all, product, w, panel);
                panel += 4;
            }
        }
        if R <= 2 || S::TALL {
            while panel + 2 <= panels.end {
                side_by_side::<S, W, R, 2>(s, all, product, w, panel);
                panel += 2;
            }
        }
        while panel < panels.end {
            side_by_side::<S, W, R, 1>(s, all, product, w, panel);
            panel += 1;
        }
    }
}

/// Products of `R` rows with `P` panels from `panel` on.
///
/// # Safety
/// `x` holds `R` rows, `w` all of these panels, and no other thread writes them.
#[inline(always)]
unsafe fn side_by_side<S: Lanes, W: Stored, const R: usize, const P: usize>(
    s: S,
    all: &Products<'_>,
    product: &Product<'_>,
    w: &[W],
    panel: usize,
) {
    let n_in = all.n_in;
    let mut totals = [[s.wide_splat(0.0); P]; R];
    let mut k = 0;
    while k < n_in {
        let n = K_BLOCK.min(n_in - k);
        // SAFETY: k + n ≤ n_in, so the block lies inside the rows and panels that the caller promises.
        let block = unsafe {
            let (x, w) = (all.x.as_ptr().add(k), w.as_ptr().add((panel * n_in + k) * WIDTH));
            tile::<S, W, R, P, true>(s, x, n_in, w, n_in * WIDTH, n, zeros(s))
        };
        for (total, block) in totals.as_flattened_mut().iter_mut().zip(block.as_flattened()) {
            // The first block's sum is taken as it is.
            *total = if k == 0 { *block } else { s.wide_add(*total, *block) };
        }
        k += n;
    }
    for (row, totals) in totals.into_iter().enumerate() {
        for (panel, totals) in (panel..).zip(totals) {
            // SAFETY: the caller's promise is handed on.
            unsafe { product.finish(s, totals, row, panel) };
        }
    }
}
