//! The answer in pieces, one `data:` line each, as the model writes it.

use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_models::{Engine, Event};
use lightbox_reading::Reading;
use lightbox_serve::openai::{ChatChunk, ChunkChoice, DONE_LINE, Delta, event_line};

use super::answer::{Answering, extension, finish_reason, usage};
use crate::exit::{Code, Failure};
use crate::terminal::Output;

/// Writes pieces to standard output.
pub struct Stream<'a> {
    answering: &'a Answering,
    cancel: &'a AtomicBool,
    output: Output,
    is_first: bool,
    failure: Option<Failure>,
}

impl<'a> Stream<'a> {
    /// A stream that sets `cancel` when nobody reads it any more.
    pub fn new(answering: &'a Answering, cancel: &'a AtomicBool) -> Self {
        Self { answering, cancel, output: Output::new(), is_first: true, failure: None }
    }

    /// Takes an engine's event.
    pub fn on(&mut self, event: &Event) {
        let Event::Token { text, thinking, .. } = event else { return };
        if text.is_empty() || self.failure.is_some() {
            return;
        }
        let text = Some(text.clone());
        let delta = if *thinking {
            Delta { reasoning_content: text, ..Delta::default() }
        } else {
            Delta { content: text, ..Delta::default() }
        };
        if let Err(failure) = self.piece(delta) {
            self.cancel.store(true, Ordering::Relaxed);
            self.failure = Some(failure);
        }
    }

    fn piece(&mut self, mut delta: Delta) -> Result<(), Failure> {
        if std::mem::take(&mut self.is_first) {
            delta.role = Some("assistant".to_owned());
        }
        let choice = ChunkChoice { index: 0, delta, finish_reason: None, logprobs: None };
        self.write(ChatChunk { choices: vec![choice], ..self.chunk() })
    }

    fn chunk(&self) -> ChatChunk {
        ChatChunk {
            id: self.answering.id.clone(),
            object: "chat.completion.chunk".to_owned(),
            created: self.answering.created,
            model: self.answering.model.clone(),
            choices: Vec::new(),
            usage: None,
            lightbox: None,
        }
    }

    fn write(&mut self, chunk: ChatChunk) -> Result<(), Failure> {
        let line = event_line(&chunk)
            .map_err(|error| Failure::new(Code::Output, format!("failed to write JSON: {error}")))?;
        self.output.write(&line)
    }

    /// Writes the end: the reason with all log-probabilities, then counts and the `lightbox` object.
    ///
    /// # Errors
    /// [`Code::Output`], also for what could not be written before.
    pub fn finish(
        mut self,
        reading: &Reading,
        record: Option<String>,
        engine: &dyn Engine,
    ) -> Result<(), Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.is_first {
            self.piece(Delta::default())?;
        }
        let generation = &reading.generation;
        let choice = ChunkChoice {
            index: 0,
            delta: Delta::default(),
            finish_reason: Some(finish_reason(generation.finish).to_owned()),
            logprobs: self.answering.logprobs(generation.logprobs.iter().flatten(), engine),
        };
        self.write(ChatChunk { choices: vec![choice], ..self.chunk() })?;
        let (usage, lightbox) = (Some(usage(reading)), Some(extension(reading, record)));
        self.write(ChatChunk { usage, lightbox, ..self.chunk() })?;
        self.output.write(DONE_LINE)
    }
}
