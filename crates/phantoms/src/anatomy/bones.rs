//! Spine, ribs, clavicles and shoulder blades.

use crate::canvas::{Bounds, Canvas};
use crate::random::Random;
use crate::shapes::{Ellipse, segment, step};

/// Pairs of ribs that a film shows.
const N_RIBS: usize = 10;

pub(super) struct Bones {
    /// Height of the apices.
    top: f32,
    /// Distance of the outer border of the lungs from the middle.
    reach: f32,
    /// Distance from one rib to the next.
    spacing: f32,
    /// How much the hind part of a rib falls on its way out.
    fall: f32,
    /// How far the inner end of a clavicle stands above the apices; the outer end rises by `tilt` more.
    clavicle: f32,
    tilt: f32,
}

impl Bones {
    pub fn of(seed: u64, top: f32, reach: f32) -> Self {
        let mut random = Random::new(seed, 3);
        Self {
            top,
            reach,
            spacing: random.between(0.128, 0.138),
            fall: random.between(0.10, 0.18),
            clavicle: random.between(-0.14, -0.09),
            tilt: random.between(0.08, 0.14),
        }
    }

    /// Adds the bones; `cage` says where ribs can be seen.
    pub fn draw(&self, canvas: &mut Canvas, cage: impl Fn(f32, f32) -> f32) {
        self.draw_spine(canvas);
        for rib in 0..N_RIBS {
            self.draw_rib(canvas, rib as f32, &cage);
        }
        for sign in [-1.0, 1.0] {
            self.draw_clavicle(canvas, sign);
            // Shoulder blade and head of the humerus, mostly outside of the lungs.
            let blade = Ellipse::upright(sign * 0.83, self.top + 0.50, 0.34, 0.12).turned(sign * 0.22, 1.0);
            canvas.change(Bounds::around(blade.x, blade.y, 0.4, 0.4), |x, y, value| {
                let r = blade.radius(x, y);
                let rim = step(0.80, 0.95, r) * (1.0 - step(0.97, 1.05, r));
                value + 0.05 * (1.0 - step(0.9, 1.05, r)) + 0.03 * rim
            });
            let head = Ellipse::upright(sign * 0.99, self.top + 0.06, 0.13, 0.13);
            canvas.change(Bounds::around(head.x, head.y, 0.2, 0.2), |x, y, value| {
                value + 0.16 * head.inside(x, y, 0.06) + 0.06 * head.depth(x, y)
            });
        }
    }

    fn draw_spine(&self, canvas: &mut Canvas) {
        let height = self.spacing * 1.02;
        canvas.change(Bounds { left: -0.16, right: 0.16, ..Bounds::ALL }, |x, y, value| {
            let side = x.abs();
            // Where within its vertebra the row stands, 0 at a disc and 1 in the middle.
            let within = (y / height).fract();
            let body = 1.0 - (2.0 * within - 1.0).abs();
            let half_width = 0.078 + 0.014 * step(0.5, 0.0, body);
            let bone = 1.0 - step(half_width - 0.02, half_width + 0.015, side);
            let disc = 1.0 - 0.45 * step(0.16, 0.04, body);
            // The arch and its process show as a small bright oval in the middle.
            let process = 1.0 - step(0.5, 1.0, (side / 0.02).max((within - 0.62).abs() / 0.16));
            value + 0.17 * bone * disc + 0.05 * process
        });
    }

    /// A rib from the spine outward and down, and its fainter front part back inward.
    fn draw_rib(&self, canvas: &mut Canvas, rib: f32, cage: &impl Fn(f32, f32) -> f32) {
        let y0 = self.top - 0.06 + rib * self.spacing;
        // The first ribs are short and steep.
        let reach = self.reach + 0.03 - 0.42 * step(2.6, 0.0, rib);
        let half = 0.023 + 0.003 * (rib / N_RIBS as f32);
        let fall = self.fall + 0.016 * rib;
        let bounds = Bounds { left: -0.95, right: 0.95, top: y0 - 0.15, bottom: y0 + 0.95 };
        canvas.change(bounds, |x, y, value| {
            let out = x.abs();
            let t = (out - 0.07) / (reach - 0.07);
            if !(0.0..=1.0).contains(&t) {
                return value;
            }
            // Where a rib turns at the flank both parts lie in line with the ray and blur.
            let seen = cage(x, y) * (1.0 - 0.75 * step(0.88, 1.0, t));
            // Hind part: a shallow arch that rises a little, then falls to the flank.
            let hind = y0 - 0.16 * t * (1.0 - t) + fall * t * t;
            // A slope makes the band narrower than its height: the distance is taken across it.
            let slope = (-0.16 * (1.0 - 2.0 * t) + 2.0 * fall * t) / (reach - 0.07);
            let across = (1.0 + slope * slope).sqrt();
            // Front part: from the flank down and inward, fading where bone becomes cartilage.
            let back = 1.0 - t;
            let front = y0 + fall + 0.30 * back - 0.04 * back * back;
            let steepness = (0.30 - 0.08 * back) / (reach - 0.07);
            let front_across = (1.0 + steepness * steepness).sqrt();
            let cartilage = 1.0 - step(0.48, 0.66, back);
            value
                + 0.085 * band((y - hind) / across, half) * seen * step(0.0, 0.06, t)
                + 0.050 * band((y - front) / front_across, half * 1.1) * seen * cartilage
        });
    }

    fn draw_clavicle(&self, canvas: &mut Canvas, sign: f32) {
        let y = self.top - self.clavicle;
        let points = [(0.075, y), (0.33, y - 0.045), (0.62, y - self.tilt), (0.95, y - self.tilt - 0.09)];
        let bounds = Bounds { left: -1.0, right: 1.0, top: y - 0.35, bottom: y + 0.1 };
        canvas.change(bounds, |x, y, value| {
            if x * sign < 0.0 {
                return value;
            }
            let nearest = points
                .windows(2)
                .map(|pair| segment(x * sign, y, pair[0], pair[1]).0)
                .fold(f32::MAX, f32::min);
            value + 0.12 * band(nearest, 0.036)
        });
    }
}

/// A tube of bone: dense at its walls, 1 there, less in the marrow, 0 outside.
fn band(distance: f32, half: f32) -> f32 {
    let r = distance.abs() / half;
    let solid = 1.0 - step(0.82, 1.12, r);
    let wall = step(0.45, 0.85, r) * solid;
    0.68 * solid + 0.32 * wall
}
