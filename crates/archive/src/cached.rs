//! Cached entries of a study: what may go at any time and can be computed again.
//!
//! They lie beside the blobs of their study, sealed under its key as those are, and go with the study. Their names
//! begin with what they are (`image-`, `prefix-`), so that nothing takes them for a part of a record:
//!
//! ```text
//! <kind>-<name>-<model>   name: keyed hash of kind and purpose; model: keyed hash of the model, cut to 8 bytes
//! ```
//!
//! The time of a file is that of its last use. All entries of an installation together take at most a number of bytes
//! that the writer names; whole entries that were not used for longest make room.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::blob::{self, OVERHEAD_BYTES};
use crate::store::{Archive, Erased, LOCK_FILE, exists, list, remove};
use crate::{BlobName, Error, ErrorKind, MAX_BLOB_BYTES, Result, StudyId, disk, hex_name};

/// What a cached entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CachedKind {
    /// The soft tokens of a picture.
    Image,
    /// Keys and values of the beginning of a prompt.
    Prefix,
}

impl CachedKind {
    /// Where the codes of blobs end.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Image => 4,
            Self::Prefix => 5,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Prefix => "prefix",
        }
    }
}

hex_name!(
    /// Which model made an entry: equal for entries of one model, and says nothing of it without the install key.
    MakerTag,
    8
);

/// A cached entry as the file system shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedEntry {
    /// What it holds.
    pub kind: CachedKind,
    /// Its name.
    pub name: BlobName,
    /// Which model made it.
    pub maker: MakerTag,
    /// Its size on disk.
    pub size_bytes: u64,
    /// When it was last used.
    pub last_use: SystemTime,
}

