//! Tag trees: how a packet header says one number for each code-block of a precinct (T.800, B.10.2).

use super::header_bits::HeaderBits;
use crate::{Result, memory};

/// A tag tree over a grid of leaves.
#[derive(Debug, Default)]
pub(super) struct TagTree {
    /// Width and first node of each level, leaves first.
    levels: Vec<(usize, usize)>,
    nodes: Vec<Node>,
}

/// What is known of a node.
#[derive(Clone, Debug, Default)]
struct Node {
    /// The node's number is at least this.
    at_least: u16,
    /// Whether it is that.
    is_known: bool,
}

impl TagTree {
    /// A tree of `width × height` leaves, both at least 1.
    pub(super) fn new(width: usize, height: usize) -> Result<Self> {
        let mut levels = Vec::new();
        let (mut w, mut h, mut first) = (width, height, 0);
        loop {
            levels.push((w, first));
            first += w * h;
            if w * h <= 1 {
                break;
            }
            (w, h) = (w.div_ceil(2), h.div_ceil(2));
        }
        Ok(Self { levels, nodes: memory::filled(first)? })
    }

    /// Reads on until it is known whether the number of the leaf at `(x, y)` is below `threshold`; that number if so.
    pub(super) fn below(
        &mut self,
        x: usize,
        y: usize,
        threshold: u16,
        bits: &mut HeaderBits<'_>,
    ) -> Result<Option<u16>> {
        let mut at_least = 0;
        for (level, (width, first)) in self.levels.iter().enumerate().rev() {
            let node = &mut self.nodes[first + (y >> level) * width + (x >> level)];
            node.at_least = node.at_least.max(at_least);
            while !node.is_known && node.at_least < threshold {
                if bits.bit()? == 1 {
                    node.is_known = true;
                } else {
                    node.at_least += 1;
                }
            }
            at_least = node.at_least;
            if !node.is_known {
                return Ok(None);
            }
        }
        Ok((at_least < threshold).then_some(at_least))
    }
}
