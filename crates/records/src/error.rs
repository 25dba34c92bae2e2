//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong; commands choose their exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No record has that id.
    NotFound,
    /// Several records begin with that id.
    Ambiguous,
    /// What the record said was erased, as the log says.
    Erased,
    /// A part of the record is gone, and the log does not say that it was erased.
    Missing,
    /// A log entry or a part of a record is not what was written.
    Altered,
    /// The log or a record is of a format that this version does not read.
    Version,
    /// The log cannot be continued: it is shorter than its head says, or the head does not belong to it.
    Chain,
    /// A reading holds something that could not be read back.
    Unwritable,
    /// The inputs of a record are not where they were, or are not the same any more.
    Inputs,
    /// The disk, a quota or a file-size limit is full; nothing was recorded and earlier records are as they were.
    DiskFull,
    /// The archive refused; its own kind is kept.
    Archive(lightbox_archive::ErrorKind),
}

/// An error of the records room: where, what was expected, what was found, and the way out.
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

impl From<lightbox_archive::Error> for Error {
    fn from(error: lightbox_archive::Error) -> Self {
        use lightbox_archive::ErrorKind as Archive;
        let kind = match error.kind() {
            Archive::DiskFull => ErrorKind::DiskFull,
            Archive::Altered => ErrorKind::Altered,
            Archive::Missing => ErrorKind::Missing,
            other => ErrorKind::Archive(other),
        };
        Self { kind, message: error.to_string(), hint: None }
    }
}

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;
