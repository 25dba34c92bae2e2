//! From a reading to OpenAI's shapes.

use lightbox_models::{Alternative, Engine, Finish, Timings, TokenLogprob};
use lightbox_reading::Reading;
use lightbox_serve::openai::{
    self, AssistantMessage, ChatCompletion, Choice, ChoiceLogprobs, Extension, GuessCounts, ImageCounts,
    PromptTokenLogprob, TimingsMs, TopLogprob, Usage,
};

use crate::commands::read::DRAFT_NOTICE;

/// What all pieces of an answer share.
pub struct Answering {
    /// Names the answer.
    pub id: String,
    /// Seconds since 1970 (UTC).
    pub created: u64,
    /// The model, as the caller calls it.
    pub model: String,
    /// Alternatives a token that were asked for; `None` without log-probabilities.
    pub alternatives: Option<usize>,
}

impl Answering {
    /// The answer in one piece.
    pub fn whole(&self, reading: &Reading, record: Option<String>, engine: &dyn Engine) -> ChatCompletion {
        let generation = &reading.generation;
        ChatCompletion {
            id: self.id.clone(),
            object: "chat.completion".to_owned(),
            created: self.created,
            model: self.model.clone(),
            choices: vec![Choice {
                index: 0,
                message: AssistantMessage {
                    role: "assistant".to_owned(),
                    content: generation.answer.clone(),
                    reasoning_content: generation.thinking.clone(),
                },
                finish_reason: finish_reason(generation.finish).to_owned(),
                logprobs: self.logprobs(generation.logprobs.iter().flatten(), engine),
            }],
            usage: usage(reading),
            lightbox: extension(reading, record),
        }
    }

    /// Log-probabilities in OpenAI's shape, where they were asked for.
    pub fn logprobs<'a>(
        &self,
        tokens: impl Iterator<Item = &'a TokenLogprob>,
        engine: &dyn Engine,
    ) -> Option<ChoiceLogprobs> {
        let n_alternatives = self.alternatives?;
        let content = tokens.map(|one| token(one, n_alternatives, engine)).collect();
        Some(ChoiceLogprobs { content })
    }
}

/// Counts of a reading.
pub fn usage(reading: &Reading) -> Usage {
    Usage::new(reading.generation.prompt.ids.len(), reading.generation.ids.len())
}

/// What OpenAI's shape has no place for.
pub fn extension(reading: &Reading, record: Option<String>) -> Extension {
    let generation = &reading.generation;
    let prompt_logprobs = generation.prompt_logprobs.as_ref().map(|all| {
        let entry = |one: &TokenLogprob| PromptTokenLogprob {
            logprob: one.logprob,
            top: one.top.iter().map(|other| (other.id, other.logprob)).collect(),
        };
        all.iter().map(|one| one.as_ref().map(entry)).collect()
    });
    Extension {
        prompt_token_ids: generation.prompt.ids.clone(),
        completion_token_ids: generation.ids.clone(),
        prompt_logprobs,
        timings: timings(&generation.timings),
        record,
        notices: [Some(DRAFT_NOTICE), reading.model.notice.as_deref()]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
    }
}

fn timings(of: &Timings) -> TimingsMs {
    TimingsMs {
        load: of.load_ms,
        image: of.image_ms,
        prefill: of.prefill_ms,
        decode: of.decode_ms,
        images: ImageCounts {
            memory: of.images_from_memory,
            disk: of.images_from_disk,
            encoded: of.images_encoded,
            prefix: of.images_in_prefix,
        },
        prefix_tokens: of.prefix_tokens,
        guesses: GuessCounts { drafted: of.drafted_tokens, accepted: of.accepted_tokens },
    }
}

/// The end in OpenAI's words, where it has one.
pub fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopString => "stop",
        Finish::Length | Finish::ThinkingLength => "length",
        Finish::Cancelled => "cancelled",
    }
}

fn token(one: &TokenLogprob, n_alternatives: usize, engine: &dyn Engine) -> openai::TokenLogprob {
    let (token, bytes) = text(one.id, engine);
    // The record keeps more alternatives than may have been asked for.
    let top_logprobs = one.top.iter().take(n_alternatives).map(|&Alternative { id, logprob }| {
        let (token, bytes) = text(id, engine);
        TopLogprob { token, logprob, bytes, id }
    });
    openai::TokenLogprob {
        token,
        logprob: one.logprob,
        bytes,
        id: one.id,
        top_logprobs: top_logprobs.collect(),
    }
}

/// The text of a token on its own, and its bytes unless it is a piece of a character.
fn text(id: u32, engine: &dyn Engine) -> (String, Option<Vec<u8>>) {
    let token = engine.decode(&[id]);
    let bytes = (!token.contains(char::REPLACEMENT_CHARACTER)).then(|| token.clone().into_bytes());
    (token, bytes)
}
