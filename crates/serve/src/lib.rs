//! OpenAI-compatible request and response types.
//!
//! A front end parses a body here, has it run elsewhere, and writes the answer with the types from here. No rule of
//! the trade lives in this room.
#![forbid(unsafe_code)]

mod error;
pub mod openai;

pub use error::{Error, ErrorKind, Result};
