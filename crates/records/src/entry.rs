//! One line of the log: that something was read or erased, and nothing of what.
//!
//! A line is a JSON object in exactly one spelling. `hash` is the SHA-256 of what stands before it in the line,
//! `previous` the hash of the line before, `tag` a MAC of the hash under a key derived from the install key: an
//! accident breaks the hash, a rewrite by somebody without the install key breaks the tag.

use std::fmt;

use lightbox_archive::{Archive, BlobKind, StudyId};
use serde::{Deserialize, Serialize};

use crate::{Digest, RecordId};

/// The version of a line's form.
pub const LOG_FORMAT: u32 = 1;
/// Longest line in bytes: a record with some thousand kept views.
pub const MAX_LINE_BYTES: usize = 256 << 10;

const TAG_PURPOSE: &str = "records log entry";
/// Bytes of `,"hash":"…","tag":"…"}` at the end of a line.
const SEAL_BYTES: usize = r#","hash":"","tag":""}"#.len() + 2 * 64;

/// What an entry says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A reading was recorded.
    Read,
    /// What a record said was erased.
    Erased,
}

/// An encrypted part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it holds; kept views come in the order in which the model saw them.
    pub kind: BlobKind,
    /// Digest of salt and contents. The salt lies encrypted with the contents and is erased with them, after which
    /// nobody can try out what the contents may have been.
    pub digest: Digest,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// [`LOG_FORMAT`].
    pub format: u32,
    /// Place in the log, from 0.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
    /// The record that it happened to.
    pub id: RecordId,
    /// When, as RFC 3339 in UTC, by this machine's clock.
    pub time: String,
    /// The study whose key encrypts the parts.
    pub study: StudyId,
    /// The parts; none where the event is an erasure.
    pub parts: Vec<Part>,
    /// Hash of the entry before; zeros before the first.
    pub previous: Digest,
    /// Hash of this entry.
    pub hash: Digest,
    /// Tag of the hash.
    pub tag: Digest,
}

/// Why a line is not an entry, or not the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not have the form of an entry.
    Form(String),
    /// It is of another format.
    Version(u32),
    /// It was altered after it was written.
    Hash,
    /// It was written without this install key.
    Tag,
    /// It does not follow the entry before: one in between is missing, doubled or exchanged.
    Order,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(why) => write!(f, "it is not an entry: {why}"),
            Self::Version(found) => write!(f, "its format is {found}, this version reads {LOG_FORMAT}"),
            Self::Hash => f.write_str("its hash does not fit: it was altered"),
            Self::Tag => {
                f.write_str("its tag does not fit: it was rewritten, or made with another install key")
            }
            Self::Order => {
                f.write_str("it does not follow the entry before: entries are missing or exchanged")
            }
        }
    }
}

impl Entry {
    /// An entry at this place after that hash, not yet sealed.
    pub(crate) fn new(
        (sequence, previous): (u64, Digest),
        event: Event,
        id: RecordId,
        time: &str,
        study: StudyId,
        parts: Vec<Part>,
    ) -> Self {
        let time = time.to_owned();
        let (hash, tag) = (Digest::ZERO, Digest::ZERO);
        Self { format: LOG_FORMAT, sequence, event, id, time, study, parts, previous, hash, tag }
    }

    /// Writes the entry as a line without its end, and sets hash and tag.
    pub(crate) fn seal(&mut self, archive: &Archive) -> String {
        self.hash = self.computed_hash();
        self.tag = self.computed_tag(archive);
        self.line()
    }

    /// Whether the tag was made with this install key.
    pub(crate) fn is_authentic(&self, archive: &Archive) -> bool {
        // Not compared in constant time: who can ask often has the files, and the answer tells nothing of a patient.
        self.tag == self.computed_tag(archive)
    }

    fn line(&self) -> String {
        serde_json::to_string(self).expect("an entry has string keys and no map that could fail")
    }

    fn computed_hash(&self) -> Digest {
        let line = self.line();
        Digest::of_parts(&[b"lightbox records log entry v1\0", &line.as_bytes()[..line.len() - SEAL_BYTES]])
    }

    fn computed_tag(&self, archive: &Archive) -> Digest {
        Digest::from_bytes(archive.authenticate(TAG_PURPOSE, self.hash.bytes()))
    }
}

/// Reads a line of the log without its end; never panics, whatever the bytes.
///
/// Form, version and hash are checked; tag and order need the install key and the lines around.
///
/// # Errors
/// The [`Fault`] found first.
pub fn read_line(line: &[u8]) -> Result<Entry, Fault> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    if line.len() > MAX_LINE_BYTES {
        return Err(Fault::Form(format!("it has {} bytes, at most {MAX_LINE_BYTES} expected", line.len())));
    }
    let form = |error: serde_json::Error| {
        // The parser's own words may quote what stands in the line; the position does not.
        Fault::Form(format!("{:?} error at byte {}", error.classify(), error.column()))
    };
    let Versioned { format } = serde_json::from_slice(line).map_err(form)?;
    if format != LOG_FORMAT {
        return Err(Fault::Version(format));
    }
    let entry: Entry = serde_json::from_slice(line).map_err(form)?;
    if entry.line().as_bytes() != line {
        return Err(Fault::Form("it is spelled otherwise than it was written".to_owned()));
    }
    if entry.hash != entry.computed_hash() {
        return Err(Fault::Hash);
    }
    Ok(entry)
}
