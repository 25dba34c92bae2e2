//! The records of an installation: what is appended, found, read back and erased.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lightbox_archive::{Archive, BlobKind, BlobName, Erased, StudyId};
use lightbox_models::RgbImage;
use serde::Serialize;

use crate::body::{Body, read_body};
use crate::caches::add;
use crate::entry::{Entry, Event, Part};
use crate::log::{Contents, Log};
use crate::verify::Broken;
use crate::{Error, ErrorKind, RecordId, Result, parts, time};

/// The records under a data folder.
pub struct Records {
    pub(crate) archive: Archive,
}

/// A record, read back and checked against the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its entry in the log.
    pub entry: Entry,
    /// What it says.
    pub body: Body,
}

/// Where the contents of a record are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// In the archive.
    Present,
    /// Erased, as the log says.
    Erased,
    /// Gone, and the log does not say that they were erased.
    Missing,
    /// Not what was written.
    Altered {
        /// What does not fit.
        why: String,
    },
}

/// A record as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: RecordId,
    /// When it was recorded.
    pub time: String,
    /// Its study.
    pub study: StudyId,
    /// Whether its contents are there; not whether they are unaltered, which only reading shows.
    pub state: State,
}

/// All records, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct List {
    /// The records.
    pub records: Vec<Listed>,
    /// Lines of the log that are no entries; [`Records::verify`] says why.
    pub unreadable_lines: usize,
    /// Where the chain of the log breaks first: records may be missing from the list, or changed.
    pub broken: Option<Broken>,
}

impl Records {
    /// Opens the records under the data folder `root`, which is made on first use.
    ///
    /// # Errors
    /// Those of [`Archive::open`].
    pub fn open(root: &Path) -> Result<Self> {
        Ok(Self { archive: Archive::open(root)? })
    }

    /// Opens the records under the data folder `root` to be listed, read and checked: nothing is made or written, so
    /// that a folder that cannot be written, such as a backup, can be read. `None` if nothing was ever recorded there.
    ///
    /// # Errors
    /// Those of [`Archive::open_to_read`]; [`ErrorKind::Archive`] if there is a log and no install key to check it.
    pub fn open_to_read(root: &Path) -> Result<Option<Self>> {
        match Archive::open_to_read(root)? {
            Some(archive) => Ok(Some(Self { archive })),
            None if Log::is_begun(root) => Err(Error::new(
                ErrorKind::Archive(lightbox_archive::ErrorKind::InstallKey),
                format!(
                    "the install key {} is missing, and the log of records beside it cannot be checked without it",
                    root.join("install.key").display()
                ),
            )
            .hint("restore the key from a backup")),
            None => Ok(None),
        }
    }

    /// Every record that the log names. Its chain is checked; that contents are unaltered is what
    /// [`Records::verify`] says.
    ///
    /// # Errors
    /// [`ErrorKind::Archive`] if the log cannot be read at all.
    pub fn list(&self) -> Result<List> {
        let log = Log::hold_to_read(&self.archive)?;
        let contents = log.read()?;
        let mut records = Vec::new();
        for entry in contents.reads() {
            records.push(Listed {
                id: entry.id,
                time: entry.time.clone(),
                study: entry.study,
                state: self.presence(entry, &contents)?,
            });
        }
        let unreadable_lines = contents.lines.iter().filter(|line| line.is_err()).count();
        // A hash and a tag a line: little beside looking for the parts of every record.
        let broken = self.chain(&log, &contents).broken;
        Ok(List { records, unreadable_lines, broken })
    }

    /// Whether the parts of a record are there, unread.
    pub(crate) fn presence(&self, entry: &Entry, contents: &Contents) -> Result<State> {
        for name in self.names(entry) {
            if !self.archive.contains(&entry.study, &name)? {
                return Ok(if contents.says_erased(&entry.id) { State::Erased } else { State::Missing });
            }
        }
        Ok(State::Present)
    }

    /// The names of the parts' blobs, in the order of the parts.
    pub(crate) fn names(&self, entry: &Entry) -> Vec<BlobName> {
        let mut view_idx = 0;
        let name = |part: &Part| {
            let purpose = parts::purpose(&entry.id, part.kind, view_idx);
            view_idx += usize::from(part.kind == BlobKind::KeptView);
            self.archive.name(part.kind, &purpose)
        };
        entry.parts.iter().map(name).collect()
    }

    /// The record whose id begins with `prefix`, decrypted and checked against its entry in the log.
    ///
    /// The entry itself is checked; that no other was changed or removed is what [`Records::verify`] says.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Ambiguous`], [`ErrorKind::Erased`], [`ErrorKind::Missing`],
    /// [`ErrorKind::Altered`], [`ErrorKind::Version`], [`ErrorKind::Archive`].
    pub fn get(&self, prefix: &str) -> Result<Record> {
        let contents = Log::hold_to_read(&self.archive)?.read()?;
        let entry = contents.find(prefix)?;
        if !entry.is_authentic(&self.archive) {
            return Err(Error::new(
                ErrorKind::Altered,
                format!(
                    "the log entry of record {} was rewritten, or made with another install key",
                    entry.id
                ),
            )
            .hint("restore records.log and install.key from one backup"));
        }
        let erased = contents.says_erased(&entry.id);
        let bytes = self.only_part(entry, BlobKind::RecordBody, erased)?;
        let body = read_body(&bytes)?;
        if body.id != entry.id || body.time != entry.time {
            return Err(altered(&entry.id, "it says of itself that it is another"));
        }
        Ok(Record { entry: entry.clone(), body })
    }

    /// Where the inputs of a record were, one an input; `None` where an input came from no file.
    ///
    /// # Errors
    /// As [`Records::get`].
    pub fn paths(&self, record: &Record) -> Result<Vec<Option<PathBuf>>> {
        parts::read_paths(&self.only_part(&record.entry, BlobKind::PathIndex, false)?)
    }

