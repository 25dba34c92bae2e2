//! The one outgoing connection of the program: model files from the Hugging Face hub.
//!
//! [`terms`] come first, then [`listing`] says what a repository holds at one commit, [`transfer`] brings each file
//! into the hub's cache layout ([`cache`]), whole and checked. [`client`] speaks HTTP and knows where a token may go.

mod cache;
mod checksum;
mod client;
mod listing;
mod terms;
mod token;
mod transfer;

use std::path::PathBuf;

use lightbox_models::hub::Repo;
use serde::Serialize;

use crate::exit::{Code, Failure};
use crate::terminal::{self, Progress};

pub use cache::offline;
pub use terms::Terms;
pub use token::Token;

/// What is fetched, and from where.
pub struct Wish {
    /// The repository.
    pub repo: Repo,
    /// A branch, tag or commit.
    pub revision: String,
    /// Proves to the hub who asks.
    pub token: Option<Token>,
}

/// What lies in the cache after a download.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// The repository's id.
    pub repo: String,
    /// What was asked for.
    pub revision: String,
    /// The commit that it stands for.
    pub commit: String,
    /// The folder in Hugging Face layout.
    pub folder: PathBuf,
    /// The files, by name.
    pub files: Vec<FetchedFile>,
}

/// A file in the cache.
#[derive(Debug, Serialize)]
pub struct FetchedFile {
    /// Its name in the repository.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// What it was checked against in this run: `sha256`; `git-sha1` for small files, which the hub names as git does;
    /// `size` for large ones that were there already.
    pub checked: &'static str,
    /// Whether it was there already.
    pub present: bool,
}

/// Fetches the files of a model that are not in the cache yet.
///
/// # Errors
/// [`Code::Policy`] where the hub refuses access, [`Code::Model`] where it does not have what is asked for, breaks
/// off for good or sends something else than it announced, [`Code::Output`] where the cache cannot be written.
pub fn fetch(wish: &Wish) -> Result<Fetched, Failure> {
    let client = client::Client::new(wish.token.clone())?;
    let listing = listing::get(&client, &wish.repo, &wish.revision)?;
    let cache = cache::Cache::new(&wish.repo, &listing.commit)?;
    let total: u64 = listing.files.iter().map(|file| file.size_bytes).sum();
    terminal::say(&format!(
        "{} at {}: {}, {}",
        wish.repo,
        listing.commit,
        terminal::count(listing.files.len(), "file"),
        terminal::size(total)
    ));
    let progress = Progress::bytes("download", total);
    let mut files = Vec::new();
    let mut done = 0;
    for file in &listing.files {
        progress.label(&file.name);
        let url = client.file_url(&wish.repo, &listing.commit, &file.name);
        let mut on_bytes = |bytes: u64| progress.set(done + bytes, total);
        files.push(transfer::bring(&client, &cache, file, &url, &mut on_bytes)?);
        done += file.size_bytes;
        progress.set(done, total);
    }
    // Only now: a name that points to a commit promises that all of it is there.
    cache.name_revision(&wish.revision)?;
    progress.clear();
    Ok(Fetched {
        repo: wish.repo.to_string(),
        revision: wish.revision.clone(),
        commit: listing.commit,
        folder: cache.snapshot(),
        files,
    })
}

/// An error of the hub or of what it sent.
fn failed(message: impl Into<String>) -> Failure {
    Failure::new(Code::Model, message)
}
