//! The archive itself: studies, their keys and their blobs.

use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::blob::{self, OVERHEAD_BYTES, StudyKey};
use crate::cached::CachedEntry;
use crate::keys::{InstallKeys, WRAPPED_BYTES};
use crate::{BlobKind, BlobName, Error, ErrorKind, MAX_BLOB_BYTES, Result, StudyId, disk, hex};

pub(crate) const KEY_FILE: &str = "key";
pub(crate) const LOCK_FILE: &str = "archive.lock";
/// Before the label in the name of the file by which a study is found.
const LABEL_PREFIX: &str = "inputs-";

/// A folder of encrypted studies.
pub struct Archive {
    root: PathBuf,
    studies: PathBuf,
    pub(crate) keys: InstallKeys,
}

/// A blob as the file system shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its name.
    pub name: BlobName,
    /// Its size on disk.
    pub size_bytes: u64,
}

/// A study as the file system shows it: what its erasure would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyEntry {
    /// Its id.
    pub id: StudyId,
    /// Its blobs, by name.
    pub blobs: Vec<BlobEntry>,
    /// Its cached entries, in no particular order.
    pub cached: Vec<CachedEntry>,
}

/// What an erasure removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Whether a study's key was removed.
    pub key: bool,
    /// Blobs removed.
    pub blobs: usize,
    /// Cached entries removed.
    pub cached: usize,
    /// Bytes on disk that both took.
    pub size_bytes: u64,
}

impl Archive {
    /// Opens the archive under `root`, and makes folder and install key on first use.
    ///
    /// # Errors
    /// [`ErrorKind::DataFolder`] if the folder cannot be made; [`ErrorKind::InstallKey`] if the key is missing
    /// beside data, readable by others, or not 32 bytes; [`ErrorKind::DiskFull`]; [`ErrorKind::Io`].
    pub fn open(root: &Path) -> Result<Self> {
        let studies = root.join("studies");
        disk::private_folder(&studies)?;
        let _lock = disk::FileLock::take(root, LOCK_FILE)?;
        let has_studies = fs::read_dir(&studies)
            .map_err(|error| disk::full_or_io(&error, "listing", &studies))?
            .next()
            .is_some();
        let keys = InstallKeys::load_or_make(root, has_studies)?;
        Ok(Self { root: root.to_owned(), studies, keys })
    }

    /// Opens the archive under `root` to be read: nothing is made, written or locked, so that a folder that cannot be
    /// written, such as a backup, can be read. `None` if there is neither install key nor study.
    ///
    /// # Errors
    /// [`ErrorKind::InstallKey`] as for [`Archive::open`]; [`ErrorKind::Io`] if the folder cannot be read.
    pub fn open_to_read(root: &Path) -> Result<Option<Self>> {
        let studies = root.join("studies");
        let has_studies = !list(&studies)?.is_empty();
        let keys = InstallKeys::load(root, has_studies)?;
        Ok(keys.map(|keys| Self { root: root.to_owned(), studies, keys }))
    }

