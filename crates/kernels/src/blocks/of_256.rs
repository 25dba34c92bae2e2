//! Blocks of 256 values with scales of scales.
//!
//! Of the values' bits, 32 consecutive bytes hold one field of 32 values each for every shift; the comments give the
//! place of value `i`, where `l` is `i % 32`.

use super::half;

/// `scales: u8[16], q: u2[256], d: f16, dmin: f16`; with the low and high half of a scale, a value is
/// (d · low) · q − (dmin · high). Bits: byte `32 · (i / 128) + l`, shifted by `2 · (i / 32 % 4)`.
pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, rest) = block.split_at(16);
    let (d, dmin) = (half([block[80], block[81]]), half([block[82], block[83]]));
    for (i, out) in out.iter_mut().enumerate() {
        let scale = scales[i / 16];
        let q = rest[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
        *out = d * f32::from(scale & 15) * f32::from(q) - dmin * f32::from(scale >> 4);
    }
}

/// `high: u1[256], low: u2[256], scales: u6[16], d: f16`; a value is (d · (scale − 32)) · (q − 4).
/// Bits: low as in Q2_K; high is byte `l` shifted by `i / 32`.
pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, rest) = block.split_at(32);
    let (low, scales) = rest.split_at(64);
    let d = half([block[108], block[109]]);
    for (i, out) in out.iter_mut().enumerate() {
        let s = i / 16;
        let scale = scales[s % 8] >> (4 * (s / 8)) & 15 | (scales[8 + s % 4] >> (2 * (s / 4)) & 3) << 4;
        let q = low[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3 | (high[i % 32] >> (i / 32) & 1) << 2;
        *out = d * (f32::from(scale) - 32.0) * (f32::from(q) - 4.0);
    }
}

/// `d: f16, dmin: f16, scales: [u6; 2][8], q: u4[256]`; a value is (d · scale) · q − (dmin · min).
/// Bits: byte `32 · (i / 64) + l`, shifted by `4 · (i / 32 % 2)`.
pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (head, q) = block.split_at(16);
    for (g, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (d, m) = scaled(head, g);
        for (out, q) in out.iter_mut().zip(&q[32 * (g / 2)..]) {
            *out = d * f32::from(q >> (4 * (g % 2)) & 15) - m;
        }
    }
}

/// `d: f16, dmin: f16, scales: [u6; 2][8], high: u1[256], low: u4[256]`; a value as in Q4_K.
/// Bits: low as in Q4_K; high is byte `l` shifted by `i / 32`.
pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (head, rest) = block.split_at(16);
    let (high, low) = rest.split_at(32);
    for (g, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (d, m) = scaled(head, g);
        for ((out, low), high) in out.iter_mut().zip(&low[32 * (g / 2)..]).zip(high) {
            *out = d * f32::from(low >> (4 * (g % 2)) & 15 | (high >> g & 1) << 4) - m;
        }
    }
}

/// `low: u4[256], high: u2[256], scales: i8[16], d: f16`; a value is (d · scale) · (q − 32).
/// Bits: low is byte `64 · (i / 128) + i % 64` shifted by `4 · (i / 64 % 2)`; high as in Q2_K.
pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, rest) = block.split_at(128);
    let (high, rest) = rest.split_at(64);
    let d = half([block[208], block[209]]);
    for (i, out) in out.iter_mut().enumerate() {
        let scale = d * f32::from(rest[i / 16].cast_signed());
        let low = low[64 * (i / 128) + i % 64] >> (4 * (i / 64 % 2)) & 15;
        let high = high[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
        *out = scale * (f32::from(low | high << 4) - 32.0);
    }
}

/// The scale and the minimum of group `g`, from the sixteen bytes that begin a Q4_K or Q5_K block.
fn scaled(head: &[u8], g: usize) -> (f32, f32) {
    let (scale, min) = scale_and_min(&head[4..], g);
    (half([head[0], head[1]]) * f32::from(scale), half([head[2], head[3]]) * f32::from(min))
}

/// Groups 0 to 3: six bits of bytes `g` and `4 + g`. Groups 4 to 7: four bits each of byte `4 + g`, under the two
/// upper bits of bytes `g - 4` and `g`.
fn scale_and_min(packed: &[u8], g: usize) -> (u8, u8) {
    if g < 4 {
        (packed[g] & 63, packed[4 + g] & 63)
    } else {
        let low = packed[4 + g];
        (low & 15 | packed[g - 4] >> 6 << 4, low >> 4 | packed[g] >> 6 << 4)
    }
}
