//! Views, tasks, prompts, answers: from frames to a reading.
//!
//! [`views`] makes the pictures that the model is handed, [`prompts`] the words around them, [`tasks`] says what is
//! asked and how the answer is read, [`answers`] reads it. An [`Assignment`] is all of that before an engine ran, a
//! [`Reading`] after. Knows nothing of storage, HTTP, arguments or statistics.
#![forbid(unsafe_code)]

pub mod answers;
mod assignment;
mod budget;
mod error;
pub mod prompts;
mod reading;
pub mod tasks;
pub mod views;

pub use assignment::{Assignment, Wishes};
pub use budget::{Budget, MEDGEMMA_1_5_4B, Profile};
pub use error::{Error, ErrorKind, Result};
pub use reading::{FORMAT, Reading, RequestRecord, TemplateRecord};

/// Lower-case hexadecimal of the SHA-256 of `bytes`.
fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
