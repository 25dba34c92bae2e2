//! First half of the cleanup pass: significance and exponents of quads, which are 2 × 2 samples (T.814, 7.3).

use super::bits::{Backward, Mel};
use super::vlc;

/// What the MEL and VLC strings say of the quads of a code-block.
///
/// Samples of a quad are numbered down its left column, then down its right one.
#[derive(Default)]
pub(super) struct Quads {
    /// Rows of quads, each with an empty quad before and after it.
    cells: Vec<Quad>,
    n_wide: usize,
}

/// One quad.
#[derive(Clone, Copy, Default)]
pub(super) struct Quad {
    /// An entry of the VLC tables; 0 for a quad without a code word.
    entry: u16,
    /// u, the part of the exponents' bound that is not predicted.
    pub(super) residual: u16,
}

impl Quad {
    /// ρ: which of the four samples are significant, sample 0 in the lowest bit.
    #[inline]
    pub(super) fn significance(self) -> u32 {
        u32::from(self.entry >> 4 & 15)
    }

    /// εᵏ: which of the samples have an exponent of which a bit is known.
    #[inline]
    pub(super) fn known(self) -> u32 {
        u32::from(self.entry >> 12)
    }

    /// ε¹: that bit.
    #[inline]
    pub(super) fn known_bits(self) -> u32 {
        u32::from(self.entry >> 8 & 15)
    }

    #[inline]
    fn has_residual(self) -> bool {
        self.entry & 8 != 0
    }
}

impl Quads {
    /// Reads the quads of a block of `width` × `height` samples.
    pub(super) fn read(&mut self, width: usize, height: usize, mel: &mut Mel, vlc: &mut Backward) {
        self.n_wide = width.div_ceil(2);
        let stride = self.n_wide + 2;
        self.cells.clear();
        self.cells.resize(stride * height.div_ceil(2), Quad::default());
        let mut rows = self.cells.chunks_exact_mut(stride);
        let Some(mut above) = rows.next() else { return };
        read_first_row(&mut above[1..=self.n_wide], mel, vlc);
        for row in rows {
            read_row(above, row, mel, vlc);
            above = row;
        }
    }

    /// Rows of quads from the top.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Quad]> {
        self.cells.chunks_exact((self.n_wide + 2).max(1)).filter_map(|row| row.get(1..=self.n_wide))
    }
}

/// One quad's entry; where nothing around it is significant, the MEL code says first whether it has one.
#[inline]
fn read_entry(table: &vlc::Table, context: u32, mel: &mut Mel, bits: &mut Backward) -> Quad {
    if context == 0 && !mel.event() {
        return Quad::default();
    }
    let entry = vlc::look_up(table, context, bits.peek());
    bits.skip(vlc::length(entry));
    Quad { entry, residual: 0 }
}

/// Context of the quad right of `left` in the first row: its left column, its upper right, its lower right sample.
#[inline]
fn first_row_context(left: Quad) -> u32 {
    let rho = left.significance();
    (rho | rho >> 1) & 1 | rho >> 1 & 6
}

fn read_first_row(row: &mut [Quad], mel: &mut Mel, bits: &mut Backward) {
    let mut left = Quad::default();
    for pair in row.chunks_mut(2) {
        bits.refill();
        for quad in pair.iter_mut() {
            *quad = read_entry(&vlc::FIRST, first_row_context(left), mel, bits);
            left = *quad;
        }
        let are_above_2 = pair.len() == 2 && pair.iter().all(|quad| quad.has_residual());
        let are_above_2 = are_above_2.then(|| mel.event());
        read_residuals(pair, are_above_2, bits);
    }
}

fn read_row(above: &[Quad], row: &mut [Quad], mel: &mut Mel, bits: &mut Backward) {
    let n_wide = row.len() - 2;
    let mut left = 0;
    let mut above_rho = above.iter().map(|quad| quad.significance());
    let mut west = above_rho.next().unwrap_or(0);
    let mut north = above_rho.next().unwrap_or(0);
    for pair in row[1..=n_wide].chunks_mut(2) {
        bits.refill();
        for quad in pair.iter_mut() {
            let east = above_rho.next().unwrap_or(0);
            let context = (west >> 3 | north >> 1) & 1
                | ((left >> 2 | left >> 3) & 1) << 1
                | ((north >> 3 | east >> 1) & 1) << 2;
            *quad = read_entry(&vlc::OTHER, context, mel, bits);
            left = quad.significance();
            (west, north) = (north, east);
        }
        read_residuals(pair, None, bits);
    }
}

/// A code word of U-VLC (T.814, 7.3.6), of which the prefix is known.
#[derive(Clone, Copy, Default)]
struct Residual {
    value: u32,
    n_suffix_bits: u32,
}

impl Residual {
    #[inline]
    fn prefix(bits: &mut Backward) -> Self {
        let (n, value, n_suffix_bits) = match bits.peek() & 7 {
            1 | 3 | 5 | 7 => (1, 1, 0),
            2 | 6 => (2, 2, 0),
            4 => (3, 3, 1),
            _ => (3, 5, 5),
        };
        bits.skip(n);
        Self { value, n_suffix_bits }
    }

    #[inline]
    fn suffix(&mut self, bits: &mut Backward) -> u32 {
        let suffix = bits.take(self.n_suffix_bits);
        self.value += suffix;
        suffix
    }
}

/// A suffix from here on is followed by four more bits.
const FIRST_EXTENDED: u32 = 28;

/// The residuals of a pair of quads, whose code words are interleaved. `are_above_2`: in the first row, where both quads
/// have one, the MEL code said whether both are above 2.
#[inline]
fn read_residuals(pair: &mut [Quad], are_above_2: Option<bool>, bits: &mut Backward) {
    let has = [0, 1].map(|idx| pair.get(idx).is_some_and(|quad| quad.has_residual()));
    if has == [false; 2] {
        return;
    }
    bits.refill();
    let mut residuals = [Residual::default(); 2];
    let mut more = 0;
    match are_above_2 {
        Some(true) => {
            more = 2;
            residuals = [Residual::prefix(bits), Residual::prefix(bits)];
        }
        Some(false) => {
            residuals[0] = Residual::prefix(bits);
            residuals[1] = match residuals[0].value {
                1 | 2 => Residual::prefix(bits),
                _ => Residual { value: 1 + bits.take(1), n_suffix_bits: 0 },
            };
        }
        None => {
            for (residual, has) in residuals.iter_mut().zip(has) {
                if has {
                    *residual = Residual::prefix(bits);
                }
            }
        }
    }
    let suffixes = [residuals[0].suffix(bits), residuals[1].suffix(bits)];
    for ((quad, residual), suffix) in pair.iter_mut().zip(residuals).zip(suffixes) {
        if quad.has_residual() {
            let extension = if suffix >= FIRST_EXTENDED { bits.take(4) } else { 0 };
            quad.residual = (residual.value + 4 * extension + more) as u16;
        }
    }
}
