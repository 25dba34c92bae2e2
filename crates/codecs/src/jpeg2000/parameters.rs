//! The parameters that a header collects, for the picture or for one tile.

use std::collections::BTreeMap;

use super::bytes::Segment;
use super::coding::{self, ComponentCoding, Progression, TileCoding};
use super::fault::{corrupt, unsupported};
use super::marker;
use super::quantization::{self, Quantization};
use crate::Result;

/// What one header says; a tile's header has precedence over the main header.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    coding: Option<(TileCoding, ComponentCoding)>,
    component_coding: BTreeMap<usize, ComponentCoding>,
    quantization: Option<Quantization>,
    component_quantization: BTreeMap<usize, Quantization>,
    /// Shift of the region of interest of a component.
    roi_shift: BTreeMap<usize, u32>,
    /// Changes of the order of packets, in order.
    pub(super) changes: Vec<Change>,
}

/// Packets in an order of their own: one entry of the marker POC (T.800, A.6.6).
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) progression: Progression,
    /// Resolution levels, the last excluded.
    pub(super) resolutions: (usize, usize),
    /// Components, the last excluded.
    pub(super) components: (usize, usize),
    /// End of the layers, excluded.
    pub(super) layer_end: usize,
}

impl Parameters {
    /// Takes in a marker segment; `false` if it is none that carries parameters.
    pub(super) fn take(&mut self, marker: u16, segment: Segment<'_>, n_components: usize) -> Result<bool> {
        match marker {
            marker::COD => self.coding = Some(coding::read_default(segment)?),
            marker::COC => {
                let (idx, coding) = coding::read_component(segment, n_components)?;
                self.component_coding.insert(idx, coding);
            }
            marker::QCD => self.quantization = Some(quantization::read_default(segment)?),
            marker::QCC => {
                let (idx, quantization) = quantization::read_component(segment, n_components)?;
                self.component_quantization.insert(idx, quantization);
            }
            marker::RGN => {
                let (idx, shift) = region(segment, n_components)?;
                self.roi_shift.insert(idx, shift);
            }
            marker::POC => self.changes.extend(changes(segment, n_components)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The parameters that hold for a tile: its own first, then the picture's.
#[derive(Clone, Copy, Debug)]
pub(super) struct InForce<'a> {
    pub(super) main: &'a Parameters,
    pub(super) tile: &'a Parameters,
}

impl<'a> InForce<'a> {
    /// What holds for the tile as a whole.
    pub(super) fn tile_coding(&self) -> Result<TileCoding> {
        let coding = self.tile.coding.or(self.main.coding);
        coding.map(|c| c.0).ok_or_else(|| corrupt("JPEG 2000: the marker COD is missing"))
    }

    /// How component `idx` was coded (A.6.2 gives the precedence).
    pub(super) fn component_coding(&self, idx: usize) -> Result<ComponentCoding> {
        let of = |p: &Parameters| p.component_coding.get(&idx).copied().or(p.coding.map(|c| c.1));
        of(self.tile).or_else(|| of(self.main)).ok_or_else(|| corrupt("JPEG 2000: the marker COD is missing"))
    }

    /// How component `idx` was quantized.
    pub(super) fn quantization(&self, idx: usize) -> Result<&'a Quantization> {
        let of = |p: &'a Parameters| p.component_quantization.get(&idx).or(p.quantization.as_ref());
        of(self.tile).or_else(|| of(self.main)).ok_or_else(|| corrupt("JPEG 2000: the marker QCD is missing"))
    }

    /// By how many bit planes the region of interest of component `idx` was lifted.
    pub(super) fn roi_shift(&self, idx: usize) -> u32 {
        let of = |p: &Parameters| p.roi_shift.get(&idx).copied();
        of(self.tile).or_else(|| of(self.main)).unwrap_or(0)
    }

    /// Changes of the order of packets.
    pub(super) fn changes(&self) -> &'a [Change] {
        if self.tile.changes.is_empty() { &self.main.changes } else { &self.tile.changes }
    }
}

/// Reads the marker segment RGN: the component, and the shift of its region of interest (A.6.3).
fn region(mut segment: Segment<'_>, n_components: usize) -> Result<(usize, u32)> {
    let idx = segment.component(n_components)?;
    let style = segment.u8()?;
    if style != 0 {
        return Err(unsupported(format!("marker RGN: expected style 0 (implicit), found {style}")));
    }
    Ok((idx, u32::from(segment.u8()?)))
}

/// Reads the marker segment POC.
fn changes(mut segment: Segment<'_>, n_components: usize) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    while !segment.rest().is_empty() {
        let wide = n_components > 256;
        let component =
            |s: &mut Segment<'_>| if wide { s.u16().map(usize::from) } else { s.u8().map(usize::from) };
        let first_resolution = usize::from(segment.u8()?);
        let first_component = component(&mut segment)?;
        let layer_end = usize::from(segment.u16()?);
        let resolution_end = usize::from(segment.u8()?);
        // 0 stands for 256 where the number has one byte.
        let component_end = match component(&mut segment)? {
            0 if !wide => 256,
            n => n,
        };
        changes.push(Change {
            progression: Progression::read(&mut segment)?,
            resolutions: (first_resolution, resolution_end),
            components: (first_component, component_end),
            layer_end,
        });
    }
    Ok(changes)
}
