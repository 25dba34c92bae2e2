//! The bytes of a frame to stored values: codec, sign, and the header against the coded data.

use dicom_dictionary_std::tags;
use lightbox_codecs as codecs;

use super::coded_colors;
use super::image_pixel::{ImagePixel, Photometric};
use super::native;
use super::steps::{PixelAction, PixelStep};
use super::stored::Stored;
use super::{error, expected};
use crate::dicom::{Coding, TransferSyntax};
use crate::memory::reserve;
use crate::{Error, ErrorKind, Result};

/// How the sign of coded samples is stated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    /// Not at all, and bits above Bits Stored are not samples: JPEG.
    ByBitsStored,
    /// Not at all; samples have the bits that the coded data state: JPEG-LS, JPEG XL.
    ByPrecision,
    /// By the coded data: JPEG 2000.
    Stated,
}

/// The stored values of a frame, and what its colours stand for.
///
/// `bytes` are those of the frame: of uncompressed and deflated ones as [`crate::dicom::PixelBytes`] gives them, of
/// others as coded.
///
/// # Errors
/// [`ErrorKind::Truncated`], [`ErrorKind::Corrupt`], [`ErrorKind::TooLarge`] and [`ErrorKind::Unsupported`] of the codec;
/// [`ErrorKind::Corrupt`] if the coded data are not the picture that the header describes.
pub(crate) fn frame(
    bytes: &[u8],
    image: &ImagePixel,
    syntax: &TransferSyntax,
    steps: &mut Vec<PixelStep>,
) -> Result<(Stored, Photometric)> {
    syntax.check_decoded()?;
    let photometric = image.photometric;
    check_colors(image, syntax)?;
    let is_native = matches!(syntax.coding, Coding::Native | Coding::NativeFrames);
    if is_native {
        let stored = native::read(bytes, image, steps)?;
        let is_expanded = photometric == Photometric::YbrFull422;
        return Ok((stored, if is_expanded { Photometric::YbrFull } else { photometric }));
    }
    let decode = PixelStep::new(PixelAction::Decode, format!("decoded: {}", syntax.name))
        .by(tags::TRANSFER_SYNTAX_UID, syntax.uid);
    steps.push(decode);
    match syntax.coding {
        Coding::DeflatedFrames => Ok((native::read(bytes, image, steps)?, photometric)),
        Coding::JpegBaseline | Coding::JpegExtended | Coding::JpegLossless | Coding::JpegLosslessSv1 => {
            let photometric = coded_colors::conform(bytes, image, steps)?;
            check_outline(&codecs::jpeg::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg::decode(bytes).map_err(of_codec)?;
            Ok((stored(picture, Signs::ByBitsStored, image, steps)?, photometric))
        }
        Coding::Rle => Ok((run_lengths(bytes, image, steps)?, photometric)),
        Coding::Jpeg2000Lossless
        | Coding::Jpeg2000
        | Coding::HtJ2kLossless
        | Coding::HtJ2kLosslessRpcl
        | Coding::HtJ2k => {
            check_outline(&codecs::jpeg2000::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg2000::decode(bytes).map_err(of_codec)?;
            // The codec undoes the transforms; as in pydicom, what the header calls so is RGB.
            let is_undone = matches!(photometric, Photometric::YbrIct | Photometric::YbrRct);
            let photometric = if is_undone { Photometric::Rgb } else { photometric };
            Ok((stored(picture, Signs::Stated, image, steps)?, photometric))
        }
        Coding::JpegLs | Coding::JpegLsNear => {
            let photometric = coded_colors::conform(bytes, image, steps)?;
            check_outline(&codecs::jpeg_ls::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg_ls::decode(bytes).map_err(of_codec)?;
            Ok((stored(picture, Signs::ByPrecision, image, steps)?, photometric))
        }
        _ => Err(syntax.refusal("convert it first, for example with gdcmconv --raw")),
    }
}

/// Refuses colours that the coding does not have.
fn check_colors(image: &ImagePixel, syntax: &TransferSyntax) -> Result<()> {
    let is_jpeg2000 = matches!(
        syntax.coding,
        Coding::Jpeg2000Lossless
            | Coding::Jpeg2000
            | Coding::HtJ2kLossless
            | Coding::HtJ2kLosslessRpcl
            | Coding::HtJ2k
    );
    match image.photometric {
        Photometric::YbrIct | Photometric::YbrRct if !is_jpeg2000 => Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            &format!("colours that {} has", syntax.name),
            image.photometric.term(),
        )),
        Photometric::YbrFull422 if syntax.coding == Coding::DeflatedFrames => Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            "YBR_FULL or RGB in deflated frames",
            image.photometric.term(),
        )),
        _ => Ok(()),
    }
}

