//! What remains of a read: enough to show it, to judge it and to run it again.

use lightbox_intake::SourceFile;
use lightbox_models::{Generation, ModelCard, Request, RgbImage, Sampling, Turn};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answers::Answer;
use crate::prompts::Template;
use crate::views::ViewRecord;
use crate::{Budget, Wishes};

/// The version of [`Reading`]'s written form, raised with every change that an older reader would misread.
pub const FORMAT: u32 = 1;

/// One read: what went in, what the model saw, what came out. Holds no pixels and no file names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// [`FORMAT`] of the program that made it.
    pub format: u32,
    /// Task and version, such as `findings@1`.
    pub task: String,
    /// When the engine was started, milliseconds since 1970 UTC.
    pub started_unix_ms: u64,
    /// The files that were read.
    pub inputs: Vec<SourceFile>,
    /// What the caller worded and chose.
    pub wishes: Wishes,
    /// The prompt templates.
    pub templates: Vec<TemplateRecord>,
    /// The pictures, in the order in which the prompt shows them.
    pub views: Vec<ViewRecord>,
    /// What the engine was asked, without the pictures.
    pub request: RequestRecord,
    /// How the prompt filled the context.
    pub budget: Budget,
    /// The model.
    pub model: ModelCard,
    /// What the engine did.
    pub generation: Generation,
    /// The answer as the task reads it.
    pub answer: Answer<Value>,
}

/// A prompt template that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRecord {
    /// Its name.
    pub name: String,
    /// The version that it states.
    pub version: Option<u32>,
    /// Lower-case hex SHA-256 of its text.
    pub sha256: String,
    /// Whether a file of the user took the place of the built-in text.
    pub overridden: bool,
}

impl From<&Template> for TemplateRecord {
    fn from(template: &Template) -> Self {
        Self {
            name: template.name.clone(),
            version: template.version,
            sha256: template.digest(),
            overridden: template.overridden_by.is_some(),
        }
    }
}

/// A [`Request`] without its pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The conversation.
    pub turns: Vec<Turn>,
    /// Most tokens to generate, as settled.
    pub max_tokens: Option<usize>,
    /// Most tokens of the thinking block, as settled.
    pub max_thinking_tokens: Option<usize>,
    /// How tokens were chosen.
    pub sampling: Sampling,
    /// Strings that end the answer.
    pub stop: Vec<String>,
    /// Alternatives that were kept of each generated token.
    pub logprobs: Option<usize>,
    /// Alternatives that were kept of each prompt token.
    pub prompt_logprobs: Option<usize>,
}

impl RequestRecord {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            turns: request.turns.clone(),
            max_tokens: request.max_tokens,
            max_thinking_tokens: request.max_thinking_tokens,
            sampling: request.sampling.clone(),
            stop: request.stop.clone(),
            logprobs: request.logprobs,
            prompt_logprobs: request.prompt_logprobs,
        }
    }

    /// The request with its pictures.
    #[must_use]
    pub fn with_images(&self, images: Vec<RgbImage>) -> Request {
        Request {
            turns: self.turns.clone(),
            images,
            max_tokens: self.max_tokens,
            max_thinking_tokens: self.max_thinking_tokens,
            sampling: self.sampling.clone(),
            stop: self.stop.clone(),
            logprobs: self.logprobs,
            prompt_logprobs: self.prompt_logprobs,
        }
    }
}
