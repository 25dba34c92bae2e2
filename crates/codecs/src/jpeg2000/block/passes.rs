//! The three coding passes over a bit plane (T.800, D.3).
//!
//! A pass goes stripe by stripe, four rows each, and in a stripe column by column. It takes the decisions by value and
//! gives them back, so that the registers of the arithmetic decoder stay in those of the processor; for the same reason
//! everything down to a row is inlined.

use super::contexts::{self, REFINEMENT, RUN, UNIFORM, ZeroCoding};
use super::decisions::Decisions;
use super::words::{ALL_VISITED, ANY, Column, NEIGHBOURS, OWN, REFINED, SELF, VISITED, Words};
use crate::jpeg2000::geometry::Orientation;

/// Significance propagation: coefficients with a significant neighbour. `plane` counts from the least significant bit,
/// here and below.
pub(super) fn significance<D: Decisions>(
    block: &mut Words,
    decisions: D,
    orientation: Orientation,
    causal: bool,
    plane: u32,
) -> D {
    run(block, Significance(Becoming::new(decisions, orientation, causal, plane))).0.decisions
}

/// Magnitude refinement: coefficients that were significant before this bit plane.
pub(super) fn refinement<D: Decisions>(block: &mut Words, decisions: D, plane: u32) -> D {
    run(block, Refinement { decisions, half: 1 << plane }).decisions
}

/// Cleanup: all coefficients that the other two passes left.
pub(super) fn cleanup<D: Decisions>(
    block: &mut Words,
    decisions: D,
    orientation: Orientation,
    causal: bool,
    plane: u32,
) -> D {
    run(block, Cleanup(Becoming::new(decisions, orientation, causal, plane))).0.decisions
}

/// What a pass does with four rows of a column, or with fewer at the end.
trait Pass {
    fn column(&mut self, column: &mut Column<'_>, n_rows: usize);

    fn row(&mut self, column: &mut Column<'_>, row: usize);

    /// Deals with the rows from the top; each of four has code of its own.
    #[inline(always)]
    fn rows(&mut self, column: &mut Column<'_>, n_rows: usize) {
        self.row(column, 0);
        if n_rows > 1 {
            self.row(column, 1);
        }
        if n_rows > 2 {
            self.row(column, 2);
        }
        if n_rows > 3 {
            self.row(column, 3);
        }
    }
}

/// Goes through a code-block.
#[inline(always)]
fn run<P: Pass>(block: &mut Words, mut pass: P) -> P {
    let (n_stripes, n_last) = (block.height() / 4, block.height() % 4);
    let mut idx = 0;
    for _ in 0..n_stripes {
        for _ in 0..block.width() {
            pass.column(&mut block.column(idx), 4);
            idx += 1;
        }
        idx += 2;
    }
    if n_last > 0 { last_stripe(block, idx, n_last, pass) } else { pass }
}

/// Goes through a stripe of fewer than four rows.
#[inline(never)]
fn last_stripe<P: Pass>(block: &mut Words, idx: usize, n_rows: usize, mut pass: P) -> P {
    for x in 0..block.width() {
        pass.column(&mut block.column(idx + x), n_rows);
    }
    pass
}

/// What the passes need in which coefficients become significant.
struct Becoming<D> {
    decisions: D,
    table: &'static ZeroCoding,
    /// Whether stripes are hidden from the ones above.
    causal: bool,
    /// The magnitude, in halves, of such a coefficient: one and a half times the bit plane.
    value: u32,
}

impl<D: Decisions> Becoming<D> {
    fn new(decisions: D, orientation: Orientation, causal: bool, plane: u32) -> Self {
        Self { decisions, table: contexts::of_band(orientation), causal, value: 0b11 << plane }
    }

    /// Decides whether a coefficient becomes significant (D.3.1), and its sign if so.
    #[inline(always)]
    fn decide(&mut self, column: &mut Column<'_>, row: usize, view: u64) {
        let context = usize::from(self.table[(view & NEIGHBOURS) as usize]);
        if self.decisions.decide(context) == 1 {
            self.sign(column, row, view);
        }
    }

    /// Reads the sign of a coefficient that has become significant (D.3.2).
    #[inline(always)]
    fn sign(&mut self, column: &mut Column<'_>, row: usize, view: u64) {
        let sign = self.decisions.sign(view);
        column.magnitudes[row] = self.value;
        column.spread(row, sign, self.causal);
    }
}

struct Significance<D>(Becoming<D>);

impl<D: Decisions> Pass for Significance<D> {
    #[inline(always)]
    fn column(&mut self, column: &mut Column<'_>, n_rows: usize) {
        if column.word & ANY != 0 {
            self.rows(column, n_rows);
            column.store();
        }
    }

    #[inline(always)]
    fn row(&mut self, column: &mut Column<'_>, row: usize) {
        let view = column.word >> (3 * row);
        if view & NEIGHBOURS != 0 && view & SELF == 0 {
            self.0.decide(column, row, view);
            column.word |= VISITED << (3 * row);
        }
    }
}

struct Refinement<D> {
    decisions: D,
    /// The middle of an interval moves by half of its new width, up or down.
    half: u32,
}

impl<D: Decisions> Pass for Refinement<D> {
    #[inline(always)]
    fn column(&mut self, column: &mut Column<'_>, n_rows: usize) {
        if column.word & OWN != 0 {
            self.rows(column, n_rows);
            column.store();
        }
    }

    #[inline(always)]
    fn row(&mut self, column: &mut Column<'_>, row: usize) {
        let view = column.word >> (3 * row);
        if view & (SELF | VISITED) == SELF {
            // Table D.4.
            let context = if view & REFINED != 0 { 2 } else { usize::from(view & NEIGHBOURS != 0) };
            let bit = self.decisions.decide(REFINEMENT + context);
            let change = if bit == 1 { self.half } else { self.half.wrapping_neg() };
            column.magnitudes[row] = column.magnitudes[row].wrapping_add(change);
            column.word |= REFINED << (3 * row);
        }
    }
}

struct Cleanup<D>(Becoming<D>);

impl<D: Decisions> Pass for Cleanup<D> {
    #[inline(always)]
    fn column(&mut self, column: &mut Column<'_>, n_rows: usize) {
        if column.word & ANY != 0 || n_rows < 4 {
            self.rows(column, n_rows);
        } else {
            // Four that are likely to stay zero together (D.3.4).
            let decisions = &mut self.0.decisions;
            if decisions.decide(RUN) == 0 {
                return;
            }
            let first = (decisions.decide(UNIFORM) << 1 | decisions.decide(UNIFORM)) as usize & 3;
            self.0.sign(column, first, column.word >> (3 * first));
            for row in first + 1..4 {
                self.row(column, row);
            }
        }
        column.word &= !ALL_VISITED;
        column.store();
    }

    #[inline(always)]
    fn row(&mut self, column: &mut Column<'_>, row: usize) {
        let view = column.word >> (3 * row);
        if view & (SELF | VISITED) == 0 {
            self.0.decide(column, row, view);
        }
    }
}
