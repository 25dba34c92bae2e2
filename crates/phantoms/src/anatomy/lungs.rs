//! A lung: air between the ribs, the mediastinum and the dome of the diaphragm, with vessels.

use crate::canvas::{Bounds, Canvas};
use crate::film::Side;
use crate::random::Random;
use crate::shapes::{Ellipse, segment, step};

/// Distance of the mediastinum from the middle.
const MEDIAL: f32 = 0.115;

/// One lung. Inside, x counts from the middle outward.
pub(super) struct Lung {
    sign: f32,
    /// Apex.
    pub top: f32,
    /// The lowest place, in the angle between ribs and diaphragm.
    base: f32,
    /// Greatest distance of the outer border from the middle.
    reach: f32,
    /// How far the dome rises above the outer angle.
    rise: f32,
    /// Height of the hilum.
    root: f32,
    vessels: Vec<Vessel>,
}

/// A piece of a vessel, thinner towards its end.
struct Vessel {
    from: (f32, f32),
    to: (f32, f32),
    radius: f32,
    density: f32,
}

impl Lung {
    pub fn new(side: Side, top: f32, base: f32, reach: f32, random: &mut Random) -> Self {
        let sign = if side == Side::Right { -1.0 } else { 1.0 };
        let rise = random.between(0.17, 0.22);
        let root = top + random.between(0.60, 0.64);
        let mut lung = Self { sign, top, base, reach, rise, root, vessels: Vec::new() };
        let hilum = (0.19, root);
        for index in 0..13 {
            // A fan from straight up over outward to straight down.
            let t = (index as f32 + random.between(0.1, 0.9)) / 13.0;
            let (out, down) = (1.0 - (2.0 * t - 1.0) * (2.0 * t - 1.0) * 0.8, 2.6 * t - 1.15);
            let from = (hilum.0 + random.between(-0.035, 0.03), hilum.1 + random.between(-0.08, 0.09));
            lung.grow(from, (out, down), random.between(0.18, 0.32), 0.017, 4, random);
        }
        lung
    }

    /// A vessel and its branches.
    fn grow(
        &mut self,
        from: (f32, f32),
        towards: (f32, f32),
        length: f32,
        radius: f32,
        generations: u32,
        random: &mut Random,
    ) {
        let norm = (towards.0 * towards.0 + towards.1 * towards.1).sqrt();
        let (dx, dy) = (towards.0 / norm, towards.1 / norm);
        let to = (from.0 + dx * length, from.1 + dy * length);
        self.vessels.push(Vessel { from, to, radius, density: 3.0 * radius });
        if generations > 1 {
            for _ in 0..2 {
                let bend = random.between(-0.55, 0.55);
                let next = (dx - dy * bend, dy + dx * bend);
                let (shorter, thinner) = (random.between(0.6, 0.85), random.between(0.55, 0.72));
                self.grow(to, next, length * shorter, radius * thinner, generations - 1, random);
            }
        }
    }

    /// Distance from the middle of the outer border at height `y`; 0 above the apex.
    fn lateral(&self, y: f32) -> f32 {
        // A quarter of an ellipse from the apex to the widest place, then nearly straight.
        let widest = self.base - 0.28;
        let t = ((widest - y) / (widest - self.top)).clamp(0.0, 1.0);
        let bulge = (1.0 - t * t * t).max(0.0).sqrt();
        0.10 + (self.reach - 0.10) * bulge
    }

    /// Height of the diaphragm at `x`: highest a third of the way out, lowest in the outer angle.
    pub fn dome(&self, x: f32) -> f32 {
        let t = ((x * self.sign - MEDIAL) / (self.reach - MEDIAL)).clamp(-0.2, 1.0);
        let outward = ((t - 0.36) / 0.64).max(0.0);
        let inward = ((0.36 - t) / 0.56).max(0.0);
        self.base - self.rise + self.rise * (outward * outward * outward).max(0.35 * inward * inward)
    }

