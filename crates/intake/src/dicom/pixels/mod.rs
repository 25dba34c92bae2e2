//! Pixels of DICOM images: the bytes of a frame to stored values, modality values and a picture to look at.
//!
//! [`Pixels::of`] reads what a data set states of its pixels without decoding any; [`Pixels::frame`] decodes one frame.
//! A frame has three stages:
//!
//! - *stored*: samples as the file has them ([`StoredFrame::values`]); what pydicom's `pixel_array` is with `raw=True`;
//! - *modality* ([`StoredFrame::modality`]): gray values after Modality LUT Sequence or rescale; colours as RGB;
//! - *display* ([`StoredFrame::display`]): 8 bits, gray or RGB, after a window or table and the presentation.
//!
//! Arithmetic is in double precision in the order of operations of pydicom 3.0.2, so that values are equal to its own.
//! Each stage lists its steps with the elements that asked for them.

mod coded_colors;
mod color;
mod decode;
mod display;
mod facts;
mod frame;
mod functional;
mod gray;
mod gray_frame;
mod image_pixel;
mod lut;
mod modality;
mod native;
mod padding;
mod palette;
mod presentation;
mod rgb;
mod segmented;
mod steps;
mod stored;
mod voi;
mod window;

pub use display::{Display, DisplayedFrame};
pub use facts::{Facts, Overlay};
pub use frame::{ModalityFrame, Pixels, StoredFrame};
pub use gray::{Gray, Values};
pub use gray_frame::GrayFrame;
pub use image_pixel::{ImagePixel, Photometric, PixelSource};
pub use lut::Lut;
pub use modality::Modality;
pub use padding::Padding;
pub use palette::Palette;
pub use rgb::Rgb;
pub use steps::{PixelAction, PixelStep, UsedElement};
pub use stored::Stored;
pub use voi::{ChosenView, VoiChoice, VoiKind, VoiView};
pub use window::{Window, WindowFunction, WindowRule, stretched};

use super::{Tag, describe};
use crate::{Error, ErrorKind};

/// An error about an element: what was expected, what was found.
pub(crate) fn error(kind: ErrorKind, tag: Tag, expected: &str, found: &str) -> Error {
    Error::new(kind, format!("DICOM: {}: expected {expected}, found {found}", describe(tag)))
}

/// An element that contradicts the format or another element.
pub(crate) fn expected(tag: Tag, expected: &str, found: &str) -> Error {
    error(ErrorKind::Corrupt, tag, expected, found)
}

/// An element that is missing.
pub(crate) fn missing(tag: Tag) -> Error {
    error(ErrorKind::Corrupt, tag, "a value", "none")
}

/// A value that is not read by this version.
pub(crate) fn unsupported(tag: Tag, expected: &str, found: &str) -> Error {
    error(ErrorKind::Unsupported, tag, expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of unsigned samples for tests.
    pub(crate) fn image(
        width: usize,
        height: usize,
        n_samples: usize,
        bits_allocated: u32,
        bits_stored: u32,
        is_signed: bool,
    ) -> ImagePixel {
        let photometric = if n_samples == 1 { Photometric::Monochrome2 } else { Photometric::Rgb };
        ImagePixel {
            height,
            width,
            n_samples,
            photometric,
            is_planar: false,
            source: PixelSource::Integers,
            bits_allocated,
            bits_stored,
            is_signed,
            n_frames: 1,
        }
    }
}
