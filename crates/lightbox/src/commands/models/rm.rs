//! `models rm`: a fetched model leaves this machine, and with it what was made from it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use lightbox_archive::Erased;
use lightbox_models::hub::{Repo, is_revision};
use lightbox_models::{ModelFiles, ModelReport, phantom};
use serde::{Deserialize, Serialize};

use crate::arguments::{DataArguments, OutputArguments};
use crate::commands::cache::{clear_of, entries};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, print_json, say, size};

/// Remove a fetched model, its quantized copies, and what is cached of its reads
///
/// Takes ORG/NAME, all of it, or ORG/NAME@REVISION, that commit and the files that no other commit shares. Only what
/// lies in the hub's cache is removed, where `models pull` and the hub's own tools put it; a folder of your own is
/// yours to remove. Records stay: they can be shown, and replayed once the model is there again.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models rm google/medgemma-1.5-4b-it
  lightbox models rm google/medgemma-1.5-4b-it@main --yes --json")]
pub struct Arguments {
    /// The model, ORG/NAME or ORG/NAME@REVISION, as `models list` shows it
    #[arg(value_name = "NAME")]
    name: String,

    /// Remove it without asking
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    data: DataArguments,
}

#[derive(Serialize)]
struct Removed<'a> {
    name: &'a str,
    folder: &'a Path,
    size_bytes: u64,
    /// What was cached of reads with it.
    cached: Erased,
    /// Quantized copies of it.
    copies: usize,
    copies_bytes: u64,
}

/// What is to be removed.
struct Found {
    /// The repository's folder in the hub's cache.
    folder: PathBuf,
    /// The commits that go; all of them where the whole folder goes.
    snapshots: Vec<PathBuf>,
    is_whole: bool,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let name = &arguments.name;
    let found = find(name)?;
    let size_bytes = found.size_bytes();
    let question = format!("remove {name}, {} in {}", size(size_bytes), found.folder.display());
    if !arguments.yes && !ask(&question)? {
        return Err(Failure::new(Code::Usage, format!("{name} was not removed; add --yes to {question}")));
    }
    // While the files are there: they say by what the entries are known.
    let digests: HashSet<String> =
        found.snapshots.iter().flat_map(|snapshot| digests_in(snapshot, name)).collect();
    let copies: Vec<Copy> = digests.iter().flat_map(|digest| copies_of(digest)).collect();
    let copies_bytes = copies.iter().map(|copy| bytes_in(&copy.folder)).sum();
    let mut cached = Erased::default();
    for digest in digests.iter().chain(copies.iter().filter_map(|copy| copy.digest.as_ref())) {
        let more = clear_of(&arguments.data, Some(digest))?;
        cached.key |= more.key;
        cached.cached += more.cached;
        cached.size_bytes += more.size_bytes;
    }
    for Copy { folder, .. } in &copies {
        fs::remove_dir_all(folder).map_err(|error| Failure::output(folder.display(), &error))?;
    }
    found.remove().map_err(|error| Failure::output(found.folder.display(), &error))?;
    if arguments.output.json {
        let (folder, copies) = (&found.folder, copies.len());
        print_json(&Removed { name, folder, size_bytes, cached, copies, copies_bytes })?;
    } else {
        let mut text = format!("removed {name}, {}; {}", size(size_bytes), entries(&cached));
        if !copies.is_empty() {
            let copies = match copies.len() {
                1 => "1 quantized copy".to_owned(),
                n => format!("{n} quantized copies"),
            };
            text.push_str(&format!("; {copies}, {}", size(copies_bytes)));
        }
        Output::new().write(&(text + "\n"))?;
    }
    Ok(Code::Done)
}

/// Digests of the model in a snapshot, or of the models where several lie in it as GGUF. Where none can be had, what is
/// cached with it cannot be told from the rest, and that is said.
fn digests_in(snapshot: &Path, name: &str) -> Vec<String> {
    let one = |files: ModelFiles| ModelReport::of(&files, name).digest;
    let digests: Vec<String> = match ModelFiles::at(snapshot, None) {
        Ok(files) => one(files).into_iter().collect(),
        Err(_) => {
            let is_gguf = |path: &PathBuf| {
                path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
            };
            let each = paths(snapshot).into_iter().filter(is_gguf);
            each.filter_map(|path| one(ModelFiles::gguf(path, None).ok()?)).collect()
        }
    };
    if digests.is_empty() {
        say(&format!(
            "warning: {} is no whole model: what was cached of reads with it cannot be told and stays; `lightbox cache \
             clear` removes all that is cached",
            snapshot.display()
        ));
    }
    digests
}

