//! The markers of a JPEG, walked from the first to the last before anything is decoded.

use super::{corrupt, ended, unsupported};
use crate::{Error, ErrorKind, Outline, Result};

/// What the markers say of how three components stand for colours.
///
/// [`Colors::as_libjpeg`] decides for pictures that nothing else is known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// One component.
    Gray,
    /// A JFIF marker, or Adobe's with transform 1.
    YCbCr,
    /// Adobe's marker with transform 0, or component identifiers that spell `RGB` and no such marker.
    Rgb,
    /// Nothing is said.
    Unknown,
}

impl Colors {
    /// As libjpeg decides: what is unknown is YCbCr.
    #[must_use]
    pub fn as_libjpeg(self) -> Self {
        match self {
            Self::Unknown => Self::YCbCr,
            known => known,
        }
    }
}

/// The markers of a JPEG: all that is known of it before its coded data are decoded.
#[derive(Debug)]
pub struct Markers<'a> {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) is_progressive: bool,
    pub(super) components: Vec<Component>,
    colors: Colors,
    n_coded_bytes: usize,
    applications: Vec<(u8, &'a [u8])>,
    /// Tables and scans, in the order of the file.
    pub(super) events: Vec<Event<'a>>,
}

/// A component as the frame header states it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub id: u8,
    /// Samples across for each `max` of all components, 1 to 4.
    pub across: usize,
    /// The same downward.
    pub down: usize,
    /// Which quantization table, 0 to 3.
    pub table: usize,
}

/// A segment that the decoder needs.
#[derive(Debug)]
pub(super) enum Event<'a> {
    QuantizationTables(&'a [u8]),
    HuffmanTables(&'a [u8]),
    RestartInterval(&'a [u8]),
    /// A scan header and the coded data behind it, restart markers included.
    Scan {
        header: &'a [u8],
        coded: &'a [u8],
    },
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DNL: u8 = 0xDC;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
const DAC: u8 = 0xCC;
const APP0: u8 = 0xE0;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;

/// What is gathered on the way.
#[derive(Default)]
struct Walk<'a> {
    frame: Option<FrameHeader>,
    adobe_transform: Option<u8>,
    has_jfif: bool,
    n_coded_bytes: usize,
    applications: Vec<(u8, &'a [u8])>,
    events: Vec<Event<'a>>,
}

/// A start-of-frame segment.
struct FrameHeader {
    width: u16,
    height: u16,
    is_progressive: bool,
    components: Vec<Component>,
}

impl<'a> Markers<'a> {
    /// Walks the markers to the end of the picture (EOI); what stands behind it is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if the data end before, [`ErrorKind::Corrupt`] if they are no JPEG or contradict
    /// themselves, [`ErrorKind::Unsupported`] for CMYK, 12 bits, arithmetic, lossless and hierarchical coding.
    pub fn of(coded: &'a [u8]) -> Result<Self> {
        Self::walk(coded, false)
    }

    /// Walks the markers up to the first scan.
    pub(super) fn before_scans(coded: &'a [u8]) -> Result<Self> {
        Self::walk(coded, true)
    }

    fn walk(bytes: &'a [u8], stops_at_scan: bool) -> Result<Self> {
        if !bytes.starts_with(&[0xFF, SOI]) {
            return Err(corrupt("expected the marker of a picture's start (SOI) at byte 0"));
        }
        let mut walk = Walk::default();
        let mut at = 2;
        loop {
            let marker = next_marker(bytes, &mut at)?;
            match marker {
                EOI => return walk.finish(),
                SOS if stops_at_scan => return walk.finish(),
                SOI | 0x01 | 0xD0..=0xD7 => {
                    return Err(corrupt(format!("marker {marker:#04x} stands where a segment is expected")));
                }
                _ => {}
            }
            let segment = segment(bytes, &mut at)?;
            match marker {
                DHT => walk.events.push(Event::HuffmanTables(segment)),
                DQT => walk.events.push(Event::QuantizationTables(segment)),
                DRI => walk.events.push(Event::RestartInterval(segment)),
                DAC => return Err(unsupported("arithmetic coding (DAC)")),
                DNL => return Err(unsupported("a height given after the first scan (DNL)")),
                0xC0..=0xCF => walk.start_of_frame(marker, segment)?,
                APP0..=APP15 => walk.application(marker, segment),
                SOS => {
                    let start = at;
                    skip_coded(bytes, &mut at)?;
                    walk.n_coded_bytes += at - start;
                    walk.events.push(Event::Scan { header: segment, coded: &bytes[start..at] });
                }
                _ => {}
            }
        }
    }

    /// Sides, components and bits.
    #[must_use]
    pub fn outline(&self) -> Outline {
        Outline {
            width: usize::from(self.width),
            height: usize::from(self.height),
            n_components: self.components.len(),
            bits: 8,
            is_signed: false,
        }
    }

    /// What the markers say of colours.
    #[must_use]
    pub fn colors(&self) -> Colors {
        self.colors
    }

    /// Bytes of entropy-coded data of all scans.
    #[must_use]
    pub fn n_coded_bytes(&self) -> usize {
        self.n_coded_bytes
    }

    /// The application segments in the order of the file: the n of APPn, 0 to 15, and the segment's body.
    #[must_use]
    pub fn applications(&self) -> &[(u8, &'a [u8])] {
        &self.applications
    }
}

impl<'a> Walk<'a> {
    fn application(&mut self, marker: u8, segment: &'a [u8]) {
        match marker {
            APP0 => self.has_jfif |= segment.starts_with(b"JFIF\0"),
            APP14 if segment.starts_with(b"Adobe") => self.adobe_transform = segment.get(11).copied(),
            _ => {}
        }
        self.applications.push((marker - APP0, segment));
    }

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
            return Err(unsupported(format!("{precision} bits a sample")));
        }
        let n_components = usize::from(*n_components);
        if rest.len() < n_components * 3 {
            return Err(corrupt("the frame header is too short for its components"));
        }
        match n_components {
            1 | 3 => {}
            4 => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "JPEG: expected gray or RGB, found four components (CMYK or YCCK), whose colours depend on a printing profile",
                )
                .hint("convert it to RGB in a program that knows colour profiles"));
            }
            n => return Err(unsupported(format!("{n} components"))),
        }
        let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
        if height == 0 {
            return Err(unsupported("a height given after the first scan (DNL)"));
        }
        if width == 0 {
            return Err(corrupt(format!("expected sides of at least 1 pixel, found {width}×{height}")));
        }
        let components =
            rest.chunks_exact(3).take(n_components).map(component).collect::<Result<Vec<_>>>()?;
        self.frame = Some(FrameHeader { width, height, is_progressive: marker == 0xC2, components });
        Ok(())
    }

    fn finish(self) -> Result<Markers<'a>> {
        let frame = self.frame.ok_or_else(|| corrupt("there is no frame header"))?;
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        // In libjpeg's order: JFIF means YCbCr, then Adobe's flag, then component ids that spell RGB.
        let colors = match (ids.as_slice(), self.has_jfif, self.adobe_transform) {
            ([_], ..) => Colors::Gray,
            (_, true, _) => Colors::YCbCr,
            (_, false, Some(0)) => Colors::Rgb,
            (_, false, Some(1)) => Colors::YCbCr,
            (b"RGB", false, None) => Colors::Rgb,
            _ => Colors::Unknown,
        };
        Ok(Markers {
            width: frame.width,
            height: frame.height,
            is_progressive: frame.is_progressive,
            components: frame.components,
            colors,
            n_coded_bytes: self.n_coded_bytes,
            applications: self.applications,
            events: self.events,
        })
    }
}

