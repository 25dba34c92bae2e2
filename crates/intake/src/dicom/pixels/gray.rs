//! Gray values of a frame after the modality rule.

use super::modality::Modality;
use super::padding::Padding;
use super::stored::{AsF64, Stored, each};
use crate::Result;
use crate::memory::reserve;

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
    #[must_use]
    pub fn iter(&self) -> Values<'_> {
        // Without memory for a table, each value is computed.
        Values { gray: self, table: self.table(|value| value).unwrap_or_default(), idx: 0 }
    }

    /// Whether the values are whole numbers of 8 bits, as stored.
    pub(crate) fn is_eight_bits(&self) -> bool {
        matches!(self.stored, Stored::U8(_) | Stored::I8(_)) && self.modality == Modality::Identity
    }

    /// The smallest and the largest value, padding and what is no finite number left out; `None` where nothing else is
    /// there.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        let is_picture = |stored: f64| self.padding.is_none_or(|padding| !padding.contains(stored));
        let ends = |stored: &mut dyn Iterator<Item = f64>| {
            let values =
                stored.filter(|stored| is_picture(*stored)).map(|stored| self.modality.value(stored));
            values.filter(|value| value.is_finite()).fold(None, |ends, value| {
                let (low, high) = ends.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            })
        };
        match self.stored {
            Stored::U8(v) => ends(&mut occurring(v, 1 << 8, usize::from).map(|idx| f64::from(idx as u8))),
            Stored::I8(v) => ends(
                &mut occurring(v, 1 << 8, |s| usize::from(s as u8)).map(|idx| f64::from(idx as u8 as i8)),
            ),
            Stored::U16(v) => ends(&mut occurring(v, 1 << 16, usize::from).map(|idx| f64::from(idx as u16))),
            Stored::I16(v) => ends(
                &mut occurring(v, 1 << 16, |s| usize::from(s as u16)).map(|idx| f64::from(idx as u16 as i16)),
            ),
            other => each!(other, v => ends(&mut v.iter().map(|s| s.as_f64()))),
        }
    }

    /// `f` of each value, row-major from the top left. Whole numbers of up to 16 bits go through a table: `f` is asked
    /// once for each that may occur.
    ///
    /// # Errors
    /// [`crate::ErrorKind::TooLarge`] where the machine has no memory for the result.
    pub fn map<T: Copy>(&self, f: impl Fn(f64) -> T) -> Result<Vec<T>> {
        let table = self.table(&f)?;
        match self.stored {
            Stored::U8(v) if !table.is_empty() => looked_up(v, |s| table[usize::from(s)]),
            Stored::I8(v) if !table.is_empty() => looked_up(v, |s| table[usize::from(s as u8)]),
            Stored::U16(v) if !table.is_empty() => looked_up(v, |s| table[usize::from(s)]),
            Stored::I16(v) if !table.is_empty() => looked_up(v, |s| table[usize::from(s as u16)]),
            other => each!(other, v => looked_up(v, |s| f(self.modality.value(s.as_f64())))),
        }
    }

    /// `f` of the value of every sample that there may be, by the sample's bits; empty where the samples have more than
    /// 16 bits, and where there are too few of them to be worth a table.
    fn table<T>(&self, f: impl Fn(f64) -> T) -> Result<Vec<T>> {
        let n = match self.stored {
            Stored::U8(_) | Stored::I8(_) => 1 << 8,
            Stored::U16(_) | Stored::I16(_) => 1 << 16,
            _ => 0,
        };
        if self.stored.len() < n {
            return Ok(Vec::new());
        }
        let of_bits = |bits: u16| match self.stored {
            Stored::I8(_) => f64::from(bits as i8),
            Stored::I16(_) => f64::from(bits as i16),
            _ => f64::from(bits),
        };
        let mut table = reserve(n)?;
        table.extend((0..n).map(|bits| f(self.modality.value(of_bits(bits as u16)))));
        Ok(table)
    }
}

/// The modality values of a frame, one after the other.
#[derive(Debug)]
pub struct Values<'g> {
    gray: &'g Gray<'g>,
    table: Vec<f64>,
    idx: usize,
}

impl Iterator for Values<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let idx = self.idx;
        self.idx += 1;
        let bits = match self.gray.stored {
            Stored::U8(v) => v.get(idx).map(|s| usize::from(*s)),
            Stored::I8(v) => v.get(idx).map(|s| usize::from(*s as u8)),
            Stored::U16(v) => v.get(idx).map(|s| usize::from(*s)),
            Stored::I16(v) => v.get(idx).map(|s| usize::from(*s as u16)),
            _ => None,
        };
        match bits.and_then(|bits| self.table.get(bits)) {
            Some(value) => Some(*value),
            None => self.gray.stored.get(idx).map(|stored| self.gray.modality.value(stored)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.gray.stored.len().saturating_sub(self.idx);
        (n, Some(n))
    }
}

impl ExactSizeIterator for Values<'_> {}

fn looked_up<S: Copy, T>(samples: &[S], of: impl Fn(S) -> T) -> Result<Vec<T>> {
    let mut results = reserve(samples.len())?;
    results.extend(samples.iter().map(|sample| of(*sample)));
    Ok(results)
}

/// The samples that occur, each once, by their bits.
fn occurring<S: Copy>(samples: &[S], n: usize, bits: impl Fn(S) -> usize) -> impl Iterator<Item = usize> {
    let mut seen = vec![false; n];
    for sample in samples {
        seen[bits(*sample)] = true;
    }
    seen.into_iter().enumerate().filter_map(|(idx, is_seen)| is_seen.then_some(idx))
}
