//! Elements byte by byte, for what a library would not write.

use dicom_core::Tag;

/// Undefined length (DICOM PS3.5 7.5.2).
pub(crate) const UNDEFINED: u32 = u32::MAX;

pub(crate) const ITEM: Tag = Tag(0xfffe, 0xe000);
pub(crate) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
pub(crate) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

pub(crate) fn tag_bytes(tag: Tag) -> [u8; 4] {
    let ([a, b], [c, d]) = (tag.0.to_le_bytes(), tag.1.to_le_bytes());
    [a, b, c, d]
}

/// Whether an explicit element of this VR has a length of four bytes behind two that are reserved (PS3.5 7.1.2).
fn is_long(vr: &str) -> bool {
    matches!(vr, "OB" | "OD" | "OF" | "OL" | "OV" | "OW" | "SQ" | "SV" | "UC" | "UN" | "UR" | "UT" | "UV")
}

/// The head of an element in explicit notation, with any length.
pub(crate) fn explicit_head(tag: Tag, vr: &str, len: u32) -> Vec<u8> {
    let mut bytes = tag_bytes(tag).to_vec();
    bytes.extend(vr.bytes());
    if is_long(vr) {
        bytes.extend([0, 0]);
        bytes.extend(len.to_le_bytes());
    } else {
        bytes.extend((len as u16).to_le_bytes());
    }
    bytes
}

/// An element in explicit notation; the length is that of the value.
pub(crate) fn explicit(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = explicit_head(tag, vr, value.len() as u32);
    bytes.extend(value);
    bytes
}

/// Tag and length: an item, a delimiter, or the head of an element in implicit notation.
pub(crate) fn bare(tag: Tag, len: u32) -> Vec<u8> {
    let mut bytes = tag_bytes(tag).to_vec();
    bytes.extend(len.to_le_bytes());
    bytes
}

/// An item with its length.
pub(crate) fn item(value: &[u8]) -> Vec<u8> {
    let mut bytes = bare(ITEM, value.len() as u32);
    bytes.extend(value);
    bytes
}
