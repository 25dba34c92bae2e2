//! `replay`: the same again, or the first thing that differs.

use serde_json::json;

use crate::bench::Bench;
use crate::checkpoint::{WEIGHTS, copy};
use crate::records::recorded;

#[test]
fn a_read_replays_token_by_token_on_any_threads_and_cpu() {
    let bench = Bench::new();
    bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 16 --temperature 0.9 --seed 5 --think");
    for options in ["", "--threads 1 --cpu portable --chunk 16"] {
        let replay = bench.line(&format!("replay {id} --json {options}"));
        replay.expect(0, &[]);
        let replay = replay.json();
        assert_eq!(replay["identical"], true, "{options}: {replay}");
        assert_eq!(replay["same_tokens"], replay["logprobs"]["same"], "{options}: {replay}");
    }
}

#[test]
fn inputs_are_found_where_they_went_or_as_kept_views() {
    let bench = Bench::new();
    let film = bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 4");
    let kept = recorded(&bench, "findings film.png --max-tokens 4 --keep-views");
    std::fs::create_dir(bench.path("moved")).expect("our own folder");
    std::fs::rename(&film, bench.path("moved/other-name.png")).expect("our own file");
    let lost = bench.run(["replay", &id]);
    lost.expect(3, &["input 1 of 1", "not where it was", "--input"]);
    assert!(!lost.stderr.contains("film.png"), "a record's paths are a patient's: {}", lost.stderr);
    bench.run(["replay", &id, "--input", "moved/other-name.png"]).expect(0, &[]);
    bench.run(["replay", &kept]).expect(0, &[]);
    bench.film("again.png");
    bench.file("another.png", lightbox_phantoms::film_of_height(3, 86).png16());
    bench.run(["replay", &id, "--input", "another.png", "--input", "again.png"]).expect(0, &[]);
    bench.run(["replay", &id, "--input", "another.png"]).expect(3, &["none of the files given"]);
    bench.file("film.png", lightbox_phantoms::film_of_height(3, 86).png16());
    bench.run(["replay", &id]).expect(3, &["changed since it was read"]);
}

#[test]
fn requests_replay_too() {
    let bench = Bench::new();
    bench.film("film.png");
    bench.file(
        "request.json",
        json!({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "film.png"}}, {"type": "text", "text": "What?"}]}],
            "max_tokens": 8, "prompt_logprobs": 1, "stop": ["never"]})
        .to_string(),
    );
    let answer = bench.line("run --request request.json --json").json();
    let id = answer["lightbox"]["record"].as_str().expect("an id");
    let replay = bench.run(["replay", id]);
    replay.expect(0, &[]);
    assert!(replay.stdout.contains("identical: 8 of 8 tokens"), "{}", replay.stdout);
}

#[test]
fn another_model_differs_at_a_named_token_with_what_else_was_likely() {
    let bench = Bench::new();
    let folder = copy(&bench, "model");
    let id = recorded(&bench, "ask hello? --max-tokens 24 --model ./model");
    bench.run(["replay", &id]).expect(0, &[]);
    // Other values in the weights, at the end of the file: the last layers of the vision tower are not used here,
    // so the head of the data, which holds the embeddings, is what changes.
    let path = folder.join(WEIGHTS);
    let mut bytes = std::fs::read(&path).expect("it is there");
    let start =
        8 + usize::try_from(u64::from_le_bytes(*bytes.first_chunk().expect("a length"))).expect("small");
    for value in bytes[start..start + 60_000].chunks_exact_mut(2) {
        value[0] ^= 0x30;
    }
    std::fs::write(&path, bytes).expect("our own file");
    let replay = bench.run(["replay", &id, "--json"]);
    replay.expect(7, &[]);
    let replay = replay.json();
    assert_eq!(replay["identical"], false);
    let token = replay["differences"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["what"] == "token"))
        .unwrap_or_else(|| panic!("{replay}"));
    for side in ["recorded", "now"] {
        assert!(token[side]["top"].as_array().is_some_and(|top| top.len() >= 5), "{token}");
    }
    let text = bench.run(["replay", &id]);
    text.expect(7, &[]);
    assert!(text.stdout.starts_with("different: ") && text.stdout.contains("recorded "), "{}", text.stdout);
}
