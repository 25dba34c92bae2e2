//! Where the samples of a tile-component lie: resolution levels, subbands, precincts and code-blocks (T.800, B.5 to B.7).

use super::coding::ComponentCoding;
use super::fault::unsupported;
use super::parameters::InForce;
use super::rect::Rect;
use crate::Result;

/// One component of a tile.
#[derive(Clone, Debug)]
pub(super) struct TileComponent {
    pub(super) coding: ComponentCoding,
    /// Bit planes by which the region of interest was lifted.
    pub(super) roi_shift: u32,
    /// Lowest first; one more than there are decomposition levels.
    pub(super) resolutions: Vec<Resolution>,
}

/// A resolution level.
#[derive(Clone, Debug)]
pub(super) struct Resolution {
    pub(super) rect: Rect,
    /// Decomposition levels between this one and the full size.
    pub(super) n_above: u32,
    /// Binary logarithms of width and height of a precinct.
    pub(super) precinct: (u32, u32),
    /// Column and row of the first precinct on their grid.
    first_precinct: (u32, u32),
    /// Columns and rows of precincts.
    n_precincts: (u32, u32),
    /// LL alone, or HL, LH, HH.
    pub(super) bands: Vec<Band>,
}

/// Which filters made a subband.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orientation {
    /// Low horizontally and vertically.
    Ll,
    /// High horizontally.
    Hl,
    /// High vertically.
    Lh,
    /// High in both directions.
    Hh,
}

impl Orientation {
    /// Whether it is high horizontally and vertically.
    pub(super) fn is_high(self) -> (bool, bool) {
        (matches!(self, Self::Hl | Self::Hh), matches!(self, Self::Lh | Self::Hh))
    }
}

/// A subband.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) orientation: Orientation,
    pub(super) rect: Rect,
    /// Binary logarithms of width and height of a code-block on the grid of this subband.
    pub(super) block: (u32, u32),
    /// Magnitude bit planes of a coefficient (E-2).
    pub(super) n_planes: u32,
    /// Quantizer step size (E-3); 1 where the transform is reversible.
    pub(super) step: f32,
}

impl TileComponent {
    /// Lays out component `idx` of a tile of the area `tile`; samples have `bits` bits.
    pub(super) fn new(tile: Rect, idx: usize, bits: u8, in_force: &InForce<'_>) -> Result<Self> {
        let coding = in_force.component_coding(idx)?;
        let quantization = in_force.quantization(idx)?;
        if coding.is_reversible && !quantization.is_exact {
            return Err(unsupported(format!(
                "component {idx}: the reversible transform (5-3) of quantized coefficients, which T.800 does not foresee"
            )));
        }
        let mut resolutions = Vec::with_capacity(coding.n_levels + 1);
        for r in 0..=coding.n_levels {
            let n_above = (coding.n_levels - r) as u32;
            let precinct = coding.precinct(r);
            let mut bands = Vec::with_capacity(3);
            for (k, &orientation) in orientations(r).iter().enumerate() {
                let (exponent, mantissa) = quantization.step(r, k)?;
                let high = orientation.is_high();
                let gain = u32::from(high.0) + u32::from(high.1);
                let step = if coding.is_reversible {
                    1.0
                } else {
                    let power = f32::from(bits) + gain as f32 - exponent as f32;
                    power.exp2() * (1.0 + mantissa as f32 / 2048.0)
                };
                let smaller = u32::from(r > 0);
                bands.push(Band {
                    orientation,
                    rect: band_rect(tile, n_above + smaller, high),
                    block: (
                        coding.block.0.min(precinct.0.saturating_sub(smaller)),
                        coding.block.1.min(precinct.1.saturating_sub(smaller)),
                    ),
                    n_planes: (quantization.n_guard_bits + exponent).saturating_sub(1),
                    step,
                });
            }
            resolutions.push(Resolution::new(tile, n_above, precinct, bands));
        }
        Ok(Self { coding, roi_shift: in_force.roi_shift(idx), resolutions })
    }

    /// How many precincts there are.
    pub(super) fn n_precincts(&self) -> u64 {
        self.resolutions.iter().map(Resolution::n_precincts).sum()
    }
}

impl Resolution {
    fn new(tile: Rect, n_above: u32, precinct: (u32, u32), bands: Vec<Band>) -> Self {
        let rect = tile.map(|_, v| shifted_up(v, n_above));
        let along = |first: u32, end: u32, log: u32| {
            let start = first >> log;
            (start, if end > first { shifted_up(end, log) - start } else { 0 })
        };
        let (columns, rows) = (along(rect.x0, rect.x1, precinct.0), along(rect.y0, rect.y1, precinct.1));
        Self {
            rect,
            n_above,
            precinct,
            first_precinct: (columns.0, rows.0),
            n_precincts: (columns.1, rows.1),
            bands,
        }
    }

    /// How many precincts there are (B-16).
    pub(super) fn n_precincts(&self) -> u64 {
        u64::from(self.n_precincts.0) * u64::from(self.n_precincts.1)
    }

    /// Where precinct `idx` starts on the reference grid; the tile starts at `tile`.
    pub(super) fn precinct_start(&self, idx: u32, tile: Rect) -> (u64, u64) {
        let (column, row) = (idx % self.n_precincts.0, idx / self.n_precincts.0);
        let start = |k: u32, log: u32, first: u32, tile_first: u32| {
            let at = u64::from(k) << log;
            if at < u64::from(first) { u64::from(tile_first) } else { at << self.n_above }
        };
        (
            start(self.first_precinct.0 + column, self.precinct.0, self.rect.x0, tile.x0),
            start(self.first_precinct.1 + row, self.precinct.1, self.rect.y0, tile.y0),
        )
    }

    /// The part of subband `band` that lies in precinct `idx`.
    pub(super) fn precinct_in_band(&self, idx: u32, band: &Band) -> Rect {
        let smaller = u32::from(band.orientation != Orientation::Ll);
        let (column, row) = (idx % self.n_precincts.0, idx / self.n_precincts.0);
        let span = |k: u32, log: u32| {
            let edge = |k: u64| u32::try_from(k << (log - smaller)).unwrap_or(u32::MAX);
            (edge(u64::from(k)), edge(u64::from(k) + 1))
        };
        let (x0, x1) = span(self.first_precinct.0 + column, self.precinct.0);
        let (y0, y1) = span(self.first_precinct.1 + row, self.precinct.1);
        Rect { x0, y0, x1, y1 }.and(&band.rect)
    }
}

/// The subbands of resolution level `r`, in the order of their code-blocks in a packet.
fn orientations(r: usize) -> &'static [Orientation] {
    if r == 0 { &[Orientation::Ll] } else { &[Orientation::Hl, Orientation::Lh, Orientation::Hh] }
}

/// `v / 2^log`, rounded up.
fn shifted_up(v: u32, log: u32) -> u32 {
    ((u64::from(v) + (1u64 << log) - 1) >> log) as u32
}

/// The area of a subband that is `level` decomposition levels down (B-15).
fn band_rect(tile: Rect, level: u32, high: (bool, bool)) -> Rect {
    tile.map(|axis, v| {
        let is_high = if axis == 0 { high.0 } else { high.1 };
        let offset = if is_high && level > 0 { 1u64 << (level - 1) } else { 0 };
        // Rounded up, and 0 where the offset is larger.
        ((u64::from(v) + (1u64 << level) - 1).saturating_sub(offset) >> level) as u32
    })
}
