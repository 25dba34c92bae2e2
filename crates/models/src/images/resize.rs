//! Pillow's bilinear resize, bit for bit.
//!
//! A port of the algorithm of `Resample.c` in Pillow 13.0.0 for 8-bit channels: a triangle filter that widens where the
//! picture shrinks (so every source pixel counts), one pass across and one down, weights computed in double precision
//! and rounded to 22 bits, each pass rounded to 8 bits. A pass that does not change its size is skipped.

use std::collections::VecDeque;

use crate::{Error, ErrorKind, Result, RgbImage};

/// Fractional bits of a weight: 32, less 8 for the sample and 2 so that sums cannot overflow.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// Bytes a pixel.
const CHANNELS: usize = 3;
/// Longest side of a picture whose weights are computed.
const MAX_SIDE: usize = 1 << 24;

/// The source samples of one output sample and their weights.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// `precompute_coeffs` and `normalize_coeffs_8bpc`.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    // The support of the triangle is 1 at its own size.
    let support = scale.max(1.0);
    let inverse = 1.0 / support;
    (0..to)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            // Conversions to whole numbers cut off, as in C; a negative start becomes 0 either way.
            let first = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            let exact: Vec<f64> = (first..end)
                .map(|x| {
                    let distance = ((x as f64 - center + 0.5) * inverse).abs();
                    if distance < 1.0 { 1.0 - distance } else { 0.0 }
                })
                .collect();
            // Summed in order: the sum's rounding is part of the weights.
            let total: f64 = exact.iter().sum();
            let round = |w: &f64| {
                let w = if total == 0.0 { *w } else { w / total };
                (0.5 + w * f64::from(1 << PRECISION_BITS)) as i32
            };
            Taps { first, weights: exact.iter().map(round).collect() }
        })
        .collect()
}

/// The weighted sum of samples, rounded and clipped.
#[inline]
fn clip(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION_BITS - 1);

fn horizontal(row: &[u8], taps: &[Taps], out: &mut [u8]) {
    for (tap, pixel) in taps.iter().zip(out.as_chunks_mut::<CHANNELS>().0) {
        let mut sums = [HALF; CHANNELS];
        let source = row[tap.first * CHANNELS..].as_chunks::<CHANNELS>().0;
        for (weight, from) in tap.weights.iter().zip(source) {
            for (sum, sample) in sums.iter_mut().zip(from) {
                *sum += i32::from(*sample) * weight;
            }
        }
        *pixel = sums.map(clip);
    }
}

/// One output row from the rows that `tap` weighs, its first one first.
fn vertical<'a>(rows: impl Iterator<Item = &'a [u8]>, tap: &Taps, sums: &mut [i32], out: &mut [u8]) {
    sums.fill(HALF);
    for (weight, row) in tap.weights.iter().zip(rows) {
        for (sum, sample) in sums.iter_mut().zip(row) {
            *sum += i32::from(*sample) * weight;
        }
    }
    for (sample, sum) in out.iter_mut().zip(sums) {
        *sample = clip(*sum);
    }
}

/// Pillow's choice since version 13: the vertical pass goes first where it takes away more than twice as many rows as
/// the horizontal pass takes away columns. The order shows in the last bit.
fn vertical_first(from: [usize; 2], to: [usize; 2]) -> bool {
    let taken = |axis: usize| from[axis] as i64 - to[axis] as i64;
    taken(1) > 0 && taken(1) > 2 * taken(0)
}

