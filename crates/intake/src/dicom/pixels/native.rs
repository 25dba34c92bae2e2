//! Frames that are stored as they are: bytes to samples.

use dicom_dictionary_std::tags;

use super::image_pixel::{ImagePixel, Photometric, PixelSource};
use super::steps::{PixelAction, PixelStep};
use super::stored::Stored;
use super::{error, expected};
use crate::memory::reserve;
use crate::{ErrorKind, Result};

/// The samples of a frame in native coding, the samples of a pixel side by side.
///
/// `bytes` starts with the first sample, single bits in the lowest bit of the first byte. What is beyond the last sample
/// is padding.
///
/// # Errors
/// [`ErrorKind::Truncated`] if there are too few bytes, [`ErrorKind::Unsupported`] for YBR_FULL_422 that is not of 8 bits
/// in pairs of pixels.
pub(crate) fn read(bytes: &[u8], image: &ImagePixel, steps: &mut Vec<PixelStep>) -> Result<Stored> {
    let n_bytes = usize::try_from(image.n_native_bits().div_ceil(8)).unwrap_or(usize::MAX);
    let bytes = bytes.get(..n_bytes).ok_or_else(|| {
        error(
            ErrorKind::Truncated,
            image.source.tag(),
            &format!("{n_bytes} bytes for a frame"),
            &format!("{} bytes", bytes.len()),
        )
        .hint("the file is incomplete; copy or export it again")
    })?;
    if image.bits_allocated == 1 {
        return unpacked(bytes, image, steps);
    }
    if image.photometric == Photometric::YbrFull422 {
        return repeat_chroma(bytes, image, steps);
    }
    let stored = typed(bytes, image)?;
    steps.extend(kept_bits(image));
    if !image.is_planar {
        return Ok(stored);
    }
    steps.push(
        PixelStep::new(PixelAction::Interleave, "planes put side by side").by(tags::PLANAR_CONFIGURATION, 1),
    );
    stored.interleaved()
}

/// Clears the bits above Bits Stored, or fills them with the sign; as pydicom, whatever High Bit says.
pub(crate) fn keep_stored_bits(stored: &mut Stored, image: &ImagePixel, steps: &mut Vec<PixelStep>) {
    if let Some(step) = kept_bits(image) {
        stored.keep_bits(image.bits_stored);
        steps.push(step);
    }
}

/// That bits above Bits Stored are cleared or filled, where there are any.
fn kept_bits(image: &ImagePixel) -> Option<PixelStep> {
    if image.bits_stored >= image.bits_allocated {
        return None;
    }
    let done = if image.is_signed { "filled with the sign" } else { "cleared" };
    let step = PixelStep::new(PixelAction::KeepStoredBits, format!("bits above those stored {done}"));
    Some(
        step.by(tags::BITS_ALLOCATED, image.bits_allocated)
            .by(tags::BITS_STORED, image.bits_stored)
            .by(tags::PIXEL_REPRESENTATION, u8::from(image.is_signed)),
    )
}

/// Little-endian bytes as samples of the type that the header states, their stored bits kept.
fn typed(bytes: &[u8], image: &ImagePixel) -> Result<Stored> {
    // At least one bit is stored, so that no shift is as wide as its type.
    let n = image.bits_allocated.saturating_sub(image.bits_stored);
    Ok(match (image.source, image.bits_allocated, image.is_signed) {
        (PixelSource::Floats, ..) => Stored::F32(numbers(bytes, f32::from_le_bytes)?),
        (PixelSource::Doubles, ..) => Stored::F64(numbers(bytes, f64::from_le_bytes)?),
        (_, 16, false) => Stored::U16(numbers(bytes, move |b| u16::from_le_bytes(b) << n >> n)?),
        (_, 16, true) => Stored::I16(numbers(bytes, move |b| i16::from_le_bytes(b) << n >> n)?),
        (_, 32, false) => Stored::U32(numbers(bytes, move |b| u32::from_le_bytes(b) << n >> n)?),
        (_, 32, true) => Stored::I32(numbers(bytes, move |b| i32::from_le_bytes(b) << n >> n)?),
        (_, 64, false) => Stored::U64(numbers(bytes, move |b| u64::from_le_bytes(b) << n >> n)?),
        (_, 64, true) => Stored::I64(numbers(bytes, move |b| i64::from_le_bytes(b) << n >> n)?),
        (_, _, true) => Stored::I8(numbers(bytes, move |[b]| (b as i8) << n >> n)?),
        (_, _, false) => Stored::U8(numbers(bytes, move |[b]| b << n >> n)?),
    })
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let (chunks, _) = bytes.as_chunks::<N>();
    let mut numbers = reserve(chunks.len())?;
    numbers.extend(chunks.iter().map(|chunk| number(*chunk)));
    Ok(numbers)
}

/// One sample a bit, the lowest bit of a byte first (PS3.5 section 8.1.1).
fn unpacked(bytes: &[u8], image: &ImagePixel, steps: &mut Vec<PixelStep>) -> Result<Stored> {
    let n = image.n_values();
    let mut samples = reserve(n)?;
    samples.extend(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).take(n));
    steps.push(
        PixelStep::new(PixelAction::UnpackBits, "one sample a bit, the lowest first")
            .by(tags::BITS_ALLOCATED, 1),
    );
    Ok(Stored::U8(samples))
}

/// Pairs of luma with one blue and one red chroma (PS3.3 section C.7.6.3.1.2): the chroma goes to both pixels.
fn repeat_chroma(bytes: &[u8], image: &ImagePixel, steps: &mut Vec<PixelStep>) -> Result<Stored> {
    if image.bits_allocated != 8 || image.is_signed || image.is_planar || image.width % 2 == 1 {
        return Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            "unsigned samples of 8 bits, an even number of columns and planar configuration 0 for uncompressed YBR_FULL_422",
            "others",
        ));
    }
    let (pairs, _) = bytes.as_chunks::<4>();
    let mut samples = reserve(pairs.len().saturating_mul(6))?;
    for [first, second, blue, red] in pairs {
        samples.extend_from_slice(&[*first, *blue, *red, *second, *blue, *red]);
    }
    steps.push(
        PixelStep::new(PixelAction::RepeatChroma, "chroma of a pair of pixels given to both")
            .by(tags::PHOTOMETRIC_INTERPRETATION, image.photometric.term()),
    );
    let mut stored = Stored::U8(samples);
    keep_stored_bits(&mut stored, image, steps);
    Ok(stored)
}
