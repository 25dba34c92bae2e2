//! Prompts, log-probabilities and greedy answers of every checkpoint.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::KvDtype;
use lightbox_models::{Engine, Finish, Generation, LoadOptions, TokenLogprob};

use crate::store::{Case, Conversation};

/// Largest difference of a log-probability from transformers in float32 (eager attention).
const TOLERANCE: f32 = 2e-4;
/// Greedy steps in a golden, where no end token came earlier.
const STEPS: usize = 28;
/// Alternatives in a golden.
const N_TOP: usize = 5;

fn check(name: &'static str) {
    let case = Case::open(name);
    // Keys and values as computed: what 16 bits change is measured apart.
    let kv = Some(KvDtype::F32);
    let mut engine = case.load(&LoadOptions { n_threads: Some(1), kv, ..LoadOptions::default() });
    let mut worst = 0.0_f32;
    for golden in &case.conversations {
        let place = format!("{name}/{}", golden.name);
        let mut request = golden.request();
        request.max_tokens = Some(STEPS);
        request.logprobs = Some(N_TOP);
        request.prompt_logprobs = Some(N_TOP);
        let generation = engine
            .generate(&request, &AtomicBool::new(false), &mut |_| {})
            .unwrap_or_else(|e| panic!("{place}: {e}"));
        assert_eq!(generation.prompt.text, golden.prompt_text, "{place}");
        assert_eq!(generation.prompt.ids, golden.prompt_ids, "{place}");
        let spans: Vec<_> = generation.prompt.image_spans.iter().map(|s| [s.start, s.end]).collect();
        assert_eq!(spans, golden.image_spans, "{place}");
        worst = worst.max(prompt(&place, &generation, golden)).max(answer(&place, &generation, golden));
    }
    // Shown by `--nocapture`: what the tolerance is chosen from.
    eprintln!("{name}: largest difference {worst:e}");
    assert!(
        worst <= TOLERANCE,
        "{name}: a log-probability is {worst} from the reference, at most {TOLERANCE}"
    );
}

/// Largest difference over the prompt's own tokens and their alternatives.
fn prompt(place: &str, generation: &Generation, golden: &Conversation) -> f32 {
    let ours = generation.prompt_logprobs.as_ref().expect("log-probabilities of the prompt");
    assert_eq!(ours.len(), golden.prompt_logprobs.len(), "{place}");
    let mut worst = 0.0_f32;
    for (i, (ours, golden)) in ours.iter().zip(&golden.prompt_logprobs).enumerate() {
        // Only the first token and an image token outside the table have no probability.
        let Some((Some(chosen), top)) = golden else {
            assert!(ours.is_none(), "{place}: position {i}");
            continue;
        };
        let ours = ours.as_ref().unwrap_or_else(|| panic!("{place}: position {i} has no log-probability"));
        assert_eq!(ours.id, generation.prompt.ids[i], "{place}: position {i}");
        worst = worst.max((ours.logprob - chosen).abs());
        worst = worst.max(alternatives(&format!("{place}: position {i}"), ours, top));
    }
    worst
}

/// Largest difference over the alternatives; their order must be the reference's wherever it is clear.
fn alternatives(place: &str, ours: &TokenLogprob, golden: &[(u32, f32)]) -> f32 {
    assert_eq!(ours.top.len(), golden.len(), "{place}");
    let mut worst = 0.0_f32;
    for (rank, (ours, (id, logprob))) in ours.top.iter().zip(golden).enumerate() {
        let clear =
            |other: Option<&(u32, f32)>| other.is_none_or(|(_, l)| (l - logprob).abs() > 2.0 * TOLERANCE);
        // The last alternative may tie with one that the golden does not list.
        if rank + 1 < golden.len()
            && clear(golden.get(rank + 1))
            && clear(rank.checked_sub(1).map(|r| &golden[r]))
        {
            assert_eq!(ours.id, *id, "{place}: alternative {rank}");
        }
        worst = worst.max((ours.logprob - logprob).abs());
    }
    worst
}

