//! Scan headers (T.81, B.2.3), and the tables that a scan uses.

use super::blocks::ZIGZAG;
use super::corrupt;
use super::frame::Component;
use super::huffman::Table;
use crate::Result;

/// Tables as they hold at a place in the file.
#[derive(Default)]
pub(super) struct Tables {
    /// In the order of rows.
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    /// Units between restart markers, 0 for none.
    pub restart_interval: usize,
}

/// Which coefficients a scan brings, and how.
#[derive(Clone, Copy)]
pub(super) struct Band {
    /// Zigzag index of the first coefficient.
    pub first: usize,
    /// Zigzag index of the last.
    pub last: usize,
    /// The bit that earlier scans came down to, 0 for the first scan of a band.
    pub high: u8,
    /// The bit that this scan comes down to.
    pub low: u8,
}

/// A scan header.
pub(super) struct Header {
    pub parts: Vec<Part>,
    /// Ss: the first coefficient, or the predictor of lossless coding.
    pub first: u8,
    /// Se: the last coefficient.
    pub last: u8,
    /// Ah and Al: the bits of successive approximation; Al is the point transform of lossless coding.
    pub approximation: u8,
}

/// A component of a scan, and the tables that it names.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Index of the component in the frame.
    pub component: usize,
    dc: usize,
    ac: usize,
}

impl Header {
    /// Reads the header of a scan over some of `components`.
    pub fn of(segment: &[u8], components: &[Component]) -> Result<Self> {
        let too_short = || corrupt("a scan header is too short");
        let n_parts = usize::from(*segment.first().ok_or_else(too_short)?);
        let selectors = segment.get(1..1 + 2 * n_parts).ok_or_else(too_short)?;
        let &[first, last, approximation] = segment.get(1 + 2 * n_parts..).ok_or_else(too_short)? else {
            return Err(too_short());
        };
        let mut parts: Vec<Part> = Vec::new();
        for selector in selectors.chunks_exact(2) {
            let component = components
                .iter()
                .position(|component| component.id == selector[0])
                .filter(|component| parts.iter().all(|part| part.component != *component))
                .ok_or_else(|| {
                    corrupt(format!("a scan names component {}, which is not there", selector[0]))
                })?;
            parts.push(Part {
                component,
                dc: usize::from(selector[1] >> 4),
                ac: usize::from(selector[1] & 15),
            });
        }
        if parts.is_empty() {
            return Err(corrupt("a scan has no components"));
        }
        Ok(Self { parts, first, last, approximation })
    }

    /// The band of a progressive scan.
    pub fn band(&self) -> Result<Band> {
        let band = Band {
            first: usize::from(self.first),
            last: usize::from(self.last),
            high: self.approximation >> 4,
            low: self.approximation & 15,
        };
        let is_valid = if band.first == 0 {
            band.last == 0
        } else {
            (band.first..64).contains(&band.last) && self.parts.len() == 1
        };
        if !is_valid || band.low > 13 || (band.high != 0 && band.high != band.low + 1) {
            return Err(corrupt(format!(
                "a progressive scan states {} to {}, bits {:#04x}",
                self.first, self.last, self.approximation
            )));
        }
        Ok(band)
    }
}

impl Tables {
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

    /// The table for the first coefficient, or for differences of samples.
    pub fn dc(&self, part: &Part) -> Result<&Table> {
        self.dc.get(part.dc).and_then(Option::as_ref).ok_or_else(no_table)
    }

    /// The table for the other coefficients.
    pub fn ac(&self, part: &Part) -> Result<&Table> {
        self.ac.get(part.ac).and_then(Option::as_ref).ok_or_else(no_table)
    }

    /// The quantization table of a component, in the order of rows.
    pub fn quantization(&self, component: &Component) -> Result<&[u16; 64]> {
        self.quantization
            .get(component.table)
            .and_then(Option::as_ref)
            .ok_or_else(|| corrupt(format!("quantization table {} is not there", component.table)))
    }
}

fn no_table() -> crate::Error {
    corrupt("a scan names a Huffman table that is not there")
}
