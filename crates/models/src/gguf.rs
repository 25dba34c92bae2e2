//! GGUF, the container of llama.cpp and Ollama: metadata, and which tensor lies where.
//!
//! After the format's description (ggml's `docs/gguf.md`), versions 2 and 3, little-endian: magic, version, counts,
//! metadata by key, tensor infos, and, from the next multiple of the alignment on, the data. Everything up to the end of
//! the tensor infos is read by position and kept as it stands in the file; strings and arrays are looked up in these
//! bytes and never copied one by one. Tensor data is not touched here.

mod bytes;
mod config;
mod lookup;
mod model;
mod names;
mod open;
mod section;
mod tensor;
#[cfg(test)]
mod tests;
mod value;
mod vision;
mod write;

use std::collections::HashMap;
use std::ops::Range;

use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

use bytes::Bytes;
pub(crate) use config::load as config;
pub use model::{ARCHITECTURE, Model, PROJECTOR_ARCHITECTURE, Vision};
pub(crate) use names::canonical;
pub use tensor::{GgmlType, TensorInfo};
pub use value::{Array, Value, ValueKind};
pub(crate) use vision::processor;
pub use write::{Head, PlannedTensor};

/// First bytes of every file.
pub const MAGIC: [u8; 4] = *b"GGUF";
/// Where tensors lie unless `general.alignment` says otherwise: at multiples of this.
pub const DEFAULT_ALIGNMENT: u64 = 32;

/// Most bytes of metadata that are believed; the family's have about 15 MB.
const MAX_HEAD_BYTES: u64 = 512 << 20;
/// Longest key or tensor name, from the format's description.
const MAX_NAME_BYTES: u64 = 65_535;
/// Largest alignment that is believed.
const MAX_ALIGNMENT: u64 = 1 << 20;

/// The metadata and the tensor infos of one file.
#[derive(Clone, Debug)]
pub struct Gguf {
    file: String,
    version: u32,
    /// The file up to the end of the tensor infos.
    head: Vec<u8>,
    file_len: u64,
    alignment: u64,
    data_start: u64,
    pairs: Vec<Pair>,
    by_key: HashMap<String, usize>,
    tensors: Vec<TensorInfo>,
    by_name: HashMap<String, usize>,
}

/// A key and where its value lies in the head.
#[derive(Clone, Debug)]
struct Pair {
    key: String,
    kind: ValueKind,
    /// For arrays: the kind of the elements and how many there are.
    elements: Option<(ValueKind, usize)>,
    /// The value's bytes; of strings without the length in front, of arrays without kind and count.
    at: Range<usize>,
}

impl Gguf {
    /// Reads and checks everything of `file` but the tensors' data.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if the file is missing, unreadable or no GGUF; [`ErrorKind::Weights`] naming the key or tensor
    /// and what does not hold.
    pub fn read(files: &ModelFiles, file: &str) -> Result<Self> {
        let len =
            files.len(file)?.ok_or_else(|| Error::new(ErrorKind::Files, format!("{files}: no {file}")))?;
        Self::from_source(file, len, &mut |offset, bytes| files.read_into(file, offset, bytes))
    }

    /// As [`Gguf::read`], from a file's first bytes: at least everything before the data. `file` is for messages,
    /// `file_len` the length of the whole.
    ///
    /// # Errors
    /// As [`Gguf::read`].
    pub fn parse(file: &str, start: &[u8], file_len: u64) -> Result<Self> {
        Self::from_source(file, file_len, &mut |offset, bytes| {
            let from =
                usize::try_from(offset).ok().and_then(|at| start.get(at..at.checked_add(bytes.len())?));
            let from = from.ok_or_else(|| {
                Error::new(ErrorKind::Files, format!("{file}: ends at byte {}", start.len()))
                    .hint("the file is damaged or incomplete; fetch it again")
            })?;
            bytes.copy_from_slice(from);
            Ok(())
        })
    }

    fn from_source(
        file: &str,
        file_len: u64,
        read: &mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    ) -> Result<Self> {
        let mut bytes = Bytes::new(file, file_len, MAX_HEAD_BYTES, read);
        let version = opening(&mut bytes)?;
        let n_tensors = bytes.u64("the number of tensors")?;
        let n_pairs = bytes.u64("the number of metadata keys")?;
        let mut pairs: Vec<Pair> = Vec::new();
        let mut by_key = HashMap::new();
        for i in 0..n_pairs {
            let pair = pair(&mut bytes, i)?;
            if by_key.insert(pair.key.clone(), pairs.len()).is_some() {
                return Err(bytes.broken(format!("metadata key {} stands twice", pair.key)));
            }
            pairs.push(pair);
        }
        let mut tensors: Vec<TensorInfo> = Vec::new();
        for i in 0..n_tensors {
            tensors.push(tensor::read(&mut bytes, i)?);
        }
        let head = bytes.into_head();
        let mut gguf = Self {
            file: file.to_owned(),
            version,
            head,
            file_len,
            alignment: DEFAULT_ALIGNMENT,
            data_start: 0,
            pairs,
            by_key,
            tensors,
            by_name: HashMap::new(),
        };
        gguf.place_tensors()?;
        Ok(gguf)
    }

