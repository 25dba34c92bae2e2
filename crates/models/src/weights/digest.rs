//! A digest that tells models apart without reading all of their weights.

use sha2::{Digest, Sha256};

use super::Catalogue;
use crate::Result;
use crate::files::ModelFiles;

/// The settings files that take part where they exist.
const SETTINGS: [&str; 11] = [
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
];

/// Tensors up to this size count whole.
const WHOLE_BYTES: u64 = 16 << 10;
/// Of larger ones, this much at the start, in the middle and at the end.
const SAMPLE_BYTES: u64 = 4 << 10;

/// Hex SHA-256 over: for each settings file present, its name, length and contents; for each weight file, its name,
/// length and header; for each tensor in the order of its data, its bytes if at most 16 KiB, else 4 KiB at the
/// start, in the middle and at the end.
///
/// Two models that differ only in bytes of a large tensor that are not sampled share a digest: it identifies a
/// published model and catches a damaged or exchanged one nearly always, and is no proof of integrity.
///
/// # Errors
/// A file that cannot be read.
pub fn digest(files: &ModelFiles, catalogue: &Catalogue) -> Result<String> {
    let mut hash = Sha256::new();
    let mut part = |name: &str, bytes: &[u8]| {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for name in SETTINGS {
        if let Some(bytes) = files.read(name)? {
            part(name, &bytes);
        }
    }
    for (file, header) in catalogue.headers() {
        part(file, &files.len(file)?.unwrap_or(0).to_le_bytes());
        part(file, &header.json);
        for entry in &header.entries {
            if entry.len <= WHOLE_BYTES {
                part(&entry.name, &files.read_range(file, entry.offset, entry.len as usize)?);
                continue;
            }
            for start in [0, (entry.len - SAMPLE_BYTES) / 2, entry.len - SAMPLE_BYTES] {
                let sample = files.read_range(file, entry.offset + start, SAMPLE_BYTES as usize)?;
                part(&entry.name, &sample);
            }
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}
