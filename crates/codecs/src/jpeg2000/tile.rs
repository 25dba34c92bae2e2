//! One tile to samples.

use super::coefficients;
use super::fault::corrupt;
use super::geometry::TileComponent;
use super::header::Main;
use super::kernel::{Irreversible, Kernel, Reversible};
use super::output::{Canvas, Levels};
use super::packets::{self, Contents};
use super::parameters::InForce;
use super::progression::Layout;
use super::rect::Rect;
use super::tile_parts::Tile;
use super::{component_transform, output};
use crate::Result;

/// Decodes tile `idx` into `canvas`.
pub(super) fn decode(main: &Main<'_>, idx: usize, tile: &Tile<'_>, canvas: &mut Canvas) -> Result<()> {
    let rect = main.size.tile(idx);
    let in_force = InForce { main: &main.parameters, tile: &tile.parameters };
    let coding = in_force.tile_coding()?;
    let mut components = Vec::new();
    for c in 0..main.size.n_components {
        components.push(TileComponent::new(rect, c, main.size.bits, &in_force)?);
    }
    let layout = Layout { tile: rect, components: &components, n_layers: usize::from(coding.n_layers) };
    let contents = packets::read(&layout, &coding, in_force.changes(), tile)?;

    let offset = ((rect.x0 - main.size.image.x0) as usize, (rect.y0 - main.size.image.y0) as usize);
    let levels = Levels::new(main.size.bits, main.size.is_signed);
    let decoding =
        Decoding { rect, offset, levels, components: &components, contents: &contents, body: &tile.packets };
    let mut next = 0;
    if coding.is_transformed {
        let [a, b, c, ..] = components.as_slice() else {
            return Err(corrupt(format!(
                "marker COD: a transform of three components in a picture of {}",
                components.len()
            )));
        };
        match [a, b, c].map(|component| component.coding.is_reversible) {
            [true, true, true] => decoding.three::<Reversible>(canvas, component_transform::reversible)?,
            [false, false, false] => {
                decoding.three::<Irreversible>(canvas, component_transform::irreversible)?
            }
            _ => {
                return Err(corrupt(
                    "marker COC: components that are transformed together differ in their wavelet transform",
                ));
            }
        }
        next = 3;
    }
    for (c, component) in components.iter().enumerate().skip(next) {
        if component.coding.is_reversible {
            decoding.one::<Reversible>(canvas, c)?;
        } else {
            decoding.one::<Irreversible>(canvas, c)?;
        }
    }
    Ok(())
}

/// What decoding the components of a tile needs.
struct Decoding<'a> {
    rect: Rect,
    /// Column and row of the tile in the picture.
    offset: (usize, usize),
    levels: Levels,
    components: &'a [TileComponent],
    contents: &'a Contents,
    body: &'a [u8],
}

impl Decoding<'_> {
    /// Decodes component `c`, which is transformed with no other.
    fn one<K: Kernel>(&self, canvas: &mut Canvas, c: usize) -> Result<()>
    where
        K::Value: output::Sample,
    {
        let rows = coefficients::decode::<K>(self.components, c..c + 1, self.contents, self.body)?;
        for mut rows in rows {
            for y in 0..self.rect.height() {
                canvas.put(self.offset, y, c, rows.next_row(), self.levels);
            }
        }
        Ok(())
    }

    /// Decodes the first three components and undoes their transform.
    fn three<K: Kernel>(
        &self,
        canvas: &mut Canvas,
        undo: impl Fn(&mut [K::Value], &mut [K::Value], &mut [K::Value]),
    ) -> Result<()>
    where
        K::Value: output::Sample,
    {
        let mut rows = coefficients::decode::<K>(self.components, 0..3, self.contents, self.body)?;
        let mut lines = [const { Vec::new() }; 3];
        for y in 0..self.rect.height() {
            for (rows, line) in rows.iter_mut().zip(&mut lines) {
                line.clear();
                line.extend_from_slice(rows.next_row());
            }
            let [a, b, c] = &mut lines;
            undo(a, b, c);
            for (c, line) in lines.iter().enumerate() {
                canvas.put(self.offset, y, c, line, self.levels);
            }
        }
        Ok(())
    }
}
