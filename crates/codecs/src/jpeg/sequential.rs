//! Baseline and extended sequential coding (T.81, annex F): each block is decoded, transformed and placed at once.

use super::bits::Bits;
use super::blocks::{ZIGZAG, out_of_range, read_dc};
use super::frame::{Frame, Layout};
use super::huffman::Table;
use super::intervals::Intervals;
use super::sample::Sample;
use super::samples::{Plane, Stripe};
use super::scan::{Header, Tables};
use super::transform::Block;
use super::{corrupt, ended};
use crate::Result;

/// The planes of a frame while its scans are read.
pub(super) struct Sequential<T> {
    planes: Vec<Plane<T>>,
    layouts: Vec<Layout>,
    is_read: Vec<bool>,
    /// Units of all components across and down.
    units: (usize, usize),
}

/// What a scan knows of one of its components.
struct Part<'t, T> {
    plane: usize,
    /// Blocks across and down in a unit.
    factor: (usize, usize),
    /// The row of units that is being read.
    stripe: Stripe<T>,
    dc: &'t Table,
    ac: &'t Table,
    quantization: &'t [u16; 64],
    predictor: i16,
}

impl<T: Sample> Sequential<T> {
    pub fn new(frame: &Frame) -> Result<Self> {
        let layouts: Vec<Layout> = frame.layouts().collect();
        let planes = layouts.iter().map(Plane::new).collect::<Result<Vec<_>>>()?;
        Ok(Self { planes, is_read: vec![false; layouts.len()], layouts, units: frame.units() })
    }

    /// Decodes one scan. Its band is 0 to 63 (T.81, B.2.3); what is written there instead has no effect.
    pub fn read_scan(&mut self, header: &Header, tables: &Tables, coded: &[u8]) -> Result<()> {
        // A component alone has its own blocks row by row, without the padding of interleaved units.
        let is_alone = header.parts.len() == 1;
        let (n_across, n_down) =
            if is_alone { self.layouts[header.parts[0].component].blocks } else { self.units };
        let mut parts = Vec::new();
        for part in &header.parts {
            let component = self.layouts[part.component].component;
            if std::mem::replace(&mut self.is_read[part.component], true) {
                return Err(corrupt("a scan repeats or skips a part of the coefficients"));
            }
            let factor = if is_alone { (1, 1) } else { (component.across, component.down) };
            parts.push(Part {
                plane: part.component,
                factor,
                stripe: Stripe::<T>::new(n_across * factor.0, factor.1)?,
                dc: tables.dc(part)?,
                ac: tables.ac(part)?,
                quantization: tables.quantization(&component)?,
                predictor: 0,
            });
        }
        let (mut block, mut samples, mut inverse) = (Block::new(), [T::default(); 64], T::new_inverse());
        let mut across = 0;
        let mut intervals = Intervals::new(coded, n_across * n_down, tables.restart_interval);
        while let Some((units, mut bits)) = intervals.next()? {
            parts.iter_mut().for_each(|part| part.predictor = 0);
            for _ in units {
                for part in &mut parts {
                    for y in 0..part.factor.1 {
                        for x in 0..part.factor.0 {
                            read_block(&mut bits, part, &mut block).map_err(|error| bits.blame(error))?;
                            T::inverse(&mut inverse, &block, part.quantization, &mut samples);
                            part.stripe.place(across * part.factor.0 + x, y, &samples);
                        }
                    }
                }
                across += 1;
                if across == n_across {
                    across = 0;
                    parts.iter().for_each(|part| self.planes[part.plane].append(&part.stripe));
                }
            }
            bits.finish()?;
        }
        Ok(())
    }

    /// The planes, if every component was in a scan.
    pub fn finish(self) -> Result<Vec<Plane<T>>> {
        match self.layouts.iter().zip(&self.is_read).find(|(_, is_read)| !**is_read) {
            None => Ok(self.planes),
            Some((layout, _)) => Err(ended(format!(
                "component {}: a part of its coefficients is in no scan",
                layout.component.id
            ))),
        }
    }
}

/// Decodes a block.
fn read_block<T>(bits: &mut Bits<'_>, part: &mut Part<'_, T>, block: &mut Block) -> Result<()> {
    block.clear();
    // A copy that lives in registers.
    let mut local = *bits;
    let result = read_coefficients(&mut local, part, block);
    *bits = local;
    result
}

/// Decodes the coefficients of a block (F.2.2), each times its quantization.
#[inline(always)]
fn read_coefficients<T>(bits: &mut Bits<'_>, part: &mut Part<'_, T>, block: &mut Block) -> Result<()> {
    let first = read_dc(bits, part.dc, &mut part.predictor)?;
    block.set(0, first, part.quantization[0]);
    let mut index = 1;
    while index < 64 {
        bits.refill_if_low();
        let (symbol, value) = part.ac.next_number(bits)?;
        let run = usize::from(symbol >> 4);
        if symbol & 15 == 0 {
            if run < 15 {
                break;
            }
            index += 16;
            continue;
        }
        index += run;
        let place = usize::from(*ZIGZAG.get(index).ok_or_else(out_of_range)?);
        block.set(place, value as i16, part.quantization[place]);
        index += 1;
    }
    Ok(())
}
