//! What a JPEG or JPEG-LS header says of its colours, and whether the data set agrees.

use dicom_dictionary_std::tags;

use super::expected;
use super::image_pixel::{ImagePixel, Photometric};
use super::steps::{PixelAction, PixelStep};
use crate::Result;

/// What stands before the frame header and in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// The last APP0 segment is JFIF's, as pydicom looks for it.
    has_jfif: bool,
    /// The transform of an Adobe marker: 0 none, 1 YCbCr.
    adobe_transform: Option<u8>,
    /// Identifiers of the components.
    component_ids: Vec<u8>,
}

/// Which colours three components stand for, where the coded data say more than the data set.
///
/// As in pydicom: identifiers that spell RGB mean RGB; a JFIF marker means luma and chroma where the data set says RGB.
/// Else Photometric Interpretation counts, which is how RGB without any marker is right. An Adobe marker is not looked
/// at by pydicom; one that contradicts what would be taken is refused here.
///
/// # Errors
/// [`crate::ErrorKind::Corrupt`] for an Adobe marker that contradicts Photometric Interpretation.
pub(crate) fn conform(coded: &[u8], image: &ImagePixel, steps: &mut Vec<PixelStep>) -> Result<Photometric> {
    let stated = image.photometric;
    if image.n_samples != 3 {
        return Ok(stated);
    }
    let Some(said) = Said::by(coded) else { return Ok(stated) };
    let taken = |photometric: Photometric, why: &str| {
        PixelStep::new(PixelAction::TakeColors, format!("taken as {}: {why}", photometric.term()))
            .by(tags::PHOTOMETRIC_INTERPRETATION, stated.term())
    };
    if matches!(said.component_ids[..], [b'R', b'G', b'B'] | [b'r', b'g', b'b']) {
        if stated != Photometric::Rgb {
            steps.push(taken(Photometric::Rgb, "the coded components are named R, G and B"));
        }
        return Ok(Photometric::Rgb);
    }
    if said.has_jfif && stated == Photometric::Rgb {
        steps.push(taken(Photometric::YbrFull, "the coded data have a JFIF marker"));
        return Ok(Photometric::YbrFull);
    }
    match (said.adobe_transform, stated) {
        (Some(1), Photometric::Rgb) => Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            "YBR_FULL or YBR_FULL_422, as the Adobe marker of the coded data says",
            "RGB",
        )
        .hint(
            "correct the element where the colours are luma and chroma, for example with dcmodify of DCMTK",
        )),
        (Some(0), Photometric::YbrFull | Photometric::YbrFull422) => Err(expected(
            tags::PHOTOMETRIC_INTERPRETATION,
            "RGB, as the Adobe marker of the coded data says",
            stated.term(),
        )
        .hint("correct the element where the colours are RGB, for example with dcmodify of DCMTK")),
        _ => Ok(stated),
    }
}

impl Said {
    /// Walks the segments up to the frame header; `None` where they cannot be walked, which the decoder will tell.
    fn by(coded: &[u8]) -> Option<Self> {
        let mut said = Self::default();
        let mut rest = coded.strip_prefix(&[0xFF, 0xD8])?;
        loop {
            // Any number of 0xFF may stand before a marker (T.81, B.1.1.2).
            while let [0xFF, 0xFF, ..] = rest {
                rest = &rest[1..];
            }
            let [0xFF, marker, high, low, ..] = *rest else { return None };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let body = rest.get(4..2 + length)?;
            rest = &rest[2 + length..];
            match marker {
                0xE0 => said.has_jfif = body.starts_with(b"JFIF"),
                0xEE if body.starts_with(b"Adobe") => said.adobe_transform = body.get(11).copied(),
                // Frame headers of JPEG and JPEG-LS; not DHT, JPG and DAC.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                    let n = usize::from(*body.get(5)?);
                    said.component_ids = body.get(6..)?.chunks_exact(3).take(n).map(|c| c[0]).collect();
                    return Some(said);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JFIF: &[u8] = b"\xFF\xE0\x00\x07JFIF\0";
    const JFXX: &[u8] = b"\xFF\xE0\x00\x07JFXX\0";

    fn adobe(transform: u8) -> Vec<u8> {
        let mut segment = b"\xFF\xEE\x00\x0EAdobe\0\x64\0\0\0\0".to_vec();
        segment.push(transform);
        segment
    }

    fn frame(ids: [u8; 3]) -> Vec<u8> {
        let mut segment = vec![0xFF, 0xC0, 0, 17, 8, 0, 1, 0, 1, 3];
        segment.extend(ids.into_iter().flat_map(|id| [id, 0x11, 0]));
        segment
    }

    fn image(photometric: Photometric) -> ImagePixel {
        ImagePixel { photometric, ..crate::dicom::pixels::tests::image(1, 1, 3, 8, 8, false) }
    }

    #[test]
    fn coded_data_are_asked_for_their_colours_as_pydicom_does() {
        use Photometric::{Rgb, YbrFull, YbrFull422};
        let adobe_rgb = adobe(0);
        let adobe_ybr = adobe(1);
        for (segments, ids, stated, expected) in [
            (&[][..], [1, 2, 3], Rgb, Some(Rgb)),
            (&[], [1, 2, 3], YbrFull422, Some(YbrFull422)),
            (&[], [b'R', b'G', b'B'], YbrFull, Some(Rgb)),
            (&[JFIF], [b'r', b'g', b'b'], YbrFull, Some(Rgb)),
            (&[JFIF], [1, 2, 3], Rgb, Some(YbrFull)),
            (&[JFIF], [1, 2, 3], YbrFull422, Some(YbrFull422)),
            (&[JFIF, JFXX], [1, 2, 3], Rgb, Some(Rgb)),
            (&[&adobe_rgb], [1, 2, 3], Rgb, Some(Rgb)),
            (&[&adobe_ybr], [1, 2, 3], YbrFull, Some(YbrFull)),
            (&[&adobe_ybr], [1, 2, 3], Rgb, None),
            (&[&adobe_rgb], [1, 2, 3], YbrFull422, None),
        ] {
            let mut coded = vec![0xFF, 0xD8];
            coded.extend(segments.concat());
            coded.extend(frame(ids));
            let got = conform(&coded, &image(stated), &mut Vec::new()).ok();
            assert_eq!(got, expected, "{segments:?} {ids:?} {stated:?}");
        }
    }

    #[test]
    fn what_cannot_be_walked_is_left_to_the_decoder() {
        for coded in
            [&b""[..], b"\xFF\xD8", b"\xFF\xD8\xFF\xE0\xFF\xFF", b"\xFF\xD8\xFF\xC0\x00\x02", b"GIF89a"]
        {
            let got = conform(coded, &image(Photometric::Rgb), &mut Vec::new());
            assert_eq!(got.ok(), Some(Photometric::Rgb), "{coded:?}");
        }
    }
}