fn component(entry: &[u8]) -> Result<Component> {
    let (across, down, table) =
        (usize::from(entry[1] >> 4), usize::from(entry[1] & 15), usize::from(entry[2]));
    if !(1..=4).contains(&across) || !(1..=4).contains(&down) || table > 3 {
        return Err(corrupt(format!(
            "component {}: expected sampling of 1 to 4 and a table of 0 to 3, found {across}×{down} and {table}",
            entry[0]
        )));
    }
    Ok(Component { id: entry[0], across, down, table })
}

/// The next marker at `at`, fill bytes skipped; `at` is then behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Result<u8> {
    match bytes.get(*at) {
        None => return Err(file_ended()),
        Some(0xFF) => {}
        Some(found) => return Err(corrupt(format!("expected a marker at byte {at}, found {found:#04x}"))),
    }
    while bytes.get(*at) == Some(&0xFF) {
        *at += 1;
    }
    let marker = *bytes.get(*at).ok_or_else(file_ended)?;
    *at += 1;
    Ok(marker)
}

/// The body of the segment at `at`; `at` is then behind it.
fn segment<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8]> {
    let Some(&[high, low]) = bytes.get(*at..*at + 2) else { return Err(file_ended()) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len < 2 {
        return Err(corrupt(format!("a segment at byte {at} states a length of {len}")));
    }
    let body = bytes.get(*at + 2..*at + len).ok_or_else(file_ended)?;
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
            None => return Err(file_ended()),
        }
    }
    Err(file_ended())
}

fn file_ended() -> Error {
    ended("the file ends before the end of the picture (EOI)")
}
