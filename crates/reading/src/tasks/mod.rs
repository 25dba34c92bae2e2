//! Tasks: one definition each, from which the command line, its help and the record are derived.
//!
//! A new task is one file here and one template in `prompts/`.

mod ask;
mod differential;
mod findings;
mod raw;

use serde::Serialize;
use serde_json::Value;

use crate::answers::{Mismatch, Reply};
use crate::views::Recipe;

pub use raw::RAW;

/// What a read is for: the words, the pictures, the limits and how the answer is read.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Its name: the verb on the command line and, with the version, its name in a record.
    pub name: &'static str,
    /// Raised whenever the same input and template would give another prompt or another reading of the answer.
    pub version: u32,
    /// One line for lists and help.
    pub about: &'static str,
    /// The template that words it; `None` where the caller brings the turns.
    pub prompt: Option<&'static str>,
    /// Whether the caller words a question.
    pub takes_question: bool,
    /// Fewest pictures that make sense.
    pub min_pictures: usize,
    /// How pictures are made for the model.
    pub recipe: Recipe,
    /// Most tokens of the answer unless the caller says otherwise; `None`: what the context leaves.
    pub max_tokens: Option<usize>,
    /// Most tokens of the thinking block unless the caller says otherwise; `None`: they count as tokens of the answer.
    pub max_thinking_tokens: Option<usize>,
    /// Reads the text of a complete answer.
    pub parse: fn(&str) -> Result<Reply<Value>, Mismatch>,
}

impl Task {
    /// Name and version as records write them, such as `findings@1`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// The tasks of this version that a person picks by name.
pub const TASKS: [&Task; 3] = [&ask::TASK, &findings::TASK, &differential::TASK];

/// The task of that name.
#[must_use]
pub fn task(name: &str) -> Option<&'static Task> {
    TASKS.into_iter().find(|task| task.name == name)
}

/// The value of a parsed answer as records hold it.
fn as_value<T: Serialize>(reply: Reply<T>) -> Result<Reply<Value>, Mismatch> {
    Ok(match reply {
        Reply::Declined(reason) => Reply::Declined(reason),
        Reply::Given(value) => Reply::Given(
            serde_json::to_value(value).map_err(|error| Mismatch::new(error.to_string(), "value"))?,
        ),
    })
}
