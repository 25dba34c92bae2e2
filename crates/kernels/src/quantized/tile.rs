//! The one micro-kernel: a few rows of quantized activations against one panel, over one chunk.

#![expect(
    clippy::needless_range_loop,
    reason = "iterators over arrays of registers send them through memory"
)]

use super::activations::{Codes, Facts};
use super::format::{Bits, Format, Shift};
use super::layout::CHUNK;
use super::packed::Source;
use crate::integers::STEP;
use crate::lanes::{Lanes, WIDTH};

/// How the groups of four inputs follow one another: in units, each of a few fields of a word, each of a run of groups.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    /// Groups of a run.
    pub len: usize,
    /// Runs of a unit.
    pub fields: usize,
    /// Groups from one field's run to the next.
    apart: usize,
    /// Units that lie inside one another's gaps.
    beside: usize,
}

impl Runs {
    #[inline(always)]
    pub const fn of<F: Format>() -> Self {
        match F::BITS {
            Bits::Eight => Self { len: 8, fields: 1, apart: 8, beside: 1 },
            Bits::Four { apart } | Bits::Five { apart, .. } | Bits::Table { apart } => {
                Self { len: apart, fields: 2, apart, beside: 1 }
            }
            Bits::Two | Bits::Three | Bits::Six => Self { len: 4, fields: 4, apart: 8, beside: 2 },
        }
    }

    /// Units of `n_in` inputs.
    #[inline(always)]
    pub const fn units(&self, n_in: usize) -> usize {
        n_in / STEP / (self.len * self.fields)
    }

    /// The first group of field `field` of unit `unit`.
    #[inline(always)]
    pub const fn first(&self, unit: usize, field: usize) -> usize {
        let base = unit / self.beside * (self.fields * self.apart);
        base + unit % self.beside * self.len + field * self.apart
    }
}

/// Runs `$body` for each field, `$FIELD` being a constant.
macro_rules! each_field {
    ($n:expr, $FIELD:ident => $body:expr) => {{
        {
            const $FIELD: usize = 0;
            $body
        }
        if $n > 1 {
            const $FIELD: usize = 1;
            $body
        }
        if $n > 2 {
            const $FIELD: usize = 2;
            $body
        }
        if $n > 3 {
            const $FIELD: usize = 3;
            $body
        }
    }};
}
pub(super) use each_field;

/// Rows of activations, and the chunk that they are multiplied with.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a, W, const R: usize> {
    pub w: W,
    /// Blocks of a row in the chunk.
    pub n: usize,
    pub codes: &'a [Codes; R],
    pub facts: &'a [Facts; R],
}

