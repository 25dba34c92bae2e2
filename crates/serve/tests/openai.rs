//! Requests as clients send them, and answers as clients read them.

use lightbox_serve::ErrorKind;
use lightbox_serve::openai::{
    AssistantMessage, ChatChunk, ChatCompletion, Choice, Content, Extension, GuessCounts, ImageCounts,
    ImageSource, MAX_ALTERNATIVES, Part, PromptTokenLogprob, Role, TimingsMs, Usage, event_line,
    parse_request,
};
use serde_json::{Value, json};

/// The smallest request, with `fields` laid over it.
fn body(fields: Value) -> Vec<u8> {
    let mut body = json!({"messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in fields.as_object().expect("fields are an object") {
        body[name] = value.clone();
    }
    serde_json::to_vec(&body).expect("JSON of plain values")
}

fn image(url: &str) -> Vec<u8> {
    body(
        json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}),
    )
}

fn refused(body: &[u8]) -> (ErrorKind, String, String) {
    let error = parse_request(body).expect_err("a request that must be refused");
    (error.kind(), error.field().to_owned(), error.to_string())
}

#[test]
fn a_bare_request_is_greedy_and_asks_for_nothing_else() {
    let request = parse_request(&body(json!({}))).expect("a bare request");
    assert_eq!((request.temperature, request.top_p, request.top_k, request.seed), (0.0, None, None, None));
    assert_eq!((request.max_tokens, request.logprobs, request.prompt_logprobs), (None, None, None));
    assert!(!request.stream && request.stop.is_empty() && request.model.is_none());
    assert_eq!(request.messages[0].content, Content::Text("hi".to_owned()));
}

#[test]
fn every_understood_field_arrives() {
    let request = parse_request(&body(json!({
        "model": "m", "max_completion_tokens": 7, "max_tokens": 7, "max_thinking_tokens": 5, "temperature": 0.5,
        "top_p": 0.25, "top_k": 3, "seed": u64::MAX, "stop": ["a", "b"], "logprobs": true, "top_logprobs": 2,
        "prompt_logprobs": 0, "stream": true, "stream_options": {"include_usage": true}
    })))
    .expect("every field is understood");
    assert_eq!(request.model.as_deref(), Some("m"));
    assert_eq!((request.max_tokens, request.max_thinking_tokens), (Some(7), Some(5)));
    assert_eq!((request.temperature, request.top_p, request.top_k), (0.5, Some(0.25), Some(3)));
    assert_eq!((request.seed, request.logprobs, request.prompt_logprobs), (Some(u64::MAX), Some(2), Some(0)));
    assert_eq!(request.stop, ["a", "b"]);
    assert!(request.stream);
}

#[test]
fn messages_keep_their_roles_order_and_form() {
    let messages = json!([
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "film.png", "detail": "auto"}}
        ]},
        {"role": "assistant", "content": "seen", "reasoning_content": "hm", "refusal": null, "tool_calls": []},
        {"role": "user", "content": "and?"}
    ]);
    let request = parse_request(&body(json!({ "messages": messages }))).expect("a conversation");
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
    let parts = vec![Part::Text("look".to_owned()), Part::Image(ImageSource::Path("film.png".to_owned()))];
    assert_eq!(request.messages[1].content, Content::Parts(parts));
}

#[test]
fn pictures_are_told_apart_by_where_they_are() {
    let inline = |media_type: &str, base64: &str| ImageSource::Inline {
        media_type: media_type.to_owned(),
        base64: base64.to_owned(),
    };
    let path = |path: &str| ImageSource::Path(path.to_owned());
    let remote = |scheme: &str| ImageSource::Remote { scheme: scheme.to_owned() };
    for (url, expected) in [
        ("data:image/png;base64,AAAA", inline("image/png", "AAAA")),
        ("DATA:IMAGE/PNG;charset=utf-8;BASE64, AAAA", inline("image/png", "AAAA")),
        ("data:;base64,AA==", inline("", "AA==")),
        ("/a/film.png", path("/a/film.png")),
        ("a:b.png", path("a:b.png")),
        ("file:///a/film%20one.png", path("/a/film one.png")),
        ("file://localhost/a.png", path("/a.png")),
        ("https://example.org/a.png", remote("https")),
        ("HTTP://example.org/a.png", remote("http")),
        ("gs://bucket/a.png", remote("gs")),
    ] {
        let request = parse_request(&image(url)).expect(url);
        assert_eq!(request.messages[0].content, Content::Parts(vec![Part::Image(expected)]), "{url}");
    }
}

#[test]
fn fields_that_cannot_change_the_answer_are_accepted() {
    let request = parse_request(&body(json!({
        "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto", "parallel_tool_calls": true,
        "n": 1, "frequency_penalty": 0.0, "presence_penalty": 0, "logit_bias": {}, "tools": [], "tool_choice": "none",
        "response_format": {"type": "text"}, "repetition_penalty": 1, "min_p": 0, "unknown": null, "top_logprobs": 0
    })));
    assert_eq!(request, parse_request(&body(json!({}))));
}

