//! From blocks of the source to a column of a panel, and back, without loss.

use super::layout::{LINE, Layout, Sections};
use super::scales;
use crate::dtype::Dtype;
use crate::lanes::WIDTH;
use crate::packing::native;

/// Writes one row's blocks of a chunk to column `column` (0..16) of it.
///
/// `blocks` is whole blocks, `chunk` what [`Layout::sections`] says of as many.
pub(super) fn put(dtype: Dtype, layout: &Layout, blocks: &[u8], chunk: &mut [u8], column: usize) {
    let n = blocks.len() / layout.source_bytes;
    let at = layout.sections(n);
    for (b, block) in blocks.chunks_exact(layout.source_bytes).enumerate() {
        let mut to = Column { chunk, column, layout, at, b };
        match dtype {
            Dtype::F32 | Dtype::Bf16 | Dtype::F16 => {}
            Dtype::Q4_0 | Dtype::Iq4Nl => {
                to.factor(0, &block[..2]);
                to.codes(&block[2..]);
            }
            Dtype::Q4_1 => {
                to.factor(0, &block[..2]);
                to.factor(1, &block[2..4]);
                to.codes(&block[4..]);
            }
            Dtype::Q5_0 => {
                to.factor(0, &block[..2]);
                to.high(&gathered(&block[2..6]));
                to.codes(&block[6..]);
            }
            Dtype::Q5_1 => {
                to.factor(0, &block[..2]);
                to.factor(1, &block[2..4]);
                to.high(&gathered(&block[4..8]));
                to.codes(&block[8..]);
            }
            Dtype::Q8_0 => {
                to.factor(0, &block[..2]);
                let mut codes = [0; 32];
                codes.iter_mut().zip(&block[2..]).for_each(|(to, code)| *to = code ^ 0x80);
                to.codes(&codes);
            }
            Dtype::Q2K => {
                to.scales(&block[..16]);
                to.codes(&block[16..80]);
                to.factor(0, &block[80..82]);
                to.factor(1, &block[82..84]);
            }
            Dtype::Q3K => {
                to.high(&block[..32]);
                to.codes(&block[32..96]);
                to.scales(&scales::of_q3_k(&block[96..108]));
                to.factor(0, &block[108..110]);
            }
            Dtype::Q4K => {
                to.scales_and_minimums(&block[4..16]);
                to.factor(0, &block[..2]);
                to.factor(1, &block[2..4]);
                to.codes(&block[16..]);
            }
            Dtype::Q5K => {
                to.scales_and_minimums(&block[4..16]);
                to.factor(0, &block[..2]);
                to.factor(1, &block[2..4]);
                to.high(&block[16..48]);
                to.codes(&block[48..]);
            }
            Dtype::Q6K => {
                for half in 0..2 {
                    let (low, high) = (&block[64 * half..][..64], &block[128 + 32 * half..][..32]);
                    to.thirds(half, 0, &low[..32]);
                    to.thirds(half, 1, &low[32..]);
                    to.thirds(half, 2, high);
                }
                to.scales(&block[192..208]);
                to.factor(0, &block[208..210]);
            }
            Dtype::Iq4Xs => {
                to.factor(0, &block[..2]);
                to.scales(&scales::of_iq4_xs(&block[2..8]));
                to.codes(&block[8..]);
            }
        }
    }
}