    /// The study that these inputs make, if it is there: SHA-256 digests of the files, in any order, repetitions
    /// ignored. Every study's folder is looked into. Without inputs there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn study_of(&self, inputs: &[[u8; 32]]) -> Result<Option<StudyId>> {
        if inputs.is_empty() {
            return Ok(None);
        }
        let label = self.label_file(inputs);
        for entry in list(&self.studies)? {
            if let Some(id) = entry.file_name().to_str().and_then(StudyId::parse)
                && exists(&entry.path().join(&label))?
            {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// As [`Archive::study_of`]; a study that is not there is made, with a random id, and has yet to be given a blob.
    /// Without inputs each is a new one that is never found by them.
    ///
    /// # Errors
    /// [`ErrorKind::DiskFull`], with nothing left over; [`ErrorKind::DataFolder`]; [`ErrorKind::Io`].
    pub fn study_for(&self, inputs: &[[u8; 32]]) -> Result<StudyId> {
        let _lock = disk::FileLock::take(&self.root, LOCK_FILE)?;
        self.find_or_make(inputs)
    }

    /// As [`Archive::study_for`]; the caller holds the lock.
    pub(crate) fn find_or_make(&self, inputs: &[[u8; 32]]) -> Result<StudyId> {
        if let Some(study) = self.study_of(inputs)? {
            return Ok(study);
        }
        let study = StudyId::from_bytes(disk::random()?);
        if !inputs.is_empty() {
            let folder = self.folder(&study);
            disk::private_folder(&folder)?;
            if let Err(error) = disk::write_whole(&folder, &self.label_file(inputs), &[]) {
                let _ = fs::remove_dir(&folder);
                return Err(error);
            }
        }
        Ok(study)
    }

    pub(crate) fn label_file(&self, inputs: &[[u8; 32]]) -> String {
        format!("{LABEL_PREFIX}{}", hex::encode(&self.keys.label(inputs)))
    }

    /// The name of the blob of this kind and purpose. The same purpose has the same name in every study: make
    /// purposes unique, such as by a random record id, where that would tell something.
    #[must_use]
    pub fn name(&self, kind: BlobKind, purpose: &str) -> BlobName {
        self.keys.blob_name(kind, purpose)
    }

    /// The data folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A tag over `message` (HMAC-SHA-256) that only a holder of the install key can make; `purpose` keeps the
    /// tags of different uses apart.
    #[must_use]
    pub fn authenticate(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        self.keys.authenticate(purpose, message)
    }

    /// Stores a blob under the name of its kind and purpose. It is on disk, whole, when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]; [`ErrorKind::TooLarge`]; [`ErrorKind::StudyKey`]; [`ErrorKind::DiskFull`], with
    /// nothing left half-written; [`ErrorKind::Io`].
    pub fn put(&self, study: &StudyId, kind: BlobKind, purpose: &str, bytes: &[u8]) -> Result<BlobName> {
        let name = self.name(kind, purpose);
        let folder = self.folder(study);
        let _lock = disk::FileLock::take(&self.root, LOCK_FILE)?;
        disk::private_folder(&folder)?;
        disk::sweep(&folder);
        let (key, is_new) = self.key_for_writing(study, &folder)?;
        let written = self.write_blob(&folder, &key, study, kind, &name, bytes);
        if written.is_err() && is_new {
            // A study without a blob is not worth a trace; what cannot be removed holds nothing.
            let _ = self.erase_folder(study);
        }
        written.map(|()| name)
    }

    fn write_blob(
        &self,
        folder: &Path,
        key: &StudyKey,
        study: &StudyId,
        kind: BlobKind,
        name: &BlobName,
        bytes: &[u8],
    ) -> Result<()> {
        let file_name = name.to_string();
        let path = folder.join(&file_name);
        if exists(&path)? {
            return Err(Error::new(
                ErrorKind::Exists,
                format!("blob {name} of study {study} exists already"),
            )
            .hint("blobs are never overwritten; erase it first"));
        }
        let sealed = blob::seal_blob(key, study, kind, name, bytes)?;
        disk::write_whole(folder, &file_name, &[&sealed])
    }

    /// Reads a blob back, exactly as it was stored.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`]; [`ErrorKind::StudyKey`]; [`ErrorKind::Altered`] for a single changed bit;
    /// [`ErrorKind::TooLarge`]; [`ErrorKind::Io`].
    pub fn get(&self, study: &StudyId, name: &BlobName) -> Result<Vec<u8>> {
        let path = self.folder(study).join(name.to_string());
        let sealed =
            disk::read_limited(&path, (MAX_BLOB_BYTES + OVERHEAD_BYTES) as u64)?.ok_or_else(|| {
                Error::new(ErrorKind::Missing, format!("blob {name} of study {study} is not in the archive"))
                    .hint("it was erased, or removed by hand")
            })?;
        let key = self.key(study)?.ok_or_else(|| {
            Error::new(ErrorKind::StudyKey, format!("the key of study {study} is missing"))
                .hint("an erasure was interrupted: erase the records of the study again; or restore `key` from a backup")
        })?;
        blob::open_blob(&sealed, &key, study, name).map(|(_, bytes)| bytes)
    }

    /// Whether a blob is there, unread.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn contains(&self, study: &StudyId, name: &BlobName) -> Result<bool> {
        exists(&self.folder(study).join(name.to_string()))
    }

    /// Every study and what it holds, by id. Unfinished and foreign files are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn studies(&self) -> Result<Vec<StudyEntry>> {
        let mut studies = Vec::new();
        for entry in list(&self.studies)? {
            if let Some(id) = entry.file_name().to_str().and_then(StudyId::parse) {
                studies.push(self.study(&id)?);
            }
        }
        studies.sort_by_key(|study| study.id);
        Ok(studies)
    }

