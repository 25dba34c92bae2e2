//! The same assignment again, from what remained of it.

use lightbox_intake::Study;
use lightbox_models::RgbImage;

use super::Assignment;
use crate::reading::FORMAT;
use crate::views::{self, Recipe};
use crate::{Error, ErrorKind, Reading, Result, tasks};

impl Assignment {
    /// The assignment of `reading`, its pictures made again from the same files.
    ///
    /// The words are those of the reading, not those that the templates of today would give.
    ///
    /// # Errors
    /// [`ErrorKind::Replay`] if the files are not those that were read, a view does not come out as it was, or the task
    /// is not known; [`ErrorKind::View`] if a view cannot be made.
    pub fn again(reading: &Reading, study: &Study) -> Result<Self> {
        if study.sources.len() != reading.inputs.len() {
            return Err(replay(format!(
                "expected {} input files, found {}",
                reading.inputs.len(),
                study.sources.len()
            )));
        }
        for (index, (now, then)) in study.sources.iter().zip(&reading.inputs).enumerate() {
            if now.sha256 != then.sha256 {
                return Err(replay(format!(
                    "input {}: expected the file that was read, found other bytes",
                    index + 1
                ))
                .hint("find the original, or replay from kept views"));
            }
        }
        let mut images = Vec::new();
        for record in &reading.views {
            let view = views::make_one(record.recipe, study, record.frame, record.label.clone())?;
            images.push(view.image);
        }
        Self::again_with(reading, images)
    }

    /// The assignment of `reading` with its pictures as they were kept, in the order of `reading.views`.
    ///
    /// # Errors
    /// [`ErrorKind::Replay`] if a picture is not the one that was shown, or the task is not known.
    pub fn again_with(reading: &Reading, images: Vec<RgbImage>) -> Result<Self> {
        if reading.format != FORMAT {
            return Err(replay(format!("expected a reading of format {FORMAT}, found {}", reading.format))
                .hint("use the version of the program that made it"));
        }
        let task = tasks::by_id(&reading.task).ok_or_else(|| {
            replay(format!("expected a task of this version, found {}", reading.task))
                .hint("use the version of the program that made it")
        })?;
        if images.len() != reading.views.len() {
            return Err(replay(format!("expected {} pictures, found {}", reading.views.len(), images.len())));
        }
        for (index, (image, record)) in images.iter().zip(&reading.views).enumerate() {
            let is_same = (image.width(), image.height()) == (record.width, record.height)
                && crate::sha256_hex(image.pixels()) == record.sha256;
            if !is_same {
                let recipe = match record.recipe {
                    Recipe::Film => "film",
                    Recipe::Raw => "raw",
                };
                return Err(replay(format!(
                    "picture {}: expected the pixels that the model saw, found others (recipe {recipe})",
                    index + 1
                ))
                .hint("this version may decode or prepare pictures differently; use the one that made the reading"));
            }
        }
        Ok(Self {
            task,
            inputs: reading.inputs.clone(),
            templates: reading.templates.clone(),
            views: reading.views.clone(),
            wishes: reading.wishes.clone(),
            request: reading.request.with_images(images),
            is_settled: true,
        })
    }
}

fn replay(message: String) -> Error {
    Error::new(ErrorKind::Replay, format!("replay: {message}"))
}
