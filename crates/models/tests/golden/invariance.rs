//! The same request gives the same bits however it is computed.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::Isa;
use lightbox_models::{Engine, LoadOptions, LocalEngine, Request, TokenLogprob};

use crate::store::Case;

/// Every id and the bits of every log-probability.
type Bits = Vec<(u32, u32)>;

fn bits(engine: &mut LocalEngine, request: &Request) -> Bits {
    let generation = engine.generate(request, &AtomicBool::new(false), &mut |_| {}).expect("a generation");
    let prompt = generation.prompt_logprobs.expect("log-probabilities of the prompt");
    let answer = generation.logprobs.expect("log-probabilities of the answer");
    let entry = |t: TokenLogprob| {
        let top: Vec<_> = t.top.iter().map(|a| (a.id, a.logprob.to_bits())).collect();
        std::iter::once((t.id, t.logprob.to_bits())).chain(top)
    };
    prompt.into_iter().flatten().chain(answer).flat_map(entry).collect()
}

/// A case, one of its conversations, and chunk sizes from the smallest allowed to more than the prompt; none listed:
/// all of them, from a picture's length on.
const PROMPTS: &[(&str, &str, &[usize])] = &[
    ("image-112", "before-and-after", &[]),
    ("text-legacy", "notes", &[1, 2, 7, 24, 64, 395, 396, 512]),
    ("odd", "images", &[]),
];

fn request(case: &Case, conversation: &str) -> Request {
    let mut request = case.conversation(conversation).request();
    request.max_tokens = Some(12);
    request.logprobs = Some(3);
    request.prompt_logprobs = Some(3);
    request
}

#[test]
fn bits_do_not_depend_on_the_chunk() {
    for (name, conversation, chunks) in PROMPTS {
        let case = Case::open(name);
        let request = request(&case, conversation);
        let whole = LoadOptions { n_threads: Some(1), ..LoadOptions::default() };
        let mut engine = case.load(&whole);
        let expected = bits(&mut engine, &request);
        let n_prompt = engine.prompt(&request).expect("a prompt").ids.len();
        let smallest = engine.card().tokens_per_image.unwrap_or(1);
        let all: Vec<usize> = (smallest..=n_prompt + 1).collect();
        let chunks = if chunks.is_empty() { &all } else { *chunks };
        for &chunk in chunks {
            let options = LoadOptions { chunk_tokens: Some(chunk), ..whole.clone() };
            assert!(bits(&mut case.load(&options), &request) == expected, "{name}: chunks of {chunk}");
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads_or_instruction_set() {
    for (name, conversation, _) in PROMPTS {
        let case = Case::open(name);
        let request = request(&case, conversation);
        let mut expected: Option<Bits> = None;
        for isa in Isa::available() {
            for n_threads in 1..=4 {
                let options =
                    LoadOptions { n_threads: Some(n_threads), isa: Some(isa), ..LoadOptions::default() };
                let found = bits(&mut case.load(&options), &request);
                let first = expected.get_or_insert_with(|| found.clone());
                assert!(*first == found, "{name}: {n_threads} threads, {isa}");
            }
        }
    }
}

/// Long enough for an answer to repeat itself, so that guesses are made, and to go on otherwise, so that some fail.
#[test]
fn bits_do_not_depend_on_guesses() {
    let (mut drafted, mut accepted) = (0, 0);
    for (name, conversation, _) in PROMPTS {
        let case = Case::open(name);
        for (temperature, seed) in [(0.0, 0), (0.7, 1), (1.0, 2), (1.5, 3)] {
            let mut request = request(&case, conversation);
            request.max_tokens = Some(100);
            request.sampling.temperature = temperature;
            request.sampling.seed = seed;
            request.sampling.top_k = Some(4);
            let mut found = [false, true].map(|speculate| {
                let mut engine =
                    case.load(&LoadOptions { speculate: Some(speculate), ..LoadOptions::default() });
                let timings = engine
                    .generate(&request, &AtomicBool::new(false), &mut |_| {})
                    .expect("a generation")
                    .timings;
                (bits(&mut engine, &request), timings)
            });
            let [(plain, without), (guessed, with)] = &mut found;
            assert!(plain == guessed, "{name}, temperature {temperature}");
            assert_eq!((without.drafted_tokens, without.accepted_tokens), (0, 0));
            drafted += with.drafted_tokens;
            accepted += with.accepted_tokens;
        }
    }
    assert!(accepted > 20 && drafted > accepted + 20, "{accepted} of {drafted}: guesses must hold and fail");
}

#[test]
fn bits_do_not_depend_on_what_ran_before() {
    let case = Case::open("image-112");
    // Without memory for pictures: each goes through the tower again.
    let options =
        LoadOptions { chunk_tokens: Some(32), image_cache_bytes: Some(0), ..LoadOptions::default() };
    let asked = request(&case, "before-and-after");
    let expected = bits(&mut case.load(&options), &asked);
    let mut engine = case.load(&options);
    let other = bits(&mut engine, &request(&case, "one-image"));
    assert!(bits(&mut engine, &asked) == expected, "after another conversation");
    assert!(bits(&mut engine, &asked) == expected, "after itself");
    let cancelled =
        engine.generate(&asked, &AtomicBool::new(true), &mut |_| {}).expect("a cancelled generation");
    assert!(cancelled.ids.is_empty());
    assert!(bits(&mut engine, &asked) == expected, "after a cancelled one");
    assert!(bits(&mut engine, &request(&case, "one-image")) == other, "the other conversation, later");
}
