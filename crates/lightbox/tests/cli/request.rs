//! `run`: OpenAI requests through the real program.

use std::io::Write;
use std::process::Stdio;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::bench::{Bench, Outcome};

/// Runs a request from standard input.
fn run(bench: &Bench, request: &Value, more: &[&str]) -> Outcome {
    let mut child = bench
        .command(["run", "--request", "-"].iter().chain(more))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A request that is refused early may not be read to its end.
    let _ = stdin.write_all(request.to_string().as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

fn hello(fields: Value) -> Value {
    let mut request = json!({"messages": [{"role": "user", "content": "hello"}], "max_tokens": 8});
    for (name, value) in fields.as_object().expect("fields") {
        request[name] = value.clone();
    }
    request
}

fn shown(url: &str) -> Value {
    hello(json!({"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]}]}))
}

#[test]
fn an_answer_is_a_chat_completion_with_a_lightbox_object() {
    let bench = Bench::new();
    let request = hello(json!({"logprobs": true, "top_logprobs": 2, "prompt_logprobs": 3, "model": "gpt-9"}));
    let outcome = run(&bench, &request, &["--json", "--model", "phantom"]);
    let draft = "a draft for review by people, not a diagnosis";
    outcome.expect(0, &[&format!("notice: {draft}"), "notice: the model `phantom`", "record "]);
    assert_eq!(outcome.stdout.lines().count(), 1);
    let answer = outcome.json();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("phantom")));
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "length");
    let lightbox = &answer["lightbox"];
    assert_eq!(lightbox["notices"][0], draft);
    assert!(lightbox["notices"][1].as_str().expect("the model's notice").contains("`phantom`"));
    let completion = lightbox["completion_token_ids"].as_array().expect("ids");
    let prompt = lightbox["prompt_token_ids"].as_array().expect("ids");
    assert_eq!(completion.len(), 8);
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": prompt.len(), "completion_tokens": 8,
                                        "total_tokens": prompt.len() + 8})
    );
    let logprobs = choice["logprobs"]["content"].as_array().expect("one a token");
    for (one, id) in logprobs.iter().zip(completion) {
        assert_eq!(&one["id"], id);
        let top = one["top_logprobs"].as_array().expect("alternatives");
        assert_eq!(top.len(), 2);
        assert_eq!(&top[0]["id"], id, "greedy takes the most likely");
        assert_eq!(one["logprob"], top[0]["logprob"]);
    }
    let text: String = logprobs.iter().filter_map(|one| one["token"].as_str()).collect();
    assert_eq!(choice["message"], json!({"role": "assistant", "content": text}));
    let of_prompt = lightbox["prompt_logprobs"].as_array().expect("one a token");
    assert_eq!(of_prompt.len(), prompt.len());
    assert_eq!(of_prompt[0], Value::Null);
    for one in &of_prompt[1..] {
        let top = one["top"].as_array().expect("alternatives");
        assert_eq!(top.len(), 3);
        assert!(top[0][1].as_f64() >= top[1][1].as_f64() && top[0][1].as_f64() >= one["logprob"].as_f64());
        assert!(top[0][0].is_u64());
    }
    for part in ["load", "image", "prefill", "decode"] {
        assert!(lightbox["timings"][part].as_f64().is_some_and(|ms| ms >= 0.0), "{part}");
    }
}

#[test]
fn what_was_not_asked_for_is_not_there() {
    let answer = run(&Bench::new(), &hello(json!({})), &["--json"]).json();
    assert_eq!(answer["choices"][0]["logprobs"], Value::Null);
    assert!(answer["lightbox"].get("prompt_logprobs").is_none());
}

#[test]
fn a_picture_counts_whether_it_comes_as_a_file_or_inside_the_request() {
    let bench = Bench::new();
    let film = bench.film("a film.png");
    let inline = base64::engine::general_purpose::STANDARD.encode(std::fs::read(&film).expect("the film"));
    let path = film.to_str().expect("UTF-8");
    let urls = [
        "a film.png".to_owned(),
        path.to_owned(),
        format!("file://{}", path.replace(' ', "%20")),
        format!("data:image/png;base64,{inline}"),
        format!("data:image/png;base64,{}", inline.trim_end_matches('=')),
    ];
    let answers: Vec<_> = urls.iter().map(|url| run(&bench, &shown(url), &["--json"]).json()).collect();
    for (url, answer) in urls.iter().zip(&answers) {
        assert_eq!(answer["lightbox"]["prompt_token_ids"], answers[0]["lightbox"]["prompt_token_ids"]);
        assert_eq!(answer["choices"], answers[0]["choices"], "{}", url.get(..20).unwrap_or(url));
    }
    // Raw is raw: the same film, padded as `findings` pads it, is another picture.
    let record = answers[0]["lightbox"]["record"].as_str().expect("an id");
    let reading = &bench.run(["records", "show", record, "--json"]).json()["reading"];
    assert_eq!(reading["views"][0]["recipe"], "raw");
    assert_ne!(reading["views"][0]["width"], reading["views"][0]["height"]);
}

