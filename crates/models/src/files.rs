//! Where a model's files come from: a folder, GGUF files, or bytes that the program carries.
//!
//! Files are read by position and never mapped: weights are packed into memory of their own, and a file that shrinks
//! under a map would kill the process.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::gguf::Model;
use crate::{Error, ErrorKind, Result};

/// Longest settings or tokenizer file that is read whole; the family's `tokenizer.json` has 33 MB.
const MAX_WHOLE_BYTES: u64 = 512 << 20;

/// The files of one model.
#[derive(Debug)]
pub struct ModelFiles {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Folder {
        path: PathBuf,
        open: Handles,
    },
    /// Names are those of the files, or whole paths where two files in different folders are called the same.
    Gguf {
        paths: Vec<(String, PathBuf)>,
        open: Handles,
        model: Option<Box<Model>>,
    },
    Embedded {
        name: &'static str,
        files: &'static [(&'static str, &'static [u8])],
    },
}

/// Files that were opened, by name.
type Handles = Mutex<HashMap<String, Arc<File>>>;

impl ModelFiles {
    /// The files of a folder in Hugging Face layout.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if there is no such folder.
    pub fn folder(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let place = path.display();
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                Ok(Self { source: Source::Folder { path, open: Handles::default() } })
            }
            Ok(_) => Err(Error::new(
                ErrorKind::Files,
                format!("{place}: expected a folder with a model's files, found a file"),
            )
            .hint("name the folder that holds config.json")),
            Err(e) => Err(Error::new(ErrorKind::Files, format!("{place}: no such model folder: {e}"))),
        }
    }

    /// Files that are part of the program; `name` stands for a path in messages.
    #[must_use]
    pub fn embedded(name: &'static str, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { source: Source::Embedded { name, files } }
    }

    /// Files by themselves, whatever folder they lie in; the first stands for all in messages.
    pub(crate) fn of_paths(paths: Vec<PathBuf>) -> Result<Self> {
        let mut named: Vec<(String, PathBuf)> = Vec::with_capacity(paths.len());
        for path in paths {
            let whole = || path.display().to_string();
            let name = path.file_name().and_then(|name| name.to_str()).map_or_else(whole, str::to_owned);
            let name = if named.iter().any(|(other, _)| *other == name) { whole() } else { name };
            match std::fs::metadata(&path) {
                Ok(meta) if meta.is_file() => named.push((name, path)),
                Ok(_) => {
                    return Err(Error::new(
                        ErrorKind::Files,
                        format!("{}: expected a file, found something else", path.display()),
                    ));
                }
                Err(e) => {
                    return Err(Error::new(
                        ErrorKind::Files,
                        format!("{}: no such file: {e}", path.display()),
                    ));
                }
            }
        }
        Ok(Self { source: Source::Gguf { paths: named, open: Handles::default(), model: None } })
    }

    /// Keeps what was read of GGUF files.
    pub(crate) fn set_gguf(&mut self, read: Model) {
        if let Source::Gguf { model, .. } = &mut self.source {
            *model = Some(Box::new(read));
        }
    }

    /// Metadata and tensor infos, where the files are in GGUF.
    #[must_use]
    pub fn as_gguf(&self) -> Option<&Model> {
        match &self.source {
            Source::Gguf { model, .. } => model.as_deref(),
            _ => None,
        }
    }

    /// The folder or the first file, unless the files are part of the program.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Folder { path, .. } => Some(path),
            Source::Gguf { paths, .. } => paths.first().map(|(_, path)| path.as_path()),
            Source::Embedded { .. } => None,
        }
    }

    /// Where a file lies; `None` if it lies nowhere.
    fn place(&self, name: &str) -> Option<PathBuf> {
        match &self.source {
            Source::Folder { path, .. } => Some(path.join(name)),
            Source::Gguf { paths, .. } => paths.iter().find(|(n, _)| n == name).map(|(_, path)| path.clone()),
            Source::Embedded { .. } => None,
        }
    }

    /// Names of GGUF files in the order in which they were given.
    pub(crate) fn names_in_order(&self) -> Vec<String> {
        match &self.source {
            Source::Gguf { paths, .. } => paths.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Names of the files in the folder itself, or of the files that were given, sorted.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if the folder cannot be listed.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = match &self.source {
            Source::Embedded { files, .. } => files.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Source::Gguf { paths, .. } => paths.iter().map(|(name, _)| name.clone()).collect(),
            Source::Folder { path, .. } => {
                let failed =
                    |e| Error::new(ErrorKind::Files, format!("{}: cannot be listed: {e}", path.display()));
                let entries = std::fs::read_dir(path).map_err(failed)?;
                let mut names = Vec::new();
                for entry in entries {
                    // A name that is not Unicode is none of a model's.
                    if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
                        names.push(name);
                    }
                }
                names
            }
        };
        names.sort();
        Ok(names)
    }

    /// Length of a file in bytes; `None` if there is no such file.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if it is there but is not a regular file, or may not be looked at.
    pub fn len(&self, name: &str) -> Result<Option<u64>> {
        if let Source::Embedded { files, .. } = &self.source {
            return Ok(files.iter().find(|(n, _)| *n == name).map(|(_, bytes)| bytes.len() as u64));
        }
        let Some(path) = self.place(name) else { return Ok(None) };
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
            Ok(_) => Err(self.failed(name, "expected a file, found something else")),
            // A link that leads nowhere is how a half-fetched model looks in the hub's cache: absent.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.failed(name, e)),
        }
    }

    /// The whole of a settings file; `None` if there is no such file.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if it cannot be read or is absurdly long.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(len) = self.len(name)? else { return Ok(None) };
        if len > MAX_WHOLE_BYTES {
            return Err(self.failed(name, format!("{len} bytes, expected at most {MAX_WHOLE_BYTES}")));
        }
        self.read_range(name, 0, len as usize).map(Some)
    }

    /// `len` bytes from `offset` on.
    ///
    /// # Errors
    /// As [`ModelFiles::read_into`], or memory that cannot be had.
    pub fn read_range(&self, name: &str, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| {
            Error::new(ErrorKind::Resources, format!("{self}: {name}: no memory for {len} bytes"))
        })?;
        bytes.resize(len, 0);
        self.read_into(name, offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if the file is missing, ends before, or cannot be read.
    pub fn read_into(&self, name: &str, offset: u64, bytes: &mut [u8]) -> Result<()> {
        match &self.source {
            Source::Embedded { files, .. } => {
                let whole = files.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes);
                let whole = whole.ok_or_else(|| self.failed(name, "no such file"))?;
                let start = usize::try_from(offset).ok();
                let range = start.and_then(|start| whole.get(start..start.checked_add(bytes.len())?));
                match range {
                    Some(range) => bytes.copy_from_slice(range),
                    None => return Err(self.ends_early(name, offset, bytes.len(), whole.len() as u64)),
                }
                Ok(())
            }
            Source::Folder { .. } | Source::Gguf { .. } => {
                let file = self.handle(name)?;
                read_at(&file, offset, bytes).map_err(|e| {
                    if e.kind() == std::io::ErrorKind::UnexpectedEof {
                        let len = file.metadata().map_or(0, |m| m.len());
                        return self.ends_early(name, offset, bytes.len(), len);
                    }
                    self.failed(name, e)
                })
            }
        }
    }

    /// Lets the system fetch what will be read soon. A place past the end is no error: files end somewhere.
    pub(crate) fn will_read(&self, name: &str, offset: u64, len: usize) {
        if let Source::Folder { .. } | Source::Gguf { .. } = &self.source {
            // What cannot be opened is an error where it is read.
            if let Ok(file) = self.handle(name) {
                lightbox_host::will_read(&file, offset, len);
            }
        }
    }

    /// The opened file; opened once, so that weights read in pieces come from one file even if it is replaced.
    fn handle(&self, name: &str) -> Result<Arc<File>> {
        let (Source::Folder { open, .. } | Source::Gguf { open, .. }) = &self.source else {
            return Err(self.failed(name, "no such file"));
        };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(name) {
            return Ok(Arc::clone(file));
        }
        // Only regular files: opening a pipe would wait for ever.
        let path = self.place(name).filter(|_| matches!(self.len(name), Ok(Some(_))));
        let path = path.ok_or_else(|| self.failed(name, "no such file"))?;
        let file = Arc::new(File::open(path).map_err(|e| self.failed(name, e))?);
        open.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn failed(&self, name: &str, what: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Files, format!("{self}: {name}: {what}"))
    }

    fn ends_early(&self, name: &str, offset: u64, len: usize, file_len: u64) -> Error {
        self.failed(name, format!("expected {len} bytes at {offset}, the file ends at {file_len}"))
            .hint("the file is damaged or incomplete; fetch it again")
    }
}

