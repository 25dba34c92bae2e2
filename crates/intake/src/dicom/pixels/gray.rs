//! Gray values of a frame after the modality rule.

use super::modality::Modality;
use super::padding::Padding;
use super::stored::{AsF64, Stored, each};
use crate::Result;
use crate::memory::{filled, reserve};

/// Modality values of a frame: computed as they are asked for, so that a frame is not held in double precision.
#[derive(Debug)]
pub struct Gray<'f> {
    pub(crate) stored: &'f Stored,
    /// The rule.
    pub modality: Modality,
    /// Stored values that stand for no picture.
    pub padding: Option<Padding>,
}

impl Gray<'_> {
    /// The values, row-major from the top left.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        self.stored.iter().map(|stored| self.modality.value(stored))
    }

    /// Whether the values are whole numbers of 8 bits, as stored.
    pub(crate) fn is_eight_bits(&self) -> bool {
        matches!(self.stored, Stored::U8(_) | Stored::I8(_)) && self.modality == Modality::Identity
    }

    /// The smallest and the largest value, padding and what is no finite number left out; `None` where nothing else is
    /// there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::TooLarge`] where the machine has no memory for a table.
    pub fn range(&self) -> Result<Option<(f64, f64)>> {
        let is_picture = |stored: f64| self.padding.is_none_or(|padding| !padding.contains(stored));
        let ends = |stored: &mut dyn Iterator<Item = f64>| {
            let values =
                stored.filter(|stored| is_picture(*stored)).map(|stored| self.modality.value(stored));
            values.filter(|value| value.is_finite()).fold(None, |ends, value| {
                let (low, high) = ends.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            })
        };
        Ok(match self.distinct()? {
            Some(distinct) => ends(&mut distinct.into_iter()),
            None => ends(&mut self.stored.iter()),
        })
    }

    /// `f` of each value, row-major from the top left. Whole numbers of up to 16 bits go through a table: `f` is asked
    /// once for each that may occur.
    ///
    /// # Errors
    /// [`crate::ErrorKind::TooLarge`] where the machine has no memory for the result.
    pub fn map<T: Copy>(&self, f: impl Fn(f64) -> T) -> Result<Vec<T>> {
        let of = |stored: f64| f(self.modality.value(stored));
        match self.stored {
            Stored::U8(v) => through_table(v, 1 << 8, usize::from, |idx| of(f64::from(idx as u8))),
            Stored::I8(v) => {
                through_table(v, 1 << 8, |s| usize::from(s as u8), |idx| of(f64::from(idx as u8 as i8)))
            }
            Stored::U16(v) => through_table(v, 1 << 16, usize::from, |idx| of(f64::from(idx as u16))),
            Stored::I16(v) => {
                through_table(v, 1 << 16, |s| usize::from(s as u16), |idx| of(f64::from(idx as u16 as i16)))
            }
            other => each!(other, v => one_by_one(v, of)),
        }
    }

    /// The stored values that occur, each once, where they have up to 16 bits.
    fn distinct(&self) -> Result<Option<Vec<f64>>> {
        Ok(match self.stored {
            Stored::U8(v) => Some(occurring(v, 1 << 8, usize::from, |idx| f64::from(idx as u8))?),
            Stored::I8(v) => {
                Some(occurring(v, 1 << 8, |s| usize::from(s as u8), |idx| f64::from(idx as u8 as i8))?)
            }
            Stored::U16(v) => Some(occurring(v, 1 << 16, usize::from, |idx| f64::from(idx as u16))?),
            Stored::I16(v) => {
                Some(occurring(v, 1 << 16, |s| usize::from(s as u16), |idx| f64::from(idx as u16 as i16))?)
            }
            _ => None,
        })
    }
}

/// `of` each sample, by a table of `n` entries; sample by sample where the table would be more work.
fn through_table<S: AsF64, T: Copy>(
    samples: &[S],
    n: usize,
    idx_of: impl Fn(S) -> usize,
    of: impl Fn(usize) -> T,
) -> Result<Vec<T>> {
    let mut results = reserve(samples.len())?;
    if samples.len() < n {
        results.extend(samples.iter().map(|sample| of(idx_of(*sample))));
        return Ok(results);
    }
    let mut table = reserve(n)?;
    table.extend((0..n).map(of));
    results.extend(samples.iter().map(|sample| table[idx_of(*sample)]));
    Ok(results)
}

fn one_by_one<S: AsF64, T>(samples: &[S], of: impl Fn(f64) -> T) -> Result<Vec<T>> {
    let mut results = reserve(samples.len())?;
    results.extend(samples.iter().map(|sample| of(sample.as_f64())));
    Ok(results)
}

fn occurring<S: Copy>(
    samples: &[S],
    n: usize,
    idx_of: impl Fn(S) -> usize,
    value: impl Fn(usize) -> f64,
) -> Result<Vec<f64>> {
    let mut seen: Vec<bool> = filled(n)?;
    for sample in samples {
        seen[idx_of(*sample)] = true;
    }
    Ok(seen.iter().enumerate().filter(|(_, is_seen)| **is_seen).map(|(idx, _)| value(idx)).collect())
}
