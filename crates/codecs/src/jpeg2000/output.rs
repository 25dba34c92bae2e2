//! Decoded rows to the samples of the picture: rounded, shifted back and clamped (T.800, annex G.1).

use crate::{Outline, Picture, Result, Samples, memory};

/// The values that samples may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    /// Added to what was decoded: half the range where samples are unsigned.
    shift: i32,
    least: i32,
    most: i32,
}

impl Levels {
    /// Of samples of `bits` bits, 1 to 16.
    pub(super) fn new(bits: u8, is_signed: bool) -> Self {
        let half = 1 << (bits - 1);
        if is_signed {
            Self { shift: 0, least: -half, most: half - 1 }
        } else {
            Self { shift: half, least: 0, most: 2 * half - 1 }
        }
    }
}

/// A decoded value.
pub(super) trait Sample: Copy {
    /// The sample that it stands for.
    fn sample(self, levels: Levels) -> i32;
}

impl Sample for i32 {
    #[inline(always)]
    fn sample(self, levels: Levels) -> i32 {
        self.saturating_add(levels.shift).clamp(levels.least, levels.most)
    }
}

impl Sample for f32 {
    /// Rounds to the nearest integer, halves to even: adding 1.5 · 2²³ leaves the integer in the low bits.
    #[inline(always)]
    fn sample(self, levels: Levels) -> i32 {
        const SHIFTER: f32 = 12_582_912.0;
        let (least, most) = ((levels.least - levels.shift) as f32, (levels.most - levels.shift) as f32);
        let value = self.max(least).min(most) + SHIFTER;
        (value.to_bits() as i32).wrapping_sub(SHIFTER.to_bits() as i32) + levels.shift
    }
}

/// The picture while it is decoded.
#[derive(Debug)]
pub(super) struct Canvas {
    outline: Outline,
    samples: Samples,
}

impl Canvas {
    /// A canvas of `n` samples.
    pub(super) fn new(outline: Outline, n: usize) -> Result<Self> {
        let samples = if outline.bits <= 8 {
            Samples::U8(memory::filled(n)?)
        } else {
            Samples::U16(memory::filled(n)?)
        };
        Ok(Self { outline, samples })
    }

    /// Writes row `y` of component `c` of a tile at column and row `offset`.
    pub(super) fn put<T: Sample>(
        &mut self,
        offset: (usize, usize),
        y: usize,
        c: usize,
        row: &[T],
        levels: Levels,
    ) {
        let n = self.outline.n_components;
        let first = ((offset.1 + y) * self.outline.width + offset.0) * n;
        let range = first..first + row.len() * n;
        match &mut self.samples {
            Samples::U8(all) => write(&mut all[range], n, c, row.iter().map(|v| v.sample(levels) as u8)),
            Samples::U16(all) => write(&mut all[range], n, c, row.iter().map(|v| v.sample(levels) as u16)),
        }
    }

    /// The picture.
    pub(super) fn picture(self) -> Picture {
        Picture { outline: self.outline, samples: self.samples }
    }
}

/// Writes samples of component `c` of `n`.
#[inline(always)]
fn write<S>(to: &mut [S], n: usize, c: usize, samples: impl Iterator<Item = S>) {
    match n {
        1 => to.iter_mut().zip(samples).for_each(|(to, sample)| *to = sample),
        3 => to.chunks_exact_mut(3).zip(samples).for_each(|(to, sample)| to[c] = sample),
        _ => to.chunks_exact_mut(n).zip(samples).for_each(|(to, sample)| to[c] = sample),
    }
}
