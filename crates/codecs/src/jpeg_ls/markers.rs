//! What stands around the coded samples: markers and their segments (T.87, C.2; T.81, B.1.1).

use super::bits::has_byte_of_ones;
use super::parameters::Preset;
use super::{corrupt, ended, unsupported};
use crate::{Outline, Result};

/// Most components of a picture.
pub(super) const MOST_COMPONENTS: usize = 4;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DNL: u8 = 0xDC;
const DRI: u8 = 0xDD;
const APP8: u8 = 0xE8;
const SOF55: u8 = 0xF7;
const LSE: u8 = 0xF8;

/// The frame header (C.2.2).
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits a sample, 2 to 16.
    pub(super) bits: u8,
    /// Component identifiers, 1 to [`MOST_COMPONENTS`].
    pub(super) components: Vec<u8>,
}

/// How the samples of several components follow each other in a scan (ILV).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interleave {
    None,
    Line,
    Sample,
}

/// The scan header (C.2.3).
#[derive(Debug)]
pub(super) struct ScanHeader {
    /// Indices into [`Frame::components`].
    pub(super) components: Vec<usize>,
    pub(super) near: u8,
    pub(super) interleave: Interleave,
}

/// What matters to the decoder, in the order of the stream.
pub(super) enum Event {
    Preset(Preset),
    /// In lines; 0 for none.
    RestartInterval(usize),
    Scan(ScanHeader),
}

/// The stream from some place on.
pub(super) struct Events<'a> {
    rest: &'a [u8],
}

impl Frame {
    /// Reads up to the first scan, and gives the stream from its start.
    pub(super) fn read(coded: &[u8]) -> Result<(Self, Events<'_>)> {
        let Some(rest) = coded.strip_prefix(&[0xFF, SOI]) else {
            return Err(corrupt("expected the marker SOI at the start, found something else"));
        };
        let mut events = Events { rest };
        let mut frame = None;
        let mut sides = None;
        loop {
            let (marker, body) = events.segment()?;
            match marker {
                SOF55 if frame.is_some() => return Err(corrupt("there are two frame headers")),
                SOF55 => frame = Some(Self::parse(body)?),
                LSE if body.first() == Some(&4) => sides = Some(oversize(body)?),
                SOS => break,
                EOI => return Err(ended("the stream ends before the first scan")),
                _ => {}
            }
        }
        let mut frame = frame.ok_or_else(|| corrupt("a scan stands before the frame header"))?;
        if let Some((width, height)) = sides {
            frame.width = if frame.width == 0 { width } else { frame.width };
            frame.height = if frame.height == 0 { height } else { frame.height };
        }
        match (frame.width, frame.height) {
            (0, _) => Err(corrupt("expected a width of at least 1, found 0")),
            (_, 0) => Err(unsupported("a picture whose number of lines follows after its scan (DNL)")),
            _ => Ok((frame, Events { rest })),
        }
    }

    fn parse(body: &[u8]) -> Result<Self> {
        let [bits, y1, y0, x1, x0, n, specifications @ ..] = body else {
            return Err(corrupt("the frame header is too short"));
        };
        if !(2..=16).contains(bits) {
            return Err(corrupt(format!("expected 2 to 16 bits a sample in the frame header, found {bits}")));
        }
        let n = usize::from(*n);
        if n == 0 || specifications.len() != 3 * n {
            return Err(corrupt(format!(
                "expected {} bytes for the {n} components of the frame header, found {}",
                3 * n,
                specifications.len()
            )));
        }
        if n > MOST_COMPONENTS {
            return Err(unsupported(format!("a picture of {n} components")));
        }
        let components: Vec<u8> = specifications.chunks_exact(3).map(|component| component[0]).collect();
        let sampling = specifications[1];
        if specifications.chunks_exact(3).any(|component| component[1] != sampling) {
            return Err(unsupported("a picture with subsampled components"));
        }
        if (1..n).any(|index| components[..index].contains(&components[index])) {
            return Err(corrupt("two components have the same identifier"));
        }
        let side = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
        Ok(Self { width: side(*x1, *x0), height: side(*y1, *y0), bits: *bits, components })
    }

    pub(super) fn outline(&self) -> Outline {
        Outline {
            width: self.width,
            height: self.height,
            n_components: self.components.len(),
            bits: self.bits,
            is_signed: false,
        }
    }
}

impl<'a> Events<'a> {
    /// The next event, or none at the end of the image.
    pub(super) fn next(&mut self, frame: &Frame) -> Result<Option<Event>> {
        loop {
            let (marker, body) = self.segment()?;
            match marker {
                SOS => return scan_header(body, frame).map(|header| Some(Event::Scan(header))),
                EOI => return Ok(None),
                DRI => return restart_interval(body).map(|n| Some(Event::RestartInterval(n))),
                LSE => match body.first() {
                    Some(1) => return preset(body).map(|preset| Some(Event::Preset(preset))),
                    Some(2 | 3) => return Err(unsupported("a picture with a mapping table (LSE 2, 3)")),
                    Some(4) => {}
                    _ => return Err(unsupported("a preset parameter segment (LSE) of an unknown type")),
                },
                _ => {}
            }
        }
    }

