//! The one error type of this room.

use std::fmt;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Lengths, sizes or positions do not fit together; nothing was written.
    Shape,
    /// A value is larger than the type that it should be kept in holds.
    Range,
    /// The machine cannot give the memory or the threads.
    Resources,
}

/// An error of the kernels room; the message names the operation and the shapes that it was given.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<&'static str>,
}

/// Shorthand for results of this room.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn shape(op: &str, message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Shape, message: format!("{op}: {message}"), hint: None }
    }

    pub(crate) fn range(op: &str, message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Range, message: format!("{op}: {message}"), hint: None }
    }

    pub(crate) fn resources(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Resources, message: message.into(), hint: None }
    }

    /// Adds the way out, as a lowercase fragment.
    #[must_use]
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<lightbox_host::Error> for Error {
    fn from(e: lightbox_host::Error) -> Self {
        Self::resources(e.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The product of named sizes, if it fits `usize`.
pub(crate) fn product(op: &str, dims: &[(&str, usize)]) -> Result<usize> {
    dims.iter()
        .try_fold(1usize, |n, (_, size)| n.checked_mul(*size))
        .ok_or_else(|| Error::shape(op, format!("{} is too large", spelled(dims))))
}

/// Checks that `name` holds as many values as its named sizes say.
pub(crate) fn expect_len(op: &str, name: &str, found: usize, dims: &[(&str, usize)]) -> Result<()> {
    let expected = product(op, dims)?;
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(op, format!("{name} holds {found} values, expected {} = {expected}", spelled(dims))))
}

/// How many rows of `width` values `name` holds.
pub(crate) fn whole_rows(op: &str, name: &str, found: usize, width: (&str, usize)) -> Result<usize> {
    let (what, width) = width;
    if width > 0 && found.is_multiple_of(width) {
        return Ok(found / width);
    }
    Err(Error::shape(op, format!("{name} holds {found} values, expected whole rows of {what} {width}")))
}

fn spelled(dims: &[(&str, usize)]) -> String {
    dims.iter().map(|(name, size)| format!("{name} {size}")).collect::<Vec<_>>().join(" × ")
}