/// Reads column `column` of a chunk back into `blocks`, as the source had them.
pub(super) fn take(dtype: Dtype, layout: &Layout, chunk: &[u8], column: usize, blocks: &mut [u8]) {
    let n = blocks.len() / layout.source_bytes;
    let at = layout.sections(n);
    for (b, block) in blocks.chunks_exact_mut(layout.source_bytes).enumerate() {
        let from = ColumnRef { chunk, column, layout, at, b };
        match dtype {
            Dtype::F32 | Dtype::Bf16 | Dtype::F16 => {}
            Dtype::Q4_0 | Dtype::Iq4Nl => {
                from.factor(0, &mut block[..2]);
                from.codes(&mut block[2..]);
            }
            Dtype::Q4_1 => {
                from.factor(0, &mut block[..2]);
                from.factor(1, &mut block[2..4]);
                from.codes(&mut block[4..]);
            }
            Dtype::Q5_0 => {
                from.factor(0, &mut block[..2]);
                from.high(&mut block[2..6]);
                spread(&mut block[2..6]);
                from.codes(&mut block[6..]);
            }
            Dtype::Q5_1 => {
                from.factor(0, &mut block[..2]);
                from.factor(1, &mut block[2..4]);
                from.high(&mut block[4..8]);
                spread(&mut block[4..8]);
                from.codes(&mut block[8..]);
            }
            Dtype::Q8_0 => {
                from.factor(0, &mut block[..2]);
                from.codes(&mut block[2..]);
                block[2..].iter_mut().for_each(|code| *code ^= 0x80);
            }
            Dtype::Q2K => {
                from.scales(&mut block[..16]);
                from.codes(&mut block[16..80]);
                from.factor(0, &mut block[80..82]);
                from.factor(1, &mut block[82..84]);
            }
            Dtype::Q3K => {
                from.high(&mut block[..32]);
                from.codes(&mut block[32..96]);
                let mut scales = [0; 16];
                from.scales(&mut scales);
                block[96..108].copy_from_slice(&scales::to_q3_k(&scales));
                from.factor(0, &mut block[108..110]);
            }
            Dtype::Q4K => {
                block[4..16].copy_from_slice(&from.scales_and_minimums());
                from.factor(0, &mut block[..2]);
                from.factor(1, &mut block[2..4]);
                from.codes(&mut block[16..]);
            }
            Dtype::Q5K => {
                block[4..16].copy_from_slice(&from.scales_and_minimums());
                from.factor(0, &mut block[..2]);
                from.factor(1, &mut block[2..4]);
                from.high(&mut block[16..48]);
                from.codes(&mut block[48..]);
            }
            Dtype::Q6K => {
                for half in 0..2 {
                    let (low, high) = block.split_at_mut(128);
                    from.thirds(half, 0, &mut low[64 * half..][..32]);
                    from.thirds(half, 1, &mut low[64 * half + 32..][..32]);
                    from.thirds(half, 2, &mut high[32 * half..][..32]);
                }
                from.scales(&mut block[192..208]);
                from.factor(0, &mut block[208..210]);
            }
            Dtype::Iq4Xs => {
                from.factor(0, &mut block[..2]);
                let mut scales = [0; 8];
                from.scales(&mut scales);
                block[2..8].copy_from_slice(&scales::to_iq4_xs(&scales));
                from.codes(&mut block[8..]);
            }
        }
    }
}

/// One row of a chunk, to be written.
struct Column<'a> {
    chunk: &'a mut [u8],
    column: usize,
    layout: &'a Layout,
    at: Sections,
    /// The block, of those in the chunk.
    b: usize,
}

impl Column<'_> {
    /// Words into lines of a section, `each` lines apart.
    fn words(&mut self, section: usize, each: usize, words: &[u8]) {
        let lines = self.chunk[section..].as_chunks_mut::<LINE>().0;
        for (line, word) in lines.iter_mut().step_by(each).zip(words.as_chunks::<4>().0) {
            line.as_chunks_mut::<4>().0[self.column] = *word;
        }
    }

    fn bytes(&mut self, section: usize, bytes: &[u8]) {
        let rows = self.chunk[section..].as_chunks_mut::<WIDTH>().0;
        for (row, byte) in rows.iter_mut().zip(bytes) {
            row[self.column] = *byte;
        }
    }

    fn codes(&mut self, words: &[u8]) {
        self.words(self.at.codes + self.b * self.layout.code_lines * LINE, 1, words);
    }

    /// Eight words of half a block of `q6_k`: every third line from line `which` on.
    fn thirds(&mut self, half: usize, which: usize, words: &[u8]) {
        self.words(self.at.codes + (24 * half + which) * LINE, 3, words);
    }

    fn high(&mut self, words: &[u8]) {
        self.words(self.at.high + self.b * self.layout.high_lines * LINE, 1, words);
    }

    fn scales(&mut self, scales: &[u8]) {
        self.bytes(self.at.scales + self.b * self.layout.scale_rows * WIDTH, scales);
    }

    fn scales_and_minimums(&mut self, packed: &[u8]) {
        let (scales, minimums) = scales::of_q4_k(packed);
        self.scales(&scales);
        self.bytes(self.at.minimums + self.b * self.layout.min_rows * WIDTH, &minimums);
    }

    fn factor(&mut self, which: usize, f16_le: &[u8]) {
        let row = (self.b * self.layout.factors + which) * WIDTH * 2;
        let to = self.chunk[row..].as_chunks_mut::<2>().0.get_mut(self.column);
        to.into_iter().zip(f16_le.as_chunks().0).for_each(|(to, factor)| *to = native(*factor));
    }
}

