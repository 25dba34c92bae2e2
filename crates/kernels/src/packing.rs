//! From row-major bytes to packed panels.

mod rows;

use lightbox_host::Arena;

use crate::backend::share;
use crate::dtype::Dtype;
use crate::error::{Error, Result, expect_len};
use crate::lanes::{WIDTH, bf16_slot};
use crate::matrix::Matrix;

pub use rows::RowsPart;

/// Packs a matrix from pieces of its source, which may come in any order.
///
/// Several threads can pack one matrix:
///
/// ```
/// # use lightbox_kernels::{Dtype, MatrixBuilder};
/// # let (n_out, n_in, source) = (40, 8, vec![0u8; 40 * 8 * 4]);
/// # let row_bytes = 8 * 4;
/// let mut builder = MatrixBuilder::new(n_out, n_in, Dtype::F32)?;
/// std::thread::scope(|scope| {
///     let parts = builder.parts(2)?;
///     let threads: Vec<_> = (parts.into_iter())
///         .map(|mut part| {
///             let rows = part.range();
///             let bytes = &source[rows.start * row_bytes..rows.end * row_bytes];
///             scope.spawn(move || part.rows(rows.start, bytes))
///         })
///         .collect();
///     threads.into_iter().try_for_each(|thread| thread.join().expect("packing does not panic"))
/// })?;
/// let matrix = builder.finish()?;
/// # Ok::<(), lightbox_kernels::Error>(())
/// ```
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
        self.parts(1)?.iter_mut().try_for_each(|whole| whole.rows(first_row, bytes_le))
    }

    /// Cuts the rows into at most `n` parts that several threads can pack at once. Each is whole panels of sixteen
    /// rows, so there are fewer parts where there are fewer panels. Parts may be asked for again for the rows that are
    /// still to come; what was given is remembered.
    ///
    /// # Errors
    /// A matrix begun with [`MatrixBuilder::columns`].
    pub fn parts(&mut self, n: usize) -> Result<Vec<RowsPart<'_>>> {
        let n_panels = self.matrix.n_panels();
        let panel_bytes = self.matrix.arena.len() / n_panels;
        let Matrix { n_out, n_in, dtype, .. } = self.matrix;
        if matches!(self.seen, Seen::Nothing) {
            self.seen = Seen::Rows(vec![false; n_out]);
        }
        let Seen::Rows(seen) = &mut self.seen else {
            return Err(Error::shape(OP, "rows given to a matrix that was begun by columns"));
        };
        let (mut panels, mut seen) = (self.matrix.arena.as_bytes_mut(), seen.as_mut_slice());
        let n = n.clamp(1, n_panels);
        let parts = (0..n).map(|part| {
            let of = share(n_panels, part, n);
            let rows = of.start * WIDTH..(of.end * WIDTH).min(n_out);
            let (mine, rest) = std::mem::take(&mut panels).split_at_mut(of.len() * panel_bytes);
            let (seen_mine, seen_rest) = std::mem::take(&mut seen).split_at_mut(rows.len());
            (panels, seen) = (rest, seen_rest);
            RowsPart { n_in, dtype, rows, panels: mine, seen: seen_mine }
        });
        Ok(parts.collect())
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
        let panels = self.matrix.arena.as_bytes_mut();
        for (k, line) in (first_k..).zip(bytes_le.chunks_exact(n_out * number)) {
            for (panel, piece) in line.chunks(WIDTH * number).enumerate() {
                let to = &mut panels[(panel * n_in + k) * WIDTH * number..][..WIDTH * number];
                let numbers = piece.chunks_exact(number).enumerate();
                match Numbers::of(dtype) {
                    Numbers::Four => numbers.for_each(|(i, one)| interleave::<4>(to, &[one], |_| i)),
                    Numbers::Two(slot) => {
                        numbers.for_each(|(i, one)| interleave::<2>(to, &[one], |_| slot(i)))
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

/// Bytes of a plain number, and where a column of a panel's row lies.
enum Numbers {
    Four,
    Two(fn(usize) -> usize),
}

impl Numbers {
    fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Bf16 => Self::Two(bf16_slot),
            Dtype::F16 => Self::Two(|column| column),
            _ => Self::Four,
        }
    }
}

/// Writes row `i` of `rows`, each of little-endian numbers of `N` bytes, to slot `slot(i)` of `panel` `[n_in][16]`.
fn interleave<const N: usize>(panel: &mut [u8], rows: &[&[u8]], slot: impl Fn(usize) -> usize) {
    let panel = panel.as_chunks_mut::<N>().0.as_chunks_mut::<WIDTH>().0;
    for (start, run) in (0..).step_by(RUN).zip(panel.chunks_mut(RUN)) {
        for (i, row) in rows.iter().enumerate() {
            let slot = slot(i);
            for (to, number) in run.iter_mut().zip(&row.as_chunks::<N>().0[start..]) {
                to[slot] = native(*number);
            }
        }
    }
}

/// The bytes of a little-endian number as this machine keeps them.
#[inline]
pub(crate) fn native<const N: usize>(mut le: [u8; N]) -> [u8; N] {
    if cfg!(target_endian = "big") {
        le.reverse();
    }
    le
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
