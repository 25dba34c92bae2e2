//! JPEG (ITU-T T.81): baseline, extended and progressive Huffman coding of 8 bits, one or three components.
//!
//! The decoder is our own for two reasons. Every block must be there: decoders that are made to show something fill
//! what is missing with gray. And the samples are those of libjpeg (its accurate integer transform, its smooth
//! upsampling, its colour tables), which is what the picture libraries around the family's models read with.

mod bits;
mod blocks;
mod coefficients;
mod huffman;
mod markers;
mod samples;
mod scan;
mod transform;

pub use markers::{Colors, Markers};

use coefficients::Plane;
use markers::Event;

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
    /// [`ErrorKind::Truncated`] if a block or a part of its coefficients is missing, [`ErrorKind::Corrupt`] if the
    /// coded data contradict themselves, [`ErrorKind::TooLarge`] if they cannot hold the picture that the header
    /// promises.
    pub fn decode(&self) -> Result<Picture> {
        self.decode_into(false)
    }

    /// Decodes the picture and converts YCbCr to RGB as libjpeg does it: [`Colors::as_libjpeg`] says whether it is
    /// YCbCr.
    ///
    /// # Errors
    /// As [`Markers::decode`].
    pub fn decode_rgb(&self) -> Result<Picture> {
        self.decode_into(self.colors().as_libjpeg() == Colors::YCbCr)
    }

    fn decode_into(&self, to_rgb: bool) -> Result<Picture> {
        let outline = self.outline();
        let (width, height) = (outline.width, outline.height);
        outline.n_samples(self.n_coded_bytes(), MOST_PIXELS_PER_BYTE * outline.n_components)?;
        let mut planes = Plane::of_frame(width, height, &self.components)?;
        let mut decoder = scan::Decoder::new(self.is_progressive);
        for event in &self.events {
            match event {
                Event::QuantizationTables(body) => decoder.read_quantization_tables(body)?,
                Event::HuffmanTables(body) => decoder.read_huffman_tables(body)?,
                Event::RestartInterval(body) => decoder.read_restart_interval(body)?,
                Event::Scan { header, coded } => decoder.read_scan(header, coded, &mut planes)?,
            }
        }
        for plane in &planes {
            plane.check_complete()?;
        }
        let samples = match planes.as_slice() {
            [plane] => samples::one(plane, width, height)?,
            planes => samples::three(planes, width, height, to_rgb)?,
        };
        Ok(Picture { outline, samples: Samples::U8(samples) })
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
        format!("JPEG: expected one picture of 8 bits in baseline, extended or progressive Huffman coding, found {what}"),
    )
    .hint("convert it to PNG (16 bit keeps more than 8 bits)")
}
