//! Quantized copies of model folders, made once and kept on disk: `--quantize`.
//!
//! An entry is a folder named after the digest of the model and the type, with the GGUF files in `files/` and
//! `entry.json` beside them. It is made under another name and moved to its place whole, so that of two processes the later
//! finds the entry of the first and drops its own. The digest of the written files is kept and compared before an entry is
//! used: one that was cut off or exchanged is dropped and made again.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_models::quantize::{QuantizeKind, QuantizeOptions, quantize};
use lightbox_models::weights::{Catalogue, digest};
use lightbox_models::{ModelFiles, Result as ModelResult};
use serde::{Deserialize, Serialize};

use crate::exit::{Code, Failure};
use crate::terminal::{Progress, say, size};
use crate::{cancel, folders};

/// Changes whenever the same model would be quantized to other bytes.
const FORMAT: u32 = 1;

const ENTRY: &str = "entry.json";
const FILES: &str = "files";

/// What is known of an entry.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    format: u32,
    text: String,
    projector: Option<String>,
    /// Digest of the written files, see [`digest`].
    digest: String,
    bytes: u64,
}

impl Entry {
    fn open(&self, folder: &Path) -> ModelResult<ModelFiles> {
        let files = folder.join(FILES);
        ModelFiles::gguf(files.join(&self.text), self.projector.as_ref().map(|name| files.join(name)))
    }
}

/// The files of the quantized copy of `files`, made now where there is none.
///
/// # Errors
/// [`Code::Model`] for a model that cannot be quantized, [`Code::Output`] if the copy cannot be kept.
pub fn copy(files: &ModelFiles, name: &str, kind: QuantizeKind) -> Result<ModelFiles, Failure> {
    if files.as_gguf().is_some() {
        return Err(Failure::new(
            Code::Usage,
            format!(
                "--quantize: {name} is GGUF already; leave the option out, or name the folder it was made from"
            ),
        ));
    }
    let Some(cache) = folders::quantized_cache() else {
        return Err(Failure::new(
            Code::Usage,
            "--quantize: there is no cache folder; set XDG_CACHE_HOME or HOME, or write the files with \
             `lightbox models quantize`",
        ));
    };
    let place = cache.join(format!("{}-{}", digest(files, &Catalogue::open(files)?)?, kind.name()));
    if let Some(found) = open(&place) {
        return Ok(found);
    }
    make(files, name, kind, &cache, &place)?;
    open(&place).ok_or_else(|| {
        Failure::new(Code::Output, format!("{}: was written and cannot be read again", place.display()))
    })
}

/// An entry that is whole; one that is not is dropped.
fn open(place: &Path) -> Option<ModelFiles> {
    let text = fs::read(place.join(ENTRY)).ok();
    let found = text.and_then(|text| serde_json::from_slice::<Entry>(&text).ok()).and_then(|entry| {
        let files = entry.open(place).ok()?;
        let same = digest(&files, &Catalogue::open(&files).ok()?).ok()? == entry.digest;
        (same && entry.format == FORMAT).then_some(files)
    });
    if found.is_none() && place.exists() {
        say(&format!("the quantized copy in {} is damaged; it is made again", place.display()));
        // Where it cannot be removed, the new one finds no place and says so.
        let _ = fs::remove_dir_all(place);
    }
    found
}

fn make(
    files: &ModelFiles,
    name: &str,
    kind: QuantizeKind,
    cache: &Path,
    place: &Path,
) -> Result<(), Failure> {
    let unkept = |failure: &str| {
        Failure::new(
            Code::Output,
            format!(
                "{}: the quantized copy cannot be kept: {failure}; free some space, set XDG_CACHE_HOME to another folder, \
                 or write it where you want with `lightbox models quantize`",
                cache.display()
            ),
        )
    };
    folders::make_private(cache).map_err(|failure| unkept(&failure.message))?;
    let partial = Partial(cache.join(format!(".partial-{}-{}", kind.name(), std::process::id())));
    let _ = fs::remove_dir_all(&partial.0);
    let out = partial.0.join(FILES);
    let options = QuantizeOptions { kind, name, out: &out, overwrite: false, n_threads: None };
    let cancel = cancel::on_interrupt()?;
    let mut progress: Option<Progress> = None;
    let label = format!("quantize to {}", kind.name());
    let quantized = quantize(files, &options, &cancel, &mut |done, total| {
        progress.get_or_insert_with(|| Progress::bytes(&label, total)).set(done, total);
    })
    .map_err(|error| match Failure::from(error) {
        failure if failure.code == Code::Output => unkept(&failure.message),
        failure => failure,
    })?;
    drop(progress);
    let projector = quantized.projector.as_ref();
    let mut entry = Entry {
        format: FORMAT,
        text: quantized.text.file,
        projector: projector.map(|written| written.file.clone()),
        digest: String::new(),
        bytes: quantized.text.bytes + projector.map_or(0, |written| written.bytes),
    };
    let written = entry.open(&partial.0)?;
    entry.digest = digest(&written, &Catalogue::open(&written)?)?;
    let text = serde_json::to_vec_pretty(&entry).map_err(|error| unkept(&error.to_string()))?;
    fs::write(partial.0.join(ENTRY), text).map_err(|error| unkept(&error.to_string()))?;
    match fs::rename(&partial.0, place) {
        Ok(()) => {
            let place = place.display();
            say(&format!("kept the quantized copy: {} in {place}", size(entry.bytes)));
            Ok(())
        }
        // Another process was faster: its entry is as good.
        Err(_) if place.join(ENTRY).is_file() => Ok(()),
        Err(error) => Err(unkept(&error.to_string())),
    }
}

/// Removed when it is no longer needed, whatever happened.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Nobody can be told if it fails; it is gone where it was moved to its place.
        let _ = fs::remove_dir_all(&self.0);
    }
}