impl<W: Source, const R: usize> Tile<'_, W, R> {
    /// Adds the products to the sums of the rows, block after block. Where `sums` holds fewer rows, the last ones are left out.
    #[inline(always)]
    pub fn add<S: Lanes, F: Format>(&self, s: S, sums: &mut [[f32; WIDTH]]) {
        assert!(self.n <= F::LAYOUT.blocks_a_chunk(), "a chunk holds no more");
        let mut totals = [s.wide_splat(0.0); R];
        let n_sums = sums.len();
        for r in 0..R {
            if r < n_sums {
                // SAFETY: sixteen values.
                totals[r] = unsafe { s.wide_load(sums[r].as_ptr()) };
            }
        }
        let runs = Runs::of::<F>();
        if F::LAYOUT.block == CHUNK {
            let mut products = [s.zero(); R];
            for unit in 0..runs.units(CHUNK) {
                each_field!(runs.fields, FIELD => self.run::<S, F, FIELD>(s, unit, &mut products));
            }
            self.close_scaled::<S, F>(s, products, &mut totals);
        } else {
            for b in 0..self.n {
                let mut products = [s.zero(); R];
                each_field!(runs.fields, FIELD => self.run::<S, F, FIELD>(s, b, &mut products));
                self.close_plain::<S, F>(s, b, products, &mut totals);
            }
        }
        for r in 0..R {
            if r < n_sums {
                // SAFETY: sixteen values.
                unsafe { s.wide_store(totals[r], sums[r].as_mut_ptr()) };
            }
        }
    }

    /// Adds the products of one run, which is a sub-block or half of one, times its scale if it has one.
    #[inline(always)]
    fn run<S: Lanes, F: Format, const FIELD: usize>(&self, s: S, unit: usize, products: &mut [S::Sums; R]) {
        let runs = Runs::of::<F>();
        let first = runs.first(unit, FIELD);
        let scaled = F::LAYOUT.block == CHUNK;
        let x = |r: usize, group: usize| self.codes[r].0.as_ptr().wrapping_add(group * STEP);
        // SAFETY: units of the chunk's blocks are asked for alone, so their groups are there; a row has codes for 256 inputs.
        unsafe {
            if F::CHAIN == 0 {
                let mut more = if scaled { [s.zero(); R] } else { *products };
                for group in first..first + runs.len {
                    let codes = self.w.codes::<S, F, FIELD>(s, group);
                    for r in 0..R {
                        more[r] = s.add_wide_codes(more[r], codes, x(r, group));
                    }
                }
                if scaled {
                    let scales = self.w.scales::<S, F>(s, first * STEP / F::SUB);
                    for r in 0..R {
                        products[r] = s.finish_wide(products[r], more[r], scales);
                    }
                } else {
                    *products = more;
                }
                return;
            }
            let chain = if S::NARROW && F::CHAIN < runs.len { F::CHAIN } else { runs.len };
            for start in (first..first + runs.len).step_by(chain) {
                let mut narrow = [s.none(); R];
                for group in start..start + chain {
                    let codes = self.w.codes::<S, F, FIELD>(s, group);
                    for r in 0..R {
                        narrow[r] = s.add_codes(narrow[r], codes, x(r, group));
                    }
                }
                if scaled {
                    let scales = self.w.scales::<S, F>(s, first * STEP / F::SUB);
                    for r in 0..R {
                        products[r] = s.finish(products[r], narrow[r], scales);
                    }
                } else {
                    for r in 0..R {
                        products[r] = s.finish_plain(products[r], narrow[r]);
                    }
                }
            }
        }
    }

    /// Ends a block of 256 with whole-number scales.
    #[inline(always)]
    fn close_scaled<S: Lanes, F: Format>(&self, s: S, products: [S::Sums; R], totals: &mut [S::Wide; R]) {
        let mut shifted = [s.zero(); R];
        if F::SHIFT == Shift::Minimums || offset_is_left::<S, F>() {
            for two in 0..CHUNK / F::SUB / 2 {
                let words = self.w.pairs::<S, F>(s, two);
                for r in 0..R {
                    let facts = &self.facts[r];
                    let pair = match F::SUB {
                        16 => [facts.sums_of_16[2 * two], facts.sums_of_16[2 * two + 1]],
                        _ => [facts.sums_of_32[2 * two], facts.sums_of_32[2 * two + 1]],
                    };
                    let pair = i32::from(pair[0]) & 0xffff | i32::from(pair[1]) << 16;
                    shifted[r] = s.add_pairs(shifted[r], words, pair);
                }
            }
        }
        let d = self.w.factor::<S, F>(s, 0);
        for r in 0..R {
            let value = match F::SHIFT {
                Shift::Offset(offset) if offset_is_left::<S, F>() => {
                    s.wide_mul(d, s.to_floats(s.sub_times(products[r], shifted[r], offset)))
                }
                Shift::Offset(_) => s.wide_mul(d, s.to_floats(products[r])),
                Shift::Minimums | Shift::Added => {
                    let value = s.wide_mul(d, s.to_floats(products[r]));
                    s.wide_fma(self.w.shift::<S, F>(s, 0), s.to_floats(shifted[r]), value)
                }
            };
            totals[r] = s.wide_fma(s.wide_splat(self.facts[r].scales[0]), value, totals[r]);
        }
    }

    /// Ends block `b` of 32.
    #[inline(always)]
    fn close_plain<S: Lanes, F: Format>(
        &self,
        s: S,
        b: usize,
        products: [S::Sums; R],
        totals: &mut [S::Wide; R],
    ) {
        let d = self.w.factor::<S, F>(s, b);
        for r in 0..R {
            let sum = i32::from(self.facts[r].sums_of_32[b]);
            let value = match F::SHIFT {
                Shift::Offset(offset) if offset_is_left::<S, F>() => {
                    s.wide_mul(d, s.to_floats(s.add_all(products[r], -offset * sum)))
                }
                Shift::Offset(_) => s.wide_mul(d, s.to_floats(products[r])),
                Shift::Minimums | Shift::Added => {
                    let value = s.wide_mul(d, s.to_floats(products[r]));
                    s.wide_fma(self.w.shift::<S, F>(s, b), s.wide_splat(sum as f32), value)
                }
            };
            totals[r] = s.wide_fma(s.wide_splat(self.facts[r].scales[b]), value, totals[r]);
        }
    }
}

/// Whether the products of codes still hold the codes' offset.
const fn offset_is_left<S: Lanes, F: Format>() -> bool {
    F::CHAIN > 0 || S::WIDE_AS_STORED
}
