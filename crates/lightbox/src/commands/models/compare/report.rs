//! What is reported, for people and as JSON.

use lightbox_models::{Engine, Generation, LocalEngine, ModelCard, Timings};
use serde::Serialize;

use super::measure::{Divergence, RESAMPLES, SEED, bootstrap, mean, percentile, wilson};
use crate::arguments::{ModelArguments, Vision};
use crate::terminal::count;

/// One of the two models.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    name: String,
    digest: String,
    vision: &'static str,
    kv: String,
}

impl Side {
    pub fn of(engine: &LocalEngine, arguments: &ModelArguments) -> Self {
        let ModelCard { name, digest, .. } = engine.card().clone();
        let vision = match arguments.vision {
            None | Some(Vision::Exact) => "exact",
            Some(Vision::Int8) => "int8",
        };
        Self { name, digest, vision, kv: engine.kv().to_string() }
    }

    fn told(&self) -> String {
        format!("{}, vision {}, keys and values {}", self.name, self.vision, self.kv)
    }
}

/// One case on both.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    case: String,
    /// Tokens of A's answer, each a place.
    places: usize,
    mean_kl: f64,
    max_kl: f64,
    same_top: usize,
    /// Whether the text of the answer is another.
    changed: bool,
    /// The first token in which the answers part.
    parts_at: Option<usize>,
    tokens_b: usize,
    timings_a: Spent,
    timings_b: Spent,
    #[serde(skip)]
    kl: Vec<f64>,
}

/// Wall time in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Spent {
    image: f64,
    prefill: f64,
    decode: f64,
}

impl Spent {
    fn of(timings: &Timings) -> Self {
        Self { image: timings.image_ms, prefill: timings.prefill_ms, decode: timings.decode_ms }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            image: self.image + other.image,
            prefill: self.prefill + other.prefill,
            decode: self.decode + other.decode,
        }
    }
}

impl CaseReport {
    pub fn of(case: &str, divergence: Divergence, a: &Generation, b: &Generation) -> Self {
        let same = a.ids.iter().zip(&b.ids).take_while(|(a, b)| a == b).count();
        Self {
            case: case.to_owned(),
            places: divergence.kl.len(),
            mean_kl: mean(&divergence.kl),
            max_kl: divergence.kl.iter().fold(0.0, |most, kl| kl.max(most)),
            same_top: divergence.n_same_top,
            changed: a.answer != b.answer,
            parts_at: (a.ids != b.ids).then_some(same),
            tokens_b: b.ids.len(),
            timings_a: Spent::of(&a.timings),
            timings_b: Spent::of(&b.timings),
            kl: divergence.kl,
        }
    }
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    format: u32,
    a: Side,
    b: Side,
    n_cases: usize,
    places: usize,
    kl: Kl,
    same_top: Share,
    changed: Share,
    method: Method,
    timings_a: Spent,
    timings_b: Spent,
    cases: Vec<CaseReport>,
}

/// Divergence of B from A over all places, in nats.
#[derive(Clone, Debug, Serialize)]
struct Kl {
    mean: f64,
    interval_95: [f64; 2],
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

/// So many of so many.
#[derive(Clone, Debug, Serialize)]
struct Share {
    n: usize,
    of: usize,
    share: f64,
    interval_95: [f64; 2],
}

/// How intervals were made.
#[derive(Clone, Debug, Serialize)]
struct Method {
    answers: &'static str,
    kl: &'static str,
    same_top: &'static str,
    changed: &'static str,
    resamples: usize,
    seed: u64,
}

const METHOD: Method = Method {
    answers: "greedy; probabilities at each place of A's answer, over the tokens that both models have",
    kl: "mean over places; percentile bootstrap over cases",
    same_top: "share of places; percentile bootstrap over cases",
    changed: "cases whose text differs, paired by case; Wilson score interval",
    resamples: RESAMPLES,
    seed: SEED,
};

impl Report {
    pub fn of([a, b]: [Side; 2], cases: Vec<CaseReport>) -> Self {
        let mut all: Vec<f64> = cases.iter().flat_map(|case| case.kl.iter().copied()).collect();
        let places = all.len();
        let over_cases = |value: &dyn Fn(&CaseReport) -> f64| {
            bootstrap(&cases.iter().map(|case| (value(case), case.places as f64)).collect::<Vec<_>>())
        };
        let average = mean(&all);
        all.sort_by(f64::total_cmp);
        let kl = Kl {
            mean: average,
            interval_95: over_cases(&|case| case.kl.iter().sum()),
            p50: percentile(&all, 0.5),
            p90: percentile(&all, 0.9),
            p99: percentile(&all, 0.99),
            max: percentile(&all, 1.0),
        };
        let share = |n: usize, of: usize, interval_95| {
            let share = if of == 0 { 0.0 } else { n as f64 / of as f64 };
            Share { n, of, share, interval_95 }
        };
        let same = cases.iter().map(|case| case.same_top).sum();
        let changed = cases.iter().filter(|case| case.changed).count();
        let total = |side: &dyn Fn(&CaseReport) -> Spent| {
            cases.iter().fold(Spent::default(), |sum, case| sum.plus(side(case)))
        };
        Self {
            format: 1,
            a,
            b,
            n_cases: cases.len(),
            places,
            kl,
            same_top: share(same, places, over_cases(&|case| case.same_top as f64)),
            changed: share(changed, cases.len(), wilson(changed, cases.len())),
            method: METHOD,
            timings_a: total(&|case| case.timings_a),
            timings_b: total(&|case| case.timings_b),
            cases,
        }
    }

    /// The report as a table.
    pub fn told(&self) -> String {
        let percent = |share: &Share| {
            format!(
                "{:.1} %  ({} of {}; 95 %: {:.1} to {:.1} %)",
                100.0 * share.share,
                share.n,
                share.of,
                100.0 * share.interval_95[0],
                100.0 * share.interval_95[1]
            )
        };
        let seconds = |spent: &Spent| {
            format!(
                "pictures {:.1} s, prompts {:.1} s, answers {:.1} s",
                spent.image / 1e3,
                spent.prefill / 1e3,
                spent.decode / 1e3
            )
        };
        let kl = &self.kl;
        let lines = [
            ("A", self.a.told()),
            ("B", self.b.told()),
            ("cases", format!("{}, {}", count(self.n_cases, "case"), count(self.places, "place"))),
            ("changed", format!("answers {}", percent(&self.changed))),
            ("same token", format!("preferred at {}", percent(&self.same_top))),
            (
                "KL, nats",
                format!("mean {:.5}  (95 %: {:.5} to {:.5})", kl.mean, kl.interval_95[0], kl.interval_95[1]),
            ),
            (
                "",
                format!(
                    "half below {:.5}, 90 % {:.5}, 99 % {:.5}, most {:.5}",
                    kl.p50, kl.p90, kl.p99, kl.max
                ),
            ),
            ("time of A", seconds(&self.timings_a)),
            ("time of B", seconds(&self.timings_b)),
        ];
        let mut text: String = lines.iter().map(|(name, value)| format!("{name:<12}{value}\n")).collect();
        text.push_str("\nKL        most      same     answer   case\n");
        for case in &self.cases {
            text.push_str(&format!(
                "{:<9.5} {:<9.5} {:>4}/{:<4}{:<8} {}\n",
                case.mean_kl,
                case.max_kl,
                case.same_top,
                case.places,
                if case.changed { "changed" } else { "same" },
                case.case
            ));
        }
        text
    }
}
