//! A chunk of a panel, unpacked into the first-level cache: a byte for each code, a word for each scale.

use super::format::{Bits, Format, Shift, TABLE};
use super::layout::{CHUNK, LINE, Sections};
use crate::integers::STEP;
use crate::lanes::{Lanes, WIDTH};

/// Groups of four inputs in a chunk.
const GROUPS: usize = CHUNK / STEP;

/// Room for an unpacked chunk.
#[repr(C, align(64))]
pub(super) struct Expanded {
    codes: [[u8; LINE]; GROUPS],
    /// As [`Integers::dot`](crate::integers::Integers::dot) takes them.
    scales: [[i32; WIDTH]; CHUNK / 16],
    /// What is multiplied with the sums of codes of two sub-blocks: their minimums, or their scales.
    pairs: [[i32; WIDTH]; CHUNK / 32],
    /// `d` of each block.
    factors: [[f32; WIDTH]; CHUNK / 32],
    /// `m` of each block, or `-dmin`.
    shifts: [[f32; WIDTH]; CHUNK / 32],
}

/// An unpacked chunk.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// `[n][16][4]`, n being at least a fourth of the chunk's inputs
    pub codes: &'a [[u8; LINE]],
    pub scales: &'a [[i32; WIDTH]; CHUNK / 16],
    pub pairs: &'a [[i32; WIDTH]; CHUNK / 32],
    pub factors: &'a [[f32; WIDTH]; CHUNK / 32],
    pub shifts: &'a [[f32; WIDTH]; CHUNK / 32],
}

impl Expanded {
    pub fn new() -> Self {
        Self {
            codes: [[0; LINE]; GROUPS],
            scales: [[0; WIDTH]; CHUNK / 16],
            pairs: [[0; WIDTH]; CHUNK / 32],
            factors: [[0.0; WIDTH]; CHUNK / 32],
            shifts: [[0.0; WIDTH]; CHUNK / 32],
        }
    }

    /// Unpacks `chunk`, which holds `n` blocks a row.
    #[inline(always)]
    pub fn fill<'a, S: Lanes, F: Format>(&'a mut self, s: S, chunk: &'a [u8], n: usize) -> View<'a> {
        let at = F::LAYOUT.sections(n);
        let chunk = &chunk[..at.len];
        let lines = chunk[..at.scales].as_chunks::<LINE>().0;
        let (codes, high) = lines.split_at(at.high / LINE);
        let groups = &mut self.codes;
        match F::BITS {
            Bits::Eight => {}
            Bits::Four { apart } => nibbles(codes, apart, groups),
            Bits::Five { apart, planes } => {
                nibbles(codes, apart, groups);
                plane(high, planes, 4, groups);
            }
            Bits::Six => {
                nibbles(codes, 16, groups);
                pairs::<true>(high, groups);
            }
            Bits::Two => pairs::<false>(codes, groups),
            Bits::Three => {
                pairs::<false>(codes, groups);
                plane(high, 8, 2, groups);
            }
            Bits::Table { apart } => {
                nibbles(codes, apart, groups);
                for group in &mut groups[..2 * codes.len()] {
                    *group = s.look_up(&TABLE, *group);
                }
            }
        }
        self.scale::<S, F>(s, chunk, at);
        self.factors::<S, F>(s, chunk, at, n);
        View {
            codes: if F::BITS == Bits::Eight { codes } else { &self.codes },
            scales: &self.scales,
            pairs: &self.pairs,
            factors: &self.factors,
            shifts: &self.shifts,
        }
    }

