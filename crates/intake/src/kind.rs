//! What the bytes of a file are, judged by the bytes alone.

use std::fmt;

use crate::{Error, ErrorKind, Result};

/// How many bytes from the start of a file tell its kind.
pub(crate) const HEAD_BYTES: u64 = 4096;

/// The kinds that have a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    Tiff,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
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
const UNREAD: [Unread; 18] = [
    Unread { name: "DICOM", way_out: EXPORT, is: |b| at(b, 128, b"DICM") },
    Unread { name: "DICOM without its preamble", way_out: EXPORT, is: starts_data_set },
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
    if at(head, 0, b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if at(head, 0, b"\xff\xd8\xff") {
        return Ok(Kind::Jpeg);
    }
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| at(head, 0, *magic)) {
        // A DICOM file may carry a TIFF header in its preamble.
        if !at(head, 128, b"DICM") {
            return Ok(Kind::Tiff);
        }
    }
    if let Some(unread) = UNREAD.iter().find(|unread| (unread.is)(head)) {
        return Err(Error::new(
            ErrorKind::Unknown,
            format!(
                "expected PNG, JPEG or TIFF, found {}, which is not yet read by this version",
                unread.name
            ),
        )
        .hint(unread.way_out));
    }
    Err(Error::new(ErrorKind::Unknown, "expected PNG, JPEG or TIFF, found bytes of no known kind")
        .hint("the content decides, not the name of the file"))
}

/// Types that an element of a group 0002 or 0008 has in explicit notation (DICOM PS3.6).
const ELEMENT_TYPES: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"LT", b"OB", b"PN", b"SH", b"SQ", b"ST",
    b"TM", b"UC", b"UI", b"UL", b"US", b"UT",
];

/// Longest value that a first element in implicit notation is believed to have: they are numbers, names and codes.
const MOST_FIRST_BYTES: u32 = 1024;

/// Whether bytes start a DICOM data set in little endian: an element of group 0002 or 0008, then its type (explicit) or
/// its length, which is even (implicit).
fn starts_data_set(bytes: &[u8]) -> bool {
    let Some([group, 0, _, _, a, b, c, d]) = bytes.first_chunk() else { return false };
    let len = u32::from_le_bytes([*a, *b, *c, *d]);
    let is_explicit = ELEMENT_TYPES.contains(&&[*a, *b]);
    let is_implicit = len % 2 == 0 && len <= MOST_FIRST_BYTES;
    matches!(group, 0x02 | 0x08) && (is_explicit || is_implicit)
}

/// Whether `bytes` holds `pattern` at `offset`.
fn at(bytes: &[u8], offset: usize, pattern: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(pattern))
}
