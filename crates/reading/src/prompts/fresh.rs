//! A new file that is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as Io};
use std::path::Path;

/// Makes the file `path`, which must not exist, with what `write` writes.
///
/// Half of a template would be used from then on. So the file is written and made durable under a name beside it, which
/// is no template's, and gets its own name after that; nothing is left where that fails.
///
/// # Errors
/// Those of the system; [`Io::AlreadyExists`] if the name is taken.
pub(super) fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&partial)?;
    let done = write(&mut file).and_then(|()| file.sync_all()).and_then(|()| name_it(&partial, path));
    drop(file);
    // Still there after a link, gone after a rename. The first error is the one to tell.
    let _ = fs::remove_file(&partial);
    done
}

/// Gives a file its name unless that is taken. A link is the way to do so that replaces nothing; where a file system has
/// no links, somebody who takes the name between question and rename loses it.
fn name_it(partial: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(partial, path) {
        Err(error) if error.kind() != Io::AlreadyExists => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(Io::AlreadyExists.into());
            }
            fs::rename(partial, path)
        }
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ask.jinja");
        let failing = |file: &mut File| file.write_all(b"half").and(Err(Io::StorageFull.into()));
        assert_eq!(write_new(&path, failing).expect_err("a full disk").kind(), Io::StorageFull);
        assert!(names(folder.path()).is_empty());

        write_new(&path, |file| file.write_all(b"whole")).expect("written");
        let again = write_new(&path, |file| file.write_all(b"another")).expect_err("the name is taken");
        assert_eq!(again.kind(), Io::AlreadyExists);
        assert_eq!(names(folder.path()), ["ask.jinja"]);
        assert_eq!(fs::read(&path).expect("the file"), b"whole");
    }
}
