//! JPEG (ITU-T T.81): baseline, extended and progressive Huffman coding of 8 and 12 bits in one or three components,
//! lossless Huffman coding of 2 to 16 bits in one to four.
//!
//! The decoder is our own for two reasons. Every block must be there: decoders that are made to show something fill
//! what is missing with gray. And the samples are those of libjpeg (its accurate integer transform, its smooth
//! upsampling, its colour tables), which is what the picture libraries around the family's models read with.

mod arithmetic;
mod bits;
mod blocks;
mod color;
mod frame;
mod huffman;
mod intervals;
mod lossless;
mod markers;
mod predict;
mod progressive;
mod sample;
mod samples;
mod scan;
mod sequential;
mod transform;
mod upsample;

pub use frame::Process;
pub use markers::{Colors, Markers};

use lossless::Lossless;
use markers::Event;
use progressive::Progressive;
use sample::Sample;
use scan::{Header, Tables};
use sequential::Sequential;

use crate::{Error, ErrorKind, Outline, Picture, Result, Samples};

/// A coded byte yields at most this many pixels: no code is shorter than one bit, and one code yields at least the
/// mean of a block of 8 × 8 (T.81, F.1.2 and G.1.2).
pub const MOST_PIXELS_PER_BYTE: usize = 8 * 64;

/// What the header states, without looking at the coded data.
///
/// # Errors
/// As [`Markers::of`], for what stands before the first scan.
pub fn outline(coded: &[u8]) -> Result<Outline> {
    Ok(Markers::before_scans(coded)?.outline())
}

/// Decodes a picture, its components as coded: those with fewer samples are upsampled, no colour is converted.
///
/// # Errors
/// As [`Markers::of`] and [`Markers::decode`].
pub fn decode(coded: &[u8]) -> Result<Picture> {
    Markers::of(coded)?.decode()
}

impl Markers<'_> {
    /// Decodes the picture, its components as coded: those with fewer samples are upsampled as libjpeg does it, no
    /// colour is converted.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if a block, a sample or a part of the coefficients is missing, or the coded data cannot
    /// hold what the header promises; [`ErrorKind::Corrupt`] if the coded data contradict themselves;
    /// [`ErrorKind::Unsupported`] for uncommon ratios of samples; [`ErrorKind::TooLarge`] if memory does not suffice.
    pub fn decode(&self) -> Result<Picture> {
        let outline = self.outline();
        outline.n_samples(self.n_coded_bytes(), MOST_PIXELS_PER_BYTE * outline.n_components)?;
        let n_bits = self.frame.fewest_bits();
        if n_bits.div_ceil(8) > self.n_coded_bytes() {
            return Err(ended(format!(
                "the header promises {}×{} pixels, which {} coded bytes cannot hold",
                outline.width,
                outline.height,
                self.n_coded_bytes()
            )));
        }
        let samples = if outline.bits <= 8 { u8::wrap(self.samples()?) } else { u16::wrap(self.samples()?) };
        Ok(Picture { outline, samples })
    }

    /// Decodes the picture and converts YCbCr to RGB as libjpeg does it: [`Colors::as_libjpeg`] says whether it is
    /// YCbCr.
    ///
    /// # Errors
    /// As [`Markers::decode`]; and [`ErrorKind::Unsupported`] for YCbCr of more than 8 bits.
    pub fn decode_rgb(&self) -> Result<Picture> {
        let mut picture = self.decode()?;
        if picture.outline.n_components == 3 && self.colors().as_libjpeg() == Colors::YCbCr {
            match &mut picture.samples {
                Samples::U8(samples) => color::to_rgb(samples),
                Samples::U16(_) => return Err(unsupported("YCbCr of more than 8 bits")),
            }
        }
        Ok(picture)
    }

    /// `[height, width, components]`.
    fn samples<T: Sample>(&self) -> Result<Vec<T>> {
        let frame = &self.frame;
        match frame.process {
            Process::Sequential => {
                let mut decoder = Sequential::new(frame)?;
                self.each_scan(|header, tables, coded| decoder.read_scan(header, tables, coded))?;
                samples::picture(frame, decoder.finish()?)
            }
            Process::Progressive => {
                let mut decoder = Progressive::new(frame)?;
                self.each_scan(|header, tables, coded| decoder.read_scan(header, tables, coded))?;
                samples::picture(frame, decoder.finish()?)
            }
            Process::Lossless => {
                let mut decoder = Lossless::new(frame)?;
                self.each_scan(|header, tables, coded| decoder.read_scan(frame, header, tables, coded))?;
                decoder.finish(frame)
            }
        }
    }

    /// Goes through the scans, each with the tables that hold at its place.
    fn each_scan(&self, mut read: impl FnMut(&Header, &Tables, &[u8]) -> Result<()>) -> Result<()> {
        let mut tables = Tables::default();
        for event in &self.events {
            match event {
                Event::QuantizationTables(body) => tables.read_quantization_tables(body)?,
                Event::HuffmanTables(body) => tables.read_huffman_tables(body)?,
                Event::RestartInterval(body) => tables.read_restart_interval(body)?,
                Event::Scan { header, coded } => {
                    read(&Header::of(header, &self.frame.components)?, &tables, coded)?;
                }
            }
        }
        Ok(())
    }
}

fn ended(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Truncated, format!("JPEG: {reason}"))
        .hint("the file is incomplete; copy or export it again")
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("JPEG: {reason}"))
        .hint("the file is damaged; copy or export it again")
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "JPEG: expected one picture in baseline, extended, progressive or lossless Huffman coding, found {what}"
        ),
    )
    .hint("convert it, uncompressed or to PNG (16 bit keeps more than 8 bits)")
}
