//! Models of the MedGemma family: files, tokens, pictures, forward pass, sampling, [`Engine`].
//!
//! Knows nothing of DICOM, patients, prompt wording, network or async.
#![forbid(unsafe_code)]

mod engine;
mod error;
mod request;

pub use engine::{Alternative, Engine, Event, Finish, Generation, ModelCard, Prompt, Timings, TokenLogprob};
pub use error::{Error, ErrorKind, Result};
pub use request::{Content, Part, Request, RgbImage, Role, Sampling, Turn};
