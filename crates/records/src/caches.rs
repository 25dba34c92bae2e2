//! Cached entries beside the records: what of them there is, and their removal.
//!
//! They are no part of any record and the log knows nothing of them. Still they say something of a patient: they go
//! when any record of their study is erased, and can be cleared at any time.

use std::time::SystemTime;

use lightbox_archive::{CachedKind, Erased, StudyId};
use serde::Serialize;

use crate::log::Log;
use crate::store::Records;
use crate::{Result, time};

/// What is cached of one study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CachedStudy {
    /// The study.
    pub study: StudyId,
    /// Records of it that were not erased.
    pub records: usize,
    /// Pictures whose soft tokens are kept.
    pub images: usize,
    /// Beginnings of prompts whose keys and values are kept.
    pub prefixes: usize,
    /// Bytes on disk of both.
    pub size_bytes: u64,
    /// When the newest was last used.
    pub last_use: String,
}

impl Records {
    /// What is cached, study by study; studies without a cached entry are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Archive`](crate::ErrorKind::Archive) if archive or log cannot be read.
    pub fn cached(&self) -> Result<Vec<CachedStudy>> {
        let contents = Log::hold_to_read(&self.archive)?.read()?;
        let mut studies = Vec::new();
        for study in self.archive.studies()? {
            let Some(last_use) = study.cached.iter().map(|entry| entry.last_use).max() else { continue };
            let of = |kind| study.cached.iter().filter(|entry| entry.kind == kind).count();
            let is_kept = |entry: &&crate::Entry| entry.study == study.id && !contents.says_erased(&entry.id);
            studies.push(CachedStudy {
                study: study.id,
                records: contents.reads().filter(is_kept).count(),
                images: of(CachedKind::Image),
                prefixes: of(CachedKind::Prefix),
                size_bytes: study.cached.iter().map(|entry| entry.size_bytes).sum(),
                last_use: time::rfc3339(last_use.max(SystemTime::UNIX_EPOCH)),
            });
        }
        Ok(studies)
    }

    /// Erases all cached entries, or those that a model made, told by its digest. A study in which nothing is left goes
    /// with its key, unless the log says that a record is missing from it, or is not whole and cannot say. No record is
    /// touched.
    ///
    /// # Errors
    /// [`ErrorKind::Archive`](crate::ErrorKind::Archive).
    pub fn clear_cached(&self, model: Option<&str>) -> Result<Erased> {
        let log = Log::hold(&self.archive)?;
        let contents = log.read()?;
        let maker = model.map(|model| self.archive.maker(model));
        let mut erased = Erased::default();
        let mut touched = Vec::new();
        for study in self.archive.studies()?.into_iter().filter(|study| !study.cached.is_empty()) {
            add(&mut erased, self.archive.erase_cached(&study.id, maker)?);
            touched.push(study.id);
        }
        if self.chain(&log, &contents).broken.is_none() {
            let empty = self.leftovers(&contents)?.into_iter().filter(|leftover| {
                leftover.is_all
                    && leftover.parts.is_empty()
                    && !leftover.is_cached
                    && touched.contains(&leftover.study)
            });
            for leftover in empty {
                add(&mut erased, self.archive.erase_blobs(&leftover.study, &[])?);
            }
        }
        Ok(erased)
    }
}

/// Adds what one erasure removed to what others did.
pub(crate) fn add(all: &mut Erased, more: Erased) {
    all.key |= more.key;
    all.blobs += more.blobs;
    all.cached += more.cached;
    all.size_bytes += more.size_bytes;
}
