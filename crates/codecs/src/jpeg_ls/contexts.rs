//! The adaptive part: what was seen in each context so far (T.87, A.2.1, A.6 and A.7.2).

use super::parameters::Parameters;

/// How often a context occurred and how large its errors were.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Context {
    /// A: sum of the errors' magnitudes.
    magnitude: u32,
    /// N: occurrences, at least 1.
    n: u32,
    /// B: sum of the errors, kept within −N < B ≤ 0.
    sum: i32,
    /// C: correction of the prediction, −128 to 127.
    pub(super) correction: i32,
    /// Bits of a code's low part; known as soon as the sums are, long before the context is met again.
    pub(super) k: u32,
    /// −1 where error values are mapped the other way around (A.5.2), else 0.
    pub(super) flip: i32,
}

impl Context {
    /// A context that did not occur yet.
    pub(super) fn new(parameters: &Parameters) -> Self {
        let magnitude = first_magnitude(parameters);
        let mut context = Self { magnitude, n: 1, sum: 0, correction: 0, k: golomb_k(magnitude, 1), flip: 0 };
        context.flip = context.flip_for(parameters.near);
        context
    }

    fn flip_for(&self, near: i32) -> i32 {
        -i32::from(near == 0 && self.k == 0 && 2 * self.sum + self.n as i32 <= 0)
    }

    /// Takes an error value of at most 2¹⁶ in.
    #[inline(always)]
    pub(super) fn update(&mut self, error: i32, near: i32, reset: u32) {
        let mut n = self.n;
        let mut sum = self.sum + error * (2 * near + 1);
        let mut magnitude = self.magnitude + error.unsigned_abs();
        if n == reset {
            magnitude >>= 1;
            sum >>= 1;
            n >>= 1;
        }
        n += 1;
        let signed_n = n as i32;
        if sum <= -signed_n {
            sum = (sum + signed_n).max(1 - signed_n);
            self.correction = (self.correction - 1).max(-128);
        } else if sum > 0 {
            sum = (sum - signed_n).min(0);
            self.correction = (self.correction + 1).min(127);
        }
        self.n = n;
        self.sum = sum;
        self.magnitude = magnitude;
        self.k = golomb_k(magnitude, n);
        self.flip = self.flip_for(near);
    }
}

/// What was seen where a run was interrupted.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunContext {
    magnitude: u32,
    n: u32,
    /// Nn: occurrences with a negative error.
    n_negative: u32,
}

impl RunContext {
    /// A context that did not occur yet.
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { magnitude: first_magnitude(parameters), n: 1, n_negative: 0 }
    }

    /// Bits of a code's low part; `kind` is RItype, 0 or 1.
    pub(super) fn k(&self, kind: u32) -> u32 {
        golomb_k(self.magnitude + if kind == 1 { self.n >> 1 } else { 0 }, self.n)
    }

    /// The error value that `mapped`, decoded with `k`, stands for, and takes it in.
    pub(super) fn take(&mut self, mapped: u32, k: u32, kind: u32, reset: u32) -> i32 {
        let doubled = mapped + kind;
        let size = doubled.div_ceil(2);
        let is_odd = doubled & 1 == 1;
        let is_negative = size > 0 && (k != 0 || 2 * self.n_negative >= self.n) == is_odd;
        self.n_negative += u32::from(is_negative);
        self.magnitude += (mapped + 1 - kind) >> 1;
        if self.n == reset {
            self.magnitude >>= 1;
            self.n >>= 1;
            self.n_negative >>= 1;
        }
        self.n += 1;
        if is_negative { -(size as i32) } else { size as i32 }
    }
}

fn first_magnitude(parameters: &Parameters) -> u32 {
    ((parameters.range as u32 + 32) / 64).max(2)
}

/// The least k with n · 2ᵏ ≥ magnitude.
#[inline(always)]
fn golomb_k(magnitude: u32, n: u32) -> u32 {
    let k = n.leading_zeros().saturating_sub(magnitude.leading_zeros());
    k + u32::from(n << k < magnitude)
}

#[cfg(test)]
mod tests {
    use super::golomb_k;

    #[test]
    fn k_is_the_least_that_covers_the_mean_magnitude() {
        for n in 1..200u32 {
            for magnitude in 0..3000u32 {
                let k = golomb_k(magnitude, n);
                assert!(n << k >= magnitude && (k == 0 || n << (k - 1) < magnitude), "{magnitude} {n}");
            }
        }
    }
}
