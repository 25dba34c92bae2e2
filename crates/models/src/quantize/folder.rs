//! A folder that appears whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::unwritten;
use crate::files::ModelFiles;
use crate::gguf::Gguf;
use crate::{Error, ErrorKind, Result};

/// A folder beside its later place; removed with all that is in it unless it is finished.
pub(super) struct Partial {
    path: PathBuf,
    place: PathBuf,
    is_done: bool,
}

impl Partial {
    /// Makes the folder; where something stands in its later place, only `overwrite` goes on, and only over what was
    /// written by this command.
    pub(super) fn make(place: &Path, overwrite: bool) -> Result<Self> {
        if fs::symlink_metadata(place).is_ok() {
            let shown = place.display();
            if !overwrite {
                return Err(Error::new(ErrorKind::Unwritable, format!("{shown}: is there already"))
                    .hint("name another folder, or write over it with --force"));
            }
            if !is_ours(place) {
                return Err(Error::new(
                    ErrorKind::Unwritable,
                    format!("{shown}: expected nothing, or a folder that this command made"),
                )
                .hint("it holds something else, which is not removed; name another folder"));
            }
        }
        let name = place.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::new(ErrorKind::Unwritable, format!("{}: expected the name of a folder", place.display()))
        })?;
        let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|e| unwritten(parent.display(), &e))?;
        let path = parent.join(format!(".{name}.partial-{}", std::process::id()));
        // What a process of the same number left when it was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|e| unwritten(path.display(), &e))?;
        Ok(Self { path, place: place.to_owned(), is_done: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the folder to its place.
    pub(super) fn finish(mut self) -> Result<()> {
        let failed = |e: &std::io::Error| unwritten(self.place.display(), e);
        let old = self.path.with_extension(format!("old-{}", std::process::id()));
        let replaced = fs::symlink_metadata(&self.place).is_ok();
        if replaced {
            fs::rename(&self.place, &old).map_err(|e| failed(&e))?;
        }
        if let Err(error) = fs::rename(&self.path, &self.place) {
            if replaced {
                // Best effort: the old folder is there under the other name if even this fails.
                let _ = fs::rename(&old, &self.place);
            }
            return Err(failed(&error));
        }
        self.is_done = true;
        if replaced {
            fs::remove_dir_all(&old).map_err(|e| unwritten(old.display(), &e))?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_done {
            // Nobody can be told if it fails.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Whether a folder holds a NOTICE and files that say that they were modified here, and nothing else.
fn is_ours(place: &Path) -> bool {
    let Ok(entries) = fs::read_dir(place) else { return false };
    let is_ours = |name: &str| name == super::NOTICE || name.ends_with(".gguf") && is_modified(place, name);
    let all = entries.into_iter().all(|entry| {
        entry.ok().and_then(|entry| entry.file_name().into_string().ok()).is_some_and(|name| is_ours(&name))
    });
    all && place.join(super::NOTICE).is_file()
}

/// Whether a file's metadata have the sentence that this command writes.
fn is_modified(folder: &Path, name: &str) -> bool {
    let gguf = ModelFiles::of_paths(vec![folder.join(name)]).and_then(|files| Gguf::read(&files, name));
    gguf.is_ok_and(|gguf| gguf.get(super::MODIFIED).is_some())
}
