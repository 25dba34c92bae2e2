//! The markers of a JPEG, walked from the first to the last before anything is decoded.

use super::super::exif;
use crate::{Error, ErrorKind, Orientation, Result};

/// How the components stand for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colors {
    Gray,
    YCbCr,
    Rgb,
}

/// What the markers say.
#[derive(Debug)]
pub(super) struct Outline {
    pub width: u16,
    pub height: u16,
    pub colors: Colors,
    pub orientation: Orientation,
    pub has_color_profile: bool,
    /// Previews or other renderings of the same shot stand behind the picture.
    pub has_further_pictures: bool,
    /// Bytes of entropy-coded data of all scans.
    pub n_coded_bytes: u64,
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DNL: u8 = 0xDC;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;

/// What is gathered on the way.
#[derive(Default)]
struct Walk {
    frame: Option<FrameHeader>,
    adobe_transform: Option<u8>,
    has_jfif: bool,
    exif_orientation: Option<Orientation>,
    has_color_profile: bool,
    has_further_pictures: bool,
    n_coded_bytes: u64,
    scanned: Vec<u8>,
}

/// A start-of-frame segment.
struct FrameHeader {
    width: u16,
    height: u16,
    components: Vec<u8>,
}

impl Outline {
    /// Walks the markers of `bytes` to the end of the picture.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let mut walk = Walk::default();
        let mut at = 2; // behind SOI
        loop {
            let marker = next_marker(bytes, &mut at)?;
            match marker {
                EOI => return walk.finish(),
                SOI | 0x01 | 0xD0..=0xD7 => {
                    return Err(corrupt(format!("marker {marker:#04x} stands where a segment is expected")));
                }
                _ => {}
            }
            let segment = segment(bytes, &mut at)?;
            match marker {
                0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                    walk.start_of_frame(marker, segment)?
                }
                0xCC => return Err(unsupported("arithmetic coding (DAC)")),
                DNL => return Err(unsupported("a height given after the first scan (DNL)")),
                0xE0 => walk.has_jfif |= segment.starts_with(b"JFIF\0"),
                APP1 if segment.starts_with(b"Exif\0\0") && walk.exif_orientation.is_none() => {
                    walk.exif_orientation = Some(exif::orientation(&segment[6..])?);
                }
                APP2 if segment.starts_with(b"ICC_PROFILE\0") => walk.has_color_profile = true,
                // CIPA DC-007: the file goes on with further pictures behind the first, which is the main one.
                APP2 if segment.starts_with(b"MPF\0") => walk.has_further_pictures = true,
                APP14 if segment.starts_with(b"Adobe") => walk.adobe_transform = segment.get(11).copied(),
                SOS => {
                    walk.start_of_scan(segment)?;
                    let start = at;
                    skip_coded(bytes, &mut at)?;
                    walk.n_coded_bytes += (at - start) as u64;
                }
                _ => {}
            }
        }
    }
}

