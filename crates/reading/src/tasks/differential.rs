//! Possible explanations of what the pictures show, each tagged common, less common or rare.

use super::{Task, as_value};
use crate::answers::parse_differential;
use crate::views::Recipe;

/// See the module.
pub const TASK: Task = Task {
    name: "differential",
    version: 1,
    about: "List possible explanations, tagged common, less common or rare; not a diagnosis",
    prompt: Some("differential"),
    takes_question: false,
    min_pictures: 1,
    recipe: Recipe::Film,
    max_tokens: Some(1000),
    max_thinking_tokens: Some(2000),
    parse: |text| as_value(parse_differential(text)?),
};
