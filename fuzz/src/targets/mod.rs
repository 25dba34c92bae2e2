//! What is fuzzed: each door through which bytes of others come in.

mod answers;
mod archive;
mod codecs;
mod dicom;
mod gguf;
mod intake;
mod models;
mod records;
mod request;
mod tokens;

use std::time::Duration;

/// A parser, what it is tried with, and its bounds.
pub struct Target {
    /// As typed after `--target`.
    pub name: &'static str,
    /// Must return for every input; a panic is a fault.
    pub run: fn(&[u8]),
    /// Inputs to start from, made here; most of them are well formed.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Pieces of the format that chance would not find.
    pub words: &'static [&'static [u8]],
    /// Makes checksums right again.
    pub repair: Option<fn(&mut [u8])>,
    /// Most bytes that one input may make it hold, whatever its length. Inputs are at most
    /// [`crate::mutate::MAX_BYTES`] long.
    pub memory_limit_bytes: usize,
    /// What each byte of the input adds to that bound.
    pub memory_limit_per_byte: usize,
    /// Longest that one input may take, in a build with little optimisation on a busy machine.
    pub time_limit: Duration,
}

impl Target {
    /// Most bytes that an input of this length may make it hold.
    pub fn memory_limit_bytes(&self, input_bytes: usize) -> usize {
        self.memory_limit_bytes.saturating_add(input_bytes.saturating_mul(self.memory_limit_per_byte))
    }
}

/// All of them.
pub const ALL: &[Target] = &[
    intake::PNG,
    intake::JPEG,
    intake::TIFF,
    codecs::JPEG_12_AND_LOSSLESS,
    codecs::JPEG_LS,
    codecs::JPEG_2000,
    codecs::HTJ2K,
    codecs::JPEG_XL,
    codecs::RLE,
    dicom::DICOM,
    models::CONFIG,
    models::GENERATION,
    models::PREPROCESSOR,
    models::SAFETENSORS,
    models::SHARDS,
    gguf::GGUF,
    tokens::TOKENIZER,
    tokens::TEMPLATE,
    answers::ANSWERS,
    archive::BLOB,
    records::LINE,
    records::BODY,
    records::VIEW,
    records::PATHS,
    request::OPENAI,
];
