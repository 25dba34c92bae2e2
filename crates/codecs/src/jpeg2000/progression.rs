//! The order of the packets of a tile (T.800, B.12).

use super::coding::Progression;
use super::fault::{corrupt, truncated};
use super::geometry::TileComponent;
use super::parameters::Change;
use super::rect::Rect;
use crate::{Result, memory};

/// A packet: precinct `precinct_idx` of `places`, and its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) place_idx: usize,
    pub(super) layer: usize,
}

/// A precinct of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) component: u16,
    pub(super) resolution: u8,
    /// Number within its resolution level.
    pub(super) precinct: u32,
}

/// A tile and its components.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'a> {
    pub(super) tile: Rect,
    pub(super) components: &'a [TileComponent],
    /// Quality layers.
    pub(super) n_layers: usize,
}

/// All precincts of a tile: component by component, resolution level by resolution level.
///
/// Each of them has a packet of at least one byte for each layer; with fewer than `n_bytes` the tile is incomplete.
pub(super) fn places(layout: &Layout<'_>, n_bytes: usize) -> Result<Vec<Place>> {
    let &Layout { components, n_layers, .. } = layout;
    let n = components.iter().map(TileComponent::n_precincts).fold(0, u64::saturating_add);
    if n.saturating_mul(n_layers as u64) > n_bytes as u64 {
        return Err(truncated(format!(
            "JPEG 2000: a tile has {n} precincts in {n_layers} layers, more packets than its {n_bytes} bytes can hold"
        )));
    }
    let mut places = memory::reserve(n as usize)?;
    for (component, tile_component) in components.iter().enumerate() {
        for (r, resolution) in tile_component.resolutions.iter().enumerate() {
            for precinct in 0..resolution.n_precincts() as u32 {
                places.push(Place { component: component as u16, resolution: r as u8, precinct });
            }
        }
    }
    Ok(places)
}

/// Calls `visit` for each packet in order, until it fails.
///
/// `changes` are the entries of POC; without any, `progression` holds for all.
pub(super) fn visit(
    layout: &Layout<'_>,
    places: &[Place],
    progression: Progression,
    changes: &[Change],
    mut visit: impl FnMut(Packet) -> Result<()>,
) -> Result<()> {
    let n_layers = layout.n_layers;
    let all = [Change { progression, resolutions: (0, 33), components: (0, 16384), layer_end: n_layers }];
    // How many layers of each precinct have been visited: a packet is not repeated.
    let mut n_done: Vec<u16> = memory::filled(places.len())?;
    for change in if changes.is_empty() { &all } else { changes } {
        let layer_end = change.layer_end.min(n_layers);
        let order = ordered(layout, places, change)?;
        let mut emit = |place_idx: u32, layer: usize| {
            let place_idx = place_idx as usize;
            if layer < usize::from(n_done[place_idx]) {
                return Ok(());
            }
            n_done[place_idx] += 1;
            visit(Packet { place_idx, layer })
        };
        for group in groups(&order, places, change.progression) {
            if is_layer_first(change.progression) {
                for layer in 0..layer_end {
                    group.iter().try_for_each(|place_idx| emit(*place_idx, layer))?;
                }
            } else {
                for place_idx in group {
                    (0..layer_end).try_for_each(|layer| emit(*place_idx, layer))?;
                }
            }
        }
    }
    if n_done.iter().any(|n| usize::from(*n) < n_layers) {
        return Err(corrupt("marker POC: its progressions leave packets of the tile out"));
    }
    Ok(())
}

/// Whether all precincts of a group come before the next layer.
fn is_layer_first(progression: Progression) -> bool {
    matches!(progression, Progression::Lrcp | Progression::Rlcp)
}

