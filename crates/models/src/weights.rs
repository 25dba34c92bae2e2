//! The tensors of a model's files: where each lies, whether they are those that the configuration asks for, and
//! their way into packed matrices.
//!
//! Nothing is mapped or read whole: matrices are read a few megabytes at a time and packed as they come.

mod digest;
mod gguf;
mod header;
mod names;
mod pack;
mod parallel;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::config::{HeadTie, Keys, ModelConfig};
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

pub use digest::{digest, tower_digest};
pub use header::{Entry, Header};
pub use names::{EMBEDDING, Expected, HEAD, PROJECTION, canonical, expected, is_harmless};
pub(crate) use pack::dtype;
pub use pack::{Reader, Vector};

/// The name of an unsharded file; where it exists it counts, as for the reference.
pub const SINGLE: &str = "model.safetensors";
/// The name of the list of shards.
pub const INDEX: &str = "model.safetensors.index.json";

/// Endings of weight files that are not read.
const OTHER_FORMATS: [&str; 5] = [".gguf", ".bin", ".pt", ".pth", ".npz"];

/// A tensor and the file it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// File name within the folder.
    pub file: String,
    /// Place, type and shape.
    pub entry: Entry,
}

/// Every tensor of a folder under its canonical name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    headers: Vec<(String, Header)>,
    tensors: HashMap<String, Located>,
    bytes_on_disk: u64,
    layout: Layout,
}

/// What files of weights there are; they differ in more than names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Safetensors in Hugging Face layout: Gemma's norms hold `w` of `1 + w`.
    HuggingFace,
    /// GGUF: Gemma's norms hold `1 + w`, and what reads such files scales embeddings by the exact root of the width.
    Gguf,
}

impl Layout {
    /// Where the settings stand that tensors are compared with.
    fn settings(self) -> &'static str {
        match self {
            Self::HuggingFace => "config.json",
            Self::Gguf => "the metadata",
        }
    }
}

