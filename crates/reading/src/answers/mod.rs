//! What came back, read as the task wants it. A truncated or unreadable answer is a result of its own.

mod differential;
mod findings;
mod lines;

use lightbox_models::{Finish, Generation};
use serde::{Deserialize, Serialize};

pub use differential::{Candidate, Differential, Frequency, parse_differential};
pub use findings::{Findings, parse_findings};

/// An answer in one of the states that it can be in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Answer<T> {
    /// The model ended its turn and the text reads as the task expects.
    Complete {
        /// The answer as the task reads it.
        value: T,
    },
    /// A token limit was reached.
    Truncated {
        /// What there is of the answer.
        text: String,
        /// The limit was reached before the thinking block was closed: there is no answer.
        inside_thinking: bool,
    },
    /// The model ended its turn, but the text does not read as the task expects.
    Unreadable {
        /// What was expected.
        expected: String,
        /// Where the text departs from it, such as `line 3` or `end`.
        place: String,
        /// The text as it came.
        text: String,
    },
    /// The model said, in the words that the prompt gives it for that, that it cannot answer.
    Refused {
        /// The reason that it gives.
        reason: String,
        /// The text as it came.
        text: String,
    },
    /// The caller cancelled.
    Interrupted {
        /// What there is of the answer.
        text: String,
    },
}

impl<T> Answer<T> {
    /// The state as records and tables name it.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "complete",
            Self::Truncated { .. } => "truncated",
            Self::Unreadable { .. } => "unreadable",
            Self::Refused { .. } => "refused",
            Self::Interrupted { .. } => "interrupted",
        }
    }
}

/// A complete text as a parser reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// The answer.
    Given(T),
    /// The reason why there is none.
    Declined(String),
}

/// Why a complete text does not read as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected.
    pub expected: String,
    /// Where the text departs from it.
    pub place: String,
}

impl Mismatch {
    pub(crate) fn new(expected: impl Into<String>, place: impl Into<String>) -> Self {
        Self { expected: expected.into(), place: place.into() }
    }

    /// At a line, counted from 1.
    pub(crate) fn at_line(expected: impl Into<String>, index: usize) -> Self {
        Self::new(expected, format!("line {}", index + 1))
    }
}

/// Reads a generation with the parser of a task; the parser sees complete texts only.
pub fn read_answer<T>(
    generation: &Generation,
    parse: impl FnOnce(&str) -> Result<Reply<T>, Mismatch>,
) -> Answer<T> {
    let text = generation.answer.clone();
    match generation.finish {
        Finish::Cancelled => Answer::Interrupted { text },
        Finish::ThinkingLength => Answer::Truncated { text, inside_thinking: true },
        Finish::Length => {
            let inside_thinking = generation.thinking.is_some() && text.is_empty();
            Answer::Truncated { text, inside_thinking }
        }
        Finish::Stop | Finish::StopString => match parse(&text) {
            Ok(Reply::Given(value)) => Answer::Complete { value },
            Ok(Reply::Declined(reason)) => Answer::Refused { reason, text },
            Err(Mismatch { expected, place }) => Answer::Unreadable { expected, place, text },
        },
    }
}

/// Free text: anything but nothing. A whole answer of one line `Cannot assess: REASON` is a refusal.
///
/// # Errors
/// If there is no text.
pub fn parse_text(text: &str) -> Result<Reply<String>, Mismatch> {
    match text.trim() {
        "" => Err(Mismatch::new("expected text, found nothing", "start")),
        text => Ok(lines::refusal(text).map_or_else(|| Reply::Given(text.to_owned()), Reply::Declined)),
    }
}
