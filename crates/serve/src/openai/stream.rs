//! The answer to a request, in pieces.

use serde::{Deserialize, Serialize};

use super::response::{ChoiceLogprobs, Extension, Usage};

/// A `chat.completion.chunk` object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatChunk {
    /// The same for all pieces of an answer.
    pub id: String,
    /// Always `chat.completion.chunk`.
    pub object: String,
    /// Seconds since 1970 (UTC), the same for all pieces.
    pub created: u64,
    /// The model that answers.
    pub model: String,
    /// One; none in the piece that carries `usage` and `lightbox`.
    pub choices: Vec<ChunkChoice>,
    /// Counts of tokens, in the last piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What OpenAI's shape has no place for, in the last piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lightbox: Option<Extension>,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkChoice {
    /// Always 0.
    pub index: u32,
    /// What is new.
    pub delta: Delta,
    /// As in a whole answer; `null` until the answer ends.
    pub finish_reason: Option<String>,
    /// Of the tokens of this piece, where asked for.
    pub logprobs: Option<ChoiceLogprobs>,
}

/// What is new in a piece.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// `assistant`, in the first piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// More of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// More of the thinking block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
}

/// What follows the last piece.
pub const DONE_LINE: &str = "data: [DONE]\n\n";

/// A piece as a server-sent event: `data: {…}` and an empty line.
///
/// # Errors
/// If `serde_json` cannot write it.
pub fn event_line(chunk: &ChatChunk) -> serde_json::Result<String> {
    serde_json::to_string(chunk).map(|json| format!("data: {json}\n\n"))
}
