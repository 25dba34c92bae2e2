//! The main header of a codestream (T.800, A.1).

use super::fault::{corrupt, unsupported};
use super::marker;
use super::packed_headers::PackedHeaders;
use super::parameters::Parameters;
use super::size::Size;
use crate::Result;

/// What the main header says, and the tile-parts that follow it.
#[derive(Debug)]
pub(super) struct Main<'a> {
    pub(super) size: Size,
    pub(super) parameters: Parameters,
    /// Packet headers that stand in the main header.
    pub(super) packed: PackedHeaders<'a>,
    /// From the first marker SOT on.
    pub(super) tile_parts: &'a [u8],
}

/// Reads the main header of a codestream.
pub(super) fn read(stream: &[u8]) -> Result<Main<'_>> {
    let rest = stream.get(2..).unwrap_or(&[]);
    let (marker::SIZ, Some(segment), mut rest) = marker::segment(rest)? else {
        return Err(corrupt("JPEG 2000: expected the marker SIZ (FF51) after SOC"));
    };
    let size = Size::read(segment, stream.len())?;
    let mut parameters = Parameters::default();
    let mut packed = PackedHeaders::default();
    while marker::at(rest)? != marker::SOT {
        let (code, segment, after) = marker::segment(rest)?;
        rest = after;
        let Some(mut segment) = segment else { continue };
        match code {
            marker::CAP => {
                let parts = segment.u32()?;
                if parts & !HIGH_THROUGHPUT != 0 {
                    return Err(unsupported(format!(
                        "marker CAP: expected Part 15 (bit 17 from the top) at most, found parts {parts:08X}"
                    )));
                }
            }
            marker::PPM => packed.take(segment)?,
            _ => {
                let name = segment.name();
                if !parameters.take(code, segment, size.n_components)? {
                    return Err(corrupt(format!("marker {name}: found in the main header")));
                }
            }
        }
    }
    Ok(Main { size, parameters, packed, tile_parts: rest })
}

/// Pcap15: the stream needs T.814.
const HIGH_THROUGHPUT: u32 = 1 << 17;
