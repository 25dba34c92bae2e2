//! DICOM: files to data sets, elements and the coded bytes of frames (PS3.5, PS3.10).
//!
//! [`File::read`] takes the bytes of a file, with or without preamble, prefix and meta group; [`File::dataset`] gives
//! its elements without copying their values; [`PixelBytes`] finds the bytes of a frame in them. What a file does
//! against the standard is either taken the way pydicom 3.0.2 takes it, with a [`Note`] that says so, or refused by
//! name. Why the framing is our own: `docs/design/0011-dicom-framing.md`.

mod charset;
mod dataset;
mod dictionary;
mod door;
mod element;
mod encapsulated;
mod file;
mod frames;
mod header;
pub mod identity;
mod inflate;
mod note;
mod numbers;
mod parse;
pub mod pixels;
mod syntax;
mod text;

pub use dataset::Dataset;
pub use dicom_core::{Tag, VR};
pub use dicom_dictionary_std::tags;
pub use dictionary::{describe, keyword};
pub(crate) use door::read_frames;
pub use element::{Cut, Element, Fragments, Value};
pub use file::File;
pub use frames::PixelBytes;
pub(crate) use frames::{pixel_tag, pixel_tags};
pub use header::read_header;
pub use note::{Note, Oddity};
pub use syntax::{Coding, Framing, TransferSyntax};

use std::path::Path;

use crate::kind::Kind;
use crate::{Error, ErrorKind, Result, open};

/// The bytes of a DICOM file, for [`File::read`].
///
/// # Errors
/// [`ErrorKind::File`] if the file cannot be read, [`ErrorKind::Unknown`] if it is not DICOM, [`ErrorKind::TooLarge`].
/// The text does not name the path.
pub fn read_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    match open::bytes_of(path.as_ref())? {
        (Kind::Dicom, bytes) => Ok(bytes),
        (other, _) => Err(Error::new(ErrorKind::Unknown, format!("expected DICOM, found {other}"))),
    }
}
