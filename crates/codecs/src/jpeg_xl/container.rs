//! The codestream in its file (ISO/IEC 18181-2): bare, or cut into the boxes `jxlc` and `jxlp`.
//!
//! Other boxes (metadata, what a JPEG file is rebuilt from) are passed over. They say nothing about samples, and some are
//! packed, so that a few bytes could become many.

use std::borrow::Cow;

use super::{corrupt, ended};
use crate::Result;

const BARE: &[u8] = &[0xFF, 0x0A];
const SIGNATURE: &[u8] = &[0, 0, 0, 12, b'J', b'X', b'L', b' ', 0x0D, 0x0A, 0x87, 0x0A];

/// The codestream, as far as it is there.
pub(super) fn codestream(coded: &[u8]) -> Result<Cow<'_, [u8]>> {
    if coded.starts_with(BARE) {
        return Ok(Cow::Borrowed(coded));
    }
    let Some(mut rest) = coded.strip_prefix(SIGNATURE) else {
        return Err(corrupt("expected the start of a codestream (FF0A) or of a JPEG XL file, found neither"));
    };
    let mut parts = Vec::new();
    let mut n_parts = 0_u32;
    while let Some((kind, body, after)) = next_box(rest)? {
        rest = after;
        match &kind {
            b"jxlc" if n_parts == 0 => return Ok(Cow::Borrowed(body)),
            b"jxlp" => {
                let (index, part) = body
                    .split_first_chunk::<4>()
                    .ok_or_else(|| ended("a part of the codestream (jxlp) ends before its number"))?;
                let index = u32::from_be_bytes(*index);
                if index & !LAST != n_parts {
                    return Err(corrupt(format!(
                        "expected part {n_parts} of the codestream (jxlp), found part {}",
                        index & !LAST
                    )));
                }
                parts.extend_from_slice(part);
                n_parts += 1;
                if index & LAST != 0 {
                    break;
                }
            }
            b"jxlc" => return Err(corrupt("a whole codestream (jxlc) follows parts of one (jxlp)")),
            _ => {}
        }
    }
    if n_parts == 0 {
        return Err(ended("the file ends before its codestream"));
    }
    Ok(Cow::Owned(parts))
}

/// Marks the number of the last part.
const LAST: u32 = 1 << 31;

/// A box's type, its body as far as it is there, and what follows it; none at the end.
type Box<'a> = ([u8; 4], &'a [u8], &'a [u8]);

fn next_box(rest: &[u8]) -> Result<Option<Box<'_>>> {
    let Some((size, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some((kind, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let (n_body, rest) = match u32::from_be_bytes(*size) {
        0 => (Some(rest.len()), rest),
        1 => {
            let Some((size, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
            let n_body = u64::from_be_bytes(*size).checked_sub(16);
            (n_body.map(|n| usize::try_from(n).unwrap_or(usize::MAX)), rest)
        }
        size => (size.checked_sub(8).map(|n| n as usize), rest),
    };
    let n_body = n_body.ok_or_else(|| corrupt("a box states a size below that of its own header"))?;
    let (body, after) = rest.split_at(n_body.min(rest.len()));
    Ok(Some((*kind, body, after)))
}
