//! `models list`: the models that `--model` finds by name on this machine.

use std::path::{Path, PathBuf};

use clap::Args;
use lightbox_models::hub::{Cached, Repo};
use lightbox_models::weights::Catalogue;
use lightbox_models::{ModelFiles, hub, phantom};
use serde::Serialize;

use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, print_json};

/// The models on this machine that --model takes by name
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    folder: Option<PathBuf>,
    notice: Option<&'static str>,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let phantom = Listed { name: phantom::NAME.to_owned(), folder: None, notice: Some(phantom::NOTICE) };
    let cache = folders::hub_cache();
    let named = cache.as_deref().map(hub::cached).unwrap_or_default();
    let pinned = cache.as_deref().map(|cache| pinned(cache, &named)).unwrap_or_default();
    let cached = named.into_iter().chain(pinned).map(|model| {
        let name = match model.revision.as_str() {
            "main" => model.repo.to_string(),
            revision => format!("{}@{revision}", model.repo),
        };
        Listed { name, folder: Some(model.folder), notice: None }
    });
    let stored = folders::ollama_store().map(|store| (store.names(), store));
    let stored = stored.into_iter().flat_map(|(names, store)| {
        names.into_iter().map(move |name| Listed {
            name: name.to_string(),
            folder: Some(store.folder().to_owned()),
            notice: None,
        })
    });
    let all: Vec<_> = std::iter::once(phantom).chain(cached).chain(stored).collect();
    if arguments.output.json {
        print_json(&all)?;
        return Ok(Code::Done);
    }
    let mut out = Output::new();
    for model in all {
        let place = model
            .folder
            .map_or_else(|| "bundled; random weights".to_owned(), |path| path.display().to_string());
        out.write(&format!("{:<40} {place}\n", model.name))?;
    }
    Ok(Code::Done)
}

/// Commits in the cache that no branch or tag leads to: fetched by their own name. One that did not come whole is left
/// out.
fn pinned(cache: &Path, named: &[Cached]) -> Vec<Cached> {
    let mut found = Vec::new();
    for entry in names(cache) {
        let words = entry.strip_prefix("models--").and_then(|id| id.split_once("--"));
        let Some(repo) = words.and_then(|(org, name)| Repo::parse(&format!("{org}/{name}"))) else {
            continue;
        };
        for commit in names(&repo.folder(cache).join("snapshots")) {
            let Some(folder) = repo.snapshot(cache, &commit) else { continue };
            let is_named = named.iter().any(|model| model.folder == folder);
            if !is_named && is_whole(&folder) {
                found.push(Cached { repo: repo.clone(), revision: commit, folder });
            }
        }
    }
    found.sort();
    found
}

/// Whether settings and every shard of the weights are there, or files in GGUF; the weights themselves are not read.
fn is_whole(folder: &Path) -> bool {
    let is_gguf = |name: &String| name.to_lowercase().ends_with(".gguf");
    ModelFiles::folder(folder).is_ok_and(|files| Catalogue::open(&files).is_ok())
        || names(folder).iter().any(is_gguf)
}

/// Names in a folder; none if it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
