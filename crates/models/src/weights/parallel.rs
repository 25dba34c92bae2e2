//! Reading and packing the rows of a matrix on several threads, so that neither the disk nor the cores wait for the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lightbox_kernels::{Dtype, MatrixBuilder, RowsPart, blocks};

use super::Located;
use super::pack::{failed, widen};
use crate::Result;
use crate::files::ModelFiles;

/// What a thread reads before it packs it: small enough to be still in the cache then, large enough for a disk.
const PIECE_BYTES: usize = 2 << 20;

/// How far ahead of a piece the system fetches, several pieces, so that a disk always has something to do. Pieces are
/// read by several threads in an order that the system does not take for a stream.
const AHEAD_BYTES: u64 = 64 << 20;

/// A matrix whose rows are read and packed.
pub(super) struct Rows<'a> {
    pub files: &'a ModelFiles,
    pub located: &'a Located,
    pub line_bytes: usize,
    /// What they become; `None`: they stay as they are.
    pub into: Option<Requantized>,
}

/// Rows of another type than the stored one.
#[derive(Clone, Copy)]
pub(super) struct Requantized {
    pub from: Dtype,
    pub to: Dtype,
    /// Values of a row as it is stored.
    pub stored: usize,
    /// Values of a row as it is packed; what is more than stored is zero.
    pub packed: usize,
}

impl Rows<'_> {
    /// Fills `builder`, each thread with one of `buffers`; memory in flight is one piece a thread. `on_bytes` is called on
    /// this thread with what has been packed since it was last called.
    ///
    /// # Errors
    /// What cannot be read or packed; other threads then stop after the piece that they are at.
    pub fn pack(
        &self,
        builder: &mut MatrixBuilder,
        buffers: &mut [Vec<u8>],
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let whole = self.located.entry.len as usize;
        let n_parts = whole.div_ceil(PIECE_BYTES).max(buffers.len().min(whole / (PIECE_BYTES / 8)));
        let parts = builder.parts(n_parts).map_err(|e| failed(self.located, e.to_string()))?;
        let parts = Mutex::new(parts.into_iter());
        let packed = AtomicU64::new(0);
        let one = |buffer: &mut Vec<u8>, report: &mut dyn FnMut()| -> Result<()> {
            // The lock is given back before the part is read.
            let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(part) = next() {
                match self.part(part, buffer) {
                    Ok(bytes) => packed.fetch_add(bytes, Ordering::Relaxed),
                    Err(error) => {
                        while next().is_some() {}
                        return Err(error);
                    }
                };
                report();
            }
            Ok(())
        };
        let Some((mine, others)) = buffers.split_first_mut() else { return Ok(()) };
        let outcome = thread::scope(|scope| {
            // A thread that the system refuses is one that the others do without.
            let threads: Vec<_> = others
                .iter_mut()
                .filter_map(|buffer| {
                    thread::Builder::new().spawn_scoped(scope, || one(buffer, &mut || {})).ok()
                })
                .collect();
            let own = one(mine, &mut || on_bytes(packed.swap(0, Ordering::Relaxed)));
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .fold(own, Result::and)
        });
        on_bytes(packed.swap(0, Ordering::Relaxed));
        outcome
    }

    /// Reads and packs the rows of one part, of which those past the last stored one are zero; returns the bytes read.
    fn part(&self, mut part: RowsPart<'_>, buffer: &mut Vec<u8>) -> Result<u64> {
        let rows = part.range();
        let stored = self.located.entry.len as usize / self.line_bytes;
        let len = rows.end.min(stored).saturating_sub(rows.start) * self.line_bytes;
        buffer.resize(len, 0);
        let offset = self.located.entry.offset + (rows.start.min(stored) * self.line_bytes) as u64;
        self.files.will_read(&self.located.file, offset + AHEAD_BYTES, len);
        self.files.read_into(&self.located.file, offset, buffer)?;
        let packed = match self.into {
            None => part.rows(rows.start, buffer),
            Some(into) => into.rows(rows.len(), buffer).and_then(|bytes| part.rows(rows.start, &bytes)),
        };
        packed.map_err(|e| failed(self.located, e.to_string()))?;
        Ok(len as u64)
    }
}

impl Requantized {
    /// `n_rows` rows from the stored bytes of the first of them.
    fn rows(self, n_rows: usize, stored: &[u8]) -> lightbox_kernels::Result<Vec<u8>> {
        let mut values = vec![0.0; n_rows * self.packed];
        let rows = widen(self.from, stored)?;
        for (to, from) in values.chunks_exact_mut(self.packed).zip(rows.chunks_exact(self.stored)) {
            to[..self.stored].copy_from_slice(from);
        }
        let (block, bytes) = self.to.block();
        let mut quantized = vec![0; values.len() / block * bytes];
        blocks::quantize(self.to, &values, &mut quantized)?;
        Ok(quantized)
    }
}
