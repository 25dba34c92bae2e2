//! The hub's cache on this machine, as the hub's own tools lay it out.
//!
//! ```text
//! models--ORG--NAME/
//!   blobs/<etag>              the contents; <etag>.incomplete while they come
//!   snapshots/<commit>/<file> links to blobs
//!   refs/<revision>           the commit that a branch or tag stood for
//! ```

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::exit::{Code, Failure};
use crate::folders;

/// The id of a repository, such as `google/medgemma-1.5-4b-it`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    organisation: String,
    name: String,
}

impl Repo {
    /// Reads an id; its two words become part of paths, so nothing but plain names passes.
    ///
    /// # Errors
    /// [`Code::Usage`] if it is not `ORG/NAME`.
    pub fn parse(id: &str) -> Result<Self, Failure> {
        let plain = |word: &str| {
            !word.is_empty()
                && word.len() <= 96
                && !word.starts_with('.')
                && !word.contains("--")
                && !word.contains("..")
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        match id.split_once('/') {
            Some((organisation, name)) if plain(organisation) && plain(name) => {
                Ok(Self { organisation: organisation.to_owned(), name: name.to_owned() })
            }
            _ => Err(Failure::new(
                Code::Usage,
                format!("expected a repository ORG/NAME such as google/medgemma-1.5-4b-it, found `{id}`"),
            )),
        }
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organisation, self.name)
    }
}

/// Checks a branch, tag or commit: it becomes part of a path and of a URL.
///
/// # Errors
/// [`Code::Usage`] if it is not a plain name.
pub fn check_revision(revision: &str) -> Result<(), Failure> {
    let plain = |word: &str| {
        !word.is_empty()
            && word != "."
            && !word.contains("..")
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if revision.len() <= 200 && revision.split('/').all(plain) {
        return Ok(());
    }
    Err(Failure::new(Code::Usage, format!("expected a branch, tag or commit, found `{revision}`")))
}

/// Whether the environment forbids connections (`HF_HUB_OFFLINE`, read as the hub's own tools read it).
pub fn offline() -> bool {
    std::env::var("HF_HUB_OFFLINE")
        .is_ok_and(|value| matches!(value.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE"))
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
        let folder = root.join(format!("models--{}--{}", repo.organisation, repo.name));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_paths() {
        for id in ["google/medgemma-1.5-4b-it", "a/b", "A_1/b.c-d"] {
            assert_eq!(Repo::parse(id).expect(id).to_string(), id);
        }
        for id in ["", "a", "a/", "/b", "../b", "a/..", "a/b/c", "a--x/b", "a b/c", "a/b?x", "https://a/b"] {
            assert_eq!(Repo::parse(id).expect_err(id).code, Code::Usage, "{id}");
        }
        for revision in ["main", "v1.0", "refs/pr/1", "0123456789abcdef"] {
            check_revision(revision).expect(revision);
        }
        for revision in ["", "/", "a//b", "../x", "a/..", "a b", "a%2f", "."] {
            check_revision(revision).expect_err(revision);
        }
    }
}
