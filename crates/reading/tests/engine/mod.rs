//! The scripted engine of the models room, with a record of what it was asked.

use std::sync::atomic::AtomicBool;

use lightbox_models::{
    Engine, Event, Finish, Generation, ModelCard, Prompt, Request, Result, RgbImage, ScriptedEngine,
};

/// Soft tokens a picture.
pub const TOKENS_PER_IMAGE: usize = 4;

/// See the module.
pub struct TextEngine {
    pub card: ModelCard,
    /// Why the generation ends, unless it was cancelled.
    pub finish: Finish,
    pub thinking: Option<String>,
    script: ScriptedEngine,
    /// What was asked, in order.
    pub requests: Vec<Request>,
}

impl TextEngine {
    pub fn says(text: &str) -> Self {
        let script = ScriptedEngine::saying(text).expect("its own settings are valid").with_context(100_000);
        let card = script.card().clone();
        Self { card, finish: Finish::Stop, thinking: None, script, requests: Vec::new() }
    }
}

impl Engine for TextEngine {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn prompt(&self, request: &Request) -> Result<Prompt> {
        self.script.prompt(request)
    }

    fn decode(&self, ids: &[u32]) -> String {
        self.script.decode(ids)
    }

    fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        self.script.resized(image)
    }

    fn generate(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation> {
        self.requests.push(request.clone());
        let mut generation = self.script.generate(request, cancel, on_event)?;
        if generation.finish != Finish::Cancelled {
            generation.finish = self.finish;
        }
        generation.thinking.clone_from(&self.thinking);
        Ok(generation)
    }
}
