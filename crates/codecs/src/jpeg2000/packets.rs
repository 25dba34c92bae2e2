//! The packets of a tile: which code-blocks they hold bytes of, and where (T.800, B.9 and B.10).

use std::num::NonZeroU32;

use super::code_blocks::{CodeBlock, Piece, PrecinctBand, most_passes};
use super::coding::{BlockStyle, TileCoding};
use super::fault::{corrupt, truncated, unsupported};
use super::header_bits::HeaderBits;
use super::marker;
use super::parameters::Change;
use super::progression::{self, Layout, Place};
use super::tag_tree::TagTree;
use super::tile_parts::Tile;
use crate::{Result, memory};

/// All that the packets of a tile say.
#[derive(Debug)]
pub(super) struct Contents {
    /// Precincts, component by component, and their code-blocks; none where all packets were empty.
    pub(super) precincts: Vec<(Place, Option<Box<[PrecinctBand]>>)>,
    /// Pieces of code-blocks, chained; the first is no piece.
    pub(super) pieces: Vec<Piece>,
}

/// Reads all packets of a tile.
pub(super) fn read(
    layout: &Layout<'_>,
    coding: &TileCoding,
    changes: &[Change],
    tile: &Tile<'_>,
) -> Result<Contents> {
    let body: &[u8] = &tile.packets;
    if u32::try_from(body.len()).is_err() {
        return Err(unsupported("JPEG 2000: a tile of more than 4 GiB"));
    }
    let n_bytes = tile.headers.as_ref().map_or(body.len(), Vec::len);
    let places = progression::places(layout, n_bytes)?;
    let mut precincts = memory::reserve(places.len())?;
    precincts.extend(places.iter().map(|place| (*place, None)));
    let mut reader = Reader {
        coding,
        body,
        headers: tile.headers.as_deref(),
        pos: 0,
        header_pos: 0,
        pieces: vec![Piece { offset: 0, length: 0, next: None, n_passes: 0, is_start: false }],
    };
    progression::visit(layout, &places, coding.progression, changes, |packet| {
        let (place, precinct) = &mut precincts[packet.place_idx];
        let component = &layout.components[usize::from(place.component)];
        let resolution = &component.resolutions[usize::from(place.resolution)];
        let bands = || PrecinctBand::of_precinct(resolution, place.precinct);
        reader.packet(packet.layer, component.coding.style, precinct, bands)
    })?;
    Ok(Contents { precincts, pieces: reader.pieces })
}

