//! The side marker: a lead letter of 5 × 7 cells.

const R: [u8; 7] = [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001];
const L: [u8; 7] = [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111];

/// Whether cell (column, row) of the letter is lead.
pub(crate) fn is_lead(letter: char, column: usize, row: usize) -> bool {
    let rows = if letter == 'R' { R } else { L };
    column < 5 && row < 7 && rows[row] >> (4 - column) & 1 == 1
}
