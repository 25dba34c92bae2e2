//! The high-throughput block coder (ITU-T T.814).

use super::fault::unsupported;
use crate::Result;

/// One code-block as its packets gave it: one HT set, which is a cleanup pass and up to two refining passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// Bytes of the cleanup segment, at least 2 (T.814, 7.1: Lcup).
    pub(super) cleanup: &'a [u8],
    /// Bytes of the refinement segment, which SigProp and MagRef share; empty unless `n_passes` > 1 (Lref).
    pub(super) refinement: &'a [u8],
    /// 1: cleanup only; 2: and significance propagation; 3: and magnitude refinement.
    pub(super) n_passes: u8,
    /// Which bit plane the cleanup pass codes down to, from the least significant bit: 0 to 29.
    /// The others refine `bit_plane - 1`; `bit_plane` is at least 1 where `n_passes` > 1.
    pub(super) bit_plane: u32,
    /// Columns, 1 to 1024.
    pub(super) width: usize,
    /// Rows, 1 to 1024; `width * height` is at most 4096.
    pub(super) height: usize,
    /// Whether the significance of a stripe below is hidden from the one above (T.800, D.7).
    pub(super) is_vertically_causal: bool,
}

/// Decodes a code-block.
///
/// `out` is `[height, width]`, row-major and dense, all zero at the call. What is written is each quantizer index as a
/// two's complement number in units of one half: magnitude `m` with its lowest decoded bit plane `p` becomes
/// `±(2 * m + (1 << p))`, so that a coefficient that was cut short is rebuilt in the middle of its interval; 0 stays 0.
/// (With every bit plane decoded that is `±(2 * m + 1)`, and halving towards zero gives `±m`.)
///
/// # Errors
/// `Corrupt` if the segments contradict themselves; `Truncated` if they are too short for what they announce.
pub(super) fn decode_block(block: &Block<'_>, out: &mut [i32]) -> Result<()> {
    let _ = (block, out);
    Err(unsupported("code-blocks of the high-throughput coder (ITU-T T.814) are not decoded here yet"))
}
