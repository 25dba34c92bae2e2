//! Whether prompt and answer fit the model, settled before any work is done.

use lightbox_models::Engine;

use super::Assignment;
use crate::{Budget, Error, ErrorKind, Profile, Result};

impl Assignment {
    /// Counts the prompt with the engine's tokenizer and settles the token limits of the request.
    ///
    /// A limit that the caller wished must fit as it is. Limits of the task shrink to what the context leaves, in
    /// proportion.
    ///
    /// # Errors
    /// [`ErrorKind::Inputs`] if the model takes no pictures and there are some; [`ErrorKind::TooLong`] if the prompt, or
    /// the prompt with the wished limits, does not fit the context; [`ErrorKind::Model`] for what the engine refuses.
    pub fn fit(&mut self, engine: &dyn Engine) -> Result<Budget> {
        let card = engine.card();
        if card.image_size_px.is_none() && !self.views.is_empty() {
            return Err(Error::new(
                ErrorKind::Inputs,
                format!("expected no pictures for a text-only model, found {}", self.views.len()),
            )
            .hint("use a model with a vision tower, or ask without pictures"));
        }
        // The prompt alone is counted: what the answer may take depends on it.
        (self.request.max_tokens, self.request.max_thinking_tokens) = (None, None);
        let prompt = engine.prompt(&self.request).map_err(|error| match error.kind() {
            lightbox_models::ErrorKind::TooLong => self.too_long(error.to_string()),
            _ => error.into(),
        })?;
        let budget = Budget::counted(&prompt, card);
        if !budget.fits() {
            return Err(self.too_long(format!(
                "prompt: expected fewer than the context's {} tokens, found {} ({} of pictures, {} of text)",
                budget.context_tokens,
                budget.prompt_tokens(),
                budget.image_tokens,
                budget.text_tokens
            )));
        }
        self.settle(budget.room_for_answer)?;
        Ok(budget)
    }

    /// The budget with a model whose files are not at hand; text is estimated.
    #[must_use]
    pub fn estimate(&self, profile: &Profile) -> Budget {
        Budget::estimated(&self.request, profile)
    }

    /// Sets the limits of the request within `room` tokens.
    fn settle(&mut self, room: usize) -> Result<()> {
        let (wished, wished_thinking) = (self.wishes.max_tokens, self.wishes.max_thinking_tokens);
        let needed = wished.unwrap_or(0).saturating_add(wished_thinking.unwrap_or(0));
        if needed > room {
            return Err(self.too_long(format!(
                "limits: expected at most {room} tokens for thinking and answer, which is what the prompt leaves, found {needed}"
            )));
        }
        // What is not wished shares what the wishes leave.
        let rest = room - needed;
        let default =
            |wish: Option<usize>, of_task: Option<usize>| if wish.is_some() { None } else { of_task };
        let answer = default(wished, self.task.max_tokens);
        let thinking = default(wished_thinking, self.task.max_thinking_tokens);
        let total = answer.unwrap_or(0) + thinking.unwrap_or(0);
        let share = |part: usize| if total <= rest { part } else { ((part * rest) / total).max(1).min(rest) };
        self.request.max_tokens = wished.or(answer.map(share));
        self.request.max_thinking_tokens = wished_thinking.or(thinking.map(share));
        Ok(())
    }

    fn too_long(&self, message: String) -> Error {
        let way_out = if self.views.len() > 1 {
            "hand in fewer pictures, shorten the text, lower the token limits, or use a model with a longer context"
        } else {
            "shorten the text, lower the token limits, or use a model with a longer context"
        };
        Error::new(ErrorKind::TooLong, message).hint(way_out)
    }
}
