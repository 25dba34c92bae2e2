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

impl Mapping {
    /// The point of the source that the view shows at `(x, y)`, `None` where the view was padded.
    #[must_use]
    pub fn to_source(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let Region { left, top, width, height } = self.content;
        let is_inside =
            |value: f64, first: usize, n: usize| value >= first as f64 && value < (first + n) as f64;
        let [[a, b, c], [d, e, f]] = self.view_to_source;
        (is_inside(x, left, width) && is_inside(y, top, height))
            .then_some((a * x + b * y + c, d * x + e * y + f))
    }
}
