//! The folder that `prepare` writes to: what it may replace there, and how.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::{Earlier, FORMAT, Prepared};
use crate::exit::{Code, Failure};
use crate::folders;

/// What says how the pictures were made.
pub const VIEW: &str = "view.json";
/// All pictures at a glance.
pub const CONTACT_SHEET: &str = "contact-sheet.png";

/// A folder to write to.
pub struct Folder<'a> {
    path: &'a Path,
    /// Files of an earlier run that this one does not write.
    stale: Vec<String>,
}

impl<'a> Folder<'a> {
    /// Makes the folder and checks that nothing in it is lost that an earlier run did not write itself.
    ///
    /// # Errors
    /// [`Code::Usage`] if a file is in the way, [`Code::Output`] if the folder cannot be made or read.
    pub fn open(path: &'a Path, prepared: &Prepared<'_>, force: bool) -> Result<Self, Failure> {
        if path.exists() && !path.is_dir() {
            return Err(Failure::new(
                Code::Usage,
                format!("--out {}: expected a folder, found a file", path.display()),
            ));
        }
        // What is written there is a patient's picture.
        folders::make_private(path)?;
        let mut own: BTreeSet<String> = [VIEW, CONTACT_SHEET].map(str::to_owned).into();
        own.extend(prepared.frames.iter().flat_map(|frame| [frame.file.clone(), frame.model_file.clone()]));
        let earlier = earlier(path);
        if !force
            && let Some(foreign) =
                own.iter().find(|name| path.join(name).exists() && !earlier.contains(*name))
        {
            return Err(Failure::new(
                Code::Usage,
                format!(
                    "{}: expected nothing or a file of an earlier `prepare`, found another; choose an empty folder, \
                     or add --force to replace it",
                    path.join(foreign).display()
                ),
            ));
        }
        Ok(Self { path, stale: earlier.difference(&own).cloned().collect() })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        lightbox_archive::write_whole(self.path, name, &[bytes])
            .map_err(|error| Failure::new(Code::Output, error.to_string()))
    }

    /// Removes what an earlier run wrote and this one did not: pictures that `view.json` no longer names.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn remove_stale(&self) -> Result<(), Failure> {
        for name in &self.stale {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Failure::output(path.display(), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The files that an earlier run says are its own; none if there is no such run.
fn earlier(path: &Path) -> BTreeSet<String> {
    let read = fs::read(path.join(VIEW)).ok().and_then(|text| serde_json::from_slice::<Earlier>(&text).ok());
    let Some(earlier) = read.filter(|earlier| earlier.format == FORMAT) else { return BTreeSet::new() };
    let frames = earlier.frames.into_iter().flat_map(|frame| [frame.file, frame.model_file]);
    frames
        .chain([earlier.contact_sheet, VIEW.to_owned()])
        // Only names that this program gives; a file that was written by someone else may name anything.
        .filter(|name| name == VIEW || name == CONTACT_SHEET || is_frame(name))
        .collect()
}

fn is_frame(name: &str) -> bool {
    let stem = name.strip_prefix("frame-").and_then(|rest| rest.strip_suffix(".png"));
    let number = stem.map(|stem| stem.strip_suffix("-model").unwrap_or(stem));
    number.is_some_and(|number| number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_this_program_gives_are_its_own() {
        for name in ["frame-0001.png", "frame-0001-model.png", "frame-12345.png"] {
            assert!(is_frame(name), "{name}");
        }
        for name in
            ["frame-1.png", "../frame-0001.png", "frame-0001.jpg", "frame-.png", "frame-000a.png", "film.png"]
        {
            assert!(!is_frame(name), "{name}");
        }
    }
}
