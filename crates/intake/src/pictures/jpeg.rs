//! JPEG (ITU-T T.81): baseline, extended and progressive Huffman coding of 8 bits, gray or colour.
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

use coefficients::Plane;
use markers::{Colors, Event, Outline};

use super::{Stored, limits};
use crate::{Allowance, Error, ErrorKind, Frame, Result, Samples, Step};

/// A coded byte yields at most this many pixels: no code is shorter than one bit, and one code yields at least the
/// mean of a block of 8 × 8 (T.81, F.1.2 and G.1.2).
const MOST_PIXELS_PER_BYTE: u64 = 8 * 64;

/// Reads a JPEG.
///
/// # Errors
/// See [`ErrorKind`]. CMYK, 12 bits, arithmetic, lossless and hierarchical coding are refused by name; so is a file
/// whose coded data ends early.
pub(crate) fn read(bytes: &[u8], allowance: &mut Allowance) -> Result<Frame> {
    let outline = Outline::of(bytes)?;
    let (width, height) = limits::sides(u64::from(outline.width), u64::from(outline.height), allowance)?;
    limits::plausible((width * height) as u64, outline.n_coded_bytes, MOST_PIXELS_PER_BYTE, "pixels")?;

    let mut planes = Plane::of_frame(width, height, &outline.components)?;
    let mut decoder = scan::Decoder::new(outline.is_progressive);
    for event in &outline.events {
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

    let mut steps = Vec::new();
    let samples = if outline.colors == Colors::Gray {
        Samples::Gray8(samples::gray(&planes[0], width, height)?)
    } else {
        Samples::Rgb8(samples::rgb(&planes, width, height, outline.colors == Colors::YCbCr)?)
    };
    if outline.colors == Colors::YCbCr {
        steps.push(Step::YcbcrToRgb);
    }
    if outline.has_color_profile {
        steps.push(Step::IgnoreColorProfile { stated_by: "ICC_PROFILE".to_owned() });
    }
    if outline.has_further_pictures {
        steps.push(Step::IgnoreFurtherPictures { stated_by: "MPF".to_owned() });
    }
    Stored { width, height, samples, orientation: outline.orientation, steps }.upright()
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
