//! `ask`, `findings`, `differential`: what streams, what is said beside it, how it ends.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bench::{Bench, names};

#[test]
fn the_draft_alone_goes_to_standard_output() {
    let bench = Bench::new();
    bench.film("film.png");
    let text = bench.line("findings film.png --max-tokens 12");
    text.expect(
        5,
        &[
            "not a diagnosis",
            "phantom",
            "no medical knowledge",
            "record ",
            "error: the answer is truncated at its token limit; raise --max-tokens",
        ],
    );
    let json = bench.line("findings film.png --max-tokens 12 --json");
    json.expect(5, &["not a diagnosis"]);
    let json = json.json();
    assert_eq!(text.stdout.trim_end_matches('\n'), json["text"].as_str().expect("text"));
    assert_eq!(json["answer"]["state"], "truncated");
    assert_eq!(json["answer"]["text"], json["text"]);
    assert_eq!(json["completion_tokens"], 12);
    assert_eq!(json["task"], "findings@1");
    assert!(json["notices"][1].as_str().expect("the model's notice").contains("noise"));
    // No terminal: no colours, no bars.
    assert!(!text.stderr.contains('\u{1b}') && !text.stdout.contains('\u{1b}'));
}

#[test]
fn the_same_request_gives_the_same_tokens_whatever_computes_it() {
    let bench = Bench::new();
    bench.film("film.png");
    let base = "findings film.png --max-tokens 24 --json --logprobs 3 --no-record";
    let expected = bench.line(base).json();
    for options in ["--threads 1", "--threads 3", "--cpu portable", "--chunk 16", "--chunk 41"] {
        let json = bench.line(&format!("{base} {options}")).json();
        assert_eq!(json["logprobs"], expected["logprobs"], "{options}");
    }
    let first = &expected["logprobs"][0];
    assert_eq!(first["top"].as_array().expect("alternatives").len(), 3);
    assert_eq!(first["id"], first["top"][0]["id"], "greedy takes the most likely");
}

#[test]
fn dice_follow_their_seed() {
    let bench = Bench::new();
    let thrown = |options: &str| {
        let json = bench.line(&format!("ask hello? --max-tokens 16 --json --no-record {options}")).json();
        json["text"].as_str().expect("text").to_owned()
    };
    let greedy = thrown("");
    let once = thrown("--temperature 1.5 --seed 1");
    assert_eq!(once, thrown("--temperature 1.5 --seed 1"));
    assert_ne!(once, thrown("--temperature 1.5 --seed 2"));
    assert_ne!(once, greedy);
    assert_eq!(greedy, thrown("--temperature 1.5 --seed 1 --top-k 1"));
    assert_eq!(greedy, thrown("--temperature 1.5 --seed 1 --top-p 0.000001"));
}

#[test]
fn several_pictures_are_shown_in_order_and_the_question_comes_last() {
    let bench = Bench::new();
    bench.film("a.png");
    bench.file("b.png", lightbox_phantoms::film_of_height(2, 90).png8());
    let outcome = bench.run(["ask", "a.png", "b.png", "Which side?", "--max-tokens", "1", "--json"]);
    let json = outcome.json();
    let labels: Vec<_> = json["views"].as_array().expect("views").iter().map(|view| &view["label"]).collect();
    assert_eq!(labels, ["IMAGE 1", "IMAGE 2"]);
    assert_eq!(json["inputs"].as_array().expect("inputs").len(), 2);
    let record = bench.run(["records", "show", json["record"].as_str().expect("an id"), "--json"]).json();
    let prompt = record["reading"]["generation"]["prompt"]["text"].as_str().expect("text");
    let place = |word: &str| prompt.find(word).unwrap_or_else(|| panic!("{word} in {prompt}"));
    assert!(place("IMAGE 1") < place("IMAGE 2"));
    assert!(prompt.contains("Which side?"));
}

