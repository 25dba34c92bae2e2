//! The bundled checkpoint as a folder, to be damaged.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::bench::Bench;

const PHANTOM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/phantom");

pub const WEIGHTS: &str = "model.safetensors";

/// A copy of the bundled checkpoint in the test's folder.
pub fn copy(bench: &Bench, name: &str) -> PathBuf {
    let folder = bench.path(name);
    std::fs::create_dir_all(&folder).expect("a folder of the test's own");
    for entry in std::fs::read_dir(PHANTOM).expect("the checkpoint is part of the repository") {
        let path = entry.expect("a readable folder").path();
        if path.is_file() {
            std::fs::copy(&path, folder.join(path.file_name().expect("a file")))
                .expect("room for a small file");
        }
    }
    folder
}

/// Changes a JSON file.
pub fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&std::fs::read(path).expect("it is there")).expect("it is JSON");
    change(&mut value);
    std::fs::write(path, serde_json::to_vec(&value).expect("plain values"))
        .expect("a file of the test's own");
}

/// Changes the header of a safetensors file; the data stays as it is.
pub fn edit_header(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) {
    let bytes = std::fs::read(path).expect("it is there");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header has a length");
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).expect("a small file"));
    let mut header: Map<String, Value> = serde_json::from_slice(header).expect("a header is JSON");
    change(&mut header);
    let header = serde_json::to_vec(&header).expect("plain values");
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length[..], &header, data].concat()).expect("a file of the test's own");
}

/// The names of the tensors in a safetensors file.
pub fn tensors(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    edit_header(path, |header| names.extend(header.keys().filter(|name| *name != "__metadata__").cloned()));
    names
}
