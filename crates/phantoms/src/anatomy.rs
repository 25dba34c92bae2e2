//! The parts of a chest as they stand on a film, and how they are drawn.
//!
//! Lengths are in units of half the film's width. "Right" and "left" are the patient's, so right is at negative x.

use crate::canvas::{Bounds, Canvas};
use crate::film::{Opacity, Region, Side, Truth, Zone};
use crate::letters::is_lead;
use crate::random::Random;
use crate::shapes::{Ellipse, segment, step};

mod bones;
mod lungs;

use bones::Bones;
use lungs::Lung;

/// Side of a cell of the marker's letter.
const CELL: f32 = 0.014;

/// Everything that the seed decides.
pub(crate) struct Anatomy {
    right: Lung,
    left: Lung,
    heart: Ellipse,
    /// Where the aorta bulges beside the spine.
    knob: Ellipse,
    /// The great artery of the lungs, between aorta and heart on the left border.
    trunk: Ellipse,
    bones: Bones,
    opacities: Vec<(Side, Vec<Blob>)>,
    marker: Side,
    marker_at: (f32, f32),
    /// Air of the stomach under the left diaphragm.
    bubble: Ellipse,
    /// Thickness of soft tissue.
    build: f32,
}

/// A part of an opacity.
struct Blob {
    ellipse: Ellipse,
    density: f32,
}

