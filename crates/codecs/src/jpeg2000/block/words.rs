//! The state of a code-block while it is decoded.
//!
//! Four rows of a column are one word, which holds all that the contexts of these four coefficients need, so that a
//! coefficient looks at its own word only. Bit `3 * row + column` for rows −1 to 4 (numbered 0 to 5) and columns west,
//! own and east (0 to 2): whether that coefficient is significant; 32 bits above, whether it is negative. Shifted right
//! by three times its row, a word shows a coefficient as the first: its *view*.

/// In a view: the coefficient itself is significant.
pub(super) const SELF: u64 = 1 << 4;
/// In a view: its eight neighbours are.
pub(super) const NEIGHBOURS: u64 = 0x1EF;
/// In a view: the coefficient was dealt with in the significance pass of this bit plane.
pub(super) const VISITED: u64 = 1 << 19;
/// In a view: the coefficient was refined before.
pub(super) const REFINED: u64 = 1 << 20;
/// In a word: all coefficients that it knows of.
pub(super) const ANY: u64 = 0x3FFFF;
/// In a word: its own four coefficients.
pub(super) const OWN: u64 = SELF | SELF << 3 | SELF << 6 | SELF << 9;
/// In a word: [`VISITED`] of its own four.
pub(super) const ALL_VISITED: u64 = VISITED | VISITED << 3 | VISITED << 6 | VISITED << 9;
/// By how much signs are above significances.
const SIGNS: u32 = 32;

/// The index of [`SIGN_CODING`](super::contexts::SIGN_CODING) for a view: north, west, east and south are bits 1, 3, 5
/// and 7 of the neighbourhood, and their signs go below.
#[inline(always)]
pub(super) fn sign_pattern(view: u64) -> usize {
    ((view & 0xAA) | (view >> (SIGNS + 1) & 0x55)) as usize
}

/// A code-block: words and magnitudes.
#[derive(Debug, Default)]
pub(super) struct Words {
    width: usize,
    height: usize,
    /// `[n_stripes + 2, width + 2]`: a margin of one on every side.
    words: Vec<u64>,
    /// `[n_stripes, width + 2, 4]`: magnitudes in units of one half, a half of the lowest decoded plane added.
    magnitudes: Vec<[u32; 4]>,
    row: Vec<i32>,
}

impl Words {
    /// Makes room for a code-block of nothing but zeros.
    pub(super) fn start(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        let n_stripes = height.div_ceil(4);
        self.words.clear();
        self.words.resize((n_stripes + 2) * (width + 2), 0);
        self.magnitudes.clear();
        self.magnitudes.resize(n_stripes * (width + 2), [0; 4]);
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// From one word to the one below it.
    fn stride(&self) -> usize {
        self.width + 2
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Column `idx`; a stripe has `width + 2`, of which the last two are margin.
    #[inline(always)]
    pub(super) fn column(&mut self, idx: usize) -> Column<'_> {
        let stride = self.stride();
        let place = idx + stride + 1;
        Column {
            word: self.words[place],
            magnitudes: &mut self.magnitudes[idx],
            words: &mut self.words,
            idx: place,
            stride,
        }
    }

    /// Calls `put` for each row with its index and its coefficients.
    pub(super) fn rows(&mut self, mut put: impl FnMut(usize, &[i32])) {
        let (width, stride) = (self.width, self.stride());
        self.row.resize(width, 0);
        for y in 0..self.height {
            let (stripe, row) = (y / 4, y % 4);
            let words = &self.words[(stripe + 1) * stride + 1..][..width];
            let magnitudes = &self.magnitudes[stripe * stride..][..width];
            let shift = SIGNS + 4 + 3 * row as u32;
            for ((out, word), magnitudes) in self.row.iter_mut().zip(words).zip(magnitudes) {
                let sign = (word >> shift & 1) as i32;
                *out = (magnitudes[row] as i32 ^ -sign) + sign;
            }
            put(y, &self.row[..width]);
        }
    }
}

/// Four rows of a column, while a pass deals with them.
pub(super) struct Column<'a> {
    /// Its word; [`Column::store`] puts it back.
    pub(super) word: u64,
    pub(super) magnitudes: &'a mut [u32; 4],
    words: &'a mut [u64],
    /// Place of its word.
    idx: usize,
    /// From one word to the one below it.
    stride: usize,
}

impl Column<'_> {
    #[inline(always)]
    pub(super) fn store(&mut self) {
        self.words[self.idx] = self.word;
    }

    /// Makes the coefficient in row `row` significant for all words around it. A stripe is hidden from the one above
    /// where `causal`.
    #[inline(always)]
    pub(super) fn spread(&mut self, row: usize, sign: u32, causal: bool) {
        let (idx, bit, at) = (self.idx, 1 | u64::from(sign) << SIGNS, 3 * row);
        self.word |= bit << (at + 4);
        self.words[idx - 1] |= bit << (at + 5);
        self.words[idx + 1] |= bit << (at + 3);
        if row == 0 && !causal {
            let above = &mut self.words[idx - self.stride - 1..][..3];
            above[0] |= bit << 17;
            above[1] |= bit << 16;
            above[2] |= bit << 15;
        }
        if row == 3 {
            let below = &mut self.words[idx + self.stride - 1..][..3];
            below[0] |= bit << 2;
            below[1] |= bit << 1;
            below[2] |= bit;
        }
    }
}
