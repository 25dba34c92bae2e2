//! Blocks of 256 values with scales of scales, written; layouts as in `of_256`.
//!
//! Each group's best scale and minimum come first (`fit`). They are then rounded to multiples of the block's own
//! scales: each multiple and its neighbours are tried on the group, the block's scales are fitted anew to what was
//! chosen, and the best of all rounds counts.

use half::f16;

use super::fit::{Fit, affine, inverse, nearest, symmetric};

/// Rounds of choosing multiples and fitting the block's scales to them.
const ROUNDS: usize = 3;

/// Most that the six bits of a scale or minimum hold.
const SIX_BITS: f32 = 63.0;

/// A block of groups of 32 with scales and minima.
#[derive(Clone, Copy)]
struct Affine {
    d: f32,
    dmin: f32,
    scales: [f32; 8],
    mins: [f32; 8],
    fits: [Fit; 8],
    error: f32,
}

/// The sixteen bytes that a block begins with (its own scales in binary16, the groups' in six bits), and its `q`.
#[inline(always)]
fn affine_block(x: &[f32; 256], most: f32) -> ([u8; 16], [u8; 256]) {
    let groups = x.as_chunks::<32>().0;
    let mut ideal = [Fit::default(); 8];
    for (fit, x) in ideal.iter_mut().zip(groups) {
        *fit = affine(x, most);
    }
    let mut d = rounded(ideal.iter().fold(0.0f32, |most, fit| most.max(fit.scale)) / SIX_BITS);
    let mut dmin = rounded(ideal.iter().fold(0.0f32, |most, fit| most.max(fit.min)) / SIX_BITS);
    let mut best: Option<Affine> = None;
    for _ in 0..ROUNDS {
        let block = choose(groups, &ideal, d, dmin, most);
        (d, dmin) = scales_for(&block, groups);
        if best.is_none_or(|best| block.error < best.error) {
            best = Some(block);
        }
    }
    let Some(best) = best else { return ([0; 16], [0; 256]) };
    let mut head = [0; 16];
    head[..2].copy_from_slice(&f16::from_f32(best.d).to_le_bytes());
    head[2..4].copy_from_slice(&f16::from_f32(best.dmin).to_le_bytes());
    head[4..].copy_from_slice(&six_bits(&best.scales.map(|s| s as u8), &best.mins.map(|m| m as u8)));
    let mut q = [0; 256];
    for ((q, x), fit) in q.as_chunks_mut::<32>().0.iter_mut().zip(groups).zip(&best.fits) {
        let inverse = inverse(fit.scale);
        for (q, x) in q.iter_mut().zip(x) {
            *q = nearest((x + fit.min) * inverse, 0.0, most) as u8;
        }
    }
    (head, q)
}

/// The best multiples of `d` and `dmin` for each group, next to the ideal ones.
#[inline(always)]
fn choose(groups: &[[f32; 32]], ideal: &[Fit; 8], d: f32, dmin: f32, most: f32) -> Affine {
    let mut block =
        Affine { d, dmin, scales: [0.0; 8], mins: [0.0; 8], fits: [Fit::default(); 8], error: 0.0 };
    for (g, (x, ideal)) in groups.iter().zip(ideal).enumerate() {
        let about =
            |ideal: f32, unit: f32| if unit > 0.0 { nearest(ideal / unit, 0.0, SIX_BITS) } else { 0.0 };
        let (scale, min) = (about(ideal.scale, d), about(ideal.min, dmin));
        let mut least = f32::INFINITY;
        for step in [0.0, -1.0, 1.0] {
            let scale = (scale + step).clamp(0.0, SIX_BITS);
            for step in [0.0, -1.0, 1.0] {
                let min = (min + step).clamp(0.0, SIX_BITS);
                let fit = Fit::of(x, d * scale, dmin * min, (0.0, most));
                if fit.sums.error < least {
                    least = fit.sums.error;
                    (block.scales[g], block.mins[g], block.fits[g]) = (scale, min, fit);
                }
            }
        }
        block.error += least;
    }
    block
}

/// The block's scales that fit best what was chosen: least squares over all 256 values.
#[inline(always)]
fn scales_for(block: &Affine, groups: &[[f32; 32]]) -> (f32, f32) {
    let [mut aa, mut ab, mut bb, mut ax, mut bx] = [0.0f32; 5];
    for (g, x) in groups.iter().enumerate() {
        let (scale, min, sums) = (block.scales[g], block.mins[g], block.fits[g].sums);
        let x: f32 = x.iter().sum();
        aa += scale * scale * sums.qq;
        ab += scale * min * sums.q;
        bb += 32.0 * min * min;
        ax += scale * sums.xq;
        bx += min * x;
    }
    let determinant = aa * bb - ab * ab;
    if determinant > 0.0 {
        let (d, dmin) = ((ax * bb - ab * bx) / determinant, (ab * ax - aa * bx) / determinant);
        if d > 0.0 && dmin >= 0.0 {
            return (rounded(d), rounded(dmin));
        }
    }
    (block.d, block.dmin)
}

