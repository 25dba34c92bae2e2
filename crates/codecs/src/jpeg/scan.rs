//! Scans: entropy-coded data to coefficients (T.81, annexes F and G).

use super::bits::Bits;
use super::blocks::{Band, ZIGZAG, out_of_range, read_dc, read_first_ac, read_sequential_ac, refine_ac};
use super::coefficients::Plane;
use super::corrupt;
use super::huffman::Table;
use crate::Result;

/// Tables as they hold at a place in the file.
pub(super) struct Decoder {
    is_progressive: bool,
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    /// Units between restart markers, 0 for none.
    restart_interval: usize,
}

/// A component of a scan: its plane, and the tables it uses.
struct Part<'t> {
    plane: usize,
    dc: Option<&'t Table>,
    ac: Option<&'t Table>,
    predictor: i32,
}

impl Decoder {
    pub fn new(is_progressive: bool) -> Self {
        Self {
            is_progressive,
            quantization: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            restart_interval: 0,
        }
    }

    /// Reads a DQT segment.
    pub fn read_quantization_tables(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((head, rest)) = body.split_first() {
            let (is_wide, slot) = (head >> 4 == 1, usize::from(head & 15));
            let n_bytes = if is_wide { 128 } else { 64 };
            let (Some(values), true, true) = (rest.get(..n_bytes), head >> 4 <= 1, slot < 4) else {
                return Err(corrupt("a quantization table is too short, or of an unknown kind"));
            };
            let mut table = [0; 64];
            for (index, place) in ZIGZAG.iter().enumerate() {
                table[usize::from(*place)] = if is_wide {
                    u16::from_be_bytes([values[2 * index], values[2 * index + 1]])
                } else {
                    u16::from(values[index])
                };
            }
            self.quantization[slot] = Some(table);
            body = &rest[n_bytes..];
        }
        Ok(())
    }

    /// Reads a DHT segment.
    pub fn read_huffman_tables(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((head, rest)) = body.split_first() {
            let slot = usize::from(head & 15);
            let (Some(counts), true, true) = (rest.first_chunk::<16>(), head >> 4 <= 1, slot < 4) else {
                return Err(corrupt("a Huffman table is too short, or of an unknown kind"));
            };
            let n_symbols: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let Some(symbols) = rest.get(16..16 + n_symbols) else {
                return Err(corrupt("a Huffman table is shorter than its counts"));
            };
            let table = Some(Table::new(counts, symbols)?);
            if head >> 4 == 0 {
                self.dc[slot] = table;
            } else {
                self.ac[slot] = table;
            }
            body = &rest[16 + n_symbols..];
        }
        Ok(())
    }

    /// Reads a DRI segment.
    pub fn read_restart_interval(&mut self, body: &[u8]) -> Result<()> {
        let &[high, low] = body else { return Err(corrupt("the restart interval is not of two bytes")) };
        self.restart_interval = usize::from(u16::from_be_bytes([high, low]));
        Ok(())
    }

