//! Files made byte by byte.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use lightbox_intake::dicom::Tag;

/// The length that says: until the delimiter.
pub const UNDEFINED: u32 = u32::MAX;

pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

fn tag_bytes(tag: Tag) -> Vec<u8> {
    [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat()
}

/// An explicit element with the length that is given, whatever the value is.
pub fn explicit_of_len(tag: Tag, vr: &[u8; 2], len: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = tag_bytes(tag);
    bytes.extend_from_slice(vr);
    let is_long = [
        *b"OB", *b"OD", *b"OF", *b"OL", *b"OV", *b"OW", *b"SQ", *b"SV", *b"UC", *b"UN", *b"UR", *b"UT",
        *b"UV",
    ]
    .contains(vr);
    if is_long {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&len.to_le_bytes());
    } else {
        bytes.extend_from_slice(&u16::try_from(len).expect("a short length").to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

/// An explicit element.
pub fn explicit(tag: Tag, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    explicit_of_len(tag, vr, value.len() as u32, value)
}

/// An implicit element with the length that is given.
pub fn implicit_of_len(tag: Tag, len: u32, value: &[u8]) -> Vec<u8> {
    [tag_bytes(tag), len.to_le_bytes().to_vec(), value.to_vec()].concat()
}

/// An implicit element.
pub fn implicit(tag: Tag, value: &[u8]) -> Vec<u8> {
    implicit_of_len(tag, value.len() as u32, value)
}

/// An item of defined length.
pub fn item(value: &[u8]) -> Vec<u8> {
    implicit(Tag(0xfffe, 0xe000), value)
}

/// An item of undefined length.
pub fn open_item(value: &[u8]) -> Vec<u8> {
    [implicit_of_len(Tag(0xfffe, 0xe000), UNDEFINED, value), implicit(Tag(0xfffe, 0xe00d), b"")].concat()
}

/// The end of a sequence of undefined length.
pub fn sequence_end() -> Vec<u8> {
    implicit(Tag(0xfffe, 0xe0dd), b"")
}

/// Encapsulated pixel data: a basic offset table, and fragments.
pub fn encapsulated(offsets: &[u32], fragments: &[&[u8]]) -> Vec<u8> {
    let table: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    let items: Vec<u8> = fragments.iter().flat_map(|fragment| item(fragment)).collect();
    let value = [item(&table), items, sequence_end()].concat();
    explicit_of_len(Tag(0x7fe0, 0x0010), b"OB", UNDEFINED, &value)
}

/// The meta group of a transfer syntax, with its length.
pub fn meta(syntax: &str) -> Vec<u8> {
    let mut uid = syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let rest = explicit(Tag(2, 0x10), b"UI", &uid);
    [explicit(Tag(2, 0), b"UL", &(rest.len() as u32).to_le_bytes()), rest].concat()
}

/// A whole file.
pub fn file(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    [vec![0; 128], b"DICM".to_vec(), meta(syntax), data_set.to_vec()].concat()
}

/// Bytes, deflated (RFC 1951).
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("room");
    encoder.finish().expect("an end")
}

/// A number of 16 bits.
pub fn us(tag: Tag, value: u16) -> Vec<u8> {
    explicit(tag, b"US", &value.to_le_bytes())
}