    /// Turns offsets within the data into positions in the file, and refuses what cannot be.
    fn place_tensors(&mut self) -> Result<()> {
        if let Some(alignment) = self.unsigned("general.alignment")? {
            if !(alignment.is_power_of_two() && (8..=MAX_ALIGNMENT).contains(&alignment)) {
                let expected = format!("a power of two from 8 to {MAX_ALIGNMENT}");
                return Err(self.bad("general.alignment", &expected));
            }
            self.alignment = alignment;
        }
        let broken = |message: String| broken(&self.file, message);
        let head_len = self.head.len() as u64;
        self.data_start = head_len.next_multiple_of(self.alignment);
        let mut by_name = HashMap::with_capacity(self.tensors.len());
        for (i, tensor) in self.tensors.iter_mut().enumerate() {
            let name = &tensor.name;
            if by_name.insert(name.clone(), i).is_some() {
                return Err(broken(format!("tensor {name} stands twice")));
            }
            if !tensor.offset.is_multiple_of(self.alignment) {
                return Err(broken(format!(
                    "tensor {name}: expected an offset that is a multiple of the alignment {}, found {}",
                    self.alignment, tensor.offset
                )));
            }
            let start = self.data_start.checked_add(tensor.offset);
            let end = start.and_then(|start| start.checked_add(tensor.len));
            let (Some(start), Some(_)) = (start, end.filter(|end| *end <= self.file_len)) else {
                return Err(broken(format!(
                    "tensor {name}: expected its {} bytes at offset {} of the data, which begins at {}, within the file, \
                     which ends at {}",
                    tensor.len, tensor.offset, self.data_start, self.file_len
                )));
            };
            tensor.offset = start;
        }
        let mut order: Vec<&TensorInfo> = self.tensors.iter().collect();
        order.sort_by_key(|tensor| (tensor.offset, tensor.len));
        for pair in order.windows(2) {
            let [first, second] = pair else { continue };
            if first.offset + first.len > second.offset {
                return Err(broken(format!(
                    "tensor {} begins at byte {}, inside tensor {}, which ends at {}",
                    second.name,
                    second.offset,
                    first.name,
                    first.offset + first.len
                )));
            }
        }
        self.by_name = by_name;
        Ok(())
    }

    /// The name of the file, as it was asked for.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Version of the format, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Everything before the data, as it stands in the file.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Tensors lie at multiples of this many bytes from [`Gguf::data_start`] on.
    #[must_use]
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// Where in the file the data begins.
    #[must_use]
    pub fn data_start(&self) -> u64 {
        self.data_start
    }

    /// The tensors in the order of the file's list.
    #[must_use]
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The tensor of this name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).map(|i| &self.tensors[*i])
    }
}

/// An error about what stands in the file.
pub(crate) fn broken(file: &str, message: String) -> Error {
    Error::new(ErrorKind::Weights, format!("{file}: {message}"))
        .hint("the file is damaged or incomplete; fetch it again")
}

/// Magic and version.
fn opening(bytes: &mut Bytes<'_>) -> Result<u32> {
    let file = bytes.file().to_owned();
    let refused = |message: String| Error::new(ErrorKind::Files, format!("{file}: {message}"));
    let at = bytes.take(4, "the magic")?;
    if bytes.of(at.clone()) != MAGIC {
        let found = bytes.of(at).escape_ascii().to_string();
        return Err(refused(format!("expected a file that begins with GGUF, found {found:?}"))
            .hint("name a GGUF file, or a folder in Hugging Face layout"));
    }
    match bytes.u32("the version")? {
        version @ (2 | 3) => Ok(version),
        1 => Err(refused("GGUF version 1 is not read, expected 2 or 3".to_owned())
            .hint("convert the model again with a converter of 2024 or later")),
        swapped if (1..=3).contains(&swapped.swap_bytes()) => Err(refused(
            "a big-endian GGUF is not read".to_owned(),
        )
        .hint(
            "get the little-endian file; `gguf-convert-endian` of the gguf package turns one into the other",
        )),
        other => Err(refused(format!("GGUF version {other} is not known, expected 2 or 3"))),
    }
}

/// One key with its value.
fn pair(bytes: &mut Bytes<'_>, i: u64) -> Result<Pair> {
    let key = bytes.name(&format!("metadata key {i}"), MAX_NAME_BYTES)?;
    let kind = bytes.kind(&key)?;
    let (at, elements) = match kind {
        ValueKind::Text => (bytes.text(&key)?, None),
        ValueKind::Array => {
            let element = bytes.kind(&key)?;
            let n = bytes.u64(&key)?;
            let at = match element.size() {
                Some(size) => {
                    let len = n.checked_mul(size as u64);
                    let len = len.ok_or_else(|| bytes.broken(format!("{key}: {n} elements are too many")))?;
                    bytes.take(len, &key)?
                }
                None if element == ValueKind::Text => bytes.texts(n, &key)?,
                None => return Err(bytes.broken(format!("{key}: arrays of arrays are not read"))),
            };
            // What `take` gave lies in memory, so the count fits it too.
            (at, Some((element, n as usize)))
        }
        plain => (bytes.take(plain.size().unwrap_or(0) as u64, &key)?, None),
    };
    let pair = Pair { key, kind, elements, at };
    let flags = matches!(pair.elements, Some((ValueKind::Flag, _))) || pair.kind == ValueKind::Flag;
    if flags && let Some(byte) = bytes.of(pair.at.clone()).iter().find(|byte| **byte > 1) {
        return Err(bytes.broken(format!("{}: expected a bool as 0 or 1, found {byte}", pair.key)));
    }
    Ok(pair)
}
