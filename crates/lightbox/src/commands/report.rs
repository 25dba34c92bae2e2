//! What `--json` prints of a read.

use lightbox_models::{Engine, Finish, TokenLogprob};
use lightbox_reading::answers::Answer;
use lightbox_reading::views::ViewRecord;
use lightbox_reading::{Budget, Reading};
use serde::Serialize;
use serde_json::Value;

use super::read::{DRAFT_NOTICE, NO_PICTURE_NOTICE};
use crate::exit::Failure;
use crate::terminal::print_json;

/// What is optional in a report.
pub struct ReportOptions {
    /// Each token with its alternatives.
    pub logprobs: bool,
}

/// A read as one JSON object.
#[derive(Serialize)]
pub struct Report<'a> {
    record: Option<&'a str>,
    task: &'a str,
    notices: Vec<&'a str>,
    model: &'a lightbox_models::ModelCard,
    answer: &'a Answer<Value>,
    /// The whole text of the answer, whatever its state.
    text: &'a str,
    thinking: Option<&'a str>,
    finish: Finish,
    prompt_tokens: usize,
    completion_tokens: usize,
    budget: &'a Budget,
    timings: lightbox_models::Timings,
    inputs: Vec<&'a str>,
    views: &'a [ViewRecord],
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Vec<Token>>,
}

/// A token of the answer.
#[derive(Serialize)]
struct Token {
    id: u32,
    token: String,
    logprob: f32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top: Vec<Token>,
}

impl<'a> Report<'a> {
    /// The report of a reading.
    pub fn of(
        reading: &'a Reading,
        record: Option<&'a str>,
        engine: &dyn Engine,
        options: ReportOptions,
    ) -> Report<'a> {
        let generation = &reading.generation;
        let logprobs = generation.logprobs.as_ref().filter(|_| options.logprobs);
        let n_alternatives = reading.wishes.logprobs.unwrap_or(0);
        Report {
            record,
            task: &reading.task,
            notices: [
                Some(DRAFT_NOTICE),
                reading.views.is_empty().then_some(NO_PICTURE_NOTICE),
                reading.model.notice.as_deref(),
            ]
            .into_iter()
            .flatten()
            .collect(),
            model: &reading.model,
            answer: &reading.answer,
            text: &generation.answer,
            thinking: generation.thinking.as_deref(),
            finish: generation.finish,
            prompt_tokens: generation.prompt.ids.len(),
            completion_tokens: generation.ids.len(),
            budget: &reading.budget,
            timings: generation.timings,
            inputs: reading.inputs.iter().map(|input| input.sha256.as_str()).collect(),
            views: &reading.views,
            logprobs: logprobs.map(|all| all.iter().map(|one| token(one, n_alternatives, engine)).collect()),
        }
    }

    /// Prints it.
    ///
    /// # Errors
    /// [`crate::exit::Code::Output`].
    pub fn print(&self) -> Result<(), Failure> {
        print_json(self)
    }
}

/// More alternatives may have been kept for the record than were asked for.
fn token(one: &TokenLogprob, n_alternatives: usize, engine: &dyn Engine) -> Token {
    let shown = |id, logprob, top| Token { id, token: engine.decode(&[id]), logprob, top };
    let top =
        one.top.iter().take(n_alternatives).map(|other| shown(other.id, other.logprob, Vec::new())).collect();
    shown(one.id, one.logprob, top)
}
