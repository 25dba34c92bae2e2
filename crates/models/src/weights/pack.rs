//! From stored bytes to packed matrices and f32 vectors.

use lightbox_kernels::{Dtype, Matrix, MatrixBuilder, blocks};

use super::parallel::{Requantized, Rows};
use super::{Catalogue, EMBEDDING, HEAD, Layout, Located};
use crate::config::{HeadTie, ModelConfig};
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// How much of a matrix is in flight between disk and packed form.
const PIECE_BYTES: usize = 8 << 20;

/// The kernels' type for a stored one; `None` for types that weights of this family do not have.
pub(crate) fn dtype(stored: &str) -> Option<Dtype> {
    Dtype::ALL.into_iter().find(|dtype| dtype.name().to_uppercase() == stored)
}

/// A small tensor widened to f32.
pub type Vector = Vec<f32>;

/// Reads tensors of a checked catalogue and tells how far it is.
pub struct Reader<'a> {
    files: &'a ModelFiles,
    catalogue: &'a Catalogue,
    on_progress: &'a mut dyn FnMut(u64, u64),
    done_bytes: u64,
    total_bytes: u64,
    /// One for each thread that reads and packs.
    buffers: Vec<Vec<u8>>,
}

impl<'a> Reader<'a> {
    /// `on_progress` hears of bytes done and bytes in all.
    pub fn new(
        files: &'a ModelFiles,
        catalogue: &'a Catalogue,
        on_progress: &'a mut dyn FnMut(u64, u64),
    ) -> Self {
        let total_bytes = catalogue.tensors.values().map(|t| t.entry.len).sum();
        Self { files, catalogue, on_progress, done_bytes: 0, total_bytes, buffers: vec![Vec::new()] }
    }

    /// Reads and packs matrices for a machine of `n_threads` threads, and with one more, so that none of them is idle
    /// while one waits for the disk.
    #[must_use]
    pub fn for_threads(mut self, n_threads: usize) -> Self {
        self.buffers.resize(n_threads.saturating_add(1), Vec::new());
        self
    }

