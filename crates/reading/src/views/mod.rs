//! Pictures for the model: a frame becomes RGB at native size, with every step and the way back to source pixels.
//!
//! The model's own resize is not done here: it belongs to the model.

mod mapping;
mod range;
mod recipe;
mod sheet;

use lightbox_intake::dicom::pixels::PixelAction;
use lightbox_models::RgbImage;
use serde::{Deserialize, Serialize};

pub use mapping::{Mapping, Region};
pub use recipe::{Recipe, make, make_one};
pub use sheet::{contact_sheet, thumbnail};

/// A picture for the model and what is known of it.
#[derive(Clone, Debug)]
pub struct View {
    /// The picture as it is handed to the model.
    pub image: RgbImage,
    /// How it was made.
    pub record: ViewRecord,
}

/// How a view was made; enough to make it again from the same input, and to tell whether the same came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    /// Words that stand beside the picture in the prompt.
    pub label: Option<String>,
    /// The file: an index into the inputs of the reading.
    pub source: usize,
    /// The picture: an index into the frames of the study.
    pub frame: usize,
    /// Which frame of its file it is, from 1.
    #[serde(default = "first")]
    pub frame_number: usize,
    /// Which steps belong to the view.
    pub recipe: Recipe,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Lower-case hex SHA-256 of the RGB samples, `[height, width, 3]`.
    pub sha256: String,
    /// Everything between the bytes of the file and the RGB samples, in order.
    pub steps: Vec<Step>,
    /// The way back to pixels of the file.
    pub mapping: Mapping,
}

impl ViewRecord {
    /// What the file states and nobody did, and what people should know who trust the picture: burned-in text that was
    /// not removed, overlays that were not drawn.
    pub fn left_undone(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Decode(lightbox_intake::Step::Dicom(step)) if step.action == PixelAction::LeaveUndone => {
                Some(step.detail.as_str())
            }
            _ => None,
        })
    }
}

/// Records of a version that read files of one picture only do not state which.
fn first() -> usize {
    1
}

/// One step, of the decoder or of the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Done by this room.
    View(ViewStep),
    /// Done while the file was read.
    Decode(lightbox_intake::Step),
}

/// A step of a view, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ViewStep {
    /// 16-bit samples were stretched to the full range: `trunc((v - min) · (65535 / (max - min)))` in f64, `max` itself
    /// to 65535; a flat picture becomes 65535 throughout.
    StretchRange {
        /// Smallest sample of the picture.
        min: u16,
        /// Largest sample of the picture.
        max: u16,
    },
    /// 16-bit samples became 8-bit ones: `v / 257`, rounded, halves to even.
    ToEightBits,
    /// Gray samples were repeated as red, green and blue.
    GrayToRgb,
    /// Black was added around the picture to make it square.
    PadToSquare {
        /// Side of the square in pixels.
        side: usize,
        /// Columns before the picture.
        left: usize,
        /// Rows above the picture.
        top: usize,
    },
}
