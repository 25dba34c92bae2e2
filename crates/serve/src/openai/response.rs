//! The answer to a request, in one piece.

use serde::{Deserialize, Serialize};

/// A `chat.completion` object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatCompletion {
    /// Names this answer.
    pub id: String,
    /// Always `chat.completion`.
    pub object: String,
    /// Seconds since 1970 (UTC).
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// Exactly one.
    pub choices: Vec<Choice>,
    /// Counts of tokens.
    pub usage: Usage,
    /// What OpenAI's shape has no place for.
    pub lightbox: Extension,
}

/// An answer of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Always 0.
    pub index: u32,
    /// What the model says.
    pub message: AssistantMessage,
    /// `stop`, `length` (a token limit was reached: the answer is truncated) or `cancelled` (by the caller).
    pub finish_reason: String,
    /// `null` unless asked for.
    pub logprobs: Option<ChoiceLogprobs>,
}

/// What the model says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Always `assistant`.
    pub role: String,
    /// The answer, without the thinking block.
    pub content: String,
    /// The thinking block, where the model thought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
}

/// Log-probabilities of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceLogprobs {
    /// One entry a generated token, in step with `lightbox.completion_token_ids`: thinking and end of turn included.
    pub content: Vec<TokenLogprob>,
}

/// A token of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// Its text on its own.
    pub token: String,
    /// Natural logarithm of its probability, under temperature 1 and no filter.
    pub logprob: f32,
    /// The UTF-8 bytes of its text; `null` where it is a piece of a character.
    pub bytes: Option<Vec<u8>>,
    /// Its id.
    pub id: u32,
    /// The most likely tokens at its place, best first.
    pub top_logprobs: Vec<TopLogprob>,
}

/// An alternative to a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopLogprob {
    /// As in [`TokenLogprob`].
    pub token: String,
    /// As in [`TokenLogprob`].
    pub logprob: f32,
    /// As in [`TokenLogprob`].
    pub bytes: Option<Vec<u8>>,
    /// As in [`TokenLogprob`].
    pub id: u32,
}

/// Counts of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Of the prompt, pictures included.
    pub prompt_tokens: usize,
    /// Generated: thinking and end of turn included.
    pub completion_tokens: usize,
    /// Both.
    pub total_tokens: usize,
}

impl Usage {
    /// Counts of a prompt and an answer.
    #[must_use]
    pub fn new(prompt_tokens: usize, completion_tokens: usize) -> Self {
        Self { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }
}

/// What OpenAI's shape has no place for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// The prompt as it was fed, pictures as runs of their soft token.
    pub prompt_token_ids: Vec<u32>,
    /// Every generated id, thinking and end of turn included.
    pub completion_token_ids: Vec<u32>,
    /// One entry a prompt token, the first `null`; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<Vec<Option<PromptTokenLogprob>>>,
    /// How long each part took.
    pub timings: TimingsMs,
    /// The id of the stored record; `null` where there is none.
    #[serde(default)]
    pub record: Option<String>,
    /// Sentences that must accompany the output.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// A token of a prompt: `{"logprob": x, "top": [[id, logprob], …]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptTokenLogprob {
    /// Natural logarithm of its probability after the tokens before it.
    pub logprob: f32,
    /// Ids and log-probabilities of the most likely tokens at its place, best first.
    pub top: Vec<(u32, f32)>,
}

/// Wall time of each part in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimingsMs {
    /// Opening the files and packing the weights.
    pub load: f64,
    /// Resizing pictures and running the vision tower.
    pub image: f64,
    /// The prompt through the text model.
    pub prefill: f64,
    /// All generated tokens.
    pub decode: f64,
    /// Where the pictures came from.
    #[serde(default)]
    pub images: ImageCounts,
    /// Tokens of the prompt that were not computed, because their keys and values were kept from an earlier request.
    #[serde(default)]
    pub prefix_tokens: usize,
    /// How often guesses held.
    #[serde(default)]
    pub guesses: GuessCounts,
}

/// Tokens guessed from what was said before, to check several in one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuessCounts {
    /// Checked beside the token that was chosen.
    pub drafted: usize,
    /// Of these, chosen by the model too.
    pub accepted: usize,
}

/// How many pictures did, and did not, have to go through the vision tower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageCounts {
    /// Known from an earlier request of the same process, or shown twice in this one.
    pub memory: usize,
    /// Known from an earlier run.
    pub disk: usize,
    /// Sent through the tower.
    pub encoded: usize,
    /// Not looked at, because the keys and values of their tokens were kept.
    #[serde(default)]
    pub prefix: usize,
}
