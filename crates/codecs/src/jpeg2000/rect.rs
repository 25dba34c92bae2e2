//! Rectangles on the reference grid and on the grids that follow from it.

/// Columns `x0..x1` and rows `y0..y1`; may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x0: u32,
    pub(super) y0: u32,
    pub(super) x1: u32,
    pub(super) y1: u32,
}

impl Rect {
    pub(super) fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0) as usize
    }

    pub(super) fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0) as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    /// What both have in common.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// Applies the same rule to all four edges, columns with the first argument 0 and rows with 1.
    pub(super) fn map(&self, rule: impl Fn(usize, u32) -> u32) -> Self {
        Self { x0: rule(0, self.x0), y0: rule(1, self.y0), x1: rule(0, self.x1), y1: rule(1, self.y1) }
    }
}