#[test]
fn what_would_change_the_answer_is_refused_by_name() {
    for (fields, field) in [
        (json!({"n": 2}), "n"),
        (json!({"frequency_penalty": 0.1}), "frequency_penalty"),
        (json!({"presence_penalty": -1}), "presence_penalty"),
        (json!({"logit_bias": {"5": 10}}), "logit_bias"),
        (json!({"tools": [{"type": "function"}]}), "tools"),
        (json!({"response_format": {"type": "json_object"}}), "response_format"),
        (json!({"min_p": 0.1}), "min_p"),
        (json!({"reasoning_effort": "low"}), "reasoning_effort"),
        (json!({"typical_p": 0.3}), "typical_p"),
        (json!({"stream_options": {"every": 3}}), "stream_options.every"),
        (json!({"messages": [{"role": "user", "content": "a", "name": "b"}]}), "messages[0].name"),
        (json!({"messages": [{"role": "tool", "content": "a"}]}), "messages[0].role"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
            "messages[0].content[0].type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "a.png", "detail": "high"}}]}]}),
            "messages[0].content[0].image_url.detail",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": 1}]}]}),
            "messages[0].content[0].cache_control",
        ),
    ] {
        let (kind, found, text) = refused(&body(fields));
        assert_eq!((kind, found.as_str()), (ErrorKind::Unsupported, field), "{text}");
        assert!(text.contains(field), "{text}");
    }
}

#[test]
fn values_out_of_range_or_of_another_type_are_refused_with_what_was_expected() {
    for (fields, field, expected) in [
        (json!({"messages": []}), "messages", "at least one message"),
        (json!({"messages": "hi"}), "messages", "a list of messages, found a string"),
        (json!({"messages": null}), "messages", "found nothing"),
        (json!({"messages": [{"content": "a"}]}), "messages[0].role", "found nothing"),
        (
            json!({"messages": [{"role": "doctor", "content": "a"}]}),
            "messages[0].role",
            "system, developer, user",
        ),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content", "found nothing"),
        (json!({"messages": [{"role": "user", "content": []}]}), "messages[0].content", "at least one part"),
        (json!({"messages": [{"role": "user", "content": 3}]}), "messages[0].content", "found 3"),
        (json!({"max_tokens": 0}), "max_tokens", "from 1"),
        (json!({"max_tokens": 1.5}), "max_tokens", "found 1.5"),
        (json!({"max_tokens": 3, "max_completion_tokens": 4}), "max_tokens", "say one of them"),
        (json!({"temperature": 2.5}), "temperature", "from 0 to 2"),
        (json!({"temperature": "hot"}), "temperature", "found a string"),
        (json!({"top_p": 0}), "top_p", "more than 0"),
        (json!({"top_p": 1e-60}), "top_p", "more than 0"),
        (json!({"top_k": 0}), "top_k", "from 1"),
        (json!({"seed": -1}), "seed", "found -1"),
        (json!({"stop": ""}), "stop", "empty string"),
        (json!({"stop": [1]}), "stop", "found 1"),
        (json!({"logprobs": 3}), "logprobs", "true or false"),
        (json!({"top_logprobs": 3}), "top_logprobs", "`logprobs: true`"),
        (json!({"prompt_logprobs": MAX_ALTERNATIVES + 1}), "prompt_logprobs", "from 0 to 100"),
        (json!({"stream": "yes"}), "stream", "true or false"),
    ] {
        let (kind, found, text) = refused(&body(fields));
        assert_eq!((kind, found.as_str()), (ErrorKind::Value, field), "{text}");
        assert!(text.contains(expected), "{text}");
    }
    for (url, expected) in [
        ("", "empty string"),
        ("data:image/png;base64", "no comma"),
        ("data:image/png,AAAA", "base64"),
        ("data:text/html;base64,AAAA", "of an image"),
        ("file://host/a.png", "file:///path"),
        ("file:///a%2", "after each `%`"),
        ("file:///%ff", "not UTF-8"),
    ] {
        let (_, field, text) = refused(&image(url));
        assert_eq!(field, "messages[0].content[0].image_url.url", "{text}");
        assert!(text.contains(expected), "{url}: {text}");
    }
}

#[test]
fn what_is_not_json_is_an_error_with_its_place() {
    for body in [&b""[..], b"{", b"[1,2", b"\xff\xfe", b"{\"messages\": [}", "[".repeat(100_000).as_bytes()] {
        let (kind, field, text) = refused(body);
        assert_eq!((kind, field.as_str()), (ErrorKind::Json, ""), "{text}");
    }
    assert!(refused(b"[]").2.contains("an object, found a list"));
    assert!(refused(b"{\n  \"n\": x\n}").2.contains("line 2"));
}

