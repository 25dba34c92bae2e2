//! How a prompt fills the context of a model.

use lightbox_models::{Content, ModelCard, Part, Prompt, Request};
use serde::{Deserialize, Serialize};

/// Tokens that frame a picture: a line break, its begin, its end, a line break.
const FRAME_TOKENS: usize = 4;

/// Tokens that frame a conversation of one turn: begin of text, two turn markers with role and line break, a turn end.
const TURN_TOKENS: usize = 10;

/// Bytes of English text that one token stands for, about. Rounded down: the estimate is rather too high.
const BYTES_PER_TOKEN: usize = 3;

/// What of a model must be known to plan a read without its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The model that it describes.
    pub name: &'static str,
    /// Side in pixels of the square that the vision tower takes.
    pub image_size_px: usize,
    /// Soft tokens a picture.
    pub tokens_per_image: usize,
    /// Longest sequence in tokens.
    pub context_tokens: usize,
}

/// MedGemma 1.5 4B: sides and tokens as its model card states them (13 January 2026).
pub const MEDGEMMA_1_5_4B: Profile =
    Profile { name: "medgemma-1.5-4b", image_size_px: 896, tokens_per_image: 256, context_tokens: 131_072 };

/// Tokens of a prompt and the room that they leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Soft tokens of the pictures, as the model's files count them.
    pub image_tokens: usize,
    /// All other tokens of the prompt, those that frame a picture among them.
    pub text_tokens: usize,
    /// Tokens that the context leaves for thinking and answer; 0 if the prompt does not fit.
    pub room_for_answer: usize,
    /// Longest sequence of the model.
    pub context_tokens: usize,
    /// Whether `text_tokens` is an estimate, made without the model's tokenizer.
    pub estimated: bool,
}

impl Budget {
    /// Of a prompt as the engine tokenized it.
    pub(crate) fn counted(prompt: &Prompt, card: &ModelCard) -> Self {
        let image_tokens: usize = prompt.image_spans.iter().map(ExactSizeIterator::len).sum();
        let text_tokens = prompt.ids.len().saturating_sub(image_tokens);
        Self::new(image_tokens, text_tokens, card.context_tokens, false)
    }

    /// Of a request to a model whose files are not at hand.
    pub(crate) fn estimated(request: &Request, profile: &Profile) -> Self {
        let n_bytes: usize = request
            .turns
            .iter()
            .map(|turn| match &turn.content {
                Content::Text(text) => text.len(),
                Content::Parts(parts) => {
                    parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
                }
            })
            .sum();
        let n_images = request.images.len();
        let image_tokens = n_images.saturating_mul(profile.tokens_per_image);
        let framing = TURN_TOKENS * request.turns.len() + FRAME_TOKENS * n_images;
        let text_tokens = n_bytes.div_ceil(BYTES_PER_TOKEN) + framing;
        Self::new(image_tokens, text_tokens, profile.context_tokens, true)
    }

    fn new(image_tokens: usize, text_tokens: usize, context_tokens: usize, estimated: bool) -> Self {
        let room_for_answer = context_tokens.saturating_sub(image_tokens.saturating_add(text_tokens));
        Self { image_tokens, text_tokens, room_for_answer, context_tokens, estimated }
    }

    /// Tokens of the prompt.
    #[must_use]
    pub fn prompt_tokens(&self) -> usize {
        self.image_tokens.saturating_add(self.text_tokens)
    }

    /// Whether the prompt leaves room for at least one token.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.room_for_answer > 0
    }
}
