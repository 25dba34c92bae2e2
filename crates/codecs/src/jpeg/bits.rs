//! Bits of entropy-coded data.

use super::{corrupt, ended};
use crate::{Error, Result};

/// Zeros behind the bytes of an interval, so that eight bytes can be loaded at each of them.
pub(super) const PADDING: usize = 8;

/// Reads bits, high ones first.
///
/// Behind the end there are zeros. Whoever decodes checks once, with [`Bits::finish`], that none of them was used.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// Without stuffing, with [`PADDING`] zeros at the end.
    bytes: &'a [u8],
    /// The byte behind those that [`Bits::n_held`] counts.
    at: usize,
    /// The next bits from the highest down. Below those that count, there may be more of what follows.
    held: u64,
    n_held: u32,
    /// The number of the restart marker that must stand right behind.
    marker: Option<u8>,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8], marker: Option<u8>) -> Self {
        Self { bytes, at: 0, held: 0, n_held: 0, marker }
    }

    /// Loads so that at least 56 bits can be looked at and taken.
    #[inline(always)]
    pub fn refill(&mut self) {
        if let Some(next) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            self.held |= u64::from_be_bytes(*next) >> self.n_held;
        }
        // Whole bytes only: the rest of the eight is loaded again next time, at the same place.
        self.at += ((63 - self.n_held) >> 3) as usize;
        self.n_held |= 56;
    }

    /// Loads so that at least 32 bits can be looked at and taken.
    #[inline(always)]
    pub fn refill_if_low(&mut self) {
        if self.n_held < 32 {
            self.refill();
        }
    }

    /// The next `n` bits, 1 to 32, without taking them.
    #[inline(always)]
    pub fn peek(&self, n: u32) -> usize {
        (self.held >> (64 - n)) as usize
    }

    /// Passes `n` bits; no more than were refilled.
    #[inline(always)]
    pub fn skip(&mut self, n: u32) {
        self.held <<= n;
        self.n_held -= n;
    }

    /// Takes `n` bits, at most 16; no more than were refilled.
    #[inline(always)]
    pub fn take(&mut self, n: u32) -> u32 {
        let bits = (self.held >> 1) >> (63 - n);
        self.skip(n);
        bits as u32
    }

    /// Takes a number of `size` bits, at most 16, as T.81 codes it (F.2.2.1, EXTEND).
    #[inline(always)]
    pub fn signed(&mut self, size: u32) -> i32 {
        extend(self.take(size), size)
    }

    /// Whether bits were taken that are not there.
    pub fn is_past_end(&self) -> bool {
        self.n_taken() > (self.bytes.len() - PADDING) * 8
    }

    /// What is wrong with a unit that could not be read: where the data had ended before, that.
    #[cold]
    pub fn blame(&self, error: Error) -> Error {
        if self.is_past_end() { short() } else { error }
    }

    fn n_taken(&self) -> usize {
        self.at * 8 - self.n_held as usize
    }

    /// Ends an interval.
    ///
    /// # Errors
    /// If it was too short for what was read from it, or too long where a restart marker is due.
    pub fn finish(&self) -> Result<()> {
        if self.is_past_end() {
            return Err(short());
        }
        let n_left = (self.bytes.len() - PADDING) * 8 - self.n_taken();
        match self.marker {
            Some(number) if n_left >= 8 => {
                Err(corrupt(format!("expected restart marker {number}, found other data")))
            }
            _ => Ok(()),
        }
    }
}

/// The number that T.81 codes as `bits` of `size` bits, 0 to 16.
#[inline(always)]
pub(super) fn extend(bits: u32, size: u32) -> i32 {
    let value = bits as i32;
    // Numbers that begin with a zero bit are negative.
    let is_negative = value < (1 << size) >> 1;
    if is_negative { value + 1 - (1 << size) } else { value }
}

pub(super) fn short() -> Error {
    ended("the coded data of a scan ends before its last block")
}
