//! A frame as a picture to look at: 8 bits, gray or RGB.

use dicom_dictionary_std::tags;

use super::error;
use super::frame::{ModalityFrame, StoredFrame};
use super::functional;
use super::gray::Gray;
use super::image_pixel::Photometric;
use super::palette::Palette;
use super::presentation::{inversion, level};
use super::steps::{PixelAction, PixelStep};
use super::stored::Stored;
use super::voi::{self, ChosenView, VoiChoice};
use super::window::{WindowFunction, WindowRule, stretched};
use crate::{ErrorKind, Result};

/// A picture of 8 bits a sample.
#[derive(Clone, PartialEq, Eq)]
pub enum Display {
    /// `[height, width]`; 0 is black.
    Gray8(Vec<u8>),
    /// `[height, width, 3]`
    Rgb8(Vec<u8>),
}

/// Shows the shape only: samples are a patient's picture.
impl std::fmt::Debug for Display {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gray8(v) => write!(f, "Display(gray × {})", v.len()),
            Self::Rgb8(v) => write!(f, "Display(RGB × {})", v.len()),
        }
    }
}

/// A picture with its sides, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayedFrame {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The samples.
    pub picture: Display,
    /// Everything that was done from the coded bytes on, and what was knowingly left undone.
    pub steps: Vec<PixelStep>,
}

impl StoredFrame<'_> {
    /// The frame as a picture of 8 bits.
    ///
    /// Gray: a table gives `round(entry / largest × 255)`, where the largest entry is that of the bits that its
    /// descriptor states; a window gives `round((output - low) / (high - low) × 255)`, where low and high are the ends that
    /// pydicom takes values to (those that samples of Bits Stored have after the modality rule); where there is neither, or `VoiChoice::None`,
    /// values are scaled so from the smallest to the largest (padding left out). What has one end only is 0. Then
    /// MONOCHROME1 or Presentation LUT Shape INVERSE exchange black and white. Halves are rounded to even.
    ///
    /// Colours: 8 bits as they are; more by `round(sample × 255 / largest)`, where the largest is that of Bits Stored, or
    /// of the palette. A view is not chosen for colours: only `Default` and `None` are taken.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] if the choice names no view, else as [`StoredFrame::modality`] and as the elements of the
    /// view are wrong; each names the element.
    pub fn display(&self, choice: &VoiChoice, rule: WindowRule) -> Result<DisplayedFrame> {
        let mut steps = self.steps().to_vec();
        if !self.photometric().is_gray() && !matches!(choice, VoiChoice::Default | VoiChoice::None) {
            return Err(error(
                ErrorKind::Unknown,
                tags::WINDOW_CENTER,
                "no window for a picture in colour",
                "a choice of one",
            ));
        }
        let picture = if self.photometric() == Photometric::PaletteColor {
            // The palette is scaled, not the picture: 16-bit colours of a frame are never held.
            let (palette, step) = Palette::of_frame(self.dataset)?;
            steps.push(step);
            match palette.in_eight_bits(&mut steps).apply(self.values())? {
                Stored::U8(levels) => Display::Rgb8(levels),
                other => Display::Rgb8(other.to_le_bytes()?),
            }
        } else {
            match self.modality()? {
                ModalityFrame::Gray(gray) => {
                    let shown = Shown {
                        view: self.view(choice)?,
                        output_range: gray.modality.output_range(self.image),
                        inversion: self.inversion()?,
                    };
                    Display::Gray8(shown.levels(&gray, rule, &mut steps)?)
                }
                ModalityFrame::Rgb(rgb) => {
                    steps.extend_from_slice(&rgb.steps);
                    Display::Rgb8(rgb.levels(&mut steps)?)
                }
            }
        };
        steps.extend(self.facts.left_undone());
        let (width, height) = self.sides();
        Ok(DisplayedFrame { width, height, picture, steps })
    }

    /// The view that a choice means for this frame.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`] if it names none, with a list of those there are; else names the element that is wrong.
    pub fn view(&self, choice: &VoiChoice) -> Result<ChosenView> {
        let mut view = voi::choose(functional::of_voi(self.dataset, self.frame_idx())?, choice)?;
        if let ChosenView::Table { lut, .. } = &mut view
            && self.gray()?.modality.output_range(self.image).0 < 0.0
        {
            lut.take_first_as_signed();
        }
        Ok(view)
    }

    /// Whether black and white are exchanged at the end, as a step with its reasons.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a Presentation LUT Sequence, and for a shape that is not IDENTITY or INVERSE.
    pub fn inversion(&self) -> Result<Option<PixelStep>> {
        inversion(self.dataset, self.image)
    }
}

/// How gray values become a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// The view.
    pub view: ChosenView,
    /// The ends of what a window gives.
    pub output_range: (f64, f64),
    /// Whether black and white are exchanged, and why.
    pub inversion: Option<PixelStep>,
}

impl Shown {
    /// The levels of gray values, 0 black.
    pub fn levels(&self, gray: &Gray<'_>, rule: WindowRule, steps: &mut Vec<PixelStep>) -> Result<Vec<u8>> {
        steps.extend(gray.modality.step());
        let flip = |level: u8| if self.inversion.is_some() { 255 - level } else { level };
        let levels = match &self.view {
            ChosenView::Window { window, number } => {
                window.check()?;
                let by = match window.rule(rule) {
                    WindowRule::Serving => "by the rule of the model's serving code",
                    WindowRule::Standard => "by the standard",
                };
                let which =
                    number.map_or("a window of one's own".to_owned(), |n| format!("window {n} of the file"));
                let step =
                    PixelStep::new(PixelAction::Window, format!("{which}, {}, {by}", window.function.term()))
                        .by(tags::WINDOW_CENTER, window.center)
                        .by(tags::WINDOW_WIDTH, window.width);
                // LINEAR is also what counts where the file states none.
                steps.push(match window.function {
                    WindowFunction::Linear => step,
                    other => step.by(tags::VOILUT_FUNCTION, other.term()),
                });
                gray.map(|value| flip(window.level(value, self.output_range, rule)))?
            }
            ChosenView::Table { lut, number } => {
                steps.push(
                    PixelStep::new(
                        PixelAction::VoiTable,
                        format!("window {number} of the file, a table: entries / {} × 255", lut.max()),
                    )
                    .by(tags::LUT_DESCRIPTOR, format!("{}\\{}\\{}", lut.n_entries(), lut.first, lut.bits)),
                );
                let range = (0.0, f64::from(lut.max()));
                gray.map(|value| flip(level(f64::from(lut.entry(value)), range)))?
            }
            ChosenView::Stretch => {
                let range = gray.range().unwrap_or((0.0, 0.0));
                let by = if rule == WindowRule::Serving { "by the model's serving code, " } else { "" };
                let mut step = PixelStep::new(
                    PixelAction::Stretch,
                    format!("{by}from {} to {}, the smallest and the largest value", range.0, range.1),
                );
                if let Some(padding) = gray.padding {
                    step = step.by(tags::PIXEL_PADDING_VALUE, padding.low);
                    if padding.high != padding.low {
                        step = step.by(tags::PIXEL_PADDING_RANGE_LIMIT, padding.high);
                    }
                }
                steps.push(step);
                let is_eight_bits = gray.is_eight_bits();
                gray.map(|value| {
                    flip(match rule {
                        WindowRule::Standard => level(value, range),
                        WindowRule::Serving => stretched(value, range, is_eight_bits),
                    })
                })?
            }
        };
        steps.extend(self.inversion.clone());
        Ok(levels)
    }
}
