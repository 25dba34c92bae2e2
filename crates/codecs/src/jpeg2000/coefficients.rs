//! The code-blocks of tile-components to the coefficients of their subbands.

use super::code_blocks::{CodeBlock, PrecinctBand};
use super::geometry::{Band, TileComponent};
use super::halves::{Coefficients, Halves};
use super::kernel::Kernel;
use super::packets::Contents;
use super::rect::Rect;
use super::synthesis::Synthesis;
use super::worker::{self, Job, JobBlock};
use crate::Result;

/// Decodes the components `range` of a tile: for each, what gives its rows.
pub(super) fn decode<K: Kernel>(
    components: &[TileComponent],
    range: std::ops::Range<usize>,
    contents: &Contents,
    body: &[u8],
) -> Result<Vec<Synthesis<K>>> {
    let mut subbands: Vec<Subband<'_>> = Vec::new();
    for idx in range.clone() {
        for (r, resolution) in components[idx].resolutions.iter().enumerate() {
            subbands.extend(resolution.bands.iter().map(|band| Subband {
                component: &components[idx],
                band,
                resolution: r,
                blocks: Vec::new(),
            }));
        }
    }
    collect(&mut subbands, components, &range, contents);

    let mut coefficients = Vec::with_capacity(subbands.len());
    for subband in &subbands {
        coefficients.push(subband.room::<K>()?);
    }
    let mut jobs = Vec::new();
    for (subband, coefficients) in subbands.iter().zip(&mut coefficients) {
        subband.jobs(coefficients, contents, &mut jobs);
    }
    worker::run(jobs, contents, body)?;

    let mut coefficients = coefficients.into_iter();
    let mut next =
        || coefficients.next().unwrap_or(Coefficients { width: 0, halves: Halves::Zero, scale: 0.0 });
    let mut rows = Vec::new();
    for component in &components[range] {
        let lowest = next();
        let levels =
            component.resolutions.iter().skip(1).map(|r| (r.rect, [next(), next(), next()])).collect();
        rows.push(Synthesis::new(lowest, levels)?);
    }
    Ok(rows)
}

/// A subband and its code-blocks.
struct Subband<'a> {
    component: &'a TileComponent,
    band: &'a Band,
    resolution: usize,
    /// Row on the grid of code-blocks, the code-block, and its area.
    blocks: Vec<(u32, &'a CodeBlock, Rect)>,
}

/// Gives the code-blocks that have bytes to their subbands.
fn collect<'a>(
    subbands: &mut [Subband<'a>],
    components: &[TileComponent],
    range: &std::ops::Range<usize>,
    contents: &'a Contents,
) {
    let mut first = vec![0; range.len() + 1];
    for (k, component) in components[range.clone()].iter().enumerate() {
        first[k + 1] = first[k] + component.resolutions.iter().map(|r| r.bands.len()).sum::<usize>();
    }
    for (place, bands) in &contents.precincts {
        let component = usize::from(place.component);
        let Some(bands) = bands.as_ref().filter(|_| range.contains(&component)) else { continue };
        // One subband at the lowest resolution level, three at each other.
        let r = usize::from(place.resolution);
        let first_band = first[component - range.start] + if r == 0 { 0 } else { 3 * r - 2 };
        for precinct in bands {
            subbands[first_band + precinct.band_idx].blocks.extend(blocks(precinct));
        }
    }
    for subband in subbands {
        subband.blocks.sort_by_key(|(row, _, rect)| (*row, rect.x0));
    }
}

fn blocks(precinct: &PrecinctBand) -> impl Iterator<Item = (u32, &CodeBlock, Rect)> {
    precinct.blocks.iter().enumerate().filter(|(_, block)| block.pieces.is_some()).map(|(idx, block)| {
        let (rect, row) = precinct.place(idx);
        (row, block, rect)
    })
}

impl Subband<'_> {
    /// Room for its coefficients, none where no code-block has bytes.
    fn room<K: Kernel>(&self) -> Result<Coefficients> {
        let (rect, style) = (self.band.rect, self.component.coding.style);
        let all_planes = self.band.n_planes + self.component.roi_shift;
        // How many bit planes a high-throughput code-block has shows only in its bytes.
        let n_planes = |block: &CodeBlock| if style.is_ht() { u32::MAX } else { block.n_planes(all_planes) };
        let halves = match self.blocks.iter().map(|(_, block, _)| n_planes(block)).max() {
            None => Halves::Zero,
            Some(n_planes) => Halves::new(rect.width() * rect.height(), n_planes)?,
        };
        let resolutions = &self.component.resolutions[self.resolution.max(1)..];
        let scale = K::scale(self.band, &mut resolutions.iter().map(|r| r.rect));
        Ok(Coefficients { width: rect.width(), halves, scale })
    }

    /// Divides a subband into rows of code-blocks, each a job of its own.
    fn jobs<'a>(&'a self, coefficients: &'a mut Coefficients, contents: &Contents, jobs: &mut Vec<Job<'a>>) {
        let (band, width) = (self.band, coefficients.width);
        let mut rest = coefficients.halves.region();
        let mut y = band.rect.y0;
        for blocks in self.blocks.chunk_by(|a, b| a.0 == b.0) {
            let row = u64::from(blocks[0].0);
            let edge = |row: u64| u32::try_from(row << band.block.1).unwrap_or(u32::MAX);
            let (start, end) = (edge(row).max(band.rect.y0), edge(row + 1).min(band.rect.y1));
            let (_, from_start) = rest.split_at((start - y) as usize * width);
            let (region, after) = from_start.split_at((end - start) as usize * width);
            rest = after;
            y = end;
            let blocks: Vec<_> = blocks
                .iter()
                .map(|(_, block, rect)| JobBlock {
                    block,
                    x: (rect.x0 - band.rect.x0) as usize,
                    y: (rect.y0 - start) as usize,
                    width: rect.width(),
                    height: rect.height(),
                })
                .collect();
            let n_bytes = blocks
                .iter()
                .map(|b| worker::pieces(contents, b.block).map(|p| p.length as usize).sum::<usize>());
            jobs.push(Job {
                n_bytes: n_bytes.sum(),
                blocks,
                region,
                width,
                band,
                style: self.component.coding.style,
                roi_shift: self.component.roi_shift,
            });
        }
    }
}
