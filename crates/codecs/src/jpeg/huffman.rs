//! Huffman tables (T.81, annex C and F.2.2.3).

use super::bits::{Bits, extend};
use super::corrupt;
use crate::{Error, Result};

/// Codes up to this length are found by one look.
const QUICK: u32 = 11;

/// In an entry: the look shows the number behind the code as well.
const IS_WHOLE: u32 = 1 << 5;

/// A Huffman table, ready to decode.
pub(super) struct Table {
    /// By the next [`QUICK`] bits, from the lowest bit up: 5 bits of length, [`IS_WHOLE`], 2 unused, 8 of symbol, 16 of the
    /// number. The length is that of the code, and of the number where it is whole; 0 where the code is longer than
    /// the look.
    quick: Box<[u32; 1 << QUICK]>,
    /// By length: the code behind the last one of that length, as 16 bits.
    end: [u32; 17],
    /// By length: index of the first symbol minus the first code.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// From the number of codes of each length, 1 to 16, and their symbols.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        let mut table = Self {
            quick: Box::new([0; 1 << QUICK]),
            end: [0; 17],
            offset: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offset[length as usize] = index as i32 - code as i32;
            for symbol in &symbols[index..index + count] {
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    let slots = table.quick.get_mut(first..first + (1 << (QUICK - length)));
                    fill(slots.ok_or_else(overfull)?, *symbol, length);
                }
                code += 1;
            }
            if code > 1 << length {
                return Err(overfull());
            }
            index += count;
            table.end[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// The next symbol, and the number of as many bits as the symbol's lower half states.
    ///
    /// At least 31 bits must have been refilled.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn next_number(&self, bits: &mut Bits<'_>) -> Result<(u8, i32)> {
        let entry = self.quick[bits.peek(QUICK)];
        if entry & IS_WHOLE != 0 {
            bits.skip(entry & 31);
            return Ok(((entry >> 8) as u8, entry as i32 >> 16));
        }
        let symbol = self.code(entry, bits)?;
        Ok((symbol, bits.signed(u32::from(symbol & 15))))
    }

    /// The next symbol.
    ///
    /// At least 16 bits must have been refilled.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn next(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let entry = self.quick[bits.peek(QUICK)];
        if entry & IS_WHOLE != 0 {
            let symbol = (entry >> 8) as u8;
            bits.skip((entry & 31) - u32::from(symbol & 15));
            return Ok(symbol);
        }
        self.code(entry, bits)
    }

    /// The symbol of a code whose number is not in `entry`.
    #[inline(always)]
    fn code(&self, entry: u32, bits: &mut Bits<'_>) -> Result<u8> {
        if entry != 0 {
            bits.skip(entry & 31);
            return Ok((entry >> 8) as u8);
        }
        self.long_code(bits)
    }

    #[cold]
    fn long_code(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let no_code = || corrupt("the coded data holds bits that are no code");
        let ahead = bits.peek(16) as u32;
        let length =
            (QUICK + 1..=16).find(|length| ahead < self.end[*length as usize]).ok_or_else(no_code)?;
        let index = (ahead >> (16 - length)) as i32 + self.offset[length as usize];
        let symbol = usize::try_from(index).ok().and_then(|index| self.symbols.get(index));
        bits.skip(length);
        symbol.copied().ok_or_else(no_code)
    }
}

/// Writes the entries of one code: all ways in which the look can go on behind it.
fn fill(slots: &mut [u32], symbol: u8, length: u32) {
    let size = u32::from(symbol & 15);
    let code_only = length | u32::from(symbol) << 8;
    let Some(n_beyond) = (QUICK - length).checked_sub(size) else {
        slots.fill(code_only);
        return;
    };
    for (bits, slots) in slots.chunks_exact_mut(1 << n_beyond).enumerate() {
        let number = extend(bits as u32, size) as i16;
        slots.fill((code_only + size) | IS_WHOLE | u32::from(number as u16) << 16);
    }
}

fn overfull() -> Error {
    corrupt("a Huffman table has more codes than fit")
}
