//! A small read, complete in every field, to be recorded by the tests.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lightbox_models::{Alternative, Finish, Generation, ModelCard, Prompt, RgbImage, Timings, TokenLogprob};
use lightbox_reading::Reading;
use lightbox_records::{Digest, Input, Provenance, RecordId, Records, Result};
use serde_json::{Value, json};

/// What must never be seen in a log, a file name or an error that is kept.
pub const QUESTION: &str = "Is the heart of Jane Doe enlarged?";
pub const ANSWER: &str = "Yes, moderately.";

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_599)
}

pub fn card() -> ModelCard {
    ModelCard {
        name: "local-model".to_owned(),
        digest: "ab".repeat(32),
        architecture: "Gemma3ForConditionalGeneration".to_owned(),
        context_tokens: 512,
        image_size_px: Some(56),
        tokens_per_image: Some(4),
        notice: None,
        backend: "portable, 1 thread".to_owned(),
    }
}

/// The picture that the model was handed.
pub fn view() -> RgbImage {
    RgbImage::new(3, 2, (0..18).collect()).expect("fits")
}

pub fn generation(finish: Finish) -> Generation {
    let likely = |id: u32, logprob: f32| TokenLogprob {
        id,
        logprob,
        top: vec![Alternative { id, logprob }, Alternative { id: id + 100, logprob: logprob - 1.25 }],
    };
    Generation {
        prompt: Prompt {
            text: format!("<image>{QUESTION}"),
            ids: vec![2, 5, 5, 5, 5, 9],
            image_spans: std::iter::once(1..5).collect(),
        },
        ids: vec![11, 12, 13],
        answer: ANSWER.to_owned(),
        thinking: None,
        logprobs: Some(vec![likely(11, -0.1), likely(12, -0.333_333_34), likely(13, -1e-7)]),
        prompt_logprobs: None,
        finish,
        timings: Timings {
            load_ms: 12.5,
            image_ms: 0.1,
            prefill_ms: 3.7,
            decode_ms: 1.0,
            images_encoded: 1,
            ..Timings::default()
        },
    }
}

/// A reading of these inputs that ended so. Written as JSON, because its inputs' type belongs to another room.
pub fn reading(inputs: &[Input], finish: Finish) -> Reading {
    let sources: Vec<_> =
        inputs.iter().map(|input| json!({"sha256": input.digest, "len_bytes": 4, "format": "png"})).collect();
    let answer = match finish {
        Finish::Cancelled => json!({"state": "interrupted", "text": ANSWER}),
        _ => json!({"state": "complete", "value": ANSWER}),
    };
    serde_json::from_value(json!({
        "format": lightbox_reading::FORMAT,
        "task": "ask@1",
        "started_unix_ms": 1_767_225_598_000_u64,
        "inputs": sources,
        "wishes": {"question": QUESTION},
        "templates": [{"name": "ask", "version": 1, "sha256": "01".repeat(32), "overridden": false}],
        "views": [{
            "label": null, "source": 0, "frame": 0, "recipe": "raw", "width": 3, "height": 2,
            "sha256": Digest::of(view().pixels()), "steps": [],
            "mapping": {
                "view_to_source": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], "source_width": 3, "source_height": 2,
                "content": {"left": 0, "top": 0, "width": 3, "height": 2},
            },
        }],
        "request": {
            "turns": [{"role": "user", "content": [{"image": 0}, {"text": QUESTION}]}],
            "max_tokens": 20, "max_thinking_tokens": null, "sampling": {}, "stop": [], "logprobs": 2,
            "prompt_logprobs": null,
        },
        "budget": {
            "image_tokens": 4, "text_tokens": 2, "room_for_answer": 506, "context_tokens": 512,
            "estimated": false,
        },
        "model": card(),
        "generation": generation(finish),
        "answer": answer,
    }))
    .expect("the written form of a reading")
}

pub fn film(contents: &[u8]) -> Input {
    Input { digest: Digest::of(contents), path: Some(PathBuf::from("/films/doe-jane.png")) }
}

/// Records the sample read with these inputs, kept views and ending.
pub fn append(records: &Records, inputs: &[Input], keep_views: bool, finish: Finish) -> Result<RecordId> {
    let views = [view()];
    let keep_views = keep_views.then_some(views.as_slice());
    let from = Provenance { version: "0.1.0", cpu: "portable", inputs, keep_views, time: now() };
    records.append(&reading(inputs, finish), &from)
}

/// Records the sample read of one film.
pub fn read(records: &Records, contents: &[u8]) -> RecordId {
    append(records, &[film(contents)], false, Finish::Stop).expect("the folder can be written")
}

pub fn open(root: &Path) -> Records {
    Records::open(root).expect("the folder can be written")
}

pub fn value<T: serde::Serialize>(of: &T) -> Value {
    serde_json::to_value(of).expect("writes as JSON")
}

/// Every file below `folder`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("listed").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}
