//! Writing to the hub's cache on this machine, so that the hub's own tools find the files too; `lightbox_models::hub`
//! says how it is laid out. What has not come whole is `blobs/<etag>.incomplete`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lightbox_models::hub::Repo;

use crate::exit::{Code, Failure};
use crate::folders;

/// The variable by which the environment forbids connections, read as the hub's own tools read them: the second counts
/// where the first is not set.
pub fn offline() -> Option<&'static str> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let name = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter().find(set)?;
    let value = std::env::var(name).unwrap_or_default().to_ascii_uppercase();
    matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE").then_some(name)
}

/// The part of the cache that belongs to one commit of one repository.
pub struct Cache {
    folder: PathBuf,
    commit: String,
}

impl Cache {
    /// The place of that commit; folders are made.
    ///
    /// # Errors
    /// [`Code::Usage`] without any home folder, [`Code::Output`] if a folder cannot be made.
    pub fn new(repo: &Repo, commit: &str) -> Result<Self, Failure> {
        let root = folders::hub_cache().ok_or_else(|| {
            Failure::new(
                Code::Usage,
                "there is no home folder for the hub's cache; say one with HF_HUB_CACHE",
            )
        })?;
        let folder = repo.folder(&root);
        let cache = Self { folder, commit: commit.to_owned() };
        for folder in [cache.folder.join("blobs"), cache.snapshot()] {
            fs::create_dir_all(&folder).map_err(|error| Failure::output(folder.display(), &error))?;
        }
        Ok(cache)
    }

    /// Where the contents with that tag lie.
    pub fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where the contents with that tag lie while they come.
    pub fn incomplete(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// The folder of the commit.
    pub fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshots").join(&self.commit)
    }

    /// Makes the commit's file `name` point to contents.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn link(&self, name: &str, etag: &str) -> Result<(), Failure> {
        let path = self.snapshot().join(name);
        let target = Path::new("../../blobs").join(etag);
        if fs::read_link(&path).is_ok_and(|found| found == target) {
            return Ok(());
        }
        let linked = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => link(&target, &self.blob(etag), &path),
        };
        linked.map_err(|error| Failure::output(path.display(), &error))
    }

    /// Writes down which commit a branch or tag stood for.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn name_revision(&self, revision: &str) -> Result<(), Failure> {
        if revision == self.commit {
            return Ok(());
        }
        let path = self.folder.join("refs").join(revision);
        write_whole(&path, self.commit.as_bytes()).map_err(|error| Failure::output(path.display(), &error))
    }
}

#[cfg(unix)]
fn link(target: &Path, _blob: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Links need a privilege on some systems; a hard link costs no space either.
#[cfg(not(unix))]
fn link(_target: &Path, blob: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(blob, path)
}

/// Writes a small file so that a reader sees the old or the new one, never a part.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = fs::File::create(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The error about the writing is what matters.
        let _ = fs::remove_file(&draft);
    }
    written
}
