//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong; commands choose their exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file cannot be opened or read: absent, a directory, no permission, empty.
    File,
    /// The content is of a kind that this version does not read.
    Unknown,
    /// The kind is known, but the file uses a part of its format that is not understood or not safe to guess.
    Unsupported,
    /// The file contradicts its own format or itself.
    Corrupt,
    /// The file ends before its picture does.
    Truncated,
    /// The picture is larger than what is read, or than what memory gives.
    TooLarge,
}

/// An error of the intake room: where in the file, what was expected, what was found, and the way out.
///
/// The text never holds a path or a file name: the caller knows which file it handed in and names it where it may.
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

/// What a codec says of coded data is true of the file that holds them.
impl From<lightbox_codecs::Error> for Error {
    fn from(error: lightbox_codecs::Error) -> Self {
        use lightbox_codecs::ErrorKind as Codec;
        let kind = match error.kind() {
            Codec::Corrupt => ErrorKind::Corrupt,
            Codec::Truncated => ErrorKind::Truncated,
            Codec::TooLarge => ErrorKind::TooLarge,
            _ => ErrorKind::Unsupported,
        };
        Self { kind, message: error.message().to_owned(), hint: error.way_out().map(str::to_owned) }
    }
}

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;
