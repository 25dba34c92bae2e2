//! The markers of a JPEG, walked from the first to the last before anything is decoded.

use super::frame::{Frame, Process};
use super::intervals::find_ff;
use super::{corrupt, ended, unsupported};
use crate::{Error, Outline, Result};

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
    pub(super) frame: Frame,
    colors: Colors,
    has_end: bool,
    n_coded_bytes: usize,
    applications: Vec<(u8, &'a [u8])>,
    /// Tables and scans, in the order of the file.
    pub(super) events: Vec<Event<'a>>,
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

const SOF0: u8 = 0xC0;
const SOF15: u8 = 0xCF;
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
    frame: Option<Frame>,
    adobe_transform: Option<u8>,
    has_jfif: bool,
    has_end: bool,
    n_coded_bytes: usize,
    applications: Vec<(u8, &'a [u8])>,
    events: Vec<Event<'a>>,
}

impl<'a> Markers<'a> {
    /// Walks the markers to the end of the picture (EOI); what stands behind it is not looked at.
    ///
    /// Data that end with a scan, without that marker, are accepted: [`Markers::has_end`] tells. Whether the scan is
    /// whole is known when it is decoded.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if the data end elsewhere,
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they are no JPEG or contradict themselves,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for four components coded by blocks (CMYK), arithmetic
    /// and hierarchical coding, and a height that is given behind the first scan (DNL).
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
            if at >= bytes.len() && walk.n_coded_bytes > 0 {
                return walk.finish();
            }
            let marker = next_marker(bytes, &mut at)?;
            match marker {
                EOI => {
                    walk.has_end = true;
                    return walk.finish();
                }
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
                SOF0..=SOF15 => walk.start_of_frame(marker, segment)?,
                APP0..=APP15 => walk.application(marker, segment),
                SOS => {
                    let start = at;
                    skip_coded(bytes, &mut at);
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
            width: self.frame.width,
            height: self.frame.height,
            n_components: self.frame.components.len(),
            bits: self.frame.bits,
            is_signed: false,
        }
    }

    /// How the picture is coded.
    #[must_use]
    pub fn process(&self) -> Process {
        self.frame.process
    }

    /// Whether the marker of the picture's end (EOI) is there.
    #[must_use]
    pub fn has_end(&self) -> bool {
        self.has_end
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
        self.frame = Some(Frame::of(marker - SOF0, segment)?);
        Ok(())
    }

    fn finish(self) -> Result<Markers<'a>> {
        let frame = self.frame.ok_or_else(|| corrupt("there is no frame header"))?;
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        // In libjpeg's order: JFIF means YCbCr, then Adobe's flag, then component ids that spell RGB.
        let colors = match (ids.as_slice(), self.has_jfif, self.adobe_transform) {
            ([_], ..) => Colors::Gray,
            ([_, _, _], true, _) => Colors::YCbCr,
            ([_, _, _], false, Some(0)) => Colors::Rgb,
            ([_, _, _], false, Some(1)) => Colors::YCbCr,
            (b"RGB", false, None) => Colors::Rgb,
            _ => Colors::Unknown,
        };
        Ok(Markers {
            frame,
            colors,
            has_end: self.has_end,
            n_coded_bytes: self.n_coded_bytes,
            applications: self.applications,
            events: self.events,
        })
    }
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

/// Moves `at` over entropy-coded data to the next marker that is neither stuffing nor a restart, or to the end.
fn skip_coded(bytes: &[u8], at: &mut usize) {
    while let Some(found) = find_ff(&bytes[*at..]) {
        *at += found;
        match bytes.get(*at + 1) {
            Some(0x00 | 0xD0..=0xD7) => *at += 2,
            Some(0xFF) => *at += 1,
            Some(_) => return,
            None => break,
        }
    }
    *at = bytes.len();
}

fn file_ended() -> Error {
    ended("the file ends before the end of the picture (EOI)")
}
