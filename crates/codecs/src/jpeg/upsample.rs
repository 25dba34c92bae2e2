//! Components with fewer samples than the picture, brought to its size as libjpeg does it (`jdsample.c`).
//!
//! Halves are smoothed: a new sample is three quarters of the nearest and one quarter of the next one. Other ratios,
//! and halves of two columns or fewer, repeat the nearest.

use super::sample::Sample;
use super::samples::Plane;

/// A component that gives the picture's rows.
pub(super) struct Upsampled<T> {
    plane: Plane<T>,
    /// Pixels of the picture a sample, across and down.
    factor: (usize, usize),
    /// The row that was asked for last, rounded up to whole samples of the component.
    row: Vec<T>,
    /// Sums of two rows of the component.
    sums: Vec<u16>,
}

impl<T: Sample> Upsampled<T> {
    pub fn new(plane: Plane<T>, factor: (usize, usize)) -> Self {
        let width = plane.layout.width;
        let row = if factor == (1, 1) { Vec::new() } else { vec![T::default(); width * factor.0] };
        Self { plane, factor, row, sums: vec![0; width] }
    }

    /// Row `y` of the picture; there may be a few samples more than the picture has columns.
    pub fn row(&mut self, y: usize) -> &[T] {
        let (width, height) = (self.plane.layout.width, self.plane.layout.height);
        let line = |row: usize| &self.plane.samples[row * width..(row + 1) * width];
        let row = y / self.factor.1;
        let near = line(row);
        // The nearest other row: above for the upper half of a sample, below for the lower; the edge repeats itself.
        let is_upper = y.is_multiple_of(self.factor.1);
        let far = line(if is_upper { row.saturating_sub(1) } else { (row + 1).min(height - 1) });
        match self.factor {
            (1, 1) => return near,
            (2, 1) if width > 2 => {
                widen(near, |sample| -> u32 { sample.into() }, (1, 2), 2, &mut self.row);
            }
            (1, 2) => {
                let bias = if is_upper { 1 } else { 2 };
                for ((out, near), far) in self.row.iter_mut().zip(near).zip(far) {
                    *out = T::of((3 * (*near).into() + (*far).into() + bias) >> 2);
                }
            }
            (2, 2) if width > 2 => {
                for ((sum, near), far) in self.sums.iter_mut().zip(near).zip(far) {
                    // At most four times 12 bits.
                    *sum = (3 * (*near).into() + (*far).into()) as u16;
                }
                widen(&self.sums, u32::from, (8, 7), 4, &mut self.row);
            }
            (across, _) => {
                for (out, sample) in self.row.chunks_exact_mut(across).zip(near) {
                    out.fill(*sample);
                }
            }
        }
        &self.row
    }
}

/// Doubles a row: each value becomes two, at three quarters of itself and a quarter of its neighbour.
///
/// `bias` is added for the left and the right one before `shift` divides; the ends are their own neighbours.
#[inline(always)]
fn widen<V: Copy, T: Sample>(
    values: &[V],
    number: impl Fn(V) -> u32,
    bias: (u32, u32),
    shift: u32,
    out: &mut [T],
) {
    let pair = |left: V, here: V, right: V| {
        let here = 3 * number(here);
        [T::of((here + number(left) + bias.0) >> shift), T::of((here + number(right) + bias.1) >> shift)]
    };
    let pairs = out.as_chunks_mut::<2>().0;
    for (out, window) in pairs.iter_mut().skip(1).zip(values.windows(3)) {
        *out = pair(window[0], window[1], window[2]);
    }
    if let ([first, .., last], [a, b, ..], [.., y, z]) = (pairs, values, values) {
        *first = pair(*a, *a, *b);
        *last = pair(*y, *z, *z);
    }
}