/// One row of a chunk, to be read.
struct ColumnRef<'a> {
    chunk: &'a [u8],
    column: usize,
    layout: &'a Layout,
    at: Sections,
    b: usize,
}

impl ColumnRef<'_> {
    fn words(&self, section: usize, each: usize, words: &mut [u8]) {
        let lines = self.chunk[section..].as_chunks::<LINE>().0;
        for (line, word) in lines.iter().step_by(each).zip(words.as_chunks_mut::<4>().0) {
            *word = line.as_chunks::<4>().0[self.column];
        }
    }

    fn bytes(&self, section: usize, bytes: &mut [u8]) {
        let rows = self.chunk[section..].as_chunks::<WIDTH>().0;
        for (row, byte) in rows.iter().zip(bytes) {
            *byte = row[self.column];
        }
    }

    fn codes(&self, words: &mut [u8]) {
        self.words(self.at.codes + self.b * self.layout.code_lines * LINE, 1, words);
    }

    fn thirds(&self, half: usize, which: usize, words: &mut [u8]) {
        self.words(self.at.codes + (24 * half + which) * LINE, 3, words);
    }

    fn high(&self, words: &mut [u8]) {
        self.words(self.at.high + self.b * self.layout.high_lines * LINE, 1, words);
    }

    fn scales(&self, scales: &mut [u8]) {
        self.bytes(self.at.scales + self.b * self.layout.scale_rows * WIDTH, scales);
    }

    fn scales_and_minimums(&self) -> [u8; 12] {
        let (mut scales, mut minimums) = ([0; 8], [0; 8]);
        self.scales(&mut scales);
        self.bytes(self.at.minimums + self.b * self.layout.min_rows * WIDTH, &mut minimums);
        scales::to_q4_k(&scales, &minimums)
    }

    fn factor(&self, which: usize, f16_le: &mut [u8]) {
        let row = (self.b * self.layout.factors + which) * WIDTH * 2;
        let from = self.chunk[row..].as_chunks::<2>().0.get(self.column);
        from.into_iter().zip(f16_le.as_chunks_mut().0).for_each(|(from, factor)| *factor = native(*from));
    }
}

/// The fifth bits of 32 values: bit `4g + i` of the source becomes bit `g` of byte `i`, so that they lie as the codes do.
fn gathered(bits_le: &[u8]) -> [u8; 4] {
    let bits = bits_le.as_chunks().0.first().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    std::array::from_fn(|i| {
        let every_fourth = (bits >> i) & 0x1111_1111;
        let pairs = (every_fourth | (every_fourth >> 3)) & 0x0303_0303;
        let nibbles = (pairs | (pairs >> 6)) & 0x000f_000f;
        (nibbles | (nibbles >> 12)) as u8
    })
}

/// The reverse of [`gathered`], in place.
fn spread(bytes: &mut [u8]) {
    let mut bits = 0u32;
    for (i, byte) in bytes.iter().enumerate() {
        for g in 0..8 {
            bits |= u32::from((byte >> g) & 1) << (4 * g + i);
        }
    }
    bytes.copy_from_slice(&bits.to_le_bytes());
}
