//! Divergence of two distributions over tokens, and intervals.

/// What was found at the places of one answer.
#[derive(Clone, Debug, Default)]
pub struct Divergence {
    /// Kullback-Leibler divergence of B from A at each place, in nats.
    pub kl: Vec<f64>,
    /// Places at which both prefer the same token.
    pub n_same_top: usize,
}

impl Divergence {
    /// Adds a place from the logits of both; over the tokens that both have, should one table be longer.
    pub fn add(&mut self, a: &[f32], b: &[f32]) {
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let (norm_a, norm_b) = (log_sum(a), log_sum(b));
        let kl: f64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| {
                let (a, b) = (f64::from(*a) - norm_a, f64::from(*b) - norm_b);
                a.exp() * (a - b)
            })
            .sum();
        // Rounding can bring two equal distributions a hair below zero; what is not a number stays so.
        self.kl.push(if kl < 0.0 { 0.0 } else { kl });
        self.n_same_top += usize::from(top(a) == top(b));
    }
}

/// The logarithm of the sum of exponentials.
fn log_sum(row: &[f32]) -> f64 {
    let largest = row.iter().fold(f32::NEG_INFINITY, |most, x| most.max(*x));
    let sum: f64 = row.iter().map(|x| f64::from(x - largest).exp()).sum();
    f64::from(largest) + sum.ln()
}

/// The first of the largest.
fn top(row: &[f32]) -> usize {
    row.iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, x)| if *x > best.1 { (i, *x) } else { best })
        .0
}

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The value below which `share` of the sorted values lie (nearest rank); 0 of nothing.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// Normal quantile of a two-sided interval of 95 %.
const Z: f64 = 1.959_964;

/// Wilson's score interval of 95 % for `n` of `of`.
pub fn wilson(n: usize, of: usize) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (p, of) = (n as f64 / of as f64, of as f64);
    let centre = p + Z * Z / (2.0 * of);
    let half = Z * (p * (1.0 - p) / of + Z * Z / (4.0 * of * of)).sqrt();
    let scale = 1.0 + Z * Z / of;
    [((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)]
}

/// Resamples of a bootstrap, and their seed.
pub const RESAMPLES: usize = 2000;
pub const SEED: u64 = 20_261_124;

/// Percentile bootstrap of 95 % for a ratio of sums over cases, each a pair of numerator and denominator. Cases are drawn
/// and not places: the places of one answer hang together.
pub fn bootstrap(cases: &[(f64, f64)]) -> [f64; 2] {
    let mut state = SEED;
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut above, mut below) = (0.0, 0.0);
            for _ in cases {
                let (a, b) = cases[(draw() % cases.len() as u64) as usize];
                above += a;
                below += b;
            }
            if below > 0.0 { above / below } else { 0.0 }
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    [percentile(&ratios, 0.025), percentile(&ratios, 0.975)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergence_is_that_of_its_definition() {
        let mut found = Divergence::default();
        // Probabilities 3/4, 1/4 and 1/2, 1/2; the third token of one alone does not count.
        found.add(&[3f32.ln(), 0.0], &[5.0, 5.0, 9.0]);
        found.add(&[1.0, 2.0], &[101.0, 102.0]);
        let expected = 0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln();
        assert!((found.kl[0] - expected).abs() < 1e-7, "{:?}", found.kl);
        assert!(found.kl[1] < 1e-12);
        assert_eq!(found.n_same_top, 2);
    }

    #[test]
    fn intervals_are_those_of_the_books() {
        // Newcombe 1998, table I: 81 of 263, 0 of 20, 1 of 29.
        for (n, of, low, high) in [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)] {
            let [a, b] = wilson(n, of);
            assert!((a - low).abs() < 5e-5 && (b - high).abs() < 5e-5, "{n}/{of}: {a} {b}");
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
        let [low, high] = bootstrap(&[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0), (2.0, 1.0)]);
        assert!((1.0..2.0).contains(&low) && high > 2.0 && high <= 3.0, "{low} {high}");
        assert_eq!(bootstrap(&[(4.0, 2.0)]), [2.0, 2.0]);
        assert_eq!(bootstrap(&[]), [0.0, 0.0]);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.0);
    }
}