/// Decodes run lengths (PS3.5 annex G). Frames of single bits are coded by bytes of eight pixels.
fn run_lengths(bytes: &[u8], image: &ImagePixel, steps: &mut Vec<PixelStep>) -> Result<Stored> {
    let (n_pixels, n_bytes) = match image.bits_allocated {
        1 => (image.n_pixels().div_ceil(8), 1),
        bits => (image.n_pixels(), bits as usize / 8),
    };
    let samples = codecs::rle::decode(bytes, n_pixels, image.n_samples, n_bytes).map_err(of_codec)?;
    // Run lengths are planes with chroma of every pixel whatever the header says, and come out side by side.
    let photometric = match image.photometric {
        Photometric::YbrFull422 => Photometric::YbrFull,
        other => other,
    };
    let image = ImagePixel { is_planar: false, photometric, ..image.clone() };
    native::read(&samples, &image, steps)
}

/// Refuses coded data that are of another picture than the header.
fn check_outline(outline: &codecs::Outline, image: &ImagePixel) -> Result<()> {
    let found = (outline.width, outline.height, outline.n_components);
    if found != (image.width, image.height, image.n_samples) {
        return Err(error(
            ErrorKind::Corrupt,
            image.source.tag(),
            &format!(
                "coded data of the {} columns, {} rows and {} samples a pixel that the header states",
                image.width, image.height, image.n_samples
            ),
            &format!(
                "{} columns, {} rows and {} samples",
                outline.width, outline.height, outline.n_components
            ),
        )
        .hint("header and coded data belong to different pictures; have the file sent again"));
    }
    if u32::from(outline.bits) > image.bits_allocated.max(8) {
        return Err(expected(
            tags::BITS_ALLOCATED,
            &format!("at least the {} bits that a coded sample has", outline.bits),
            &image.bits_allocated.to_string(),
        ));
    }
    Ok(())
}

/// The samples of a codec as stored values of the type that the header states.
fn stored(
    picture: codecs::Picture,
    signs: Signs,
    image: &ImagePixel,
    steps: &mut Vec<PixelStep>,
) -> Result<Stored> {
    check_outline(&picture.outline, image)?;
    let precision = u32::from(picture.outline.bits);
    let is_coded_signed = picture.outline.is_signed;
    let mut stored = widened(picture.samples, image)?;
    match signs {
        Signs::ByBitsStored => native::keep_stored_bits(&mut stored, image, steps),
        Signs::ByPrecision if image.is_signed => {
            stored.keep_bits(precision);
            steps.push(corrected(image, precision));
        }
        Signs::ByPrecision => {}
        // As pydicom, for gray only; elsewhere the bits are taken as they are.
        Signs::Stated if is_coded_signed != image.is_signed && image.photometric.is_gray() => {
            stored.keep_bits(precision);
            steps.push(corrected(image, precision));
        }
        Signs::Stated => {}
    }
    Ok(stored)
}

fn corrected(image: &ImagePixel, precision: u32) -> PixelStep {
    let sign = if image.is_signed { "signed" } else { "unsigned" };
    PixelStep::new(PixelAction::CorrectSign, format!("coded samples of {precision} bits read as {sign}"))
        .by(tags::PIXEL_REPRESENTATION, u8::from(image.is_signed))
}

/// Samples of 8 or 16 bits, read with the sign of the header, in the type of the header.
fn widened(samples: codecs::Samples, image: &ImagePixel) -> Result<Stored> {
    use codecs::Samples::{U8, U16};
    Ok(match (samples, image.bits_allocated, image.is_signed) {
        (U8(v), ..=8, false) => Stored::U8(v),
        (U8(v), ..=8, true) => Stored::I8(converted(v, |s| s as i8)?),
        (U8(v), 16, false) => Stored::U16(converted(v, u16::from)?),
        (U8(v), 16, true) => Stored::I16(converted(v, |s| i16::from(s as i8))?),
        (U8(v), 32, false) => Stored::U32(converted(v, u32::from)?),
        (U8(v), 32, true) => Stored::I32(converted(v, |s| i32::from(s as i8))?),
        (U8(v), _, false) => Stored::U64(converted(v, u64::from)?),
        (U8(v), _, true) => Stored::I64(converted(v, |s| i64::from(s as i8))?),
        (U16(v), ..=16, false) => Stored::U16(v),
        (U16(v), ..=16, true) => Stored::I16(converted(v, |s| s as i16)?),
        (U16(v), 32, false) => Stored::U32(converted(v, u32::from)?),
        (U16(v), 32, true) => Stored::I32(converted(v, |s| i32::from(s as i16))?),
        (U16(v), _, false) => Stored::U64(converted(v, u64::from)?),
        (U16(v), _, true) => Stored::I64(converted(v, |s| i64::from(s as i16))?),
    })
}

fn converted<S, T>(samples: Vec<S>, convert: impl Fn(S) -> T) -> Result<Vec<T>> {
    let mut values = reserve(samples.len())?;
    values.extend(samples.into_iter().map(convert));
    Ok(values)
}

/// An error of a codec as one of this room.
fn of_codec(error: codecs::Error) -> Error {
    let kind = match error.kind() {
        codecs::ErrorKind::Unsupported => ErrorKind::Unsupported,
        codecs::ErrorKind::Truncated => ErrorKind::Truncated,
        codecs::ErrorKind::TooLarge => ErrorKind::TooLarge,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, format!("DICOM: {}: {error}", crate::dicom::describe(tags::PIXEL_DATA)))
}