    fn located(&self, name: &str) -> Result<&'a Located> {
        self.catalogue
            .get(name)
            .ok_or_else(|| Error::new(ErrorKind::Weights, format!("tensor {name} is missing")))
    }

    fn advance(&mut self, bytes: u64) {
        self.done_bytes += bytes;
        (self.on_progress)(self.done_bytes, self.total_bytes);
    }

    /// Says that everything wanted was read; tensors that are of no use here were not.
    pub fn finish(self) {
        (self.on_progress)(self.total_bytes, self.total_bytes);
    }

    /// The type of a stored tensor.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] if it is missing or of a type that is not read.
    pub fn dtype(&self, name: &str) -> Result<Dtype> {
        let located = self.located(name)?;
        dtype(&located.entry.dtype)
            .ok_or_else(|| failed(located, format!("type {} is not read", located.entry.dtype)))
    }

    /// A `[n_out, n_in]` matrix (further sizes of the stored shape are part of `n_in`), packed as it is read.
    ///
    /// # Errors
    /// A tensor that is missing or cannot be read, or memory that cannot be had.
    pub fn matrix(&mut self, name: &str) -> Result<Matrix> {
        let located = self.located(name)?;
        let (n_out, n_in) = sides(located)?;
        let dtype = self.dtype(name)?;
        self.rows(located, n_out, n_in, dtype, None)
    }

    /// A `[n_out, n_in]` matrix as [`Reader::matrix`], of at most `[rows, columns]` stored values: those are rounded to
    /// `dtype`, and the rest is zero.
    ///
    /// # Errors
    /// As [`Reader::matrix`], or stored sizes that are larger.
    pub fn requantized(&mut self, name: &str, [rows, columns]: [usize; 2], dtype: Dtype) -> Result<Matrix> {
        let located = self.located(name)?;
        let (n_out, n_in) = sides(located)?;
        if n_out > rows || n_in > columns {
            let what = format!("expected at most {rows} × {columns} values, found {n_out} × {n_in}");
            return Err(failed(located, what));
        }
        let into = Requantized { from: self.dtype(name)?, to: dtype, stored: n_in, packed: columns };
        self.rows(located, rows, columns, dtype, Some(into))
    }

    fn rows(
        &mut self,
        located: &Located,
        n_out: usize,
        n_in: usize,
        dtype: Dtype,
        into: Option<Requantized>,
    ) -> Result<Matrix> {
        let named = |e: lightbox_kernels::Error| failed(located, e.to_string());
        let mut builder = MatrixBuilder::new(n_out, n_in, dtype).map_err(named)?;
        let stored = located.entry.shape.first().copied().unwrap_or(1).max(1);
        let rows = Rows { files: self.files, located, line_bytes: located.entry.len as usize / stored, into };
        let Self { done_bytes, total_bytes, on_progress, buffers, .. } = self;
        rows.pack(&mut builder, buffers, &mut |bytes| {
            *done_bytes += bytes;
            on_progress(*done_bytes, *total_bytes);
        })?;
        builder.finish().map_err(named)
    }

    /// A matrix from `n_in` to `n_out` features stored as `[n_in, n_out]`; in GGUF it may be stored as `[n_out, n_in]`,
    /// which its sizes say.
    ///
    /// # Errors
    /// As [`Reader::matrix`].
    pub fn projection(&mut self, name: &str, n_in: usize, n_out: usize) -> Result<Matrix> {
        let located = self.located(name)?;
        if sides(located)? != (n_in, n_out) {
            return self.pack(name, n_out, n_in, MatrixBuilder::rows);
        }
        if !self.dtype(name)?.is_quantized() {
            return self.pack(name, n_out, n_in, MatrixBuilder::columns);
        }
        // Blocks that lie across the rows of the packed matrix are widened, which is exact.
        let values = self.vector(name)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let packed = MatrixBuilder::new(n_out, n_in, Dtype::F32).and_then(|mut builder| {
            builder.columns(0, &bytes)?;
            builder.finish()
        });
        packed.map_err(|e| failed(located, e.to_string()))
    }

    /// What files these are.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.catalogue.layout()
    }

    fn pack(
        &mut self,
        name: &str,
        n_out: usize,
        n_in: usize,
        add: fn(&mut MatrixBuilder, usize, &[u8]) -> lightbox_kernels::Result<()>,
    ) -> Result<Matrix> {
        let located = self.located(name)?;
        let dtype = self.dtype(name)?;
        let mut builder =
            MatrixBuilder::new(n_out, n_in, dtype).map_err(|e| failed(located, e.to_string()))?;
        let n_lines = located.entry.shape.first().copied().unwrap_or(1);
        let line_bytes = (located.entry.len as usize).checked_div(n_lines).unwrap_or(0);
        let per_piece = (PIECE_BYTES / line_bytes.max(1)).max(1);
        let mut line = 0;
        while line < n_lines {
            let count = per_piece.min(n_lines - line);
            let offset = located.entry.offset + (line * line_bytes) as u64;
            let bytes = self.files.read_range(&located.file, offset, count * line_bytes)?;
            add(&mut builder, line, &bytes).map_err(|e| failed(located, e.to_string()))?;
            self.advance(bytes.len() as u64);
            line += count;
        }
        builder.finish().map_err(|e| failed(located, e.to_string()))
    }

    /// All values of a small tensor as f32 (exact for every stored type).
    ///
    /// # Errors
    /// A tensor that is missing or cannot be read.
    pub fn vector(&mut self, name: &str) -> Result<Vector> {
        let located = self.located(name)?;
        let dtype = self.dtype(name)?;
        let bytes = self.files.read_range(&located.file, located.entry.offset, located.entry.len as usize)?;
        self.advance(bytes.len() as u64);
        widen(dtype, &bytes).map_err(|e| failed(located, e.to_string()))
    }

    /// The weight of a Gemma norm as it is applied: `1 + w`, computed in f32 as the reference does. GGUF holds this sum.
    ///
    /// # Errors
    /// As [`Reader::vector`].
    pub fn norm(&mut self, name: &str) -> Result<Vector> {
        let mut weight = self.vector(name)?;
        if self.layout() == Layout::HuggingFace {
            weight.iter_mut().for_each(|w| *w += 1.0);
        }
        Ok(weight)
    }

    /// Whether the output head is a matrix of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] if the settings say that it is the embedding table but another one is stored.
    pub fn has_own_head(&mut self, config: &ModelConfig) -> Result<bool> {
        if config.head == HeadTie::Untied {
            return Ok(true);
        }
        let Some(head) = self.catalogue.get(HEAD) else { return Ok(false) };
        let Some(table) = self.catalogue.get(EMBEDDING) else { return Ok(false) };
        let same = self.same_bytes(head, table)?;
        if !same && config.head == HeadTie::Tied {
            return Err(failed(
                head,
                format!("config.json says that it is {}, but their values differ", table.entry.name),
            )
            .hint("set tie_word_embeddings to false if the head is meant to be its own"));
        }
        Ok(!same)
    }

    /// The name under which the embedding table is stored: a tied one may be stored as the head alone.
    #[must_use]
    pub fn embedding_name(&self) -> &'static str {
        if self.catalogue.get(EMBEDDING).is_some() { EMBEDDING } else { HEAD }
    }

    fn same_bytes(&self, a: &Located, b: &Located) -> Result<bool> {
        if (&a.entry.dtype, &a.entry.shape) != (&b.entry.dtype, &b.entry.shape) {
            return Ok(false);
        }
        let mut position = 0;
        while position < a.entry.len {
            let len = (a.entry.len - position).min(PIECE_BYTES as u64) as usize;
            let left = self.files.read_range(&a.file, a.entry.offset + position, len)?;
            if left != self.files.read_range(&b.file, b.entry.offset + position, len)? {
                return Ok(false);
            }
            position += len as u64;
        }
        Ok(true)
    }
}

/// `[outer, product of the rest]` of a shape.
fn sides(located: &Located) -> Result<(usize, usize)> {
    match located.entry.shape.as_slice() {
        [outer, rest @ ..] if !rest.is_empty() => Ok((*outer, rest.iter().product())),
        other => Err(failed(located, format!("expected at least two sizes, found {other:?}"))),
    }
}

pub(super) fn failed(located: &Located, what: String) -> Error {
    Error::new(ErrorKind::Weights, format!("{}: tensor {}: {what}", located.file, located.entry.name))
}

pub(super) fn widen(dtype: Dtype, bytes: &[u8]) -> lightbox_kernels::Result<Vec<f32>> {
    let (block_values, block_bytes) = dtype.block();
    let mut values = vec![0.0; bytes.len() / block_bytes * block_values];
    blocks::dequantize(dtype, bytes, &mut values)?;
    Ok(values)
}