    /// 1 where the lung is, 0 outside, soft at the borders.
    pub fn field(&self, x: f32, y: f32) -> f32 {
        let out = x * self.sign;
        let lateral = self.lateral(y);
        let medial = MEDIAL + 0.03 * step(0.25, 0.0, y - self.top);
        step(medial - 0.02, medial + 0.03, out)
            * (1.0 - step(lateral - 0.035, lateral, out))
            * step(0.0, 0.06, y - self.top)
            * (1.0 - step(-0.02, 0.01, y - self.dome(x)))
    }

    /// How much air a ray meets: most in the middle of the lung, less towards its borders.
    pub fn air(&self, x: f32, y: f32) -> f32 {
        let out = x * self.sign;
        let lateral = self.lateral(y);
        let t = ((out - MEDIAL) / (lateral - MEDIAL).max(0.05)).clamp(0.0, 1.0);
        let across = 1.0 - (2.0 * t - 1.0) * (2.0 * t - 1.0);
        let below = step(0.0, 0.55, y - self.top);
        self.field(x, y) * (0.60 + 0.40 * across) * (0.84 + 0.16 * below)
    }

    /// 1 where ribs can be seen: the lung and the wall around it, fading below the diaphragm.
    pub fn cage(&self, x: f32, y: f32) -> f32 {
        let out = x * self.sign;
        let wall = self.lateral(y) + 0.045;
        let faded = 1.0 - 0.7 * step(-0.02, 0.05, y - self.dome(x));
        (1.0 - step(wall - 0.02, wall, out)) * faded * step(-0.08, -0.02, y - self.top)
    }

    /// A place inside: `height` from apex (0) to dome (1), `outward` from the mediastinum (0) to the ribs (1).
    pub fn place(&self, height: f32, outward: f32) -> (f32, f32) {
        let lowest = self.dome(self.sign * (MEDIAL + outward * (self.reach - MEDIAL)));
        let y = self.top + height * (lowest - self.top);
        (self.sign * (MEDIAL + outward * (self.lateral(y) - MEDIAL)), y)
    }

    /// Box around the lung.
    pub fn bounds(&self) -> Bounds {
        let (inner, outer) = (self.sign * MEDIAL, self.sign * self.reach);
        Bounds { left: inner.min(outer), right: inner.max(outer), top: self.top, bottom: self.base }
    }

    /// Adds hilum and vessels; `visible` is 1 where lung stands before them and less where something solid does.
    pub fn draw_vessels(&self, canvas: &mut Canvas, visible: impl Fn(f32, f32) -> f32) {
        // The hilum: the great vessels, soft and without a border of their own.
        let root = Ellipse::upright(self.sign * 0.165, self.root, 0.075, 0.15);
        canvas.change(Bounds::around(root.x, root.y, 0.25, 0.4), |x, y, value| {
            value + 0.10 * root.inside(x, y, 0.75) * self.field(x, y) * visible(x, y)
        });
        for vessel in &self.vessels {
            let place = |(out, y): (f32, f32)| (out * self.sign, y);
            let (from, to) = (place(vessel.from), place(vessel.to));
            let bounds = Bounds {
                left: from.0.min(to.0) - 0.04,
                right: from.0.max(to.0) + 0.04,
                top: from.1.min(to.1) - 0.04,
                bottom: from.1.max(to.1) + 0.04,
            };
            canvas.change(bounds, |x, y, value| {
                let (distance, t) = segment(x, y, from, to);
                let radius = vessel.radius * (1.0 - 0.4 * t);
                let r = distance / radius;
                if r >= 1.6 {
                    return value;
                }
                value
                    + vessel.density
                        * (1.0 - 0.35 * t)
                        * (1.0 - step(0.2, 1.6, r))
                        * self.field(x, y)
                        * visible(x, y)
            });
        }
    }
}
