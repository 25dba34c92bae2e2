//! What the packets of a tile say of its code-blocks.

use super::coding::BlockStyle;
use super::geometry::{Band, Resolution};
use super::rect::Rect;
use super::tag_tree::TagTree;
use crate::{Result, memory};

/// The code-blocks of one subband in one precinct.
#[derive(Debug)]
pub(super) struct PrecinctBand {
    /// Which subband of its resolution level.
    pub(super) band_idx: usize,
    /// The area on the grid of the subband.
    rect: Rect,
    /// Column and row of the first code-block on their grid, which starts at 0.
    first: (u32, u32),
    /// Binary logarithms of width and height of a code-block.
    log: (u32, u32),
    /// Columns of code-blocks.
    pub(super) n_wide: usize,
    /// Row by row.
    pub(super) blocks: Vec<CodeBlock>,
    /// In which layer a code-block first appears.
    pub(super) inclusion: TagTree,
    /// How many of its highest bit planes are all zero.
    pub(super) zero_planes: TagTree,
}

/// What is known of a code-block.
#[derive(Clone, Debug)]
pub(super) struct CodeBlock {
    /// Coding passes so far; 0: the code-block has not appeared. Those of an HT placeholder are not counted.
    pub(super) n_passes: u8,
    /// Bit planes that are all zero, the highest first.
    pub(super) n_zero_planes: u8,
    /// State of the code for lengths (B.10.7.1).
    pub(super) length_bits: u8,
    /// Passes so far in the codeword segment that is open.
    pub(super) n_in_segment: u8,
    /// First and last of its pieces.
    pub(super) pieces: Option<(u32, u32)>,
}

impl Default for CodeBlock {
    fn default() -> Self {
        Self { n_passes: 0, n_zero_planes: 0, length_bits: 3, n_in_segment: 0, pieces: None }
    }
}

/// What one packet holds of one codeword segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Place in the packets of the tile, and length, in bytes.
    pub(super) offset: u32,
    pub(super) length: u32,
    /// The next piece of the same code-block.
    pub(super) next: Option<std::num::NonZeroU32>,
    /// Coding passes that end in it.
    pub(super) n_passes: u8,
    /// Whether a codeword segment starts with it.
    pub(super) is_start: bool,
}

impl CodeBlock {
    /// Bit planes of `all` that are not all zero.
    pub(super) fn n_planes(&self, all: u32) -> u32 {
        all.saturating_sub(u32::from(self.n_zero_planes))
    }
}

impl PrecinctBand {
    /// The code-blocks of all subbands of a resolution level in precinct `idx`, those without area left out.
    pub(super) fn of_precinct(resolution: &Resolution, idx: u32) -> Result<Box<[Self]>> {
        let mut bands = Vec::with_capacity(resolution.bands.len());
        for (band_idx, band) in resolution.bands.iter().enumerate() {
            let rect = resolution.precinct_in_band(idx, band);
            if !rect.is_empty() {
                bands.push(Self::new(band_idx, band, rect)?);
            }
        }
        Ok(bands.into_boxed_slice())
    }

    fn new(band_idx: usize, band: &Band, rect: Rect) -> Result<Self> {
        let log = band.block;
        let first = (rect.x0 >> log.0, rect.y0 >> log.1);
        let n_wide = (((rect.x1 - 1) >> log.0) - first.0 + 1) as usize;
        let n_high = (((rect.y1 - 1) >> log.1) - first.1 + 1) as usize;
        Ok(Self {
            band_idx,
            rect,
            first,
            log,
            n_wide,
            blocks: memory::filled(n_wide * n_high)?,
            inclusion: TagTree::new(n_wide, n_high)?,
            zero_planes: TagTree::new(n_wide, n_high)?,
        })
    }

    /// The area of code-block `idx` on the grid of the subband, and its row on the grid of code-blocks.
    pub(super) fn place(&self, idx: usize) -> (Rect, u32) {
        let (column, row) =
            (self.first.0 + (idx % self.n_wide) as u32, self.first.1 + (idx / self.n_wide) as u32);
        let edge = |k: u32, log: u32| u32::try_from(u64::from(k) << log).unwrap_or(u32::MAX);
        let whole = Rect {
            x0: edge(column, self.log.0),
            y0: edge(row, self.log.1),
            x1: edge(column + 1, self.log.0),
            y1: edge(row + 1, self.log.1),
        };
        (whole.and(&self.rect), row)
    }
}

/// How many passes a codeword segment holds at most that starts with pass `first` (D.4.2, table D.9).
pub(super) fn most_passes(style: BlockStyle, first: u8) -> u8 {
    if style.is_terminated() {
        return 1;
    }
    match (style.is_bypassed(), first) {
        (false, _) => u8::MAX,
        // The cleanup of the first bit plane and the three passes of the next three.
        (true, 0) => 10,
        // Significance propagation and refinement are raw; the cleanup is not.
        (true, n) if n % 3 == 1 => 2,
        (true, _) => 1,
    }
}
