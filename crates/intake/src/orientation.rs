//! The eight ways in which the rows and columns of a file can stand to the upright picture.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, Samples};

/// An EXIF or TIFF orientation, 1 to 8 (EXIF 2.3, tag 0x0112): where the first row and column of the file belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Orientation(u8);

impl Orientation {
    /// The file stores the picture upright.
    pub const UPRIGHT: Self = Self(1);

    /// The EXIF number, 1 to 8.
    #[must_use]
    pub fn exif(self) -> u8 {
        self.0
    }

    /// Whether rows of the file become columns of the picture.
    #[must_use]
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Where a point of the upright picture lies in the file: `[[a, b, c], [d, e, f]]` with
    /// `x_file = a·x + b·y + c`, `y_file = d·x + e·y + f`.
    ///
    /// Coordinates are continuous: pixel `(i, j)` covers `[i, i+1) × [j, j+1)`. `stored_width` and `stored_height` are
    /// the sides of the picture as stored in the file, in pixels.
    #[must_use]
    pub fn to_stored(self, stored_width: usize, stored_height: usize) -> [[f64; 3]; 2] {
        let (w, h) = (stored_width as f64, stored_height as f64);
        match self.0 {
            2 => [[-1.0, 0.0, w], [0.0, 1.0, 0.0]],
            3 => [[-1.0, 0.0, w], [0.0, -1.0, h]],
            4 => [[1.0, 0.0, 0.0], [0.0, -1.0, h]],
            5 => [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
            6 => [[0.0, 1.0, 0.0], [-1.0, 0.0, h]],
            7 => [[0.0, -1.0, w], [-1.0, 0.0, h]],
            8 => [[0.0, -1.0, w], [1.0, 0.0, 0.0]],
            _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        }
    }

    /// Turns `samples` of a stored picture upright.
    pub(crate) fn apply(
        self,
        samples: Samples,
        stored_width: usize,
        stored_height: usize,
    ) -> Result<Samples> {
        if self == Self::UPRIGHT {
            return Ok(samples);
        }
        Ok(match samples {
            Samples::Gray8(v) => Samples::Gray8(self.turn::<u8, 1>(&v, stored_width, stored_height)?),
            Samples::Gray16(v) => Samples::Gray16(self.turn::<u16, 1>(&v, stored_width, stored_height)?),
            Samples::Rgb8(v) => Samples::Rgb8(self.turn::<u8, 3>(&v, stored_width, stored_height)?),
            Samples::Rgb16(v) => Samples::Rgb16(self.turn::<u16, 3>(&v, stored_width, stored_height)?),
            Samples::Values(_) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "orientation: expected one in picture files only, found one for gray values",
                ));
            }
        })
    }

    fn turn<T: Copy, const C: usize>(self, stored: &[T], width: usize, height: usize) -> Result<Vec<T>> {
        let mut upright = crate::memory::reserve(stored.len())?;
        let (out_width, out_height) = if self.swaps_sides() { (height, width) } else { (width, height) };
        for y in 0..out_height {
            for x in 0..out_width {
                let (column, row) = match self.0 {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    8 => (width - 1 - y, x),
                    _ => (x, y),
                };
                let first = (row * width + column) * C;
                upright.extend_from_slice(&stored[first..first + C]);
            }
        }
        Ok(upright)
    }
}

impl TryFrom<u8> for Orientation {
    type Error = Error;

    fn try_from(exif: u8) -> Result<Self> {
        if (1..=8).contains(&exif) {
            Ok(Self(exif))
        } else {
            Err(Error::new(ErrorKind::Corrupt, format!("orientation: expected 1 to 8, found {exif}")))
        }
    }
}

impl From<Orientation> for u8 {
    fn from(orientation: Orientation) -> Self {
        orientation.0
    }
}
