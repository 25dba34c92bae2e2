//! Quantized copies of model folders, made once and kept on disk: `--quantize`.
//!
//! An entry is a folder named after the digest of the model and the type, with the GGUF files in `files/` and
//! `entry.json` beside them. It is made under another name and moved to its place whole, so that of two processes the later
//! finds the entry of the first and drops its own. Sums over the whole of the written files are kept and compared before an
//! entry is used: one that was cut off, exchanged or damaged is dropped and made again.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use lightbox_archive::hex;
use lightbox_models::quantize::{QuantizeKind, QuantizeOptions, quantize};
use lightbox_models::weights::{Catalogue, digest};
use lightbox_models::{ModelFiles, Result as ModelResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exit::{Code, Failure};
use crate::terminal::{Progress, say, size};
use crate::{cancel, folders};

/// Changes whenever the same model would be quantized to other bytes.
const FORMAT: u32 = 2;

/// What a thread sums up at a time.
const PIECE_BYTES: u64 = 4 << 20;

const ENTRY: &str = "entry.json";
const FILES: &str = "files";

/// What is known of an entry.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    format: u32,
    text: String,
    projector: Option<String>,
    /// Digest of the written files, see [`digest`]: by it cached entries of their reads are known.
    digest: String,
    bytes: u64,
    /// Of the text model's file and the projector's, see [`sum`].
    sums: Vec<String>,
    /// See [`warn_of_tokens`].
    tokens_made_otherwise: usize,
}

impl Entry {
    fn open(&self, folder: &Path) -> ModelResult<ModelFiles> {
        let files = folder.join(FILES);
        ModelFiles::gguf(files.join(&self.text), self.projector.as_ref().map(|name| files.join(name)))
    }

    /// The sums of the files as they are now.
    fn sums_now(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names = std::iter::once(&self.text).chain(&self.projector);
        names.map(|name| sum(&folder.join(FILES).join(name))).collect()
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
    if let Some(found) = open(&place)? {
        return Ok(found);
    }
    make(files, name, kind, &cache, &place)?;
    open(&place)?.ok_or_else(|| {
        Failure::new(Code::Output, format!("{}: was written and cannot be read again", place.display()))
    })
}

/// Says where files of GGUF may make other tokens of a text than the folder that they were made from.
pub fn warn_of_tokens(made_otherwise: usize) {
    if made_otherwise > 0 {
        say(&format!(
            "warning: {made_otherwise} tokens can be put together in ways that the model's tokenizer.json has no merge for: \
             some texts may become other tokens than with the folder"
        ));
    }
}

/// An entry that is whole; `None` where there is none, or one that is not whole, which is dropped.
///
/// # Errors
/// An entry that cannot be read: nothing is known of it, and nothing is done to it.
fn open(place: &Path) -> Result<Option<ModelFiles>, Failure> {
    let unread = |error: &io::Error| {
        Failure::new(Code::Model, format!("{}: the quantized copy cannot be read: {error}", place.display()))
    };
    let text = match fs::read(place.join(ENTRY)) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(unread(&error)),
    };
    if let Some(entry) = serde_json::from_slice::<Entry>(&text).ok().filter(|entry| entry.format == FORMAT) {
        match entry.sums_now(place) {
            Ok(sums) if sums == entry.sums => {
                warn_of_tokens(entry.tokens_made_otherwise);
                return Ok(Some(entry.open(place)?));
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(unread(&error)),
        }
    }
    say(&format!("the quantized copy in {} is damaged; it is made again", place.display()));
    // Where it cannot be removed, the new one finds no place and says so.
    let _ = fs::remove_dir_all(place);
    Ok(None)
}

/// Whether nothing is there; what stands in a folder's place is told where the copy is made.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// SHA-256 over the SHA-256 of a file's pieces, which several threads take: as much of a file as there are cores is read
/// at a time, and is in the page cache when the weights are loaded.
fn sum(path: &Path) -> io::Result<String> {
    let n_pieces = fs::metadata(path)?.len().div_ceil(PIECE_BYTES) as usize;
    let n_threads = lightbox_host::default_threads().clamp(1, n_pieces.max(1));
    let sums_of = |first: usize| -> io::Result<Vec<[u8; 32]>> {
        let mut file = File::open(path)?;
        let mut bytes = Vec::with_capacity(PIECE_BYTES as usize);
        let mut sums = Vec::new();
        for piece in (first..n_pieces).step_by(n_threads) {
            bytes.clear();
            file.seek(io::SeekFrom::Start(piece as u64 * PIECE_BYTES))?;
            (&mut file).take(PIECE_BYTES).read_to_end(&mut bytes)?;
            sums.push(Sha256::digest(&bytes).into());
        }
        Ok(sums)
    };
    let sums = thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|first| scope.spawn(move || sums_of(first))).collect();
        let joined = threads.into_iter().map(|t| t.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.collect::<io::Result<Vec<_>>>()
    })?;
    let mut whole = Sha256::new();
    for piece in 0..n_pieces {
        whole.update(sums[piece % n_threads][piece / n_threads]);
    }
    Ok(hex::encode(&whole.finalize()))
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
    // Processes of other containers may have the same number.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let partial = Partial(cache.join(format!(".partial-{}-{}-{since}", kind.name(), std::process::id())));
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
        sums: Vec::new(),
        tokens_made_otherwise: quantized.tokens_made_otherwise,
        bytes: quantized.text.bytes + projector.map_or(0, |written| written.bytes),
    };
    let written = entry.open(&partial.0)?;
    entry.digest = digest(&written, &Catalogue::open(&written)?)?;
    entry.sums = entry.sums_now(&partial.0).map_err(|error| unkept(&error.to_string()))?;
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
