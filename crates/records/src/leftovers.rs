//! Parts that no entry names: what a crash between the parts of a record and its entry leaves behind.
//!
//! Nobody can ask for them by a record's id, so they must go without one: those of a study before the next record of
//! it is written and when a record of it is erased, all of them when somebody asks. Where the chain of the log is
//! broken nothing is taken for a leftover: the line that names it may be the one that was damaged.

use std::collections::HashSet;

use lightbox_archive::{BlobName, Erased, StudyId};

use crate::caches::add;
use crate::entry::Entry;
use crate::log::{Contents, Log};
use crate::store::Records;
use crate::{Error, ErrorKind, Result};

/// What no entry names in one study.
pub(crate) struct Leftover {
    pub(crate) study: StudyId,
    pub(crate) parts: Vec<BlobName>,
    /// Whether the study holds nothing else, so that its key goes too.
    pub(crate) is_all: bool,
    /// Whether cached entries are there.
    pub(crate) is_cached: bool,
}

impl Records {
    /// Erases all parts that no entry of the log names, and the keys of studies in which nothing else is left, with what
    /// is cached there. No record is touched, and nothing is noted in the log: it never knew of them.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] if the log is not whole, [`ErrorKind::Archive`].
    pub fn erase_leftovers(&self) -> Result<Erased> {
        let log = Log::hold(&self.archive)?;
        let contents = log.read()?;
        if let Some(broken) = self.chain(&log, &contents).broken {
            return Err(Error::new(
                ErrorKind::Chain,
                format!(
                    "line {} of the log is broken ({}), so that a part without an entry may belong to a record",
                    broken.line, broken.why
                ),
            )
            .hint("nothing was erased; restore records.log and records.head from one backup first"));
        }
        let mut erased = Erased::default();
        for leftover in self.leftovers(&contents)? {
            add(&mut erased, self.archive.erase_blobs(&leftover.study, &leftover.parts)?);
        }
        Ok(erased)
    }

    /// What no entry names, study by study.
    pub(crate) fn leftovers(&self, contents: &Contents) -> Result<Vec<Leftover>> {
        let named = self.named(contents.reads());
        let kept: HashSet<StudyId> = contents
            .reads()
            .filter(|entry| !contents.says_erased(&entry.id))
            .map(|entry| entry.study)
            .collect();
        let mut leftovers = Vec::new();
        for entry in self.archive.studies()? {
            let study = entry.id;
            let (all, is_cached) = (entry.blobs.len(), !entry.cached.is_empty());
            let names = entry.blobs.into_iter().map(|blob| blob.name);
            let parts: Vec<_> = names.filter(|name| !named.contains(&(study, *name))).collect();
            // The key of a record whose parts were lost waits for their backup.
            let is_all = parts.len() == all && (all > 0 || !kept.contains(&study));
            if is_all || !parts.is_empty() {
                leftovers.push(Leftover { study, parts, is_all, is_cached });
            }
        }
        Ok(leftovers)
    }

    /// The parts in one study that no entry names; none if the log is not whole.
    pub(crate) fn unnamed_parts(
        &self,
        log: &Log<'_>,
        contents: &Contents,
        study: &StudyId,
    ) -> Result<Vec<BlobName>> {
        let named = self.named(contents.reads().filter(|entry| entry.study == *study));
        let present = self.archive.study(study)?.blobs.into_iter().map(|blob| blob.name);
        let mut unnamed: Vec<_> = present.filter(|name| !named.contains(&(*study, *name))).collect();
        if !unnamed.is_empty() && self.chain(log, contents).broken.is_some() {
            unnamed.clear();
        }
        Ok(unnamed)
    }

    /// Erases what no entry names in the study of a record that is about to be written.
    pub(crate) fn sweep(&self, log: &Log<'_>, study: &StudyId) -> Result<()> {
        // The log is read as a whole; most studies are new, and have nothing to be swept.
        if self.archive.study(study)?.blobs.is_empty() {
            return Ok(());
        }
        let unnamed = self.unnamed_parts(log, &log.read()?, study)?;
        if !unnamed.is_empty() {
            self.archive.erase_blobs(study, &unnamed)?;
        }
        Ok(())
    }

    fn named<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> HashSet<(StudyId, BlobName)> {
        let of = |entry: &'a Entry| self.names(entry).into_iter().map(|name| (entry.study, name));
        entries.flat_map(of).collect()
    }
}
