//! Huffman tables (T.81, annex C and F.2.2.3).

use super::bits::{Bits, short};
use super::corrupt;
use crate::Result;

/// Codes up to this length are found by one look.
const QUICK: u32 = 9;

/// A Huffman table, ready to decode.
pub(super) struct Table {
    /// By the next [`QUICK`] bits: symbol and length, length 0 where the code is longer.
    quick: Vec<(u8, u8)>,
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
            quick: vec![(0, 0); 1 << QUICK],
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
                    let Some(slots) = table.quick.get_mut(first..first + (1 << (QUICK - length))) else {
                        return Err(overfull());
                    };
                    slots.fill((*symbol, length as u8));
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

    /// The next symbol.
    ///
    /// # Errors
    /// If the data ends, or the bits are no code.
    pub fn next(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let (ahead, n_there) = bits.peek16();
        let (symbol, length) = self.quick[(ahead >> (16 - QUICK)) as usize];
        let (symbol, length) = if length > 0 {
            (symbol, u32::from(length))
        } else {
            let length = (QUICK + 1..=16).find(|length| ahead < self.end[*length as usize]);
            let Some(length) = length else {
                return Err(if n_there < 16 {
                    short()
                } else {
                    corrupt("the coded data holds bits that are no code")
                });
            };
            let index = (ahead >> (16 - length)) as i32 + self.offset[length as usize];
            match usize::try_from(index).ok().and_then(|index| self.symbols.get(index)) {
                Some(symbol) => (*symbol, length),
                None => return Err(corrupt("the coded data holds bits that are no code")),
            }
        };
        if length > n_there {
            return Err(short());
        }
        bits.skip(length);
        Ok(symbol)
    }
}

fn overfull() -> crate::Error {
    corrupt("a Huffman table has more codes than fit")
}