impl CachedEntry {
    /// Reads the name of a file; `None` if it is none of a cached entry.
    pub(crate) fn parse(entry: &fs::DirEntry) -> Option<Self> {
        let file_name = entry.file_name();
        let (kind, rest) = file_name.to_str()?.split_once('-')?;
        let kind = [CachedKind::Image, CachedKind::Prefix].into_iter().find(|known| known.word() == kind)?;
        let (name, maker) = rest.split_once('-')?;
        let facts = entry.metadata().ok();
        Some(Self {
            kind,
            name: BlobName::parse(name)?,
            maker: MakerTag::parse(maker)?,
            size_bytes: facts.as_ref().map_or(0, fs::Metadata::len),
            // What does not say when it was used goes first.
            last_use: facts.and_then(|facts| facts.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }

    pub(crate) fn file_name(&self) -> String {
        file_name(self.kind, &self.name, &self.maker)
    }
}

fn file_name(kind: CachedKind, name: &BlobName, maker: &MakerTag) -> String {
    format!("{}-{name}-{maker}", kind.word())
}

impl Archive {
    /// By what the entries of a model are known.
    #[must_use]
    pub fn maker(&self, model: &str) -> MakerTag {
        let tag = self.authenticate("lightbox maker of cached entries v1", model.as_bytes());
        MakerTag::from_bytes(std::array::from_fn(|i| tag[i]))
    }

    /// The cached entry of this kind and purpose in a study, as it was kept, by whichever model; `None` if there is
    /// none. Counts as a use of it. No lock is taken: another process may remove it at any time.
    ///
    /// # Errors
    /// [`ErrorKind::Altered`] for an entry that is not what was kept: it was removed, where that is possible.
    /// [`ErrorKind::Io`].
    pub fn cached(&self, study: &StudyId, kind: CachedKind, purpose: &str) -> Result<Option<Vec<u8>>> {
        let name = self.cached_name(kind, purpose);
        let Some(path) = self.cached_path(study, kind, &name)? else { return Ok(None) };
        let sealed = match disk::read_limited(&path, (MAX_BLOB_BYTES + OVERHEAD_BYTES) as u64) {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::TooLarge => Vec::new(),
            Err(error) => return Err(error),
        };
        let opened = match self.key(study) {
            Ok(Some(key)) => blob::open(&sealed, &key, study, &name),
            // Without its key nobody can read it: an erasure is under way, or was interrupted.
            Ok(None) => Err(Error::new(ErrorKind::StudyKey, "the key of a cached entry is missing")),
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Err(error) => Err(error),
        };
        match opened {
            Ok((code, bytes)) if code == kind.code() => {
                // Where nothing can be written, nothing is evicted either.
                let _ = File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Ok(Some(bytes))
            }
            _ => {
                let _ = fs::remove_file(&path);
                Err(Error::new(
                    ErrorKind::Altered,
                    format!("a cached entry of study {study} was not what was kept, and was dropped"),
                ))
            }
        }
    }

    /// Keeps `bytes` in the study that these inputs make, in place of what was kept before. All entries of the
    /// installation together then take at most `limit_bytes`; those that were not used for longest go. Whether it was
    /// kept: without inputs there is no study to keep it in, and what is larger than the limit is not kept.
    ///
    /// It is whole when this returns, and not made durable: a crash may lose it.
    ///
    /// # Errors
    /// As [`Archive::put`]; nothing is left over.
    pub fn keep_cached(
        &self,
        inputs: &[[u8; 32]],
        kind: CachedKind,
        purpose: &str,
        maker: MakerTag,
        bytes: &[u8],
        limit_bytes: u64,
    ) -> Result<bool> {
        let needed = (bytes.len() + OVERHEAD_BYTES) as u64;
        if inputs.is_empty() || needed > limit_bytes {
            return Ok(false);
        }
        let _lock = disk::FileLock::take(self.root(), LOCK_FILE)?;
        let study = self.find_or_make(inputs)?;
        let kept = self.keep_in(&study, kind, purpose, maker, bytes, limit_bytes - needed);
        if kept.is_err() {
            let held = self.study(&study);
            if held.is_ok_and(|held| held.blobs.is_empty() && held.cached.is_empty()) && !self.has_key(&study)
            {
                // A study without anything is not worth a trace; what cannot be removed holds nothing.
                let _ = self.erase_folder(&study);
            }
        }
        kept.map(|()| true)
    }

    fn keep_in(
        &self,
        study: &StudyId,
        kind: CachedKind,
        purpose: &str,
        maker: MakerTag,
        bytes: &[u8],
        others_bytes: u64,
    ) -> Result<()> {
        let name = self.cached_name(kind, purpose);
        let folder = self.folder(study);
        disk::sweep(&folder);
        if let Some(before) = self.cached_path(study, kind, &name)? {
            remove(&before)?;
        }
        self.evict(others_bytes)?;
        let (key, is_new) = self.key_for_writing(study, &folder)?;
        let written = blob::seal(&key, study, kind.code(), &name, bytes)
            .and_then(|sealed| disk::write_uncommitted(&folder, &file_name(kind, &name, &maker), &sealed));
        if written.is_err() && is_new {
            let _ = remove(&folder.join(crate::store::KEY_FILE));
        }
        written
    }

    /// Removes entries that were not used for longest until the rest takes at most `limit_bytes`. Of prompts the ends go
    /// first, which were used last: without its beginning the rest of one is of no use. Studies stay, also
    /// those that hold nothing any more: whether a key may go is not for this room to know. The caller holds the lock.
    fn evict(&self, limit_bytes: u64) -> Result<()> {
        let mut all: Vec<(SystemTime, Reverse<SystemTime>, u64, PathBuf)> = Vec::new();
        for study in self.studies()? {
            let folder = self.folder(&study.id);
            let prompts = study.cached.iter().filter(|entry| entry.kind == CachedKind::Prefix);
            let last_prompt = prompts.map(|entry| entry.last_use).max();
            all.extend(study.cached.iter().map(|entry| {
                let own = entry.last_use;
                let last_use =
                    if entry.kind == CachedKind::Prefix { last_prompt.unwrap_or(own) } else { own };
                (last_use, Reverse(own), entry.size_bytes, folder.join(entry.file_name()))
            }));
        }
        let mut total: u64 = all.iter().map(|(_, _, size_bytes, _)| size_bytes).sum();
        all.sort();
        for (_, _, size_bytes, path) in all {
            if total <= limit_bytes {
                break;
            }
            remove(&path)?;
            total -= size_bytes;
        }
        Ok(())
    }

    /// Forgets the entry of this kind and purpose in a study; what is not there is no error.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn drop_cached(&self, study: &StudyId, kind: CachedKind, purpose: &str) -> Result<()> {
        match self.cached_path(study, kind, &self.cached_name(kind, purpose))? {
            None => Ok(()),
            Some(path) => remove(&path),
        }
    }

    /// Erases the cached entries of a study, those of one model or all; its key, its label and its blobs stay.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file that could not be removed; call again to finish.
    pub fn erase_cached(&self, study: &StudyId, of: Option<MakerTag>) -> Result<Erased> {
        let _lock = disk::FileLock::take(self.root(), LOCK_FILE)?;
        let folder = self.folder(study);
        let mut erased = Erased::default();
        for entry in self.study(study)?.cached {
            if of.is_none_or(|maker| maker == entry.maker) {
                remove(&folder.join(entry.file_name()))?;
                erased.cached += 1;
                erased.size_bytes += entry.size_bytes;
            }
        }
        if erased.cached > 0 {
            disk::sweep(&folder);
            disk::sync_folder(&folder)?;
        }
        Ok(erased)
    }

    /// Whether this study still belongs to these inputs: it may have been erased since it was looked for.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn is_of(&self, study: &StudyId, inputs: &[[u8; 32]]) -> Result<bool> {
        exists(&self.folder(study).join(self.label_file(inputs)))
    }

    fn cached_name(&self, kind: CachedKind, purpose: &str) -> BlobName {
        self.keys.name(kind.code(), purpose)
    }

    /// The file of an entry, whichever model made it.
    fn cached_path(&self, study: &StudyId, kind: CachedKind, name: &BlobName) -> Result<Option<PathBuf>> {
        let folder = self.folder(study);
        let start = format!("{}-{name}-", kind.word());
        let found = list(&folder)?.into_iter().map(|entry| entry.file_name());
        let found = found.filter_map(|name| name.into_string().ok()).find(|name| name.starts_with(&start));
        Ok(found.map(|name| folder.join(name)))
    }
}
