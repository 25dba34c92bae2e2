//! The block coder of T.800: the bit planes of a code-block out of its codeword segments (annexes C and D).

mod contexts;
mod decisions;
mod mq;
mod passes;
mod raw;
mod words;

use super::coding::BlockStyle;
use super::fault::{corrupt, unsupported};
use super::geometry::Orientation;
use crate::Result;
use contexts::Contexts;
use decisions::Coded;
use mq::Mq;
use raw::Raw;
use words::Words;

/// Most magnitude bit planes of a code-block that fit the arithmetic here, those of a region of interest included.
pub(super) const MAX_PLANES: u32 = 30;

/// A code-block as its packets gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// Columns and rows; 4096 samples at most.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) orientation: Orientation,
    pub(super) style: BlockStyle,
    /// Magnitude bit planes without those that are all zero.
    pub(super) n_planes: u32,
    /// Codeword segments, one after the other.
    pub(super) bytes: &'a [u8],
    /// Length in bytes and coding passes of each.
    pub(super) segments: &'a [(usize, u8)],
}

/// Decodes code-blocks, one at a time; holds the memory for it.
#[derive(Debug, Default)]
pub(super) struct BlockDecoder {
    words: Words,
    contexts: Contexts,
}

/// The three passes of a bit plane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Significance,
    Refinement,
    Cleanup,
}

impl BlockDecoder {
    /// Decodes a code-block.
    ///
    /// `put` is called once for each row with its index and its coefficients, which are in units of one half:
    /// magnitude `m` with the lowest decoded bit plane `p` is `±(2 * m + (1 << p))`, and 0 is 0.
    ///
    /// # Errors
    /// If there are more passes than bit planes, or a segmentation symbol is not what it has to be.
    pub(super) fn decode(&mut self, block: &Block<'_>, put: impl FnMut(usize, &[i32])) -> Result<()> {
        let n_passes: usize = block.segments.iter().map(|s| usize::from(s.1)).sum();
        if block.n_planes > MAX_PLANES {
            return Err(unsupported(format!(
                "JPEG 2000: a code-block of {} bit planes; expected {MAX_PLANES} at most",
                block.n_planes
            )));
        }
        if n_passes > (3 * block.n_planes as usize).saturating_sub(2) {
            return Err(corrupt(format!(
                "JPEG 2000: a code-block of {n_passes} coding passes, more than its {} bit planes have",
                block.n_planes
            )));
        }
        self.words.start(block.width, block.height);
        self.contexts.reset();
        let mut rest = block.bytes;
        let mut pass_idx = 0;
        for (length, n_passes) in block.segments {
            let (bytes, after) = rest.split_at_checked(*length).unwrap_or((rest, &[]));
            rest = after;
            self.segment(block, bytes, pass_idx, usize::from(*n_passes))?;
            pass_idx += usize::from(*n_passes);
        }
        self.words.rows(put);
        Ok(())
    }

    /// Decodes the passes of one codeword segment.
    fn segment(&mut self, block: &Block<'_>, bytes: &[u8], first: usize, n_passes: usize) -> Result<()> {
        // Raw from the fifth significant bit plane on, cleanup passes apart (table D.9).
        let is_raw = block.style.is_bypassed() && first >= 10 && kind_of(first) != Pass::Cleanup;
        let causal = block.style.is_vertically_causal();
        let words = &mut self.words;
        let mut mq = Mq::new(bytes);
        let mut raw = Raw::new(bytes);
        for pass_idx in first..first + n_passes {
            let plane = block.n_planes - 1 - (pass_idx as u32).div_ceil(3);
            if is_raw {
                raw = match kind_of(pass_idx) {
                    Pass::Significance => passes::significance(words, raw, block.orientation, causal, plane),
                    _ => passes::refinement(words, raw, plane),
                };
                continue;
            }
            let coded = Coded { mq, contexts: &mut self.contexts.states };
            let mut coded = match kind_of(pass_idx) {
                Pass::Significance => passes::significance(words, coded, block.orientation, causal, plane),
                Pass::Refinement => passes::refinement(words, coded, plane),
                Pass::Cleanup => passes::cleanup(words, coded, block.orientation, causal, plane),
            };
            let has_symbol = block.style.has_segmentation_symbols() && kind_of(pass_idx) == Pass::Cleanup;
            if has_symbol && coded.symbol() != 0b1010 {
                return Err(corrupt(
                    "JPEG 2000: the segmentation symbol after a coding pass is not 1010: its bytes are damaged",
                ));
            }
            mq = coded.mq;
            if block.style.is_reset() {
                self.contexts.reset();
            }
        }
        Ok(())
    }
}

/// Which of the three passes pass `idx` of a code-block is; the first bit plane has a cleanup only.
fn kind_of(idx: usize) -> Pass {
    match idx % 3 {
        0 => Pass::Cleanup,
        1 => Pass::Significance,
        _ => Pass::Refinement,
    }
}
