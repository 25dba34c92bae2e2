//! Many rows: blocks of rows, groups of panels, blocks of k, panels, tiles of rows.

use std::ops::Range;

use super::{K_BLOCK, Product, Products};
use crate::backend::{Scratch, scratch_len};
use crate::lanes::{Lanes, WIDTH};
use crate::matrix::Panels;
use crate::tile::{MAX_ROWS, Stored, TALL_ROWS, tile, with_rows, zeros};

/// Most rows whose block of activations (at most 306 KiB) stays in the second-level cache: whole tall tiles.
const ROW_BLOCK: usize = 12 * TALL_ROWS;
/// Where the next row of a block of activations starts: a cache line further than it must, so that the rows of a tile
/// do not all fall into the same sets of the first-level cache.
const ROW_STRIDE: usize = K_BLOCK + WIDTH;
/// Panels whose unfinished sums for a block of rows are kept. Activations are copied once for each group, so it is
/// large; the sums of a tile are touched once in 256 steps, so they may lie further away.
const PANEL_GROUP: usize = 64;
/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Rows of a block, where `n_rows` are split as evenly as whole tall tiles allow.
#[inline(always)]
fn block_rows(n_rows: usize) -> usize {
    n_rows.div_ceil(n_rows.div_ceil(ROW_BLOCK).max(1)).next_multiple_of(TALL_ROWS).min(ROW_BLOCK)
}

fn lens(n_rows: usize) -> [usize; 3] {
    let n_rows = n_rows.min(ROW_BLOCK);
    [n_rows * ROW_STRIDE, K_BLOCK * WIDTH, PANEL_GROUP * n_rows * WIDTH]
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
    let block_rows = block_rows(rows.len());
    for first_row in rows.clone().step_by(block_rows) {
        let n_rows = block_rows.min(rows.end - first_row);
        for first_panel in panels.clone().step_by(PANEL_GROUP) {
            let n_panels = PANEL_GROUP.min(panels.end - first_panel);
            for k in (0..n_in).step_by(K_BLOCK) {
                let n = K_BLOCK.min(n_in - k);
                for (row, to) in (first_row..).zip(activations.chunks_exact_mut(ROW_STRIDE)).take(n_rows) {
                    to[..n].copy_from_slice(&all.x[row * n_in + k..][..n]);
                }
                for (panel, sums) in (first_panel..).zip(sums.chunks_exact_mut(n_rows * WIDTH)).take(n_panels)
                {
                    let from = (panel * n_in + k) * WIDTH;
                    // The same block of the next panel; past the last one nothing is read, only asked for.
                    let ahead = from + n_in * WIDTH;
                    let (w, next) = match product.w.panels() {
                        Panels::F32(w) => widen(s, w, from, ahead, n, unpacked),
                        Panels::Bf16(w) => widen(s, w, from, ahead, n, unpacked),
                        Panels::F16(w) => widen(s, w, from, ahead, n, unpacked),
                    };
                    let block = Block { a: activations, w, n, starts: k == 0, ends: k + n == n_in, next };
                    // SAFETY: the caller promises the output.
                    unsafe { block.rows(s, product, sums, first_row, n_rows, panel) };
                }
            }
        }
    }
}

/// `n` rows of sixteen values from `from` on, as f32 (in `room`, if they are not f32 already); and where as many lie
/// from `ahead` on.
#[inline(always)]
fn widen<'a, S: Lanes, W: Stored>(
    s: S,
    w: &'a [W],
    from: usize,
    ahead: usize,
    n: usize,
    room: &'a mut [f32],
) -> (&'a [f32], Ahead) {
    let next = Ahead { start: w.as_ptr().wrapping_add(ahead).cast(), len: n * WIDTH * size_of::<W>() };
    (W::widened(s, &w[from..from + n * WIDTH], room), next)
}

/// Bytes that will be read soon.
#[derive(Clone, Copy)]
struct Ahead {
    start: *const u8,
    len: usize,
}

/// One block of k of one panel, against rows.
struct Block<'a> {
    /// `[rows][ROW_STRIDE]`, of which the first `n` count
    a: &'a [f32],
    /// `[n][16]`
    w: &'a [f32],
    n: usize,
    /// Whether this is the first block of k.
    starts: bool,
    /// Whether it is the last one.
    ends: bool,
    /// What is to be in the caches when this block is done.
    next: Ahead,
}

impl Block<'_> {
    /// All `n_rows` rows of `sums`, `first_row` of the output being the first.
    ///
    /// # Safety
    /// No other thread writes this panel of these rows.
    #[inline(always)]
    unsafe fn rows<S: Lanes>(
        &self,
        s: S,
        product: &Product<'_>,
        sums: &mut [f32],
        first_row: usize,
        n_rows: usize,
        panel: usize,
    ) {
        let mut row = 0;
        let mut asked = 0;
        while row < n_rows {
            let n = if S::TALL && n_rows - row >= TALL_ROWS { TALL_ROWS } else { MAX_ROWS.min(n_rows - row) };
            // The next block's cache lines are asked for a few at a time, so that they never hold up the tile.
            let until = self.next.len * (row + n) / n_rows;
            while asked < until {
                s.prefetch(self.next.start.wrapping_add(asked));
                asked += LINE_BYTES;
            }
            // SAFETY: the caller promises the output.
            unsafe {
                if S::TALL && n == TALL_ROWS {
                    self.tile::<S, TALL_ROWS>(s, product, sums, first_row, row, panel);
                } else {
                    with_rows!(n, R => self.tile::<S, R>(s, product, sums, first_row, row, panel));
                }
            }
            row += n;
        }
    }

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
        let a = &self.a[row * ROW_STRIDE..(row + R) * ROW_STRIDE];
        let sums = &mut sums[row * WIDTH..(row + R) * WIDTH];
        assert!(self.w.len() >= self.n * WIDTH && self.n <= K_BLOCK, "a block of k fits its buffers");
        // SAFETY: `a` holds R rows of ROW_STRIDE ≥ n values, `w` holds n × 16, as just checked; `sums` holds R × 16.
        unsafe {
            let block =
                tile::<S, f32, R, 1, false>(s, a.as_ptr(), ROW_STRIDE, self.w.as_ptr(), 0, self.n, zeros(s));
            for (r, [mut total]) in block.into_iter().enumerate() {
                let at = sums.as_mut_ptr().add(r * WIDTH);
                if !self.starts {
                    total = s.wide_add(s.wide_load(at), total);
                }
                if self.ends {
                    product.finish(s, total, first_row + row + r, panel);
                } else {
                    s.wide_store(total, at);
                }
            }
        }
    }
}
