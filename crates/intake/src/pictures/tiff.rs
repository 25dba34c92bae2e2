//! TIFF 6.0 and BigTIFF: one page, gray or RGB of 8 or 16 bits, uncompressed, LZW, Deflate or PackBits.
//!
//! The reader is our own because a film must never come out partly black: a strip that is missing from the list, is
//! too short or unpacks to too little is an error here.

mod chunks;
mod directory;
mod layout;
mod lzw;
mod unpack;

use chunks::Sample;
use layout::Layout;

use super::Stored;
use crate::{Allowance, Error, ErrorKind, Frame, Result, Samples, Step};

/// Reads a TIFF.
///
/// # Errors
/// See [`ErrorKind`]. Several pages, palettes, CMYK, YCbCr, signed and float samples, depths other than 8 and 16 bits
/// and other compressions are refused by name.
pub(crate) fn read(bytes: &[u8], allowance: &mut Allowance) -> Result<Frame> {
    let layout = Layout::of(bytes, allowance)?;
    let mut steps = Vec::new();
    let samples = match (layout.n_colors, layout.bits) {
        (1, 8) => Samples::Gray8(gray(bytes, &layout, &mut steps)?),
        (1, _) => Samples::Gray16(gray(bytes, &layout, &mut steps)?),
        (_, 8) => Samples::Rgb8(colors(bytes, &layout, &mut steps)?),
        (_, _) => Samples::Rgb16(colors(bytes, &layout, &mut steps)?),
    };
    steps.extend(
        layout.color_tags.iter().map(|tag| Step::IgnoreColorProfile { stated_by: (*tag).to_owned() }),
    );
    let Layout { width, height, orientation, .. } = layout;
    Stored { width, height, samples, orientation, steps }.upright()
}

fn gray<T: Sample>(bytes: &[u8], layout: &Layout, steps: &mut Vec<Step>) -> Result<Vec<T>> {
    let mut samples = colors::<T>(bytes, layout, steps)?;
    if layout.white_is_zero {
        for sample in &mut samples {
            *sample = sample.inverted();
        }
        steps.push(Step::Invert);
    }
    Ok(samples)
}

fn colors<T: Sample>(bytes: &[u8], layout: &Layout, steps: &mut Vec<Step>) -> Result<Vec<T>> {
    let (samples, translucent) = chunks::read(bytes, layout)?;
    if layout.has_alpha {
        steps.push(Step::DropAlpha { translucent });
    }
    Ok(samples)
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("TIFF: {reason}"))
        .hint("the file is damaged; copy or export it again")
}

fn ended(place: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Truncated, format!("TIFF: the file ends before {place}"))
        .hint("copy or export it again")
}

fn unsupported(found: impl std::fmt::Display, way_out: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("TIFF: {found}")).hint(way_out)
}