impl Walk {
    fn start_of_frame(&mut self, marker: u8, segment: &[u8]) -> Result<()> {
        if self.frame.is_some() {
            return Err(unsupported("more than one frame (hierarchical coding)"));
        }
        match marker {
            0xC0..=0xC2 => {}
            0xC3 => return Err(unsupported("lossless coding (SOF3)")),
            0xC5..=0xC7 => return Err(unsupported("hierarchical coding (SOF5 to SOF7)")),
            _ => return Err(unsupported("arithmetic coding (SOF9 to SOF15)")),
        }
        let [precision, h1, h0, w1, w0, n_components, rest @ ..] = segment else {
            return Err(corrupt("the frame header is too short"));
        };
        if *precision != 8 {
            return Err(unsupported(&format!("{precision} bits a sample")));
        }
        let n_components = usize::from(*n_components);
        if rest.len() < n_components * 3 {
            return Err(corrupt("the frame header is too short for its components"));
        }
        let components: Vec<u8> =
            rest.chunks_exact(3).take(n_components).map(|component| component[0]).collect();
        match n_components {
            1 | 3 => {}
            4 => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "JPEG: expected gray or RGB, found four components (CMYK or YCCK), whose colours depend on a printing profile",
                )
                .hint("convert it to RGB in a program that knows colour profiles"));
            }
            n => return Err(unsupported(&format!("{n} components"))),
        }
        let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
        if height == 0 {
            return Err(unsupported("a height given after the first scan (DNL)"));
        }
        self.frame = Some(FrameHeader { width, height, components });
        Ok(())
    }

    fn start_of_scan(&mut self, segment: &[u8]) -> Result<()> {
        if self.frame.is_none() {
            return Err(corrupt("a scan starts before the frame header"));
        }
        let n_components = usize::from(segment.first().copied().unwrap_or(0));
        let Some(selectors) = segment.get(1..1 + 2 * n_components) else {
            return Err(corrupt("a scan header is too short"));
        };
        self.scanned.extend(selectors.chunks_exact(2).map(|selector| selector[0]));
        Ok(())
    }

    fn finish(self) -> Result<Outline> {
        let frame = self.frame.ok_or_else(|| corrupt("there is no frame header"))?;
        if let Some(missing) = frame.components.iter().find(|id| !self.scanned.contains(id)) {
            return Err(Error::new(ErrorKind::Truncated, format!("JPEG: no scan holds component {missing}"))
                .hint("the file is incomplete; copy or export it again"));
        }
        // As libjpeg decides: JFIF means YCbCr, then Adobe's flag, then component ids that spell RGB.
        let colors = match (frame.components.as_slice(), self.has_jfif, self.adobe_transform) {
            ([_], ..) => Colors::Gray,
            (_, true, _) => Colors::YCbCr,
            (_, false, Some(0)) => Colors::Rgb,
            (_, false, Some(_)) => Colors::YCbCr,
            (ids, false, None) => {
                if ids == b"RGB" {
                    Colors::Rgb
                } else {
                    Colors::YCbCr
                }
            }
        };
        Ok(Outline {
            width: frame.width,
            height: frame.height,
            colors,
            orientation: self.exif_orientation.unwrap_or(Orientation::UPRIGHT),
            has_color_profile: self.has_color_profile,
            has_further_pictures: self.has_further_pictures,
            n_coded_bytes: self.n_coded_bytes,
        })
    }
}

/// The next marker at `at`, fill bytes skipped; `at` is then behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Result<u8> {
    match bytes.get(*at) {
        None => return Err(ended()),
        Some(0xFF) => {}
        Some(found) => return Err(corrupt(format!("expected a marker at byte {at}, found {found:#04x}"))),
    }
    while bytes.get(*at) == Some(&0xFF) {
        *at += 1;
    }
    let marker = *bytes.get(*at).ok_or_else(ended)?;
    *at += 1;
    Ok(marker)
}

/// The body of the segment at `at`; `at` is then behind it.
fn segment<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8]> {
    let Some(&[high, low]) = bytes.get(*at..*at + 2) else { return Err(ended()) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len < 2 {
        return Err(corrupt(format!("a segment at byte {at} states a length of {len}")));
    }
    let body = bytes.get(*at + 2..*at + len).ok_or_else(ended)?;
    *at += len;
    Ok(body)
}

/// Moves `at` over entropy-coded data to the next marker that is neither stuffing nor a restart.
fn skip_coded(bytes: &[u8], at: &mut usize) -> Result<()> {
    while let Some(found) = bytes[*at..].iter().position(|byte| *byte == 0xFF) {
        *at += found;
        match bytes.get(*at + 1) {
            Some(0x00 | 0xD0..=0xD7) => *at += 2,
            Some(0xFF) => *at += 1,
            Some(_) => return Ok(()),
            None => return Err(ended()),
        }
    }
    Err(ended())
}

fn ended() -> Error {
    Error::new(ErrorKind::Truncated, "JPEG: the file ends before the end of the picture (EOI)")
        .hint("copy or export it again")
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("JPEG: {reason}"))
        .hint("the file is damaged; copy or export it again")
}

fn unsupported(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("JPEG: expected one picture of 8 bits in baseline, extended or progressive Huffman coding, found {what}"),
    )
    .hint("convert it to PNG (16 bit keeps more than 8 bits)")
}
