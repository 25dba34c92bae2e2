//! Blocks of 32 values under one scale, written; layouts as in `of_32`.

use half::f16;

/// The scale puts the largest value at ±127; halves round away from zero.
#[inline(always)]
pub(super) fn q8_0(x: &[f32; 32], out: &mut [u8; 34]) {
    let largest = x.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let d = largest / 127.0;
    let inverse = inverse(d);
    out[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    for (out, x) in out[2..].iter_mut().zip(x) {
        *out = ((x * inverse).round() as i8).cast_unsigned();
    }
}

/// The scale puts the value farthest from zero, the first where there are several, at −8.
#[inline(always)]
pub(super) fn q4_0(x: &[f32; 32], out: &mut [u8; 18]) {
    let d = farthest(x) / -8.0;
    let inverse = inverse(d);
    out[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    let q = x.map(|x| ((x * inverse + 8.5) as u8).min(15));
    low_halves(&q, &mut out[2..]);
}

/// As Q4_0, at −16.
#[inline(always)]
pub(super) fn q5_0(x: &[f32; 32], out: &mut [u8; 22]) {
    let d = farthest(x) / -16.0;
    let inverse = inverse(d);
    out[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    let q = x.map(|x| ((x * inverse + 16.5) as u8).min(31));
    out[2..6].copy_from_slice(&fifth_bits(&q));
    low_halves(&q, &mut out[6..]);
}

/// The smallest value is 0, the largest 31.
#[inline(always)]
pub(super) fn q5_1(x: &[f32; 32], out: &mut [u8; 24]) {
    let most = x.iter().fold(f32::NEG_INFINITY, |most, &x| most.max(x));
    let least = x.iter().fold(f32::INFINITY, |least, &x| least.min(x));
    let d = (most - least) / 31.0;
    let inverse = inverse(d);
    out[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    out[2..4].copy_from_slice(&f16::from_f32(least).to_le_bytes());
    let q = x.map(|x| (((x - least) * inverse + 0.5) as u8).min(31));
    out[4..8].copy_from_slice(&fifth_bits(&q));
    low_halves(&q, &mut out[8..]);
}

#[inline(always)]
fn inverse(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

#[inline(always)]
fn farthest(x: &[f32; 32]) -> f32 {
    x.iter().fold(0.0f32, |far, &x| if x.abs() > far.abs() { x } else { far })
}

#[inline(always)]
fn low_halves(q: &[u8; 32], out: &mut [u8]) {
    let (low, high) = q.split_at(16);
    for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
        *out = low & 15 | high << 4;
    }
}

#[inline(always)]
fn fifth_bits(q: &[u8; 32]) -> [u8; 4] {
    q.iter().enumerate().fold(0u32, |bits, (i, q)| bits | u32::from(q >> 4) << i).to_le_bytes()
}
