//! From logits to a token, and to log-probabilities.

use crate::{Alternative, Error, ErrorKind, Result, Sampling, TokenLogprob};

/// How far a log-probability may lie from the exact one of the same logits: two roundings to f32 (the maximum and the
/// result), each at most half a unit in the last place of a value up to 128; the sum itself is in f64.
pub const LOGPROB_TOLERANCE: f32 = 1.6e-5;

/// A generator of its own, so that a seed means the same tokens on every machine and with every version:
/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Generator {
    state: u64,
}

impl Generator {
    /// Starts the sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0.0..1.0` of 53 random bits.
    pub fn next_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

/// Refuses settings that mean nothing.
///
/// # Errors
/// [`ErrorKind::Request`] naming the field.
pub fn check(sampling: &Sampling) -> Result<()> {
    let bad = |field: &str, expected: &str, found: String| {
        Err(Error::new(ErrorKind::Request, format!("{field}: expected {expected}, found {found}")))
    };
    if !(sampling.temperature >= 0.0 && sampling.temperature.is_finite()) {
        return bad("temperature", "a number that is not negative", sampling.temperature.to_string());
    }
    if sampling.top_k == Some(0) {
        return bad("top_k", "at least 1", "0".to_owned());
    }
    match sampling.top_p {
        Some(p) if !(p > 0.0 && p <= 1.0) => bad("top_p", "above 0 and at most 1", p.to_string()),
        _ => Ok(()),
    }
}

/// The id of the largest logit, the lowest among equals. NaN never wins; 0 if there is nothing else.
#[must_use]
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = (f32::NEG_INFINITY, 0);
    for (id, &logit) in logits.iter().enumerate() {
        if logit > best.0 {
            best = (logit, id as u32);
        }
    }
    best.1
}

/// Chooses a token: greedy at temperature 0, else temperature, then `top_k`, then `top_p`, in the reference's order.
///
/// `top_k` keeps every token as likely as the k-th; `top_p` keeps the smallest set of most likely tokens whose
/// probability reaches p (ties by lower id). One number of `generator` is used for each sampled token.
#[must_use]
pub fn choose(logits: &[f32], sampling: &Sampling, generator: &mut Generator) -> u32 {
    if sampling.temperature == 0.0 {
        return greedy(logits);
    }
    let mut kept: Vec<(f32, u32)> = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| !logit.is_nan())
        .map(|(id, &logit)| (logit / sampling.temperature, id as u32))
        .collect();
    let Some(last) = kept.len().checked_sub(1) else { return 0 };
    if let Some(k) = sampling.top_k {
        let (_, &mut (kth, _), _) = kept.select_nth_unstable_by((k - 1).min(last), by_rank);
        kept.retain(|(score, _)| *score >= kth);
    }
    kept.sort_unstable_by(by_rank);
    let top = kept[0].0;
    // A tiny temperature can push the best scores to infinity; what is infinite then shares the probability.
    let weight = |score: f32| if score == top { 1.0 } else { f64::from(score - top).exp() };
    let total: f64 = kept.iter().map(|(score, _)| weight(*score)).sum();
    let mut within = kept.len();
    let mut mass = total;
    if let Some(p) = sampling.top_p {
        let enough = total * f64::from(p);
        mass = 0.0;
        for (rank, (score, _)) in kept.iter().enumerate() {
            mass += weight(*score);
            if mass >= enough {
                within = rank + 1;
                break;
            }
        }
    }
    let mut left = generator.next_unit() * mass;
    for (score, id) in &kept[..within] {
        left -= weight(*score);
        if left < 0.0 {
            return *id;
        }
    }
    kept[within - 1].1
}

/// Most likely first, ties by lower id.
fn by_rank(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    // Plain comparison, so that 0 and -0 are equal; what is not a number was left out before.
    b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1))
}

/// Refuses logits that make no distribution.
///
/// # Errors
/// [`ErrorKind::Weights`] naming the first token whose logit is not a number or infinite.
pub fn check_logits(logits: &[f32]) -> Result<()> {
    match logits.iter().position(|logit| !logit.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::new(
            ErrorKind::Weights,
            format!("the model's score of token {i} is {}, so there are no probabilities", logits[i]),
        )
        .hint("the weights are damaged or overflow")),
    }
}

/// The log-probability of `id` under `logits` (temperature 1, no filter), with the `n_top` most likely tokens.
///
/// The sum runs over ids in increasing order in f64; accuracy is [`LOGPROB_TOLERANCE`].
///
/// # Errors
/// [`ErrorKind::Weights`] if a logit is not a number or infinite: the weights then make no distribution.
pub fn logprob(logits: &[f32], id: u32, n_top: usize) -> Result<TokenLogprob> {
    check_logits(logits)?;
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    let log_sum = sum.ln();
    let of = |logit: f32| (f64::from(logit - max) - log_sum) as f32;
    let Some(&chosen) = logits.get(id as usize) else {
        return Err(Error::new(
            ErrorKind::Request,
            format!("token {id} is outside the {} the model scores", logits.len()),
        ));
    };
    let top = best(logits, n_top).into_iter().map(|(logit, id)| Alternative { id, logprob: of(logit) });
    Ok(TokenLogprob { id, logprob: of(chosen), top: top.collect() })
}

