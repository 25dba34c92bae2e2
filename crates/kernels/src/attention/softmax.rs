//! The step of the online softmax: scores of one block become weights.

use super::walk::Walk;
use crate::cache::KEY_BLOCK;
use crate::lanes::{LANES, Lanes};
use crate::maths::exp;

impl<W> Walk<'_, W> {
    /// Turns scores into weights relative to the new maxima, +0 for keys that a row does not see; updates maxima and
    /// sums. Returns by what the rows' former outputs are to be multiplied, row `first + r` in lane r.
    #[inline(always)]
    pub(super) fn soften<S: Lanes, const R: usize>(
        &mut self,
        s: S,
        first: usize,
        seen: &[(usize, usize); R],
    ) -> [f32; LANES] {
        let mut old = [0.0; LANES];
        let mut new = [0.0; LANES];
        let mut added = [0.0; LANES];
        // Each of these loops takes steps that wait for one another; side by side, the rows hide that.
        for (r, &(start, end)) in seen.iter().enumerate() {
            let scores = &mut self.scores[r * KEY_BLOCK..(r + 1) * KEY_BLOCK];
            // What stands here was computed from keys of other rows or positions.
            scores[..start].fill(f32::NEG_INFINITY);
            scores[end..].fill(f32::NEG_INFINITY);
            let mut largest = s.splat(f32::NEG_INFINITY);
            for scores in scores.chunks(LANES) {
                largest = s.max(s.load_slice(scores), largest);
            }
            let largest = s.largest(largest);
            old[r] = self.maxima[first + r];
            new[r] = if largest > old[r] { largest } else { old[r] };
        }
        let mut sums = [s.splat(0.0); R];
        for (r, sum) in sums.iter_mut().enumerate() {
            let maximum = s.splat(new[r]);
            for scores in self.scores[r * KEY_BLOCK..(r + 1) * KEY_BLOCK].as_chunks_mut::<LANES>().0 {
                let weights = exp(s, s.sub(s.load_slice(scores), maximum));
                *sum = s.add(*sum, weights);
                s.store_slice(weights, scores);
            }
        }
        for (added, sum) in added.iter_mut().zip(sums) {
            *added = s.sum(sum);
        }
        let factors = s.to_array(exp(s, s.sub(s.load_slice(&old), s.load_slice(&new))));
        for r in 0..R {
            self.maxima[first + r] = new[r];
            self.sums[first + r] = self.sums[first + r].mul_add(factors[r], added[r]);
        }
        factors
    }
}