#[test]
fn an_error_never_quotes_the_request() {
    for fields in [
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": {"Jane": "Doe"}}]}]}),
        json!({"messages": [{"role": "Jane Doe", "content": "a"}]}),
        json!({"stop": {"Jane": "Doe"}}),
        json!({"response_format": "Jane Doe"}),
    ] {
        let (.., text) = refused(&body(fields));
        assert!(!text.contains("Jane") && !text.contains("Doe"), "{text}");
    }
}

#[test]
fn a_field_that_stands_there_twice_is_refused_at_every_level() {
    let user = r#"{"role": "user", "content": "a"}"#;
    for (body, field) in [
        (format!(r#"{{"messages": [{user}], "seed": 1, "seed": 1}}"#), "seed"),
        (format!(r#"{{"messages": [{user}], "messages": []}}"#), "messages"),
        (format!(r#"{{"messages": [{user}], "user": "a", "us\u0065r": "b"}}"#), "user"),
        (
            r#"{"messages": [{"role": "user", "content": "a", "role": "system"}]}"#.to_owned(),
            "messages[0].role",
        ),
        (
            r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"},
                {"type": "text", "text": "b", "text": "c"}]}]}"#
                .to_owned(),
            "messages[0].content[1].text",
        ),
        (
            format!(
                r#"{{"messages": [{user}], "stream_options": {{"include_usage": true, "include_usage": null}}}}"#
            ),
            "stream_options.include_usage",
        ),
        (format!(r#"{{"messages": [{user}], "metadata": {{"a": {{"b": 1, "b": 2}}}}}}"#), "metadata.a.b"),
    ] {
        let (kind, found, text) = refused(body.as_bytes());
        assert_eq!((kind, found.as_str()), (ErrorKind::Value, field), "{text}");
        assert!(text.contains("second time"), "{text}");
    }
    // The same name in two objects is no repetition, and what follows the body is still refused.
    let twice = format!(r#"{{"messages": [{user}, {{"role": "assistant", "content": "b"}}, {user}]}}"#);
    assert_eq!(parse_request(twice.as_bytes()).expect("three messages").messages.len(), 3);
    assert_eq!(refused(format!("{twice} {{}}").as_bytes()).0, ErrorKind::Json);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(format!(r#"{{"messages": {deep}}}"#).as_bytes()).0, ErrorKind::Json);
}

fn completion() -> ChatCompletion {
    ChatCompletion {
        id: "chatcmpl-1".to_owned(),
        object: "chat.completion".to_owned(),
        created: 1,
        model: "m".to_owned(),
        choices: vec![Choice {
            index: 0,
            message: AssistantMessage {
                role: "assistant".to_owned(),
                content: "x".to_owned(),
                reasoning_content: None,
            },
            finish_reason: "stop".to_owned(),
            logprobs: None,
        }],
        usage: Usage::new(2, 3),
        lightbox: Extension {
            prompt_token_ids: vec![2, 9],
            completion_token_ids: vec![4, 5, 1],
            prompt_logprobs: Some(vec![
                None,
                Some(PromptTokenLogprob { logprob: -0.5, top: vec![(9, -0.5), (3, -1.0)] }),
            ]),
            timings: TimingsMs {
                load: 1.0,
                image: 0.0,
                prefill: 2.0,
                decode: 3.0,
                images: ImageCounts::default(),
                prefix_tokens: 1,
                guesses: GuessCounts { drafted: 4, accepted: 1 },
            },
            record: None,
            notices: vec!["a draft".to_owned()],
        },
    }
}

#[test]
fn an_answer_has_openais_shape_and_the_lightbox_object() {
    let value = serde_json::to_value(completion()).expect("plain values");
    assert_eq!(
        value,
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop",
                         "logprobs": null}],
            "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
            "lightbox": {
                "prompt_token_ids": [2, 9], "completion_token_ids": [4, 5, 1],
                "prompt_logprobs": [null, {"logprob": -0.5, "top": [[9, -0.5], [3, -1.0]]}],
                "timings": {"load": 1.0, "image": 0.0, "prefill": 2.0, "decode": 3.0,
                            "images": {"memory": 0, "disk": 0, "encoded": 0, "prefix": 0}, "prefix_tokens": 1,
                            "guesses": {"drafted": 4, "accepted": 1}},
                "record": null, "notices": ["a draft"]
            }
        })
    );
    let back: ChatCompletion = serde_json::from_value(value).expect("its own shape");
    assert_eq!(back, completion());
}

#[test]
fn a_piece_is_one_event_line() {
    let chunk = ChatChunk {
        id: "chatcmpl-1".to_owned(),
        object: "chat.completion.chunk".to_owned(),
        created: 1,
        model: "m".to_owned(),
        choices: Vec::new(),
        usage: Some(Usage::new(2, 3)),
        lightbox: Some(completion().lightbox),
    };
    let line = event_line(&chunk).expect("plain values");
    let json = line.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("an event");
    assert!(!json.contains('\n'));
    assert_eq!(serde_json::from_str::<ChatChunk>(json).expect("its own shape"), chunk);
}
