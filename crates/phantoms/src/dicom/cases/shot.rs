//! A picture with what its file says of it: the start of every case.

use super::super::gray::Gray;
use super::super::truth::Tolerances;
use super::super::{Case, DicomFile, Display, FrameTruth, Known, Layout, Truth};
use crate::random::Random;

/// Stored values, how they lie, and what they stand for.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub layout: Layout,
    /// Of all frames, the samples of a pixel side by side.
    pub values: Vec<i64>,
    pub gray: Gray,
    pub tolerance: f64,
}

impl Shot {
    /// A picture with every kind of value that the layout can store.
    pub fn new(layout: Layout) -> Self {
        let values = pattern(&layout);
        Self { layout, values, gray: Gray::new(), tolerance: 0.0 }
    }

    /// The same with a change.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The values of a frame as a coder takes them: the lowest bits, without a sign.
    pub fn coded(&self, frame: usize) -> Vec<u16> {
        let mask = (1_i64 << self.layout.bits_stored) - 1;
        let n = self.layout.n_values();
        self.values[frame * n..(frame + 1) * n].iter().map(|value| (value & mask) as u16).collect()
    }

    /// The file without pixels.
    pub fn file(&self, name: &str) -> DicomFile {
        self.gray.put(DicomFile::new(name).layout(self.layout))
    }

    /// The case of uncompressed pixels in explicit little endian.
    pub fn native(&self, name: &str) -> Case {
        self.case(name, self.file(name).native(self.layout, &self.values).written())
    }

    /// The case of these bytes.
    pub fn case(&self, name: &str, bytes: Vec<u8>) -> Case {
        Case { name: name.to_owned(), bytes, truth: Truth::Known(self.known()) }
    }

    /// What is true: gray goes through the pipeline, RGB stays as it is.
    pub fn known(&self) -> Known {
        let stored: Vec<f64> = self.values.iter().map(|value| *value as f64).collect();
        let frames = stored.chunks(self.layout.n_values()).map(|frame| self.frame(frame)).collect();
        Known {
            columns: self.layout.columns.into(),
            rows: self.layout.rows.into(),
            frames,
            tolerances: Tolerances::of_stored(self.tolerance),
            says: Vec::new(),
        }
    }

    /// A frame of stored values.
    pub fn frame(&self, stored: &[f64]) -> FrameTruth {
        let modality: Vec<f64> = match self.layout.n_components {
            1 => stored.iter().map(|value| self.gray.value(*value)).collect(),
            _ => stored.to_vec(),
        };
        let displays = if self.layout.n_components == 1 {
            self.gray.displays(stored, &modality)
        } else {
            let most = f64::from((1_u32 << self.layout.bits_stored) - 1);
            let levels = stored.iter().map(|value| value / most * 255.0).collect();
            vec![Display { choice: 0, explanation: None, levels }]
        };
        FrameTruth { stored: stored.to_vec(), modality, displays }
    }
}

/// Values over the whole range of a layout: the ends first, then a slope with noise, so that runs, small and large
/// differences all occur.
pub(crate) fn pattern(layout: &Layout) -> Vec<i64> {
    let bits = u32::from(layout.bits_stored);
    let (low, high) = if layout.is_signed {
        (-(1_i64 << (bits - 1)), (1_i64 << (bits - 1)) - 1)
    } else {
        (0, (1_i64 << bits) - 1)
    };
    let mut random = Random::new(u64::from(bits), 11);
    let n = layout.n_values() * layout.n_frames.unwrap_or(1) as usize;
    let span = (high - low) as u64;
    (0..n)
        .map(|i| match i {
            0 => low,
            1 => high,
            2 => low + (high - low) / 2,
            // A quarter of the picture is flat, the rest climbs and jumps.
            _ if i % 16 < 4 => low + (span / 3) as i64,
            _ if i % 5 == 0 => low + (random.next() % (span + 1)) as i64,
            _ => low + (span * (i as u64 % 31) / 31) as i64,
        })
        .collect()
}
