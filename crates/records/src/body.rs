//! What a record says, in its written form: JSON, encrypted by the archive.
//!
//! Both the record and the reading in it name their formats; another format is refused by number.

use lightbox_models::Finish;
use lightbox_reading::{FORMAT as READING_FORMAT, Reading};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, RecordId, Result};

/// The version of the written form.
pub const BODY_FORMAT: u32 = 1;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// [`BODY_FORMAT`].
    pub format: u32,
    /// The record's id, as in the log.
    pub id: RecordId,
    /// When it was recorded, as in the log.
    pub time: String,
    /// Version of the program.
    pub version: String,
    /// The processor and what of it was used, as the program describes it.
    pub cpu: String,
    /// The read: digests of the inputs, views, request, model, generation, answer.
    pub reading: Reading,
}

impl Body {
    /// How many tokens there were when the caller interrupted the read; `None` if it ran to its end.
    ///
    /// A replay need not run further than that.
    #[must_use]
    pub fn interrupted_after(&self) -> Option<usize> {
        let generation = &self.reading.generation;
        (generation.finish == Finish::Cancelled).then_some(generation.ids.len())
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let unwritable = |why: String| {
            Error::new(ErrorKind::Unwritable, format!("the reading cannot be written down: {why}"))
        };
        let bytes = serde_json::to_vec(self).map_err(|error| unwritable(error.to_string()))?;
        // A number that is not finite is written as null, which does not read back: better said now than later.
        read_body(&bytes).map_err(|error| unwritable(error.to_string()))?;
        Ok(bytes)
    }
}

/// Reads the written form of a record; never panics, whatever the bytes.
///
/// # Errors
/// [`ErrorKind::Version`] for another format of record or reading, with its number; [`ErrorKind::Altered`] for
/// anything that is not a record, with the position and nothing of the contents.
pub fn read_body(bytes: &[u8]) -> Result<Body> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    #[derive(Deserialize)]
    struct Read {
        reading: Versioned,
    }
    let form = |error: serde_json::Error| {
        // The parser's own words may quote the contents; the position does not.
        Error::new(
            ErrorKind::Altered,
            format!(
                "the record does not have the form of format {BODY_FORMAT}: {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
        )
    };
    // What is versioned is looked at first: the rest of another version need not have the form that this one knows.
    let Versioned { format } = serde_json::from_slice(bytes).map_err(form)?;
    refuse_other("record", format, BODY_FORMAT)?;
    let Read { reading } = serde_json::from_slice(bytes).map_err(form)?;
    refuse_other("reading in the record", reading.format, READING_FORMAT)?;
    serde_json::from_slice(bytes).map_err(form)
}

fn refuse_other(what: &str, found: u32, read: u32) -> Result<()> {
    if found == read {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Version, format!("the {what} has format {found}, this version reads {read}"))
        .hint("use the version of lightbox that wrote it, or a newer one"))
}
