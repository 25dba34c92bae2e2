//! A summary of what the pictures show, in sections.

use super::{Task, as_value};
use crate::answers::parse_findings;
use crate::views::Recipe;

/// See the module.
pub const TASK: Task = Task {
    name: "findings",
    version: 1,
    about: "Draft a summary of the findings",
    prompt: Some("findings"),
    takes_question: false,
    min_pictures: 1,
    recipe: Recipe::Film,
    max_tokens: Some(1000),
    max_thinking_tokens: Some(2000),
    parse: |text| as_value(parse_findings(text)?),
};
