//! The way between pixels of a view and pixels of the file that it was made from.

use serde::{Deserialize, Serialize};

/// An affine map from a view to its source, and the part of the view that shows the source.
///
/// Coordinates are continuous and in pixels: x to the right, y down, `(0, 0)` the outer corner of the top left pixel,
/// so that pixel `(i, j)` covers `[i, i+1) × [j, j+1)` and its centre is `(i + 0.5, j + 0.5)`. The source is the picture
/// as the file stores it, before its orientation is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// `[[a, b, c], [d, e, f]]`: `x_source = a·x + b·y + c`, `y_source = d·x + e·y + f`.
    pub view_to_source: [[f64; 3]; 2],
    /// Width of the source in pixels.
    pub source_width: usize,
    /// Height of the source in pixels.
    pub source_height: usize,
    /// The part of the view that shows the source; what lies outside of it was added.
    pub content: Region,
}

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Region {
    /// Whether a point lies inside.
    #[must_use]
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let inside = |value: f64, first: usize, n: usize| value >= first as f64 && value < (first + n) as f64;
        inside(x, self.left, self.width) && inside(y, self.top, self.height)
    }
}

impl Mapping {
    /// The point of the source that the view shows at `(x, y)`; outside of the source where the view was padded.
    #[must_use]
    pub fn to_source(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.view_to_source;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// The point of the view that shows `(x, y)` of the source.
    #[must_use]
    pub fn from_source(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.view_to_source;
        let determinant = a * e - b * d;
        let (x, y) = (x - c, y - f);
        ((e * x - b * y) / determinant, (a * y - d * x) / determinant)
    }

    /// The pixel of the source under a pixel of the view, `None` where the view was padded.
    #[must_use]
    pub fn to_source_pixel(&self, column: usize, row: usize) -> Option<(usize, usize)> {
        let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
        if !self.content.contains(x, y) {
            return None;
        }
        let (x, y) = self.to_source(x, y);
        Some((x as usize, y as usize))
    }
}
