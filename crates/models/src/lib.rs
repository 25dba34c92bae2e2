//! Models of the MedGemma family: files, tokens, pictures, forward pass, sampling, [`Engine`].
//!
//! Knows nothing of DICOM, patients, prompt wording, network or async.
#![forbid(unsafe_code)]

mod caches;
pub mod config;
mod decoding;
mod engine;
mod error;
mod files;
mod gemma3;
pub mod gguf;
pub mod hub;
pub mod images;
#[cfg(test)]
mod intermediates;
mod local;
pub mod ollama;
pub mod phantom;
pub mod quantize;
mod report;
mod request;
pub mod sampling;
mod scripted;
mod siglip;
pub mod speculation;
pub mod tokens;
pub mod weights;

pub use caches::{CacheKind, CacheStore};
pub use engine::{Alternative, Engine, Event, Finish, Generation, ModelCard, Prompt, Timings, TokenLogprob};
pub use error::{Error, ErrorKind, Result};
pub use files::ModelFiles;
pub use local::{LoadOptions, LoadProgress, LocalEngine, Scoring};
pub use report::{MemoryNeed, ModelReport, Parameters, Presence, Terms};
pub use request::{Content, Part, Request, RgbImage, Role, Sampling, Turn};
pub use scripted::ScriptedEngine;
pub use siglip::VisionPrecision;