#[test]
fn an_answer_to_words_alone_says_that_no_picture_was_shown() {
    let bench = Bench::new();
    bench.film("film.png");
    let notice = "no picture was shown to the model";
    // A sentence that ends in the name of a file is a question.
    let outcome = bench.run(["ask", "What is wrong with film.png", "--max-tokens", "1", "--json"]);
    outcome.expect(5, &[notice]);
    assert_eq!(outcome.json()["notices"][1], notice);
    let outcome = bench.run(["ask", "film.png", "What is wrong?", "--max-tokens", "1", "--json"]);
    assert!(!outcome.stderr.contains(notice) && !outcome.stdout.contains(notice), "{}", outcome.stderr);
}

#[test]
fn clinical_context_and_thinking_reach_the_model() {
    let bench = Bench::new();
    bench.film("film.png");
    let json = bench
        .run([
            "findings",
            "film.png",
            "--context",
            "fever for three days",
            "--think",
            "--json",
            "--max-tokens",
            "3",
        ])
        .json();
    let record = bench.run(["records", "show", json["record"].as_str().expect("an id"), "--json"]).json();
    let prompt = record["reading"]["generation"]["prompt"]["text"].as_str().expect("text");
    assert!(prompt.contains("fever for three days") && prompt.contains("think"), "{prompt}");
    assert_eq!(record["reading"]["wishes"]["think"], true);
}

#[test]
fn an_answer_without_the_form_of_its_task_says_so() {
    let bench = Bench::new();
    bench.film("film.png");
    // The first token alone ends nothing; the noise is cut, or it is no list: both are told, neither is a success.
    let outcome = bench.line("differential film.png --max-tokens 400 --json");
    outcome.expect(5, &["error: the answer"]);
    let state = outcome.json()["answer"]["state"].clone();
    assert!(["truncated", "unreadable"].contains(&state.as_str().expect("a state")), "{state}");
}

#[test]
fn a_stop_that_the_reader_makes_is_no_failure_of_the_program() {
    let bench = Bench::new();
    let mut child = bench
        .command(["ask", "hello?", "--max-tokens", "1500"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; 4]).expect("the first words");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked") && !stderr.contains("error:"), "{stderr}");
    let list = bench.line("records list --json").json();
    assert_eq!(list["records"].as_array().expect("a list").len(), 1, "what was computed is kept");
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be_recorded() {
    let bench = Bench::new();
    bench.film("film.png");
    let json = bench.line("findings film.png --max-tokens 1 --no-record --json").json();
    assert_eq!(json["record"], Value::Null);
    assert!(names(&bench.path("data")).is_empty());
}

#[test]
fn the_model_is_chosen_by_argument_then_by_environment() {
    let mut bench = Bench::new();
    let folder = crate::checkpoint::copy(&bench, "own model");
    let name = |bench: &Bench, more: &[&str]| {
        let arguments = ["ask", "hello?", "--max-tokens", "1", "--json", "--no-record"];
        bench.run(arguments.iter().chain(more)).json()["model"]["name"].clone()
    };
    assert_eq!(name(&bench, &[]), "phantom");
    bench.set("LIGHTBOX_MODEL", folder.to_str().expect("UTF-8"));
    assert_eq!(name(&bench, &[]), json!(folder));
    assert_eq!(name(&bench, &["--model", "phantom"]), "phantom");
}

#[test]
fn a_folder_and_the_bundled_model_with_the_same_files_are_the_same_model() {
    let bench = Bench::new();
    let folder = crate::checkpoint::copy(&bench, "copy");
    let read = |model: &str| {
        bench.run(["ask", "hello?", "--max-tokens", "8", "--json", "--no-record", "--model", model]).json()
    };
    let (bundled, copied) = (read("phantom"), read(folder.to_str().expect("UTF-8")));
    assert_eq!(bundled["model"]["digest"], copied["model"]["digest"]);
    assert_eq!(bundled["text"], copied["text"]);
    assert_eq!(copied["model"]["notice"], Value::Null);
}
