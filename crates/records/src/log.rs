//! The log on disk: `records.log`, one entry a line, and `records.head`, which says how far it was confirmed.
//!
//! A line is written and synced first, then the head replaced. After a crash in between the line lies beyond the
//! head: whole and valid it is adopted, unfinished it is cut off. A log that ends before its head was shortened.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use lightbox_archive::{
    Archive, FileLock, full_or_io, private_file, read_limited, sweep, sync_folder, write_whole,
};
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Fault, read_line};
use crate::{Digest, Error, ErrorKind, Result};

const LOG_FILE: &str = "records.log";
const HEAD_FILE: &str = "records.head";
const LOCK_FILE: &str = "records.lock";
const HEAD_FORMAT: u32 = 1;
const HEAD_TAG_PURPOSE: &str = "records log head";
/// More than a million entries.
const MAX_LOG_BYTES: u64 = 1 << 30;
/// Most bytes beyond the head that are looked at: an older head was restored beside a newer log.
const MAX_TAIL_BYTES: u64 = 64 << 20;

/// How far the log was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    format: u32,
    pub(crate) entries: u64,
    pub(crate) size_bytes: u64,
    pub(crate) last: Digest,
    tag: Digest,
}

/// The log as it lies on disk.
pub(crate) struct Contents {
    /// `None`: there is no log yet. The error says what is wrong with the head.
    pub(crate) head: std::result::Result<Option<Head>, Error>,
    /// Every finished line, read.
    pub(crate) lines: Vec<std::result::Result<Entry, Fault>>,
    /// Bytes up to and including the end of the last finished line.
    pub(crate) finished_bytes: u64,
    /// Bytes after it.
    pub(crate) unfinished_bytes: u64,
}

/// The log, held until dropped: by one writer alone, or by readers.
pub(crate) struct Log<'a> {
    archive: &'a Archive,
    path: PathBuf,
    _lock: Option<FileLock>,
}

impl<'a> Log<'a> {
    pub(crate) fn hold(archive: &'a Archive) -> Result<Self> {
        let lock = FileLock::take(archive.root(), LOCK_FILE)?;
        sweep(archive.root());
        Ok(Self { archive, path: archive.root().join(LOG_FILE), _lock: Some(lock) })
    }

    /// Holds the log to be read: nothing is made or written, and a copy without a lock file is read without a lock.
    pub(crate) fn hold_to_read(archive: &'a Archive) -> Result<Self> {
        let lock = FileLock::take_to_read(archive.root(), LOCK_FILE)?;
        Ok(Self { archive, path: archive.root().join(LOG_FILE), _lock: lock })
    }

    /// Whether there is a log, or the head of one, under this data folder.
    pub(crate) fn is_begun(root: &Path) -> bool {
        [LOG_FILE, HEAD_FILE].iter().any(|name| root.join(name).exists())
    }

    /// Makes sure that an entry can be appended, and confirms what a crash left whole beyond the head.
    pub(crate) fn ready(&self) -> Result<()> {
        let (head, is_new) = self.settle()?;
        if !is_new {
            let opened = private_file().append(true).open(&self.path);
            opened.map_err(|error| full_or_io(&error, "opening", &self.path))?;
        }
        self.write_head(head)
    }

    /// Appends the entry that `make` makes of its place and the hash before. It is on disk when this returns.
    ///
    /// On failure the log is as it was.
    pub(crate) fn append(&self, make: impl FnOnce(u64, Digest) -> Entry) -> Result<Entry> {
        let (head, is_new) = self.settle()?;
        let mut entry = make(head.entries, head.last);
        let line = entry.seal(self.archive) + "\n";
        if line.len() > crate::entry::MAX_LINE_BYTES {
            return Err(Error::new(
                ErrorKind::Unwritable,
                format!("the record has {} parts, more than an entry of the log may name", entry.parts.len()),
            )
            .hint("keep fewer views"));
        }
        let next = Head {
            entries: head.entries + 1,
            size_bytes: head.size_bytes + line.len() as u64,
            last: entry.hash,
            ..head
        };
        let appended = self.write_line(&line, is_new).and_then(|()| self.write_head(next));
        if let Err(error) = appended {
            // Shortening needs no room; if even that fails, the next writer finds the rest beyond the head.
            let _ = self.cut(head.size_bytes);
            return Err(error);
        }
        Ok(entry)
    }

