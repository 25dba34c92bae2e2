//! The files that a command is given.

use std::path::{Path, PathBuf};

use lightbox_intake::{Allowance, PictureChoice, Study};
use lightbox_records::{Digest, Input};

use crate::exit::{Code, Failure};

/// Opened inputs: what they show, and what they were.
#[derive(Default)]
pub struct Inputs {
    /// All pictures, in the order of the files.
    pub study: Study,
    /// The files, as a record keeps them.
    pub files: Vec<Input>,
    /// What further files may bring.
    allowance: Allowance,
}

impl Inputs {
    /// Opens files one by one and joins what they hold: what is chosen of each.
    ///
    /// # Errors
    /// [`Code::Input`], naming the file.
    pub fn open(paths: &[PathBuf], choice: &PictureChoice) -> Result<Self, Failure> {
        let mut inputs = Self::default();
        for path in paths {
            inputs.add_file(path, choice)?;
        }
        Ok(inputs)
    }

    /// Adds what is chosen of a file.
    ///
    /// # Errors
    /// As [`Inputs::open`].
    pub fn add_file(&mut self, path: &Path, choice: &PictureChoice) -> Result<(), Failure> {
        let study = self
            .allowance
            .open_chosen(path, choice)
            .map_err(|error| refused(&path.display().to_string(), &error))?;
        self.add(study, Some(path.to_owned()))
    }

    /// Adds the bytes of a file, all frames; `place` names them in messages.
    ///
    /// # Errors
    /// As [`Inputs::open`].
    pub fn add_bytes(&mut self, bytes: &[u8], place: &str) -> Result<(), Failure> {
        let study = self.allowance.read(bytes).map_err(|error| refused(place, &error))?;
        self.add(study, None)
    }

    fn add(&mut self, study: Study, path: Option<PathBuf>) -> Result<(), Failure> {
        for source in &study.sources {
            let digest = Digest::parse(&source.sha256)
                .ok_or_else(|| Failure::new(Code::Input, "a digest of an input is not a SHA-256"))?;
            self.files.push(Input { digest, path: path.clone() });
        }
        self.study.append(study);
        Ok(())
    }
}

fn refused(place: &str, error: &lightbox_intake::Error) -> Failure {
    Failure::new(Code::Input, format!("{place}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_inputs_share_one_allowance() {
        let film = lightbox_phantoms::film_of_height(1, 86).png16();
        let mut inputs = Inputs { allowance: Allowance::new(2 * 70 * 86), ..Inputs::default() };
        inputs.add_bytes(&film, "first").expect("it fits");
        inputs.add_bytes(&film, "second").expect("it fits");
        let failure = inputs.add_bytes(&film, "third").expect_err("one too many");
        assert_eq!(failure.code, Code::Input);
        assert!(
            failure.message.contains("third: ") && failure.message.contains("fewer"),
            "{}",
            failure.message
        );
        assert_eq!(inputs.files.len(), 2);
    }
}
