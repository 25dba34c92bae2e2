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

mod block;
mod bytes;
mod code_blocks;
mod coding;
mod coefficients;
mod component_transform;
mod container;
mod fault;
mod geometry;
mod halves;
mod header;
mod header_bits;
mod ht;
mod kernel;
mod marker;
mod output;
mod packed_headers;
mod packets;
mod parameters;
mod progression;
mod quantization;
mod rect;
mod size;
mod synthesis;
mod tag_tree;
mod tile;
mod tile_parts;
mod worker;

use crate::{Outline, Picture, Result};

/// What the main header states of the picture.
///
/// # Errors
/// As [`decode`], for what the main header alone can show.
pub fn outline(coded: &[u8]) -> Result<Outline> {
    header::read(container::codestream(coded)?).map(|main| main.size.outline())
}

/// Decodes a picture: a codestream, or a JP2 file.
///
/// What follows the end of the codestream is not looked at.
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for subsampled components, components that differ in bits
/// or in sign, more than 16 bits, palettes, and what other parts of the standard add (T.801, several HT sets in a
/// code-block); [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if any tile, packet or layer is missing;
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the stream contradicts the standard or itself;
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if the header promises more than the bytes can hold.
pub fn decode(coded: &[u8]) -> Result<Picture> {
    let main = header::read(container::codestream(coded)?)?;
    let tiles = tile_parts::read(&main)?;
    let outline = main.size.outline();
    let mut canvas = output::Canvas::new(outline, outline.width * outline.height * outline.n_components)?;
    for (idx, part) in tiles.iter().enumerate() {
        tile::decode(&main, idx, part, &mut canvas)?;
    }
    Ok(canvas.picture())
}
