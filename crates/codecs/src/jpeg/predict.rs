//! Predictions of lossless coding (T.81, H.1.2.1).

use super::corrupt;
use crate::Result;

/// Which neighbours a sample is predicted from: 1 to 7 of T.81, table H.1.
#[derive(Clone, Copy)]
pub(super) struct Predictor(u8);

impl Predictor {
    /// # Errors
    /// If the number is not 1 to 7; 0 belongs to hierarchical coding.
    pub fn of(number: u8) -> Result<Self> {
        match number {
            1..=7 => Ok(Self(number)),
            _ => Err(corrupt(format!("expected a predictor of 1 to 7, found {number}"))),
        }
    }
}

/// Two rows of `N` components side by side: one becomes samples while the one above is known.
pub(super) struct Neighbours<const N: usize> {
    predictor: Predictor,
    /// What the first sample is predicted to be.
    middle: u16,
    above: Vec<[u16; N]>,
    row: Vec<[u16; N]>,
    is_first: bool,
}

impl<const N: usize> Neighbours<N> {
    pub fn new(predictor: Predictor, middle: u16, width: usize) -> Result<Self> {
        let rows = || {
            let mut row = crate::memory::reserve(width)?;
            row.resize(width, [0; N]);
            Ok(row)
        };
        Ok(Self { predictor, middle, above: rows()?, row: rows()?, is_first: true })
    }

    /// The next row is predicted as the first one.
    pub fn restart(&mut self) {
        self.is_first = true;
    }

    /// The row to fill with differences.
    pub fn row(&mut self) -> &mut [[u16; N]] {
        &mut self.row
    }

    /// Turns the row's differences into samples; it is then the row above.
    pub fn predict(&mut self) -> &[[u16; N]] {
        let (row, above) = (&mut self.row, &self.above);
        if std::mem::take(&mut self.is_first) {
            run(row, [self.middle; N], above, |left, _, _| left);
        } else {
            let up = above.first().copied().unwrap_or([0; N]);
            match self.predictor.0 {
                1 => run(row, up, above, |left, _, _| left),
                2 => run(row, up, above, |_, up, _| up),
                3 => run(row, up, above, |_, _, corner| corner),
                4 => run(row, up, above, |left, up, corner| left + up - corner),
                5 => run(row, up, above, |left, up, corner| left + ((up - corner) >> 1)),
                6 => run(row, up, above, |left, up, corner| up + ((left - corner) >> 1)),
                _ => run(row, up, above, |left, up, _| (left + up) >> 1),
            }
        }
        std::mem::swap(&mut self.row, &mut self.above);
        &self.above
    }
}

/// Adds its prediction to each difference: `first` to the leftmost, then what `predict` makes of the left, the upper
/// and the upper left neighbour.
#[inline(always)]
fn run<const N: usize>(
    row: &mut [[u16; N]],
    first: [u16; N],
    above: &[[u16; N]],
    predict: impl Fn(i32, i32, i32) -> i32,
) {
    let Some((start, rest)) = row.split_first_mut() else { return };
    let mut left = *start;
    for (left, first) in left.iter_mut().zip(first) {
        *left = left.wrapping_add(first);
    }
    *start = left;
    for (pixel, above) in rest.iter_mut().zip(above.windows(2)) {
        for n in 0..N {
            let predicted = predict(i32::from(left[n]), i32::from(above[1][n]), i32::from(above[0][n]));
            // Predictions have more bits than samples, and both wrap around.
            left[n] = pixel[n].wrapping_add(predicted as u16);
        }
        *pixel = left;
    }
}
