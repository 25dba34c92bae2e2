//! JPEG-LS (ITU-T T.87, ISO/IEC 14495-1): lossless and near-lossless, 2 to 16 bits, 1 to 4 components.
//!
//! Components may be coded one after another, line by line or sample by sample, in one scan or in several, with preset
//! coding parameters and with restart intervals. Refused by name: mapping tables, subsampled components, a point
//! transform, a number of lines that is only told after the scan (DNL), and the color transforms that one vendor's
//! `mrfx` segment announces.
//!
//! A preset's MAXVAL gives the range of error values as the standard has it. CharLS 2.4 derives that range from the bits
//! alone, and fails on streams where the two differ.
//!
//! A damaged stream mostly still decodes to something, because nearly every bit string is a valid one. What the format
//! lets one notice is an error here: an error value outside the range, a run past the end of its line, coded bytes that
//! are left over, and a stream that ends early.

mod bits;
mod contexts;
mod lines;
mod markers;
mod parameters;
mod pixels;
mod scan;

use markers::{Event, Frame};
use scan::Scan;

use crate::{Error, ErrorKind, Outline, Picture, Result, Samples, memory};

/// A coded byte is believed to yield at most this many samples, above what any picture may have. The format itself has
/// no such bound: a line that repeats the one above costs a bit.
const MOST_SAMPLES_PER_BYTE: usize = 64;

/// What the header states of the picture, without decoding it.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where the bytes are no JPEG-LS, [`ErrorKind::Truncated`] where they end before the frame header
/// does, and [`ErrorKind::Unsupported`] for what [the module](self) refuses.
pub fn outline(coded: &[u8]) -> Result<Outline> {
    Ok(Frame::read(coded)?.0.outline())
}

/// Decodes a picture to its samples, `[height, width, n_components]`, unsigned.
///
/// # Errors
/// See [`outline`]; [`ErrorKind::Truncated`] where the coded data end early, [`ErrorKind::Corrupt`] where they contradict
/// the format, [`ErrorKind::TooLarge`] where the picture is larger than its coded bytes are believed to hold.
pub fn decode(coded: &[u8]) -> Result<Picture> {
    let (frame, events) = Frame::read(coded)?;
    let outline = frame.outline();
    outline.n_samples(coded.len(), MOST_SAMPLES_PER_BYTE)?;
    let samples = if frame.bits <= 8 {
        Samples::U8(samples(&frame, events, |sample| sample as u8)?)
    } else {
        Samples::U16(samples(&frame, events, |sample| sample)?)
    };
    Ok(Picture { outline, samples })
}

/// The samples of every component, as the type that `narrow` makes of them.
fn samples<T: Copy + Default>(
    frame: &Frame,
    mut events: markers::Events<'_>,
    narrow: impl Fn(u16) -> T + Copy,
) -> Result<Vec<T>> {
    let n_components = frame.components.len();
    let mut state = scan::State::default();
    let mut whole: Vec<T> = Vec::new();
    let mut is_there = [false; markers::MOST_COMPONENTS];
    while let Some(event) = events.next(frame)? {
        let header = match event {
            Event::Preset(preset) => {
                state.preset = preset;
                continue;
            }
            Event::RestartInterval(n_lines) => {
                state.restart_interval = n_lines;
                continue;
            }
            Event::Scan(header) => header,
        };
        for component in &header.components {
            if std::mem::replace(&mut is_there[*component], true) {
                return Err(corrupt("a component is coded in two scans"));
            }
        }
        let part = Scan::new(frame, &header, &state)?.decode(&mut events, narrow)?;
        if header.components.iter().copied().eq(0..n_components) {
            whole = part;
        } else {
            if whole.is_empty() {
                whole = memory::filled(part.len() / header.components.len() * n_components)?;
            }
            for (pixel, coded) in
                whole.chunks_exact_mut(n_components).zip(part.chunks_exact(header.components.len()))
            {
                for (component, sample) in header.components.iter().zip(coded) {
                    pixel[*component] = *sample;
                }
            }
        }
        if is_there[..n_components].iter().all(|there| *there) {
            return Ok(whole);
        }
    }
    Err(ended("the stream ends before every component was coded"))
}

fn ended(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Truncated, format!("JPEG-LS: {reason}"))
        .hint("the file is incomplete; copy or export it again")
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("JPEG-LS: {reason}"))
        .hint("the file is damaged; copy or export it again")
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unsupported, format!("JPEG-LS: {what} is not decoded here"))
        .hint("have it written without compression, for example with `dcmdjpls` or `gdcmconv --raw`")
}
