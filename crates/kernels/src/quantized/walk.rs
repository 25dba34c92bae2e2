//! The way through a quantized matrix: panels in groups, their chunks, and for each chunk that is unpacked, all rows.
//!
//! Few rows stream each panel once, straight from memory, and unpack it in registers. Many rows are taken in blocks whose codes of a chunk stay in
//! the second-level cache, against groups of panels, so that a chunk is unpacked once for all rows of the block.

use std::marker::PhantomData;
use std::ops::Range;

use super::activations::{Activations, TILE_ROWS};
use super::expand::Room;
use super::format::{Format, with_format};
use super::layout::CHUNK;
use super::packed::{Packed, Source};
use super::tile::Tile;
use crate::backend::{Scratch, scratch_len};
use crate::isa::Job;
use crate::lanes::{Lanes, WIDTH};
use crate::linear::Product;

/// Rows whose codes of a chunk (48 KiB) stay in the second-level cache.
const ROW_BLOCK: usize = 192;
/// Panels whose unfinished sums for a block of rows lie beside it (192 KiB).
const PANEL_GROUP: usize = 16;

/// Scratch that [`Share::run`] takes for `n_rows` rows, in f32.
pub(crate) fn scratch(n_rows: usize) -> usize {
    scratch_len(&[sums_len(n_rows)])
}

fn sums_len(n_rows: usize) -> usize {
    PANEL_GROUP * n_rows.min(ROW_BLOCK) * WIDTH
}

/// The part of a product that one thread computes.
pub(crate) struct Share<'a> {
    pub product: &'a Product<'a>,
    /// The rows, quantized as the matrix asks for.
    pub x: &'a Activations,
    pub rows: Range<usize>,
    pub panels: Range<usize>,
    /// Whether the panels are read once, from memory.
    pub stream: bool,
}

/// A share whose type is known. Made by [`Share::run`] alone, whose caller's promise it relies on.
struct Walk<'a, F> {
    share: &'a Share<'a>,
    sums: &'a mut [f32],
    format: PhantomData<F>,
}

impl<F: Format> Job for Walk<'_, F> {
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: `Share::run` is given the promise, and nothing else makes this.
        unsafe { self.share.walk::<S, F>(s, self.sums) }
    }
}

impl Share<'_> {
    /// Computes it.
    ///
    /// # Safety
    /// No other thread writes these panels of these rows of the output.
    #[inline(always)]
    pub(crate) unsafe fn run<S: Lanes>(&self, s: S, scratch: &mut Scratch) {
        let [sums] = scratch.slices([sums_len(self.rows.len())]);
        with_format!(self.product.w.dtype(), F => s.apart(Walk::<F> { share: self, sums, format: PhantomData }));
    }

    #[inline(always)]
    unsafe fn walk<S: Lanes, F: Format>(&self, s: S, sums: &mut [f32]) {
        let w = self.product.w;
        let n_in = w.n_in();
        let n_chunks = n_in.div_ceil(CHUNK);
        let chunk_bytes = F::LAYOUT.chunk_bytes();
        let group = if self.stream { 1 } else { PANEL_GROUP };
        let mut room = Room::new();
        for first_row in self.rows.clone().step_by(ROW_BLOCK) {
            let rows = first_row..self.rows.end.min(first_row + ROW_BLOCK);
            for first_panel in self.panels.clone().step_by(group) {
                let panels = first_panel..self.panels.end.min(first_panel + group);
                for chunk in 0..n_chunks {
                    let n = F::LAYOUT.blocks_of(chunk, n_in);
                    for (panel, sums) in panels.clone().zip(sums.chunks_exact_mut(rows.len() * WIDTH)) {
                        let bytes = w.panel(panel);
                        let bytes = &bytes[chunk * chunk_bytes..bytes.len().min((chunk + 1) * chunk_bytes)];
                        let packed = Packed::new::<S, F>(s, bytes, n);
                        let place = Place { chunk, n, rows: rows.clone() };
                        if rows.len() == 1 || !S::MANY_ROWS {
                            self.rows::<S, F, _, 1>(s, packed, &place, sums);
                        } else if rows.len() <= TILE_ROWS {
                            self.rows::<S, F, _, TILE_ROWS>(s, packed, &place, sums);
                        } else {
                            let unpacked = room.fill::<S, F>(s, packed, n);
                            self.rows::<S, F, _, TILE_ROWS>(s, unpacked, &place, sums);
                        }
                        // SAFETY: the caller's promise is handed on.
                        unsafe {
                            if chunk + 1 == n_chunks {
                                self.finish(s, panel, rows.clone(), sums);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Adds the products of rows with one chunk of a panel to `sums` `[rows][16]`.
    #[inline(always)]
    fn rows<S: Lanes, F: Format, W: Source, const R: usize>(
        &self,
        s: S,
        w: W,
        place: &Place,
        sums: &mut [f32],
    ) {
        let (codes, facts) = self.x.chunk(place.chunk);
        let sums = sums.as_chunks_mut::<WIDTH>().0;
        if place.chunk == 0 {
            sums.fill([0.0; WIDTH]);
        }
        for (row, sums) in place.rows.clone().step_by(R).zip(sums.chunks_mut(R)) {
            // The rows of the last tile that are past the end are computed and left out.
            let (codes, facts) = (first_rows(&codes[row..]), first_rows(&facts[row..]));
            Tile::<_, R> { w, n: place.n, codes, facts }.add::<S, F>(s, sums);
        }
    }

    /// Hands complete sums of `rows` with `panel` to the epilogue.
    ///
    /// # Safety
    /// No other thread writes this panel of these rows of the output.
    #[inline(always)]
    unsafe fn finish<S: Lanes>(&self, s: S, panel: usize, rows: Range<usize>, sums: &[f32]) {
        for (row, sums) in rows.zip(sums.as_chunks::<WIDTH>().0) {
            // SAFETY: sixteen values; the caller promises the output.
            unsafe { self.product.finish(s, s.wide_load(sums.as_ptr()), row, panel) };
        }
    }
}

/// Where in a product a chunk is.
struct Place {
    chunk: usize,
    /// Blocks of a row in it.
    n: usize,
    rows: Range<usize>,
}

#[inline(always)]
fn first_rows<T, const R: usize>(rows: &[T]) -> &[T; R] {
    rows.first_chunk().expect("there is room for whole tiles of rows")
}
