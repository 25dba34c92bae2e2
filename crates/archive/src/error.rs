//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No data folder is known, or it cannot be made or read.
    DataFolder,
    /// The install key is missing beside data, readable by others, or not 32 bytes.
    InstallKey,
    /// A study's key is missing, altered, or was made under another install key.
    StudyKey,
    /// No such study or blob.
    Missing,
    /// A blob was altered, cut short, moved, or is of a format that is not known.
    Altered,
    /// A blob of that name is there already; blobs are never overwritten.
    Exists,
    /// More bytes than a blob may have.
    TooLarge,
    /// The disk, a quota or a file-size limit is full; nothing was written and earlier data is as it was.
    DiskFull,
    /// The operating system refused something else.
    Io,
}

/// An error of the archive: where, what was expected, what was found, and the way out.
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
