//! Blocks of 32 values under one scale.
//!
//! In the types of 4 and 5 bits the low halves of the sixteen bytes hold values 0 to 15, the high halves 16 to 31.

use super::half;

/// `d: f16, q: i8[32]`; a value is q · d.
pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = half([block[0], block[1]]);
    for (out, &q) in out.iter_mut().zip(&block[2..]) {
        *out = f32::from(q.cast_signed()) * d;
    }
}

/// `d: f16, q: u4[32]`; a value is d · (q − 8).
pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half([block[0], block[1]]);
    nibbles(&block[2..], out, |_, q| d * (f32::from(q) - 8.0));
}

/// `d: f16, m: f16, q: u4[32]`; a value is d · q + m.
pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (half([block[0], block[1]]), half([block[2], block[3]]));
    nibbles(&block[4..], out, |_, q| d * f32::from(q) + m);
}

/// `d: f16, high: u1[32], low: u4[32]`; a value is d · (q − 16).
pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let d = half([block[0], block[1]]);
    let high = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
    nibbles(&block[6..], out, |i, q| d * (f32::from(fifth(high, i, q)) - 16.0));
}

/// `d: f16, m: f16, high: u1[32], low: u4[32]`; a value is d · q + m.
pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m) = (half([block[0], block[1]]), half([block[2], block[3]]));
    let high = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
    nibbles(&block[8..], out, |i, q| d * f32::from(fifth(high, i, q)) + m);
}

/// Writes what `value` makes of the index and the four bits of each of 32 values.
pub(super) fn nibbles(bytes: &[u8], out: &mut [f32], value: impl Fn(usize, u8) -> f32) {
    let (low, high) = out.split_at_mut(16);
    for (i, ((low, high), &byte)) in low.iter_mut().zip(high).zip(bytes).enumerate() {
        *low = value(i, byte & 15);
        *high = value(i + 16, byte >> 4);
    }
}

/// Puts bit `i` of `high` above four bits.
fn fifth(high: u32, i: usize, low: u8) -> u8 {
    low | ((high >> i & 1) as u8) << 4
}
