//! The folder that `prepare` writes to: what it may replace there, and how.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::{Earlier, EarlierFrame, FORMAT, Prepared};
use crate::exit::{Code, Failure};
use crate::folders;

/// What says how the pictures were made.
pub const VIEW: &str = "view.json";
/// All pictures at a glance.
pub const CONTACT_SHEET: &str = "contact-sheet.png";
/// Names what a run is about to write; gone when all of it is written. A run that died leaves it, so that the next one
/// knows the pictures for its own.
const UNFINISHED: &str = "unfinished.json";

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
        let mut own: BTreeSet<String> = [VIEW, CONTACT_SHEET, UNFINISHED].map(str::to_owned).into();
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
        let stale = earlier.difference(&own).cloned().collect();
        let folder = Self { path, stale };
        // What an earlier run left stays its own until the end of this one.
        own.extend(earlier);
        let frames = own.iter().filter(|name| is_frame(name));
        let frames =
            frames.map(|name| EarlierFrame { file: name.clone(), model_file: name.clone() }).collect();
        let unfinished = Earlier { format: FORMAT, frames, contact_sheet: CONTACT_SHEET.to_owned() };
        folder.write(UNFINISHED, &super::json(&unfinished)?)?;
        Ok(folder)
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        folders::write_out(self.path, name, bytes)
    }

    /// Removes what an earlier run wrote and this one did not: pictures that `view.json` no longer names. Then all is
    /// written.
    ///
    /// # Errors
    /// [`Code::Output`].
    pub fn finish(&self) -> Result<(), Failure> {
        for name in self.stale.iter().map(String::as_str).chain([UNFINISHED]) {
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

/// The files that earlier runs say are their own, whether they ended or died; none if there was no such run.
fn earlier(path: &Path) -> BTreeSet<String> {
    [VIEW, UNFINISHED].into_iter().flat_map(|list| named(path, list)).collect()
}

/// The files that `list` names, and itself.
fn named(path: &Path, list: &str) -> BTreeSet<String> {
    let read = fs::read(path.join(list)).ok().and_then(|text| serde_json::from_slice::<Earlier>(&text).ok());
    let Some(earlier) = read.filter(|earlier| earlier.format == FORMAT) else { return BTreeSet::new() };
    let frames = earlier.frames.into_iter().flat_map(|frame| [frame.file, frame.model_file]);
    frames
        .chain([earlier.contact_sheet, list.to_owned()])
        // Only names that this program gives; a file that was written by someone else may name anything.
        .filter(|name| name == list || name == CONTACT_SHEET || is_frame(name))
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
