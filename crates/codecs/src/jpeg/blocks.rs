//! Codes to coefficients: the first of a block, and those of a progressive scan (T.81, F.2.2.1 and G.1.2).

use super::bits::Bits;
use super::corrupt;
use super::huffman::Table;
use super::scan::Band;
use crate::{Error, Result};

/// By zigzag index: the place in rows of 8.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The first coefficient, as a difference to that of the block before.
#[inline(always)]
pub(super) fn read_dc(bits: &mut Bits<'_>, table: &Table, predictor: &mut i16) -> Result<i16> {
    bits.refill();
    let (size, difference) = table.next_number(bits)?;
    if size > 15 {
        return Err(out_of_range());
    }
    *predictor = i16::try_from(i32::from(*predictor) + difference).map_err(|_| out_of_range())?;
    Ok(*predictor)
}

/// G.1.2.2: the first scan of a band.
pub(super) fn read_first_ac(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    end_of_band: &mut u32,
    block: &mut [i16; 64],
) -> Result<()> {
    if *end_of_band > 0 {
        *end_of_band -= 1;
        return Ok(());
    }
    let mut index = band.first;
    while index <= band.last {
        bits.refill();
        let symbol = table.next(bits)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 {
            if run < 15 {
                *end_of_band = (1 << run) + bits.take(run as u32) - 1;
                return Ok(());
            }
            index += 16;
            continue;
        }
        index += run;
        if index > band.last {
            return Err(out_of_range());
        }
        let value = bits.signed(size) << band.low;
        block[usize::from(ZIGZAG[index])] = i16::try_from(value).map_err(|_| out_of_range())?;
        index += 1;
    }
    Ok(())
}

/// G.1.2.3: a scan that brings one more bit of a band.
pub(super) fn refine_ac(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    end_of_band: &mut u32,
    block: &mut [i16; 64],
) -> Result<()> {
    let one = 1_i16 << band.low;
    let mut index = band.first;
    if *end_of_band == 0 {
        while index <= band.last {
            bits.refill();
            let symbol = table.next(bits)?;
            let (mut run, size) = (symbol >> 4, symbol & 15);
            let mut fresh = 0;
            match size {
                0 if run < 15 => {
                    *end_of_band = (1 << run) + bits.take(u32::from(run));
                    break;
                }
                0 => {}
                1 => fresh = if bits.take(1) == 1 { one } else { -one },
                _ => return Err(out_of_range()),
            }
            // Passes `run` coefficients that are still zero; those that are not get their bit on the way.
            let mut is_placed = false;
            while index <= band.last {
                let value = &mut block[usize::from(ZIGZAG[index])];
                index += 1;
                if *value != 0 {
                    refine(bits, value, one)?;
                } else if run == 0 {
                    *value = fresh;
                    is_placed = true;
                    break;
                } else {
                    run -= 1;
                }
            }
            if fresh != 0 && !is_placed {
                return Err(out_of_range());
            }
        }
    }
    if *end_of_band > 0 {
        for place in &ZIGZAG[index..=band.last] {
            let value = &mut block[usize::from(*place)];
            if *value != 0 {
                refine(bits, value, one)?;
            }
        }
        *end_of_band -= 1;
    }
    Ok(())
}

/// Adds the next bit to a coefficient that is not zero.
fn refine(bits: &mut Bits<'_>, value: &mut i16, one: i16) -> Result<()> {
    bits.refill();
    if bits.take(1) == 1 && *value & one == 0 {
        *value = value.checked_add(if *value >= 0 { one } else { -one }).ok_or_else(out_of_range)?;
    }
    Ok(())
}

pub(super) fn out_of_range() -> Error {
    corrupt("a coefficient is outside of its block or range")
}
