//! From row-major bytes to packed panels.

use lightbox_host::Arena;

use crate::error::{Error, Result, expect_len, product};
use crate::lanes::{WIDTH, bf16_slot};
use crate::matrix::{Dtype, Matrix};

/// Packs a matrix from pieces of its source, which may come in any order.
#[derive(Debug)]
pub struct MatrixBuilder {
    matrix: Matrix,
    /// Which lines of the source have come.
    seen: Seen,
}

#[derive(Debug)]
enum Seen {
    Nothing,
    Rows(Vec<bool>),
    Columns(Vec<bool>),
}

const OP: &str = "matrix packing";

/// Inputs that are packed for all sixteen rows of a panel before the next ones, so that the panel stays in the cache.
const RUN: usize = 128;

impl MatrixBuilder {
    /// Room for `[n_out, n_in]` weights of type `dtype`.
    ///
    /// # Errors
    /// An empty or overflowing shape, or memory that the machine refuses.
    pub fn new(n_out: usize, n_in: usize, dtype: Dtype) -> Result<Self> {
        if n_out == 0 || n_in == 0 {
            return Err(Error::shape(OP, format!("a matrix of n_out {n_out} × n_in {n_in} holds nothing")));
        }
        let bytes = Matrix::packed_bytes(n_out, n_in, dtype).ok_or_else(|| {
            Error::shape(OP, format!("a matrix of n_out {n_out} × n_in {n_in} is larger than memory can be"))
        })?;
        let matrix = Matrix { n_out, n_in, dtype, arena: Arena::zeroed(bytes)? };
        Ok(Self { matrix, seen: Seen::Nothing })
    }

    /// Takes whole rows of a row-major `[n_out, n_in]` source, `first_row` being the first of `bytes_le`.
    ///
    /// # Errors
    /// Bytes that are not whole rows, rows out of range or given twice, or a matrix begun with
    /// [`MatrixBuilder::columns`]; nothing is packed then.
    pub fn rows(&mut self, first_row: usize, bytes_le: &[u8]) -> Result<()> {
        let Matrix { n_out, n_in, dtype, .. } = self.matrix;
        if matches!(self.seen, Seen::Nothing) {
            self.seen = Seen::Rows(vec![false; n_out]);
        }
        let Seen::Rows(seen) = &mut self.seen else {
            return Err(Error::shape(OP, "rows given to a matrix that was begun by columns"));
        };
        let n = mark(seen, "rows", first_row, bytes_le.len(), n_in, dtype)?;
        let line_bytes = n_in * dtype.bytes();
        let mut row = first_row;
        while row < first_row + n {
            let end = (row / WIDTH * WIDTH + WIDTH).min(first_row + n);
            let from = &bytes_le[(row - first_row) * line_bytes..(end - first_row) * line_bytes];
            let column = row % WIDTH;
            let panel = row / WIDTH * n_in * WIDTH..(row / WIDTH + 1) * n_in * WIDTH;
            match dtype {
                Dtype::F32 => {
                    let panel = &mut self.matrix.arena.as_f32_mut()[panel];
                    interleave(panel, from, n_in, |i| column + i, f32::from_le_bytes);
                }
                Dtype::Bf16 => {
                    let panel = &mut self.matrix.arena.as_u16_mut()[panel];
                    interleave(panel, from, n_in, |i| bf16_slot(column + i), u16::from_le_bytes);
                }
                Dtype::F16 => {
                    let panel = &mut self.matrix.arena.as_u16_mut()[panel];
                    interleave(panel, from, n_in, |i| column + i, u16::from_le_bytes);
                }
            }
            row = end;
        }
        Ok(())
    }