    /// A marker and the bytes of its segment; refuses those that change what the samples are.
    fn segment(&mut self) -> Result<(u8, &'a [u8])> {
        let cut = || ended("the stream ends within or before a marker segment");
        let marker = self.marker()?;
        if marker == EOI {
            return Ok((marker, &[]));
        }
        let (length, rest) = self.rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let n_body =
            length.checked_sub(2).ok_or_else(|| corrupt("a marker segment states a length below 2"))?;
        let (body, rest) = rest.split_at_checked(n_body).ok_or_else(cut)?;
        self.rest = rest;
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => Err(corrupt(format!(
                "expected a frame header SOF55, found SOF{}: another JPEG",
                marker - 0xC0
            ))),
            DNL => Err(unsupported("a number of lines that follows after a scan (DNL)")),
            APP8 if body.starts_with(b"mrfx") && body.get(4) != Some(&0) => {
                Err(unsupported("a color transform of the vendor HP (mrfx)"))
            }
            0x01 | 0xD0..=0xD8 => Err(corrupt(format!("the marker FF{marker:02X} stands where none may"))),
            _ => Ok((marker, body)),
        }
    }

    /// The marker that comes next, past fill bytes.
    fn marker(&mut self) -> Result<u8> {
        let cut = || ended("the stream ends where a marker should stand");
        let (first, mut rest) = self.rest.split_first().ok_or_else(cut)?;
        if *first != 0xFF {
            return Err(corrupt(format!("expected a marker, found a byte {first:02X}")));
        }
        loop {
            let (byte, after) = rest.split_first().ok_or_else(cut)?;
            rest = after;
            match byte {
                0xFF => {}
                0 => return Err(corrupt("expected a marker, found FF00")),
                marker => {
                    self.rest = rest;
                    return Ok(*marker);
                }
            }
        }
    }

    /// The coded bytes up to the next marker.
    pub(super) fn entropy_coded(&mut self) -> &'a [u8] {
        let (coded, rest) = self.rest.split_at(marker_at(self.rest));
        self.rest = rest;
        coded
    }

    /// Passes the marker RSTm that must come next (C.1: m counts modulo 8).
    pub(super) fn restart(&mut self, n_before: usize) -> Result<()> {
        let expected = 0xD0 + (n_before % 8) as u8;
        match self.marker()? {
            found if found == expected => Ok(()),
            EOI => Err(ended("the image ends before its last restart interval")),
            found => {
                Err(corrupt(format!("expected the restart marker FF{expected:02X}, found FF{found:02X}")))
            }
        }
    }
}

/// Where the first marker stands: a byte of ones before one whose first bit is set, or before the end. Else the length.
fn marker_at(coded: &[u8]) -> usize {
    let mut at = 0;
    while at < coded.len() {
        while let Some(eight) = coded.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            if has_byte_of_ones(u64::from_ne_bytes(*eight)) {
                break;
            }
            at += 8;
        }
        let end = (at + 8).min(coded.len());
        for index in at..end {
            if coded[index] == 0xFF && coded.get(index + 1).is_none_or(|next| *next >= 0x80) {
                return index;
            }
        }
        at = end;
    }
    coded.len()
}

fn scan_header(body: &[u8], frame: &Frame) -> Result<ScanHeader> {
    let n = usize::from(*body.first().unwrap_or(&0));
    if n == 0 || n > frame.components.len() || body.len() != 4 + 2 * n {
        return Err(corrupt(format!("the scan header has {} bytes for {n} components", body.len())));
    }
    let (specifications, end) = body[1..].split_at(2 * n);
    let mut components = Vec::with_capacity(n);
    for specification in specifications.chunks_exact(2) {
        let component = frame.components.iter().position(|id| *id == specification[0]);
        let component =
            component.ok_or_else(|| corrupt("a scan names a component that the frame has not"))?;
        if components.contains(&component) {
            return Err(corrupt("a scan names a component twice"));
        }
        if specification[1] != 0 {
            return Err(unsupported("a picture with a mapping table"));
        }
        components.push(component);
    }
    let interleave = match (end[1], n) {
        (0, 1) => Interleave::None,
        (1, 2..) => Interleave::Line,
        (2, 2..) => Interleave::Sample,
        (ilv, _) => return Err(corrupt(format!("a scan of {n} components has the interleave mode {ilv}"))),
    };
    if end[2] != 0 {
        return Err(unsupported("a point transform"));
    }
    Ok(ScanHeader { components, near: end[0], interleave })
}

fn preset(body: &[u8]) -> Result<Preset> {
    let &[_, m1, m0, a1, a0, b1, b0, c1, c0, r1, r0] = body else {
        return Err(corrupt(format!("expected a preset (LSE 1) of 11 bytes, found {}", body.len())));
    };
    let number = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    Ok(Preset {
        max_value: number(m1, m0),
        thresholds: [number(a1, a0), number(b1, b0), number(c1, c0)],
        reset: number(r1, r0),
    })
}

/// Width and height of a picture whose sides do not fit the frame header (C.2.4.1.4).
fn oversize(body: &[u8]) -> Result<(usize, usize)> {
    let wrong = || corrupt("the segment for oversize dimensions (LSE 4) has the wrong length");
    let (n_bytes, sides) = body[1..].split_first().ok_or_else(wrong)?;
    let n_bytes = usize::from(*n_bytes);
    if !(2..=4).contains(&n_bytes) || sides.len() != 2 * n_bytes {
        return Err(wrong());
    }
    let (height, width) = sides.split_at(n_bytes);
    Ok((number(width), number(height)))
}

fn restart_interval(body: &[u8]) -> Result<usize> {
    if !(2..=4).contains(&body.len()) {
        return Err(corrupt(format!("expected a restart interval of 2 to 4 bytes, found {}", body.len())));
    }
    Ok(number(body))
}

/// A big-endian number of at most four bytes.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
