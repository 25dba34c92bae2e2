//! The orientation in an EXIF block.

use crate::{Error, ErrorKind, Orientation, Result};

/// EXIF 2.3 and TIFF 6.0 tag of the orientation.
const ORIENTATION: u16 = 0x0112;

/// TIFF field type SHORT.
const SHORT: u16 = 3;

/// The orientation that an EXIF block states, upright where it states none.
///
/// `exif` starts with the TIFF header (`II*\0` or `MM\0*`). Only the first directory is looked at.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if the block cannot be followed to the end of its first directory, or the orientation is not
/// one of EXIF's eight (0, which cameras write for "unknown", counts as upright): left and right depend on it.
pub(crate) fn orientation(exif: &[u8]) -> Result<Orientation> {
    let little = match exif.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return Err(broken("expected a TIFF header")),
    };
    let short = |offset: usize| {
        let bytes: [u8; 2] = exif.get(offset..offset.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |offset: usize| {
        let bytes: [u8; 4] = exif.get(offset..offset.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = long(4).ok_or_else(|| broken("it ends inside its header"))? as usize;
    let n_entries = short(directory).ok_or_else(|| broken("its first directory lies outside of it"))?;
    for index in 0..usize::from(n_entries) {
        let entry = directory.saturating_add(2 + 12 * index);
        let ended = || broken("it ends inside its first directory");
        if short(entry).ok_or_else(ended)? == ORIENTATION {
            let field_type = short(entry + 2).ok_or_else(ended)?;
            let count = long(entry + 4).ok_or_else(ended)?;
            if (field_type, count) != (SHORT, 1) {
                return Err(broken(&format!(
                    "orientation: expected one number of type 3, found {count} of type {field_type}"
                )));
            }
            return from_tag(short(entry + 8).ok_or_else(ended)?);
        }
    }
    Ok(Orientation::UPRIGHT)
}

/// The orientation for the number in the tag.
///
/// # Errors
/// [`ErrorKind::Corrupt`] above 8.
pub(crate) fn from_tag(value: u16) -> Result<Orientation> {
    match value {
        0 => Ok(Orientation::UPRIGHT),
        value => u8::try_from(value)
            .ok()
            .and_then(|exif| Orientation::try_from(exif).ok())
            .ok_or_else(|| broken(&format!("orientation: expected 1 to 8, found {value}"))),
    }
}

fn broken(reason: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("EXIF: {reason}"))
        .hint("it states which side is up; check the picture and save it again without EXIF")
}
