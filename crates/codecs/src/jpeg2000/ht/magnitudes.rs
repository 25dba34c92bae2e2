//! Second half of the cleanup pass: magnitudes and signs (T.814, 7.3.7 and 7.3.8).

use super::bits::Forward;
use super::quads::{Quad, Quads};
use crate::Result;
use crate::jpeg2000::fault::corrupt;

/// The last bit-plane of the cleanup pass, and what follows from it.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    /// Bit-planes below those of the cleanup pass.
    pub(super) n_below: u32,
    /// Most bits that a magnitude and its sign may have.
    pub(super) most_bits: u32,
}

/// Reads the samples of a code-block of `width` samples a line into `out`.
pub(super) fn read(
    quads: &Quads,
    width: usize,
    planes: Planes,
    bits: &mut Forward<0xFF>,
    out: &mut [i32],
) -> Result<()> {
    let n_columns = width.next_multiple_of(2);
    // 2·(magnitude − 1) + 1 of the lower samples of the quads above, 0 for zeros, with a zero before and two after; and
    // those of the row that is read.
    let (mut above_line, mut current_line) = (vec![0; n_columns + 3], vec![0; n_columns + 3]);
    // Samples of the two lines that a row of quads covers.
    let (mut upper_line, mut lower_line) = (vec![0; n_columns], vec![0; n_columns]);
    let mut out = out.chunks_mut(width.max(1));
    for row in quads.rows() {
        let samples = upper_line.as_chunks_mut::<2>().0.iter_mut().zip(lower_line.as_chunks_mut::<2>().0);
        let above = above_line.windows(4).step_by(2);
        // One past the sample before the row: a quad's lower samples stand where those below look for them.
        let current = current_line[1..].as_chunks_mut::<2>().0.iter_mut();
        for ((quad, (upper, lower)), (above, current)) in row.iter().zip(samples).zip(above.zip(current)) {
            let predicted = above.iter().fold(0, |all, value| all | value);
            let bound = bound(*quad, predicted);
            if bound > planes.most_bits && quad.significance() != 0 {
                return Err(corrupt(format!(
                    "HT code-block: a sample of {bound} bits with its sign, where its bit-planes leave {}",
                    planes.most_bits
                )));
            }
            let values = [0, 1, 2, 3].map(|idx| read_value(*quad, idx, bound, bits));
            [upper[0], lower[0], upper[1], lower[1]] = values.map(|value| sample(value, planes.n_below));
            *current = [values[1], values[3]].map(|value| value.map_or(0, |value| value | 1));
        }
        std::mem::swap(&mut above_line, &mut current_line);
        for samples in [&upper_line, &lower_line] {
            if let Some(line) = out.next() {
                line.copy_from_slice(&samples[..width]);
            }
        }
    }
    Ok(())
}

/// U: the bits that the largest sample of the quad has with its sign, at most. `above` holds all the bits of the samples
/// above.
#[inline]
fn bound(quad: Quad, above: u32) -> u32 {
    let rho = quad.significance();
    let has_several = rho & rho.wrapping_sub(1) != 0;
    // As many bits as the largest one above, less one, where there is more than one sample to gain by it.
    let predicted = if has_several { (32 - above.leading_zeros()).saturating_sub(1).max(1) } else { 1 };
    predicted + u32::from(quad.residual)
}

/// 2·(magnitude − 1) + sign of sample `idx` of a quad, if it is significant.
#[inline]
fn read_value(quad: Quad, idx: u32, bound: u32, bits: &mut Forward<0xFF>) -> Option<u32> {
    if quad.significance() >> idx & 1 == 0 {
        return None;
    }
    let n_bits = bound - (quad.known() >> idx & 1);
    Some(bits.take(n_bits) | (quad.known_bits() >> idx & 1) << n_bits)
}

/// The sample in halves of a unit, in the middle of its interval.
#[inline]
fn sample(value: Option<u32>, n_below: u32) -> i32 {
    let Some(value) = value else { return 0 };
    let magnitude = (((value | 1) + 2) << n_below) as i32;
    if value & 1 == 1 { -magnitude } else { magnitude }
}
