//! The request of a chat completion.

use serde_json::{Value, json};

use super::body;
use super::fields::{Fields, wrong_type};
use super::message::{Message, messages};
use crate::{Error, ErrorKind, Result};

/// A longer body is refused unread: pictures belong in files beyond this.
pub const MAX_BODY_BYTES: usize = 512 << 20;

/// Most alternatives a token can be reported with.
pub const MAX_ALTERNATIVES: usize = 100;

/// Most stop strings of a request.
const MAX_STOPS: usize = 64;

/// Fields that only concern the hosting of a request: they cannot change an answer here.
const IRRELEVANT: [&str; 9] = [
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "request_id",
];

/// A request as it was meant.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// The model that the body names; a caller that has chosen one overrides it.
    pub model: Option<String>,
    /// The conversation, at least one message.
    pub messages: Vec<Message>,
    /// Most tokens to generate (`max_completion_tokens`, or `max_tokens` as older clients say).
    pub max_tokens: Option<usize>,
    /// A budget of its own for the thinking block; its tokens then do not count towards `max_tokens`.
    pub max_thinking_tokens: Option<usize>,
    /// 0 (greedy) unless the body says otherwise: OpenAI's own default is 1, a draft to be reviewed wants no dice.
    pub temperature: f32,
    /// Smallest set of most likely tokens that reaches this probability, 0 < p ≤ 1.
    pub top_p: Option<f32>,
    /// The most likely tokens, at least 1.
    pub top_k: Option<usize>,
    /// Seed of the generator.
    pub seed: Option<u64>,
    /// Strings that end the answer, none of them empty.
    pub stop: Vec<String>,
    /// Report log-probabilities of generated tokens, with this many alternatives.
    pub logprobs: Option<usize>,
    /// Report log-probabilities of prompt tokens, with this many alternatives.
    pub prompt_logprobs: Option<usize>,
    /// Answer in pieces.
    pub stream: bool,
}

/// Reads the body of a request.
///
/// # Errors
/// If it is longer than [`MAX_BODY_BYTES`], not JSON, has a field that stands there twice, is unknown, unsupported, missing, of the wrong
/// type or out of range. The error names the field and never quotes words of the request.
pub fn parse_request(body: &[u8]) -> Result<ChatRequest> {
    if body.len() > MAX_BODY_BYTES {
        let message = format!("expected at most {MAX_BODY_BYTES} bytes, found {}", body.len());
        return Err(Error::new(ErrorKind::Json, "", message));
    }
    let mut fields = Fields::open(body::read(body)?, "")?;
    let place = "messages";
    let request = ChatRequest {
        messages: messages(fields.required(place, "a list of messages")?, place)?,
        model: fields.text("model")?,
        max_tokens: max_tokens(&mut fields)?,
        max_thinking_tokens: count(&mut fields, "max_thinking_tokens", 1)?,
        temperature: fields.number("temperature", 0.0..=2.0)?.unwrap_or(0.0) as f32,
        top_p: top_p(&mut fields)?,
        top_k: count(&mut fields, "top_k", 1)?,
        seed: fields.whole("seed", 0..=u64::MAX)?,
        stop: stop(&mut fields)?,
        logprobs: logprobs(&mut fields)?,
        prompt_logprobs: alternatives(&mut fields, "prompt_logprobs")?,
        stream: fields.flag("stream")?.unwrap_or(false),
    };
    stream_options(&mut fields)?;
    refuse_what_would_change_the_answer(&mut fields)?;
    fields.ignore(&IRRELEVANT);
    fields.finish()?;
    Ok(request)
}

fn max_tokens(fields: &mut Fields) -> Result<Option<usize>> {
    let older = count(fields, "max_tokens", 1)?;
    let newer = count(fields, "max_completion_tokens", 1)?;
    match (older, newer) {
        (Some(older), Some(newer)) if older != newer => Err(fields.error(
            ErrorKind::Value,
            "max_tokens",
            format!("found {older}, but `max_completion_tokens` is {newer}; say one of them"),
        )),
        _ => Ok(newer.or(older)),
    }
}