    /// Takes whole lines of a row-major `[n_in, n_out]` source, `first_k` being the first of `bytes_le`.
    ///
    /// # Errors
    /// As [`MatrixBuilder::rows`].
    pub fn columns(&mut self, first_k: usize, bytes_le: &[u8]) -> Result<()> {
        let Matrix { n_out, n_in, dtype, .. } = self.matrix;
        if matches!(self.seen, Seen::Nothing) {
            self.seen = Seen::Columns(vec![false; n_in]);
        }
        let Seen::Columns(seen) = &mut self.seen else {
            return Err(Error::shape(OP, "columns given to a matrix that was begun by rows"));
        };
        mark(seen, "columns", first_k, bytes_le.len(), n_out, dtype)?;
        for (k, line) in (first_k..).zip(bytes_le.chunks_exact(n_out * dtype.bytes())) {
            for (panel, piece) in line.chunks(WIDTH * dtype.bytes()).enumerate() {
                let at = (panel * n_in + k) * WIDTH;
                let to = at..at + WIDTH;
                match dtype {
                    Dtype::F32 => {
                        let to = &mut self.matrix.arena.as_f32_mut()[to];
                        interleave(to, piece, 1, |i| i, f32::from_le_bytes);
                    }
                    Dtype::Bf16 => {
                        let to = &mut self.matrix.arena.as_u16_mut()[to];
                        interleave(to, piece, 1, bf16_slot, u16::from_le_bytes);
                    }
                    Dtype::F16 => {
                        let to = &mut self.matrix.arena.as_u16_mut()[to];
                        interleave(to, piece, 1, |i| i, u16::from_le_bytes);
                    }
                }
            }
        }
        Ok(())
    }

    /// The packed matrix.
    ///
    /// # Errors
    /// Lines that never came.
    pub fn finish(self) -> Result<Matrix> {
        let (missing, of) = match &self.seen {
            Seen::Nothing => (self.matrix.n_out, self.matrix.n_out),
            Seen::Rows(seen) | Seen::Columns(seen) => (seen.iter().filter(|s| !**s).count(), seen.len()),
        };
        if missing > 0 {
            return Err(Error::shape(OP, format!("{missing} of {of} lines of the source were not given")));
        }
        Ok(self.matrix)
    }
}

/// Writes row `i` of `lines` (each of `n_in` numbers of `N` bytes) to slot `slot(i)` of `panel` `[n_in][16]`.
fn interleave<T: Copy, const N: usize>(
    panel: &mut [T],
    lines: &[u8],
    n_in: usize,
    slot: impl Fn(usize) -> usize,
    read: impl Fn([u8; N]) -> T,
) {
    let numbers = lines.as_chunks::<N>().0;
    for start in (0..n_in).step_by(RUN) {
        let end = (start + RUN).min(n_in);
        for (i, line) in numbers.chunks_exact(n_in).enumerate() {
            let slot = slot(i);
            let run = panel[start * WIDTH..end * WIDTH].as_chunks_mut::<WIDTH>().0;
            for (to, &bytes) in run.iter_mut().zip(&line[start..end]) {
                to[slot] = read(bytes);
            }
        }
    }
}

/// Marks the lines that `n_bytes` hold, each of `line_len` numbers, as having come; returns how many they are.
fn mark(
    seen: &mut [bool],
    what: &str,
    first: usize,
    n_bytes: usize,
    line_len: usize,
    dtype: Dtype,
) -> Result<usize> {
    let line_bytes = product(OP, &[("line", line_len), ("bytes", dtype.bytes())])?;
    let n = n_bytes / line_bytes;
    expect_len(OP, "source in bytes", n_bytes, &[(what, n), ("bytes a line", line_bytes)])?;
    let total = seen.len();
    let lines = first.checked_add(n).and_then(|end| seen.get_mut(first..end)).ok_or_else(|| {
        Error::shape(OP, format!("{n} {what} from {first} on do not fit a source of {total}"))
    })?;
    if let Some(i) = lines.iter().position(|s| *s) {
        return Err(Error::shape(OP, format!("{what}: line {} was given twice", first + i)));
    }
    lines.fill(true);
    Ok(n)
}