/// Largest difference over the greedy answer, which may part from the reference only where that was undecided.
fn answer(place: &str, generation: &Generation, golden: &Conversation) -> f32 {
    let logprobs = generation.logprobs.as_ref().expect("log-probabilities of the answer");
    assert_eq!(logprobs.len(), generation.ids.len(), "{place}");
    let mut worst = 0.0_f32;
    for (i, choice) in golden.greedy.iter().enumerate() {
        if generation.ids.get(i) != Some(&choice.id) {
            assert!(
                choice.gap < TOLERANCE,
                "{place}: step {i}: expected {}, which beat the second best by {}, got {:?}",
                choice.id,
                choice.gap,
                generation.ids.get(i)
            );
            return worst;
        }
        worst = worst.max((logprobs[i].logprob - choice.logprob).abs());
    }
    assert_eq!(generation.ids.len(), golden.greedy.len(), "{place}");
    let expected = if golden.greedy.len() < STEPS { Finish::Stop } else { Finish::Length };
    assert_eq!(generation.finish, expected, "{place}");
    worst
}

/// Largest and mean difference of a log-probability of the prompts' tokens between keys and values of this type and f32.
fn moved(name: &'static str, kv: KvDtype) -> (f32, f64, usize) {
    let case = Case::open(name);
    let mut engines = [KvDtype::F32, kv]
        .map(|kv| case.load(&LoadOptions { n_threads: Some(1), kv: Some(kv), ..LoadOptions::default() }));
    let (mut worst, mut sum, mut n) = (0.0_f32, 0.0, 0);
    for golden in &case.conversations {
        let mut request = golden.request();
        request.max_tokens = Some(1);
        request.prompt_logprobs = Some(N_TOP);
        let [exact, narrow] = engines.each_mut().map(|engine| {
            let generation = engine.generate(&request, &AtomicBool::new(false), &mut |_| {});
            generation.expect("a generation").prompt_logprobs.expect("asked for")
        });
        for (exact, narrow) in exact.iter().flatten().zip(narrow.iter().flatten()) {
            let difference = (exact.logprob - narrow.logprob).abs();
            (worst, sum, n) = (worst.max(difference), sum + f64::from(difference), n + 1);
        }
    }
    (worst, sum, n)
}

/// The most that a log-probability may move on these checkpoints: half as much again as was measured.
#[test]
fn narrow_keys_and_values_move_log_probabilities_by_little() {
    for (kv, most) in [(KvDtype::F16, 0.032), (KvDtype::Bf16, 0.24), (KvDtype::Q8, 0.75)] {
        let (mut worst, mut sum, mut n) = (0.0_f32, 0.0, 0);
        for name in ["text-f32", "image-bf16", "image-112", "scale-27b", "odd", "phantom"] {
            let (own_worst, own_sum, own_n) = moved(name, kv);
            (worst, sum, n) = (worst.max(own_worst), sum + own_sum, n + own_n);
        }
        eprintln!("{kv}: largest {worst:e}, mean {:e} of {n}", sum / n as f64);
        assert!(worst <= most, "{kv}: {worst}, at most {most}");
    }
}

macro_rules! cases {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { check($name); })*
    };
}

cases! {
    text_in_float32: "text-f32",
    text_with_legacy_settings_in_bf16: "text-legacy",
    text_with_a_head_of_its_own_in_f16: "text-untied",
    pictures_in_bf16_under_hub_names: "image-bf16",
    pictures_longer_than_the_window: "image-112",
    pictures_in_f16_under_mixed_names: "image-84",
    attention_scale_of_27b_in_two_shards: "scale-27b",
    pictures_with_a_head_of_its_own: "image-untied",
    image_token_outside_the_table: "image-outside",
    sizes_that_are_multiples_of_nothing: "odd",
    bundled_checkpoint: "phantom",
}
