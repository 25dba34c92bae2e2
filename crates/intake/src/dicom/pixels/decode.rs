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
    check_coding(image, syntax)?;
    check_wide(bytes.len(), image, syntax)?;
    let photometric = image.photometric;
    if !matches!(syntax.coding, Coding::Native | Coding::NativeFrames) {
        let decoded = PixelStep::new(PixelAction::Decode, format!("decoded: {}", syntax.name));
        steps.push(decoded.by(tags::TRANSFER_SYNTAX_UID, syntax.uid));
        let is_raw = matches!(syntax.coding, Coding::Rle | Coding::DeflatedFrames);
        if image.is_planar && !is_raw {
            let undone = "planes are not put side by side: coded data hold the samples of a pixel together";
            steps.push(PixelStep::new(PixelAction::LeaveUndone, undone).by(tags::PLANAR_CONFIGURATION, 1));
        }
    }
    match syntax.coding {
        Coding::Refused(way_out) => Err(syntax.refusal(way_out)),
        Coding::Native | Coding::NativeFrames | Coding::DeflatedFrames => {
            let stored = native::read(bytes, image, steps)?;
            let is_expanded = photometric == Photometric::YbrFull422;
            Ok((stored, if is_expanded { Photometric::YbrFull } else { photometric }))
        }
        Coding::Rle => Ok((run_lengths(bytes, image, steps)?, photometric)),
        Coding::JpegBaseline | Coding::JpegExtended | Coding::JpegLossless | Coding::JpegLosslessSv1 => {
            let photometric = coded_colors::conform(bytes, image, steps)?;
            check_outline(&codecs::jpeg::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg::decode(bytes).map_err(of_codec)?;
            Ok((stored(picture, Signs::ByBitsStored, image, steps)?, photometric))
        }
        Coding::JpegLs | Coding::JpegLsNear => {
            let photometric = coded_colors::conform(bytes, image, steps)?;
            check_outline(&codecs::jpeg_ls::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg_ls::decode(bytes).map_err(of_codec)?;
            Ok((stored(picture, Signs::ByPrecision, image, steps)?, photometric))
        }
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
        Coding::JpegXlLossless | Coding::JpegXlRecompressed | Coding::JpegXl => {
            check_outline(&codecs::jpeg_xl::outline(bytes).map_err(of_codec)?, image)?;
            let picture = codecs::jpeg_xl::decode(bytes).map_err(of_codec)?;
            // The codec gives RGB whatever three components were transformed to.
            let photometric = if image.n_samples == 3 { Photometric::Rgb } else { photometric };
            Ok((stored(picture, Signs::ByPrecision, image, steps)?, photometric))
        }
    }
}

/// Refuses colours, and signs, that the coding does not have.
fn check_coding(image: &ImagePixel, syntax: &TransferSyntax) -> Result<()> {
    use Coding::{
        DeflatedFrames, HtJ2k, HtJ2kLossless, HtJ2kLosslessRpcl, Jpeg2000, Jpeg2000Lossless, JpegXl,
        JpegXlLossless, JpegXlRecompressed,
    };
    let coding = syntax.coding;
    let is_jpeg_xl = matches!(coding, JpegXl | JpegXlLossless | JpegXlRecompressed);
    let has_color = match image.photometric {
        Photometric::YbrIct | Photometric::YbrRct => {
            matches!(coding, Jpeg2000Lossless | Jpeg2000 | HtJ2kLossless | HtJ2kLosslessRpcl | HtJ2k)
        }
        Photometric::Xyb => coding == JpegXl,
        // A recompressed JPEG states its own luma and chroma; other JPEG XL has no means to.
        Photometric::YbrFull | Photometric::YbrFull422 if is_jpeg_xl => coding == JpegXlRecompressed,
        Photometric::YbrFull422 => coding != DeflatedFrames,
        _ => true,
    };
    if !has_color {
        return Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            &format!("colours that {} has", syntax.name),
            image.photometric.term(),
        ));
    }
    if is_jpeg_xl && image.is_signed {
        return Err(expected(tags::PIXEL_REPRESENTATION, "0, for JPEG XL has no signed samples", "1"));
    }
    Ok(())
}

/// Refuses samples of 32 and 64 bits that would take more memory than their coded bytes are believed to be worth: the
/// codecs bound samples of 16 bits and less.
fn check_wide(n_coded_bytes: usize, image: &ImagePixel, syntax: &TransferSyntax) -> Result<()> {
    let n_bytes = (image.n_values() as u64).saturating_mul(u64::from(image.bits_allocated / 8));
    let believed = ALWAYS_BYTES.saturating_add(MOST_PER_BYTE.saturating_mul(n_coded_bytes as u64));
    if !syntax.is_encapsulated() || image.bits_allocated <= 16 || n_bytes <= believed {
        return Ok(());
    }
    Err(error(
        ErrorKind::TooLarge,
        image.source.tag(),
        &format!("at most {believed} bytes of samples from {n_coded_bytes} coded bytes"),
        &format!("{n_bytes} bytes, of {} bits a sample", image.bits_allocated),
    )
    .hint("convert it first: `gdcmconv --raw IN OUT` writes it without compression"))
}

/// Bytes of wide samples that any frame may have: as many as a film of 4096 × 4096 pixels of 16 bits.
const ALWAYS_BYTES: u64 = 32 << 20;

