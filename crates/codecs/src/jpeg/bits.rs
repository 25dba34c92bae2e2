//! Bits of entropy-coded data.

use super::{corrupt, ended};
use crate::Result;

/// Reads bits, high ones first, up to the next restart marker.
pub(super) struct Bits<'a> {
    coded: &'a [u8],
    at: usize,
    /// The bits that are loaded, the last read lowest.
    held: u64,
    n_held: u32,
}

impl<'a> Bits<'a> {
    pub fn new(coded: &'a [u8]) -> Self {
        Self { coded, at: 0, held: 0, n_held: 0 }
    }

    /// Loads bytes until at least 32 bits are held or the data ends.
    fn load(&mut self) {
        while self.n_held <= 48 {
            let Some(&byte) = self.coded.get(self.at) else { return };
            if byte == 0xFF {
                match self.coded.get(self.at + 1) {
                    Some(0x00) => self.at += 1,
                    // Fill bytes before a marker.
                    Some(0xFF) => {
                        self.at += 1;
                        continue;
                    }
                    _ => return,
                }
            }
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.n_held += 8;
        }
    }

    /// The next 16 bits without taking them, zeros where the data ends, and how many of them there are.
    pub fn peek16(&mut self) -> (u32, u32) {
        if self.n_held < 16 {
            self.load();
        }
        let bits =
            if self.n_held >= 16 { self.held >> (self.n_held - 16) } else { self.held << (16 - self.n_held) };
        ((bits & 0xFFFF) as u32, self.n_held.min(16))
    }

    /// Takes `n` bits that [`Bits::peek16`] showed.
    pub fn skip(&mut self, n: u32) {
        self.n_held -= n;
    }

    /// Takes `n` bits, at most 16.
    ///
    /// # Errors
    /// If the data ends before.
    pub fn take(&mut self, n: u32) -> Result<u32> {
        let (bits, n_there) = self.peek16();
        if n > n_there {
            return Err(short());
        }
        self.skip(n);
        Ok(if n == 0 { 0 } else { bits >> (16 - n) })
    }

    /// Takes a number of `size` bits as T.81 codes it (F.2.2.1, EXTEND).
    pub fn signed(&mut self, size: u32) -> Result<i32> {
        if size == 0 {
            return Ok(0);
        }
        let value = self.take(size)? as i32;
        Ok(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// Passes restart marker `number` (0 to 7), which must stand next.
    pub fn restart(&mut self, number: u8) -> Result<()> {
        // Whole bytes that are left belong to no block.
        self.load();
        let is_left = self.n_held >= 8;
        (self.held, self.n_held) = (0, 0);
        while self.coded.get(self.at) == Some(&0xFF) && self.coded.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        match self.coded.get(self.at..self.at + 2) {
            Some([0xFF, found]) if !is_left && *found == 0xD0 + number => {
                self.at += 2;
                Ok(())
            }
            Some(_) => Err(corrupt(format!("expected restart marker {number}, found other data"))),
            None => Err(short()),
        }
    }
}

pub(super) fn short() -> crate::Error {
    ended("the coded data of a scan ends before its last block")
}
