//! The codestream in the bytes of a picture: bare, as DICOM wants it, or in the boxes of a JP2 file (T.800, annex I).

use super::fault::{corrupt, truncated, unsupported};
use super::marker::SOC;
use crate::Result;

/// The first box of every JP2 file, whole.
const SIGNATURE: [u8; 12] = [0, 0, 0, 12, b'j', b'P', b' ', b' ', 0x0D, 0x0A, 0x87, 0x0A];

/// The bytes from the start of the codestream on.
pub(super) fn codestream(coded: &[u8]) -> Result<&[u8]> {
    if coded.starts_with(&SIGNATURE) {
        return boxed(coded);
    }
    if !coded.starts_with(&SOC.to_be_bytes()) {
        return Err(corrupt("JPEG 2000: expected the marker SOC (FF4F) or a JP2 signature box at the start"));
    }
    Ok(coded)
}

/// The contents of the first codestream box.
fn boxed(file: &[u8]) -> Result<&[u8]> {
    let mut rest = file;
    while let Some((kind, contents, after)) = next_box(rest)? {
        match kind {
            b"jp2c" if contents.starts_with(&SOC.to_be_bytes()) => return Ok(contents),
            b"jp2c" if contents.len() < 2 => return Err(truncated("JP2: its codestream box is empty")),
            b"jp2c" => {
                return Err(corrupt("JP2: its codestream box does not start with the marker SOC (FF4F)"));
            }
            b"jp2h" => refuse_palette(contents)?,
            _ => {}
        }
        rest = after;
    }
    Err(truncated("JP2: there is no codestream box (jp2c) in the file"))
}

/// A palette would make other samples of those of the codestream.
fn refuse_palette(header: &[u8]) -> Result<()> {
    let mut rest = header;
    while let Some((kind, _, after)) = next_box(rest)? {
        if matches!(kind, b"pclr" | b"cmap") {
            return Err(unsupported("JP2: its palette (boxes pclr, cmap) is not applied here"));
        }
        rest = after;
    }
    Ok(())
}

/// Type and contents of the box at the start of `bytes`, and what follows it.
#[allow(clippy::type_complexity)]
fn next_box(bytes: &[u8]) -> Result<Option<(&[u8; 4], &[u8], &[u8])>> {
    let Some((head, rest)) = bytes.split_first_chunk::<8>() else { return Ok(None) };
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let Some(kind) = head.last_chunk::<4>() else { return Ok(None) };
    // 0: to the end of the file; 1: the length follows in 8 bytes.
    let (n_head, length) = match length {
        0 => return Ok(Some((kind, rest, &[]))),
        1 => {
            let Some(long) = rest.first_chunk::<8>() else { return Ok(None) };
            (16, usize::try_from(u64::from_be_bytes(*long)).unwrap_or(usize::MAX))
        }
        n => (8, usize::try_from(n).unwrap_or(usize::MAX)),
    };
    if length < n_head {
        return Err(corrupt(format!("JP2: a box of {length} bytes, which is less than its own header")));
    }
    // A codestream box that is cut short is judged by its codestream.
    let end = length.min(bytes.len());
    let contents = bytes.get(n_head..end).unwrap_or(&[]);
    Ok(Some((kind, contents, bytes.get(end..).unwrap_or(&[]))))
}
