//! Generations whose logits are written by hand, on the tokenizer of the reference checkpoints.

use super::*;
use crate::config::ModelConfig;
use crate::tokens::{ChatTemplate, vocabulary};
use crate::{Content, Role, Sampling, Turn};

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");
const EOS: u32 = 1;
const OPEN: u32 = 8;
const CLOSE: u32 = 9;
const END_OF_TURN: u32 = 11;

fn tokens() -> Tokens {
    let read =
        |path: &str| std::fs::read(format!("{GOLDENS}/{path}")).expect("the goldens are in the repository");
    let config = ModelConfig::parse(&read("text-f32/config.json")).expect("a golden's configuration");
    let tokenizer = vocabulary::parse(&read("tokenizer/tokenizer.json")).expect("a golden's tokenizer");
    let specials = vocabulary::parse_specials(b"{}", &tokenizer).expect("the defaults");
    Tokens::new(tokenizer, specials, ChatTemplate::built_in(), &config, &[EOS, END_OF_TURN])
        .expect("they fit")
}

fn request(change: impl FnOnce(&mut Request)) -> Request {
    let turn = Turn { role: Role::User, content: Content::Text("q".to_owned()) };
    let mut request = Request::new(vec![turn], Vec::new());
    change(&mut request);
    request
}

/// Ids of plain words, as the model would write them.
fn ids(tokens: &Tokens, text: &str) -> Vec<u32> {
    tokens.encode(text).expect("plain words")
}

/// Runs a generation that wants to write `script`; the events' text by side, and what remains.
fn run(request: &Request, tokens: &Tokens, room: usize, script: &[u32]) -> (String, String, Generation) {
    let mut decoding = Decoding::new(request, tokens, room);
    let (mut answer, mut thinking) = (String::new(), String::new());
    let mut script = script.iter();
    loop {
        let mut logits = vec![0.0; tokens.vocab_size()];
        let Some(id) = script.next() else { break };
        logits[*id as usize] = 50.0;
        let mut on_event = |event| match event {
            Event::Token { text, thinking: true, .. } => thinking.push_str(&text),
            Event::Token { text, .. } => answer.push_str(&text),
            _ => panic!("only tokens are reported here"),
        };
        if decoding.next(&logits, &mut on_event).expect("finite logits") == Step::Finished {
            let prompt = tokens.prompt(request).expect("a sound request");
            return (answer, thinking, decoding.finished(prompt, None, Timings::default()));
        }
    }
    let prompt = tokens.prompt(request).expect("a sound request");
    (answer, thinking, decoding.cancelled(prompt, None, Timings::default()))
}

#[test]
fn events_joined_are_the_answer_and_the_thought() {
    let tokens = tokens();
    let words = |text: &str| ids(&tokens, text);
    let thought =
        [vec![OPEN], words("thought\nis it 肺?"), vec![CLOSE], words("no — it is not"), vec![END_OF_TURN]];
    let table: [(Vec<u32>, &str, Option<&str>, Finish); 6] = [
        ([words("a heart"), vec![EOS]].concat(), "a heart", None, Finish::Stop),
        (thought.concat(), "no — it is not", Some("is it 肺?"), Finish::Stop),
        // Special tokens are not part of an answer, unknown rows of the table neither.
        ([words("a"), vec![0, 10, 510], words("b"), vec![EOS]].concat(), "ab", None, Finish::Stop),
        // A character cut short is shown as such, once nothing more can come.
        ([words("肺")[..2].to_vec(), vec![EOS]].concat(), "��", None, Finish::Stop),
        ([vec![OPEN], words("thought\nendless"), vec![EOS]].concat(), "", Some("endless"), Finish::Stop),
        ([words("a"), vec![CLOSE], words("b"), vec![EOS]].concat(), "ab", None, Finish::Stop),
    ];
    for (script, answer, thinking, finish) in table {
        let (shown, thought, generation) = run(&request(|_| {}), &tokens, 1000, &script);
        assert_eq!(
            (generation.answer.as_str(), generation.thinking.as_deref()),
            (answer, thinking),
            "{script:?}"
        );
        assert_eq!((shown.as_str(), thought.as_str()), (answer, thinking.unwrap_or_default()), "{script:?}");
        assert_eq!((generation.ids, generation.finish), (script, finish));
        assert_eq!(generation.logprobs, None);
    }
}

