//! Whole rows of the source into whole panels.

use std::ops::Range;

use super::{Numbers, OP, interleave, mark};
use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::lanes::WIDTH;
use crate::quantized::Layout;

/// Some of a matrix's rows, to be packed by one thread while others pack theirs: made by
/// [`MatrixBuilder::parts`](crate::MatrixBuilder::parts).
#[derive(Debug)]
pub struct RowsPart<'a> {
    pub(super) n_in: usize,
    pub(super) dtype: Dtype,
    /// The rows that are its own.
    pub(super) rows: Range<usize>,
    /// Their panels; the first row is the first one's first column.
    pub(super) panels: &'a mut [u8],
    /// Which of them have come.
    pub(super) seen: &'a mut [bool],
}

impl RowsPart<'_> {
    /// The rows of the source that this part takes.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Takes whole rows of the source, in any order and in pieces of any number of rows; `first_row`, counted in the whole
    /// matrix, is the first of `bytes_le`. Pieces of whole sixteens are fastest.
    ///
    /// # Errors
    /// Bytes that are not whole rows, rows outside [`RowsPart::range`] or given twice; nothing is packed then.
    pub fn rows(&mut self, first_row: usize, bytes_le: &[u8]) -> Result<()> {
        let Some(first) = first_row.checked_sub(self.rows.start) else {
            let Range { start, end } = self.rows;
            return Err(Error::shape(OP, format!("row {first_row} is not of this part, {start} to {end}")));
        };
        let n = mark(self.seen, "rows", first, bytes_le.len(), self.n_in, self.dtype)?;
        if n == 0 {
            return Ok(());
        }
        let line_bytes = bytes_le.len() / n;
        let panel_bytes = self.panels.len() / self.rows.len().div_ceil(WIDTH);
        let mut lines = bytes_le.chunks_exact(line_bytes);
        let mut row = first;
        while row < first + n {
            let (panel, column) = (row / WIDTH, row % WIDTH);
            let end = (row - column + WIDTH).min(first + n);
            let panel = &mut self.panels[panel * panel_bytes..(panel + 1) * panel_bytes];
            let mut rows: [&[u8]; WIDTH] = [&[]; WIDTH];
            rows.iter_mut().zip(lines.by_ref().take(end - row)).for_each(|(to, line)| *to = line);
            pack(self.dtype, panel, column, &rows[..end - row]);
            row = end;
        }
        Ok(())
    }
}

/// Packs rows as columns `column`, `column` + 1 … of a panel.
fn pack(dtype: Dtype, panel: &mut [u8], column: usize, rows: &[&[u8]]) {
    if let Some(layout) = Layout::of(dtype) {
        return layout.pack(dtype, panel, column, rows);
    }
    match Numbers::of(dtype) {
        Numbers::Four => interleave::<4>(panel, rows, |i| column + i),
        Numbers::Two(slot) => interleave::<2>(panel, rows, |i| slot(column + i)),
    }
}