    #[inline(always)]
    fn scale<S: Lanes, F: Format>(&mut self, s: S, chunk: &[u8], at: Sections) {
        let scales = chunk[at.scales..at.minimums].as_chunks::<WIDTH>().0;
        let minimums = chunk[at.minimums..at.factors].as_chunks::<WIDTH>().0;
        if F::SHIFT == Shift::Minimums && F::LAYOUT.min_rows == 0 {
            // A scale and a minimum share a byte.
            for (two, both) in scales.as_chunks::<2>().0.iter().enumerate() {
                let [[scale, low], [next, high]] =
                    [s.nibbles(s.widen(&both[0])), s.nibbles(s.widen(&both[1]))];
                s.store_sums(s.scales(scale), &mut self.scales[2 * two]);
                s.store_sums(s.scales(next), &mut self.scales[2 * two + 1]);
                s.store_sums(s.pair(low, high), &mut self.pairs[two]);
            }
            return;
        }
        let signed = matches!(F::SHIFT, Shift::Offset(_));
        for (two, both) in scales.as_chunks::<2>().0.iter().enumerate() {
            let widen = |row| if signed { s.widen_signed(row) } else { s.widen(row) };
            let (low, high) = (widen(&both[0]), widen(&both[1]));
            s.store_sums(s.scales(low), &mut self.scales[2 * two]);
            s.store_sums(s.scales(high), &mut self.scales[2 * two + 1]);
            if signed {
                s.store_sums(s.pair(low, high), &mut self.pairs[two]);
            }
        }
        for (two, both) in minimums.as_chunks::<2>().0.iter().enumerate() {
            s.store_sums(s.pair(s.widen(&both[0]), s.widen(&both[1])), &mut self.pairs[two]);
        }
    }

    #[inline(always)]
    fn factors<S: Lanes, F: Format>(&mut self, s: S, chunk: &[u8], at: Sections, n: usize) {
        let rows = chunk[at.factors..].as_chunks::<{ 2 * WIDTH }>().0;
        for b in 0..n {
            let row = &rows[b * F::LAYOUT.factors..][..F::LAYOUT.factors];
            let (to, shift) = (&mut self.factors[b], &mut self.shifts[b]);
            // SAFETY: a row is sixteen f16, of any alignment, and both targets are sixteen f32.
            unsafe {
                s.wide_store(s.wide_f16(row[0].as_ptr().cast()), to.as_mut_ptr());
                if let Some(row) = row.get(1) {
                    let sign = s.wide_splat(if F::SHIFT == Shift::Minimums { -1.0 } else { 1.0 });
                    let v = s.wide_mul(sign, s.wide_f16(row.as_ptr().cast()));
                    s.wide_store(v, shift.as_mut_ptr());
                }
            }
        }
    }
}

/// Two groups of each line of nibbles, `apart` from one another.
#[inline(always)]
fn nibbles(lines: &[[u8; LINE]], apart: usize, groups: &mut [[u8; LINE]; GROUPS]) {
    for (lines, groups) in lines.chunks_exact(apart).zip(groups.chunks_exact_mut(2 * apart)) {
        let (low, high) = groups.split_at_mut(apart);
        for ((line, low), high) in lines.iter().zip(low).zip(high) {
            for i in 0..LINE {
                low[i] = line[i] & 15;
                high[i] = line[i] >> 4;
            }
        }
    }
}

/// Adds a higher bit, number `bit`, to the groups.
#[inline(always)]
fn plane(lines: &[[u8; LINE]], planes: usize, bit: u32, groups: &mut [[u8; LINE]; GROUPS]) {
    for (lines, groups) in lines.chunks_exact(planes).zip(groups.chunks_exact_mut(8 * planes)) {
        for (s, groups) in groups.chunks_exact_mut(planes).enumerate() {
            for (line, group) in lines.iter().zip(groups) {
                for i in 0..LINE {
                    group[i] |= ((line[i] >> s) & 1) << bit;
                }
            }
        }
    }
}

/// Four groups of each line of pairs of bits: the codes themselves, or what is above a nibble (`HIGH`).
#[inline(always)]
fn pairs<const HIGH: bool>(lines: &[[u8; LINE]], groups: &mut [[u8; LINE]; GROUPS]) {
    for (lines, groups) in lines.chunks_exact(8).zip(groups.chunks_exact_mut(32)) {
        for (field, groups) in groups.chunks_exact_mut(8).enumerate() {
            for (line, group) in lines.iter().zip(groups) {
                for i in 0..LINE {
                    let pair = (line[i] >> (2 * field)) & 3;
                    group[i] = if HIGH { group[i] | (pair << 4) } else { pair };
                }
            }
        }
    }
}