/// How many bytes of wide samples a coded byte is believed to yield, above [`ALWAYS_BYTES`].
const MOST_PER_BYTE: u64 = 10;

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
    if (image.bits_allocated, image.bits_stored, image.is_signed) == (8, 8, false) {
        return Ok(Stored::U8(samples));
    }
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
        // Of the same size: collected in the memory that is there.
        (U8(v), ..=8, true) => Stored::I8(v.into_iter().map(|s| s as i8).collect()),
        (U8(v), 16, false) => Stored::U16(converted(v, u16::from)?),
        (U8(v), 16, true) => Stored::I16(converted(v, |s| i16::from(s as i8))?),
        (U8(v), 32, false) => Stored::U32(converted(v, u32::from)?),
        (U8(v), 32, true) => Stored::I32(converted(v, |s| i32::from(s as i8))?),
        (U8(v), _, false) => Stored::U64(converted(v, u64::from)?),
        (U8(v), _, true) => Stored::I64(converted(v, |s| i64::from(s as i8))?),
        (U16(v), ..=16, false) => Stored::U16(v),
        (U16(v), ..=16, true) => Stored::I16(v.into_iter().map(|s| s as i16).collect()),
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

#[cfg(test)]
mod tests {
    use lightbox_codecs::{Outline, Picture, Samples};

    use super::*;
    use crate::dicom::pixels::tests::image;

    fn picture(bits: u8, is_signed: bool, samples: Samples) -> Picture {
        Picture { outline: Outline { width: 2, height: 1, n_components: 1, bits, is_signed }, samples }
    }

    /// What pydicom makes of such data sets: `_apply_sign_correction` for JPEG-LS and JPEG 2000, `_correct_unused_bits`
    /// for JPEG.
    #[test]
    fn coded_samples_get_the_sign_of_the_header() {
        use Signs::{ByBitsStored, ByPrecision, Stated};
        let u16s = |v: &[u16]| Samples::U16(v.to_vec());
        let u8s = |v: &[u8]| Samples::U8(v.to_vec());
        for (signs, allocated, stored_bits, is_signed, coded, expected) in [
            // JPEG: bits above Bits Stored.
            (
                ByBitsStored,
                16,
                12,
                true,
                picture(16, false, u16s(&[0x0FFF, 0x07FF])),
                Stored::I16(vec![-1, 2047]),
            ),
            (ByBitsStored, 16, 12, false, picture(16, false, u16s(&[0xFFFF, 1])), Stored::U16(vec![4095, 1])),
            (ByBitsStored, 16, 16, true, picture(16, false, u16s(&[0xFFFF, 1])), Stored::I16(vec![-1, 1])),
            (ByBitsStored, 8, 8, false, picture(8, false, u8s(&[255, 1])), Stored::U8(vec![255, 1])),
            // JPEG-LS: bits above the precision, whatever Bits Stored says.
            (
                ByPrecision,
                16,
                16,
                true,
                picture(12, false, u16s(&[0x0FFF, 0x07FF])),
                Stored::I16(vec![-1, 2047]),
            ),
            (ByPrecision, 16, 10, false, picture(12, false, u16s(&[0x0FFF, 1])), Stored::U16(vec![4095, 1])),
            (ByPrecision, 16, 16, true, picture(7, false, u8s(&[0x7F, 1])), Stored::I16(vec![-1, 1])),
            // JPEG 2000: only where the signs differ.
            (Stated, 16, 16, true, picture(12, false, u16s(&[2048, 4095])), Stored::I16(vec![-2048, -1])),
            (
                Stated,
                16,
                12,
                false,
                picture(12, true, u16s(&[0xFFFF, 0xF800])),
                Stored::U16(vec![4095, 2048]),
            ),
            (Stated, 16, 12, true, picture(12, true, u16s(&[0xFFFF, 5])), Stored::I16(vec![-1, 5])),
            (Stated, 16, 12, false, picture(16, false, u16s(&[65535, 5])), Stored::U16(vec![65535, 5])),
            (Stated, 16, 16, true, picture(8, false, u8s(&[255, 5])), Stored::I16(vec![-1, 5])),
            (Stated, 32, 32, false, picture(8, false, u8s(&[255, 5])), Stored::U32(vec![255, 5])),
        ] {
            let image = image(2, 1, 1, allocated, stored_bits, is_signed);
            let got = stored(coded.clone(), signs, &image, &mut Vec::new()).expect("values");
            assert_eq!(got, expected, "{coded:?} of {allocated}, {stored_bits}, {is_signed}");
        }
    }

    #[test]
    fn coded_data_of_another_picture_are_refused() {
        let image = image(2, 1, 1, 8, 8, false);
        let outline = Outline { width: 2, height: 1, n_components: 1, bits: 8, is_signed: false };
        assert!(check_outline(&outline, &image).is_ok());
        for (other, named) in [
            (Outline { width: 1, height: 2, ..outline }, "found 1 columns, 2 rows and 1 samples"),
            (Outline { n_components: 3, ..outline }, "found 2 columns, 1 rows and 3 samples"),
            (Outline { bits: 12, ..outline }, "BitsAllocated: expected at least the 12 bits"),
        ] {
            let refused = check_outline(&other, &image).expect_err(named);
            assert!(refused.to_string().contains(named), "{refused}");
        }
    }
}
