//! Image and tile size: the marker SIZ (T.800, A.5.1 and B.2, B.3).

use super::bytes::Segment;
use super::fault::{corrupt, too_large, truncated, unsupported};
use super::rect::Rect;
use crate::{Outline, Result};

/// What one sample of the picture may be coded in at the least: a blank block of 4096 samples takes less than a bit.
const MOST_SAMPLES_A_BYTE: usize = 1000;

/// Most columns and rows: what fits 16 bits, as in every container of medical pictures.
const MAX_SIDE: u32 = 65535;

/// Most components; the standard has up to 16384.
const MAX_COMPONENTS: usize = 256;

/// The picture and its tiles on the reference grid.
#[derive(Clone, Debug)]
pub(super) struct Size {
    /// The picture.
    pub(super) image: Rect,
    /// Corner of the first tile.
    tile_origin: (u32, u32),
    /// Width and height of a whole tile.
    tile_size: (u32, u32),
    /// Columns and rows of tiles.
    n_tiles: (u32, u32),
    /// Samples a pixel.
    pub(super) n_components: usize,
    /// Bits a sample, 1 to 16.
    pub(super) bits: u8,
    /// Whether samples are signed.
    pub(super) is_signed: bool,
}

impl Size {
    /// Reads the marker segment SIZ; `n_coded_bytes` is the length of the stream.
    pub(super) fn read(mut segment: Segment<'_>, n_coded_bytes: usize) -> Result<Self> {
        segment.u16()?; // Rsiz: capabilities, which the markers show themselves.
        let (x1, y1, x0, y0) = (segment.u32()?, segment.u32()?, segment.u32()?, segment.u32()?);
        let tile_size = (segment.u32()?, segment.u32()?);
        let tile_origin = (segment.u32()?, segment.u32()?);
        let n_components = usize::from(segment.u16()?);
        if x0 >= x1 || y0 >= y1 {
            return Err(corrupt("marker SIZ: the picture has no area"));
        }
        if x1 - x0 > MAX_SIDE || y1 - y0 > MAX_SIDE {
            return Err(too_large(format!(
                "marker SIZ: a picture of {}×{} pixels; expected {MAX_SIDE} at most on a side",
                x1 - x0,
                y1 - y0
            )));
        }
        if n_components == 0 || n_components > MAX_COMPONENTS {
            return Err(unsupported(format!(
                "marker SIZ: expected 1 to {MAX_COMPONENTS} components (Csiz), found {n_components}"
            )));
        }
        let precision = components(&mut segment, n_components)?;
        let mut size = Self {
            image: Rect { x0, y0, x1, y1 },
            tile_origin,
            tile_size,
            n_tiles: (0, 0),
            n_components,
            bits: (precision & 0x7F) + 1,
            is_signed: precision & 0x80 != 0,
        };
        size.outline().n_samples(n_coded_bytes, MOST_SAMPLES_A_BYTE)?;
        size.n_tiles = (
            tiles_along((x0, x1), tile_origin.0, tile_size.0)?,
            tiles_along((y0, y1), tile_origin.1, tile_size.1)?,
        );
        let n_tiles = u64::from(size.n_tiles.0) * u64::from(size.n_tiles.1);
        if n_tiles > 65535 {
            return Err(corrupt(format!("marker SIZ: expected at most 65535 tiles, found {n_tiles}")));
        }
        // SOT and SOD of its only tile-part, and one packet.
        if n_tiles * 15 > n_coded_bytes as u64 {
            return Err(truncated(format!(
                "marker SIZ: {n_tiles} tiles are announced, more than {n_coded_bytes} bytes can hold"
            )));
        }
        Ok(size)
    }

    /// What the caller is told.
    pub(super) fn outline(&self) -> Outline {
        Outline {
            width: self.image.width(),
            height: self.image.height(),
            n_components: self.n_components,
            bits: self.bits,
            is_signed: self.is_signed,
        }
    }

    /// How many tiles there are.
    pub(super) fn n_tiles(&self) -> usize {
        self.n_tiles.0 as usize * self.n_tiles.1 as usize
    }

    /// The area of tile `idx`, counted row by row (B-6 to B-10).
    pub(super) fn tile(&self, idx: usize) -> Rect {
        let (p, q) = (idx as u32 % self.n_tiles.0, idx as u32 / self.n_tiles.0);
        let span = |k: u32, origin: u32, size: u32, (first, end): (u32, u32)| {
            let start = origin.saturating_add(k.saturating_mul(size));
            (start.max(first), start.saturating_add(size).min(end))
        };
        let (x0, x1) = span(p, self.tile_origin.0, self.tile_size.0, (self.image.x0, self.image.x1));
        let (y0, y1) = span(q, self.tile_origin.1, self.tile_size.1, (self.image.y0, self.image.y1));
        Rect { x0, y0, x1, y1 }
    }
}

/// The precision byte (Ssiz) that all components share.
fn components(segment: &mut Segment<'_>, n_components: usize) -> Result<u8> {
    let mut shared = None;
    for idx in 0..n_components {
        let (precision, dx, dy) = (segment.u8()?, segment.u8()?, segment.u8()?);
        if (dx, dy) != (1, 1) {
            return Err(unsupported(format!(
                "marker SIZ: component {idx} is subsampled (XRsiz {dx}, YRsiz {dy}); expected 1, 1"
            )));
        }
        if precision & 0x7F > 15 {
            return Err(unsupported(format!(
                "marker SIZ: component {idx} has {} bits a sample; expected 1 to 16",
                (precision & 0x7F) + 1
            )));
        }
        if *shared.get_or_insert(precision) != precision {
            return Err(unsupported("marker SIZ: its components differ in bits or in sign (Ssiz)"));
        }
    }
    shared.ok_or_else(|| corrupt("marker SIZ: there are no components"))
}

/// How many tiles of `size` from `origin` on cover `first..end`.
fn tiles_along((first, end): (u32, u32), origin: u32, size: u32) -> Result<u32> {
    if size == 0 || origin > first || origin.saturating_add(size) <= first {
        return Err(corrupt(format!(
            "marker SIZ: expected the first tile to hold the picture's corner at {first}, found {size} samples from \
             {origin} on"
        )));
    }
    Ok((end - origin).div_ceil(size))
}