#[test]
fn budgets_end_a_generation_where_they_say() {
    let tokens = tokens();
    let script = [vec![OPEN], vec![81; 5], vec![CLOSE], vec![92; 5], vec![EOS]].concat();
    let table = [
        // max_tokens, max_thinking_tokens, room; ids generated, why it ended.
        (Some(3), None, 100, 3, Finish::Length),
        (Some(9), None, 100, 9, Finish::Length),
        (Some(13), None, 100, 13, Finish::Stop),
        (Some(2), Some(7), 100, 9, Finish::Length),
        (Some(2), Some(6), 100, 6, Finish::ThinkingLength),
        (Some(50), Some(3), 100, 3, Finish::ThinkingLength),
        (None, Some(3), 100, 3, Finish::ThinkingLength),
        (None, None, 4, 4, Finish::Length),
        (None, Some(50), 9, 9, Finish::Length),
        (Some(6), Some(7), 100, 13, Finish::Stop),
    ];
    for (max_tokens, max_thinking_tokens, room, n, finish) in table {
        let request = request(|r| (r.max_tokens, r.max_thinking_tokens) = (max_tokens, max_thinking_tokens));
        let (_, _, generation) = run(&request, &tokens, room, &script);
        assert_eq!(
            (generation.ids.len(), generation.finish),
            (n, finish),
            "{max_tokens:?} {max_thinking_tokens:?}"
        );
    }
}

#[test]
fn a_stop_string_ends_the_answer_but_not_the_thought() {
    let tokens = tokens();
    let words = |text: &str| ids(&tokens, text);
    let script =
        [vec![OPEN], words("thought\nso: STOP"), vec![CLOSE], words("first STOP second"), vec![EOS]].concat();
    let request = request(|r| r.stop = vec!["STOP".to_owned()]);
    let (shown, thought, generation) = run(&request, &tokens, 1000, &script);
    assert_eq!((shown.as_str(), generation.answer.as_str()), ("first ", "first "));
    assert_eq!((thought.as_str(), generation.finish), ("so: STOP", Finish::StopString));
    assert!(generation.ids.len() < script.len());
    // What began like one and was none is there when the turn ends.
    let script = [words("a STO"), vec![EOS]].concat();
    let (shown, _, generation) = run(&request, &tokens, 1000, &script);
    assert_eq!(
        (shown.as_str(), generation.answer.as_str(), generation.finish),
        ("a STO", "a STO", Finish::Stop)
    );
}

#[test]
fn a_cancelled_generation_keeps_what_there_is() {
    let tokens = tokens();
    let script = ids(&tokens, "half an ans");
    let (_, _, generation) = run(&request(|_| {}), &tokens, 1000, &script);
    assert_eq!((generation.answer.as_str(), generation.finish), ("half an ans", Finish::Cancelled));
    assert_eq!(generation.ids, script);
}

#[test]
fn log_probabilities_come_with_every_token() {
    let tokens = tokens();
    let request = request(|r| r.logprobs = Some(2));
    let (_, _, generation) = run(&request, &tokens, 1000, &[81, 92, EOS]);
    let logprobs = generation.logprobs.expect("they were asked for");
    assert_eq!(logprobs.iter().map(|l| l.id).collect::<Vec<_>>(), [81, 92, EOS]);
    assert!(logprobs.iter().all(|l| l.top.len() == 2 && l.top[0].id == l.id && l.top[1].id == 0));
}

#[test]
fn a_seed_says_which_tokens_come() {
    let tokens = tokens();
    let sample = |seed| {
        let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
        let request = request(|r| r.sampling = sampling);
        let mut decoding = Decoding::new(&request, &tokens, 40);
        let logits = vec![0.0; tokens.vocab_size()];
        while decoding.next(&logits, &mut |_| {}).expect("finite logits") != Step::Finished {}
        let prompt = tokens.prompt(&request).expect("a sound request");
        decoding.finished(prompt, None, Timings::default()).ids
    };
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn logits_that_make_no_distribution_are_an_error_that_names_one() {
    let tokens = tokens();
    let request = request(|_| {});
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut logits = vec![0.0; tokens.vocab_size()];
        logits[7] = bad;
        let mut decoding = Decoding::new(&request, &tokens, 10);
        let error = decoding.next(&logits, &mut |_| {}).expect_err("no distribution");
        assert_eq!(error.kind(), ErrorKind::Weights);
        assert!(error.to_string().contains("token 7"), "{error}");
    }
}

#[test]
fn wishes_that_mean_nothing_are_refused_by_name() {
    let table = [
        (request(|r| r.max_tokens = Some(0)), "max_tokens: expected at least 1"),
        (request(|r| r.max_thinking_tokens = Some(0)), "max_thinking_tokens: expected at least 1"),
        (request(|r| r.stop = vec!["a".to_owned(), String::new()]), "stop: an empty string"),
        (request(|r| r.sampling.temperature = -1.0), "temperature: expected"),
    ];
    for (request, message) in table {
        let error = check(&request).expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.to_string().starts_with(message), "{error}");
    }
    check(&request(|r| r.max_tokens = Some(1))).expect("a sound request");
}
