//! Finding the inputs of a record again: where they were, among files that are given, or as kept views.

use std::io;
use std::path::PathBuf;

use lightbox_models::RgbImage;

use crate::store::{Record, Records};
use crate::{Digest, Error, ErrorKind, Result};

/// What a replay reads from.
#[derive(Debug)]
pub enum Sources {
    /// The files, one an input in the order of the record, each with the recorded digest.
    Files(Vec<PathBuf>),
    /// The pictures that the model was handed.
    Views(Vec<RgbImage>),
}

impl Records {
    /// The inputs of a record: among `given` where there are any; else where they were; else as kept views.
    ///
    /// A file counts only with the recorded digest, whatever its name; so files may have been moved and renamed.
    ///
    /// # Errors
    /// [`ErrorKind::Inputs`] if an input is none of the given files, or not where it was and no views were kept: the
    /// message counts inputs and names no recorded path; otherwise as [`Records::get`].
    pub fn sources(&self, record: &Record, given: &[PathBuf]) -> Result<Sources> {
        let inputs: Vec<&str> =
            record.body.reading.inputs.iter().map(|input| input.sha256.as_str()).collect();
        if !given.is_empty() {
            return among(&inputs, given).map(Sources::Files);
        }
        let by_index = self.paths(record).and_then(|paths| where_they_were(&inputs, paths));
        match by_index {
            Ok(files) => Ok(Sources::Files(files)),
            Err(missing) => match self.kept_views(record)? {
                Some(views) => Ok(Sources::Views(views)),
                None => Err(missing),
            },
        }
    }
}

fn among(inputs: &[&str], given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut candidates = Vec::new();
    for path in given {
        let digest = Digest::of_file(path).map_err(|error| {
            Error::new(ErrorKind::Inputs, format!("cannot read {}: {error}", path.display()))
        })?;
        candidates.push((digest.to_string(), path));
    }
    let find = |(idx, wanted): (usize, &&str)| {
        candidates.iter().find(|(digest, _)| digest == wanted).map(|(_, path)| (*path).clone()).ok_or_else(|| {
            Error::new(
                ErrorKind::Inputs,
                format!("{} is none of the files given", ordinal(idx, inputs.len(), wanted)),
            )
            .hint("give the very file that was read, with not a byte changed; its name and place do not matter")
        })
    };
    inputs.iter().enumerate().map(find).collect()
}

fn where_they_were(inputs: &[&str], paths: Vec<Option<PathBuf>>) -> Result<Vec<PathBuf>> {
    let gone = |idx: usize, wanted: &str, what: &str| {
        Error::new(ErrorKind::Inputs, format!("{} {what}", ordinal(idx, inputs.len(), wanted)))
            .hint("give its file with --input; no views were kept that could stand in for it")
    };
    if paths.len() != inputs.len() {
        return Err(Error::new(
            ErrorKind::Altered,
            format!("the record has {} inputs and {} paths", inputs.len(), paths.len()),
        ));
    }
    let find = |(idx, (wanted, path)): (usize, (&&str, Option<PathBuf>))| {
        let path = path.ok_or_else(|| gone(idx, wanted, "came from no file"))?;
        match Digest::of_file(&path) {
            Ok(digest) if digest.to_string() == *wanted => Ok(path),
            Ok(_) => Err(gone(idx, wanted, "was changed since it was read")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(gone(idx, wanted, "is not where it was when it was read"))
            }
            Err(error) => Err(gone(idx, wanted, &format!("cannot be read: {error}"))),
        }
    };
    inputs.iter().zip(paths).enumerate().map(find).collect()
}

fn ordinal(idx: usize, count: usize, sha256: &str) -> String {
    format!("input {} of {count} (sha256 {}…)", idx + 1, sha256.get(..12).unwrap_or(sha256))
}