impl fmt::Display for ModelFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Folder { path, .. } => path.display().fmt(f),
            Source::Gguf { paths, .. } => match paths.first() {
                Some((_, path)) => path.display().fmt(f),
                None => f.write_str("no file"),
            },
            Source::Embedded { name, .. } => f.write_str(name),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut offset: u64, mut bytes: &mut [u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                offset += n as u64;
                bytes = &mut bytes[n..];
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    static EMBEDDED: &[(&str, &[u8])] = &[("config.json", b"{}"), ("model.safetensors", b"0123456789")];

    fn both() -> (tempfile::TempDir, [ModelFiles; 2]) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in EMBEDDED {
            std::fs::write(dir.path().join(name), bytes).expect("a small file");
        }
        let folder = ModelFiles::folder(dir.path()).expect("it was just made");
        (dir, [folder, ModelFiles::embedded("phantom", EMBEDDED)])
    }

    #[test]
    fn a_folder_and_embedded_files_read_the_same() {
        let (_dir, sources) = both();
        for files in sources {
            assert_eq!(files.names().expect("listed"), ["config.json", "model.safetensors"]);
            assert_eq!(files.len("model.safetensors").expect("there"), Some(10));
            assert_eq!(files.len("missing").expect("no error"), None);
            assert_eq!(files.read("config.json").expect("there").as_deref(), Some(b"{}".as_slice()));
            assert_eq!(files.read("missing").expect("no error"), None);
            assert_eq!(files.read_range("model.safetensors", 3, 4).expect("inside"), b"3456");
            assert_eq!(files.read_range("model.safetensors", 10, 0).expect("nothing"), b"");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_that_names_file_and_place() {
        let (_dir, sources) = both();
        for files in sources {
            let table: [(&str, u64, usize, &str); 4] = [
                ("model.safetensors", 8, 3, "model.safetensors: expected 3 bytes at 8, the file ends at 10"),
                ("model.safetensors", 1 << 40, 1, "the file ends at 10"),
                ("model.safetensors", u64::MAX, 1, "model.safetensors"),
                ("missing", 0, 1, "missing: no such file"),
            ];
            for (name, offset, len, message) in table {
                let error = files.read_range(name, offset, len).expect_err("outside");
                assert_eq!(error.kind(), ErrorKind::Files);
                assert!(error.to_string().contains(message), "{error}");
            }
        }
    }

    #[test]
    fn a_file_or_nothing_is_no_model_folder() {
        let (dir, _) = both();
        for (name, message) in [("config.json", "expected a folder"), ("nowhere", "no such model folder")] {
            let error = ModelFiles::folder(dir.path().join(name)).expect_err("not a folder");
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn a_directory_in_place_of_a_file_is_refused() {
        let (dir, [files, _]) = both();
        std::fs::create_dir(dir.path().join("tokenizer.json")).expect("made");
        let error = files.read("tokenizer.json").expect_err("a directory");
        assert!(error.to_string().contains("tokenizer.json: expected a file"), "{error}");
    }
}
