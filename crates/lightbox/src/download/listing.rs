//! What a repository holds, and which of it a model needs.

use lightbox_models::hub::Repo;
use serde_json::Value;

use super::client::Client;
use super::{failed, transfer};
use crate::exit::Failure;

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name: one plain word, no folders.
    pub name: String,
    /// Its length as the hub lists it.
    pub size_bytes: u64,
    /// Its SHA-256 as the hub lists it; only large files have one.
    pub sha256: Option<String>,
}

/// A repository at one commit.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The files that a model needs, small ones first, so that a broken configuration shows before gigabytes came.
    pub files: Vec<RemoteFile>,
}

/// Asks the hub for a repository's files at a revision.
///
/// # Errors
/// As [`super::fetch`].
pub fn get(client: &Client, repo: &Repo, revision: &str) -> Result<Listing, Failure> {
    let value = transfer::persist(|| client.listing(repo, revision))?;
    read(&value, repo)
}

fn read(value: &Value, repo: &Repo) -> Result<Listing, Failure> {
    let commit = value["sha"].as_str().unwrap_or_default();
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(failed(format!("the hub's listing of {repo} names no commit")));
    }
    let siblings = value["siblings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut files = Vec::new();
    for sibling in siblings {
        let name = sibling["rfilename"].as_str().unwrap_or_default();
        if !is_needed(name) {
            continue;
        }
        let size_bytes = sibling["lfs"]["size"].as_u64().or_else(|| sibling["size"].as_u64());
        let size_bytes =
            size_bytes.ok_or_else(|| failed(format!("the hub's listing of {repo} has no size of {name}")))?;
        let sha256 = sibling["lfs"]["sha256"].as_str().map(str::to_ascii_lowercase);
        files.push(RemoteFile { name: name.to_owned(), size_bytes, sha256 });
    }
    if !files.iter().any(|file| file.name.ends_with(".safetensors")) {
        let message = "holds no safetensors weights; choose the repository of the original model";
        return Err(failed(format!("{repo} {message}")));
    }
    files.sort_by(|a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name)));
    Ok(Listing { commit: commit.to_owned(), files })
}

/// Weights, settings, chat template and tokenizer, in the repository's own folder.
fn is_needed(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let stem = [".safetensors", ".json", ".jinja"].iter().find_map(|ending| name.strip_suffix(ending));
    plain
        && !name.starts_with('.')
        && (stem.is_some_and(|stem| !stem.is_empty()) || name == "tokenizer.model")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repo() -> Repo {
        Repo::parse("a/b").expect("a plain id")
    }

    #[test]
    fn only_what_a_model_needs_is_fetched_small_files_first() {
        let value = json!({"sha": "a".repeat(40), "siblings": [
            {"rfilename": "model.safetensors", "size": 900, "lfs": {"size": 900, "sha256": "F".repeat(64)}},
            {"rfilename": "config.json", "size": 10, "blobId": "b"},
            {"rfilename": "chat_template.jinja", "size": 5},
            {"rfilename": "tokenizer.model", "size": 20},
            {"rfilename": "README.md", "size": 1},
            {"rfilename": ".gitattributes", "size": 1},
            {"rfilename": "onnx/model.safetensors", "size": 1},
            {"rfilename": "../evil.json", "size": 1},
            {"rfilename": ".json", "size": 1}
        ]});
        let listing = read(&value, &repo()).expect("a listing");
        let names: Vec<_> = listing.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["chat_template.jinja", "config.json", "tokenizer.model", "model.safetensors"]);
        assert_eq!(listing.files[3].sha256.as_deref(), Some("f".repeat(64).as_str()));
    }

    #[test]
    fn a_listing_that_cannot_be_trusted_is_refused() {
        let weights = json!([{"rfilename": "model.safetensors", "size": 1}]);
        for (value, fault) in [
            (json!({}), "no commit"),
            (json!({"sha": "../../x", "siblings": weights}), "no commit"),
            (json!({"sha": "a".repeat(40), "siblings": []}), "no safetensors"),
            (json!({"sha": "a".repeat(40), "siblings": [{"rfilename": "model.safetensors"}]}), "no size"),
        ] {
            let message = read(&value, &repo()).expect_err(fault).message;
            assert!(message.contains(fault), "{message}");
        }
    }
}