    /// The pictures that the model was handed, in its order; `None` if they were not kept.
    ///
    /// # Errors
    /// As [`Records::get`].
    pub fn kept_views(&self, record: &Record) -> Result<Option<Vec<RgbImage>>> {
        let entry = &record.entry;
        let named: Vec<_> = entry
            .parts
            .iter()
            .zip(self.names(entry))
            .filter(|(part, _)| part.kind == BlobKind::KeptView)
            .collect();
        if named.is_empty() {
            return Ok(None);
        }
        let read = |(part, name): (&Part, BlobName)| {
            parts::read_view(&self.part(entry, part, &name).map_err(|error| gone(error, &entry.id, false))?)
        };
        named.into_iter().map(read).collect::<Result<_>>().map(Some)
    }

    fn only_part(&self, entry: &Entry, kind: BlobKind, erased: bool) -> Result<Vec<u8>> {
        let (part, name) = entry
            .parts
            .iter()
            .zip(self.names(entry))
            .find(|(part, _)| part.kind == kind)
            .ok_or_else(|| altered(&entry.id, "its entry in the log does not name that part"))?;
        self.part(entry, part, &name).map_err(|error| gone(error, &entry.id, erased))
    }

    /// A part, decrypted and equal to what the log says of it.
    pub(crate) fn part(&self, entry: &Entry, part: &Part, name: &BlobName) -> Result<Vec<u8>> {
        let salted = self.archive.get(&entry.study, name)?;
        parts::contents(part, salted)
            .ok_or_else(|| altered(&entry.id, "a part of it is not the one that the log names"))
    }

    /// Makes sure that a read can be recorded, before minutes are spent on it: log and head are as an append needs
    /// them and can be written. What a crash left beyond the head is adopted or cut off.
    ///
    /// # Errors
    /// As [`Records::append`].
    pub fn ready(&self) -> Result<()> {
        Log::hold(&self.archive)?.ready()
    }

    /// Erases what a record says. Its entry stays in the log, and another says that it was erased; the chain holds.
    /// Parts in its study that no entry names, left by a crash, go too and are counted, and so does all that is cached of
    /// its study, also where other records of it stay; with the last part of a study
    /// goes the study's key. Where the log is not whole such parts stay: they may belong to a record.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Ambiguous`]; [`ErrorKind::DiskFull`] or [`ErrorKind::Chain`] if the
    /// erasure was done and could not be written down: erase again to write it down; [`ErrorKind::Archive`].
    pub fn erase(&self, prefix: &str, time: SystemTime) -> Result<Erased> {
        let log = Log::hold(&self.archive)?;
        let contents = log.read()?;
        let entry = contents.find(prefix)?;
        let mut names = self.names(entry);
        names.extend(self.unnamed_parts(&log, &contents, &entry.study)?);
        let mut erased = self.archive.erase_blobs(&entry.study, &names)?;
        // What was computed for it may still say what it said.
        add(&mut erased, self.archive.erase_cached(&entry.study, None)?);
        self.note_erased(&log, &contents, entry, time)?;
        Ok(erased)
    }

    fn note_erased(&self, log: &Log<'_>, contents: &Contents, of: &Entry, time: SystemTime) -> Result<()> {
        if !contents.says_erased(&of.id) {
            let time = time::rfc3339(time);
            let noted = log.append(|sequence, previous| {
                Entry::new((sequence, previous), Event::Erased, of.id, &time, of.study, Vec::new())
            });
            noted.map_err(|error| {
                Error::new(
                    error.kind(),
                    format!("what record {} said was erased, which could not be noted: {error}", of.id),
                )
                .hint("then erase it again, to have it noted")
            })?;
        }
        Ok(())
    }
}

impl Contents {
    /// The entries of reads, oldest first.
    pub(crate) fn reads(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().flatten().filter(|entry| entry.event == Event::Read)
    }

    pub(crate) fn says_erased(&self, id: &RecordId) -> bool {
        self.lines.iter().flatten().any(|entry| entry.event == Event::Erased && entry.id == *id)
    }

    fn find(&self, prefix: &str) -> Result<&Entry> {
        let wanted = prefix.to_ascii_lowercase();
        if wanted.is_empty() || wanted.len() > 32 || !wanted.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("`{prefix}` is no record id: expected up to 32 hexadecimal digits"),
            ));
        }
        let mut found = self.reads().filter(|entry| entry.id.to_string().starts_with(&wanted));
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::Ambiguous,
                format!("several records have ids that begin with {wanted}"),
            )
            .hint("give more digits")),
            (None, _) => {
                let unreadable = self.lines.iter().filter(|line| line.is_err()).count();
                let error =
                    Error::new(ErrorKind::NotFound, format!("no record has an id that begins with {wanted}"));
                Err(match unreadable {
                    0 => error,
                    n => error.hint(format!("{n} lines of the log cannot be read: it was altered")),
                })
            }
        }
    }
}

fn altered(id: &RecordId, why: &str) -> Error {
    Error::new(ErrorKind::Altered, format!("record {id} cannot be trusted: {why}"))
        .hint("restore it from a backup, or erase the record")
}

/// Says of a part that is not there whether it was erased.
fn gone(error: Error, id: &RecordId, erased: bool) -> Error {
    match error.kind() {
        _ if erased => Error::new(ErrorKind::Erased, format!("what record {id} said was erased")),
        ErrorKind::Missing => Error::new(
            ErrorKind::Missing,
            format!("a part of record {id} is gone, and the log does not say that it was erased"),
        )
        .hint("restore it from a backup, or erase the record to note that it is gone"),
        _ => error,
    }
}