impl Anatomy {
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let top = random.between(0.30, 0.36);
        let base = random.between(1.66, 1.76);
        let reach = random.between(0.76, 0.82);
        // The liver lifts the right dome.
        let right = Lung::new(Side::Right, top, base - random.between(0.05, 0.09), reach, &mut random);
        let left = Lung::new(Side::Left, top + 0.01, base, reach, &mut random);
        let heart_width = random.between(0.30, 0.43);
        let heart = Ellipse::upright(0.15, base - 0.36, heart_width, 0.30).turned(0.86, 0.5);
        let knob = Ellipse::upright(0.115, top + 0.42, 0.085, 0.115);
        let trunk = Ellipse::upright(0.10, top + 0.66, 0.125, 0.17).turned(0.35, 1.0);
        let marker = if random.unit() < 0.5 { Side::Right } else { Side::Left };
        let marker_x = random.between(0.80, 0.86);
        let marker_at = (
            if marker == Side::Right { -marker_x } else { marker_x - 5.0 * CELL },
            random.between(0.10, 0.16),
        );
        let bubble = Ellipse::upright(0.40, base + 0.06, random.between(0.10, 0.16), 0.06);
        let build = random.between(0.92, 1.08);
        let n_opacities = (Random::new(seed, 2).next() % 3) as usize;
        let mut anatomy = Self {
            bones: Bones::of(seed, top, reach),
            opacities: Vec::new(),
            right,
            left,
            heart,
            knob,
            trunk,
            marker,
            marker_at,
            bubble,
            build,
        };
        for index in 0..n_opacities {
            let opacity = anatomy.opacity(&mut Random::new(seed, 10 + index as u64), index);
            anatomy.opacities.push(opacity);
        }
        anatomy
    }

    /// A nodule or a patch of consolidation somewhere in a lung, away from the heart; the second on the other side.
    fn opacity(&self, random: &mut Random, index: usize) -> (Side, Vec<Blob>) {
        let first = self.opacities.first().map(|(side, _)| *side);
        let side = match (index, first) {
            (1, Some(Side::Right)) => Side::Left,
            (1, Some(Side::Left)) => Side::Right,
            _ if random.unit() < 0.5 => Side::Right,
            _ => Side::Left,
        };
        let lung = if side == Side::Right { &self.right } else { &self.left };
        let (x, y) = lung.place(random.between(0.15, 0.85), random.between(0.45, 0.70));
        if random.unit() < 0.4 {
            let r = random.between(0.045, 0.075);
            let ellipse = Ellipse::upright(x, y, r, r * random.between(0.85, 1.15));
            return (side, vec![Blob { ellipse, density: random.between(0.16, 0.24) }]);
        }
        let blobs = (0..7)
            .map(|_| {
                let (dx, dy) = (random.between(-0.09, 0.09), random.between(-0.09, 0.09));
                let ellipse =
                    Ellipse::upright(x + dx, y + dy, random.between(0.07, 0.13), random.between(0.06, 0.11))
                        .turned(random.between(0.3, 1.0), random.between(-1.0, 1.0));
                Blob { ellipse, density: random.between(0.06, 0.11) }
            })
            .collect();
        (side, blobs)
    }

    /// Draws everything but the marker.
    pub fn draw(&self, canvas: &mut Canvas) {
        canvas.change(Bounds::ALL, |x, y, _| self.soft_tissue(x, y));
        canvas.change(Bounds::ALL, |x, y, value| {
            let air = if x < 0.0 { self.right.air(x, y) } else { self.left.air(x, y) };
            let hidden = 1.0 - 0.84 * self.solid(x, y);
            value - 0.47 * air * hidden + 0.12 * self.heart.depth(x, y) + 0.03 * self.knob.depth(x, y)
        });
        for lung in [&self.right, &self.left] {
            lung.draw_vessels(canvas, |x, y| 1.0 - 0.8 * self.solid(x, y));
        }
        let bubble = &self.bubble;
        canvas.change(Bounds::around(bubble.x, bubble.y, 0.25, 0.12), |x, y, value| {
            value - 0.30 * bubble.inside(x, y, 0.3) * step(-0.02, 0.03, y - self.left.dome(x))
        });
        // The airway: a dark band in the middle that forks at the height of the aorta.
        let fork = self.knob.y + 0.14;
        for end in [(-0.17, fork + 0.13), (0.19, fork + 0.11)] {
            canvas.change(Bounds::around(0.0, fork, 0.3, 0.25), |x, y, value| {
                let (distance, t) = segment(x, y, (0.0, fork), end);
                value - 0.08 * step(0.0, 0.25, t) * (1.0 - 0.6 * t) * (1.0 - step(0.012, 0.048, distance))
            });
        }
        canvas.change(Bounds { left: -0.1, right: 0.1, top: 0.0, bottom: fork + 0.03 }, |x, y, value| {
            value - 0.10 * (1.0 - step(0.020, 0.062, x.abs())) * (1.0 - step(fork - 0.05, fork + 0.03, y))
        });
        self.bones.draw(canvas, |x, y| if x < 0.0 { self.right.cage(x, y) } else { self.left.cage(x, y) });
        for blob in self.opacities.iter().flat_map(|(_, blobs)| blobs) {
            let ellipse = blob.ellipse;
            let reach = ellipse.rx.max(ellipse.ry) * 1.4;
            canvas.change(Bounds::around(ellipse.x, ellipse.y, reach, reach), |x, y, value| {
                let air = if x < 0.0 { self.right.field(x, y) } else { self.left.field(x, y) };
                value + blob.density * ellipse.inside(x, y, 0.35) * air
            });
        }
    }

    /// 1 where heart and great vessels stand in place of lung, with soft borders.
    fn solid(&self, x: f32, y: f32) -> f32 {
        let vessels = self.knob.inside(x, y, 0.10).max(0.85 * self.trunk.inside(x, y, 0.14));
        self.heart.inside(x, y, 0.045).max(vessels)
    }

    /// Neck, shoulders, trunk and the belly below the domes.
    fn soft_tissue(&self, x: f32, y: f32) -> f32 {
        let side = x.abs();
        // The outline: a neck that widens into shoulders, then straight sides.
        let shoulder = 0.20 + 0.95 * step(0.02, 0.36, y);
        let body = 1.0 - step(shoulder - 0.06, shoulder, side);
        let trunk = 1.0 - step(0.86, 1.02, side) * step(0.5, 0.8, y);
        // Thicker in the middle, thinner at the skin.
        let depth = (1.0 - 0.50 * side * side).max(0.2);
        // The domes meet behind the heart, without a step between them.
        let towards_left = step(-0.16, 0.16, x);
        let belly_of = |lung: &Lung| step(-0.01, 0.05, y - lung.dome(x));
        let belly = belly_of(&self.right) * (1.0 - towards_left) + belly_of(&self.left) * towards_left;
        body * trunk * depth * self.build * (0.66 + 0.20 * belly)
    }

    /// Lays the marker on: lead, brighter than any bone.
    pub fn draw_marker(&self, canvas: &mut Canvas) {
        let (left, top) = self.marker_at;
        let letter = if self.marker == Side::Right { 'R' } else { 'L' };
        let bounds = Bounds { left, right: left + 5.0 * CELL, top, bottom: top + 7.0 * CELL };
        canvas.change(bounds, |x, y, value| {
            if x < left || y < top {
                return value;
            }
            let (column, row) = (((x - left) / CELL) as usize, ((y - top) / CELL) as usize);
            if is_lead(letter, column, row) { 1.35 } else { value }
        });
    }

    /// What is on a film of these sides.
    pub fn truth(&self, width: usize, height: usize) -> Truth {
        let region = |bounds: Bounds| {
            let half = width as f32 / 2.0;
            let column = |x: f32| (x * half + half).clamp(0.0, width as f32) as usize;
            let row = |y: f32| (y * half).clamp(0.0, height as f32) as usize;
            Region {
                left: column(bounds.left),
                top: row(bounds.top),
                right: column(bounds.right) + 1,
                bottom: row(bounds.bottom) + 1,
            }
        };
        let around = |ellipse: &Ellipse| {
            let (half_width, half_height) = ellipse.half_box();
            Bounds::around(ellipse.x, ellipse.y, half_width, half_height)
        };
        let (right, left) = (self.right.bounds(), self.left.bounds());
        let heart = around(&self.heart);
        let opacities = self
            .opacities
            .iter()
            .map(|(side, blobs)| {
                let lung = if *side == Side::Right { &self.right } else { &self.left };
                let all = blobs.iter().map(|blob| around(&blob.ellipse)).reduce(union).unwrap_or(Bounds::ALL);
                let height = ((all.top + all.bottom) / 2.0 - lung.top) / (lung.bounds().bottom - lung.top);
                let zone = match height {
                    h if h < 1.0 / 3.0 => Zone::Upper,
                    h if h < 2.0 / 3.0 => Zone::Middle,
                    _ => Zone::Lower,
                };
                Opacity { side: *side, zone, region: region(all) }
            })
            .collect();
        let (x, y) = self.marker_at;
        Truth {
            marker: self.marker,
            marker_region: region(Bounds { left: x, right: x + 5.0 * CELL, top: y, bottom: y + 7.0 * CELL }),
            right_lung: region(right),
            left_lung: region(left),
            heart: region(heart),
            cardiothoracic_ratio: (heart.right - heart.left) / (left.right - right.left),
            opacities,
        }
    }
}

fn union(a: Bounds, b: Bounds) -> Bounds {
    Bounds {
        left: a.left.min(b.left),
        right: a.right.max(b.right),
        top: a.top.min(b.top),
        bottom: a.bottom.max(b.bottom),
    }
}
