//! An engine that says what it is told to: one token a word.

use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_models::{
    Content, Engine, Event, Finish, Generation, ModelCard, Part, Prompt, Request, Result, RgbImage, Timings,
};

/// Soft tokens a picture.
pub const TOKENS_PER_IMAGE: usize = 16;

/// See the module.
pub struct TextEngine {
    pub card: ModelCard,
    pub finish: Finish,
    pub thinking: Option<String>,
    text: String,
    /// What was asked, in order.
    pub requests: Vec<Request>,
}

impl TextEngine {
    pub fn says(text: &str) -> Self {
        let card = ModelCard {
            name: "text".to_owned(),
            digest: "0".repeat(64),
            architecture: "none".to_owned(),
            context_tokens: 100_000,
            image_size_px: Some(56),
            tokens_per_image: Some(TOKENS_PER_IMAGE),
            notice: None,
            backend: "none".to_owned(),
        };
        Self { card, finish: Finish::Stop, thinking: None, text: text.to_owned(), requests: Vec::new() }
    }
}

impl Engine for TextEngine {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn prompt(&self, request: &Request) -> Result<Prompt> {
        let mut prompt = Prompt { text: String::new(), ids: vec![2], image_spans: Vec::new() };
        for turn in &request.turns {
            let parts = match &turn.content {
                Content::Text(text) => vec![Part::Text(text.clone())],
                Content::Parts(parts) => parts.clone(),
            };
            for part in parts {
                match part {
                    Part::Text(text) => {
                        prompt.ids.extend(text.split_whitespace().map(|word| word.len() as u32));
                        prompt.text.push_str(&text);
                    }
                    Part::Image(_) => {
                        prompt.ids.extend([108, 255_999]);
                        let first = prompt.ids.len();
                        prompt.ids.extend([262_144; TOKENS_PER_IMAGE]);
                        prompt.image_spans.push(first..first + TOKENS_PER_IMAGE);
                        prompt.ids.extend([256_000, 108]);
                    }
                }
            }
        }
        Ok(prompt)
    }

    fn decode(&self, ids: &[u32]) -> String {
        format!("{ids:?}")
    }

    fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        Ok(image.clone())
    }

    fn generate(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation> {
        self.requests.push(request.clone());
        let mut generation = Generation {
            prompt: self.prompt(request)?,
            ids: Vec::new(),
            answer: String::new(),
            thinking: self.thinking.clone(),
            logprobs: Some(Vec::new()),
            prompt_logprobs: None,
            finish: self.finish,
            timings: Timings::default(),
        };
        for (index, word) in self.text.split_inclusive(' ').enumerate() {
            if cancel.load(Ordering::Relaxed) {
                generation.finish = Finish::Cancelled;
                break;
            }
            let id = index as u32;
            generation.ids.push(id);
            generation.answer.push_str(word);
            on_event(Event::Token { id, text: word.to_owned(), thinking: false, logprob: None });
        }
        Ok(generation)
    }
}
