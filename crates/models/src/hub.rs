//! Models in the Hugging Face hub's cache on this machine, as the hub's own tools lay it out. Nothing is fetched here.
//!
//! ```text
//! models--ORG--NAME/
//!   blobs/<etag>              the contents
//!   snapshots/<commit>/<file> links to blobs: a folder in Hugging Face layout
//!   refs/<revision>           the commit that a branch or tag stood for
//! ```

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest word of an id, as the hub has it.
const MAX_WORD: usize = 96;
/// Longest name of a branch, tag or commit.
const MAX_REVISION: usize = 200;

/// The id of a repository, such as `google/medgemma-1.5-4b-it`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repo {
    organisation: String,
    name: String,
}

impl Repo {
    /// Reads `ORG/NAME`; `None` if it is none. Both words become parts of paths, so nothing but plain names passes.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let is_plain = |word: &str| {
            is_plain(word) && word.len() <= MAX_WORD && !word.starts_with('.') && !word.contains("--")
        };
        let (organisation, name) = id.split_once('/')?;
        (is_plain(organisation) && is_plain(name))
            .then(|| Self { organisation: organisation.to_owned(), name: name.to_owned() })
    }

    /// Its folder in the hub's cache, whether it is there or not.
    #[must_use]
    pub fn folder(&self, cache: &Path) -> PathBuf {
        cache.join(format!("models--{}--{}", self.organisation, self.name))
    }

    /// The folder in Hugging Face layout of a branch, tag or commit; `None` if it is not in the cache.
    #[must_use]
    pub fn snapshot(&self, cache: &Path, revision: &str) -> Option<PathBuf> {
        if !is_revision(revision) {
            return None;
        }
        let folder = self.folder(cache);
        let commit = fs::read_to_string(folder.join("refs").join(revision)).ok();
        let commit = commit.as_deref().map_or(revision, str::trim);
        let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(folder.join("snapshots").join(commit)).filter(|snapshot| is_commit && snapshot.is_dir())
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organisation, self.name)
    }
}

/// Whether this can be a branch, tag or commit: it becomes part of a path and of a URL.
#[must_use]
pub fn is_revision(revision: &str) -> bool {
    revision.len() <= MAX_REVISION && revision.split('/').all(|word| is_plain(word) && word != ".")
}

fn is_plain(word: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !word.is_empty() && !word.contains("..") && word.bytes().all(is_plain)
}

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cached {
    /// Its repository.
    pub repo: Repo,
    /// The branch or tag.
    pub revision: String,
    /// The folder in Hugging Face layout.
    pub folder: PathBuf,
}

/// The models in a cache, one entry a branch or tag that leads to a folder, in order of their names.
#[must_use]
pub fn cached(cache: &Path) -> Vec<Cached> {
    let mut found = Vec::new();
    for entry in entries(cache) {
        let words = entry.strip_prefix("models--").and_then(|id| id.split_once("--"));
        let repo = words.and_then(|(organisation, name)| Repo::parse(&format!("{organisation}/{name}")));
        let Some(repo) = repo else { continue };
        for revision in entries(&repo.folder(cache).join("refs")) {
            if let Some(folder) = repo.snapshot(cache, &revision) {
                found.push(Cached { repo: repo.clone(), revision, folder });
            }
        }
    }
    found.sort();
    found
}

/// Names in a folder; none if it cannot be read.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The home of the hub's own tools: `HF_HOME`, `$XDG_CACHE_HOME/huggingface`, `~/.cache/huggingface`.
///
/// `lookup` reads the environment, such as `|name| std::env::var_os(name)`; empty variables count as unset. `None` if
/// none of them, nor `HOME`, is set.
pub fn home_folder(lookup: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("HF_HOME").or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        cache.map(|cache| cache.join("huggingface"))
    })
}

/// The hub's cache: `HF_HUB_CACHE`, else `hub` in [`home_folder`].
pub fn cache_folder(lookup: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    lookup("HF_HUB_CACHE")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| home_folder(&lookup).map(|home| home.join("hub")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn repo(id: &str) -> Repo {
        Repo::parse(id).expect("a plain id")
    }

    fn cache() -> tempfile::TempDir {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = repo("org/model-a").folder(cache.path());
        for path in
            [folder.join("snapshots").join(COMMIT), folder.join("refs"), cache.path().join("datasets--a--b")]
        {
            fs::create_dir_all(path).expect("inside the temporary folder");
        }
        fs::write(folder.join("refs/main"), COMMIT).expect("inside the temporary folder");
        fs::write(folder.join("refs/gone"), "f".repeat(40)).expect("inside the temporary folder");
        fs::write(folder.join("refs/evil"), "../../..").expect("inside the temporary folder");
        cache
    }

    #[test]
    fn only_plain_names_become_paths() {
        for id in ["google/medgemma-1.5-4b-it", "a/b", "A_1/b.c-d"] {
            assert_eq!(repo(id).to_string(), id);
        }
        for id in
            ["", "a", "a/", "/b", "../b", "a/..", "a/b/c", "a--x/b", "a b/c", "a/b?x", "https://a/b", ".a/b"]
        {
            assert_eq!(Repo::parse(id), None, "{id}");
        }
        for revision in ["main", "v1.0", "refs/pr/1", COMMIT] {
            assert!(is_revision(revision), "{revision}");
        }
        for revision in ["", "/", "a//b", "../x", "a/..", "a b", "a%2f", ".", "a/./b"] {
            assert!(!is_revision(revision), "{revision}");
        }
    }

    #[test]
    fn a_revision_leads_to_the_commit_that_it_stands_for() {
        let cache = cache();
        let expected = cache.path().join("models--org--model-a/snapshots").join(COMMIT);
        for revision in ["main", COMMIT] {
            assert_eq!(repo("org/model-a").snapshot(cache.path(), revision).as_ref(), Some(&expected));
        }
        for revision in ["gone", "evil", "v2", "../snapshots"] {
            assert_eq!(repo("org/model-a").snapshot(cache.path(), revision), None, "{revision}");
        }
        assert_eq!(repo("org/model-b").snapshot(cache.path(), "main"), None);
    }

    #[test]
    fn only_models_that_lead_somewhere_are_listed() {
        let cache = cache();
        let [found] = &cached(cache.path())[..] else {
            panic!("one model with one branch that leads somewhere")
        };
        assert_eq!((found.repo.to_string().as_str(), found.revision.as_str()), ("org/model-a", "main"));
        assert!(cached(&cache.path().join("absent")).is_empty());
    }

    #[test]
    fn the_first_variable_that_counts_decides() {
        let folder = |variables: &[(&str, &str)]| {
            cache_folder(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        let all = [("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/u")];
        for (n_unset, expected) in
            ["/c", "/h/hub", "/x/huggingface/hub", "/u/.cache/huggingface/hub"].iter().enumerate()
        {
            assert_eq!(folder(&all[n_unset..]), Some(PathBuf::from(expected)));
        }
        assert_eq!(folder(&[("HF_HUB_CACHE", ""), ("HF_HOME", "/h")]), Some("/h/hub".into()));
        assert_eq!(folder(&[]), None);
    }
}
