//! Prompt templates: files that a user can list, read, copy and override.
//!
//! A template is a minijinja text that renders to one user turn; where it writes `picture.image`, the picture stands.
//! A file `NAME.jinja` in the folder of overrides takes the place of the built-in template of that name.

mod fresh;
mod render;

use std::fs;
use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

pub use render::Variables;

/// The built-in templates, by name.
const BUILT_IN: [(&str, &str); 5] = [
    ("ask", include_str!("../../prompts/ask.jinja")),
    ("findings", include_str!("../../prompts/findings.jinja")),
    ("differential", include_str!("../../prompts/differential.jinja")),
    ("labs", include_str!("../../prompts/labs.jinja")),
    ("compare", include_str!("../../prompts/compare.jinja")),
];

/// The system text that makes models of the family think first; the role that follows it may be empty.
///
/// Google-Health/medgemma, `notebooks/quick_start_with_hugging_face.ipynb` and the Model Garden one (January 2026).
pub const THINKING: &str = "SYSTEM INSTRUCTION: think silently if needed.";

/// A template file larger than this is not a prompt.
const MAX_TEMPLATE_BYTES: u64 = 1 << 20;

/// A template and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name, such as `findings`.
    pub name: String,
    /// The version that its first line states: `{# lightbox prompt NAME, version N`; an override may state none.
    pub version: Option<u32>,
    /// The file that overrides the built-in text, if any.
    pub overridden_by: Option<PathBuf>,
    /// The template text.
    pub text: String,
}

impl Template {
    fn new(name: &str, text: String, overridden_by: Option<PathBuf>) -> Self {
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("{# lightbox prompt "))
            .and_then(|line| line.strip_prefix(name)?.strip_prefix(", version "))
            .and_then(|line| line.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        Self { name: name.to_owned(), version, overridden_by, text }
    }

    /// Lower-case hex SHA-256 of the text: tells an overridden prompt from the built-in one in a record.
    #[must_use]
    pub fn digest(&self) -> String {
        crate::sha256_hex(self.text.as_bytes())
    }

    fn error(&self, reason: impl std::fmt::Display) -> Error {
        let place = match &self.overridden_by {
            Some(path) => format!("prompt {} ({})", self.name, path.display()),
            None => format!("prompt {}", self.name),
        };
        Error::new(ErrorKind::Prompt, format!("{place}: {reason}"))
    }
}

/// Finds templates: first in the folder of overrides, then among the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    overrides: Option<PathBuf>,
}

impl Prompts {
    /// Looks into `overrides` before the built-in templates. A folder that does not exist holds no override.
    #[must_use]
    pub fn new(overrides: impl Into<PathBuf>) -> Self {
        Self { overrides: Some(overrides.into()) }
    }

    /// Names of the templates that this version knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in template of that name, whatever overrides it.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] if there is none.
    pub fn built_in(name: &str) -> Result<Template> {
        let known = BUILT_IN.iter().find(|(known, _)| *known == name);
        known.map(|(name, text)| Template::new(name, (*text).to_owned(), None)).ok_or_else(|| {
            let names: Vec<_> = Self::names().collect();
            Error::new(
                ErrorKind::Prompt,
                format!("prompt: expected one of {}, found {name:?}", names.join(", ")),
            )
        })
    }

    /// The template of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] if there is none, or if an override exists and cannot be read.
    pub fn get(&self, name: &str) -> Result<Template> {
        let built_in = Self::built_in(name)?;
        let Some(folder) = &self.overrides else { return Ok(built_in) };
        let path = folder.join(file_name(name));
        Ok(match read_override(&path)? {
            Some(text) => Template::new(name, text, Some(path)),
            None => built_in,
        })
    }

    /// Copies the built-in template of that name into the folder of overrides, to be changed there. Returns the file.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] if there is no such template, no folder of overrides, or the file exists already;
    /// [`ErrorKind::Unwritable`] if it cannot be written, and then nothing of it is there.
    pub fn copy(&self, name: &str) -> Result<PathBuf> {
        let template = Self::built_in(name)?;
        let folder = self
            .overrides
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::Prompt, "there is no folder for prompts of your own"))?;
        let path = folder.join(file_name(name));
        let unwritable = |place: &Path, error: &std::io::Error| {
            Error::new(ErrorKind::Unwritable, format!("prompt {}: {}", place.display(), error.kind()))
        };
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        fresh::write_new(&path, |file| file.write_all(template.text.as_bytes())).map_err(
            |error| match error.kind() {
                Io::AlreadyExists => {
                    Error::new(ErrorKind::Prompt, format!("prompt {}: it already exists", path.display()))
                        .hint("change it there, or delete it first")
                }
                _ => unwritable(&path, &error),
            },
        )?;
        Ok(path)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.jinja")
}

/// The text of an override, `None` where there is no such file.
fn read_override(path: &Path) -> Result<Option<String>> {
    let failed =
        |reason: String| Error::new(ErrorKind::Prompt, format!("prompt {}: {reason}", path.display()));
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == Io::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.kind().to_string())),
    };
    if !metadata.is_file() {
        return Err(failed("expected a file, found something else".to_owned()));
    }
    if metadata.len() > MAX_TEMPLATE_BYTES {
        return Err(failed(format!("expected at most {MAX_TEMPLATE_BYTES} bytes, found {}", metadata.len())));
    }
    fs::read_to_string(path).map(Some).map_err(|error| failed(error.kind().to_string()))
}

#[cfg(test)]
mod tests;
