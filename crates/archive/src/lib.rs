//! What rests on disk about a study: encrypted blobs, keys, purge.
//!
//! ```text
//! <data root>/            0700
//!   install.key           0600   32 random bytes; everything below is unreadable without it
//!   archive.lock          0600   held while keys are made, blobs written or a study erased
//!   studies/<study id>/   0700   a random id
//!     inputs-<label>      0600   empty; a keyed hash of the inputs' digests, by which their study is found
//!     key                 0600   the study's random key, encrypted under the install key
//!     <blob name>         0600   a keyed hash of kind and purpose; XChaCha20-Poly1305
//!     image-…, prefix-…   0600   cached entries, sealed as blobs are; they may go at any time
//! ```
//!
//! Names, keys and contents say nothing of a patient to someone without the install key. What that protects
//! against, and what not, is said in `docs/design/0004-what-rests-on-disk.md`.
#![forbid(unsafe_code)]

mod blob;
mod cached;
mod disk;
mod error;
pub mod hex;
mod keys;
mod root;
mod store;

pub use blob::{BLOB_FORMAT, BlobKind, BlobName, MAX_BLOB_BYTES, StudyId, StudyKey, open_blob, seal_blob};
pub use cached::{CachedEntry, CachedKind, MakerTag};
pub use disk::{
    FileLock, WholeFile, full_or_io, private_file, random, read_limited, sweep, sync_folder, write_whole,
};
pub use error::{Error, ErrorKind, Result};
pub use root::data_root;
pub use store::{Archive, BlobEntry, Erased, StudyEntry};
