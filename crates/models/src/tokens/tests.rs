//! Prompts and streams on the tokenizer that all reference checkpoints share.

use serde_json::{Value, json};

use super::*;
use crate::{RgbImage, Role, Turn};

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");

fn read(path: &str) -> Vec<u8> {
    std::fs::read(format!("{GOLDENS}/{path}")).expect("the goldens are part of the repository")
}

fn config(case: &str) -> ModelConfig {
    ModelConfig::parse(&read(&format!("{case}/config.json"))).expect("a golden's configuration")
}

fn tokens(config: &ModelConfig) -> Result<Tokens> {
    let tokenizer = vocabulary::parse(&read("tokenizer/tokenizer.json"))?;
    let specials = vocabulary::parse_specials(&read("tokenizer/tokenizer_config.json"), &tokenizer)?;
    Tokens::new(tokenizer, specials, ChatTemplate::built_in(), config, &config.eos_ids)
}

/// OpenAI's messages as turns, with a one-pixel picture for each one shown.
fn request(messages: &Value) -> Request {
    let mut shown = 0;
    let turns = messages.as_array().expect("a list of messages").iter().map(|message| {
        let role = serde_json::from_value(message["role"].clone()).expect("a role");
        let content = match &message["content"] {
            Value::String(text) => Content::Text(text.clone()),
            parts => Content::Parts(
                parts
                    .as_array()
                    .expect("a string or parts")
                    .iter()
                    .map(|part| match part["type"].as_str() {
                        Some("text") => Part::Text(part["text"].as_str().expect("text").to_owned()),
                        _ => {
                            shown += 1;
                            Part::Image(shown - 1)
                        }
                    })
                    .collect(),
            ),
        };
        Turn { role, content }
    });
    let turns = turns.collect();
    Request::new(turns, vec![RgbImage::new(1, 1, vec![0; 3]).expect("one pixel"); shown])
}

