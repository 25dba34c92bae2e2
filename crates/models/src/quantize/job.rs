//! One tensor from a model folder to a GGUF file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use lightbox_kernels::{Dtype, blocks};
use sha2::{Digest, Sha256};

use super::report::Loss;
use crate::files::ModelFiles;
use crate::gguf::{GgmlType, Head};
use crate::weights::Located;
use crate::{Error, ErrorKind, Result};

/// Values that each thread turns at a time.
const VALUES_A_THREAD: usize = 1 << 20;

/// A tensor that is to be written.
pub(super) struct Job {
    located: Located,
    from: Dtype,
    to: Dtype,
    width: usize,
    n_rows: usize,
    /// Added to every value.
    add: f32,
}

impl Job {
    /// Plans a tensor and adds it to the head.
    pub(super) fn plan(
        head: &mut Head,
        located: &Located,
        name: &str,
        to: Dtype,
        shape: &[usize],
        add: f32,
    ) -> Result<Self> {
        let entry = &located.entry;
        let from = crate::weights::dtype(&entry.dtype).filter(|dtype| !dtype.is_quantized());
        let from = from.ok_or_else(|| {
            Error::new(
                ErrorKind::Weights,
                format!(
                    "{}: tensor {}: expected BF16, F16 or F32, found {}",
                    located.file, entry.name, entry.dtype
                ),
            )
            .hint("quantize from the model as it was published")
        })?;
        let kind = GgmlType::of_name(&to.to_string().to_uppercase())
            .ok_or_else(|| Error::new(ErrorKind::Weights, format!("{to} has no number in GGUF")))?;
        head.tensor(name, kind, shape)?;
        // Single numbers and short kernels are one row: only whole rows of matrices are quantized.
        let width = if to.is_quantized() { shape.last().copied().unwrap_or(1) } else { 1 };
        let n = shape.iter().product::<usize>();
        Ok(Self { located: located.clone(), from, to, width, n_rows: n / width.max(1), add })
    }

    /// Bytes that are read for it.
    pub(super) fn source_len(&self) -> u64 {
        self.located.entry.len
    }

    /// Writes the tensor's data and adds what is lost to `losses`; returns the SHA-256 of what was written.
    pub(super) fn run(
        &self,
        files: &ModelFiles,
        n_threads: usize,
        to: &mut BufWriter<File>,
        losses: &mut BTreeMap<Dtype, Loss>,
        on_read: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<[u8; 32]> {
        let entry = &self.located.entry;
        let number = self.from.block().1;
        let row_bytes = self.to.row_bytes(self.width).unwrap_or(0);
        let rows_a_thread = (VALUES_A_THREAD / self.width).max(1);
        let mut hash = Sha256::new();
        let loss = losses.entry(self.to).or_default();
        loss.tensors += 1;
        let mut row = 0;
        let mut out = Vec::new();
        while row < self.n_rows {
            let rows = (rows_a_thread * n_threads).min(self.n_rows - row);
            let offset = entry.offset + (row * self.width * number) as u64;
            let bytes = files.read_range(&self.located.file, offset, rows * self.width * number)?;
            out.resize(rows * row_bytes, 0);
            let each = rows.div_ceil(n_threads);
            let pieces = bytes.chunks(each * self.width * number).zip(out.chunks_mut(each * row_bytes));
            let sums = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    pieces.map(|(from, to)| scope.spawn(move || self.turn(from, to))).collect();
                threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
            });
            for sum in sums {
                let sum = sum.map_err(|_| Error::new(ErrorKind::Resources, "a thread ended early"))?;
                loss.add(sum.map_err(|e| self.failed(row, &e))?);
            }
            to.write_all(&out).map_err(|e| super::unwritten(&entry.name, &e))?;
            hash.update(&out);
            on_read(bytes.len() as u64)?;
            row += rows;
        }
        let padding = Head::padding((self.n_rows * row_bytes) as u64);
        to.write_all(&vec![0; padding]).map_err(|e| super::unwritten(&entry.name, &e))?;
        Ok(hash.finalize().into())
    }

    /// Turns whole rows and returns the squares of what was lost and of the values, and how many there are.
    fn turn(&self, from: &[u8], to: &mut [u8]) -> lightbox_kernels::Result<(f64, f64, u64)> {
        let mut values = vec![0.0; from.len() / self.from.block().1];
        blocks::dequantize(self.from, from, &mut values)?;
        values.iter_mut().for_each(|value| *value += self.add);
        blocks::quantize(self.to, &values, to)?;
        let mut back = vec![0.0; values.len()];
        blocks::dequantize(self.to, to, &mut back)?;
        let (mut lost, mut all) = (0.0, 0.0);
        for (value, back) in values.iter().zip(&back) {
            let off = f64::from(value - back);
            lost += off * off;
            all += f64::from(*value) * f64::from(*value);
        }
        Ok((lost, all, values.len() as u64))
    }

    fn failed(&self, row: usize, error: &lightbox_kernels::Error) -> Error {
        Error::new(
            ErrorKind::Weights,
            format!("{}: tensor {}: from row {row} on: {error}", self.located.file, self.located.entry.name),
        )
    }
}
