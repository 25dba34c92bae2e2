//! A chunk of a panel, unpacked into the first-level cache for many rows: a byte for each code, a word for each scale.

use super::format::{Bits, Format, Shift};
use super::layout::{CHUNK, LINE};
use super::packed::{Packed, Source};
use super::tile::{Runs, each_field};
use crate::integers::STEP;
use crate::lanes::{Lanes, WIDTH};

/// Room for an unpacked chunk.
#[repr(C, align(64))]
pub(super) struct Room {
    codes: [[u8; LINE]; CHUNK / STEP],
    scales: [[i32; WIDTH]; CHUNK / 16],
    pairs: [[i32; WIDTH]; CHUNK / 32],
    factors: [[f32; WIDTH]; CHUNK / 32],
    shifts: [[f32; WIDTH]; CHUNK / 32],
}

/// An unpacked chunk.
#[derive(Clone, Copy)]
pub(super) struct Expanded<'a> {
    packed: Packed<'a>,
    room: &'a Room,
}

impl Room {
    pub fn new() -> Self {
        Self {
            codes: [[0; LINE]; CHUNK / STEP],
            scales: [[0; WIDTH]; CHUNK / 16],
            pairs: [[0; WIDTH]; CHUNK / 32],
            factors: [[0.0; WIDTH]; CHUNK / 32],
            shifts: [[0.0; WIDTH]; CHUNK / 32],
        }
    }

    /// Unpacks a chunk of `n` blocks a row.
    #[inline(always)]
    pub fn fill<'a, S: Lanes, F: Format>(&'a mut self, s: S, packed: Packed<'a>, n: usize) -> Expanded<'a> {
        if F::BITS != Bits::Eight {
            let runs = Runs::of::<F>();
            for unit in 0..runs.units(n * F::LAYOUT.block) {
                each_field!(runs.fields, FIELD => {
                    let first = runs.first(unit, FIELD);
                    for group in first..first + runs.len {
                        // SAFETY: the units of n blocks are in the chunk.
                        let codes = unsafe { packed.codes::<S, F, FIELD>(s, group) };
                        s.store_bytes(codes, &mut self.codes[group]);
                    }
                });
            }
        }
        if F::LAYOUT.block == CHUNK {
            for sub in 0..CHUNK / F::SUB {
                s.store_sums(packed.scales::<S, F>(s, sub), &mut self.scales[sub]);
            }
            for two in 0..CHUNK / F::SUB / 2 {
                s.store_sums(packed.pairs::<S, F>(s, two), &mut self.pairs[two]);
            }
        }
        for b in 0..n {
            // SAFETY: both are sixteen values.
            unsafe {
                s.wide_store(packed.factor::<S, F>(s, b), self.factors[b].as_mut_ptr());
                if !matches!(F::SHIFT, Shift::Offset(_)) {
                    s.wide_store(packed.shift::<S, F>(s, b), self.shifts[b].as_mut_ptr());
                }
            }
        }
        Expanded { packed, room: self }
    }
}

impl Source for Expanded<'_> {
    #[inline(always)]
    unsafe fn codes<S: Lanes, F: Format, const FIELD: usize>(&self, s: S, group: usize) -> S::Bytes {
        // SAFETY: the caller promises that the group is in the chunk, which is no longer than the room.
        unsafe {
            match F::BITS {
                Bits::Eight => self.packed.codes::<S, F, FIELD>(s, group),
                _ => s.load_bytes(self.room.codes.as_ptr().add(group).cast()),
            }
        }
    }

    #[inline(always)]
    fn scales<S: Lanes, F: Format>(&self, s: S, sub: usize) -> S::Sums {
        s.load_sums(&self.room.scales[sub])
    }

    #[inline(always)]
    fn pairs<S: Lanes, F: Format>(&self, s: S, two: usize) -> S::Sums {
        s.load_sums(&self.room.pairs[two])
    }

    #[inline(always)]
    fn factor<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide {
        // SAFETY: sixteen values.
        unsafe { s.wide_load(self.room.factors[b].as_ptr()) }
    }

    #[inline(always)]
    fn shift<S: Lanes, F: Format>(&self, s: S, b: usize) -> S::Wide {
        // SAFETY: sixteen values.
        unsafe { s.wide_load(self.room.shifts[b].as_ptr()) }
    }
}
