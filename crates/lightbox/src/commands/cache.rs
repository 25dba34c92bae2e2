//! `cache`: what reads left on disk so that the next need not compute it; to be seen and cleared.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lightbox_archive::Erased;
use lightbox_records::{CachedStudy, Records};
use serde::Serialize;

use crate::arguments::{DataArguments, OutputArguments};
use crate::caching::{VARIABLE, limit_bytes};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, count, print_json, size};

/// Show and clear what is cached of pictures and prompts
///
/// Pictures that went through the vision tower, and prompts where --keep-prefix asked, are kept in the data folder,
/// encrypted with their study's key. They can go at any time: the next read computes them again, with the same result.
/// They also go when a record of their study is erased.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox cache show
  lightbox cache show --json | jq .size_bytes
  lightbox cache clear
  LIGHTBOX_CACHE=off lightbox findings film.png    keeps nothing, uses nothing")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// What is cached, by study
    Show(Common),
    /// Erase all of it; records stay
    Clear(Common),
}

#[derive(Args, Debug)]
struct Common {
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    data: DataArguments,
}

/// What is cached in a data folder.
#[derive(Serialize)]
struct Shown {
    folder: PathBuf,
    /// How much all entries may take; `None` where the environment switched them off.
    limit_bytes: Option<u64>,
    size_bytes: u64,
    images: usize,
    prefixes: usize,
    studies: Vec<CachedStudy>,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    match &arguments.action {
        Action::Show(common) => show(common),
        Action::Clear(common) => clear(common),
    }
}

fn show(common: &Common) -> Result<Code, Failure> {
    let folder = folders::data(&common.data)?;
    let records = Records::open_to_read(&folder)?;
    let studies = records.map_or_else(|| Ok(Vec::new()), |records| records.cached())?;
    let shown = Shown {
        folder,
        limit_bytes: limit_bytes()?,
        size_bytes: studies.iter().map(|study| study.size_bytes).sum(),
        images: studies.iter().map(|study| study.images).sum(),
        prefixes: studies.iter().map(|study| study.prefixes).sum(),
        studies,
    };
    if common.output.json {
        print_json(&shown)?;
    } else {
        Output::new().write(&told(&shown))?;
    }
    Ok(Code::Done)
}

fn told(shown: &Shown) -> String {
    let limit = match shown.limit_bytes {
        Some(bytes) => format!("{} at most", size(bytes)),
        None => format!("switched off by {VARIABLE}"),
    };
    let mut text = format!(
        "folder    {}\nlimit     {limit}\ncached    {}, {}, {}\n",
        shown.folder.display(),
        size(shown.size_bytes),
        count(shown.images, "picture"),
        count(shown.prefixes, "part") + " of prompts",
    );
    for study in &shown.studies {
        text.push_str(&format!(
            "study     {}  {}  {}  {}  {}  last used {}\n",
            study.study,
            count(study.records, "record"),
            count(study.images, "picture"),
            count(study.prefixes, "part") + " of prompts",
            size(study.size_bytes),
            study.last_use
        ));
    }
    text
}

fn clear(common: &Common) -> Result<Code, Failure> {
    let erased = clear_of(&common.data, None)?;
    if common.output.json {
        print_json(&erased)?;
    } else {
        Output::new().write(&format!("erased {}\n", entries(&erased)))?;
    }
    Ok(Code::Done)
}

/// Erases what is cached, of one model, told by its digest, or of all. Nothing is made where there is nothing.
///
/// # Errors
/// [`Code::Output`] if something cannot be removed.
pub fn clear_of(data: &DataArguments, model: Option<&str>) -> Result<Erased, Failure> {
    let folder = folders::data(data)?;
    let Some(records) = Records::open_to_read(&folder)? else { return Ok(Erased::default()) };
    if records.cached()?.is_empty() {
        return Ok(Erased::default());
    }
    Ok(Records::open(&folder)?.clear_cached(model)?)
}

/// Cached entries that were erased, in words.
pub fn entries(erased: &Erased) -> String {
    let n = erased.cached;
    format!("{n} cached {}, {}", if n == 1 { "entry" } else { "entries" }, size(erased.size_bytes))
}
