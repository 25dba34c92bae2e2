//! What was done between the stored values and a picture, and from which elements: so that a reader can see why a
//! picture looks as it does.

use dicom_core::Tag;
use serde::{Deserialize, Serialize};

use crate::dicom::keyword;

/// One thing that was done to the pixels of a frame, or knowingly left undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelStep {
    /// What was done.
    pub action: PixelAction,
    /// The elements that asked for it, with their values.
    pub elements: Vec<UsedElement>,
    /// The same in a sentence without a full stop.
    pub detail: String,
}

/// The kinds of things that are done to pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PixelAction {
    /// Coded bytes were decoded.
    Decode,
    /// Bits were unpacked to one sample each.
    UnpackBits,
    /// Bits above Bits Stored were cleared, or filled with the sign.
    KeepStoredBits,
    /// Values were read with the sign that the header states and the coded data do not.
    CorrectSign,
    /// Planes of one colour each were put side by side.
    Interleave,
    /// Chroma that is stored for every second pixel was repeated.
    RepeatChroma,
    /// The colours are other than Photometric Interpretation says.
    TakeColors,
    /// Luma and chroma were turned into RGB.
    YbrToRgb,
    /// Indices were replaced by the colours of the palette.
    ApplyPalette,
    /// The Modality LUT Sequence was applied.
    ModalityTable,
    /// Rescale Slope and Rescale Intercept were applied.
    Rescale,
    /// A window was applied.
    Window,
    /// An item of the VOI LUT Sequence was applied.
    VoiTable,
    /// Values were stretched from the smallest to the largest.
    Stretch,
    /// White and black were exchanged.
    Invert,
    /// Samples of more bits were divided down to 8.
    ToEightBits,
    /// Something that the file states was not applied.
    LeaveUndone,
}

/// An element with the value that was used. Values are numbers and code strings, never free text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedElement {
    /// The tag, such as `(0028,1050)`.
    pub tag: String,
    /// The keyword, such as `WindowCenter`.
    pub keyword: String,
    /// The value as it was understood.
    pub value: String,
}

impl PixelStep {
    /// A step without elements.
    pub(crate) fn new(action: PixelAction, detail: impl Into<String>) -> Self {
        Self { action, elements: Vec::new(), detail: detail.into() }
    }

    /// Adds an element with the value that was used.
    #[must_use]
    pub(crate) fn by(mut self, tag: Tag, value: impl ToString) -> Self {
        self.elements.push(UsedElement {
            tag: format!("({:04X},{:04X})", tag.0, tag.1),
            keyword: keyword(tag).unwrap_or_default().to_owned(),
            value: value.to_string(),
        });
        self
    }
}

/// A text as it may be shown and recorded: a code string (PS3.5 section 6.2) as it is, anything else by its length.
pub(crate) fn shown(text: &str) -> String {
    let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == ' ';
    if text.len() <= 16 && text.chars().all(is_code) {
        text.to_owned()
    } else {
        format!("a text of {} characters that is no code string", text.chars().count())
    }
}
