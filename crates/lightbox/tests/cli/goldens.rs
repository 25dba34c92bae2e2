//! What transformers made of the tiny checkpoints, through the real program: prompt ids exactly, log-probabilities
//! within a tolerance, the same tokens. The models room says more of each number; here the whole way is meant, from a
//! request with paths of pictures to the answer.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bench::{Bench, names};

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");
/// Largest difference of a log-probability; the models room's own.
const TOLERANCE: f64 = 2e-4;

/// The files of a case in one folder: the checkpoints share a tokenizer.
fn folder(bench: &Bench, case: &str) -> PathBuf {
    let folder = bench.path(case);
    fs::create_dir_all(&folder).expect("a folder of the test's own");
    for from in [Path::new(GOLDENS).join("tokenizer"), Path::new(GOLDENS).join(case)] {
        for name in names(&from) {
            fs::copy(from.join(&name), folder.join(&name)).expect("room for a small file");
        }
    }
    folder
}

#[test]
fn every_golden_conversation_comes_out_as_the_reference_says() {
    let bench = Bench::new();
    let mut n_conversations = 0;
    for case in names(Path::new(GOLDENS)) {
        let Ok(golden) = fs::read(Path::new(GOLDENS).join(&case).join("golden.json")) else { continue };
        let golden: Value = serde_json::from_slice(&golden).expect("a golden is JSON");
        let has_weights = Path::new(GOLDENS).join(&case).join("config.json").exists();
        let model = if has_weights { folder(&bench, &case) } else { "phantom".into() };
        for conversation in golden["conversations"].as_array().expect("a list") {
            let greedy = conversation["greedy"].as_array().expect("tokens");
            let request = json!({"messages": conversation["messages"], "max_tokens": greedy.len(), "logprobs": true,
                                 "prompt_logprobs": 1});
            let request = bench.file("request.json", request.to_string());
            let mut command = bench.command(["run", "--no-record", "--json", "--kv=f32", "--request"]);
            command.arg(request).arg("--model").arg(&model).current_dir(GOLDENS);
            let outcome = crate::bench::Outcome::from(command.output().expect("the program starts"));
            outcome.expect(0, &[]);
            compare(&format!("{case}/{}", conversation["name"]), conversation, &outcome.json());
            n_conversations += 1;
        }
    }
    assert!(n_conversations >= 20, "{n_conversations} conversations");
}

fn compare(name: &str, golden: &Value, answer: &Value) {
    assert_eq!(answer["lightbox"]["prompt_token_ids"], golden["prompt_ids"], "{name}");
    let of_prompt = answer["lightbox"]["prompt_logprobs"].as_array().expect("a list");
    let expected = golden["prompt_logprobs"].as_array().expect("a list");
    assert_eq!(of_prompt.len(), expected.len(), "{name}");
    let mut n_compared = 0;
    for (place, (found, expected)) in of_prompt.iter().zip(expected).enumerate() {
        // `[logprob, [[id, logprob], …]]`; null for the first token, `[null, …]` for a soft token without a row in the
        // table, which cannot be scored.
        assert_eq!(found.is_null(), expected[0].is_null(), "{name}: prompt token {place}");
        if found.is_null() {
            continue;
        }
        for (found, expected) in
            [(&found["logprob"], &expected[0]), (&found["top"][0][1], &expected[1][0][1])]
        {
            let difference =
                found.as_f64().zip(expected.as_f64()).map_or(f64::INFINITY, |(a, b)| (a - b).abs());
            assert!(difference <= TOLERANCE, "{name}: prompt token {place}: {found}, expected {expected}");
            n_compared += 1;
        }
    }
    assert!(n_compared >= 20, "{name}: {n_compared} numbers of the prompt were compared");
    let ids = answer["lightbox"]["completion_token_ids"].as_array().expect("a list");
    let logprobs = answer["choices"][0]["logprobs"]["content"].as_array().expect("a list");
    for (place, expected) in golden["greedy"].as_array().expect("a list").iter().enumerate() {
        if ids.get(place) != Some(&expected["id"]) {
            let gap = expected["gap"].as_f64().expect("a number");
            assert!(gap < TOLERANCE, "{name}: token {place}: {:?}, expected {expected}", ids.get(place));
            // From here on the two continue different texts.
            return;
        }
        let (found, expected) = (logprobs[place]["logprob"].as_f64(), expected["logprob"].as_f64());
        let difference = found.zip(expected).map_or(f64::INFINITY, |(a, b)| (a - b).abs());
        assert!(difference <= TOLERANCE, "{name}: token {place}: {found:?}, expected {expected:?}");
    }
}