/// The `n` largest logits with their ids, best first, ties by lower id.
fn best(logits: &[f32], n: usize) -> Vec<(f32, u32)> {
    let n = n.min(logits.len());
    if n == 0 {
        return Vec::new();
    }
    let mut found: Vec<(f32, u32)> = Vec::with_capacity(2 * n);
    let keep_best = |found: &mut Vec<(f32, u32)>| {
        found.sort_unstable_by(by_rank);
        found.truncate(n);
    };
    // What is not above the worst of n found so far cannot be among the best: almost all of a vocabulary.
    let mut floor = f32::NEG_INFINITY;
    for (id, &logit) in logits.iter().enumerate() {
        if logit > floor || found.len() < n {
            found.push((logit, id as u32));
            if found.len() == 2 * n {
                keep_best(&mut found);
                floor = found[n - 1].0;
            }
        }
    }
    keep_best(&mut found);
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sampling(temperature: f32, top_k: Option<usize>, top_p: Option<f32>) -> Sampling {
        Sampling { temperature, top_k, top_p, seed: 0 }
    }

    /// How often each token comes up in 20 000 draws.
    fn shares(logits: &[f32], sampling: &Sampling) -> Vec<f64> {
        let mut generator = Generator::new(7);
        let mut counts = vec![0.0; logits.len()];
        for _ in 0..20_000 {
            counts[choose(logits, sampling, &mut generator) as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // First outputs for seed 1234567, published with the reference implementation.
        let mut generator = Generator::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn greedy_takes_the_lowest_id_among_equals() {
        assert_eq!(greedy(&[1.0, 3.0, 3.0, f32::NAN]), 1);
        assert_eq!(greedy(&[f32::NEG_INFINITY; 3]), 0);
        assert_eq!(choose(&[1.0, 3.0, 3.0], &sampling(0.0, None, None), &mut Generator::new(1)), 1);
    }

    #[test]
    fn draws_follow_the_distribution() {
        let logits = [2.0f32, 1.0, 0.0, -1.0];
        let temperature = 0.7;
        let weights: Vec<f64> = logits.iter().map(|&l| f64::from(l / temperature).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (share, weight) in shares(&logits, &sampling(temperature, None, None)).iter().zip(&weights) {
            // Four standard deviations of 20 000 draws are below 0.0142.
            assert!((share - weight / total).abs() < 0.0142, "{share} against {}", weight / total);
        }
    }

    #[test]
    fn filters_keep_what_the_reference_keeps() {
        // Probabilities at temperature 1: 0.5, 0.25, 0.125, 0.125.
        let logits = [0.5f32.ln(), 0.25f32.ln(), 0.125f32.ln(), 0.125f32.ln()];
        let table: [(Option<usize>, Option<f32>, &[u32]); 7] = [
            (Some(1), None, &[0]),
            (Some(3), None, &[0, 1, 2, 3]), // the fourth is as likely as the third
            (None, Some(0.4), &[0]),
            (None, Some(0.6), &[0, 1]),
            (None, Some(0.8), &[0, 1, 2]),
            (None, Some(1.0), &[0, 1, 2, 3]),
            (Some(2), Some(0.6), &[0]), // after top_k the first has two thirds
        ];
        for (k, p, expected) in table {
            let shares = shares(&logits, &sampling(1.0, k, p));
            let seen: Vec<u32> = (0..4).filter(|&i| shares[i as usize] > 0.0).collect();
            assert_eq!(seen, expected, "top_k {k:?}, top_p {p:?}");
        }
    }

    #[test]
    fn extreme_scores_and_temperatures_still_choose_the_best() {
        for temperature in [1e-38, 1e-30, 1e-3] {
            let id =
                choose(&[3.0, 900.0, -5.0], &sampling(temperature, None, Some(0.9)), &mut Generator::new(3));
            assert_eq!(id, 1);
        }
    }

    #[test]
    fn log_probabilities_are_those_of_a_stable_softmax() {
        let logits = [1000.0f32, 999.0, 998.0, 998.0];
        let exact = |x: f64| x - (1.0 + (-1f64).exp() + 2.0 * (-2f64).exp()).ln();
        let entry = logprob(&logits, 1, 3).unwrap();
        assert!((f64::from(entry.logprob) - exact(-1.0)).abs() < f64::from(LOGPROB_TOLERANCE));
        assert_eq!(entry.top.iter().map(|a| a.id).collect::<Vec<_>>(), [0, 1, 2]);
        assert!((f64::from(entry.top[0].logprob) - exact(0.0)).abs() < f64::from(LOGPROB_TOLERANCE));
        assert_eq!(logprob(&logits, 3, 9).unwrap().top.len(), 4);
        assert!(logprob(&[f32::NAN, 0.0], 1, 0).is_err());
        assert!(logprob(&logits, 4, 0).is_err());
    }

    #[test]
    fn the_best_are_those_of_a_full_sort() {
        let mut generator = Generator::new(11);
        for len in [1, 2, 7, 40, 1000] {
            // Few different values, so that many are equal.
            let logits: Vec<f32> = (0..len).map(|_| (generator.next_u64() % 9) as f32 - 4.0).collect();
            let mut sorted: Vec<_> =
                logits.iter().enumerate().map(|(id, &logit)| (logit, id as u32)).collect();
            sorted.sort_by(by_rank);
            for n in [0, 1, 2, 5, 20, 2000] {
                assert_eq!(best(&logits, n), sorted[..n.min(len)], "{n} of {len}");
            }
        }
    }

    #[test]
    fn settings_that_mean_nothing_are_refused_by_name() {
        let table = [
            (sampling(-1.0, None, None), "temperature"),
            (sampling(f32::NAN, None, None), "temperature"),
            (sampling(1.0, Some(0), None), "top_k"),
            (sampling(1.0, None, Some(0.0)), "top_p"),
            (sampling(1.0, None, Some(1.5)), "top_p"),
        ];
        for (sampling, field) in table {
            assert!(check(&sampling).unwrap_err().to_string().starts_with(field));
        }
        assert!(check(&Sampling::default()).is_ok());
    }
}
