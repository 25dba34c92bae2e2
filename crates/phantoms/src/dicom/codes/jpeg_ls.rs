//! JPEG-LS (ITU-T T.87): regular and run mode, default parameters, with and without loss.

mod context;
mod scan;

use scan::Scan;

use super::Raster;
use super::jpeg::{EOI, SOI, SOS, marker, segment};

/// How the components of a pixel follow each other (T.87 table C.6, ILV).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interleave {
    /// A scan for each component.
    None,
    /// Line by line.
    Line,
    /// Sample by sample.
    Sample,
}

/// How to code.
#[derive(Clone, Copy, Debug)]
pub struct JpegLs {
    /// How far a sample may be off; 0 is lossless.
    pub near: u8,
    /// Order of components.
    pub interleave: Interleave,
}

impl Default for JpegLs {
    fn default() -> Self {
        Self { near: 0, interleave: Interleave::None }
    }
}

/// A JPEG-LS stream and the samples that a decoder gives back: those of the picture where `near` is 0.
#[must_use]
pub fn jpeg_ls(picture: Raster<'_>, how: JpegLs) -> (Vec<u8>, Vec<u16>) {
    let n = picture.n_components;
    let mut stream = Vec::new();
    marker(&mut stream, SOI);
    let mut frame = vec![picture.bits];
    frame.extend((picture.height as u16).to_be_bytes());
    frame.extend((picture.width as u16).to_be_bytes());
    frame.push(n as u8);
    frame.extend((1..=n as u8).flat_map(|id| [id, 0x11, 0]));
    segment(&mut stream, 0xf7, &frame);
    let mut rebuilt = picture.samples.to_vec();
    let scans: Vec<Vec<usize>> = match how.interleave {
        Interleave::None => (0..n).map(|component| vec![component]).collect(),
        _ => vec![(0..n).collect()],
    };
    for components in scans {
        let mut contents = vec![components.len() as u8];
        contents.extend(components.iter().flat_map(|component| [*component as u8 + 1, 0]));
        contents.extend([how.near, how.interleave as u8, 0]);
        segment(&mut stream, SOS, &contents);
        let mut scan = Scan::new(&picture, how, &mut rebuilt);
        for row in 0..picture.height {
            if how.interleave == Interleave::Sample {
                scan.row(row, &components, 0);
            } else {
                for (nth, component) in components.iter().enumerate() {
                    scan.row(row, &[*component], nth);
                }
            }
        }
        stream.extend(scan.bits.finish());
    }
    marker(&mut stream, EOI);
    (stream, rebuilt)
}
