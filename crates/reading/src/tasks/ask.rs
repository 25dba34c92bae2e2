//! One question about one or more pictures, or about none.

use super::{Task, as_value};
use crate::answers::parse_text;
use crate::views::Recipe;

/// See the module.
pub const TASK: Task = Task {
    name: "ask",
    version: 1,
    about: "Answer one question about one or more pictures, or about none",
    prompt: Some("ask"),
    takes_question: true,
    min_pictures: 0,
    recipe: Recipe::Film,
    max_tokens: Some(1000),
    max_thinking_tokens: Some(2000),
    parse: |text| as_value(parse_text(text)?),
};
