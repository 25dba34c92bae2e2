//! JPEG with the discrete cosine transform (ITU-T T.81 Annexes A and F): baseline and 12-bit extended, quantized by ones.
//!
//! With steps of one, a sample comes back within one level of what was coded, whatever inverse transform is used.

use std::f64::consts::PI;

use super::Raster;
use super::bits::{BitWriter, Stuffing};
use super::jpeg::{DHT, DQT, EOI, FlatTable, Marks, SOI, SOS, category, marker, put_magnitude, segment};

/// How to code.
#[derive(Clone, Copy, Debug)]
pub struct Dct {
    /// What the head says of colours.
    pub marks: Marks,
    /// Whether the second and third component have half the columns, each the mean of two.
    pub halves_chroma: bool,
}

impl Default for Dct {
    fn default() -> Self {
        Self { marks: Marks::None, halves_chroma: false }
    }
}

/// Place in a block of the coefficient that is coded n-th (T.81 figure A.6).
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A JPEG stream: baseline (SOF0) for 8 bits, extended (SOF1) for 12. The components are coded as they are given.
#[must_use]
pub fn jpeg_dct(picture: Raster<'_>, how: Dct) -> Vec<u8> {
    let n = picture.n_components as u8;
    let halves = |component: usize| how.halves_chroma && component > 0;
    // 8-bit coefficients have at most 11 bits, 12-bit ones 15 (T.81 F.1.2).
    let most = if picture.bits > 8 { 15 } else { 11 };
    let dc = FlatTable::new(0..=most);
    let ac = FlatTable::new(
        [0x00, 0xf0].into_iter().chain((0..16).flat_map(|run| (1..most).map(move |size| run << 4 | size))),
    );

    let mut stream = Vec::new();
    marker(&mut stream, SOI);
    how.marks.write(&mut stream);
    let mut quantization = vec![0];
    quantization.extend([1; 64]);
    segment(&mut stream, DQT, &quantization);
    let mut frame = vec![picture.bits];
    frame.extend((picture.height as u16).to_be_bytes());
    frame.extend((picture.width as u16).to_be_bytes());
    frame.push(n);
    let luma = if how.halves_chroma { 0x21 } else { 0x11 };
    frame.extend((0..n).flat_map(|component| [component + 1, if component == 0 { luma } else { 0x11 }, 0]));
    segment(&mut stream, if picture.bits > 8 { 0xc1 } else { 0xc0 }, &frame);
    segment(&mut stream, DHT, &dc.segment(0x00));
    segment(&mut stream, DHT, &ac.segment(0x10));
    let mut scan = vec![n];
    scan.extend((1..=n).flat_map(|id| [id, 0]));
    scan.extend([0, 63, 0]);
    segment(&mut stream, SOS, &scan);

    let mut bits = BitWriter::new(Stuffing::Byte);
    let mut previous = vec![0; picture.n_components];
    let unit_width = if how.halves_chroma { 16 } else { 8 };
    for top in (0..picture.height).step_by(8) {
        for left in (0..picture.width).step_by(unit_width) {
            for (component, previous) in previous.iter_mut().enumerate() {
                let lefts = if component == 0 { left..left + unit_width } else { left..left + 8 };
                for left in lefts.step_by(8) {
                    let block = if halves(component) {
                        halved(&picture, left, top, component)
                    } else {
                        whole(&picture, left, top, component)
                    };
                    let coefficients = transformed(&block, picture.bits);
                    put_block(&mut bits, &dc, &ac, &coefficients, previous);
                }
            }
        }
    }
    stream.extend(bits.finish());
    marker(&mut stream, EOI);
    stream
}

/// A block of 8 × 8 samples; beyond the edge the last row and column go on.
fn whole(picture: &Raster<'_>, left: usize, top: usize, component: usize) -> [f64; 64] {
    std::array::from_fn(|i| {
        let (column, row) = ((left + i % 8).min(picture.width - 1), (top + i / 8).min(picture.height - 1));
        f64::from(picture.at(column, row, component))
    })
}

/// The same over 16 columns from `left`, each sample the mean of two.
fn halved(picture: &Raster<'_>, left: usize, top: usize, component: usize) -> [f64; 64] {
    std::array::from_fn(|i| {
        let row = (top + i / 8).min(picture.height - 1);
        let at = |column: usize| f64::from(picture.at(column.min(picture.width - 1), row, component));
        let column = left + 2 * (i % 8);
        (at(column) + at(column + 1)) / 2.0
    })
}

/// T.81 A.3.3, after the shift to signed numbers; rounded, for the steps are ones.
fn transformed(block: &[f64; 64], bits: u8) -> [i32; 64] {
    let shift = f64::from(1_u32 << (bits - 1));
    let cosine =
        |place: usize, frequency: usize| ((2 * place + 1) as f64 * frequency as f64 * PI / 16.0).cos();
    let weight = |frequency: usize| if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
    std::array::from_fn(|i| {
        let (u, v) = (i % 8, i / 8);
        let sum: f64 = (0..64).map(|j| (block[j] - shift) * cosine(j % 8, u) * cosine(j / 8, v)).sum();
        (sum * weight(u) * weight(v) / 4.0).round() as i32
    })
}

/// T.81 F.1.2.
fn put_block(bits: &mut BitWriter, dc: &FlatTable, ac: &FlatTable, block: &[i32; 64], previous: &mut i32) {
    let difference = block[0] - *previous;
    *previous = block[0];
    let size = category(difference);
    dc.put(bits, size);
    put_magnitude(bits, difference, size);
    let mut n_zeros = 0;
    for place in &ZIGZAG[1..] {
        let value = block[*place];
        if value == 0 {
            n_zeros += 1;
            continue;
        }
        while n_zeros > 15 {
            ac.put(bits, 0xf0);
            n_zeros -= 16;
        }
        let size = category(value);
        ac.put(bits, n_zeros << 4 | size);
        put_magnitude(bits, value, size);
        n_zeros = 0;
    }
    if n_zeros > 0 {
        ac.put(bits, 0x00);
    }
}
