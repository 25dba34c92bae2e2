//! Turns and pictures as the caller brings them: nothing is worded, padded or stretched.

use super::{Task, as_value};
use crate::answers::{Mismatch, Reply};
use crate::views::Recipe;

/// See the module.
pub const RAW: Task = Task {
    name: "run",
    version: 1,
    about: "Run a request as it stands",
    prompt: None,
    takes_question: false,
    min_pictures: 0,
    recipe: Recipe::Raw,
    max_tokens: None,
    max_thinking_tokens: None,
    parse: any,
};

/// Any text is an answer, the empty one too.
fn any(text: &str) -> Result<Reply<serde_json::Value>, Mismatch> {
    as_value(Reply::Given(text))
}
