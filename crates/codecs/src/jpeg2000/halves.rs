//! The quantizer indices of a subband, in units of one half, in as little memory as they take.

use super::kernel::Kernel;
use crate::{Result, memory};

/// Magnitude bit planes whose indices fit 16 bits, sign and half included.
const NARROW_PLANES: u32 = 14;

/// Quantizer indices, row by row.
#[derive(Debug)]
pub(super) enum Halves {
    /// All are zero.
    Zero,
    /// All have few bit planes.
    Narrow(Vec<i16>),
    Wide(Vec<i32>),
}

impl Halves {
    /// Room for `n` indices of up to `n_planes` bit planes.
    pub(super) fn new(n: usize, n_planes: u32) -> Result<Self> {
        Ok(if n_planes <= NARROW_PLANES {
            Self::Narrow(memory::filled(n)?)
        } else {
            Self::Wide(memory::filled(n)?)
        })
    }

    /// All of them, to be written.
    pub(super) fn region(&mut self) -> Region<'_> {
        match self {
            Self::Zero => Region::Narrow(&mut []),
            Self::Narrow(values) => Region::Narrow(values),
            Self::Wide(values) => Region::Wide(values),
        }
    }
}

/// The coefficients of a subband.
#[derive(Debug)]
pub(super) struct Coefficients {
    /// Columns.
    pub(super) width: usize,
    pub(super) halves: Halves,
    /// What makes a coefficient of an index.
    pub(super) scale: f32,
}

impl Coefficients {
    /// Writes row `y` to `to`, which is as wide.
    #[inline(always)]
    pub(super) fn row<K: Kernel>(&self, y: usize, to: &mut [K::Value]) {
        let range = y * self.width..(y + 1) * self.width;
        match &self.halves {
            Halves::Zero => to.fill(K::Value::default()),
            Halves::Narrow(all) => {
                let from = &all[range];
                to.iter_mut().zip(from).for_each(|(to, v)| *to = K::coefficient(i32::from(*v), self.scale));
            }
            Halves::Wide(all) => {
                let from = &all[range];
                to.iter_mut().zip(from).for_each(|(to, v)| *to = K::coefficient(*v, self.scale));
            }
        }
    }
}

/// Some rows of quantizer indices, while they are decoded.
#[derive(Debug)]
pub(super) enum Region<'a> {
    Narrow(&'a mut [i16]),
    Wide(&'a mut [i32]),
}

impl<'a> Region<'a> {
    /// The first `n` indices, and the others.
    pub(super) fn split_at(self, n: usize) -> (Self, Self) {
        match self {
            Self::Narrow(all) => {
                let (head, rest) = all.split_at_mut(n);
                (Self::Narrow(head), Self::Narrow(rest))
            }
            Self::Wide(all) => {
                let (head, rest) = all.split_at_mut(n);
                (Self::Wide(head), Self::Wide(rest))
            }
        }
    }

    /// Writes `values` from index `first` on, each after `rule`.
    #[inline(always)]
    pub(super) fn put(&mut self, first: usize, values: &[i32], rule: impl Fn(i32) -> i32) {
        match self {
            Self::Narrow(all) => {
                let to = &mut all[first..first + values.len()];
                to.iter_mut().zip(values).for_each(|(to, v)| *to = rule(*v) as i16);
            }
            Self::Wide(all) => {
                let to = &mut all[first..first + values.len()];
                to.iter_mut().zip(values).for_each(|(to, v)| *to = rule(*v));
            }
        }
    }
}
