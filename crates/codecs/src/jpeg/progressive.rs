//! Progressive coding (T.81, annex G): coefficients are gathered from all scans before they are transformed.

use super::bits::Bits;
use super::blocks::{out_of_range, read_dc, read_first_ac, refine_ac};
use super::frame::{Frame, Layout};
use super::huffman::Table;
use super::intervals::Intervals;
use super::sample::Sample;
use super::samples::{Plane, Stripe};
use super::scan::{Band, Header, Tables};
use super::transform::Block;
use super::{corrupt, ended};
use crate::Result;

/// The coefficients of a frame while its scans are read.
pub(super) struct Progressive {
    parts: Vec<Coefficients>,
    /// Units of all components across and down.
    units: (usize, usize),
}

/// A component with its blocks of 8 × 8 coefficients.
struct Coefficients {
    layout: Layout,
    /// Block by block, padded to whole units, each in the order of rows.
    blocks: Vec<[i16; 64]>,
    /// The table that held when the component was first scanned.
    quantization: Option<[u16; 64]>,
    /// By zigzag index: the lowest bit that scans have brought so far, -1 before the first.
    lowest_bit: [i8; 64],
}

/// What a scan knows of one of its components.
struct Part<'t> {
    component: usize,
    dc: Option<&'t Table>,
    ac: Option<&'t Table>,
    predictor: i16,
}

impl Progressive {
    /// All coefficients zero.
    pub fn new(frame: &Frame) -> Result<Self> {
        let parts = frame.layouts().map(|layout| {
            let n_blocks = layout.padded_blocks.0 * layout.padded_blocks.1;
            let mut blocks = crate::memory::reserve(n_blocks)?;
            blocks.resize(n_blocks, [0; 64]);
            Ok(Coefficients { layout, blocks, quantization: None, lowest_bit: [-1; 64] })
        });
        Ok(Self { parts: parts.collect::<Result<Vec<_>>>()?, units: frame.units() })
    }

    /// Decodes one scan.
    pub fn read_scan(&mut self, header: &Header, tables: &Tables, coded: &[u8]) -> Result<()> {
        let band = header.band()?;
        let mut parts = Vec::new();
        for part in &header.parts {
            let coefficients = &mut self.parts[part.component];
            let needs_dc = band.first == 0 && band.high == 0;
            parts.push(Part {
                component: part.component,
                dc: needs_dc.then(|| tables.dc(part)).transpose()?,
                ac: (band.last > 0).then(|| tables.ac(part)).transpose()?,
                predictor: 0,
            });
            coefficients.note_scan(band)?;
            if coefficients.quantization.is_none() {
                coefficients.quantization = Some(*tables.quantization(&coefficients.layout.component)?);
            }
        }
        // A component alone has its own blocks row by row, without the padding of interleaved units.
        let (n_across, n_down, is_alone) = match parts.as_slice() {
            [part] => {
                let (across, down) = self.parts[part.component].layout.blocks;
                (across, down, true)
            }
            _ => (self.units.0, self.units.1, false),
        };
        let mut intervals = Intervals::new(coded, n_across * n_down, tables.restart_interval);
        while let Some((units, mut bits)) = intervals.next()? {
            parts.iter_mut().for_each(|part| part.predictor = 0);
            // Blocks that follow without coefficients of the band (G.1.2.2).
            let mut end_of_band = 0;
            for unit in units {
                let (across, down) = (unit % n_across, unit / n_across);
                for part in &mut parts {
                    let coefficients = &mut self.parts[part.component];
                    let Layout { component, padded_blocks, .. } = coefficients.layout;
                    let factor = if is_alone { (1, 1) } else { (component.across, component.down) };
                    for y in down * factor.1..(down + 1) * factor.1 {
                        for x in across * factor.0..(across + 1) * factor.0 {
                            let block = &mut coefficients.blocks[y * padded_blocks.0 + x];
                            read_block(&mut bits, part, band, &mut end_of_band, block)
                                .map_err(|error| bits.blame(error))?;
                        }
                    }
                }
            }
            bits.finish()?;
            if end_of_band > 0 && !intervals.is_at_end() {
                return Err(corrupt("a run of empty blocks goes on beyond a restart marker"));
            }
        }
        Ok(())
    }

    /// The planes, if every coefficient came to its last bit.
    pub fn finish<T: Sample>(self) -> Result<Vec<Plane<T>>> {
        self.parts
            .into_iter()
            .map(|part| {
                let layout = part.layout;
                let table = part.quantization.filter(|_| part.lowest_bit == [0; 64]).ok_or_else(|| {
                    let id = layout.component.id;
                    ended(format!("component {id}: a part of its coefficients is in no scan"))
                })?;
                let mut plane = Plane::new(&layout)?;
                let mut stripe = Stripe::new(layout.blocks.0, 1)?;
                let (mut samples, mut inverse) = ([T::default(); 64], T::new_inverse());
                for blocks in part.blocks.chunks_exact(layout.padded_blocks.0).take(layout.blocks.1) {
                    for (x, coefficients) in blocks[..layout.blocks.0].iter().enumerate() {
                        let block = Block::of(coefficients, &table);
                        T::inverse(&mut inverse, &block, &table, &mut samples);
                        stripe.place(x, 0, &samples);
                    }
                    plane.append(&stripe);
                }
                Ok(plane)
            })
            .collect()
    }
}

impl Coefficients {
    /// Notes that a scan brings a band down to bit `low`, from `high` where it refines.
    fn note_scan(&mut self, band: Band) -> Result<()> {
        for bit in &mut self.lowest_bit[band.first..=band.last] {
            let is_due = if band.high == 0 { *bit == -1 } else { *bit == band.high as i8 };
            if !is_due {
                return Err(corrupt("a scan repeats or skips a part of the coefficients"));
            }
            *bit = band.low as i8;
        }
        Ok(())
    }
}

fn read_block(
    bits: &mut Bits<'_>,
    part: &mut Part<'_>,
    band: Band,
    end_of_band: &mut u32,
    block: &mut [i16; 64],
) -> Result<()> {
    match (part.dc, part.ac) {
        (Some(table), _) => {
            let value = i32::from(read_dc(bits, table, &mut part.predictor)?) << band.low;
            block[0] = i16::try_from(value).map_err(|_| out_of_range())?;
        }
        (None, Some(table)) if band.high == 0 => read_first_ac(bits, table, band, end_of_band, block)?,
        (None, Some(table)) => refine_ac(bits, table, band, end_of_band, block)?,
        (None, None) => {
            bits.refill();
            block[0] |= (bits.take(1) as i16) << band.low;
        }
    }
    Ok(())
}
