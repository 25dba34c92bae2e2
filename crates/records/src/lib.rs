//! The versioned written form of a reading, the tamper-evident log, replay.
//!
//! ```text
//! <data root>/
//!   records.log    0600   one line an event: ids, time, salted digests, hashes; nothing of a patient
//!   records.head   0600   how far the log was confirmed; a log that ends before was shortened
//!   records.lock   0600   held while log and head are written or, by many, read
//!   studies/…             the parts of the records, encrypted by the archive: what was asked and answered, where the
//!                         inputs were, the pictures for the model where somebody asked to keep them
//! ```
//!
//! Parts can be erased without breaking the chain of the log. What all this proves, and what not, is said in
//! `docs/design/0005-records-and-replay.md`.
#![forbid(unsafe_code)]

mod append;
mod body;
mod caches;
mod compare;
mod digest;
mod entry;
mod error;
mod inputs;
mod leftovers;
mod log;
mod parts;
mod store;
mod time;
mod verify;

pub use append::{Input, Provenance};
pub use body::{BODY_FORMAT, Body, read_body};
pub use caches::CachedStudy;
pub use compare::{Comparison, Difference, Logprobs, Picture, Shown, Step, compare, compare_conditions};
pub use digest::{Digest, RecordId};
pub use entry::{Entry, Event, Fault, LOG_FORMAT, MAX_LINE_BYTES, Part, read_line};
pub use error::{Error, ErrorKind, Result};
pub use inputs::Sources;
pub use parts::{read_paths, read_view};
pub use store::{List, Listed, Record, Records, State};
pub use verify::{Broken, Report, Unsound};