    /// Decodes one scan into the planes of its components.
    pub fn read_scan(&self, header: &[u8], coded: &[u8], planes: &mut [Plane]) -> Result<()> {
        let too_short = || corrupt("a scan header is too short");
        let n_parts = usize::from(*header.first().ok_or_else(too_short)?);
        let selectors = header.get(1..1 + 2 * n_parts).ok_or_else(too_short)?;
        let &[first, last, approximation] = header.get(1 + 2 * n_parts..).ok_or_else(too_short)? else {
            return Err(too_short());
        };
        let band = self.band(first, last, approximation, n_parts)?;
        let mut parts = Vec::new();
        for selector in selectors.chunks_exact(2) {
            let plane = planes
                .iter()
                .position(|plane| plane.component.id == selector[0])
                .filter(|plane| !parts.iter().any(|part: &Part<'_>| part.plane == *plane))
                .ok_or_else(|| {
                    corrupt(format!("a scan names component {}, which is not there", selector[0]))
                })?;
            parts.push(self.part(plane, selector[1], band)?);
            let plane = &mut planes[plane];
            plane.note_scan(band.first, band.last, band.high, band.low)?;
            if plane.quantization.is_none() {
                plane.quantization = self.quantization[plane.component.table];
            }
            if plane.quantization.is_none() {
                return Err(corrupt(format!("quantization table {} is not there", plane.component.table)));
            }
        }
        match parts.len() {
            0 => Err(corrupt("a scan has no components")),
            1 => self.read_alone(coded, &mut parts[0], band, planes),
            _ => self.read_interleaved(coded, &mut parts, band, planes),
        }
    }

    fn band(&self, first: u8, last: u8, approximation: u8, n_parts: usize) -> Result<Band> {
        if !self.is_progressive {
            // T.81, B.2.3: 0, 63 and 0; what is written there instead has no effect on sequential coding.
            return Ok(Band { first: 0, last: 63, high: 0, low: 0 });
        }
        let band = Band {
            first: usize::from(first),
            last: usize::from(last),
            high: approximation >> 4,
            low: approximation & 15,
        };
        let is_dc = band.first == 0;
        let is_valid =
            if is_dc { band.last == 0 } else { (band.first..64).contains(&band.last) && n_parts == 1 };
        if !is_valid || band.low > 13 || (band.high != 0 && band.high != band.low + 1) {
            return Err(corrupt(format!(
                "a progressive scan states {first} to {last}, bits {approximation:#04x}"
            )));
        }
        Ok(band)
    }

    fn part(&self, plane: usize, tables: u8, band: Band) -> Result<Part<'_>> {
        let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
        let part = Part {
            plane,
            dc: self.dc.get(dc).and_then(Option::as_ref),
            ac: self.ac.get(ac).and_then(Option::as_ref),
            predictor: 0,
        };
        let needs_dc = band.first == 0 && band.high == 0;
        let needs_ac = band.last > 0;
        if (needs_dc && part.dc.is_none()) || (needs_ac && part.ac.is_none()) {
            return Err(corrupt("a scan names a Huffman table that is not there"));
        }
        Ok(part)
    }

    /// A scan of one component: its blocks row by row, without the padding of interleaved units.
    fn read_alone(&self, coded: &[u8], part: &mut Part<'_>, band: Band, planes: &mut [Plane]) -> Result<()> {
        let plane = &mut planes[part.plane];
        let (n_across, n_down) = (plane.width.div_ceil(8), plane.height.div_ceil(8));
        let mut intervals = Intervals::new(coded, self.restart_interval);
        for down in 0..n_down {
            for across in 0..n_across {
                if intervals.next()? {
                    part.predictor = 0;
                }
                self.read_block(&mut intervals, part, band, plane.block(across, down))?;
            }
        }
        Ok(())
    }

    /// A scan of several components: units of some blocks of each.
    fn read_interleaved(
        &self,
        coded: &[u8],
        parts: &mut [Part<'_>],
        band: Band,
        planes: &mut [Plane],
    ) -> Result<()> {
        let first = &planes[parts[0].plane];
        let n_across = first.n_across / first.component.across;
        let n_down = first.n_down / first.component.down;
        let mut intervals = Intervals::new(coded, self.restart_interval);
        for unit in 0..n_across * n_down {
            if intervals.next()? {
                parts.iter_mut().for_each(|part| part.predictor = 0);
            }
            for part in parts.iter_mut() {
                let plane = &mut planes[part.plane];
                let (across, down) = (plane.component.across, plane.component.down);
                for index in 0..across * down {
                    let x = unit % n_across * across + index % across;
                    let y = unit / n_across * down + index / across;
                    self.read_block(&mut intervals, part, band, plane.block(x, y))?;
                }
            }
        }
        Ok(())
    }

    fn read_block(
        &self,
        intervals: &mut Intervals<'_>,
        part: &mut Part<'_>,
        band: Band,
        block: &mut [i16],
    ) -> Result<()> {
        let bits = &mut intervals.bits;
        match part.dc.filter(|_| band.high == 0) {
            _ if band.first > 0 => {}
            Some(table) => {
                let value = read_dc(bits, table, &mut part.predictor)? << band.low;
                block[0] = i16::try_from(value).map_err(|_| out_of_range())?;
            }
            None => block[0] |= (bits.take(1)? as i16) << band.low,
        }
        let Some(table) = part.ac.filter(|_| band.last > 0) else { return Ok(()) };
        if !self.is_progressive {
            read_sequential_ac(bits, table, block)
        } else if band.high == 0 {
            read_first_ac(bits, table, band, &mut intervals.end_of_band, block)
        } else {
            refine_ac(bits, table, band, &mut intervals.end_of_band, block)
        }
    }
}

/// Coded data with its restart markers.
struct Intervals<'a> {
    bits: Bits<'a>,
    interval: usize,
    n_units: usize,
    /// Blocks that follow without coefficients of the band (T.81, G.1.2.2).
    end_of_band: u32,
}

impl<'a> Intervals<'a> {
    fn new(coded: &'a [u8], interval: usize) -> Self {
        Self { bits: Bits::new(coded), interval, n_units: 0, end_of_band: 0 }
    }

    /// Before each unit: passes a restart marker where one is due, and says so.
    fn next(&mut self) -> Result<bool> {
        let is_due = self.interval > 0 && self.n_units > 0 && self.n_units.is_multiple_of(self.interval);
        if is_due {
            if self.end_of_band > 0 {
                return Err(corrupt("a run of empty blocks goes on beyond a restart marker"));
            }
            self.bits.restart(((self.n_units / self.interval - 1) % 8) as u8)?;
        }
        self.n_units += 1;
        Ok(is_due)
    }
}
