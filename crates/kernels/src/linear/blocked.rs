//! Many rows: blocks of rows, groups of panels, blocks of k, panels, tiles of six rows.

use std::ops::Range;

use super::{K_BLOCK, Product, Products};
use crate::backend::{Scratch, scratch_len};
use crate::lanes::{LANES, Lanes, WIDTH};
use crate::matrix::Panels;
use crate::tile::{MAX_ROWS, Stored, tile, with_rows, zeros};

/// Rows whose block of activations (`ROW_BLOCK` × `K_BLOCK` f32, 192 KiB) stays in the second-level cache.
const ROW_BLOCK: usize = 192;
/// Panels whose unfinished sums for a block of rows lie beside it (192 KiB).
const PANEL_GROUP: usize = 16;

fn lens(n_rows: usize) -> [usize; 3] {
    let n_rows = n_rows.min(ROW_BLOCK);
    [n_rows * K_BLOCK, K_BLOCK * WIDTH, PANEL_GROUP * n_rows * WIDTH]
}

/// Scratch that [`run`] takes for `n_rows` rows, in f32.
pub(super) fn scratch(n_rows: usize) -> usize {
    scratch_len(&lens(n_rows))
}

/// Products of `rows` with `panels`.
///
/// # Safety
/// No other thread writes these panels of these rows of the output.
#[inline(always)]
pub(super) unsafe fn run<S: Lanes>(
    s: S,
    all: &Products<'_>,
    product: &Product<'_>,
    rows: Range<usize>,
    panels: Range<usize>,
    scratch: &mut Scratch,
) {
    let n_in = all.n_in;
    let [activations, unpacked, sums] = scratch.slices(lens(all.n_rows));
    for first_row in rows.clone().step_by(ROW_BLOCK) {
        let n_rows = ROW_BLOCK.min(rows.end - first_row);
        for first_panel in panels.clone().step_by(PANEL_GROUP) {
            let n_panels = PANEL_GROUP.min(panels.end - first_panel);
            for k in (0..n_in).step_by(K_BLOCK) {
                let n = K_BLOCK.min(n_in - k);
                for (row, to) in (first_row..).zip(activations.chunks_exact_mut(K_BLOCK)).take(n_rows) {
                    to[..n].copy_from_slice(&all.x[row * n_in + k..][..n]);
                }
                for (panel, sums) in (first_panel..).zip(sums.chunks_exact_mut(n_rows * WIDTH)).take(n_panels)
                {
                    let at = (panel * n_in + k) * WIDTH;
                    let w: &[f32] = match product.w.panels() {
                        Panels::F32(w) => &w[at..at + n * WIDTH],
                        Panels::Bf16(w) => unpack(s, &w[at..at + n * WIDTH], unpacked),
                        Panels::F16(w) => unpack(s, &w[at..at + n * WIDTH], unpacked),
                    };
                    let block = Block { a: activations, w, n, starts: k == 0, ends: k + n == n_in };
                    for tile_row in (0..n_rows).step_by(MAX_ROWS) {
                        // SAFETY: the caller promises the output.
                        unsafe {
                            with_rows!(n_rows - tile_row, R => {
                                block.tile::<S, R>(s, product, sums, first_row, tile_row, panel)
                            });
                        }
                    }
                }
            }
        }
    }
}

/// `n` rows of sixteen values, widened into the start of `to`.
#[inline(always)]
fn unpack<'a, S: Lanes, W: Stored>(s: S, from: &[W], to: &'a mut [f32]) -> &'a [f32] {
    let to = &mut to[..from.len()];
    for (from, to) in from.as_chunks::<WIDTH>().0.iter().zip(to.as_chunks_mut::<WIDTH>().0) {
        // SAFETY: both are arrays of sixteen.
        unsafe {
            let [low, high] = W::lanes(s, from.as_ptr());
            s.store(low, to.as_mut_ptr());
            s.store(high, to.as_mut_ptr().add(LANES));
        }
    }
    to
}

/// One block of k of one panel, against rows.
struct Block<'a> {
    /// `[rows][K_BLOCK]`
    a: &'a [f32],
    /// `[n][16]`
    w: &'a [f32],
    n: usize,
    /// Whether this is the first block of k.
    starts: bool,
    /// Whether it is the last one.
    ends: bool,
}

impl Block<'_> {
    /// Adds the products of `R` rows from `row` on to `sums` (`[rows][16]`), or finishes them after the last block.
    ///
    /// # Safety
    /// No other thread writes this panel of these rows.
    #[inline(always)]
    unsafe fn tile<S: Lanes, const R: usize>(
        &self,
        s: S,
        product: &Product<'_>,
        sums: &mut [f32],
        first_row: usize,
        row: usize,
        panel: usize,
    ) {
        let a = &self.a[row * K_BLOCK..(row + R) * K_BLOCK];
        let sums = &mut sums[row * WIDTH..(row + R) * WIDTH];
        assert!(self.w.len() >= self.n * WIDTH && self.n <= K_BLOCK, "a block of k fits its buffers");
        // SAFETY: `a` holds R rows of K_BLOCK ≥ n values, `w` holds n × 16, as just checked; `sums` holds R × 16.
        unsafe {
            let block =
                tile::<S, f32, R, 1, false>(s, a.as_ptr(), K_BLOCK, self.w.as_ptr(), 0, self.n, zeros(s));
            for (r, [mut total]) in block.into_iter().enumerate() {
                let at = sums.as_mut_ptr().add(r * WIDTH);
                if !self.starts {
                    total = [s.add(s.load(at), total[0]), s.add(s.load(at.add(LANES)), total[1])];
                }
                if self.ends {
                    product.finish(s, total, first_row + row + r, panel);
                } else {
                    s.store(total[0], at);
                    s.store(total[1], at.add(LANES));
                }
            }
        }
    }
}
