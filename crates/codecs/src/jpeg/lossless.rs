//! Lossless coding (T.81, annex H): each sample is the difference to a prediction from its neighbours.

use super::bits::Bits;
use super::frame::Frame;
use super::huffman::Table;
use super::intervals::Intervals;
use super::predict::{Neighbours, Predictor};
use super::sample::Sample;
use super::scan::{Header, Tables};
use super::{corrupt, ended, unsupported};
use crate::Result;

/// The samples of a frame while its scans are read.
pub(super) struct Lossless<T> {
    width: usize,
    n_components: usize,
    bits: u8,
    height: usize,
    /// `[height, width, components]`; empty before the first scan.
    samples: Vec<T>,
    is_read: Vec<bool>,
}

impl<T: Sample> Lossless<T> {
    pub fn new(frame: &Frame) -> Result<Self> {
        let most = frame.most();
        if let Some(other) = frame.components.iter().find(|c| (c.across, c.down) != most) {
            return Err(unsupported(format!(
                "lossless coding of a component of {}×{} samples where another has {}×{}",
                other.across, other.down, most.0, most.1
            )));
        }
        let n_components = frame.components.len();
        Ok(Self {
            width: frame.width,
            n_components,
            bits: frame.bits,
            height: frame.height,
            samples: Vec::new(),
            is_read: vec![false; n_components],
        })
    }

    /// Decodes one scan.
    pub fn read_scan(&mut self, frame: &Frame, header: &Header, tables: &Tables, coded: &[u8]) -> Result<()> {
        let mut parts = Vec::new();
        for part in &header.parts {
            if std::mem::replace(&mut self.is_read[part.component], true) {
                return Err(corrupt("two scans bring the same component"));
            }
            parts.push((part.component, tables.dc(part)?));
        }
        match *parts.as_slice() {
            [a] => self.read_rows([a], header, tables, coded),
            _ if frame.most() != (1, 1) => {
                Err(unsupported("lossless coding of interleaved components of more than 1×1 samples"))
            }
            [a, b] => self.read_rows([a, b], header, tables, coded),
            [a, b, c] => self.read_rows([a, b, c], header, tables, coded),
            [a, b, c, d] => self.read_rows([a, b, c, d], header, tables, coded),
            _ => Err(corrupt("a scan has more components than the frame")),
        }
    }

    /// Decodes the rows of a scan of `N` components, each with its table.
    fn read_rows<const N: usize>(
        &mut self,
        parts: [(usize, &Table); N],
        header: &Header,
        tables: &Tables,
        coded: &[u8],
    ) -> Result<()> {
        let predictor = Predictor::of(header.first)?;
        let shift = u32::from(header.approximation & 15);
        let bits = u32::from(self.bits);
        if shift >= bits {
            return Err(corrupt(format!("a point transform of {shift} leaves nothing of {bits} bits")));
        }
        let (width, n_components) = (self.width, self.n_components);
        let interval = tables.restart_interval;
        if !interval.is_multiple_of(width) {
            return Err(corrupt(format!(
                "expected a restart interval of whole rows of {width} samples, found {interval}"
            )));
        }
        // A scan of all components brings the picture from the top down; others fill their places in it.
        let is_all = n_components == N && parts.iter().enumerate().all(|(idx, part)| part.0 == idx);
        if is_all {
            self.samples = crate::memory::reserve(width * self.height * n_components)?;
        } else if self.samples.is_empty() {
            self.samples = crate::memory::filled(width * self.height * n_components)?;
        }
        let mut neighbours = Neighbours::<N>::new(predictor, 1 << (bits - shift - 1), width)?;
        let mut intervals = Intervals::new(coded, self.height * width, interval);
        while let Some((units, mut reader)) = intervals.next()? {
            neighbours.restart();
            for y in units.start / width..units.end / width {
                read_differences(&mut reader, parts.map(|(_, table)| table), neighbours.row())
                    .map_err(|error| reader.blame(error))?;
                let row = neighbours.predict();
                let all = row.as_flattened().iter().fold(0, |all, sample| all | sample);
                if u32::from(all) >> (bits - shift) != 0 {
                    return Err(reader.blame(corrupt(format!("a sample is larger than {bits} bits"))));
                }
                if is_all {
                    let samples = row.as_flattened().iter().map(|sample| T::of(u32::from(*sample) << shift));
                    self.samples.extend(samples);
                    continue;
                }
                let out = &mut self.samples[y * width * n_components..(y + 1) * width * n_components];
                for (pixel, samples) in out.chunks_exact_mut(n_components).zip(row) {
                    for ((component, _), sample) in parts.iter().zip(samples) {
                        pixel[*component] = T::of(u32::from(*sample) << shift);
                    }
                }
            }
            reader.finish()?;
        }
        Ok(())
    }

    /// The picture, if every component was in a scan.
    pub fn finish(self, frame: &Frame) -> Result<Vec<T>> {
        match frame.components.iter().zip(&self.is_read).find(|(_, is_read)| !**is_read) {
            None => Ok(self.samples),
            Some((component, _)) => Err(ended(format!("component {}: it is in no scan", component.id))),
        }
    }
}

/// Reads the differences of a row (H.1.2.2), modulo 2^16.
fn read_differences<const N: usize>(
    bits: &mut Bits<'_>,
    tables: [&Table; N],
    row: &mut [[u16; N]],
) -> Result<()> {
    // A copy that lives in registers.
    let mut local = *bits;
    let result = row.iter_mut().try_for_each(|pixel| {
        for (difference, table) in pixel.iter_mut().zip(tables) {
            local.refill();
            let (size, number) = table.next_number(&mut local)?;
            *difference = match size {
                0..16 => number as u16,
                // The only difference of 16 bits, which has no bits of its own.
                16 => 1 << 15,
                _ => return Err(corrupt(format!("expected differences of up to 16 bits, found {size}"))),
            };
        }
        Ok(())
    });
    *bits = local;
    result
}
