//! Ctrl-C, and a request to end, in the middle of a stream.

#![cfg(unix)]

use std::io::Read;
use std::process::{Command, Stdio};

use crate::bench::{Bench, Outcome};

/// Starts the program, and sends it a signal when the first bytes of its answer are there: `-INT` as Ctrl-C does.
fn interrupted(bench: &Bench, signal: &str, arguments: &[&str]) -> Outcome {
    let mut child = bench
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut text = vec![0; 4];
    stdout.read_exact(&mut text).expect("the first words");
    let killed =
        Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    stdout.read_to_end(&mut text).expect("the rest");
    let output = child.wait_with_output().expect("it ends");
    Outcome { stdout: String::from_utf8(text).expect("UTF-8"), ..output.into() }
}

#[test]
fn the_record_says_that_the_answer_was_interrupted_and_replays_up_to_there() {
    let bench = Bench::new();
    let outcome = interrupted(&bench, "-INT", &["ask", "hello?", "--max-tokens", "1500"]);
    outcome.expect(130, &["record ", "error: interrupted; the answer is incomplete"]);
    let list = bench.line("records list --json").json();
    let id = list["records"][0]["id"].as_str().expect("one record").to_owned();
    let record = bench.run(["records", "show", &id, "--json"]).json();
    let generation = &record["reading"]["generation"];
    assert_eq!(generation["finish"], "cancelled");
    assert_eq!(record["reading"]["answer"]["state"], "interrupted");
    assert_eq!(outcome.stdout.trim_end_matches('\n'), generation["answer"].as_str().expect("text"));
    let n_tokens = generation["ids"].as_array().expect("ids").len();
    assert!(n_tokens > 0 && n_tokens < 1500, "{n_tokens}");
    let replay = bench.run(["replay", &id]);
    replay.expect(0, &[]);
    assert!(
        replay.stdout.contains(&format!("identical: {n_tokens} of {n_tokens} tokens")),
        "{}",
        replay.stdout
    );
    assert!(replay.stdout.contains("the record was interrupted there"), "{}", replay.stdout);
}

#[test]
fn a_request_to_end_is_an_interruption_too() {
    let bench = Bench::new();
    let outcome = interrupted(&bench, "-TERM", &["ask", "hello?", "--max-tokens", "1500"]);
    outcome.expect(130, &["record ", "error: interrupted; the answer is incomplete"]);
    assert_eq!(bench.line("records list --json").json()["records"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_stream_of_pieces_ends_in_order() {
    let bench = Bench::new();
    bench.file(
        "request.json",
        r#"{"messages": [{"role": "user", "content": "hello"}], "max_tokens": 1500, "stream": true}"#,
    );
    let outcome = interrupted(&bench, "-INT", &["run", "--request", "request.json", "--json"]);
    outcome.expect(130, &["interrupted"]);
    assert!(outcome.stdout.ends_with("data: [DONE]\n\n"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\"finish_reason\":\"cancelled\""), "{}", outcome.stdout);
}

#[test]
fn where_nobody_reads_on_the_record_is_named_all_the_same() {
    let bench = Bench::new();
    for json in [&[][..], &["--json"]] {
        let mut child = bench
            .command(["ask", "hello?", "--max-tokens", "40"].iter().chain(json))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
        outcome.expect(1, &["record "]);
        let id = outcome.stderr.split("record ").nth(1).and_then(|rest| rest.split_whitespace().next());
        bench.run(["records", "show", id.expect("an id")]).expect(0, &[]);
    }
}
