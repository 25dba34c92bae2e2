//! JPEG 2000 Part 1 (ITU-T T.800), with the high-throughput block coder of Part 15 (ITU-T T.814).
//!
//! Takes a raw codestream, or a codestream in the boxes of a JP2 file. The component transforms (RCT, ICT) belong to the
//! codestream and are undone: a picture that its file calls YBR_RCT or YBR_ICT comes out as RGB. Everything else about
//! colour is the caller's.
//!
//! Reversible pictures come out exactly as they went in. Irreversible ones are computed in single precision and rounded
//! to the nearest integer, halves to even; T.800 leaves the last digit to the decoder.
//!
//! A stream with packets missing is refused, a later quality layer included: what it would show is not what was stored.

mod bytes;
mod coding;
mod container;
mod fault;
mod header;
mod ht;
mod marker;
mod packed_headers;
mod parameters;
mod quantization;
mod rect;
mod size;

use crate::{Outline, Result};

/// What the main header states of the picture.
///
/// # Errors
/// As [`decode`], for what the main header alone can show.
pub fn outline(coded: &[u8]) -> Result<Outline> {
    header::read(container::codestream(coded)?).map(|main| main.size.outline())
}
