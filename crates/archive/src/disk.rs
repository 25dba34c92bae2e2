//! Files that are whole or absent, readable by their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as IoKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result, hex};

/// What unfinished files are called; see [`sweep`].
pub(crate) const TEMPORARY_PREFIX: &str = ".tmp-";

/// Names what failed: [`ErrorKind::DiskFull`] where disk, quota or size limit is the cause, else [`ErrorKind::Io`].
#[must_use]
pub fn full_or_io(error: &io::Error, doing: &str, path: &Path) -> Error {
    match error.kind() {
        IoKind::StorageFull | IoKind::QuotaExceeded | IoKind::FileTooLarge => {
            Error::new(ErrorKind::DiskFull, format!("no room {doing} {}: {error}", path.display())).hint(
                "free some space, or point LIGHTBOX_DATA at a larger disk; what was stored before is intact",
            )
        }
        _ => Error::new(ErrorKind::Io, format!("cannot finish {doing} {}: {error}", path.display())),
    }
}

/// Options that create a file readable and writable by its owner alone, where the system has such modes.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates `path` and what is missing above it, open to the owner alone; folders that exist are left as they are.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| match full_or_io(&error, "making the folder", path) {
        full if full.kind() == ErrorKind::DiskFull => full,
        _ => Error::new(
            ErrorKind::DataFolder,
            format!("the data folder {} cannot be made: {error}", path.display()),
        )
        .hint("point LIGHTBOX_DATA at a folder that you may write to"),
    })
}

/// Makes the names in a folder durable: without it a crash may undo a rename.
///
/// # Errors
/// [`ErrorKind::Io`] or [`ErrorKind::DiskFull`], naming the folder.
pub fn sync_folder(folder: &Path) -> Result<()> {
    // Other systems cannot open a folder as a file; their renames are durable or not without us.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|file| file.sync_all())
            .map_err(|error| full_or_io(&error, "syncing", folder))?;
    }
    Ok(())
}

/// Writes `name` in `folder`, `parts` one after another, as a [`WholeFile`].
///
/// # Errors
/// As those of [`WholeFile`].
pub fn write_whole(folder: &Path, name: &str, parts: &[&[u8]]) -> Result<()> {
    let mut file = WholeFile::create(folder, name)?;
    for part in parts {
        file.write(part)?;
    }
    file.finish()
}

/// As [`write_whole`], without waiting for the disk: after a crash the file may be missing or hold anything. For what
/// is checked when it is read and can be made again.
pub(crate) fn write_uncommitted(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(folder, name)?;
    file.write(bytes)?;
    fs::rename(&file.temporary, &file.target).map_err(|error| full_or_io(&error, "writing", &file.target))
}

/// A file that is seen whole or not at all, also after a crash; a file of its name is replaced in [`WholeFile::finish`].
/// Readable and writable by the owner alone. Dropped before that, it leaves nothing over and what was there before
/// unchanged.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
}

impl WholeFile {
    /// Starts `name` in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::DiskFull`] or [`ErrorKind::Io`].
    pub fn create(folder: &Path, name: &str) -> Result<Self> {
        let temporary = folder.join(format!("{TEMPORARY_PREFIX}{}", hex::encode(&random::<8>()?)));
        let target = folder.join(name);
        let file = private_file()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|error| full_or_io(&error, "writing", &target))?;
        Ok(Self { file, temporary, target })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// As [`WholeFile::create`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| full_or_io(&error, "writing", &self.target))
    }

    /// Puts the file in its place and makes it durable.
    ///
    /// # Errors
    /// As [`WholeFile::create`].
    pub fn finish(self) -> Result<()> {
        let replaces = self.target.exists();
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.temporary, &self.target))
            .map_err(|error| full_or_io(&error, "writing", &self.target))?;
        let synced = self.target.parent().map_or(Ok(()), sync_folder);
        if synced.is_err() && !replaces {
            // What was not made durable was not written: the caller will tell so.
            let _ = fs::remove_file(&self.target);
        }
        synced
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Gone already where the file is in its place; what cannot be removed is swept by the next writer.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Removes what [`WholeFile`]s of processes that died left behind in `folder`; only for the holder of
/// the lock under which that folder is written.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            // A leftover that cannot be removed harms nobody: it is never read.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Reads a file of at most `limit` bytes; `None` if there is none.
///
/// # Errors
/// [`ErrorKind::TooLarge`] if it is longer; [`ErrorKind::Io`].
pub fn read_limited(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
        Err(error) => return Err(full_or_io(&error, "opening", path)),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| full_or_io(&error, "reading", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("{} has more than the {limit} bytes that it may have", path.display()),
        ));
    }
    Ok(Some(bytes))
}

/// Random bytes of the operating system.
///
/// # Errors
/// [`ErrorKind::Io`] if it gives none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Io, format!("the operating system gave no random bytes: {error}"))
    })?;
    Ok(bytes)
}

/// A lock on a file, held until dropped, over all threads and processes: one writer, or any number of readers.
///
/// It is advisory, and the operating system gives it back when a process dies.
pub struct FileLock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

impl FileLock {
    /// Waits for the writer's lock on the file `name` in `folder`, which is made if it is not there and never written.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be made or the file system has no locks; [`ErrorKind::DiskFull`].
    pub fn take(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let file = private_file()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| full_or_io(&error, "opening", &path))?;
        wait(&path, || file.lock())?;
        Ok(Self(file))
    }

    /// Waits for a reader's lock on the file `name` in `folder`, which is opened to be read alone: it works where
    /// nothing can be written. `None` if the file is not there: no writer has been there either, or its lock was left
    /// out of a copy.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be opened or the file system has no locks.
    pub fn take_to_read(folder: &Path, name: &str) -> Result<Option<Self>> {
        let path = folder.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(full_or_io(&error, "opening", &path)),
        };
        wait(&path, || file.lock_shared())?;
        Ok(Some(Self(file)))
    }
}

fn wait(path: &Path, lock: impl Fn() -> io::Result<()>) -> Result<()> {
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            // A signal, such as a first Ctrl-C that is handled elsewhere, does not end the waiting.
            Err(error) if error.kind() == IoKind::Interrupted => {}
            Err(error) => return Err(full_or_io(&error, "locking", path)),
        }
    }
}
