//! The engine as its callers see it: a request goes in, events come out, a generation is what remains.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::{Request, Result};

/// What is known of a loaded model without running it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The name by which the caller asked for the model.
    pub name: String,
    /// Hex SHA-256 over the model's settings, tokenizer, tensor headers and samples of their contents: tells models apart.
    pub digest: String,
    /// Architecture as the model's own `config.json` says it.
    pub architecture: String,
    /// Longest sequence in tokens, prompt and answer together.
    pub context_tokens: usize,
    /// Side in pixels of the square picture that the vision tower takes; `None` for a text-only model.
    pub image_size_px: Option<usize>,
    /// Soft tokens a picture becomes; `None` for a text-only model.
    pub tokens_per_image: Option<usize>,
    /// A sentence that must accompany every output, such as the demonstration model's.
    pub notice: Option<String>,
    /// What computes: instruction set and number of threads, what keys and values are kept as where that is not f16,
    /// and how the vision tower multiplies where that is not exact; for the record.
    pub backend: String,
}

/// A rendered and tokenized prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The text that was tokenized, pictures expanded.
    pub text: String,
    /// Token ids.
    pub ids: Vec<u32>,
    /// For each picture, the positions of its soft tokens in `ids`.
    pub image_spans: Vec<Range<usize>>,
}

/// A token and its log-probability (natural logarithm).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Token id.
    pub id: u32,
    /// Natural logarithm of its probability under temperature 1 and no filter.
    pub logprob: f32,
}

/// A token with its log-probability and the most likely tokens at its position, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// Token id.
    pub id: u32,
    /// Natural logarithm of its probability under temperature 1 and no filter.
    pub logprob: f32,
    /// The most likely tokens, best first, ties by lower id.
    pub top: Vec<Alternative>,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model ended its turn.
    Stop,
    /// A stop string of the request appeared.
    StopString,
    /// `max_tokens` was reached: the answer is truncated.
    Length,
    /// `max_thinking_tokens` was reached inside the thinking block: there is no answer.
    ThinkingLength,
    /// The caller cancelled.
    Cancelled,
}

/// How long each part took, in milliseconds of wall time, and what did not have to be computed. Counts that were not
/// written down yet when a record was made read as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Opening the files and packing the weights.
    pub load_ms: f64,
    /// Resizing pictures and running the vision tower.
    pub image_ms: f64,
    /// The prompt through the text model.
    pub prefill_ms: f64,
    /// All generated tokens.
    pub decode_ms: f64,
    /// Pictures whose soft tokens were in memory.
    pub images_from_memory: usize,
    /// Pictures whose soft tokens were in the attached store.
    pub images_from_disk: usize,
    /// Pictures that went through the tower.
    pub images_encoded: usize,
    /// Tokens that were guessed from what was said before and checked beside the chosen one.
    pub drafted_tokens: usize,
    /// Of these, the tokens that the model chose too: passes over the weights that were saved.
    pub accepted_tokens: usize,
    /// Pictures that were not looked at again, because keys and values of their soft tokens were kept.
    pub images_in_prefix: usize,
    /// Tokens of the prompt whose keys and values were kept from earlier requests.
    pub prefix_tokens: usize,
}

/// What an engine reports while it works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The soft tokens of `done` of `total` pictures are there.
    Image {
        /// Pictures done.
        done: usize,
        /// Pictures in all.
        total: usize,
        /// How many of those done came from a cache and not through the tower.
        cached: usize,
    },
    /// `done` of `total` prompt tokens went through the text model.
    Prefill {
        /// Tokens done.
        done: usize,
        /// Tokens in all.
        total: usize,
    },
    /// A token was generated.
    Token {
        /// Token id.
        id: u32,
        /// Text that became certain with this token; empty inside a multi-byte character, a possible stop string or a marker.
        text: String,
        /// Whether `text` belongs to the thinking block.
        thinking: bool,
        /// Its log-probability, where the request asked.
        logprob: Option<TokenLogprob>,
    },
}

/// What came out of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// The prompt as it was fed.
    pub prompt: Prompt,
    /// Every generated id, the stop token included where one ended the turn.
    pub ids: Vec<u32>,
    /// The answer: what follows the thinking block, without markers, stop token and stop string.
    pub answer: String,
    /// The thinking block without its markers and header; `None` if the model did not think.
    pub thinking: Option<String>,
    /// One entry a generated id, where the request asked.
    pub logprobs: Option<Vec<TokenLogprob>>,
    /// One entry a prompt token where the request asked; `None` for the first, and for a picture's tokens in models whose
    /// table has no row for them.
    pub prompt_logprobs: Option<Vec<Option<TokenLogprob>>>,
    /// Why it ended.
    pub finish: Finish,
    /// How long it took.
    pub timings: Timings,
}

/// Runs requests on one model.
pub trait Engine {
    /// What is known of the model.
    fn card(&self) -> &ModelCard;

    /// Renders and tokenizes a request without running the model: what a budget is computed from.
    ///
    /// # Errors
    /// As [`Engine::generate`], except for what only running can show.
    fn prompt(&self, request: &Request) -> Result<Prompt>;

    /// The text of some ids, special tokens included.
    fn decode(&self, ids: &[u32]) -> String;

    /// The picture as the model's own processor resizes it, before it is normalised.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::ErrorKind::Image) if the model takes no pictures.
    fn resized(&self, image: &crate::RgbImage) -> Result<crate::RgbImage>;

    /// Runs a request. Setting `cancel` ends it at the next step with [`Finish::Cancelled`] and what there is.
    ///
    /// # Errors
    /// A request that does not fit the model or its context, before any work is done.
    fn generate(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation>;
}