/// The precincts that a change takes in, in its order.
fn ordered(layout: &Layout<'_>, places: &[Place], change: &Change) -> Result<Vec<u32>> {
    let mut order = memory::reserve(places.len())?;
    order.extend((0..places.len() as u32).filter(|idx| {
        let place = &places[*idx as usize];
        (change.resolutions.0..change.resolutions.1).contains(&usize::from(place.resolution))
            && (change.components.0..change.components.1).contains(&usize::from(place.component))
    }));
    let key = |idx: &u32| {
        let place = &places[*idx as usize];
        let (c, r) = (u64::from(place.component), u64::from(place.resolution));
        let start = || {
            let component = &layout.components[usize::from(place.component)];
            component.resolutions[usize::from(place.resolution)].precinct_start(place.precinct, layout.tile)
        };
        match change.progression {
            Progression::Lrcp | Progression::Rlcp => [r, c, 0, 0],
            Progression::Rpcl => {
                let (x, y) = start();
                [r, y, x, c]
            }
            Progression::Pcrl => {
                let (x, y) = start();
                [y, x, c, r]
            }
            Progression::Cprl => {
                let (x, y) = start();
                [c, y, x, r]
            }
        }
    };
    order.sort_by_key(key);
    Ok(order)
}

/// The runs of `order` within which the layers go round.
fn groups<'a>(order: &'a [u32], places: &'a [Place], progression: Progression) -> Vec<&'a [u32]> {
    if progression == Progression::Rlcp {
        let resolution = |idx: &u32| places[*idx as usize].resolution;
        order.chunk_by(|a, b| resolution(a) == resolution(b)).collect()
    } else {
        vec![order]
    }
}

#[cfg(test)]
mod tests {
    use super::super::bytes::Segment;
    use super::super::marker;
    use super::super::parameters::{InForce, Parameters};
    use super::*;

    /// Two components of 12 × 6 samples at (4, 2), one decomposition level, precincts of 8 × 8 at both levels.
    fn components(tile: Rect) -> Vec<TileComponent> {
        let mut parameters = Parameters::default();
        let cod = [1, 0, 0, 2, 0, 1, 4, 4, 0, 1, 0x33, 0x33];
        assert!(parameters.take(marker::COD, Segment::new("COD", &cod), 2).expect("COD"));
        assert!(parameters.take(marker::QCD, Segment::new("QCD", &[0x40, 64, 64, 64, 64]), 2).expect("QCD"));
        let in_force = InForce { main: &Parameters::default(), tile: &parameters };
        (0..2).map(|c| TileComponent::new(tile, c, 8, &in_force).expect("a layout")).collect()
    }

    /// The packets in order, each as layer, resolution, component and precinct.
    fn order(progression: Progression, changes: &[Change]) -> Result<Vec<[u32; 4]>> {
        let tile = Rect { x0: 4, y0: 2, x1: 16, y1: 8 };
        let components = components(tile);
        let layout = Layout { tile, components: &components, n_layers: 2 };
        let places = places(&layout, 100)?;
        let mut order = Vec::new();
        visit(&layout, &places, progression, changes, |packet| {
            let place = &places[packet.place_idx];
            order.push([
                packet.layer as u32,
                u32::from(place.resolution),
                u32::from(place.component),
                place.precinct,
            ]);
            Ok(())
        })?;
        Ok(order)
    }

    #[test]
    fn packets_come_in_each_order_of_the_standard() {
        // One precinct at the lower level, two at the upper: at columns 4 and 8 of the grid.
        let all = |p| order(p, &[]).expect("an order");
        let lrcp = all(Progression::Lrcp);
        assert_eq!(lrcp.len(), 12);
        assert_eq!(lrcp[..4], [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 1]]);
        assert_eq!(all(Progression::Rlcp)[..4], [[0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 0]]);
        assert_eq!(all(Progression::Rpcl)[4..8], [[0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0]]);
        assert_eq!(all(Progression::Pcrl)[..4], [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]]);
        assert_eq!(all(Progression::Cprl)[4..6], [[0, 1, 0, 1], [1, 1, 0, 1]]);
    }

    #[test]
    fn a_change_of_progression_does_not_repeat_packets_and_leaves_none_out() {
        let change = |progression, resolution_end, layer_end| Change {
            progression,
            resolutions: (0, resolution_end),
            components: (0, 2),
            layer_end,
        };
        let changes = [change(Progression::Rlcp, 1, 1), change(Progression::Cprl, 2, 2)];
        let packets = order(Progression::Lrcp, &changes).expect("an order");
        assert_eq!(packets.len(), 12);
        assert_eq!(packets[..4], [[0, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]);
        let error = order(Progression::Lrcp, &changes[..1]).expect_err("packets are left out");
        assert!(error.to_string().contains("POC"), "{error}");
    }
}
