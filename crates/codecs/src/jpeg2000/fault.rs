//! The errors of this format, each with its way out.

use crate::{Error, ErrorKind};

/// The stream contradicts the standard or itself.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
        .hint("the JPEG 2000 stream is damaged; copy or export the picture again")
}

/// The stream ends before the picture does.
pub(super) fn truncated(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Truncated, message)
        .hint("the JPEG 2000 stream is incomplete; copy or export the picture again")
}

/// The stream is understood, but not decoded here.
pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
        .hint("convert the picture to an uncompressed or another JPEG 2000 form first, with gdcmconv --raw for instance")
}

/// The picture is larger than what is decoded.
pub(super) fn too_large(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::TooLarge, message)
        .hint("the file is not honest about its size; copy or export it again")
}