#[test]
fn prompts_of_every_golden_have_the_reference_s_text_ids_and_spans() {
    let mut seen = 0;
    for entry in std::fs::read_dir(GOLDENS).expect("the goldens are part of the repository") {
        let case = entry.expect("listed").file_name().into_string().expect("plain names");
        if !std::path::Path::new(&format!("{GOLDENS}/{case}/config.json")).exists() {
            continue;
        }
        let tokens = tokens(&config(&case)).unwrap_or_else(|e| panic!("{case}: {e}"));
        let golden: Value = serde_json::from_slice(&read(&format!("{case}/golden.json"))).expect("a golden");
        for conversation in golden["conversations"].as_array().expect("conversations") {
            let request = request(&conversation["messages"]);
            let prompt = tokens.prompt(&request).unwrap_or_else(|e| panic!("{case}: {e}"));
            assert_eq!(json!(prompt.text), conversation["prompt_text"], "{case}");
            assert_eq!(json!(prompt.ids), conversation["prompt_ids"], "{case}");
            let spans: Vec<_> = prompt.image_spans.iter().map(|s| [s.start, s.end]).collect();
            assert_eq!(json!(spans), conversation["image_spans"], "{case}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} conversations");
}

#[test]
fn conversations_of_every_kind_render_as_in_the_reference() {
    let config = config("image-bf16");
    let tokenizer = vocabulary::parse(&read("tokenizer/tokenizer.json")).expect("sound");
    let specials =
        vocabulary::parse_specials(&read("tokenizer/tokenizer_config.json"), &tokenizer).expect("sound");
    let template =
        ChatTemplate::parse("chat_template.jinja", &read("tokenizer/chat_template.jinja")).expect("sound");
    let of_file = Tokens::new(tokenizer, specials, template, &config, &[1, 11]).expect("sound");
    let built_in = tokens(&config).expect("sound");
    let goldens: Value = serde_json::from_slice(&read("templates.json")).expect("JSON");
    for golden in goldens.as_array().expect("a list") {
        let request = request(&golden["messages"]);
        for tokens in [&of_file, &built_in] {
            let Some(words) = golden["refused"].as_str() else {
                let prompt = tokens.prompt(&request).unwrap_or_else(|e| panic!("{golden}: {e}"));
                assert_eq!(json!(prompt.ids), golden["ids"], "{golden}");
                assert_eq!(json!(tokens.decode(&prompt.ids)), golden["decoded"], "{golden}");
                let rendered =
                    tokens.template.render(&request.turns, &tokens.specials).expect("it did above");
                assert_eq!(json!(rendered), golden["text"], "{golden}");
                continue;
            };
            let error = tokens.prompt(&request).expect_err(words);
            assert_eq!(error.kind(), ErrorKind::Template);
            // The reference has no words of its own for what its template language refuses.
            assert!(
                error.to_string().contains(words) || words.starts_with("the first part"),
                "{golden}: {error}"
            );
        }
    }
}

#[test]
fn requests_that_do_not_hold_together_are_refused() {
    let tokens = tokens(&config("image-bf16")).expect("sound");
    let image = RgbImage::new(1, 1, vec![0; 3]).expect("one pixel");
    let user = |parts: &[Part]| vec![Turn { role: Role::User, content: Content::Parts(parts.to_vec()) }];
    let text = |t: &str| Part::Text(t.to_owned());
    let table = [
        (vec![], 0, ErrorKind::Request, "no turn"),
        (user(&[Part::Image(0)]), 0, ErrorKind::Request, "shows picture 0; expected picture 0 of 0"),
        (
            user(&[Part::Image(1), Part::Image(0)]),
            2,
            ErrorKind::Request,
            "shows picture 1; expected picture 0",
        ),
        (
            user(&[Part::Image(0), Part::Image(0)]),
            1,
            ErrorKind::Request,
            "shows picture 0; expected picture 1",
        ),
        (user(&[text("a")]), 1, ErrorKind::Request, "show 0 pictures of the 1"),
        (user(&[text("a <start_of_image> b")]), 0, ErrorKind::Request, "turn 0 hold <start_of_image>"),
        (user(&[text("<image_soft_token>")]), 0, ErrorKind::Request, "turn 0 hold <image_soft_token>"),
        (
            user(&[text("<start_of"), text("_image>")]),
            0,
            ErrorKind::Template,
            "hold 1 <start_of_image>, expected 0",
        ),
        (user(&[text("<image_soft"), text("_token>")]), 0, ErrorKind::Tokenizer, "found runs of [1]"),
    ];
    for (turns, n_images, kind, message) in table {
        let error = tokens.prompt(&Request::new(turns, vec![image.clone(); n_images])).expect_err(message);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let text_only = self::tokens(&config("text-f32")).expect("sound");
    let error = text_only.prompt(&Request::new(user(&[Part::Image(0)]), vec![image])).expect_err("no tower");
    assert_eq!(error.kind(), ErrorKind::Image);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let base: Value = serde_json::from_slice(&read("image-bf16/config.json")).expect("JSON");
    let change = |key: &str, value: Value| {
        let mut changed = base.clone();
        *changed.pointer_mut(key).expect("it is there") = value;
        ModelConfig::parse(changed.to_string().as_bytes()).expect("a sound configuration")
    };
    let table = [
        (change("/text_config/vocab_size", json!(300)), "config.json says vocab_size 300"),
        (change("/boi_token_index", json!(520)), "no added token has id 520, the boi_token_index"),
        (change("/image_token_index", json!(100)), "no added token has id 100, the image_token_index"),
        (change("/eoi_token_index", json!(505)), "eoi_token: expected \"<start_of_image>\""),
        (change("/eos_token_id", json!([1, 9999])), "no token has id 9999, which ends a turn"),
    ];
    for (config, message) in table {
        let error = tokens(&config).expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Tokenizer);
        assert!(error.to_string().contains(message), "{error}");
    }
    let tokenizer = vocabulary::parse(&read("tokenizer/tokenizer.json")).expect("sound");
    for (json, message) in [
        (
            r#"{"added_tokens_decoder":{"2":{"content":"<s>"}}}"#,
            "added_tokens_decoder: 2: expected \"<bos>\"",
        ),
        (r#"{"added_tokens_decoder":{"100":{"content":"<x>"}}}"#, "added_tokens_decoder: 100: expected none"),
        (r#"{"split_special_tokens":true}"#, "split_special_tokens: expected false"),
        (r#"{"bos_token":7}"#, "bos_token: expected a token's text, found 7"),
        ("[]", "expected a JSON object"),
    ] {
        let error = vocabulary::parse_specials(json.as_bytes(), &tokenizer).expect_err(json);
        assert!(error.to_string().contains(message), "{json}: {error}");
    }
    for bytes in ["", "{}", r#"{"model":{"type":"BPE"}}"#] {
        let error = vocabulary::parse(bytes.as_bytes()).expect_err("no tokenizer");
        assert!(error.to_string().starts_with("tokenizer.json: "), "{error}");
    }
}

#[test]
fn streamed_text_joined_is_the_text_decoded_at_once() {
    let tokens = tokens(&config("text-f32")).expect("sound");
    let mut generator = crate::sampling::Generator::new(11);
    for _ in 0..300 {
        let n = 1 + generator.next_u64() % 24;
        // Half of the draws are byte tokens, so that runs of them, valid and not, come up often.
        let bytes: Vec<u32> =
            (0..=255u32).filter_map(|b| tokens.vocabulary.token_to_id(&format!("<0x{b:02X}>"))).collect();
        let ids: Vec<u32> = (0..n)
            .map(|_| {
                let draw = generator.next_u64() as usize;
                if draw.is_multiple_of(2) { bytes[(draw / 2) % bytes.len()] } else { (draw / 2 % 512) as u32 }
            })
            .collect();
        let mut stream = tokens.detokenizer();
        let mut text: String = ids.iter().map(|id| stream.push(*id)).collect();
        text += &stream.flush();
        let plain: Vec<u32> = ids.into_iter().filter(|id| !tokens.vocabulary.is_silent(*id)).collect();
        assert_eq!(text, tokens.decode(&plain));
    }
}

#[test]
fn text_is_given_out_as_soon_as_it_is_certain() {
    let tokens = tokens(&config("text-f32")).expect("sound");
    let text = "肺 is ok";
    let ids = tokens.encode(text).expect("plain words");
    let mut stream = tokens.detokenizer();
    let pieces: Vec<String> = ids.iter().map(|id| stream.push(*id)).collect();
    assert_eq!(pieces[..3], ["", "", ""], "three bytes of one character");
    assert!(pieces[3].starts_with('肺'), "{pieces:?}");
    assert_eq!(pieces.concat() + &stream.flush(), text);
}

#[test]
fn a_template_that_does_not_begin_the_text_or_says_nothing_is_refused() {
    let config = config("image-bf16");
    let parse = |template: &str| ChatTemplate::parse("a.jinja", template.as_bytes()).expect("a template");
    let read = |template: &str, with_begin: bool| {
        let tokenizer = vocabulary::parse(&read("tokenizer/tokenizer.json")).expect("a golden");
        let specials = if with_begin {
            vocabulary::parse_specials(&read("tokenizer/tokenizer_config.json"), &tokenizer)
                .expect("a golden")
        } else {
            BTreeMap::new()
        };
        let tokens =
            Tokens::new(tokenizer, specials, parse(template), &config, &config.eos_ids).expect("fits");
        tokens.prompt(&request(&json!([{"role": "user", "content": ""}])))
    };
    let words = "{% for m in messages %}{{ m['content'] }}{% endfor %}";
    for (template, with_begin, expected) in [
        (words, true, "do not begin with <bos>; begin the template with {{ bos_token }}"),
        (words, false, "render to nothing"),
    ] {
        let error = read(template, with_begin).expect_err("no prompt");
        assert_eq!(error.kind(), ErrorKind::Template);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(read("{{ bos_token }}x", true).expect("a prompt").ids[0], 2);
}
