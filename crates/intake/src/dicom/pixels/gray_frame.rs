//! A gray frame on its own: its values and what makes a picture of them, without the file.

use super::display::Shown;
use super::frame::StoredFrame;
use super::gray::Gray;
use super::modality::Modality;
use super::padding::Padding;
use super::steps::PixelStep;
use super::stored::Stored;
use super::voi::VoiChoice;
use super::window::WindowRule;
use crate::Result;

/// Gray values of a frame before any window, and the view that was chosen for them.
#[derive(Clone, PartialEq)]
pub struct GrayFrame {
    stored: Stored,
    modality: Modality,
    padding: Option<Padding>,
    shown: Shown,
    left_undone: Vec<PixelStep>,
}

impl GrayFrame {
    /// Takes a frame out of its file, which must be gray; what was done to its coded bytes is left in `steps`.
    ///
    /// # Errors
    /// As [`StoredFrame::modality`], [`StoredFrame::view`] and [`StoredFrame::inversion`].
    pub(crate) fn of(frame: StoredFrame<'_>, choice: &VoiChoice, steps: &mut Vec<PixelStep>) -> Result<Self> {
        let Gray { modality, padding, .. } = frame.gray()?;
        let shown = Shown {
            view: frame.view(choice)?,
            output_range: modality.output_range(frame.image),
            inversion: frame.inversion()?,
        };
        let left_undone = frame.facts.left_undone();
        let (stored, decoded) = frame.into_values();
        steps.extend(decoded);
        Ok(Self { stored, modality, padding, shown, left_undone })
    }

    /// The values as stored, row-major from the top left.
    #[must_use]
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// How they become modality values.
    #[must_use]
    pub fn modality(&self) -> &Modality {
        &self.modality
    }

    /// The picture of 8 bits that the view makes of them, 0 black, and what was done.
    ///
    /// # Errors
    /// As [`StoredFrame::display`].
    pub fn levels(&self, rule: WindowRule) -> Result<(Vec<u8>, Vec<PixelStep>)> {
        let mut steps = Vec::new();
        let gray = Gray { stored: &self.stored, modality: self.modality.clone(), padding: self.padding };
        let levels = self.shown.levels(&gray, rule, &mut steps)?;
        steps.extend_from_slice(&self.left_undone);
        Ok((levels, steps))
    }
}

/// Shows the shape only: values are a patient's picture.
impl std::fmt::Debug for GrayFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrayFrame").field("stored", &self.stored).finish_non_exhaustive()
    }
}
