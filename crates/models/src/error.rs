//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong; commands choose their exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A model file is missing, unreadable or truncated.
    Files,
    /// `config.json` or another settings file says something that is not understood.
    Config,
    /// A tensor is missing, has another shape or type than expected, or lies outside its file.
    Weights,
    /// The tokenizer cannot be loaded or does not fit the model.
    Tokenizer,
    /// The chat template cannot be compiled or refused the conversation.
    Template,
    /// A picture cannot be fed to this model.
    Image,
    /// The request asks for something that this model or engine cannot do.
    Request,
    /// Prompt and answer do not fit into the model's context.
    TooLong,
    /// The machine cannot hold or run the model.
    Resources,
    /// What was asked for cannot be written, or stands there already.
    Unwritable,
    /// The work was cancelled; nothing of it is left.
    Interrupted,
}

/// An error of the models room: where, what was expected, what was found, and the way out.
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

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;

impl From<lightbox_kernels::Error> for Error {
    /// What the kernels refuse is either memory or threads, or sizes that this room should have checked.
    fn from(error: lightbox_kernels::Error) -> Self {
        let kind = match error.kind() {
            lightbox_kernels::ErrorKind::Resources => ErrorKind::Resources,
            _ => ErrorKind::Request,
        };
        Self::new(kind, error.to_string())
    }
}
