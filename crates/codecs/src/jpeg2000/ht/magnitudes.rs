//! Second half of the cleanup pass: magnitudes and signs (T.814, 7.3.7 and 7.3.8).

use super::bits::{Ahead, Forward, HELD};
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
    mut string: Forward<0xFF>,
    out: &mut [i32],
) -> Result<()> {
    let n_columns = width.next_multiple_of(2);
    // 2·(magnitude − 1) + 1 of the lower samples of the quads above, 0 for zeros, with a zero before and three after; and
    // those of the row that is read.
    let (mut above_line, mut current_line) = (vec![0; n_columns + 4], vec![0; n_columns + 4]);
    // Samples of the two lines that a row of quads covers.
    let (mut upper_line, mut lower_line) = (vec![0; n_columns], vec![0; n_columns]);
    let mut bits = Ahead::default();
    let mut out = out.chunks_mut(width.max(1));
    for row in quads.rows() {
        let samples = upper_line.as_chunks_mut::<2>().0.iter_mut().zip(lower_line.as_chunks_mut::<2>().0);
        // One past the sample before the row: a quad's lower samples stand where those below look for them.
        let current = current_line[1..].as_chunks_mut::<2>().0.iter_mut();
        let mut above = above_line.as_chunks::<2>().0.iter();
        let mut west = above.next().copied().unwrap_or_default();
        for ((quad, (upper, lower)), (east, current)) in row.iter().zip(samples).zip(above.zip(current)) {
            let predicted = west[0] | west[1] | east[0] | east[1];
            west = *east;
            if quad.significance() == 0 {
                (*upper, *lower, *current) = ([0; 2], [0; 2], [0; 2]);
                continue;
            }
            let bound = bound(*quad, predicted);
            if bound > planes.most_bits {
                return Err(corrupt(format!(
                    "HT code-block: a sample of {bound} bits with its sign, where its bit-planes leave {}",
                    planes.most_bits
                )));
            }
            let sets = [quad.significance(), quad.known(), quad.known_bits()];
            let masks = sets.map(|set| &MASKS[set as usize % MASKS.len()]);
            let of = |idx: usize| masks.map(|mask| mask[idx]);
            // Two samples share what is held where they fit. Written out, because a loop would stay one.
            bits.refill(&mut string);
            let a = read_value(of(0), bound, &mut bits);
            if bound > HELD / 2 {
                bits.refill(&mut string);
            }
            let b = read_value(of(1), bound, &mut bits);
            bits.refill(&mut string);
            let c = read_value(of(2), bound, &mut bits);
            if bound > HELD / 2 {
                bits.refill(&mut string);
            }
            let d = read_value(of(3), bound, &mut bits);
            let place = |(value, mask): (u32, u32)| sample(value, planes.n_below) & mask as i32;
            let seen_below = |(value, mask): (u32, u32)| (value | 1) & mask;
            *upper = [place(a), place(c)];
            *lower = [place(b), place(d)];
            *current = [seen_below(b), seen_below(d)];
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

/// For each set of samples of a quad: all ones for a sample in it, else zeros.
static MASKS: [[u32; 4]; 16] = {
    let mut masks = [[0; 4]; 16];
    let mut set = 0;
    while set < 16 {
        let mut idx = 0;
        while idx < 4 {
            masks[set][idx] = (set as u32 >> idx & 1).wrapping_neg();
            idx += 1;
        }
        set += 1;
    }
    masks
};

/// 2·(magnitude − 1) + sign of a sample, and all ones if it is significant, else zeros.
#[inline(always)]
fn read_value([mask, known, one]: [u32; 3], bound: u32, bits: &mut Ahead) -> (u32, u32) {
    // A known exponent is −1 here: one bit less is to be read.
    let n_bits = bound.wrapping_add(known) & mask;
    (bits.take(n_bits) | 1 << n_bits & one, mask)
}

/// The sample in halves of a unit, in the middle of its interval.
#[inline]
fn sample(value: u32, n_below: u32) -> i32 {
    let magnitude = (((value | 1) + 2) << n_below) as i32;
    let sign = -((value & 1) as i32);
    (magnitude ^ sign) - sign
}
