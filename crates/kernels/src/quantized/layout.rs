//! Where the fields of a block lie in a panel.
//!
//! A panel is sixteen rows of the source, in chunks of at most 256 inputs: one block of 256 values or up to eight blocks
//! of 32. Within a chunk each field of all blocks and rows lies together, sixteen rows side by side, in the order in which
//! a product reads them:
//!
//! | section | element | of each block |
//! |---|---|---|
//! | factors | f16: `d`, then `m` or `dmin` of each block | 1 or 2 × 16 |
//! | scales | bytes, unpacked from six bits or nibbles (`q2_k`: with the minimum, as stored) | 0, 8 or 16 × 16 |
//! | minimums | bytes | 0 or 8 × 16 |
//! | high | 32-bit words of fifth or third bits, from the next cache line on | 0, 1 or 8 × 16 |
//! | codes | 32-bit words as the source has them (bytes offset by 128 for `q8_0`) | 4, 8, 16, 32 or 48 × 16 |
//!
//! A chunk is whole cache lines. A word of codes is four consecutive inputs of one row (or, by nibbles or pairs of bits,
//! two or four groups of four), which is what an 8-bit dot product takes; so nothing is shuffled while a panel is
//! streamed, and packing is a copy of 32-bit words to places 64 bytes apart. Of `q6_k`, every two words of low nibbles are
//! followed by the word of their upper pairs: what is read in order, a CPU fetches ahead by itself.

use super::repack;
use crate::dtype::Dtype;
use crate::lanes::WIDTH;

/// Most inputs of a chunk.
pub(crate) const CHUNK: usize = 256;

/// Bytes of a word of each of the sixteen rows.
pub(super) const LINE: usize = 4 * WIDTH;

/// What a block of a quantized type becomes, counted in lines (of sixteen words) and rows (of sixteen bytes or f16).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Values of a block: 32 or 256.
    pub block: usize,
    /// Bytes of a block in the source.
    pub source_bytes: usize,
    pub code_lines: usize,
    pub high_lines: usize,
    pub scale_rows: usize,
    pub min_rows: usize,
    pub factors: usize,
}

/// Where sections of a chunk begin after the factors, and where it ends, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    pub scales: usize,
    pub minimums: usize,
    pub high: usize,
    pub codes: usize,
    pub len: usize,
}

impl Layout {
    /// The layout of a quantized type; `None` for a type of plain numbers.
    pub const fn of(dtype: Dtype) -> Option<Self> {
        let (code_lines, high_lines, scale_rows, min_rows, factors) = match dtype {
            Dtype::F32 | Dtype::Bf16 | Dtype::F16 => return None,
            Dtype::Q4_0 | Dtype::Iq4Nl => (4, 0, 0, 0, 1),
            Dtype::Q4_1 => (4, 0, 0, 0, 2),
            Dtype::Q5_0 => (4, 1, 0, 0, 1),
            Dtype::Q5_1 => (4, 1, 0, 0, 2),
            Dtype::Q8_0 => (8, 0, 0, 0, 1),
            Dtype::Q2K => (16, 0, 16, 0, 2),
            Dtype::Q3K => (16, 8, 16, 0, 1),
            Dtype::Q4K => (32, 0, 8, 8, 2),
            Dtype::Q5K => (32, 8, 8, 8, 2),
            Dtype::Q6K => (48, 0, 16, 0, 1),
            Dtype::Iq4Xs => (32, 0, 8, 0, 1),
        };
        let (block, source_bytes) = dtype.block();
        Some(Self { block, source_bytes, code_lines, high_lines, scale_rows, min_rows, factors })
    }

    /// Blocks of a row in a whole chunk.
    pub const fn blocks_a_chunk(&self) -> usize {
        CHUNK / self.block
    }

    /// The sections of a chunk of `n` blocks a row.
    #[inline(always)]
    pub const fn sections(&self, n: usize) -> Sections {
        let scales = n * self.factors * WIDTH * 2;
        let minimums = scales + n * self.scale_rows * WIDTH;
        let high = (minimums + n * self.min_rows * WIDTH).next_multiple_of(LINE);
        let codes = high + n * self.high_lines * LINE;
        Sections { scales, minimums, high, codes, len: codes + n * self.code_lines * LINE }
    }

    /// Bytes of a whole chunk.
    #[inline(always)]
    pub const fn chunk_bytes(&self) -> usize {
        self.sections(self.blocks_a_chunk()).len
    }

    /// Blocks of a row in chunk `chunk` of rows of `n_in` values.
    #[inline(always)]
    pub fn blocks_of(&self, chunk: usize, n_in: usize) -> usize {
        (n_in / self.block - chunk * self.blocks_a_chunk()).min(self.blocks_a_chunk())
    }

    /// Bytes of a panel of rows of `n_in` values, whole blocks; `None` if no address space holds it.
    pub fn panel_bytes(&self, n_in: usize) -> Option<usize> {
        let rest = n_in % CHUNK / self.block;
        (n_in / CHUNK).checked_mul(self.chunk_bytes())?.checked_add(self.sections(rest).len)
    }

    /// Packs rows as columns `column`, `column` + 1 … of `panel`, chunk by chunk, so that a chunk stays in the cache.
    pub fn pack(&self, dtype: Dtype, panel: &mut [u8], column: usize, rows: &[&[u8]]) {
        let source_bytes = self.blocks_a_chunk() * self.source_bytes;
        for (c, chunk) in panel.chunks_mut(self.chunk_bytes()).enumerate() {
            for (column, row) in (column..).zip(rows) {
                let end = row.len().min((c + 1) * source_bytes);
                repack::put(dtype, self, &row[c * source_bytes..end], chunk, column);
            }
        }
    }

    /// Reads column `column` of `panel` back into `row`, as the source had it.
    pub fn unpack(&self, dtype: Dtype, panel: &[u8], column: usize, row: &mut [u8]) {
        let source = row.chunks_mut(self.blocks_a_chunk() * self.source_bytes);
        for (chunk, blocks) in panel.chunks(self.chunk_bytes()).zip(source) {
            repack::take(dtype, self, chunk, column, blocks);
        }
    }
}
