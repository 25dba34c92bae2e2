//! What comes out of this room: pictures with what is known of them, and the files they came from.

use serde::{Deserialize, Serialize};

use crate::dicom::pixels::GrayFrame;
use crate::{Orientation, Step};

/// Pictures that are read together, and the files they came from.
#[derive(Clone, Debug, Default)]
pub struct Study {
    /// The pictures, in the order in which the files were given.
    pub frames: Vec<Frame>,
    /// The files, in the order in which they were given.
    pub sources: Vec<SourceFile>,
}

impl Study {
    /// Adds the files and pictures of `other` behind those of this study.
    pub fn append(&mut self, other: Self) {
        let n_before = self.sources.len();
        self.sources.extend(other.sources);
        self.frames.extend(other.frames.into_iter().map(|mut frame| {
            frame.source += n_before;
            frame
        }));
    }
}

/// A file as it was read. Neither its name nor its place is known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Lower-case hex SHA-256 of the bytes.
    pub sha256: String,
    /// Length in bytes.
    pub len_bytes: u64,
    /// What the bytes are.
    pub format: Format,
}

/// The formats that this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG: baseline, extended or progressive, 8 bits.
    Jpeg,
    /// TIFF 6.0, one page.
    Tiff,
    /// DICOM PS3.10, with or without preamble and meta group.
    Dicom,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::Dicom => "DICOM",
        })
    }
}

/// One picture, upright: the orientation that the file states is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// The samples, row-major from the top left.
    pub samples: Samples,
    /// Index into [`Study::sources`].
    pub source: usize,
    /// Which frame of its file it is, from 1.
    pub number: usize,
    /// How the rows and columns of the file were turned to make this picture.
    pub orientation: Orientation,
    /// What was done between the bytes of the file and these samples, in order.
    pub steps: Vec<Step>,
}

/// Samples of a picture; but for `Values`, black is 0 and white the largest value of the type. Colours are RGB,
/// interleaved.
#[derive(Clone, PartialEq)]
pub enum Samples {
    /// `[height, width]`
    Gray8(Vec<u8>),
    /// `[height, width]`
    Gray16(Vec<u16>),
    /// `[height, width, 3]`
    Rgb8(Vec<u8>),
    /// `[height, width, 3]`
    Rgb16(Vec<u16>),
    /// Gray values of a DICOM frame before any window: black and white are where its view puts them.
    Values(Box<GrayFrame>),
}

impl Samples {
    /// Samples a pixel: 1 for gray, 3 for RGB.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        match self {
            Self::Gray8(_) | Self::Gray16(_) | Self::Values(_) => 1,
            Self::Rgb8(_) | Self::Rgb16(_) => 3,
        }
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Gray8(samples) | Self::Rgb8(samples) => samples.len(),
            Self::Gray16(samples) | Self::Rgb16(samples) => samples.len(),
            Self::Values(gray) => gray.stored().len(),
        }
    }

    /// Whether there are none; a [`Frame`] always has some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Shows the shape only: samples are a patient's picture.
impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Gray8(_) => "gray, 8 bit",
            Self::Gray16(_) => "gray, 16 bit",
            Self::Rgb8(_) => "RGB, 8 bit",
            Self::Rgb16(_) => "RGB, 16 bit",
            Self::Values(_) => "gray values",
        };
        write!(f, "Samples({kind} × {})", self.len())
    }
}
