//! JPEG XL (ISO/IEC 18181), through the crate jxl-oxide: one still picture, grayscale or RGB, of 1 to 16 bits.
//!
//! Samples are given as the stream states them, in the color encoding that it names; no profile is applied. Two kinds of
//! streams hold their colors transformed, and give them back as what they were made from: XYB (most lossy ones) becomes
//! the RGB that the stream names, and the YCbCr of a recompressed JPEG becomes RGB, as in a JPEG's display. Coefficients
//! are transformed in floating point, so that lossy pictures are within one level of other decoders, not equal to them.
//!
//! Refused: animations, previews, alpha and other further channels, floating-point samples, pictures to be shown turned,
//! embedded color profiles, and samples outside 0 to 2^bits − 1, for JPEG XL has no notion of signed ones.

mod container;

use jxl_bitstream::Bitstream;
use jxl_oxide::color::{ColourEncoding, ColourSpace};
use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, ImageHeader, InitializeResult, JxlImage};
use jxl_oxide_common::Bundle;

use crate::{Error, ErrorKind, Outline, Picture, Result, Samples, memory};

/// A coded byte is believed to yield at most this many samples, above what any picture may have.
const MOST_SAMPLES_PER_BYTE: usize = 64;

/// What the header states of the picture, without decoding it.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where the bytes are no JPEG XL, [`ErrorKind::Truncated`] where they end before the header does, and
/// [`ErrorKind::Unsupported`] for what [the module](self) refuses.
pub fn outline(coded: &[u8]) -> Result<Outline> {
    outline_of(&container::codestream(coded)?)
}

/// Decodes a picture to its samples, `[height, width, n_components]`, unsigned.
///
/// # Errors
/// See [`outline`]; [`ErrorKind::Truncated`] where the coded data end early, [`ErrorKind::Corrupt`] where they contradict
/// the format, [`ErrorKind::TooLarge`] where the picture is larger than its coded bytes are believed to hold, or where
/// decoding it takes more memory than a picture of its size should.
pub fn decode(coded: &[u8]) -> Result<Picture> {
    let codestream = container::codestream(coded)?;
    let outline = outline_of(&codestream)?;
    let n_samples = outline.n_samples(coded.len(), MOST_SAMPLES_PER_BYTE)?;
    let tracker = AllocTracker::with_limit(most_bytes(&outline));
    let mut image = JxlImage::builder().alloc_tracker(tracker).build_uninit();
    image.feed_bytes(&codestream).map_err(corrupt)?;
    let InitializeResult::Initialized(image) = image.try_init().map_err(corrupt)? else {
        return Err(ended("the codestream ends before its header does"));
    };
    if !image.is_loading_done() {
        return Err(ended("the codestream ends before the picture is whole"));
    }
    if image.num_loaded_keyframes() != 1 {
        return Err(unsupported(format!("a sequence of {} pictures", image.num_loaded_keyframes())));
    }
    let samples = if outline.bits <= 8 {
        Samples::U8(samples(&image, &outline, n_samples, |sample| sample as u8)?)
    } else {
        Samples::U16(samples(&image, &outline, n_samples, |sample| sample as u16)?)
    };
    Ok(Picture { outline, samples })
}

/// What jxl-oxide may hold while it decodes: lossy pictures are 3 components of 4 bytes, twice, and what is copied from place
/// to place within a picture is held once more.
fn most_bytes(outline: &Outline) -> usize {
    outline.width.saturating_mul(outline.height).saturating_mul(48).saturating_add(8 << 20)
}

/// The header is read on its own, so that nothing is asked of the decoder that is not decoded here: it would unpack a color
/// profile of any size before one could look at it.
fn outline_of(codestream: &[u8]) -> Result<Outline> {
    let header = ImageHeader::parse(&mut Bitstream::new(codestream), ());
    checked(&header.map_err(|error| {
        if error.unexpected_eof() {
            ended("the codestream ends before its header does")
        } else {
            corrupt(error)
        }
    })?)
}

/// The outline of what is decoded here.
fn checked(header: &ImageHeader) -> Result<Outline> {
    let metadata = &header.metadata;
    let BitDepth::IntegerSample { bits_per_sample: bits @ 1..=16 } = metadata.bit_depth else {
        return Err(unsupported(format!(
            "a picture of {} bits a sample, or of floating-point samples",
            metadata.bit_depth.bits_per_sample()
        )));
    };
    if metadata.animation.is_some() {
        return Err(unsupported("an animation"));
    }
    if !metadata.ec_info.is_empty() {
        return Err(unsupported("a picture with an alpha channel or other further channels"));
    }
    if metadata.orientation != 1 {
        return Err(unsupported("a picture that is to be shown turned"));
    }
    if metadata.preview.is_some() {
        return Err(unsupported("a picture with a preview"));
    }
    if matches!(metadata.colour_encoding, ColourEncoding::IccProfile(_)) {
        return Err(unsupported("a picture with an embedded color profile"));
    }
    let n_components = match metadata.colour_encoding.colour_space() {
        ColourSpace::Grey => 1,
        ColourSpace::Rgb => 3,
        ColourSpace::Xyb | ColourSpace::Unknown => {
            return Err(unsupported("a picture in XYB or in an unknown color space"));
        }
    };
    Ok(Outline {
        width: header.size.width as usize,
        height: header.size.height as usize,
        n_components,
        bits: bits as u8,
        is_signed: false,
    })
}

/// The samples of the one picture, as the type that `narrow` makes of them.
fn samples<T: Copy>(
    image: &JxlImage,
    outline: &Outline,
    n_samples: usize,
    narrow: impl Fn(f32) -> T,
) -> Result<Vec<T>> {
    let render = image.render_frame(0).map_err(corrupt)?;
    // Lossless samples are integers until they are asked for; what lies outside cannot be clamped, for it may be meant.
    let are_exact = render.color_channels().iter().all(|channel| channel.as_float().is_none());
    let mut stream = render.stream_no_alpha();
    let shape = (stream.width() as usize, stream.height() as usize, stream.channels() as usize);
    if shape != (outline.width, outline.height, outline.n_components) {
        return Err(corrupt("the picture is not of the shape that its header states"));
    }
    let most = ((1_u32 << outline.bits) - 1) as f32;
    let mut samples = memory::reserve(n_samples)?;
    let mut line: Vec<f32> = memory::filled(outline.width * outline.n_components)?;
    for _ in 0..outline.height {
        stream.write_to_buffer(&mut line);
        if line.iter().any(|sample| sample.is_nan()) {
            return Err(corrupt("a sample is not a number"));
        }
        if are_exact && line.iter().any(|sample| !(0.0..=1.0).contains(sample)) {
            return Err(unsupported("a sample outside of 0 to 2^bits − 1"));
        }
        // One level is 1/most: the product is within half a level of a whole number, and that number is exact.
        samples.extend(line.iter().map(|sample| narrow((sample * most).clamp(0.0, most).round_ties_even())));
    }
    Ok(samples)
}

fn ended(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Truncated, format!("JPEG XL: {reason}"))
        .hint("the file is incomplete; copy or export it again")
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("JPEG XL: {reason}"))
        .hint("the file is damaged; copy or export it again")
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unsupported, format!("JPEG XL: {what} is not decoded here"))
        .hint("have it written without compression")
}
