//! How a tile and its components were coded: the markers COD and COC (T.800, A.6.1 and A.6.2).

use super::bytes::Segment;
use super::fault::{corrupt, unsupported};
use crate::Result;

/// In what order the packets of a tile stand (B.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progression {
    /// Layer, resolution, component, position.
    Lrcp,
    /// Resolution, layer, component, position.
    Rlcp,
    /// Resolution, position, component, layer.
    Rpcl,
    /// Position, component, resolution, layer.
    Pcrl,
    /// Component, position, resolution, layer.
    Cprl,
}

impl Progression {
    /// Reads the parameter SGcod or Ppoc.
    pub(super) fn read(segment: &mut Segment<'_>) -> Result<Self> {
        Ok(match segment.u8()? {
            0 => Self::Lrcp,
            1 => Self::Rlcp,
            2 => Self::Rpcl,
            3 => Self::Pcrl,
            4 => Self::Cprl,
            n => {
                return Err(corrupt(format!(
                    "marker {}: expected a progression order of 0 to 4, found {n}",
                    segment.name()
                )));
            }
        })
    }
}

/// What COD says of a tile as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileCoding {
    /// Order of packets unless POC changes it.
    pub(super) progression: Progression,
    /// Quality layers, at least 1.
    pub(super) n_layers: u16,
    /// Whether the first three components were transformed together (RCT, ICT).
    pub(super) is_transformed: bool,
    /// Whether markers SOP may stand before packets.
    pub(super) may_have_sop: bool,
    /// Whether a marker EPH stands after each packet header.
    pub(super) has_eph: bool,
}

/// Bits of the code-block style (table A.19; T.814, table A.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockStyle(u8);

impl BlockStyle {
    /// Later bit planes are partly not arithmetically coded.
    pub(super) fn is_bypassed(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Context probabilities start anew with each pass.
    pub(super) fn is_reset(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Each pass is a codeword segment of its own.
    pub(super) fn is_terminated(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// A stripe does not see the one below.
    pub(super) fn is_vertically_causal(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Each cleanup pass ends with 1010.
    pub(super) fn has_segmentation_symbols(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// The high-throughput coder was used.
    pub(super) fn is_ht(self) -> bool {
        self.0 & 0x40 != 0
    }
}

/// Most decomposition levels that there may be.
pub(super) const MAX_LEVELS: usize = 32;

/// How a component of a tile was coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct ComponentCoding {
    /// Decomposition levels, 0 to 32.
    pub(super) n_levels: usize,
    /// Binary logarithms of width and height of a code-block, 2 to 10 each, 12 at most together.
    pub(super) block: (u32, u32),
    /// Variations of the block coder.
    pub(super) style: BlockStyle,
    /// Whether the transform is 5-3 reversible rather than 9-7 irreversible.
    pub(super) is_reversible: bool,
    /// Binary logarithms of width (low four bits) and height (high four) of a precinct of each resolution level.
    precincts: [u8; MAX_LEVELS + 1],
}

impl ComponentCoding {
    /// Binary logarithms of width and height of a precinct of resolution level `r`.
    pub(super) fn precinct(&self, r: usize) -> (u32, u32) {
        let sizes = self.precincts[r.min(MAX_LEVELS)];
        (u32::from(sizes & 15), u32::from(sizes >> 4))
    }

    /// Reads the parameters SPcod or SPcoc.
    fn read(segment: &mut Segment<'_>, has_precincts: bool) -> Result<Self> {
        let name = segment.name();
        let n_levels = usize::from(segment.u8()?);
        if n_levels > MAX_LEVELS {
            return Err(corrupt(format!(
                "marker {name}: expected 0 to 32 decomposition levels, found {n_levels}"
            )));
        }
        let block = (u32::from(segment.u8()?) + 2, u32::from(segment.u8()?) + 2);
        if block.0 > 10 || block.1 > 10 || block.0 + block.1 > 12 {
            return Err(corrupt(format!(
                "marker {name}: expected code-blocks of up to 1024 × 1024 and 4096 samples, found exponents {} and {}",
                block.0, block.1
            )));
        }
        let style = block_style(name, segment.u8()?)?;
        let is_reversible = match segment.u8()? {
            0 => false,
            1 => true,
            n => return Err(corrupt(format!("marker {name}: expected transformation 0 or 1, found {n}"))),
        };
        let mut precincts = [0xFF; MAX_LEVELS + 1];
        if has_precincts {
            for (r, size) in precincts.iter_mut().enumerate().take(n_levels + 1) {
                *size = segment.u8()?;
                if r > 0 && (*size & 15 == 0 || *size >> 4 == 0) {
                    return Err(corrupt(format!(
                        "marker {name}: a precinct one sample wide or high at resolution level {r}"
                    )));
                }
            }
        }
        Ok(Self { n_levels, block, style, is_reversible, precincts })
    }
}

/// The code-block style, if all of it is understood.
fn block_style(name: &str, style: u8) -> Result<BlockStyle> {
    if style & 0x80 != 0 {
        return Err(unsupported(format!(
            "marker {name}: code-blocks of both coders in one tile-component (style {style:02X})"
        )));
    }
    if style & 0x40 != 0 && style & !0x48 != 0 {
        return Err(corrupt(format!(
            "marker {name}: the high-throughput coder with a variation of the other (style {style:02X})"
        )));
    }
    Ok(BlockStyle(style))
}

/// Reads the marker segment COD.
pub(super) fn read_default(mut segment: Segment<'_>) -> Result<(TileCoding, ComponentCoding)> {
    let style = segment.u8()?;
    let progression = Progression::read(&mut segment)?;
    let n_layers = segment.u16()?;
    if n_layers == 0 {
        return Err(corrupt("marker COD: expected at least one layer, found 0"));
    }
    let is_transformed = match segment.u8()? {
        0 => false,
        1 => true,
        n => {
            return Err(unsupported(format!(
                "marker COD: expected component transformation 0 or 1, found {n}"
            )));
        }
    };
    let tile = TileCoding {
        progression,
        n_layers,
        is_transformed,
        may_have_sop: style & 2 != 0,
        has_eph: style & 4 != 0,
    };
    Ok((tile, ComponentCoding::read(&mut segment, style & 1 != 0)?))
}

/// Reads the marker segment COC: the component, and how it was coded.
pub(super) fn read_component(
    mut segment: Segment<'_>,
    n_components: usize,
) -> Result<(usize, ComponentCoding)> {
    let idx = segment.component(n_components)?;
    let style = segment.u8()?;
    Ok((idx, ComponentCoding::read(&mut segment, style & 1 != 0)?))
}
