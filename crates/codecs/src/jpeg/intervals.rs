//! The coded data of a scan, from one restart marker to the next.

use std::ops::Range;

use super::bits::{Bits, PADDING, short};
use super::corrupt;
use crate::Result;

/// The intervals of a scan, each with its units (T.81, B.2.1: MCUs).
pub(super) struct Intervals<'a> {
    coded: &'a [u8],
    /// What is behind the interval that was read last.
    at: usize,
    n_units: usize,
    /// Units an interval.
    interval: usize,
    /// Units of the intervals that were read.
    n_passed: usize,
    /// The number of the restart marker at the end of the interval that was read last, if it ends with one.
    marker: Option<u8>,
    /// The bytes of the interval without stuffing, and [`PADDING`] zeros.
    bytes: Vec<u8>,
}

impl<'a> Intervals<'a> {
    /// Of a scan of `n_units` units with a restart marker behind every `interval` of them, 0 for none.
    pub fn new(coded: &'a [u8], n_units: usize, interval: usize) -> Self {
        let interval = if interval == 0 { n_units.max(1) } else { interval };
        Self { coded, at: 0, n_units, interval, n_passed: 0, marker: None, bytes: Vec::new() }
    }

    /// The units of the next interval and their bits, or nothing behind the last.
    ///
    /// # Errors
    /// If the restart marker that is due does not stand before it.
    pub fn next(&mut self) -> Result<Option<(Range<usize>, Bits<'_>)>> {
        if self.n_passed >= self.n_units {
            return Ok(None);
        }
        let idx = self.n_passed / self.interval;
        if idx > 0 {
            let expected = ((idx - 1) % 8) as u8;
            match self.marker {
                Some(found) if found == expected => {}
                Some(found) => {
                    return Err(corrupt(format!("expected restart marker {expected}, found {found}")));
                }
                None => return Err(short()),
            }
        }
        let units = self.n_passed..self.n_units.min(self.n_passed + self.interval);
        self.n_passed = units.end;
        self.load()?;
        // A marker that is due must stand right behind the last unit; what follows the picture does not matter.
        let next_marker = (units.end < self.n_units).then_some((idx % 8) as u8);
        Ok(Some((units, Bits::new(&self.bytes, next_marker))))
    }

    /// Whether the interval that was read last is the last one.
    pub fn is_at_end(&self) -> bool {
        self.n_passed >= self.n_units
    }

    /// Copies the bytes up to the next restart marker, or the end.
    fn load(&mut self) -> Result<()> {
        self.bytes.clear();
        let most = (self.coded.len() - self.at).saturating_add(PADDING);
        if self.bytes.capacity() < most.min(1 << 16) {
            self.bytes = crate::memory::reserve(most)?;
        }
        self.marker = loop {
            let rest = &self.coded[self.at..];
            let n = find_ff(rest).unwrap_or(rest.len());
            self.bytes.extend_from_slice(&rest[..n]);
            self.at += n;
            match self.coded.get(self.at + 1) {
                Some(0x00) => {
                    self.bytes.push(0xFF);
                    self.at += 2;
                }
                // Fill bytes before a marker.
                Some(0xFF) => self.at += 1,
                Some(found @ 0xD0..=0xD7) => {
                    self.at += 2;
                    break Some(found - 0xD0);
                }
                _ => break None,
            }
        };
        self.bytes.extend_from_slice(&[0; PADDING]);
        Ok(())
    }
}

/// Where the first byte of ones stands.
pub(super) fn find_ff(bytes: &[u8]) -> Option<usize> {
    const STEP: usize = 32;
    let mut chunks = bytes.chunks_exact(STEP);
    let n_clear = chunks
        .by_ref()
        .take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | (*byte == 0xFF)))
        .count();
    let start = n_clear * STEP;
    bytes[start..].iter().position(|byte| *byte == 0xFF).map(|found| start + found)
}
