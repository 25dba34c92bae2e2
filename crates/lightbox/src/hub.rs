//! Models in the hub's cache on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exit::{Code, Failure};

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// Its id, `ORG/NAME`.
    pub name: String,
    /// The branch or tag.
    pub revision: String,
    /// The folder in Hugging Face layout.
    pub folder: PathBuf,
}

/// The models under `cache`, one entry a branch or tag that leads to a folder, by name.
pub fn models(cache: &Path) -> Vec<CachedModel> {
    let mut found = Vec::new();
    for repo in entries(cache) {
        let id = repo.strip_prefix("models--").and_then(|id| id.split_once("--"));
        let Some((organisation, name)) = id else { continue };
        let folder = cache.join(&repo);
        for revision in entries(&folder.join("refs")) {
            if let Some(snapshot) = snapshot(&folder, &revision) {
                found.push(CachedModel {
                    name: format!("{organisation}/{name}"),
                    revision,
                    folder: snapshot,
                });
            }
        }
    }
    found.sort_by(|a, b| (&a.name, &a.revision).cmp(&(&b.name, &b.revision)));
    found
}

/// The folder of `ORG/NAME` or `ORG/NAME@REVISION` under `cache`.
///
/// # Errors
/// [`Code::Model`] if the name is none, or not in the cache; says what to do.
pub fn resolve(cache: &Path, name: &str) -> Result<PathBuf, Failure> {
    let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
    let plain = |word: &str| !word.is_empty() && !word.starts_with('.') && !word.contains(['/', '\\']);
    let words = id.split_once('/').filter(|(organisation, name)| plain(organisation) && plain(name));
    let Some((organisation, short)) = words.filter(|_| !revision.contains("..")) else {
        return Err(Failure::new(
            Code::Model,
            format!(
                "{name}: no such folder, and not a hub id such as google/medgemma-1.5-4b-it; see `lightbox models list`"
            ),
        ));
    };
    let folder = cache.join(format!("models--{organisation}--{short}"));
    snapshot(&folder, revision).ok_or_else(|| {
        let revision = if revision == "main" { String::new() } else { format!(" --revision {revision}") };
        Failure::new(
            Code::Model,
            format!(
                "{name}: not in the hub's cache ({}); fetch it with `lightbox models pull {id}{revision}`",
                cache.display()
            ),
        )
    })
}

/// The folder of a branch, tag or commit, if it is there.
fn snapshot(folder: &Path, revision: &str) -> Option<PathBuf> {
    let commit = fs::read_to_string(folder.join("refs").join(revision)).ok();
    let commit = commit.as_deref().map_or(revision, str::trim);
    let is_plain = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some(folder.join("snapshots").join(commit)).filter(|snapshot| is_plain && snapshot.is_dir())
}

/// Names in a folder; none if it cannot be read.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn cache() -> tempfile::TempDir {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let folder = cache.path().join("models--org--model-a");
        for path in
            [folder.join("snapshots").join(COMMIT), folder.join("refs"), cache.path().join("datasets--a--b")]
        {
            fs::create_dir_all(path).expect("inside the temporary folder");
        }
        fs::write(folder.join("refs/main"), COMMIT).expect("inside the temporary folder");
        fs::write(folder.join("refs/gone"), "f".repeat(40)).expect("inside the temporary folder");
        cache
    }

    #[test]
    fn a_name_leads_to_the_commit_that_its_revision_stands_for() {
        let cache = cache();
        let expected = cache.path().join("models--org--model-a/snapshots").join(COMMIT);
        for name in ["org/model-a", "org/model-a@main", &format!("org/model-a@{COMMIT}")] {
            assert_eq!(resolve(cache.path(), name).expect(name), expected);
        }
        for (name, word) in [
            ("org/model-b", "lightbox models pull org/model-b"),
            ("org/model-a@v2", "--revision v2"),
            ("org/model-a@gone", "not in the hub's cache"),
            ("org/model-a@../../x", "not a hub id"),
            ("model", "not a hub id"),
            ("a/b/c", "not a hub id"),
        ] {
            let message = resolve(cache.path(), name).expect_err(name).message;
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn only_models_that_lead_somewhere_are_listed() {
        let cache = cache();
        let found = models(cache.path());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].revision.as_str()), ("org/model-a", "main"));
        assert!(models(&cache.path().join("absent")).is_empty());
    }
}