/// Rounded to binary16, but never to zero: multiples of the smallest number still tell tiny weights apart.
#[inline(always)]
fn rounded(x: f32) -> f32 {
    let near = f16::from_f32(x).to_f32();
    if near == 0.0 && x != 0.0 { f16::MIN_POSITIVE_SUBNORMAL.to_f32().copysign(x) } else { near }
}

/// Packs scales and minima of six bits as `of_256` reads them.
#[inline(always)]
fn six_bits(scales: &[u8; 8], mins: &[u8; 8]) -> [u8; 12] {
    let mut packed = [0; 12];
    for g in 0..4 {
        packed[g] = scales[g] | scales[g + 4] >> 4 << 6;
        packed[g + 4] = mins[g] | mins[g + 4] >> 4 << 6;
        packed[g + 8] = scales[g + 4] & 15 | mins[g + 4] << 4;
    }
    packed
}

#[inline(always)]
pub(super) fn q4_k(x: &[f32; 256], out: &mut [u8; 144]) {
    let (head, q) = affine_block(x, 15.0);
    out[..16].copy_from_slice(&head);
    low_halves(&q, &mut out[16..]);
}

#[inline(always)]
pub(super) fn q5_k(x: &[f32; 256], out: &mut [u8; 176]) {
    let (head, q) = affine_block(x, 31.0);
    out[..16].copy_from_slice(&head);
    out[16..48].fill(0);
    for (g, q) in q.as_chunks::<32>().0.iter().enumerate() {
        for (high, q) in out[16..48].iter_mut().zip(q) {
            *high |= q >> 4 << g;
        }
    }
    low_halves(&q, &mut out[48..]);
}

/// Four bits of each value: those of 32 values below those of the next 32.
#[inline(always)]
fn low_halves(q: &[u8; 256], out: &mut [u8]) {
    for (q, out) in q.as_chunks::<64>().0.iter().zip(out.as_chunks_mut::<32>().0) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = q[i] & 15 | q[i + 32] << 4;
        }
    }
}

/// A block of groups of 16 with scales alone.
#[derive(Clone, Copy)]
struct Symmetric {
    d: f32,
    scales: [f32; 16],
    fits: [Fit; 16],
    error: f32,
}

const RANGE: (f32, f32) = (-32.0, 31.0);

#[inline(always)]
pub(super) fn q6_k(x: &[f32; 256], out: &mut [u8; 210]) {
    let groups = x.as_chunks::<16>().0;
    let mut ideal = [Fit::default(); 16];
    for (fit, x) in ideal.iter_mut().zip(groups) {
        *fit = symmetric(x, 32.0);
    }
    let farthest =
        ideal.iter().fold(0.0f32, |far, fit| if fit.scale.abs() > far.abs() { fit.scale } else { far });
    let mut d = rounded(farthest / -128.0);
    let mut best: Option<Symmetric> = None;
    for _ in 0..ROUNDS {
        let block = multiples(groups, &ideal, d);
        let [mut aa, mut ax] = [0.0f32; 2];
        for (scale, fit) in block.scales.iter().zip(&block.fits) {
            aa += scale * scale * fit.sums.qq;
            ax += scale * fit.sums.xq;
        }
        d = if aa > 0.0 { rounded(ax / aa) } else { d };
        if best.is_none_or(|best| block.error < best.error) {
            best = Some(block);
        }
    }
    out.fill(0);
    let Some(best) = best else { return };
    let (low, rest) = out.split_at_mut(128);
    let (high, rest) = rest.split_at_mut(64);
    for (out, scale) in rest.iter_mut().zip(best.scales) {
        *out = (scale as i8).cast_unsigned();
    }
    rest[16..].copy_from_slice(&f16::from_f32(best.d).to_le_bytes());
    for (i, x) in x.iter().enumerate() {
        let inverse = inverse(best.fits[i / 16].scale);
        let q = (nearest(x * inverse, RANGE.0, RANGE.1) + 32.0) as u8;
        low[64 * (i / 128) + i % 64] |= (q & 15) << (4 * (i / 64 % 2));
        high[32 * (i / 128) + i % 32] |= (q >> 4) << (2 * (i / 32 % 4));
    }
}

/// The best multiples of `d` for each group, next to the ideal ones.
#[inline(always)]
fn multiples(groups: &[[f32; 16]], ideal: &[Fit; 16], d: f32) -> Symmetric {
    let mut block = Symmetric { d, scales: [0.0; 16], fits: [Fit::default(); 16], error: 0.0 };
    for (g, (x, ideal)) in groups.iter().zip(ideal).enumerate() {
        let about = if d == 0.0 { 0.0 } else { nearest(ideal.scale / d, -128.0, 127.0) };
        let mut least = f32::INFINITY;
        for step in [0.0, -1.0, 1.0] {
            let scale = (about + step).clamp(-128.0, 127.0);
            let fit = Fit::of(x, d * scale, 0.0, RANGE);
            if fit.sums.error < least {
                least = fit.sums.error;
                (block.scales[g], block.fits[g]) = (scale, fit);
            }
        }
        block.error += least;
    }
    block
}