#[test]
fn the_text_streams_unless_json_is_asked_for() {
    let bench = Bench::new();
    let text = run(&bench, &hello(json!({"stream": true})), &[]);
    text.expect(0, &[]);
    let answer = run(&bench, &hello(json!({})), &["--json"]).json();
    assert_eq!(
        text.stdout.trim_end_matches('\n'),
        answer["choices"][0]["message"]["content"].as_str().expect("text")
    );
}

#[test]
fn a_stream_is_pieces_that_end_with_the_lightbox_object() {
    let bench = Bench::new();
    let request = hello(json!({"stream": true, "logprobs": true, "stream_options": {"include_usage": true}}));
    let outcome = run(&bench, &request, &["--json"]);
    outcome.expect(0, &[]);
    let mut lines: Vec<_> = outcome.stdout.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.pop(), Some("data: [DONE]"));
    let chunks: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line.strip_prefix("data: ").expect("an event")).expect("JSON"))
        .collect();
    assert!(chunks.len() > 3 && chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    let whole = run(&bench, &hello(json!({"logprobs": true})), &["--json"]).json();
    assert_eq!(text, whole["choices"][0]["message"]["content"].as_str().expect("text"));
    let [.., end, last] = &chunks[..] else { panic!("too few pieces") };
    assert_eq!(end["choices"][0]["finish_reason"], whole["choices"][0]["finish_reason"]);
    assert_eq!(end["choices"][0]["logprobs"], whole["choices"][0]["logprobs"]);
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &whole["usage"]));
    assert_eq!(last["lightbox"]["notices"], whole["lightbox"]["notices"]);
    assert_eq!(last["lightbox"]["completion_token_ids"], whole["lightbox"]["completion_token_ids"]);
}

#[test]
fn stop_strings_end_the_answer() {
    let bench = Bench::new();
    let whole = run(&bench, &hello(json!({"max_tokens": 24})), &["--json"]).json();
    let text = whole["choices"][0]["message"]["content"].as_str().expect("text").to_owned();
    let middle = text.len() / 2;
    let stop: String = text.chars().skip(middle).take(3).collect();
    let cut = run(&bench, &hello(json!({"max_tokens": 24, "stop": [stop]})), &["--json"]).json();
    let content = cut["choices"][0]["message"]["content"].as_str().expect("text");
    assert_eq!(cut["choices"][0]["finish_reason"], "stop");
    assert_eq!(content, &text[..text.find(&stop).expect("it was taken from there")]);
}

#[test]
fn a_request_that_is_not_understood_is_refused_by_name() {
    let bench = Bench::new();
    for (request, code, words) in [
        (hello(json!({"frequency_penalty": 1})), 3, ["frequency_penalty", "not supported"]),
        (hello(json!({"best_of": 3})), 3, ["best_of", "unknown"]),
        (hello(json!({"max_tokens": "many"})), 3, ["max_tokens", "found a string"]),
        (hello(json!({"max_thinking_tokens": 0})), 3, ["max_thinking_tokens", "from 1"]),
        (
            hello(json!({"messages": [{"role": "user", "content": "a <start_of_image> b"}]})),
            3,
            ["<start_of_image>", "turn"],
        ),
        (shown("https://example.org/film.png"), 6, ["https", "nothing leaves this machine"]),
        (shown("absent.png"), 3, ["absent.png", "no such file"]),
        (shown("data:image/png;base64,!!!!"), 3, ["picture 1", "base64"]),
        (shown("data:image/png;base64,AAAA"), 3, ["picture 1", "no known kind"]),
        (
            hello(json!({"messages": [{"role": "system", "content": "Be brief."}]})),
            3,
            ["expected at least one user turn", "`user`"],
        ),
        (
            hello(json!({"messages": [
                {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {"role": "user", "content": "c"}]})),
            3,
            ["turn 1: expected one text of a system turn, found 2", "join"],
        ),
        (
            hello(json!({"messages": [
                {"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]})),
            4,
            ["chat_template", "alternate"],
        ),
        (hello(json!({"max_tokens": 4000})), 4, ["limits", "4000"]),
        (hello(json!({"model": "some/model"})), 4, ["some/model", "models pull"]),
    ] {
        let outcome = run(&bench, &request, &["--json"]);
        outcome.expect(code, &words);
        assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
    }
    bench.run(["run", "--request", "absent.json"]).expect(3, &["absent.json"]);
    let twice = r#"{"messages": [{"role": "user", "content": "a"}], "max_tokens": 2, "max_tokens": 4}"#;
    bench.file("twice.json", twice);
    bench.run(["run", "--request", "twice.json"]).expect(3, &["`max_tokens`", "a second time"]);
    bench.file("broken.json", "{\"messages\": [");
    bench.run(["run", "--request", "broken.json"]).expect(3, &["expected JSON", "line 1"]);
}
