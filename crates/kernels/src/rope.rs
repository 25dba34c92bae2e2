//! Rotary position embedding, with the norm of each head that comes before it.

use crate::backend::{Backend, Parts, Scratch, Shared, scratch_len, share};
use crate::error::{Error, Result, expect_len};
use crate::lanes::{LANES, Lanes};
use crate::norms::rms_factor;
use crate::trigonometry::{MAX_ANGLE, sin_cos};

/// The frequencies of a rotary embedding.
#[derive(Clone, Debug)]
pub struct Rope {
    /// `[head_dim / 2]`, each already divided by the divisor.
    frequencies: Vec<f32>,
}

impl Rope {
    /// Last position whose angle the sine and cosine here are made for (the first frequency is 1, the largest).
    pub const MAX_POSITION: usize = MAX_ANGLE as usize;

    /// Frequencies `1 / θ^(2i/d) / position_divisor` for pairs (i, i + d/2) of heads of `d = head_dim` values.
    ///
    /// Rounded to f32 as the reference does it: the exponent, its power, the reciprocal, and the quotient by the
    /// divisor, one after the other. Gemma 3 from 4B up divides by 8 on global layers and by 1 on local ones (Gemma 3
    /// technical report, §2).
    ///
    /// # Errors
    /// A head of odd or no width, a base of less than 1, or a divisor that is not positive.
    pub fn new(head_dim: usize, theta: f64, position_divisor: f64) -> Result<Self> {
        const OP: &str = "rope";
        if head_dim == 0 || !head_dim.is_multiple_of(2) {
            return Err(Error::shape(OP, format!("head_dim {head_dim}, expected an even number of values")));
        }
        if !theta.is_finite() || theta < 1.0 {
            return Err(Error::shape(OP, format!("base {theta}, expected a number of at least 1")));
        }
        if !position_divisor.is_finite() || position_divisor < 1.0 {
            return Err(Error::shape(
                OP,
                format!("divisor {position_divisor}, expected a number of at least 1"),
            ));
        }
        let frequency = |i: usize| {
            let exponent = (2 * i) as f32 / head_dim as f32;
            let power = theta.powf(f64::from(exponent)) as f32;
            1.0 / power / position_divisor as f32
        };
        Ok(Self { frequencies: (0..head_dim / 2).map(frequency).collect() })
    }

    /// Values of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        2 * self.frequencies.len()
    }

    /// Cosines and sines of one position, `[head_dim / 2]` each.
    fn angles(&self, position: usize, cos: &mut [f32], sin: &mut [f32]) {
        let position = position as f32;
        for ((frequency, cos), sin) in self.frequencies.iter().zip(cos).zip(sin) {
            (*sin, *cos) = sin_cos(position * frequency);
        }
    }
}

struct Heads<'a> {
    x: Shared<'a>,
    n_heads: usize,
    weight: &'a [f32],
    eps: f32,
    rope: &'a Rope,
    positions: &'a [usize],
}

impl Backend {
    /// Norms each head of `x` as [`Backend::rms_norm`] does, then rotates it by its row's position; in place.
    ///
    /// `x` is `[n, n_heads, head_dim]`, row-major; `positions` is `[n]`, counted from 0; `weight_plus_one` is
    /// `[head_dim]`. Pairs are (i, i + head_dim/2): `x1·cos - x2·sin` and `x2·cos + x1·sin`, each of the two products
    /// rounded. The angle is `position · frequency`, rounded to f32; its sine and cosine are rounded to f32.
    ///
    /// # Errors
    /// Lengths that do not fit, or a position past 524 288; `x` is then unchanged.
    pub fn norm_rope(
        &self,
        x: &mut [f32],
        weight_plus_one: &[f32],
        eps: f32,
        rope: &Rope,
        positions: &[usize],
    ) -> Result<()> {
        const OP: &str = "norm_rope";
        let d = rope.head_dim();
        expect_len(OP, "weight", weight_plus_one.len(), &[("head_dim", d)])?;
        if positions.is_empty() {
            return expect_len(OP, "x", x.len(), &[("rows", 0)]);
        }
        let n_heads = x.len() / positions.len() / d;
        expect_len(OP, "x", x.len(), &[("rows", positions.len()), ("heads", n_heads), ("head_dim", d)])?;
        // The first frequency is the largest, and at most 1.
        if let Some(position) = positions.iter().find(|p| **p > Rope::MAX_POSITION) {
            return Err(Error::shape(
                OP,
                format!("position {position}, expected at most {}", Rope::MAX_POSITION),
            ));
        }
        let work = x.len() + positions.len() * d * 8;
        let heads = Heads { x: Shared::new(x), n_heads, weight: weight_plus_one, eps, rope, positions };
        self.parallel(work, scratch_len(&[d / 2, d / 2]), &heads)
    }
}

impl Parts for Heads<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch) {
        let d = self.rope.head_dim();
        let [cos, sin] = scratch.slices([d / 2, d / 2]);
        for row in share(self.positions.len(), part, n_parts) {
            self.rope.angles(self.positions[row], cos, sin);
            // SAFETY: each row belongs to one part.
            let heads = unsafe { self.x.range_mut(row * self.n_heads * d, self.n_heads * d) };
            for head in heads.chunks_exact_mut(d) {
                norm_and_rotate(s, head, self.weight, self.eps, cos, sin);
            }
        }
    }
}

#[inline(always)]
fn norm_and_rotate<S: Lanes>(s: S, head: &mut [f32], weight: &[f32], eps: f32, cos: &[f32], sin: &[f32]) {
    let r = s.splat(rms_factor(s, head, eps));
    let half = head.len() / 2;
    let (first, second) = head.split_at_mut(half);
    let (first_weight, second_weight) = weight.split_at(half);
    for i in (0..half).step_by(LANES) {
        let at = i..(i + LANES).min(half);
        let normed = |x: &[f32], weight: &[f32]| s.mul(s.mul(s.load_slice(x), r), s.load_slice(weight));
        let x1 = normed(&first[at.clone()], &first_weight[at.clone()]);
        let x2 = normed(&second[at.clone()], &second_weight[at.clone()]);
        let (cos, sin) = (s.load_slice(&cos[at.clone()]), s.load_slice(&sin[at.clone()]));
        s.store_slice(s.sub(s.mul(x1, cos), s.mul(x2, sin)), &mut first[at.clone()]);
        s.store_slice(s.add(s.mul(x2, cos), s.mul(x1, sin)), &mut second[at]);
    }
}
