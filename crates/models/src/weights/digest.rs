//! A digest that tells models apart without reading all of their weights.

use sha2::{Digest, Sha256};

use super::Catalogue;
use crate::Result;
use crate::files::ModelFiles;
use crate::gguf::Model;

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
/// start, in the middle and at the end. Of GGUF files the metadata and tensor infos are header and settings, and their
/// names, which everyone chooses, do not count.
///
/// Two models that differ only in bytes of a large tensor that are not sampled share a digest: it identifies a
/// published model and catches a damaged or exchanged one nearly always, and is no proof of integrity.
///
/// # Errors
/// A file that cannot be read.
pub fn digest(files: &ModelFiles, catalogue: &Catalogue) -> Result<String> {
    let mut parts = Parts(Sha256::new());
    for name in SETTINGS {
        if let Some(bytes) = files.read(name)? {
            parts.add(name, &bytes);
        }
    }
    for (file, header) in catalogue.headers() {
        parts.add(file, &files.len(file)?.unwrap_or(0).to_le_bytes());
        parts.add(file, &header.json);
        for entry in &header.entries {
            parts.samples(files, file, &entry.name, (entry.offset, entry.len))?;
        }
    }
    for gguf in files.as_gguf().into_iter().flat_map(Model::files) {
        parts.add("gguf", &gguf.file_len().to_le_bytes());
        parts.add("gguf", gguf.head());
        let mut tensors: Vec<_> = gguf.tensors().iter().collect();
        tensors.sort_unstable_by_key(|tensor| tensor.offset);
        for tensor in tensors {
            parts.samples(files, gguf.file(), &tensor.name, (tensor.offset, tensor.len))?;
        }
    }
    Ok(parts.0.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// A hash over named pieces.
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name.as_bytes());
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// What counts of a tensor at this position and of this length.
    fn samples(&mut self, files: &ModelFiles, file: &str, name: &str, place: (u64, u64)) -> Result<()> {
        for sample in samples(files, file, place)? {
            self.add(name, &sample);
        }
        Ok(())
    }
}

/// The bytes that count of a tensor at this position and of this length.
fn samples(files: &ModelFiles, file: &str, (offset, len): (u64, u64)) -> Result<Vec<Vec<u8>>> {
    let read = |start: u64, len: u64| files.read_range(file, offset + start, len as usize);
    if len <= WHOLE_BYTES {
        return Ok(vec![read(0, len)?]);
    }
    [0, (len - SAMPLE_BYTES) / 2, len - SAMPLE_BYTES]
        .into_iter()
        .map(|start| read(start, SAMPLE_BYTES))
        .collect()
}

/// SHA-256 over what the vision tower and the projector hold: for each of their tensors in the order of canonical
/// names, its name, type, shape and the samples that [`digest`] takes. The text model, the settings and the way in which
/// tensors are spread over files have no part in it, so that models that differ in them alone share pictures that
/// were encoded.
///
/// # Errors
/// A file that cannot be read.
pub fn tower_digest(files: &ModelFiles, catalogue: &Catalogue) -> Result<[u8; 32]> {
    let mut tensors: Vec<_> = catalogue
        .tensors()
        .filter(|(name, _)| name.starts_with("vision_tower.") || name.starts_with("multi_modal_projector."))
        .collect();
    tensors.sort_unstable_by_key(|(name, _)| *name);
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for (name, located) in tensors {
        part(name.as_bytes());
        part(located.entry.dtype.as_bytes());
        let shape: Vec<u8> =
            located.entry.shape.iter().flat_map(|size| (*size as u64).to_le_bytes()).collect();
        part(&shape);
        for sample in samples(files, &located.file, (located.entry.offset, located.entry.len))? {
            part(&sample);
        }
    }
    Ok(hash.finalize().into())
}
