//! The one micro-kernel: a few rows of quantized activations against one panel, over one chunk.

use super::activations::{Codes, Facts};
use super::expand::View;
use super::format::{Format, Shift};
use super::layout::CHUNK;
use crate::integers::{Dot, STEP};
use crate::lanes::{Lanes, WIDTH};

/// Adds a chunk's products to the sums of `R` rows, block after block.
///
/// `w` holds `n` blocks a row; `codes` and `facts` are the rows'. Where `sums` holds fewer rows, the last ones are left out.
#[inline(always)]
pub(super) fn tile<S: Lanes, F: Format, const R: usize>(
    s: S,
    w: View<'_>,
    n: usize,
    codes: &[Codes; R],
    facts: &[Facts; R],
    sums: &mut [[f32; WIDTH]],
) {
    assert!(
        w.codes.len() * STEP >= n * F::LAYOUT.block && n <= F::LAYOUT.blocks_a_chunk(),
        "a chunk is whole"
    );
    let mut totals = [s.wide_splat(0.0); R];
    let n_sums = sums.len();
    for r in 0..R {
        if r < n_sums {
            // SAFETY: sixteen values.
            totals[r] = unsafe { s.wide_load(sums[r].as_ptr()) };
        }
    }
    if F::LAYOUT.block == CHUNK {
        scaled::<S, F, R>(s, w, codes, facts, &mut totals);
    } else {
        plain::<S, F, R>(s, w, n, codes, facts, &mut totals);
    }
    for r in 0..R {
        if r < n_sums {
            // SAFETY: sixteen values.
            unsafe { s.wide_store(totals[r], sums[r].as_mut_ptr()) };
        }
    }
}

/// Whether the products of codes still hold the codes' offset.
const fn offset_is_left<S: Lanes, F: Format>() -> bool {
    F::CHAIN > 0 || S::WIDE_AS_STORED
}

/// A block of 256 with whole-number scales.
#[inline(always)]
fn scaled<S: Lanes, F: Format, const R: usize>(
    s: S,
    w: View<'_>,
    codes: &[Codes; R],
    facts: &[Facts; R],
    sums: &mut [S::Wide; R],
) {
    let dot = Dot { steps: F::SUB / STEP, chain: F::CHAIN, scaled: true };
    let mut products = [s.zero(); R];
    let x = codes.as_ptr().cast::<i8>();
    for sub in 0..CHUNK / F::SUB {
        // SAFETY: there are 256 codes of each of R rows, 256 · 16 codes of weights (as `tile` checked) and as many scales
        // as there are sub-blocks of sixteen.
        unsafe {
            let w_codes = w.codes.as_ptr().add(sub * dot.steps).cast::<u8>();
            let scale = w.scales.as_ptr().add(sub).cast::<i32>();
            s.dot(dot, w_codes, x.add(sub * F::SUB), CHUNK, scale, &mut products);
        }
    }
    // SAFETY: the rows of a view are sixteen f32 each.
    let (d, shift) = unsafe { (s.wide_load(w.factors[0].as_ptr()), s.wide_load(w.shifts[0].as_ptr())) };
    for r in 0..R {
        let facts = &facts[r];
        let mut shifted = s.zero();
        if F::SHIFT == Shift::Minimums || offset_is_left::<S, F>() {
            for two in 0..CHUNK / F::SUB / 2 {
                let pair: [i16; 2] = match F::SUB {
                    16 => [facts.sums_of_16[2 * two], facts.sums_of_16[2 * two + 1]],
                    _ => [facts.sums_of_32[2 * two], facts.sums_of_32[2 * two + 1]],
                };
                let pair = i32::from(pair[0]) & 0xffff | i32::from(pair[1]) << 16;
                // SAFETY: sixteen words.
                shifted = unsafe { s.add_pairs(shifted, w.pairs[two].as_ptr(), pair) };
            }
        }
        let value = match F::SHIFT {
            Shift::Offset(offset) if offset_is_left::<S, F>() => {
                s.wide_mul(d, s.to_floats(s.sub_times(products[r], shifted, offset)))
            }
            Shift::Offset(_) => s.wide_mul(d, s.to_floats(products[r])),
            Shift::Minimums | Shift::Added => {
                let value = s.wide_mul(d, s.to_floats(products[r]));
                s.wide_fma(shift, s.to_floats(shifted), value)
            }
        };
        sums[r] = s.wide_fma(s.wide_splat(facts.scales[0]), value, sums[r]);
    }
}

/// Up to eight blocks of 32.
#[inline(always)]
fn plain<S: Lanes, F: Format, const R: usize>(
    s: S,
    w: View<'_>,
    n: usize,
    codes: &[Codes; R],
    facts: &[Facts; R],
    sums: &mut [S::Wide; R],
) {
    let dot = Dot { steps: F::SUB / STEP, chain: F::CHAIN, scaled: false };
    let x = codes.as_ptr().cast::<i8>();
    for b in 0..n {
        let mut products = [s.zero(); R];
        // SAFETY: b < n, so codes of R rows and of the weights are there, as `tile` checked; no scales are asked for.
        unsafe {
            let w_codes = w.codes.as_ptr().add(b * dot.steps).cast::<u8>();
            s.dot(dot, w_codes, x.add(b * F::SUB), CHUNK, w.scales.as_ptr().cast(), &mut products);
        }
        // SAFETY: the rows of a view are sixteen f32 each.
        let (d, shift) = unsafe { (s.wide_load(w.factors[b].as_ptr()), s.wide_load(w.shifts[b].as_ptr())) };
        for r in 0..R {
            let facts = &facts[r];
            let sum = i32::from(facts.sums_of_32[b]);
            let value = match F::SHIFT {
                Shift::Offset(offset) if offset_is_left::<S, F>() => {
                    s.wide_mul(d, s.to_floats(s.add_all(products[r], -offset * sum)))
                }
                Shift::Offset(_) => s.wide_mul(d, s.to_floats(products[r])),
                Shift::Minimums | Shift::Added => {
                    let value = s.wide_mul(d, s.to_floats(products[r]));
                    s.wide_fma(shift, s.wide_splat(sum as f32), value)
                }
            };
            sums[r] = s.wide_fma(s.wide_splat(facts.scales[b]), value, sums[r]);
        }
    }
}