fn find(name: &str) -> Result<Found, Failure> {
    if name == phantom::NAME {
        return Err(Failure::new(Code::Usage, "phantom is part of the program and cannot be removed"));
    }
    let (id, revision) = name.split_once('@').map_or((name, None), |(id, revision)| (id, Some(revision)));
    let repo = Repo::parse(id).filter(|_| revision.is_none_or(is_revision) && !Path::new(name).exists());
    let Some(repo) = repo else {
        return Err(Failure::new(
            Code::Usage,
            format!(
                "expected a model of the hub's cache, ORG/NAME, found `{name}`; other files and folders are yours to \
                 remove, and `lightbox cache clear` removes what is cached of reads"
            ),
        ));
    };
    let missing =
        || Failure::new(Code::Model, format!("{name} is not in the hub's cache; see `lightbox models list`"));
    let cache = folders::hub_cache().ok_or_else(missing)?;
    let folder = repo.folder(&cache);
    // A link would lead to a folder that is not the cache's own.
    if fs::symlink_metadata(&folder).is_ok_and(|facts| facts.is_symlink()) {
        return Err(Failure::new(
            Code::Usage,
            format!("{} is a link to a folder outside of the cache; remove it yourself", folder.display()),
        ));
    }
    let all: Vec<PathBuf> = paths(&folder.join("snapshots"));
    let snapshots = match revision {
        None => all.clone(),
        Some(revision) => vec![repo.snapshot(&cache, revision).ok_or_else(missing)?],
    };
    if !folder.is_dir() {
        return Err(missing());
    }
    let is_whole = all.iter().all(|snapshot| snapshots.contains(snapshot));
    Ok(Found { folder, snapshots, is_whole })
}

impl Found {
    /// Contents that go: all, or those that no commit that stays links to.
    fn blobs(&self) -> Vec<PathBuf> {
        let blobs = paths(&self.folder.join("blobs"));
        if self.is_whole {
            return blobs;
        }
        let of = |snapshot: &PathBuf| {
            let mut names = HashSet::new();
            linked(snapshot, &mut names);
            names
        };
        let stay =
            paths(&self.folder.join("snapshots")).into_iter().filter(|path| !self.snapshots.contains(path));
        let kept: HashSet<OsString> = stay.flat_map(|path| of(&path)).collect();
        let going: HashSet<OsString> = self.snapshots.iter().flat_map(of).collect();
        let goes = |blob: &PathBuf| {
            blob.file_name().is_some_and(|name| going.contains(name) && !kept.contains(name))
        };
        blobs.into_iter().filter(goes).collect()
    }

    fn size_bytes(&self) -> u64 {
        self.blobs().iter().filter_map(|blob| fs::symlink_metadata(blob).ok()).map(|facts| facts.len()).sum()
    }

    fn remove(&self) -> io::Result<()> {
        if self.is_whole {
            return fs::remove_dir_all(&self.folder);
        }
        let blobs = self.blobs();
        forget(&self.folder.join("refs"), &self.snapshots)?;
        for snapshot in &self.snapshots {
            fs::remove_dir_all(snapshot)?;
        }
        blobs.iter().try_for_each(fs::remove_file)
    }
}

/// A quantized copy of a model.
struct Copy {
    folder: PathBuf,
    /// What the copy itself is known by; `None` if it does not say.
    digest: Option<String>,
}

/// The quantized copies of the model with this digest.
fn copies_of(digest: &str) -> Vec<Copy> {
    #[derive(Deserialize)]
    struct Entry {
        digest: String,
    }
    let start = format!("{digest}-");
    let is_copy = |path: &PathBuf| {
        let named =
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start));
        // What is a link leads out of the cache.
        named && fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir())
    };
    let of = |folder: PathBuf| {
        let entry = fs::read(folder.join("entry.json")).ok();
        let entry = entry.and_then(|text| serde_json::from_slice::<Entry>(&text).ok());
        Copy { folder, digest: entry.map(|entry| entry.digest) }
    };
    folders::quantized_cache()
        .map(|cache| paths(&cache))
        .unwrap_or_default()
        .into_iter()
        .filter(is_copy)
        .map(of)
        .collect()
}

/// Bytes of the files in a folder and the folders in it.
fn bytes_in(folder: &Path) -> u64 {
    let of = |path: &PathBuf| match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => bytes_in(path),
        Ok(facts) => facts.len(),
        Err(_) => 0,
    };
    paths(folder).iter().map(of).sum()
}

/// Removes the branches and tags that stood for these commits; their names may have slashes.
fn forget(folder: &Path, snapshots: &[PathBuf]) -> io::Result<()> {
    for path in paths(folder) {
        if path.is_dir() {
            forget(&path, snapshots)?;
            continue;
        }
        let commit = fs::read_to_string(&path)?;
        if snapshots.iter().any(|snapshot| snapshot.ends_with(commit.trim())) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The names of the blobs to which a commit's files, folders within included, are links.
fn linked(folder: &Path, names: &mut HashSet<OsString>) {
    for path in paths(folder) {
        match fs::read_link(&path) {
            Ok(target) => names.extend(target.file_name().map(ToOwned::to_owned)),
            Err(_) => linked(&path, names),
        }
    }
}

/// What lies in a folder; nothing if it cannot be read.
fn paths(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Asks on the terminal; where there is none, nobody agrees.
fn ask(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    say(&format!("{question}? Type yes to remove it:"));
    let mut line = String::new();
    io::stderr()
        .flush()
        .and_then(|()| io::stdin().lock().read_line(&mut line))
        .map_err(|error| Failure::output("the terminal", &error))?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