    /// What one study holds; nothing if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn study(&self, id: &StudyId) -> Result<StudyEntry> {
        let folder = self.folder(id);
        let (mut blobs, mut cached) = (Vec::new(), Vec::new());
        for entry in list(&folder)? {
            if let Some(name) = entry.file_name().to_str().and_then(BlobName::parse) {
                let size_bytes = entry.metadata().map_or(0, |facts| facts.len());
                blobs.push(BlobEntry { name, size_bytes });
            } else {
                cached.extend(CachedEntry::parse(&entry));
            }
        }
        blobs.sort_by_key(|blob| blob.name);
        Ok(StudyEntry { id: *id, blobs, cached })
    }

    pub(crate) fn erase_folder(&self, study: &StudyId) -> Result<Erased> {
        let folder = self.folder(study);
        let key = erase_key(&folder.join(KEY_FILE))?;
        let mut erased = Erased { key, ..Erased::default() };
        for entry in list(&folder)? {
            let size_bytes = entry.metadata().map_or(0, |facts| facts.len());
            let is_blob = entry.file_name().to_str().and_then(BlobName::parse).is_some();
            let is_cached = CachedEntry::parse(&entry).is_some();
            remove(&entry.path())?;
            if is_blob || is_cached {
                erased.blobs += usize::from(is_blob);
                erased.cached += usize::from(is_cached);
                erased.size_bytes += size_bytes;
            }
        }
        match fs::remove_dir(&folder) {
            Ok(()) => disk::sync_folder(&self.studies)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(disk::full_or_io(&error, "removing", &folder)),
        }
        Ok(erased)
    }

    /// Erases some blobs of a study; with its last blob the study goes, its key first, so that a crash in between
    /// leaves only what nobody can read. Its cached entries go with it. A study without blobs goes whatever is named. What is not there is no error.
    ///
    /// What remains of a removed file on the medium stays decryptable while the study's key is there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], naming the file that could not be removed; call again to finish.
    pub fn erase_blobs(&self, study: &StudyId, names: &[BlobName]) -> Result<Erased> {
        let _lock = disk::FileLock::take(&self.root, LOCK_FILE)?;
        let folder = self.folder(study);
        let present = if folder.exists() { self.study(study)?.blobs } else { return Ok(Erased::default()) };
        if present.iter().all(|blob| names.contains(&blob.name)) {
            return self.erase_folder(study);
        }
        // What a killed writer left unfinished may be of the blobs that go.
        disk::sweep(&folder);
        let mut erased = Erased::default();
        for blob in present.iter().filter(|blob| names.contains(&blob.name)) {
            remove(&folder.join(blob.name.to_string()))?;
            erased.blobs += 1;
            erased.size_bytes += blob.size_bytes;
        }
        disk::sync_folder(&folder)?;
        Ok(erased)
    }

    pub(crate) fn folder(&self, study: &StudyId) -> PathBuf {
        self.studies.join(study.to_string())
    }

    pub(crate) fn key(&self, study: &StudyId) -> Result<Option<StudyKey>> {
        // A longer file is refused by `unwrap`, which names its length.
        disk::read_limited(&self.folder(study).join(KEY_FILE), 2 * WRAPPED_BYTES as u64)?
            .map(|file| self.keys.unwrap(study, &file))
            .transpose()
    }

    /// Whether the study has a key, unread.
    pub(crate) fn has_key(&self, study: &StudyId) -> bool {
        self.folder(study).join(KEY_FILE).exists()
    }

    /// The study's key and whether it was just made.
    pub(crate) fn key_for_writing(&self, study: &StudyId, folder: &Path) -> Result<(StudyKey, bool)> {
        if let Some(key) = self.key(study)? {
            return Ok((key, false));
        }
        if !self.study(study)?.blobs.is_empty() {
            return Err(Error::new(
                ErrorKind::StudyKey,
                format!("the key of study {study} is missing while blobs of it remain"),
            )
            .hint("an erasure was interrupted: erase the records of the study again; or restore `key` from a backup"));
        }
        let key = StudyKey::random()?;
        if let Err(error) = disk::write_whole(folder, KEY_FILE, &[&self.keys.wrap(study, &key)?]) {
            let _ = self.erase_folder(study);
            return Err(error);
        }
        disk::sync_folder(&self.studies)?;
        Ok((key, true))
    }
}

pub(crate) fn list(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            entries.collect::<io::Result<_>>().map_err(|error| disk::full_or_io(&error, "listing", folder))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(disk::full_or_io(&error, "listing", folder)),
    }
}

pub(crate) fn exists(path: &Path) -> Result<bool> {
    fs::exists(path).map_err(|error| disk::full_or_io(&error, "looking for", path))
}

pub(crate) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| disk::full_or_io(&error, "removing", path))
}

/// Overwrites and removes a key file; whether there was one. Overwriting reaches the medium only where the file
/// system and the disk write in place, but costs nothing.
fn erase_key(path: &Path) -> Result<bool> {
    let mut file = match fs::OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(disk::full_or_io(&error, "erasing", path)),
    };
    // Removing is what counts; a medium that refuses the overwriting must not keep the key.
    let _ = file.rewind().and_then(|()| file.write_all(&[0; WRAPPED_BYTES])).and_then(|()| file.sync_all());
    drop(file);
    remove(path)?;
    if let Some(folder) = path.parent() {
        disk::sync_folder(folder)?;
    }
    Ok(true)
}
