//! Attenuation over the film, in units of half its width.

/// A grid of attenuations: 0 is air, 1 about the thickest of the body.
pub(crate) struct Canvas {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// A box in canvas coordinates.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub left: f32,
    pub right: f32,
    pub top: f32,
    pub bottom: f32,
}

impl Bounds {
    pub const ALL: Self = Self { left: f32::MIN, right: f32::MAX, top: f32::MIN, bottom: f32::MAX };

    pub fn around(x: f32, y: f32, half_width: f32, half_height: f32) -> Self {
        Self { left: x - half_width, right: x + half_width, top: y - half_height, bottom: y + half_height }
    }
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0.0; width * height] }
    }

    /// Replaces every value within `bounds` by what `change` makes of place and value.
    pub fn change(&mut self, bounds: Bounds, mut change: impl FnMut(f32, f32, f32) -> f32) {
        let half = self.width as f32 / 2.0;
        let pixel = |value: f32, n: usize| value.clamp(0.0, n as f32) as usize;
        let columns =
            pixel(bounds.left * half + half, self.width)..pixel(bounds.right * half + half + 1.0, self.width);
        for row in pixel(bounds.top * half, self.height)..pixel(bounds.bottom * half + 1.0, self.height) {
            let y = (row as f32 + 0.5) / half;
            for column in columns.clone() {
                let x = (column as f32 + 0.5) / half - 1.0;
                let value = &mut self.values[row * self.width + column];
                *value = change(x, y, *value);
            }
        }
    }

    /// Averages over squares of `2 * reach + 1` pixels, as focus and screen do; pixels beyond the edge count as the edge.
    pub fn blur(&mut self, reach: usize) {
        for (stride, n, n_lines, line) in
            [(1, self.width, self.height, self.width), (self.width, self.height, self.width, 1)]
        {
            let mut row = vec![0.0; n];
            for first in (0..n_lines).map(|index| index * line) {
                for (place, value) in row.iter_mut().enumerate() {
                    *value = self.values[first + place * stride];
                }
                for place in 0..n {
                    let sum: f32 =
                        (0..=2 * reach).map(|k| row[(place + k).saturating_sub(reach).min(n - 1)]).sum();
                    self.values[first + place * stride] = sum / (2 * reach + 1) as f32;
                }
            }
        }
    }
}
