//! The coefficients of a component.

use super::markers::Component;
use super::{corrupt, ended};
use crate::Result;

/// A component with its blocks of 8 × 8 coefficients.
pub(super) struct Plane {
    pub component: Component,
    /// Samples across and down that belong to the picture.
    pub width: usize,
    pub height: usize,
    /// Blocks across, padded to whole interleaved units.
    pub n_across: usize,
    pub n_down: usize,
    /// 64 a block, in the order of rows, `[n_down, n_across, 8, 8]`.
    pub coefficients: Vec<i16>,
    /// The table that held when the component was first scanned.
    pub quantization: Option<[u16; 64]>,
    /// By zigzag index: the lowest bit that scans have brought so far, -1 before the first.
    pub lowest_bit: [i8; 64],
}

impl Plane {
    /// The planes of a frame, all coefficients zero.
    pub fn of_frame(width: usize, height: usize, components: &[Component]) -> Result<Vec<Self>> {
        let most = |part: fn(&Component) -> usize| components.iter().map(part).max().unwrap_or(1);
        let (most_across, most_down) = (most(|c| c.across), most(|c| c.down));
        let units = (width.div_ceil(8 * most_across), height.div_ceil(8 * most_down));
        components
            .iter()
            .map(|component| {
                let (n_across, n_down) = (units.0 * component.across, units.1 * component.down);
                Ok(Self {
                    component: *component,
                    width: (width * component.across).div_ceil(most_across),
                    height: (height * component.down).div_ceil(most_down),
                    n_across,
                    n_down,
                    coefficients: crate::memory::filled(n_across * n_down * 64)?,
                    quantization: None,
                    lowest_bit: [-1; 64],
                })
            })
            .collect()
    }

    /// Where a block begins.
    pub fn block(&mut self, across: usize, down: usize) -> &mut [i16] {
        let first = (down * self.n_across + across) * 64;
        &mut self.coefficients[first..first + 64]
    }

    /// Notes that a scan brings coefficients `first..=last` (zigzag) down to bit `low`, from `high` where it refines.
    pub fn note_scan(&mut self, first: usize, last: usize, high: u8, low: u8) -> Result<()> {
        for bit in &mut self.lowest_bit[first..=last] {
            let is_due = if high == 0 { *bit == -1 } else { *bit == high as i8 };
            if !is_due {
                return Err(corrupt("a scan repeats or skips a part of the coefficients"));
            }
            *bit = low as i8;
        }
        Ok(())
    }

    /// Whether every coefficient came to its last bit.
    pub fn check_complete(&self) -> Result<()> {
        if self.lowest_bit.iter().any(|bit| *bit != 0) {
            return Err(ended(format!(
                "component {}: a part of its coefficients is in no scan",
                self.component.id
            )));
        }
        Ok(())
    }
}
