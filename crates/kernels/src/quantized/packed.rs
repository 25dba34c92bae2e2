//! A chunk of a panel as it lies in memory: codes, scales and factors of sixteen rows.

use super::format::{Bits, Format, Shift, TABLE};
use super::layout::{LINE, Sections};
use crate::lanes::{Lanes, WIDTH};

/// Where a tile takes a chunk's numbers from. Groups are of four inputs and count within the chunk.
pub(super) trait Source: Copy {
    /// The codes of group `group`, which must be one that [`Format`] gives field `FIELD`.
    ///
    /// # Safety
    /// The chunk holds that group.
    unsafe fn codes<S: Lanes, F: Format, const FIELD: usize>(&self, s: S, group: usize) -> S::Bytes;

    /// The scales of a sub-block, as products want them.
    fn scales<S: Lanes, F: Format>(&self, s: S, sub: usize) -> S::Sums;

    /// What is multiplied with the sums of activations of sub-blocks `2 · two` and `2 · two + 1`: their minimums, or, of
    /// types with an offset, their scales.
    fn pairs<S: Lanes, F: Format>(&self, s: S, two: usize) -> S::Sums;

    /// `d` of block `b`.
    fn factor<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide;

    /// `m` or `-dmin` of block `b`.
    fn shift<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide;
}

/// The bytes of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    chunk: &'a [u8],
    at: Sections,
}

impl<'a> Packed<'a> {
    /// `chunk` holds `n` blocks a row.
    #[inline(always)]
    pub fn new<S: Lanes, F: Format>(s: S, chunk: &'a [u8], n: usize) -> Self {
        let at = F::LAYOUT.sections(n);
        // Factors are used last; asked for first, all lines come in order, which is what a CPU notices and runs ahead of.
        for line in (0..at.codes).step_by(LINE) {
            s.prefetch(chunk.as_ptr().wrapping_add(line));
        }
        Self { chunk: &chunk[..at.len], at }
    }

    /// Line `line` of the section at `section`.
    ///
    /// # Safety
    /// The chunk holds it.
    #[inline(always)]
    unsafe fn line<S: Lanes>(&self, s: S, section: usize, line: usize) -> S::Bytes {
        // SAFETY: the caller promises that the line is there.
        unsafe { s.load_bytes(self.chunk.as_ptr().add(section + line * LINE)) }
    }

    /// The nibbles of a group; those of another lie in the other halves of the bytes.
    ///
    /// # Safety
    /// The chunk holds the group.
    #[inline(always)]
    unsafe fn nibbles<S: Lanes, const FIELD: usize>(&self, s: S, group: usize, apart: usize) -> S::Bytes {
        // SAFETY: the caller's promise.
        let line = unsafe { self.line(s, self.at.codes, group / (2 * apart) * apart + group % apart) };
        if FIELD == 0 { s.low_nibbles(line) } else { s.high_nibbles(line) }
    }

    /// The higher bit of each code of a group, as bit `bit`.
    ///
    /// # Safety
    /// The chunk holds the group.
    #[inline(always)]
    unsafe fn plane<S: Lanes>(&self, s: S, group: usize, planes: usize, bit: u32) -> S::Bytes {
        let (block, within) = (group / (8 * planes), group % (8 * planes));
        // SAFETY: the caller's promise.
        let line = unsafe { self.line(s, self.at.high, block * planes + within % planes) };
        s.bit(line, 1 << (within / planes), 1 << bit)
    }

    #[inline(always)]
    fn row(&self, section: usize, row: usize) -> &[u8; WIDTH] {
        self.chunk[section + row * WIDTH..].first_chunk().expect("a chunk is as long as its sections")
    }

    #[inline(always)]
    fn halves<S: Lanes, F: Format>(&self, s: S, row: usize) -> S::Wide {
        let from: &[u8; 2 * WIDTH] =
            self.chunk[row * 2 * WIDTH..].first_chunk().expect("a chunk is as long as its sections");
        // SAFETY: sixteen f16, of any alignment.
        unsafe { s.wide_f16(from.as_ptr().cast()) }
    }
}

impl Source for Packed<'_> {
    #[inline(always)]
    unsafe fn codes<S: Lanes, F: Format, const FIELD: usize>(&self, s: S, group: usize) -> S::Bytes {
        // SAFETY: the lines of a group that is there are there.
        unsafe {
            let of_four = group / 32 * 8 + group % 8;
            match F::BITS {
                Bits::Eight => self.line(s, self.at.codes, group),
                Bits::Four { apart } => self.nibbles::<S, FIELD>(s, group, apart),
                Bits::Five { apart, planes } => {
                    s.or(self.nibbles::<S, FIELD>(s, group, apart), self.plane(s, group, planes, 4))
                }
                Bits::Six => {
                    let low = self.line(s, self.at.codes, 3 * of_four + FIELD % 2);
                    let low = if FIELD < 2 { s.low_nibbles(low) } else { s.high_nibbles(low) };
                    s.or(low, s.field_above::<FIELD>(self.line(s, self.at.codes, 3 * of_four + 2)))
                }
                Bits::Two => s.field::<FIELD>(self.line(s, self.at.codes, of_four)),
                Bits::Three => {
                    let low = s.field::<FIELD>(self.line(s, self.at.codes, of_four));
                    s.or(low, self.plane(s, group, 8, 2))
                }
                Bits::Table { apart } => s.look_up(&TABLE, self.nibbles::<S, FIELD>(s, group, apart)),
            }
        }
    }

    #[inline(always)]
    fn scales<S: Lanes, F: Format>(&self, s: S, sub: usize) -> S::Sums {
        let row = self.row(self.at.scales, sub);
        s.scales(match F::SHIFT {
            Shift::Offset(_) => s.widen_signed(row),
            _ if F::LAYOUT.min_rows == 0 => s.split(s.widen(row))[0],
            _ => s.widen(row),
        })
    }

    #[inline(always)]
    fn pairs<S: Lanes, F: Format>(&self, s: S, two: usize) -> S::Sums {
        let rows = |section| (self.row(section, 2 * two), self.row(section, 2 * two + 1));
        match F::SHIFT {
            Shift::Offset(_) => {
                let (low, high) = rows(self.at.scales);
                s.pair(s.widen_signed(low), s.widen_signed(high))
            }
            // A scale and a minimum share a byte.
            _ if F::LAYOUT.min_rows == 0 => {
                let (low, high) = rows(self.at.scales);
                s.pair(s.split(s.widen(low))[1], s.split(s.widen(high))[1])
            }
            _ => {
                let (low, high) = rows(self.at.minimums);
                s.pair(s.widen(low), s.widen(high))
            }
        }
    }

    #[inline(always)]
    fn factor<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide {
        self.halves::<S, F>(s, b * F::LAYOUT.factors)
    }

    #[inline(always)]
    fn shift<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide {
        let shift = self.halves::<S, F>(s, b * F::LAYOUT.factors + 1);
        if F::SHIFT == Shift::Minimums { s.wide_mul(s.wide_splat(-1.0), shift) } else { shift }
    }
}
