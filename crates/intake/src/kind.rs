//! What the bytes of a file are, judged by the bytes alone.

use std::fmt;

use crate::{Error, ErrorKind, Result, dicom};

/// How many bytes from the start of a file tell its kind.
pub(crate) const HEAD_BYTES: u64 = 4096;

/// The kinds that have a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    Tiff,
    Dicom,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::Dicom => "DICOM",
        })
    }
}

/// What is recognised and not read, and the way out.
struct Unread {
    name: &'static str,
    way_out: &'static str,
    is: fn(&[u8]) -> bool,
}

const EXPORT: &str = "export the pictures as PNG or TIFF (16 bit keeps the full range) and read those";
const CONVERT: &str = "convert it to PNG";

/// Kinds that people hand in and that this version does not read, first match first.
const UNREAD: [Unread; 16] = [
    Unread {
        name: "NIfTI",
        way_out: EXPORT,
        is: |b| at(b, 344, b"n+1\0") || at(b, 344, b"ni1\0") || at(b, 4, b"n+2\0") || at(b, 4, b"ni2\0"),
    },
    Unread { name: "NRRD", way_out: EXPORT, is: |b| at(b, 0, b"NRRD000") },
    Unread { name: "MetaImage", way_out: EXPORT, is: |b| at(b, 0, b"ObjectType =") },
    Unread { name: "PDF", way_out: "render its pages to PNG and read those", is: |b| at(b, 0, b"%PDF-") },
    Unread {
        name: "gzip (a compressed volume?)",
        way_out: "unpack it; volumes are not read by this version either: export slices as PNG",
        is: |b| at(b, 0, b"\x1f\x8b"),
    },
    Unread {
        name: "Zstandard (compressed data)",
        way_out: "unpack it and name the pictures",
        is: |b| at(b, 0, b"\x28\xb5\x2f\xfd"),
    },
    Unread {
        name: "ZIP archive",
        way_out: "unpack it and name the pictures",
        is: |b| at(b, 0, b"PK\x03\x04"),
    },
    Unread {
        name: "JPEG 2000",
        way_out: CONVERT,
        is: |b| at(b, 0, b"\0\0\0\x0cjP  ") || at(b, 0, b"\xff\x4f\xff\x51"),
    },
    Unread {
        name: "JPEG XL",
        way_out: CONVERT,
        is: |b| at(b, 0, b"\0\0\0\x0cJXL ") || at(b, 0, b"\xff\x0a"),
    },
    Unread { name: "HEIF or AVIF", way_out: CONVERT, is: |b| at(b, 4, b"ftyp") },
    Unread { name: "WebP", way_out: CONVERT, is: |b| at(b, 0, b"RIFF") && at(b, 8, b"WEBP") },
    Unread {
        name: "WAV audio",
        way_out: "only pictures are read",
        is: |b| at(b, 0, b"RIFF") && at(b, 8, b"WAVE"),
    },
    Unread { name: "GIF", way_out: CONVERT, is: |b| at(b, 0, b"GIF8") },
    Unread { name: "BMP", way_out: CONVERT, is: |b| at(b, 0, b"BM") && at(b, 6, b"\0\0\0\0") },
    Unread {
        name: "a netpbm picture",
        way_out: CONVERT,
        is: |b| b.first() == Some(&b'P') && matches!(b.get(1..3), Some([b'1'..=b'7', b'\n' | b' '])),
    },
    Unread { name: "SVG or XML", way_out: CONVERT, is: |b| at(b, 0, b"<?xml") || at(b, 0, b"<svg") },
];

/// The kind of a file from its first bytes (all of them, or at least [`HEAD_BYTES`]).
///
/// # Errors
/// [`ErrorKind::File`] if there are none; [`ErrorKind::Unknown`] for what is recognised and not read, by name, and for
/// what is not recognised.
pub(crate) fn of(head: &[u8]) -> Result<Kind> {
    if head.is_empty() {
        return Err(Error::new(ErrorKind::File, "expected a picture, found a file of zero bytes")
            .hint("copy or export it again"));
    }
    // First of all: a DICOM file may carry the header of another kind, such as TIFF, in its preamble.
    if dicom::File::is_dicom(head) {
        return Ok(Kind::Dicom);
    }
    if at(head, 0, b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if at(head, 0, b"\xff\xd8\xff") {
        return Ok(Kind::Jpeg);
    }
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| at(head, 0, *magic)) {
        return Ok(Kind::Tiff);
    }
    if let Some(unread) = UNREAD.iter().find(|unread| (unread.is)(head)) {
        return Err(Error::new(
            ErrorKind::Unknown,
            format!(
                "expected DICOM, PNG, JPEG or TIFF, found {}, which is not yet read by this version",
                unread.name
            ),
        )
        .hint(unread.way_out));
    }
    Err(Error::new(ErrorKind::Unknown, "expected DICOM, PNG, JPEG or TIFF, found bytes of no known kind")
        .hint("the content decides, not the name of the file"))
}

/// Whether `bytes` holds `pattern` at `offset`.
fn at(bytes: &[u8], offset: usize, pattern: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(pattern))
}
