//! A film, what is on it, and the way from a seed to both.

use png::BitDepth;

use crate::anatomy::Anatomy;
use crate::canvas::Canvas;
use crate::encode::gray_png;
use crate::random::Random;

/// Width to height, as of a 35 × 43 cm detector.
const PROPORTION: (usize, usize) = (35, 43);

/// A chest film, front to back, of nobody.
#[derive(Clone, Debug)]
pub struct Film {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `[height, width]`; bone is bright and air is dark. The range is not the full one of 16 bits.
    pub samples: Vec<u16>,
    /// What is on it.
    pub truth: Truth,
}

/// What a reader of the film could find.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The letter of the marker: it names the side of the patient on which it lies.
    pub marker: Side,
    /// Box around the marker.
    pub marker_region: Region,
    /// Box around the right lung, which is on the left of the film.
    pub right_lung: Region,
    /// Box around the left lung.
    pub left_lung: Region,
    /// Box around the heart.
    pub heart: Region,
    /// Greatest width of the heart by the greatest width of both lungs together; above 0.5 counts as enlarged.
    pub cardiothoracic_ratio: f32,
    /// None to two.
    pub opacities: Vec<Opacity>,
}

/// An area of a lung that is less dark than it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Opacity {
    /// The patient's side.
    pub side: Side,
    /// Height within the lung.
    pub zone: Zone,
    /// Box around it.
    pub region: Region,
}

/// A side of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The patient's right: the left of the film.
    Right,
    /// The patient's left: the right of the film.
    Left,
}

impl Side {
    /// As a reader writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
        }
    }
}

/// A third of a lung, by height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The upper third.
    Upper,
    /// The middle third.
    Middle,
    /// The lower third.
    Lower,
}

impl Zone {
    /// As a reader writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Middle => "middle",
            Self::Lower => "lower",
        }
    }
}

/// A box in pixels of the film: columns `left..right`, rows `top..bottom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Behind the last column.
    pub right: usize,
    /// Behind the last row.
    pub bottom: usize,
}

/// The film of a seed, 1075 pixels high.
#[must_use]
pub fn film(seed: u64) -> Film {
    film_of_height(seed, 1075)
}

/// The film of a seed at another size; the same is on it. `height` in pixels is at least 43.
///
/// # Panics
/// If `height` is less than 43 or more than 16384.
#[must_use]
pub fn film_of_height(seed: u64, height: usize) -> Film {
    assert!((43..=16_384).contains(&height), "a film has 43 to 16384 rows, found {height}");
    let width = height * PROPORTION.0 / PROPORTION.1;
    let anatomy = Anatomy::of(seed);
    let mut canvas = Canvas::new(width, height);
    anatomy.draw(&mut canvas);
    // About a pixel of blur at full size; small films are sharp enough.
    canvas.blur(height.div_ceil(1500).min(3));
    anatomy.draw_marker(&mut canvas);

    let mut noise = Random::new(seed, 7);
    let (dark, bright) = (noise.between(1500.0, 4000.0), noise.between(52_000.0, 60_000.0));
    let samples = canvas
        .values
        .iter()
        .map(|attenuation| {
            // Toe and shoulder of a detector's display curve, then quantum noise: more where fewer quanta arrive.
            let a = attenuation.clamp(0.0, 1.4) / 1.4;
            let tone = a * a * (3.0 - 2.0 * a) * 0.45 + a * 0.55;
            let deviation = 0.004 + 0.008 * a;
            let value = dark + (bright - dark) * (tone + deviation * noise.normal());
            value.clamp(0.0, 65_535.0) as u16
        })
        .collect();
    Film { width, height, samples, truth: anatomy.truth(width, height) }
}

impl Film {
    /// The film as a gray PNG of 16 bits.
    #[must_use]
    pub fn png16(&self) -> Vec<u8> {
        let bytes: Vec<u8> = self.samples.iter().flat_map(|v| v.to_be_bytes()).collect();
        gray_png(self.width, self.height, BitDepth::Sixteen, &bytes)
    }

    /// The film as a gray PNG of 8 bits: the upper byte of each sample.
    #[must_use]
    pub fn png8(&self) -> Vec<u8> {
        let bytes: Vec<u8> = self.samples.iter().map(|v| (v >> 8) as u8).collect();
        gray_png(self.width, self.height, BitDepth::Eight, &bytes)
    }
}
