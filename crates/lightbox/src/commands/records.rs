//! `records`: what was recorded; to be listed, read, checked and erased.

use std::time::SystemTime;

use clap::{ArgGroup, Args, Subcommand};
use lightbox_records::{List, Record, Records, Report, State};

use super::read::DRAFT_NOTICE;
use super::shown;
use crate::arguments::{DataArguments, OutputArguments};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, count, notice, print_json, say};

/// What to do about parts that no record names.
pub const LEFTOVERS: &str =
    "a crash left parts of reads that were never recorded; `lightbox records erase --leftovers` removes them";
/// What to do about what is cached of reads that have no record.
pub const CACHED: &str =
    "what is cached of reads that were never recorded can go: `lightbox cache clear` removes it";
/// What to do about them while the log is broken.
const UNNAMED: &str = "while the log is broken, parts without an entry may belong to a record whose entry was removed: keep them";

/// List, show, check and erase records
///
/// A record says what was read, what the model was asked and shown, and what it answered. Its contents are encrypted;
/// the log of records holds digests and says nothing of a patient.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox records list
  lightbox records show 3f9a
  lightbox records verify            is everything as it was written?
  lightbox records erase 3f9a        its contents; that there was a record stays known
  lightbox records erase --leftovers what a crash left behind that belongs to no record")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// All records, oldest first
    List(Common),
    /// What a record says
    Show(One),
    /// Check the log and the contents of every record
    Verify(Common),
    /// Erase what a record says
    Erase(Erase),
}

#[derive(Args, Debug)]
struct Common {
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    data: DataArguments,
}

#[derive(Args, Debug)]
struct One {
    /// Id of the record, or its beginning
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).args(["id", "leftovers"]))]
struct Erase {
    /// Id of the record, or its beginning
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Erase what a crash left of reads that were never recorded, over all studies
    #[arg(long)]
    leftovers: bool,
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    match &arguments.action {
        Action::List(common) => list(common),
        Action::Show(one) => show(one),
        Action::Verify(common) => verify(common),
        Action::Erase(what) => erase(what),
    }
}

/// The records, to be read: nothing is made or written. `None` if there are none.
fn open(data: &DataArguments) -> Result<Option<Records>, Failure> {
    Ok(Records::open_to_read(&folders::data(data)?)?)
}

/// The record whose id begins so, and the records that it is of.
///
/// # Errors
/// As [`Records::get`].
pub fn find(data: &DataArguments, id: &str) -> Result<(Records, Record), Failure> {
    let Some(records) = open(data)? else {
        let folder = folders::data(data)?;
        let message = format!("no record has the id `{id}`: there are no records in {}", folder.display());
        return Err(Failure::new(Code::Input, message));
    };
    let record = records.get(id)?;
    Ok((records, record))
}

fn list(common: &Common) -> Result<Code, Failure> {
    let list = open(&common.data)?.map_or_else(|| Ok(List::default()), |records| records.list())?;
    if common.output.json {
        print_json(&list)?;
    } else {
        let mut out = Output::new();
        for record in &list.records {
            out.write(&format!("{}  {}  {}\n", record.id, record.time, state(&record.state)))?;
        }
        if list.records.is_empty() {
            say(match list.broken {
                None => "there are no records yet",
                Some(_) => "the log names no record",
            });
        }
    }
    if let Some(broken) = &list.broken {
        say(&format!(
            "warning: the log is not as it was written, and records may be missing from this list: line {}: {}; \
             `lightbox records verify` checks all of it",
            broken.line, broken.why
        ));
    }
    Ok(Code::Done)
}

fn state(state: &State) -> &'static str {
    match state {
        State::Present => "present",
        State::Erased => "erased",
        State::Missing => "missing",
        State::Altered { .. } => "altered",
    }
}

fn show(one: &One) -> Result<Code, Failure> {
    let (_, record) = find(&one.common.data, &one.id)?;
    let body = &record.body;
    if one.common.output.json {
        notice(DRAFT_NOTICE);
        print_json(body)?;
        return Ok(Code::Done);
    }
    Output::new().write(&shown::told(body))?;
    Ok(Code::Done)
}

fn verify(common: &Common) -> Result<Code, Failure> {
    let report = open(&common.data)?.map_or_else(|| Ok(Report::of_nothing()), |records| records.verify())?;
    if common.output.json {
        print_json(&report)?;
    } else {
        let mut text = format!(
            "entries   {}\nintact    {}\nerased    {}\nlast      {}\n",
            report.entries, report.intact, report.erased, report.last
        );
        if let Some(broken) = &report.broken {
            text.push_str(&format!("broken    line {} of the log: {}\n", broken.line, broken.why));
        }
        for unsound in &report.unsound {
            let why = match &unsound.state {
                State::Altered { why } => why.as_str(),
                other => state(other),
            };
            text.push_str(&format!("unsound   {}: {why}\n", unsound.id));
        }
        if report.has_unnamed() {
            text.push_str(&format!(
                "unnamed   {} parts that no entry of the log names, and {} studies without a named part\n",
                report.unnamed_parts, report.unnamed_studies
            ));
        }
        if report.cached_studies > 0 {
            text.push_str(&format!(
                "cached    {} without a record: a read of it is under way, or was never recorded\n",
                studies(report.cached_studies)
            ));
        }
        Output::new().write(&text)?;
    }
    if report.cached_studies > 0 {
        say(CACHED);
    }
    if report.has_leftovers() {
        say(LEFTOVERS);
    } else if report.has_unnamed() {
        say(UNNAMED);
    }
    if report.is_sound() {
        return Ok(Code::Done);
    }
    say("error: records are not as they were written; restore the data folder from a backup");
    Ok(Code::Input)
}

fn studies(n: usize) -> String {
    if n == 1 { "1 study".to_owned() } else { format!("{n} studies") }
}

fn erase(what: &Erase) -> Result<Code, Failure> {
    let records = Records::open(&folders::data(&what.common.data)?)?;
    let erased = match &what.id {
        Some(id) => records.erase(id, SystemTime::now())?,
        None => records.erase_leftovers()?,
    };
    if what.common.output.json {
        print_json(&erased)?;
    } else {
        let key = match (erased.key, what.leftovers) {
            (true, false) => ", and the key of its study",
            (true, true) => ", and the keys of their studies",
            (false, _) => "",
        };
        let cached = match erased.cached {
            0 => "",
            1 => ", 1 cached entry",
            n => &format!(", {n} cached entries"),
        };
        Output::new().write(&format!(
            "erased {}{cached}, {} bytes{key}\n",
            count(erased.blobs, "part"),
            erased.size_bytes
        ))?;
    }
    Ok(Code::Done)
}
