//! From a model folder in Hugging Face layout to GGUF files with quantized weights.
//!
//! A folder with two files comes out, the text model's and, for a model that takes pictures, the projector's, in
//! llama.cpp's layout, and a NOTICE. What was written is read again before the folder takes its place.

mod folder;
mod job;
mod mix;
mod names;
mod notice;
mod projector;
mod report;
#[cfg(test)]
mod tests;
mod text;
mod vocabulary;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_kernels::Dtype;
use sha2::{Digest, Sha256};

use crate::config::{ImageProcessor, ModelConfig};
use crate::files::ModelFiles;
use crate::gguf::{Gguf, Head};
use crate::weights::{Catalogue, Reader};
use crate::{Error, ErrorKind, Result, Terms};

use folder::Partial;
use job::Job;
pub use mix::QuantizeKind;
use report::Loss;
pub use report::{Quantized, TypeLoss, Written};

/// The file that says what was changed and which terms pass on.
pub const NOTICE: &str = "NOTICE";

/// The key of the sentence that says what was changed, in every file that is written.
const MODIFIED: &str = "lightbox.modified";

/// Bytes that are read again at a time.
const CHECK_BYTES: usize = 8 << 20;

/// What is to be written where.
#[derive(Clone, Debug)]
pub struct QuantizeOptions<'a> {
    /// The mix of types.
    pub kind: QuantizeKind,
    /// What the caller calls the model; its last part names the files.
    pub name: &'a str,
    /// The folder to make.
    pub out: &'a Path,
    /// Whether a folder of an earlier run may be replaced.
    pub overwrite: bool,
    /// Threads; `None`: one for each physical core that this process may use.
    pub n_threads: Option<usize>,
}

/// Quantizes the text model of `files` and writes its tower and projector as they are.
///
/// `on_progress` hears of bytes done and bytes in all, reading again included.
///
/// # Errors
/// Files that are not understood, a model that GGUF has no keys for, a place that cannot be written
/// ([`ErrorKind::Unwritable`]), or `cancel` ([`ErrorKind::Interrupted`]); nothing is left behind then.
pub fn quantize(
    files: &ModelFiles,
    options: &QuantizeOptions<'_>,
    cancel: &AtomicBool,
    on_progress: &mut dyn FnMut(u64, u64),
) -> Result<Quantized> {
    if files.as_gguf().is_some() {
        return Err(Error::new(
            ErrorKind::Files,
            format!("{files}: expected a folder in Hugging Face layout, found GGUF"),
        )
        .hint("quantize from the model as it was published: quantizing twice loses twice"));
    }
    let config = ModelConfig::load(files)?;
    let catalogue = Catalogue::open(files)?;
    catalogue.check(&config)?;
    let own_head = Reader::new(files, &catalogue, &mut |_, _| {}).has_own_head(&config)?;
    let terms = Terms::of(files, options.name);
    let name = notice::short(options.name, files);
    let modified = notice::sentence(&name, options.kind);

    let mut text = Head::default();
    notice::metadata(&mut text, "gemma3", "model", &name, terms.as_ref(), &modified);
    text.number("general.file_type", options.kind.file_type());
    text.number("general.quantization_version", 2);
    text::settings(&mut text, &config.text)?;
    let tokens_made_otherwise = text::vocabulary(&mut text, files, &config)?;
    let text_jobs = text::tensors(&mut text, &config, &catalogue, options.kind, own_head)?;
    let text_file = format!("{name}-{}.gguf", options.kind.name());
    let mut planned = vec![(text_file, text, text_jobs)];
    if let Some(images) = &config.images {
        let processor = ImageProcessor::load(files, images)?;
        let dtype = tower_dtype(&catalogue);
        let mut head = Head::default();
        notice::metadata(&mut head, "clip", "mmproj", &name, terms.as_ref(), &modified);
        head.number("general.file_type", projector::file_type(dtype));
        projector::settings(&mut head, images, &processor, config.text.hidden_size)?;
        let expected = crate::weights::expected(&config);
        let jobs = projector::tensors(&mut head, &expected, &catalogue, dtype)?;
        planned.push((format!("mmproj-{name}-{dtype}.gguf"), head, jobs));
    }

    let partial = Partial::make(options.out, options.overwrite)?;
    let lens = |(_, head, jobs): &(String, Head, Vec<Job>)| {
        head.data_len() + jobs.iter().map(Job::source_len).sum::<u64>()
    };
    let total = planned.iter().map(lens).sum();
    let mut done = 0;
    let mut advance = |bytes: u64| {
        done += bytes;
        on_progress(done, total);
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "quantization was cancelled; nothing was written",
            ));
        }
        Ok(())
    };
    let mut losses: BTreeMap<Dtype, Loss> = BTreeMap::new();
    let n_threads = options.n_threads.unwrap_or_else(lightbox_host::default_threads).max(1);
    let mut written = Vec::new();
    for (file, head, jobs) in &planned {
        let path = partial.path().join(file);
        let digests = write(files, &path, head, jobs, n_threads, &mut losses, &mut advance)?;
        written.push(check(&path, file, head, &digests, &mut advance)?);
    }
    let notice = notice::text(&modified, terms.as_ref());
    let path = partial.path().join(NOTICE);
    std::fs::write(&path, notice).map_err(|e| unwritten(NOTICE, &e))?;
    partial.finish()?;
    on_progress(total, total);
    let mut written = written.into_iter();
    let text = written.next().ok_or_else(|| Error::new(ErrorKind::Weights, "there was nothing to write"))?;
    Ok(Quantized {
        folder: options.out.to_owned(),
        kind: options.kind,
        text,
        projector: written.next(),
        tokens_made_otherwise,
        types: losses.into_iter().map(|(dtype, loss)| loss.told(dtype)).collect(),
        terms,
    })
}