    fn write_line(&self, line: &str, is_new: bool) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut file = private_file().append(true).create(true).open(&self.path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| full_or_io(&error, "adding to", &self.path))?;
        if is_new {
            sync_folder(self.archive.root())?;
        }
        Ok(())
    }

    fn write_head(&self, head: Head) -> Result<()> {
        let mut text = serde_json::to_string(&Head { tag: self.head_tag(&head), ..head })
            .expect("a head has string keys and no map that could fail");
        text.push('\n');
        Ok(write_whole(self.archive.root(), HEAD_FILE, &[text.as_bytes()])?)
    }

    fn head_tag(&self, head: &Head) -> Digest {
        let message = [
            HEAD_FORMAT.to_le_bytes().as_slice(),
            &head.entries.to_le_bytes(),
            &head.size_bytes.to_le_bytes(),
            head.last.bytes(),
        ]
        .concat();
        Digest::from_bytes(self.archive.authenticate(HEAD_TAG_PURPOSE, &message))
    }

    fn cut(&self, size_bytes: u64) -> Result<()> {
        private_file()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_len(size_bytes).and_then(|()| file.sync_all()))
            .map_err(|error| full_or_io(&error, "shortening", &self.path).into())
    }

    /// Where the next entry goes: adopts what a crash left whole beyond the head and cuts off what it left
    /// unfinished. Says also whether the log has yet to be made.
    pub(crate) fn settle(&self) -> Result<(Head, bool)> {
        let exists = fs::exists(&self.path).map_err(|error| full_or_io(&error, "looking for", &self.path))?;
        let Some(mut head) = self.head()? else {
            // The head comes first, so that a log without one is known to have lost it.
            let first = Head {
                format: HEAD_FORMAT,
                entries: 0,
                size_bytes: 0,
                last: Digest::ZERO,
                tag: Digest::ZERO,
            };
            self.write_head(first)?;
            return Ok((first, true));
        };
        if !exists && head.entries == 0 {
            return Ok((head, true));
        }
        let broken = |what: String| {
            Error::new(
                ErrorKind::Chain,
                format!("the log {} cannot be continued: {what}", self.path.display()),
            )
            .hint(
                "restore records.log and records.head from one backup, or move the data folder away to begin a new one",
            )
        };
        if !exists {
            return Err(broken(format!("it is missing, {} entries expected", head.entries)));
        }
        let tail = self.tail(head.size_bytes)?.ok_or_else(|| {
            broken(format!("it ends before the {} bytes that its head says", head.size_bytes))
        })?;
        let mut rest = tail.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let entry = read_line(&rest[..end])
                .map_err(|fault| broken(format!("entry {} was not confirmed, and {fault}", head.entries)))?;
            self.follows(&entry, head.entries, head.last)
                .map_err(|fault| broken(format!("entry {} was not confirmed, and {fault}", head.entries)))?;
            head.entries += 1;
            head.size_bytes += end as u64 + 1;
            head.last = entry.hash;
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            self.cut(head.size_bytes)?;
        }
        Ok((head, false))
    }

    /// What lies beyond `from`; `None` if the log ends before.
    fn tail(&self, from: u64) -> Result<Option<Vec<u8>>> {
        let read = || -> io::Result<Option<Vec<u8>>> {
            let mut file = File::open(&self.path)?;
            if file.metadata()?.len() < from {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(from))?;
            let mut tail = Vec::new();
            file.take(MAX_TAIL_BYTES + 1).read_to_end(&mut tail)?;
            if tail.len() as u64 > MAX_TAIL_BYTES {
                return Err(io::Error::other("far more lies beyond its head than one append leaves"));
            }
            Ok(Some(tail))
        };
        read().map_err(|error| full_or_io(&error, "reading", &self.path).into())
    }

    /// Whether `entry` is the one of this place after that hash, made with this install key.
    pub(crate) fn follows(
        &self,
        entry: &Entry,
        sequence: u64,
        previous: Digest,
    ) -> std::result::Result<(), Fault> {
        if !entry.is_authentic(self.archive) {
            return Err(Fault::Tag);
        }
        if entry.sequence != sequence || entry.previous != previous {
            return Err(Fault::Order);
        }
        Ok(())
    }

    /// The head, checked; `None` if there is neither head nor log.
    fn head(&self) -> Result<Option<Head>> {
        let path = self.archive.root().join(HEAD_FILE);
        let broken = |what: String| {
            Error::new(ErrorKind::Chain, format!("the head {} of the log {what}", path.display())).hint(
                "restore records.log and records.head from one backup, or move the data folder away to begin a new one",
            )
        };
        let Some(bytes) = read_limited(&path, 4096)? else {
            return if self.path.exists() { Err(broken("is missing".to_owned())) } else { Ok(None) };
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(|_| broken("cannot be read".to_owned()))?;
        if head.format != HEAD_FORMAT {
            return Err(Error::new(
                ErrorKind::Version,
                format!(
                    "the head {} of the log has format {}, this version reads {HEAD_FORMAT}",
                    path.display(),
                    head.format
                ),
            )
            .hint("use the version of lightbox that wrote it, or a newer one"));
        }
        if head.tag != self.head_tag(&head) {
            return Err(broken("was altered, or made with another install key".to_owned()));
        }
        Ok(Some(head))
    }

    /// Reads the whole log, whatever its state.
    pub(crate) fn read(&self) -> Result<Contents> {
        // The head first: where nothing is locked, a log that grows in between is whole up to the head all the same.
        let head = self.head();
        let bytes = read_limited(&self.path, MAX_LOG_BYTES)?.unwrap_or_default();
        let finished = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let (lines, rest) = bytes.split_at(finished);
        Ok(Contents {
            head,
            lines: lines
                .split_inclusive(|&byte| byte == b'\n')
                .map(|line| read_line(&line[..line.len() - 1]))
                .collect(),
            finished_bytes: finished as u64,
            unfinished_bytes: rest.len() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use lightbox_archive::StudyId;

    use super::*;
    use crate::{Event, RecordId};

    fn entry(sequence: u64, previous: Digest) -> Entry {
        let (id, study) = (RecordId::from_bytes([1; 16]), StudyId::from_bytes([2; 16]));
        Entry::new((sequence, previous), Event::Erased, id, "2026-01-01T00:00:00Z", study, Vec::new())
    }

    #[test]
    fn a_crash_between_the_first_head_and_the_first_line_leaves_a_log_that_begins() {
        let root = tempfile::tempdir().expect("works");
        let archive = Archive::open(root.path()).expect("works");
        let log = Log::hold(&archive).expect("works");
        let (_, is_new) = log.settle().expect("works");
        assert!(is_new && root.path().join(HEAD_FILE).exists() && !log.path.exists(), "the head comes first");
        assert_eq!(log.append(entry).expect("works").sequence, 0);
        assert_eq!(log.append(entry).expect("works").sequence, 1);
        assert_eq!(log.read().expect("works").lines.len(), 2);
    }

    #[test]
    fn an_append_whose_head_cannot_be_replaced_takes_its_line_back() {
        let root = tempfile::tempdir().expect("works");
        let archive = Archive::open(root.path()).expect("works");
        let log = Log::hold(&archive).expect("works");
        log.append(entry).expect("works");
        let before = fs::read(&log.path).expect("works");
        let head = root.path().join(HEAD_FILE);
        let saved = fs::read(&head).expect("works");
        let append = log.append(|sequence, previous| {
            // The head was read by now: put a folder in the way of the next one.
            fs::remove_file(&head).expect("works");
            fs::create_dir_all(head.join("inside")).expect("works");
            entry(sequence, previous)
        });
        append.expect_err("the head cannot be replaced");
        assert_eq!(fs::read(&log.path).expect("works"), before);
        fs::remove_dir_all(&head).expect("works");
        fs::write(&head, saved).expect("works");
        assert_eq!(log.append(entry).expect("as if nothing had been").sequence, 1);
    }
}
