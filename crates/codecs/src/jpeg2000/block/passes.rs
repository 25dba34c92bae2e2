//! The three coding passes over a bit plane (T.800, D.3).
//!
//! A pass goes stripe by stripe, four rows each, and in a stripe column by column. `plane` counts from the least
//! significant bit.

use super::contexts::{self, REFINEMENT, RUN, UNIFORM, ZeroCoding};
use super::decisions::Decisions;
use super::words::{self, ALL_VISITED, ANY, NEIGHBOURS, OWN, REFINED, SELF, VISITED, Words};
use crate::jpeg2000::geometry::Orientation;

/// Significance propagation (D.3.1): coefficients with a significant neighbour.
pub(super) fn significance(
    block: &mut Words,
    decisions: &mut impl Decisions,
    orientation: Orientation,
    causal: bool,
    plane: u32,
) {
    let table = contexts::of_band(orientation);
    let value = first_value(plane);
    for_each_column(block, |words, magnitudes, idx, stride, n_rows| {
        let mut word = words[idx];
        if word & ANY == 0 {
            return;
        }
        for (row, magnitude) in magnitudes.iter_mut().enumerate().take(n_rows) {
            let view = word >> (3 * row);
            if view & NEIGHBOURS == 0 || view & SELF != 0 {
                continue;
            }
            if decisions.decide(zero_context(table, view)) == 1 {
                let sign = decisions.sign(view);
                *magnitude = value;
                word |= words::spread(words, idx, stride, row, sign, causal);
            }
            word |= VISITED << (3 * row);
        }
        words[idx] = word;
    });
}

/// Magnitude refinement (D.3.3): coefficients that were significant before this bit plane.
pub(super) fn refinement(block: &mut Words, decisions: &mut impl Decisions, plane: u32) {
    // The middle of an interval moves by half of its new width, up or down.
    let half = 1u32 << plane;
    for_each_column(block, |words, magnitudes, idx, _, n_rows| {
        let mut word = words[idx];
        if word & OWN == 0 {
            return;
        }
        for (row, magnitude) in magnitudes.iter_mut().enumerate().take(n_rows) {
            let view = word >> (3 * row);
            if view & (SELF | VISITED) != SELF {
                continue;
            }
            let context = if view & REFINED != 0 {
                REFINEMENT + 2
            } else {
                REFINEMENT + usize::from(view & NEIGHBOURS != 0)
            };
            let bit = decisions.decide(context);
            *magnitude = magnitude.wrapping_add(half.wrapping_mul(bit.wrapping_mul(2).wrapping_sub(1)));
            word |= REFINED << (3 * row);
        }
        words[idx] = word;
    });
}

/// Cleanup (D.3.4): all coefficients that the other two passes left.
pub(super) fn cleanup(
    block: &mut Words,
    decisions: &mut impl Decisions,
    orientation: Orientation,
    causal: bool,
    plane: u32,
) {
    let table = contexts::of_band(orientation);
    let value = first_value(plane);
    for_each_column(block, |words, magnitudes, idx, stride, n_rows| {
        let mut word = words[idx];
        let mut first = 0;
        if n_rows == 4 && word & ANY == 0 {
            // Four that are likely to stay zero together.
            if decisions.decide(RUN) == 0 {
                return;
            }
            first = (decisions.decide(UNIFORM) << 1 | decisions.decide(UNIFORM)) as usize;
            let sign = decisions.sign(word >> (3 * first));
            magnitudes[first & 3] = value;
            word |= words::spread(words, idx, stride, first, sign, causal);
            first += 1;
        }
        for (row, magnitude) in magnitudes.iter_mut().enumerate().take(n_rows) {
            let view = word >> (3 * row);
            if row < first || view & (SELF | VISITED) != 0 {
                continue;
            }
            if decisions.decide(zero_context(table, view)) == 1 {
                let sign = decisions.sign(view);
                *magnitude = value;
                word |= words::spread(words, idx, stride, row, sign, causal);
            }
        }
        words[idx] = word & !ALL_VISITED;
    });
}

/// The magnitude, in halves, of a coefficient that becomes significant in bit plane `plane`: one and a half.
fn first_value(plane: u32) -> u32 {
    0b11 << plane
}

#[inline(always)]
fn zero_context(table: &ZeroCoding, view: u64) -> usize {
    usize::from(table[(view & NEIGHBOURS) as usize])
}

/// Calls `column` for each column of each stripe, with the number of rows that it has.
#[inline(always)]
fn for_each_column(
    block: &mut Words,
    mut column: impl FnMut(&mut [u64], &mut [u32; 4], usize, usize, usize),
) {
    let (width, stride) = (block.width(), block.stride());
    let mut idx = stride + 1;
    let stripes = block.stripes();
    let mut magnitudes = block.magnitudes.as_mut_slice();
    for n_rows in stripes {
        let Some((stripe, rest)) = magnitudes.split_at_mut_checked(width) else { return };
        magnitudes = rest;
        for (x, magnitudes) in stripe.iter_mut().enumerate() {
            // The number of rows is a constant where it can be, so that the loop over them is unrolled.
            if n_rows == 4 {
                column(&mut block.words, magnitudes, idx + x, stride, 4);
            } else {
                column(&mut block.words, magnitudes, idx + x, stride, n_rows);
            }
        }
        idx += stride;
    }
}
