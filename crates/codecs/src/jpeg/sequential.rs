//! Baseline and extended sequential coding (T.81, annex F): each block is decoded, transformed and placed at once.

use super::bits::Bits;
use super::blocks::{ZIGZAG, out_of_range, read_dc};
use super::frame::{Frame, Layout};
use super::huffman::Table;
use super::intervals::Intervals;
use super::sample::Sample;
use super::samples::Plane;
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
struct Part<'t> {
    plane: usize,
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
        let mut parts = Vec::new();
        for part in &header.parts {
            let component = self.layouts[part.component].component;
            if std::mem::replace(&mut self.is_read[part.component], true) {
                return Err(corrupt("a scan repeats or skips a part of the coefficients"));
            }
            parts.push(Part {
                plane: part.component,
                dc: tables.dc(part)?,
                ac: tables.ac(part)?,
                quantization: tables.quantization(&component)?,
                predictor: 0,
            });
        }
        // A component alone has its own blocks row by row, without the padding of interleaved units.
        let (n_across, n_down, is_alone) = match parts.as_slice() {
            [part] => {
                let (across, down) = self.layouts[part.plane].blocks;
                (across, down, true)
            }
            _ => (self.units.0, self.units.1, false),
        };
        let (mut block, mut samples) = (Block::new(), [T::default(); 64]);
        let mut intervals = Intervals::new(coded, n_across * n_down, tables.restart_interval);
        while let Some((units, mut bits)) = intervals.next()? {
            parts.iter_mut().for_each(|part| part.predictor = 0);
            let (mut across, mut down) = (units.start % n_across, units.start / n_across);
            for _ in units {
                for part in &mut parts {
                    let component = self.layouts[part.plane].component;
                    let factor = if is_alone { (1, 1) } else { (component.across, component.down) };
                    for y in down * factor.1..(down + 1) * factor.1 {
                        for x in across * factor.0..(across + 1) * factor.0 {
                            read_block(&mut bits, part, &mut block).map_err(|error| bits.blame(error))?;
                            T::inverse(&block, part.quantization, &mut samples);
                            self.planes[part.plane].place(x * 8, y * 8, &samples);
                        }
                    }
                }
                across += 1;
                if across == n_across {
                    (across, down) = (0, down + 1);
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
fn read_block(bits: &mut Bits<'_>, part: &mut Part<'_>, block: &mut Block) -> Result<()> {
    block.clear();
    // A copy that lives in registers.
    let mut local = *bits;
    let result = read_coefficients(&mut local, part, block);
    *bits = local;
    result
}

/// Decodes the coefficients of a block (F.2.2), each times its quantization.
#[inline(always)]
fn read_coefficients(bits: &mut Bits<'_>, part: &mut Part<'_>, block: &mut Block) -> Result<()> {
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