impl Catalogue {
    /// Reads the headers of all weight files; no tensor data.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] for a missing file or shard, [`ErrorKind::Weights`] for a header that does not hold, an
    /// index that disagrees with its shards, or a tensor stored twice.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        if let Some(model) = files.as_gguf() {
            return gguf::catalogue(model);
        }
        let shards = shards(files)?;
        let mut headers = Vec::with_capacity(shards.len());
        let mut tensors: HashMap<String, Located> = HashMap::new();
        let mut bytes_on_disk = 0u64;
        for (file, listed) in shards {
            let header = Header::read(files, &file)?;
            bytes_on_disk = bytes_on_disk.saturating_add(files.len(&file)?.unwrap_or(0));
            if let Some(listed) = listed {
                agree(&file, &listed, &header)?;
            }
            for entry in &header.entries {
                let name = canonical(&entry.name);
                let located = Located { file: file.clone(), entry: entry.clone() };
                if let Some(first) = tensors.insert(name, located) {
                    return Err(Error::new(
                        ErrorKind::Weights,
                        format!(
                            "tensor {} in {file} is the same as {} in {}",
                            entry.name, first.entry.name, first.file
                        ),
                    )
                    .hint("a folder must hold each tensor once; remove the leftovers of another save"));
                }
            }
            headers.push((file, header));
        }
        Ok(Self { headers, tensors, bytes_on_disk, layout: Layout::HuggingFace })
    }

    /// What files these are.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Safetensors files in the order they were listed, with their headers.
    #[must_use]
    pub fn headers(&self) -> &[(String, Header)] {
        &self.headers
    }

    /// The tensor under a canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Located> {
        self.tensors.get(name)
    }

    /// Every tensor with its canonical name, in no particular order.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Located)> {
        self.tensors.iter().map(|(name, located)| (name.as_str(), located))
    }

    /// Bytes of all weight files.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        self.bytes_on_disk
    }

    /// How many tensors of each stored type there are.
    #[must_use]
    pub fn dtypes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for located in self.tensors.values() {
            *counts.entry(located.entry.dtype.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// Everything in which the tensors differ from what `config` asks for, in a stable order; empty if nothing.
    #[must_use]
    pub fn problems(&self, config: &ModelConfig) -> Vec<Error> {
        let mut problems = Vec::new();
        let mut asked = expected(config);
        if config.head != HeadTie::Untied && self.tensors.contains_key(HEAD) {
            let shape = vec![config.text.vocab_size, config.text.hidden_size];
            asked.push(Expected { name: HEAD.to_owned(), shape });
        }
        for want in &asked {
            match self.tensors.get(&want.name) {
                // A tied table may be stored as the head alone.
                None if want.name == EMBEDDING
                    && config.head != HeadTie::Untied
                    && self.tensors.contains_key(HEAD) => {}
                None => problems.push(
                    Error::new(
                        ErrorKind::Weights,
                        format!("tensor {} {:?} is missing", want.name, want.shape),
                    )
                    .hint(format!(
                        "{} asks for it; the files may be incomplete or hold another model",
                        self.layout.settings()
                    )),
                ),
                Some(found) => problems.extend(unfit(want, found, self.layout)),
            }
        }
        let asked: std::collections::HashSet<&str> = asked.iter().map(|e| e.name.as_str()).collect();
        let mut extra: Vec<_> = self
            .tensors
            .iter()
            .filter(|(name, _)| !asked.contains(name.as_str()) && !is_harmless(name, config))
            .map(|(_, located)| located)
            .collect();
        extra.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
        problems.extend(extra.into_iter().map(|located| {
            Error::new(
                ErrorKind::Weights,
                format!(
                    "{}: unexpected tensor {} {:?}",
                    located.file, located.entry.name, located.entry.shape
                ),
            )
            .hint(format!(
                "{} does not ask for it, so this model would not be the one it describes",
                self.layout.settings()
            ))
        }));
        problems
    }

    /// As [`Catalogue::problems`], as one error.
    ///
    /// # Errors
    /// The first problem, and how many more there are.
    pub fn check(&self, config: &ModelConfig) -> Result<()> {
        let mut problems = self.problems(config);
        let more = problems.len().saturating_sub(1);
        match problems.drain(..).next() {
            None => Ok(()),
            Some(first) if more == 0 => Err(first),
            Some(first) => {
                Err(Error::new(ErrorKind::Weights, format!("{first} (and {more} more such problems)")))
            }
        }
    }
}

/// Why a stored tensor cannot serve as `want`.
fn unfit(want: &Expected, found: &Located, layout: Layout) -> Option<Error> {
    let Located { file, entry } = found;
    let bad =
        |message: String| Error::new(ErrorKind::Weights, format!("{file}: tensor {}: {message}", entry.name));
    // Converters have written the projection either way round; its sizes say which, see `Reader::projection`.
    let turned =
        layout == Layout::Gguf && want.name == PROJECTION && entry.shape.iter().eq(want.shape.iter().rev());
    if entry.shape != want.shape && !turned {
        return Some(bad(format!("expected shape {:?}, found {:?}", want.shape, entry.shape)));
    }
    if dtype(&entry.dtype).is_some() {
        return None;
    }
    Some(match layout {
        Layout::HuggingFace => bad(format!("expected type BF16, F16 or F32, found {}", entry.dtype))
            .hint("quantized safetensors are not read"),
        Layout::Gguf => {
            bad(format!("expected a type among {}, found {}", crate::gguf::GgmlType::readable(), entry.dtype))
                .hint("get the model in another quantization, such as Q4_K_M or Q8_0")
        }
    })
}

/// The files to read, each with the tensors that the index puts into it.
fn shards(files: &ModelFiles) -> Result<Vec<(String, Option<Vec<String>>)>> {
    if files.len(SINGLE)?.is_some() {
        return Ok(vec![(SINGLE.to_owned(), None)]);
    }
    let Some(bytes) = files.read(INDEX)? else {
        let error = Error::new(ErrorKind::Files, format!("{files}: neither {SINGLE} nor {INDEX}"));
        let names = files.names()?;
        let other = names.iter().find(|name| OTHER_FORMATS.iter().any(|end| name.ends_with(end)));
        return Err(match other {
            Some(other) if other.ends_with(".gguf") => {
                error.hint(format!("{other} is a model of its own: name that file in place of the folder"))
            }
            Some(other) => error.hint(format!(
                "{other} is of a format that this version does not read; get the model as safetensors"
            )),
            None => error.hint("fetch the weights with `lightbox models pull`, or copy all shards here"),
        });
    };
    let bad = |message: String| Error::new(ErrorKind::Weights, format!("{INDEX}: {message}"));
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| bad(format!("not valid JSON: {e}")))?;
    let mut keys = Keys::new(INDEX, &value)?;
    keys.ignore(&["metadata"]);
    let map = keys.take("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| bad("expected an object weight_map from tensors to files".to_owned()))?;
    keys.finish()?;
    let mut by_file: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, file) in map {
        let plain = file.as_str().filter(|f| {
            f.ends_with(".safetensors") && !f.starts_with('.') && !f.contains(['/', '\\', ':', '\0'])
        });
        let Some(file) = plain else {
            let shown = crate::config::shown(file);
            return Err(bad(format!(
                "tensor {tensor}: expected the name of a safetensors file in the same folder, found {shown}"
            )));
        };
        by_file.entry(file.to_owned()).or_default().push(tensor.clone());
    }
    if by_file.is_empty() {
        return Err(bad("weight_map names no tensor".to_owned()));
    }
    for (file, tensors) in &by_file {
        if files.len(file)?.is_none() {
            return Err(Error::new(
                ErrorKind::Files,
                format!("{}: no {file}, which {INDEX} lists for {} tensors", files, tensors.len()),
            )
            .hint("a shard is missing; fetch the model again"));
        }
    }
    Ok(by_file.into_iter().map(|(file, tensors)| (file, Some(tensors))).collect())
}

/// The index and the shard must name the same tensors.
fn agree(file: &str, listed: &[String], header: &Header) -> Result<()> {
    let there: std::collections::HashSet<&str> = header.entries.iter().map(|e| e.name.as_str()).collect();
    let asked: std::collections::HashSet<&str> = listed.iter().map(String::as_str).collect();
    let wrong = |tensor: &str, what: &str| {
        Err(Error::new(ErrorKind::Weights, format!("{INDEX}: tensor {tensor}: {what} {file}"))
            .hint("index and shards are of different saves; fetch the model again"))
    };
    if let Some(tensor) = listed.iter().find(|t| !there.contains(t.as_str())) {
        return wrong(tensor, "listed for, but not in,");
    }
    if let Some(entry) = header.entries.iter().find(|e| !asked.contains(e.name.as_str())) {
        return wrong(&entry.name, "not listed, but in,");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
