//! What is shown while a model works: bars until the first token, then the text as it comes.

use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_models::Event;

use crate::exit::Failure;
use crate::terminal::{Output, Progress, say_more};

/// Takes an engine's events.
pub struct Watch<'a> {
    progress: Option<Progress>,
    /// `None` where the text is not streamed.
    output: Option<Output>,
    show_thinking: bool,
    cancel: &'a AtomicBool,
    failure: Option<Failure>,
    thought: bool,
    wrote: bool,
}

impl<'a> Watch<'a> {
    /// Streams the answer to standard output where `stream`, the thinking to standard error where `show_thinking`. A
    /// standard output that cannot be written sets `cancel`.
    pub fn new(stream: bool, show_thinking: bool, cancel: &'a AtomicBool) -> Self {
        Self {
            progress: None,
            output: stream.then(Output::new),
            show_thinking,
            cancel,
            failure: None,
            thought: false,
            wrote: false,
        }
    }

    /// Takes one event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Image { done, total, cached: 0 } => self.step("pictures", *done, *total),
            Event::Image { done, total, cached } => {
                self.step(&format!("pictures ({cached} known)"), *done, *total);
            }
            Event::Prefill { done, total } => self.step("prompt", *done, *total),
            Event::Token { text, thinking, .. } => {
                self.progress = None;
                self.text(text, *thinking);
            }
        }
    }

    fn step(&mut self, label: &str, done: usize, total: usize) {
        let progress = self.progress.get_or_insert_with(|| Progress::steps(label, total as u64));
        progress.label(label);
        progress.set(done as u64, total as u64);
    }

    fn text(&mut self, text: &str, thinking: bool) {
        if text.is_empty() {
            return;
        }
        if thinking {
            if self.show_thinking {
                say_more(text);
                self.thought = true;
            }
            return;
        }
        if self.thought {
            say_more("\n\n");
            self.thought = false;
        }
        if let Some(output) = &mut self.output {
            self.wrote = true;
            if let Err(failure) = output.write(text) {
                // Nobody reads on: the model need not write on.
                self.cancel.store(true, Ordering::Relaxed);
                self.output = None;
                self.failure = Some(failure);
            }
        }
    }

    /// Ends the streamed text with a line end.
    ///
    /// # Errors
    /// What went wrong while it was written.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.progress = None;
        if self.thought {
            say_more("\n");
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match (&mut self.output, self.wrote) {
            (Some(output), true) => output.write("\n"),
            _ => Ok(()),
        }
    }
}