/// A count of tokens; the bound keeps sums of two of them far from overflow.
fn count(fields: &mut Fields, name: &str, least: u64) -> Result<Option<usize>> {
    Ok(fields.whole(name, least..=u64::from(u32::MAX) / 2)?.map(|number| number as usize))
}

fn alternatives(fields: &mut Fields, name: &str) -> Result<Option<usize>> {
    Ok(fields.whole(name, 0..=MAX_ALTERNATIVES as u64)?.map(|number| number as usize))
}

fn top_p(fields: &mut Fields) -> Result<Option<f32>> {
    match fields.number("top_p", 0.0..=1.0)? {
        // 1 keeps every token: the same as not asking.
        Some(1.0) | None => Ok(None),
        // A positive number may round to 0 in f32.
        Some(p) if p as f32 > 0.0 => Ok(Some(p as f32)),
        Some(_) => {
            Err(fields.error(ErrorKind::Value, "top_p", "expected more than 0; use temperature 0 for greedy"))
        }
    }
}

fn stop(fields: &mut Fields) -> Result<Vec<String>> {
    let place = fields.path("stop");
    let list = match fields.take("stop") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
    };
    if list.len() > MAX_STOPS {
        let message = format!("expected at most {MAX_STOPS} strings, found {}", list.len());
        return Err(Error::new(ErrorKind::Value, place, message));
    }
    list.into_iter()
        .map(|one| match one {
            Value::String(text) if !text.is_empty() => Ok(text),
            Value::String(_) => {
                Err(Error::new(ErrorKind::Value, place.clone(), "expected text, found an empty string"))
            }
            other => Err(wrong_type(place.clone(), "a string or a list of strings", &other)),
        })
        .collect()
}

fn logprobs(fields: &mut Fields) -> Result<Option<usize>> {
    let wanted = fields.flag("logprobs")?.unwrap_or(false);
    match alternatives(fields, "top_logprobs")? {
        Some(n) if n > 0 && !wanted => {
            Err(fields.error(ErrorKind::Value, "top_logprobs", "expected `logprobs: true` beside it"))
        }
        n => Ok(wanted.then_some(n.unwrap_or(0))),
    }
}

/// Usage always comes with the last piece of a stream, so that asking for it changes nothing.
fn stream_options(fields: &mut Fields) -> Result<()> {
    let place = fields.path("stream_options");
    let Some(value) = fields.take("stream_options") else { return Ok(()) };
    let mut options = Fields::open(value, place)?;
    options.flag("include_usage")?;
    options.ignore(&["include_obfuscation"]);
    options.finish()
}

/// Known fields of OpenAI's and other servers' requests that are not carried out: accepted only where they ask for
/// nothing.
fn refuse_what_would_change_the_answer(fields: &mut Fields) -> Result<()> {
    let table: [(&str, Vec<Value>, &str); 14] = [
        ("n", vec![json!(1)], "one answer a request; send it again with another `seed`"),
        ("frequency_penalty", vec![json!(0)], "leave it out"),
        ("presence_penalty", vec![json!(0)], "leave it out"),
        ("repetition_penalty", vec![json!(1)], "leave it out"),
        ("min_p", vec![json!(0)], "use `top_p` or `top_k`"),
        ("logit_bias", vec![], "leave it out"),
        ("tools", vec![], "leave it out"),
        ("tool_choice", vec![json!("none"), json!("auto")], "leave it out"),
        ("functions", vec![], "leave it out"),
        ("function_call", vec![json!("none")], "leave it out"),
        ("response_format", vec![json!({"type": "text"})], "answers are free text; leave it out"),
        ("modalities", vec![json!(["text"])], "answers are text; leave it out"),
        ("echo", vec![json!(false)], "use `prompt_logprobs`"),
        ("add_generation_prompt", vec![json!(true)], "the model always answers after the last message"),
    ];
    for (name, neutral, instead) in table {
        fields.neutral(name, &neutral, instead)?;
    }
    Ok(())
}
