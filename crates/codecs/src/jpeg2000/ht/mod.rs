//! The high-throughput block coder (ITU-T T.814).
//!
//! A cleanup pass codes all bit-planes of a block down to one of them at once, in three bit strings that share a segment:
//! MEL and VLC say where quads of 2 × 2 samples are significant and how large their exponents are, MagSgn holds
//! magnitudes and signs. Two more passes, in a second segment, refine the samples by one bit-plane.

mod bits;
mod code_words;
mod magnitudes;
mod quads;
mod refinement;
#[cfg(test)]
mod tests;
mod vlc;

use super::fault::corrupt;
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
    /// How many bit planes the cleanup pass codes, `bit_plane` being the lowest.
    pub(super) n_cleanup_planes: u32,
    /// Columns, 1 to 1024.
    pub(super) width: usize,
    /// Rows, 1 to 1024; `width * height` is at most 4096.
    pub(super) height: usize,
    /// Whether the significance of a stripe below is hidden from the one above (T.800, D.7).
    pub(super) is_vertically_causal: bool,
}

/// Largest length of the MEL and VLC strings together (Scup).
const MAX_SUFFIX: usize = 4079;

/// Bits of a sample's magnitude, its half included, that a 32-bit number has room for.
const ROOM: u32 = 30;

/// Decodes a code-block.
///
/// `out` is `[height, width]`, row-major and dense, all zero at the call. What is written is each quantizer index as a
/// two's complement number in units of one half: magnitude `m` with its lowest decoded bit plane `p` becomes
/// `±(2 * m + (1 << p))`, so that a coefficient that was cut short is rebuilt in the middle of its interval; 0 stays 0.
/// (With every bit plane decoded that is `±(2 * m + 1)`, and halving towards zero gives `±m`.)
///
/// # Errors
/// `Corrupt` if the segments contradict themselves.
pub(super) fn decode_block(block: &Block<'_>, out: &mut [i32]) -> Result<()> {
    let Block { cleanup, refinement, n_passes, bit_plane, width, height, .. } = *block;
    if width == 0 || height == 0 || width.checked_mul(height) != Some(out.len()) || bit_plane >= ROOM {
        return Err(corrupt(format!(
            "HT code-block: {width}×{height} samples down to bit-plane {bit_plane}"
        )));
    }
    if !matches!((n_passes, bit_plane, refinement.len()), (1, _, 0) | (2 | 3, 1.., 1..)) {
        return Err(corrupt(format!(
            "HT code-block: {n_passes} passes at bit-plane {bit_plane} with {} bytes for those that refine",
            refinement.len()
        )));
    }
    let strings = Strings::of(cleanup)?;
    let mut mel = bits::Mel::new(strings.mel);
    let mut vlc = bits::Backward::variable_length(strings.vlc, strings.shared);
    let mut quads = quads::Quads::default();
    quads.read(width, height, &mut mel, &mut vlc);
    if vlc.is_overrun() {
        return Err(corrupt(format!(
            "HT code-block: its {} bytes end before the significance of its {width}×{height} samples is known",
            cleanup.len()
        )));
    }
    let planes = magnitudes::Planes {
        n_below: bit_plane,
        most_bits: (block.n_cleanup_planes + 1).min(ROOM - bit_plane),
    };
    magnitudes::read(&quads, width, planes, bits::Forward::new(strings.magnitudes), out)?;
    if n_passes > 1 {
        refinement::refine(refinement, n_passes > 2, width, bit_plane, block.is_vertically_causal, out);
    }
    Ok(())
}

/// The strings of a cleanup segment (T.814, 7.1.2).
struct Strings<'a> {
    magnitudes: &'a [u8],
    /// To the end of the segment; the two strings run towards each other.
    mel: &'a [u8],
    /// From the start of `mel` to the byte `shared`.
    vlc: &'a [u8],
    /// Its upper half is where the VLC string begins, its lower half is of the length.
    shared: u8,
}

impl<'a> Strings<'a> {
    fn of(cleanup: &'a [u8]) -> Result<Self> {
        let Some((rest, &[shared, last])) = cleanup.split_last_chunk::<2>() else {
            return Err(corrupt(format!(
                "HT code-block: expected a cleanup segment of at least 2 bytes, found {}",
                cleanup.len()
            )));
        };
        let n_suffix = usize::from(last) << 4 | usize::from(shared & 15);
        let most = MAX_SUFFIX.min(cleanup.len());
        if !(2..=most).contains(&n_suffix) {
            return Err(corrupt(format!(
                "HT code-block: {n_suffix} of the {} bytes of its cleanup segment are said to be MEL and VLC strings; \
                 expected 2 to {most}",
                cleanup.len()
            )));
        }
        let (magnitudes, mel) = cleanup.split_at(cleanup.len() - n_suffix);
        Ok(Self { magnitudes, mel, vlc: &rest[magnitudes.len()..], shared })
    }
}
