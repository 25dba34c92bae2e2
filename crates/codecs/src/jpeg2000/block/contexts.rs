//! The contexts of the decisions, and what the neighbours of a coefficient make of them (T.800, D.3 and table D.7).

use super::mq::{self, State};
use crate::jpeg2000::geometry::Orientation;

/// First of the contexts of magnitude refinement.
pub(super) const REFINEMENT: usize = 14;
/// The context of runs of four insignificant coefficients.
pub(super) const RUN: usize = 17;
/// The context of decisions that are as likely one way as the other.
pub(super) const UNIFORM: usize = 18;

/// The states of the contexts. There are 19; an index below 32 needs no check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contexts {
    pub(super) states: [State; 32],
}

impl Default for Contexts {
    fn default() -> Self {
        let mut states = [mq::state(0, 0); 32];
        states[0] = mq::state(4, 0);
        states[RUN] = mq::state(3, 0);
        states[UNIFORM] = mq::state(46, 0);
        Self { states }
    }
}

impl Contexts {
    /// Back to the initial states (table D.7).
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The context of a significance decision for each pattern of the 3 × 3 neighbourhood, row by row from bit 0 on
/// (table D.1).
pub(super) type ZeroCoding = [u8; 512];

const fn zero_coding(orientation: Orientation) -> ZeroCoding {
    let mut table = [0; 512];
    let mut bits = 0;
    while bits < 512 {
        let west_east = (bits >> 3 & 1) + (bits >> 5 & 1);
        let north_south = (bits >> 1 & 1) + (bits >> 7 & 1);
        let diagonal = (bits & 1) + (bits >> 2 & 1) + (bits >> 6 & 1) + (bits >> 8 & 1);
        table[bits] = match orientation {
            Orientation::Ll | Orientation::Lh => of_edges(west_east, north_south, diagonal),
            Orientation::Hl => of_edges(north_south, west_east, diagonal),
            Orientation::Hh => of_diagonals(west_east + north_south, diagonal),
        };
        bits += 1;
    }
    table
}

/// The first column of table D.1: `along` counts the neighbours in the direction of the low-pass filter's edges.
const fn of_edges(along: usize, across: usize, diagonal: usize) -> u8 {
    match (along, across, diagonal) {
        (2, _, _) => 8,
        (1, 1.., _) => 7,
        (1, 0, 1..) => 6,
        (1, 0, 0) => 5,
        (_, 2, _) => 4,
        (_, 1, _) => 3,
        (_, _, 2..) => 2,
        (_, _, n) => n as u8,
    }
}

/// The last column of table D.1.
const fn of_diagonals(edges: usize, diagonal: usize) -> u8 {
    match (diagonal, edges) {
        (3.., _) => 8,
        (2, 1..) => 7,
        (2, 0) => 6,
        (1, 2..) => 5,
        (1, 1) => 4,
        (1, 0) => 3,
        (_, 2..) => 2,
        (_, n) => n as u8,
    }
}

static LOW_OR_LH: ZeroCoding = zero_coding(Orientation::Lh);
static HL: ZeroCoding = zero_coding(Orientation::Hl);
static HH: ZeroCoding = zero_coding(Orientation::Hh);

/// The table of a subband.
pub(super) fn of_band(orientation: Orientation) -> &'static ZeroCoding {
    match orientation {
        Orientation::Ll | Orientation::Lh => &LOW_OR_LH,
        Orientation::Hl => &HL,
        Orientation::Hh => &HH,
    }
}

/// The context of a sign decision, and in bit 7 whether the decision is inverted (tables D.2 and D.3).
///
/// The index has, for the neighbours north, west, east and south, two bits each from bit 0 on: is it negative, is it
/// significant.
pub(super) static SIGN_CODING: [u8; 256] = {
    let mut table = [0; 256];
    let mut bits = 0;
    while bits < 256 {
        let vertical = contribution(bits) + contribution(bits >> 6);
        let horizontal = contribution(bits >> 2) + contribution(bits >> 4);
        let (h, v) = (clamped(horizontal), clamped(vertical));
        // Both signs turned over give the same context with the decision inverted.
        let is_inverted = h < 0 || (h == 0 && v < 0);
        let (h, v) = if is_inverted { (-h, -v) } else { (h, v) };
        let context = match (h, v) {
            (1, 1) => 13,
            (1, 0) => 12,
            (1, _) => 11,
            (_, 1) => 10,
            _ => 9,
        };
        table[bits] = context | (is_inverted as u8) << 7;
        bits += 1;
    }
    table
};

/// What one neighbour adds: 1, −1 or nothing.
const fn contribution(bits: usize) -> i32 {
    match bits & 3 {
        2 => 1,
        3 => -1,
        _ => 0,
    }
}

const fn clamped(v: i32) -> i32 {
    if v > 1 {
        1
    } else if v < -1 {
        -1
    } else {
        v
    }
}
