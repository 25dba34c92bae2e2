//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong; commands choose their exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A prompt template cannot be found, read or rendered.
    Prompt,
    /// A copy of a prompt template cannot be written.
    Unwritable,
    /// The inputs or wishes do not fit the task or the model.
    Inputs,
    /// A picture for the model cannot be made from the input.
    View,
    /// Prompt and answer do not fit into the model's context.
    TooLong,
    /// The model room refused; its own kind is kept.
    Model(lightbox_models::ErrorKind),
}

/// An error of the reading room: where, what was expected, what was found, and the way out.
///
/// The text names neither files of inputs nor anything that was asked or answered.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// Makes an error; `message` is a lowercase fragment that names the place, what was expected and what was found.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Adds the way out, as a lowercase fragment.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<lightbox_models::Error> for Error {
    fn from(error: lightbox_models::Error) -> Self {
        Self { kind: ErrorKind::Model(error.kind()), message: error.to_string(), hint: None }
    }
}

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;