/// The type of the tower's matrices as they are stored; f32 where they differ, which holds all.
fn tower_dtype(catalogue: &Catalogue) -> Dtype {
    let mut found = catalogue
        .tensors()
        .filter(|(name, located)| name.starts_with("vision_tower.encoder.") && located.entry.shape.len() > 1)
        .filter_map(|(_, located)| crate::weights::dtype(&located.entry.dtype));
    let first = found.next().unwrap_or(Dtype::F32);
    if found.all(|dtype| dtype == first) { first } else { Dtype::F32 }
}

/// Writes a whole file and returns the SHA-256 of each tensor.
fn write(
    files: &ModelFiles,
    path: &Path,
    head: &Head,
    jobs: &[Job],
    n_threads: usize,
    losses: &mut BTreeMap<Dtype, Loss>,
    advance: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Vec<[u8; 32]>> {
    let failed = |e: std::io::Error| unwritten(path.display(), &e);
    let mut to = BufWriter::with_capacity(1 << 20, File::create_new(path).map_err(failed)?);
    to.write_all(&head.bytes()).map_err(failed)?;
    let mut digests = Vec::with_capacity(jobs.len());
    for job in jobs {
        digests.push(job.run(files, n_threads, &mut to, losses, advance)?);
    }
    let file = to.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(digests)
}

/// Reads a file again: its head must list the tensors as planned, and each must have the bytes that were written.
fn check(
    path: &Path,
    name: &str,
    head: &Head,
    digests: &[[u8; 32]],
    advance: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Written> {
    let differs = |what: String| {
        Error::new(ErrorKind::Unwritable, format!("{name}: read again after writing: {what}"))
            .hint("the disk or the memory of this machine does not keep what is written")
    };
    let failed = |e: std::io::Error| unwritten(path.display(), &e);
    let start = head.bytes();
    let mut file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut bytes = vec![0; start.len()];
    file.read_exact(&mut bytes).map_err(failed)?;
    if bytes != start {
        return Err(differs("the head has other bytes".to_owned()));
    }
    let gguf = Gguf::read(&ModelFiles::of_paths(vec![path.to_owned()])?, name)?;
    if len != start.len() as u64 + head.data_len() || gguf.tensors().len() != digests.len() {
        return Err(differs(format!("{len} bytes and {} tensors", gguf.tensors().len())));
    }
    for ((found, planned), digest) in gguf.tensors().iter().zip(head.tensors()).zip(digests) {
        let expected = (&planned.name, planned.kind, &planned.shape, planned.offset + gguf.data_start());
        if (&found.name, found.kind, &found.shape, found.offset) != expected {
            return Err(differs(format!("tensor {} is listed as {found:?}", planned.name)));
        }
        let mut hash = Sha256::new();
        let mut left = planned.len;
        while left > 0 {
            let n = left.min(CHECK_BYTES as u64);
            bytes.resize(n as usize, 0);
            file.read_exact(&mut bytes).map_err(failed)?;
            hash.update(&bytes);
            left -= n;
            advance(n)?;
        }
        if hash.finalize()[..] != digest[..] {
            return Err(differs(format!("tensor {} has other bytes", planned.name)));
        }
        let padding = Head::padding(planned.len);
        bytes.resize(padding, 0);
        file.read_exact(&mut bytes).map_err(failed)?;
        advance(padding as u64)?;
    }
    Ok(Written { file: name.to_owned(), bytes: len, tensors: digests.len() })
}

/// An error of writing, with the way out where the disk is full.
fn unwritten(what: impl std::fmt::Display, error: &std::io::Error) -> Error {
    let failed = Error::new(ErrorKind::Unwritable, format!("{what}: cannot be written: {error}"));
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            failed.hint("free some space, or name a folder on a larger disk")
        }
        _ => failed,
    }
}
