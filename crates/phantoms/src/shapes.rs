//! Soft-edged shapes. Lengths are in units of half the film's width; x from the middle to the right, y down from the top.

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// An ellipse, turned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ellipse {
    pub x: f32,
    pub y: f32,
    pub rx: f32,
    pub ry: f32,
    /// Direction of the first axis as a vector of length 1.
    pub along: (f32, f32),
}

impl Ellipse {
    pub fn upright(x: f32, y: f32, rx: f32, ry: f32) -> Self {
        Self { x, y, rx, ry, along: (1.0, 0.0) }
    }

    /// `run` right and `fall` down for each step along the first axis.
    pub fn turned(mut self, run: f32, fall: f32) -> Self {
        let length = (run * run + fall * fall).sqrt();
        self.along = (run / length, fall / length);
        self
    }

    /// Distance from the middle in radii: 1 on the edge.
    pub fn radius(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        let (ax, ay) = self.along;
        let u = (dx * ax + dy * ay) / self.rx;
        let v = (dy * ax - dx * ay) / self.ry;
        (u * u + v * v).sqrt()
    }

    /// 1 inside, 0 outside, `softness` radii of transition.
    pub fn inside(&self, x: f32, y: f32, softness: f32) -> f32 {
        1.0 - step(1.0 - softness, 1.0 + softness, self.radius(x, y))
    }

    /// How much of a solid ellipsoid a ray passes through: 1 in the middle, 0 at the edge.
    pub fn depth(&self, x: f32, y: f32) -> f32 {
        let r = self.radius(x, y);
        (1.0 - r * r).max(0.0).sqrt()
    }

    /// Half the width and half the height of the box around it.
    pub fn half_box(&self) -> (f32, f32) {
        let (ax, ay) = self.along;
        let half = |u: f32, v: f32| (u * u + v * v).sqrt();
        (half(self.rx * ax, self.ry * ay), half(self.rx * ay, self.ry * ax))
    }
}

/// Distance of a point from a segment, and how far along (0 to 1) the nearest point lies.
pub(crate) fn segment(x: f32, y: f32, from: (f32, f32), to: (f32, f32)) -> (f32, f32) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let t = (((x - from.0) * dx + (y - from.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    let (ex, ey) = (x - from.0 - t * dx, y - from.1 - t * dy);
    ((ex * ex + ey * ey).sqrt(), t)
}
