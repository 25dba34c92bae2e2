//! JPEG (ITU-T T.81): baseline, extended and progressive Huffman coding of 8 bits, gray or colour.

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Stored, limits};
use crate::{Error, ErrorKind, Frame, Result, Samples, Step};

mod markers;

use markers::{Colors, Outline};

/// A coded byte yields at most this many pixels: one bit for a block of 8 × 8 (T.81, F.1.2: no code is shorter).
const MOST_PIXELS_PER_BYTE: u64 = 8 * 64;

/// Reads a JPEG.
///
/// # Errors
/// See [`ErrorKind`]. CMYK, 12 bits, arithmetic, lossless and hierarchical coding are refused by name; so is a file
/// whose coded data ends early.
pub(crate) fn read(bytes: &[u8]) -> Result<Frame> {
    let outline = Outline::of(bytes)?;
    let (width, height) = limits::sides(u64::from(outline.width), u64::from(outline.height))?;
    limits::plausible((width * height) as u64, outline.n_coded_bytes, MOST_PIXELS_PER_BYTE, "pixels")?;

    let (space, n_channels) = match outline.colors {
        Colors::Gray => (ColorSpace::Luma, 1),
        Colors::YCbCr | Colors::Rgb => (ColorSpace::RGB, 3),
    };
    // Strict: without it missing data becomes gray rows in silence.
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| failed(&error))?;
    if decoder.dimensions() != Some((width, height))
        || decoder.output_buffer_size() != Some(width * height * n_channels)
    {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "JPEG: expected {width}×{height} pixels of {n_channels} channels as in the frame header, the decoder finds another size"
            ),
        ));
    }
    let mut samples = crate::memory::filled::<u8>(width * height * n_channels)?;
    decoder.decode_into(&mut samples).map_err(|error| failed(&error))?;

    let mut steps = Vec::new();
    if outline.colors == Colors::YCbCr {
        steps.push(Step::YcbcrToRgb);
    }
    if outline.has_color_profile {
        steps.push(Step::IgnoreColorProfile { stated_by: "ICC_PROFILE".to_owned() });
    }
    if outline.has_further_pictures {
        steps.push(Step::IgnoreFurtherPictures { stated_by: "MPF".to_owned() });
    }
    let samples = if n_channels == 1 { Samples::Gray8(samples) } else { Samples::Rgb8(samples) };
    Stored { width, height, samples, orientation: outline.orientation, steps }.upright()
}

/// The decoder's reason in this room's words.
fn failed(error: &DecodeErrors) -> Error {
    Error::new(ErrorKind::Corrupt, format!("JPEG: {}", format!("{error:?}").trim_matches('"')))
        .hint("the file is damaged or incomplete; copy or export it again")
}
