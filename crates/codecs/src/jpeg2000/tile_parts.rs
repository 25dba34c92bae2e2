//! The tile-parts of a codestream, brought together tile by tile (T.800, A.3 and A.4).

use std::borrow::Cow;

use super::bytes::Segment;
use super::fault::{corrupt, truncated};
use super::header::Main;
use super::marker;
use super::packed_headers::{self, PackedHeaders};
use super::parameters::Parameters;
use crate::Result;

/// What the stream holds of one tile.
#[derive(Debug, Default)]
pub(super) struct Tile<'a> {
    pub(super) parameters: Parameters,
    /// Packets, those of all tile-parts in order.
    pub(super) packets: Cow<'a, [u8]>,
    /// Packet headers, where they do not stand with their packets.
    pub(super) headers: Option<Vec<u8>>,
    n_parts: usize,
}

/// What a marker segment SOT says.
struct Start {
    tile_idx: usize,
    /// Bytes from the marker SOT to the end of the tile-part; 0: to the end of the stream.
    length: usize,
    part_idx: usize,
}

/// Reads all tile-parts; one entry a tile, in order of the tiles.
pub(super) fn read<'a>(main: &Main<'a>) -> Result<Vec<Tile<'a>>> {
    let n_tiles = main.size.n_tiles();
    let mut tiles = Vec::new();
    tiles.resize_with(n_tiles, Tile::default);
    let joined = main.packed.joined()?;
    let mut packed = (!main.packed.is_empty()).then_some(joined.as_slice());
    let mut rest = main.tile_parts;
    // What follows the last tile-part and is none is padding: whether packets are missing shows when they are counted.
    while rest.starts_with(&marker::SOT.to_be_bytes()) {
        let start = start_of(rest)?;
        let tile = tiles.get_mut(start.tile_idx).ok_or_else(|| {
            corrupt(format!("marker SOT: a part of tile {} of a picture of {n_tiles}", start.tile_idx))
        })?;
        if start.part_idx != tile.n_parts {
            return Err(corrupt(format!(
                "marker SOT: expected part {} of tile {}, found part {}",
                tile.n_parts, start.tile_idx, start.part_idx
            )));
        }
        let part_end = if start.length == 0 { rest.len() } else { start.length.min(rest.len()) };
        let (part, after) = rest.split_at(part_end);
        read_part(&part[SOT_BYTES..], tile, main.size.n_components, &mut packed)?;
        tile.n_parts += 1;
        rest = after;
    }
    match tiles.iter().position(|tile| tile.n_parts == 0) {
        Some(idx) => Err(truncated(format!("JPEG 2000: tile {idx} of {n_tiles} is missing"))),
        None => Ok(tiles),
    }
}

/// Length of a marker segment SOT, its marker included.
const SOT_BYTES: usize = 12;

fn start_of(bytes: &[u8]) -> Result<Start> {
    let (_, Some(mut segment), _) = marker::segment(bytes)? else {
        return Err(corrupt("JPEG 2000: expected the marker SOT"));
    };
    if segment.rest().len() != SOT_BYTES - 4 {
        return Err(corrupt(format!(
            "marker SOT: expected a length of 10, found {}",
            segment.rest().len() + 2
        )));
    }
    let tile_idx = usize::from(segment.u16()?);
    let length = usize::try_from(segment.u32()?).unwrap_or(usize::MAX);
    if length != 0 && length < SOT_BYTES + 2 {
        return Err(corrupt(format!(
            "marker SOT: a tile-part of {length} bytes, which is less than its own header"
        )));
    }
    Ok(Start { tile_idx, length, part_idx: usize::from(segment.u8()?) })
}

/// Takes in what follows SOT in a tile-part: marker segments to SOD, and packets.
fn read_part<'a>(
    part: &'a [u8],
    tile: &mut Tile<'a>,
    n_components: usize,
    packed: &mut Option<&[u8]>,
) -> Result<()> {
    let mut rest = part;
    let mut own_headers = PackedHeaders::default();
    while marker::at(rest)? != marker::SOD {
        let (code, segment, after) = marker::segment(rest)?;
        rest = after;
        let Some(segment) = segment else { continue };
        if code == marker::PPT {
            own_headers.take(segment)?;
        } else {
            take_parameters(code, segment, tile, n_components)?;
        }
    }
    let packets = &rest[2..];
    if tile.n_parts == 0 {
        tile.packets = Cow::Borrowed(packets);
    } else {
        tile.packets.to_mut().extend_from_slice(packets);
    }
    let headers = match packed {
        Some(joined) => Some(Cow::Borrowed(packed_headers::next_tile_part(joined)?)),
        None if !own_headers.is_empty() => Some(Cow::Owned(own_headers.joined()?)),
        None => None,
    };
    match (headers, &mut tile.headers) {
        (Some(headers), Some(all)) => all.extend_from_slice(&headers),
        (Some(headers), None) if tile.n_parts == 0 => tile.headers = Some(headers.into_owned()),
        (None, None) => {}
        _ => return Err(corrupt("marker PPT: it stands in some parts of a tile and is missing in others")),
    }
    Ok(())
}

/// Takes in a marker segment of a tile-part's header. All but POC stand in the first part only.
fn take_parameters(code: u16, segment: Segment<'_>, tile: &mut Tile<'_>, n_components: usize) -> Result<()> {
    let name = segment.name();
    if tile.n_parts > 0 && code != marker::POC {
        return Err(corrupt(format!(
            "marker {name}: found in a tile-part that is not the first of its tile"
        )));
    }
    if !tile.parameters.take(code, segment, n_components)? {
        return Err(corrupt(format!("marker {name}: found in the header of a tile-part")));
    }
    Ok(())
}
