//! The one error type of this room.

use std::fmt;

/// What kind of thing is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is not JSON, or too long.
    Json,
    /// A field is not known, or asks for something that this program does not do.
    Unsupported,
    /// A field is missing, or has a value of the wrong type or out of range.
    Value,
}

/// An error of the serve room: the field by its path in the body, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    field: String,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, field: field.into(), message: message.into() }
    }

    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Path of the field, such as `messages[0].content[1].type`; empty where the body as a whole is meant.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            write!(f, "request: {}", self.message)
        } else {
            write!(f, "request field `{}`: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for Error {}

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;
