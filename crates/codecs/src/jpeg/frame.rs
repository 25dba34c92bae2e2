//! The frame header (T.81, B.2.2): the picture's sides, and how its components are coded.

use super::{corrupt, unsupported};
use crate::{Error, ErrorKind, Result};

/// How a frame is coded, always with Huffman codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Baseline and extended: each block at once (SOF0, SOF1).
    Sequential,
    /// Blocks in several scans (SOF2).
    Progressive,
    /// Differences of samples (SOF3).
    Lossless,
}

/// A start-of-frame segment.
#[derive(Debug)]
pub(super) struct Frame {
    pub process: Process,
    /// Bits a sample: 8 or 12, or 2 to 16 for lossless coding.
    pub bits: u8,
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
}

/// A component as the frame header states it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub id: u8,
    /// Samples across for each `max` of all components, 1 to 4.
    pub across: usize,
    /// The same downward.
    pub down: usize,
    /// Which quantization table, 0 to 3.
    pub table: usize,
}

/// Where the samples and blocks of a component are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub component: Component,
    /// Samples across and down that belong to the picture.
    pub width: usize,
    pub height: usize,
    /// Blocks across and down that hold them.
    pub blocks: (usize, usize),
    /// Blocks across and down, padded to whole units of all components.
    pub padded_blocks: (usize, usize),
}

impl Frame {
    /// Reads a segment behind marker SOF0 to SOF15 of that number.
    pub fn of(number: u8, segment: &[u8]) -> Result<Self> {
        let process = match number {
            0 | 1 => Process::Sequential,
            2 => Process::Progressive,
            3 => Process::Lossless,
            5..=7 => return Err(unsupported("hierarchical coding (SOF5 to SOF7)")),
            _ => return Err(unsupported("arithmetic coding (SOF9 to SOF15)")),
        };
        let [bits, h1, h0, w1, w0, n_components, rest @ ..] = segment else {
            return Err(corrupt("the frame header is too short"));
        };
        let is_known_depth = match (process, number) {
            (Process::Lossless, _) => (2..=16).contains(bits),
            (_, 0) => *bits == 8,
            _ => matches!(bits, 8 | 12),
        };
        if !is_known_depth {
            return Err(unsupported(format!("{bits} bits a sample in a frame of kind SOF{number}")));
        }
        let n_components = usize::from(*n_components);
        if rest.len() < n_components * 3 {
            return Err(corrupt("the frame header is too short for its components"));
        }
        match (n_components, process) {
            (1 | 3, _) | (2 | 4, Process::Lossless) => {}
            (4, _) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "JPEG: expected gray or RGB, found four components (CMYK or YCCK), whose colours depend on a printing profile",
                )
                .hint("convert it to RGB in a program that knows colour profiles"));
            }
            (n, _) => return Err(unsupported(format!("{n} components"))),
        }
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        if height == 0 {
            return Err(unsupported("a height given after the first scan (DNL)"));
        }
        if width == 0 {
            return Err(corrupt(format!("expected sides of at least 1 pixel, found {width}×{height}")));
        }
        let components =
            rest.chunks_exact(3).take(n_components).map(Component::of).collect::<Result<Vec<_>>>()?;
        Ok(Self { process, bits: *bits, width, height, components })
    }

    /// How many units of all components lie across and down, in coding by blocks.
    pub fn units(&self) -> (usize, usize) {
        let (across, down) = self.most();
        (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down))
    }

    /// Where the blocks of each component are.
    pub fn layouts(&self) -> impl Iterator<Item = Layout> {
        let (across, down) = self.most();
        let units = self.units();
        self.components.iter().map(move |component| {
            let width = (self.width * component.across).div_ceil(across);
            let height = (self.height * component.down).div_ceil(down);
            Layout {
                component: *component,
                width,
                height,
                blocks: (width.div_ceil(8), height.div_ceil(8)),
                padded_blocks: (units.0 * component.across, units.1 * component.down),
            }
        })
    }

    /// Most samples of a component across and down.
    pub fn most(&self) -> (usize, usize) {
        let across = self.components.iter().map(|component| component.across).max();
        let down = self.components.iter().map(|component| component.down).max();
        (across.unwrap_or(1), down.unwrap_or(1))
    }

    /// The fewest bits that the picture's samples can be coded in: no code is shorter than one bit.
    pub fn fewest_bits(&self) -> usize {
        let n_blocks = || self.layouts().map(|layout| layout.blocks.0 * layout.blocks.1).sum::<usize>();
        match self.process {
            // A code for the first coefficient, one for the end of the block.
            Process::Sequential => 2 * n_blocks(),
            // The end of many blocks can be one code.
            Process::Progressive => n_blocks(),
            Process::Lossless => self.width * self.height * self.components.len(),
        }
    }
}

impl Component {
    fn of(entry: &[u8]) -> Result<Self> {
        let (across, down, table) =
            (usize::from(entry[1] >> 4), usize::from(entry[1] & 15), usize::from(entry[2]));
        if !(1..=4).contains(&across) || !(1..=4).contains(&down) || table > 3 {
            return Err(corrupt(format!(
                "component {}: expected sampling of 1 to 4 and a table of 0 to 3, found {across}×{down} and {table}",
                entry[0]
            )));
        }
        Ok(Self { id: entry[0], across, down, table })
    }
}