/// Where reading the packets has come to.
struct Reader<'a> {
    coding: &'a TileCoding,
    body: &'a [u8],
    /// Packet headers that do not stand in the body.
    headers: Option<&'a [u8]>,
    pos: usize,
    header_pos: usize,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    /// Reads one packet of `precinct`, which `bands` makes where it is the first that is not empty.
    fn packet(
        &mut self,
        layer: usize,
        style: BlockStyle,
        precinct: &mut Option<Box<[PrecinctBand]>>,
        bands: impl FnOnce() -> Result<Box<[PrecinctBand]>>,
    ) -> Result<()> {
        self.skip_start_marker();
        let first_piece = self.pieces.len();
        let mut bits = match self.headers {
            Some(headers) => HeaderBits::new(headers, self.header_pos),
            None => HeaderBits::new(self.body, self.pos),
        };
        if bits.bit()? == 1 {
            let bands = match precinct {
                Some(bands) => bands,
                None => precinct.insert(bands()?),
            };
            for band in bands.iter_mut() {
                self.band(layer as u16, style, band, &mut bits)?;
            }
        }
        let end = self.skip_end_marker(bits.end()?)?;
        match self.headers {
            Some(_) => self.header_pos = end,
            None => self.pos = end,
        }
        for piece in &mut self.pieces[first_piece..] {
            piece.offset = self.pos as u32;
            self.pos = self.pos.saturating_add(piece.length as usize);
            if self.pos > self.body.len() {
                return Err(truncated(format!(
                    "JPEG 2000: the stream ends within a packet: expected at least {} bytes of a tile, found {}",
                    self.pos,
                    self.body.len()
                )));
            }
        }
        Ok(())
    }

    /// The marker SOP may stand before a packet, with four bytes of parameters (A.8.1).
    fn skip_start_marker(&mut self) {
        let is_there =
            self.body.get(self.pos..).is_some_and(|rest| rest.starts_with(&marker::SOP.to_be_bytes()));
        if self.coding.may_have_sop && is_there {
            self.pos += 6;
        }
    }

    /// The marker EPH stands after each packet header, if COD says so (A.8.2).
    fn skip_end_marker(&self, pos: usize) -> Result<usize> {
        if !self.coding.has_eph {
            return Ok(pos);
        }
        let bytes = self.headers.unwrap_or(self.body);
        let rest = bytes.get(pos..).unwrap_or(&[]);
        if rest.len() < 2 {
            return Err(truncated("JPEG 2000: the stream ends before the marker EPH of a packet"));
        }
        if !rest.starts_with(&marker::EPH.to_be_bytes()) {
            return Err(corrupt("JPEG 2000: expected the marker EPH (FF92) after a packet header"));
        }
        Ok(pos + 2)
    }

    /// Reads what a packet header says of the code-blocks of a subband.
    fn band(
        &mut self,
        layer: u16,
        style: BlockStyle,
        band: &mut PrecinctBand,
        bits: &mut HeaderBits<'_>,
    ) -> Result<()> {
        for (idx, block) in band.blocks.iter_mut().enumerate() {
            let (x, y) = (idx % band.n_wide, idx / band.n_wide);
            if block.pieces.is_some() {
                if bits.bit()? == 0 {
                    continue;
                }
            } else {
                // Layers count from 0 to 65534.
                if band.inclusion.below(x, y, layer + 1, bits)?.is_none() {
                    continue;
                }
                block.n_zero_planes = zero_planes(&mut band.zero_planes, x, y, bits)?;
            }
            let n_passes = n_passes(bits)?;
            while bits.bit()? == 1 {
                block.length_bits += 1;
                if block.length_bits > 32 {
                    return Err(corrupt("JPEG 2000: a packet header announces lengths of more than 32 bits"));
                }
            }
            if style.is_ht() {
                self.ht_segments(block, n_passes, bits)?;
            } else {
                self.segments(style, block, n_passes, bits)?;
            }
        }
        Ok(())
    }

    /// Reads the lengths of what a packet holds of a code-block, one for each codeword segment.
    fn segments(
        &mut self,
        style: BlockStyle,
        block: &mut CodeBlock,
        n_passes: u8,
        bits: &mut HeaderBits<'_>,
    ) -> Result<()> {
        let mut n_left = n_passes;
        while n_left > 0 {
            let first = block.n_passes - block.n_in_segment;
            let room = most_passes(style, first) - block.n_in_segment;
            if room == 0 {
                block.n_in_segment = 0;
                continue;
            }
            let n = n_left.min(room);
            self.piece(block, n, bits.number(length_bits(block, u32::from(n))?)?)?;
            n_left -= n;
        }
        Ok(())
    }

    /// The same for a code-block of the high-throughput coder: one segment for the cleanup pass, one for the others
    /// (T.814, B.2 and B.3).
    fn ht_segments(&mut self, block: &mut CodeBlock, n_passes: u8, bits: &mut HeaderBits<'_>) -> Result<()> {
        let mut n_refining = n_passes;
        if block.n_passes == 0 {
            // Passes of bit planes that are coded in none stand before: three each.
            let n_planes = (n_passes - 1) / 3;
            block.n_zero_planes = block.n_zero_planes.saturating_add(n_planes);
            n_refining = (n_passes - 1) % 3;
            let length = bits.number(length_bits(block, u32::from(n_planes) * 3 + 1)?)?;
            if length < 2 {
                return Err(corrupt(format!(
                    "JPEG 2000: expected at least 2 bytes of an HT cleanup segment, found {length}"
                )));
            }
            self.piece(block, 1, length)?;
            block.n_in_segment = 0;
        }
        if n_refining == 0 {
            return Ok(());
        }
        if block.n_passes + n_refining > 3 {
            return Err(unsupported("JPEG 2000: a code-block of more than one HT set"));
        }
        self.piece(block, n_refining, bits.number(length_bits(block, u32::from(n_refining))?)?)
    }

    /// Adds what a packet holds of a codeword segment to its code-block.
    fn piece(&mut self, block: &mut CodeBlock, n_passes: u8, length: u32) -> Result<()> {
        let idx = u32::try_from(self.pieces.len()).ok().and_then(NonZeroU32::new);
        let idx =
            idx.ok_or_else(|| unsupported("JPEG 2000: a tile of more than 2³² pieces of code-blocks"))?;
        if self.pieces.len() == self.pieces.capacity() {
            self.pieces
                .try_reserve(1)
                .map_err(|_| unsupported("JPEG 2000: there is no memory for a tile's packets"))?;
        }
        let is_start = block.n_in_segment == 0;
        self.pieces.push(Piece { offset: 0, length, next: None, n_passes, is_start });
        block.pieces = Some(match block.pieces {
            None => (idx.get(), idx.get()),
            Some((first, last)) => {
                self.pieces[last as usize].next = Some(idx);
                (first, idx.get())
            }
        });
        block.n_in_segment += n_passes;
        block.n_passes = block
            .n_passes
            .checked_add(n_passes)
            .ok_or_else(|| corrupt("JPEG 2000: a code-block of more than 255 coding passes"))?;
        Ok(())
    }
}

/// How many bits the length of `n_passes` passes has (B.10.7.1).
fn length_bits(block: &CodeBlock, n_passes: u32) -> Result<u32> {
    let n = u32::from(block.length_bits) + n_passes.ilog2();
    if n > 32 {
        return Err(corrupt("JPEG 2000: a packet header announces lengths of more than 32 bits"));
    }
    Ok(n)
}

/// Reads how many bit planes of a code-block are all zero.
fn zero_planes(tree: &mut TagTree, x: usize, y: usize, bits: &mut HeaderBits<'_>) -> Result<u8> {
    // Exponent and guard bits allow for 38 planes, a region of interest for 255 more.
    for threshold in 1..=u8::MAX {
        if let Some(n) = tree.below(x, y, u16::from(threshold), bits)? {
            return Ok(n as u8);
        }
    }
    Err(corrupt("JPEG 2000: a packet header announces more than 254 bit planes without a coefficient"))
}

/// Reads how many coding passes a packet holds of a code-block (table B.4).
fn n_passes(bits: &mut HeaderBits<'_>) -> Result<u8> {
    if bits.bit()? == 0 {
        return Ok(1);
    }
    if bits.bit()? == 0 {
        return Ok(2);
    }
    Ok(match bits.number(2)? {
        3 => match bits.number(5)? {
            31 => 37 + bits.number(7)? as u8,
            n => 6 + n as u8,
        },
        n => 3 + n as u8,
    })
}
