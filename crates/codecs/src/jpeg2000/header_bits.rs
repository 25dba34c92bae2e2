//! The bits of a packet header (T.800, B.10.1).

use super::fault::truncated;
use crate::Result;

/// Reads bits, highest first; a byte after FF has seven.
#[derive(Debug)]
pub(super) struct HeaderBits<'a> {
    bytes: &'a [u8],
    pos: usize,
    current: u8,
    n_left: u32,
}

impl<'a> HeaderBits<'a> {
    /// Starts a packet header at `pos`.
    pub(super) fn new(bytes: &'a [u8], pos: usize) -> Self {
        Self { bytes, pos, current: 0, n_left: 0 }
    }

    /// The next bit.
    pub(super) fn bit(&mut self) -> Result<u32> {
        if self.n_left == 0 {
            self.n_left = if self.current == 0xFF { 7 } else { 8 };
            self.current = self.next_byte()?;
        }
        self.n_left -= 1;
        Ok(u32::from(self.current >> self.n_left) & 1)
    }

    /// The next `n` bits as a number; `n` is at most 32.
    pub(super) fn number(&mut self, n: u32) -> Result<u32> {
        let mut value = 0;
        for _ in 0..n {
            value = value << 1 | self.bit()?;
        }
        Ok(value)
    }

    /// Where the next byte after the header is. A header does not end with FF: a stuffed byte follows.
    pub(super) fn end(mut self) -> Result<usize> {
        if self.current == 0xFF {
            self.next_byte()?;
        }
        Ok(self.pos)
    }

    fn next_byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.pos).copied();
        let byte = byte.ok_or_else(|| truncated("JPEG 2000: the stream ends within a packet header"))?;
        self.pos += 1;
        Ok(byte)
    }
}
