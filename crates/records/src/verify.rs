//! The check of everything: the chain of the log, its head, and what the records say.

use lightbox_archive::BlobKind;
use serde::Serialize;

use crate::entry::Entry;
use crate::log::{Contents, Log};
use crate::store::{Records, State};
use crate::{Digest, ErrorKind, RecordId, Result};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries of the log that are sound, up to the first that is not.
    pub entries: u64,
    /// Hash of the last of them. Noted elsewhere, it proves later that nothing before it was changed or removed.
    pub last: Digest,
    /// Where the chain breaks first.
    pub broken: Option<Broken>,
    /// Bytes of an entry that a crash left unfinished; the next append cuts them off. No harm.
    pub unfinished_bytes: u64,
    /// Records whose contents are there and unaltered.
    pub intact: usize,
    /// Records whose contents were erased, as the log says.
    pub erased: usize,
    /// Records whose contents are gone or not what was written.
    pub unsound: Vec<Unsound>,
    /// Parts in the archive that no entry names. Where the chain holds, a crash between parts and entry left them:
    /// they go with the next record of their study, read or erased, and by [`Records::erase_leftovers`]. Where it is
    /// broken they may be those of a record whose entry is gone.
    pub unnamed_parts: usize,
    /// Studies, each with a key, that hold nothing that an entry names; those of [`Report::cached_studies`] apart.
    pub unnamed_studies: usize,
    /// Studies that hold cached entries and nothing else: a read of them is under way, or was never recorded.
    pub cached_studies: usize,
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The line of the log, from 1.
    pub line: u64,
    /// What is wrong there.
    pub why: String,
}

/// A record whose contents are gone or not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unsound {
    /// The record.
    pub id: RecordId,
    /// What is wrong with it.
    #[serde(flatten)]
    pub state: State,
}

impl Report {
    /// What a check finds where nothing was ever recorded.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self {
            entries: 0,
            last: Digest::ZERO,
            broken: None,
            unfinished_bytes: 0,
            intact: 0,
            erased: 0,
            unsound: Vec::new(),
            unnamed_parts: 0,
            unnamed_studies: 0,
            cached_studies: 0,
        }
    }

    /// Whether all is as it was written, or was erased as the log says.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.broken.is_none() && self.unsound.is_empty()
    }

    /// Whether anything is there that no entry names.
    #[must_use]
    pub fn has_unnamed(&self) -> bool {
        self.unnamed_parts > 0 || self.unnamed_studies > 0
    }

    /// Whether a crash left anything that no entry names. Soundness does not depend on it. Where the chain is broken
    /// nothing counts as left by a crash.
    #[must_use]
    pub fn has_leftovers(&self) -> bool {
        self.has_unnamed() && self.broken.is_none()
    }
}

impl Records {
    /// Checks every entry of the log against the one before and the install key, the log against its head, and every
    /// part of every record against its entry.
    ///
    /// What it cannot see: that log, head and archive were all exchanged for older copies of themselves. Compare
    /// [`Report::last`] with a copy noted elsewhere for that.
    ///
    /// # Errors
    /// [`ErrorKind::Archive`] if log or archive cannot be read at all; what is wrong with them is in the report.
    pub fn verify(&self) -> Result<Report> {
        let log = Log::hold_to_read(&self.archive)?;
        let contents = log.read()?;
        let mut report = self.chain(&log, &contents);
        for entry in contents.reads() {
            match self.state(entry, &contents)? {
                State::Present => report.intact += 1,
                State::Erased => report.erased += 1,
                state => report.unsound.push(Unsound { id: entry.id, state }),
            }
        }
        for leftover in self.leftovers(&contents)? {
            report.unnamed_parts += leftover.parts.len();
            let is_cached_only = leftover.is_cached && leftover.parts.is_empty();
            report.cached_studies += usize::from(is_cached_only);
            report.unnamed_studies += usize::from(leftover.is_all && !is_cached_only);
        }
        Ok(report)
    }

    pub(crate) fn chain(&self, log: &Log<'_>, contents: &Contents) -> Report {
        let (mut entries, mut last, mut broken) = (0, Digest::ZERO, None);
        // The hash at the end of the entries that the head confirms.
        let mut at_head = Digest::ZERO;
        let confirmed = contents.head.as_ref().ok().copied().flatten();
        for line in &contents.lines {
            let checked = match line {
                Ok(entry) => log.follows(entry, entries, last).map(|()| entry.hash),
                Err(fault) => Err(fault.clone()),
            };
            match checked {
                Ok(hash) => last = hash,
                Err(fault) => {
                    broken = Some(Broken { line: entries + 1, why: fault.to_string() });
                    break;
                }
            }
            entries += 1;
            if confirmed.is_some_and(|head| head.entries == entries) {
                at_head = last;
            }
        }
        if broken.is_none() {
            let why = match &contents.head {
                Err(error) => Some(error.to_string()),
                Ok(Some(head)) if head.entries > entries || head.size_bytes > contents.finished_bytes => {
                    Some(format!(
                        "the log ends here, its head says {} entries: the last were removed",
                        head.entries
                    ))
                }
                Ok(Some(head)) if head.last != at_head => {
                    Some("the log is another than its head belongs to".to_owned())
                }
                Ok(_) => None,
            };
            broken = why.map(|why| Broken { line: entries + 1, why });
        }
        Report { entries, last, broken, unfinished_bytes: contents.unfinished_bytes, ..Report::of_nothing() }
    }

    /// As [`Records::presence`], with every part read.
    fn state(&self, entry: &Entry, contents: &Contents) -> Result<State> {
        let presence = self.presence(entry, contents)?;
        if presence != State::Present {
            return Ok(presence);
        }
        for (part, name) in entry.parts.iter().zip(self.names(entry)) {
            let read = self.part(entry, part, &name).and_then(|bytes| match part.kind {
                BlobKind::RecordBody => crate::read_body(&bytes).map(drop),
                BlobKind::KeptView => crate::read_view(&bytes).map(drop),
                BlobKind::PathIndex => crate::read_paths(&bytes).map(drop),
            });
            match read {
                Ok(()) => {}
                // A newer version's record is sound, as far as this one can tell: its digest fits.
                Err(error) if error.kind() == ErrorKind::Version => {}
                Err(error) => return Ok(State::Altered { why: error.to_string() }),
            }
        }
        Ok(State::Present)
    }
}