/// The picture at `to_width` × `to_height` pixels, its aspect ratio not kept.
///
/// # Errors
/// [`ErrorKind::Image`] for a side of zero or beyond 16 million pixels; [`ErrorKind::Resources`] if there is no memory
/// for the result.
pub fn bilinear(image: &RgbImage, to_width: usize, to_height: usize) -> Result<RgbImage> {
    let (width, height) = (image.width(), image.height());
    if [width, height, to_width, to_height].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
        return Err(Error::new(
            ErrorKind::Image,
            format!(
                "cannot resize a picture of {width}×{height} pixels to {to_width}×{to_height}: sides must be 1 to \
                 {MAX_SIDE}"
            ),
        ));
    }
    let row_bytes = to_width * CHANNELS;
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(row_bytes.saturating_mul(to_height)).map_err(|_| {
        Error::new(ErrorKind::Resources, format!("no memory for a picture of {to_width}×{to_height} pixels"))
    })?;
    let columns = (width != to_width).then(|| taps(width, to_width));
    let lines = (height != to_height).then(|| taps(height, to_height));
    let source = |y: usize| &image.pixels()[y * width * CHANNELS..][..width * CHANNELS];
    let across = |row: &[u8], into: &mut [u8]| match &columns {
        None => into.copy_from_slice(row),
        Some(taps) => horizontal(row, taps, into),
    };
    let mut row = vec![0; row_bytes];
    match &lines {
        None => {
            for y in 0..height {
                across(source(y), &mut row);
                out.extend_from_slice(&row);
            }
        }
        Some(lines) if vertical_first([width, height], [to_width, to_height]) => {
            let mut sums = vec![0; width * CHANNELS];
            let mut whole = vec![0; width * CHANNELS];
            for tap in lines {
                vertical((tap.first..).map(source), tap, &mut sums, &mut whole);
                across(&whole, &mut row);
                out.extend_from_slice(&row);
            }
        }
        Some(lines) => {
            // Rows between the two passes, from `oldest` on: only those that the next output rows look at.
            let mut rows: VecDeque<Vec<u8>> = VecDeque::new();
            let mut oldest = 0;
            let mut sums = vec![0; row_bytes];
            for tap in lines {
                let mut spare = None;
                while oldest < tap.first {
                    spare = rows.pop_front();
                    oldest += 1;
                }
                while oldest + rows.len() < tap.first + tap.weights.len() {
                    let mut into = spare.take().unwrap_or_else(|| vec![0; row_bytes]);
                    across(source(oldest + rows.len()), &mut into);
                    rows.push_back(into);
                }
                vertical(rows.iter().map(Vec::as_slice), tap, &mut sums, &mut row);
                out.extend_from_slice(&row);
            }
        }
    }
    RgbImage::new(to_width, to_height, out)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    /// The pictures of `reference/pictures.py`.
    pub(crate) fn picture(width: usize, height: usize, seed: u32, gray: bool) -> RgbImage {
        let sample = |x: u32, y: u32, c: u32| {
            let square = |a: u32, b: u32, k: u32| a.wrapping_mul(b).wrapping_mul(k);
            let h = [
                square(x, x, 3),
                square(y, y, 5),
                square(x, y, 7 * c + 1),
                31 * x,
                17 * y,
                59 * c,
                101 * seed,
            ]
            .into_iter()
            .fold(0u32, u32::wrapping_add);
            (((h >> 4) ^ h) & 255) as u8
        };
        let pixels = (0..height as u32)
            .flat_map(|y| {
                (0..width as u32)
                    .flat_map(move |x| (0..3).map(move |c| sample(x, y, if gray { 0 } else { c })))
            })
            .collect();
        RgbImage::new(width, height, pixels).expect("as many samples as pixels")
    }

    #[test]
    fn every_size_is_bit_identical_to_pillow() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens/resizes.json");
        let text = std::fs::read(path).expect("the goldens are part of the repository");
        let goldens: Value = serde_json::from_slice(&text).expect("JSON");
        let list = goldens["resizes"].as_array().expect("a list");
        assert!(list.len() >= 30);
        for golden in list {
            let number = |v: &Value| v.as_u64().expect("a number") as usize;
            let [from, to] = ["from", "to"].map(|key| [number(&golden[key][0]), number(&golden[key][1])]);
            let source = picture(from[0], from[1], number(&golden["seed"]) as u32, false);
            let resized = bilinear(&source, to[0], to[1]).expect("sane sizes");
            let digest: String =
                Sha256::digest(resized.pixels()).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(Value::from(digest), golden["sha256"], "{from:?} to {to:?}");
        }
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        let mut generator = crate::sampling::Generator::new(5);
        for _ in 0..60 {
            let mut side = || 1 + (generator.next_u64() % 200) as usize;
            let [w, h, to_w, to_h] = [side(), side(), side(), side()];
            let colour = [0, 255, (w % 256) as u8];
            let source = RgbImage::new(w, h, colour.repeat(w * h)).expect("as many samples as pixels");
            let resized = bilinear(&source, to_w, to_h).expect("sane sizes");
            assert_eq!((resized.width(), resized.height()), (to_w, to_h));
            assert_eq!(resized.pixels(), colour.repeat(to_w * to_h), "{w}×{h} to {to_w}×{to_h}");
        }
    }

    #[test]
    fn a_picture_of_the_right_size_is_not_touched() {
        let source = picture(40, 30, 3, false);
        assert_eq!(bilinear(&source, 40, 30).expect("sane sizes"), source);
    }

    #[test]
    fn mirrored_pictures_resize_to_mirrored_pictures() {
        let source = picture(61, 47, 9, false);
        let flip = |image: &RgbImage| {
            let rows = image.pixels().chunks_exact(image.width() * 3).rev();
            let mirrored = rows.flat_map(|row| row.chunks_exact(3).rev().flatten().copied()).collect();
            RgbImage::new(image.width(), image.height(), mirrored).expect("as many samples as pixels")
        };
        // Whole ratios: the centres then fall symmetrically, without rounding.
        let turned = bilinear(&flip(&source), 122, 94).expect("sane sizes");
        assert_eq!(flip(&turned), bilinear(&source, 122, 94).expect("sane sizes"));
    }

    #[test]
    fn absurd_sizes_are_refused() {
        let source = picture(2, 2, 0, false);
        for (w, h) in [(0, 1), (1, 0), (MAX_SIDE + 1, 1), (1, usize::MAX)] {
            assert_eq!(bilinear(&source, w, h).expect_err("absurd").kind(), ErrorKind::Image);
        }
    }
}
