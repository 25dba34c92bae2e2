//! The refining passes: significance propagation and magnitude refinement, one bit-plane below the cleanup pass
//! (T.814, 7.4 and 7.5).

use super::bits::{Ahead, Backward, Forward};

/// Rows of a stripe.
const STRIPE: usize = 4;

/// Columns of which significance comes before signs.
const GROUP: usize = 4;

/// Refines the samples of a code-block, `width` a line, in halves of a unit; `n_below` ≥ 1 is the number of bit-planes
/// below those of the cleanup pass.
pub(super) fn refine(
    segment: &[u8],
    has_magnitudes: bool,
    width: usize,
    n_below: u32,
    is_vertically_causal: bool,
    samples: &mut [i32],
) {
    let mut propagation = (Ahead::default(), Forward::new(segment));
    let mut magnitudes = Backward::magnitude_refinement(segment);
    let n_rows = samples.len() / width.max(1);
    // One bit a row: the row above the stripe, its four rows, the row below; a column on each side.
    let mut columns = vec![0_u8; width + 2];
    let mut last_row = vec![0_u8; width + 2];
    for top in (0..n_rows).step_by(STRIPE) {
        let n_below_top = n_rows - top;
        let height = n_below_top.min(STRIPE);
        let seen = if is_vertically_causal { height } else { n_below_top.min(STRIPE + 1) };
        columns.copy_from_slice(&last_row);
        for (row, line) in samples[top * width..].chunks_exact(width).take(seen).enumerate() {
            for (column, sample) in columns[1..].iter_mut().zip(line) {
                *column |= u8::from(*sample != 0) << (row + 1);
            }
        }
        let stripe = &mut samples[top * width..(top + height) * width];
        let before = columns.clone();
        propagate(&mut propagation, &mut columns, width, n_below, stripe);
        if has_magnitudes {
            refine_magnitudes(&mut magnitudes, &before, width, n_below, stripe);
        }
        for (last, column) in last_row.iter_mut().zip(&columns) {
            *last = column >> STRIPE & 1;
        }
    }
}

/// Samples beside significant ones become significant themselves where the string says so.
fn propagate(
    bits: &mut (Ahead, Forward<0>),
    columns: &mut [u8],
    width: usize,
    n_below: u32,
    stripe: &mut [i32],
) {
    let height = stripe.len() / width;
    // One at the plane below, in the middle of its interval.
    let magnitude = 3 << (n_below - 1);
    for first in (0..width).step_by(GROUP) {
        let group = first..(first + GROUP).min(width);
        let mut new = [0_u8; GROUP];
        for (x, new) in group.clone().zip(&mut new) {
            for row in 1..=height {
                let [before, own, after] = [columns[x], columns[x + 1], columns[x + 2]];
                let is_beside = (before | after) & 7 << (row - 1) | own & 5 << (row - 1) != 0;
                if own >> row & 1 == 0 && is_beside && take_one(bits) {
                    columns[x + 1] |= 1 << row;
                    *new |= 1 << row;
                }
            }
        }
        for (x, new) in group.zip(new) {
            for row in 0..height {
                if new >> (row + 1) & 1 == 1 {
                    stripe[row * width + x] = if take_one(bits) { -magnitude } else { magnitude };
                }
            }
        }
    }
}

#[inline]
fn take_one(bits: &mut (Ahead, Forward<0>)) -> bool {
    let (ahead, string) = bits;
    ahead.refill(string);
    ahead.take(1) == 1
}

/// Samples of the cleanup pass get one more bit.
fn refine_magnitudes(bits: &mut Backward, columns: &[u8], width: usize, n_below: u32, stripe: &mut [i32]) {
    let height = stripe.len() / width;
    let half = 1 << (n_below - 1);
    for x in 0..width {
        for row in 0..height {
            if columns[x + 1] >> (row + 1) & 1 == 1 {
                bits.refill();
                let sample = &mut stripe[row * width + x];
                let grows = bits.take(1) == 1;
                // From the middle of the interval to the middle of its upper or lower half.
                *sample += if grows == (*sample > 0) { half } else { -half };
            }
        }
    }
}
