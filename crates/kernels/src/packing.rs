//! From row-major bytes to packed panels.

use lightbox_host::Arena;

use crate::blocks;
use crate::dtype::Dtype;
use crate::error::{Error, Result, expect_len};
use crate::lanes::{WIDTH, bf16_slot};
use crate::matrix::Matrix;

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
    /// An empty or overflowing shape, an `n_in` that is not whole blocks of `dtype`, or memory that the machine refuses.
    pub fn new(n_out: usize, n_in: usize, dtype: Dtype) -> Result<Self> {
        if n_out == 0 || n_in == 0 {
            return Err(Error::shape(OP, format!("a matrix of n_out {n_out} × n_in {n_in} holds nothing")));
        }
        let (block, _) = dtype.block();
        if !n_in.is_multiple_of(block) {
            return Err(Error::shape(
                OP,
                format!("n_in {n_in} is not whole blocks of {dtype}, which hold {block}"),
            ));
        }
        let bytes = Matrix::packed_bytes(n_out, n_in, dtype).ok_or_else(|| {
            Error::shape(OP, format!("a matrix of n_out {n_out} × n_in {n_in} is larger than memory can be"))
        })?;
        let matrix = Matrix { n_out, n_in, dtype, arena: Arena::zeroed(bytes)? };
        Ok(Self { matrix, seen: Seen::Nothing })
    }

    /// Takes whole rows of a row-major `[n_out, n_in]` source, `first_row` being the first of `bytes_le`; quantized
    /// rows are blocks as GGUF stores them.
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
        let line_bytes = bytes_le.len() / n.max(1);
        let mut values = vec![0.0; if dtype.is_quantized() { WIDTH * n_in } else { 0 }];
        let mut row = first_row;
        while row < first_row + n {
            let end = (row / WIDTH * WIDTH + WIDTH).min(first_row + n);
            let from = &bytes_le[(row - first_row) * line_bytes..(end - first_row) * line_bytes];
            let column = row % WIDTH;
            let panel = row / WIDTH * n_in * WIDTH..(row / WIDTH + 1) * n_in * WIDTH;
            match dtype {
                Dtype::F32 => {
                    let panel = &mut self.matrix.arena.as_f32_mut()[panel];
                    interleave(panel, from.as_chunks().0, n_in, |i| column + i, f32::from_le_bytes);
                }
                Dtype::Bf16 => {
                    let panel = &mut self.matrix.arena.as_u16_mut()[panel];
                    interleave(
                        panel,
                        from.as_chunks().0,
                        n_in,
                        |i| bf16_slot(column + i),
                        u16::from_le_bytes,
                    );
                }
                Dtype::F16 => {
                    let panel = &mut self.matrix.arena.as_u16_mut()[panel];
                    interleave(panel, from.as_chunks().0, n_in, |i| column + i, u16::from_le_bytes);
                }
                quantized => {
                    let values = &mut values[..(end - row) * n_in];
                    blocks::dequantize(quantized, from, values)?;
                    let panel = &mut self.matrix.arena.as_f32_mut()[panel];
                    interleave(panel, values, n_in, |i| column + i, |value| value);
                }
            }
            row = end;
        }
        Ok(())
    }

    /// Takes whole lines of a row-major `[n_in, n_out]` source, `first_k` being the first of `bytes_le`.
    ///
    /// # Errors
    /// As [`MatrixBuilder::rows`], or a quantized type: a block belongs to one row.
    pub fn columns(&mut self, first_k: usize, bytes_le: &[u8]) -> Result<()> {
        let Matrix { n_out, n_in, dtype, .. } = self.matrix;
        if dtype.is_quantized() {
            return Err(Error::shape(OP, format!("columns of {dtype}, whose blocks lie along rows")));
        }
        if matches!(self.seen, Seen::Nothing) {
            self.seen = Seen::Columns(vec![false; n_in]);
        }
        let Seen::Columns(seen) = &mut self.seen else {
            return Err(Error::shape(OP, "columns given to a matrix that was begun by rows"));
        };
        mark(seen, "columns", first_k, bytes_le.len(), n_out, dtype)?;
        let (_, number) = dtype.block();
        for (k, line) in (first_k..).zip(bytes_le.chunks_exact(n_out * number)) {
            for (panel, piece) in line.chunks(WIDTH * number).enumerate() {
                let at = (panel * n_in + k) * WIDTH;
                let to = at..at + WIDTH;
                match dtype {
                    Dtype::Bf16 => {
                        let to = &mut self.matrix.arena.as_u16_mut()[to];
                        interleave(to, piece.as_chunks().0, 1, bf16_slot, u16::from_le_bytes);
                    }
                    Dtype::F16 => {
                        let to = &mut self.matrix.arena.as_u16_mut()[to];
                        interleave(to, piece.as_chunks().0, 1, |i| i, u16::from_le_bytes);
                    }
                    _ => {
                        let to = &mut self.matrix.arena.as_f32_mut()[to];
                        interleave(to, piece.as_chunks().0, 1, |i| i, f32::from_le_bytes);
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

/// Writes row `i` of `numbers` (each of `n_in`) to slot `slot(i)` of `panel` `[n_in][16]`.
fn interleave<N: Copy, T: Copy>(
    panel: &mut [T],
    numbers: &[N],
    n_in: usize,
    slot: impl Fn(usize) -> usize,
    read: impl Fn(N) -> T,
) {
    for start in (0..n_in).step_by(RUN) {
        let end = (start + RUN).min(n_in);
        for (i, line) in numbers.chunks_exact(n_in).enumerate() {
            let slot = slot(i);
            let run = panel[start * WIDTH..end * WIDTH].as_chunks_mut::<WIDTH>().0;
            for (to, &number) in run.iter_mut().zip(&line[start..end]) {
                to[slot] = read(number);
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
    let line_bytes = dtype.row_bytes(line_len).ok_or_else(|| {
        Error::shape(OP, format!("{what} of {line_len} values are not whole blocks of {dtype}, or too large"))
    })?;
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
