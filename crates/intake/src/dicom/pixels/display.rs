//! A frame as a picture to look at: 8 bits, gray or RGB.

use dicom_dictionary_std::tags;

use super::frame::{ModalityFrame, Rgb, StoredFrame};
use super::functional;
use super::gray::Gray;
use super::presentation::{eight_bits, inversion, level};
use super::steps::{PixelAction, PixelStep};
use super::stored::{Stored, each};
use super::voi::{self, Voi, VoiChoice};
use super::window::{WindowFunction, WindowRule};
use super::{error, expected};
use crate::memory::reserve;
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
        let picture = match self.modality()? {
            ModalityFrame::Gray(gray) => {
                steps.extend(gray.modality.step());
                Display::Gray8(self.gray_levels(&gray, choice, rule, &mut steps)?)
            }
            ModalityFrame::Rgb(rgb) => {
                if !matches!(choice, VoiChoice::Default | VoiChoice::None) {
                    return Err(error(
                        ErrorKind::Unknown,
                        tags::WINDOW_CENTER,
                        "no window for a picture in colour",
                        "a choice of one",
                    ));
                }
                steps.extend_from_slice(&rgb.steps);
                Display::Rgb8(rgb.levels(&mut steps)?)
            }
        };
        steps.extend(self.facts.left_undone());
        let (width, height) = self.sides();
        Ok(DisplayedFrame { width, height, picture, steps })
    }

    fn gray_levels(
        &self,
        gray: &Gray<'_>,
        choice: &VoiChoice,
        rule: WindowRule,
        steps: &mut Vec<PixelStep>,
    ) -> Result<Vec<u8>> {
        let scope = functional::of_voi(self.dataset, self.frame_idx())?;
        let voi = voi::choose(scope, choice)?;
        let invert = inversion(self.dataset, self.image)?;
        let flip = |level: u8| if invert.is_some() { 255 - level } else { level };
        let levels = match voi {
            Voi::Window(window, number) => {
                window.check(rule)?;
                let by = match (rule, window.function) {
                    (WindowRule::Serving, WindowFunction::Linear) => "by the model's serving code",
                    _ => "by the standard",
                };
                let which = number.map_or("a window of one's own".to_owned(), |n| format!("view {n}"));
                steps.push(
                    PixelStep::new(PixelAction::Window, format!("{which}, {by}"))
                        .by(tags::WINDOW_CENTER, window.center)
                        .by(tags::WINDOW_WIDTH, window.width)
                        .by(tags::VOILUT_FUNCTION, window.function.term()),
                );
                let range = gray.modality.output_range(self.image);
                gray.map(|value| flip(window.level(value, range, rule)))?
            }
            Voi::Table(lut, number) => {
                steps.push(
                    PixelStep::new(
                        PixelAction::VoiTable,
                        format!("view {number}: entries / {} × 255", lut.max()),
                    )
                    .by(tags::LUT_DESCRIPTOR, format!("{}\\{}\\{}", lut.n_entries(), lut.first, lut.bits)),
                );
                let range = (0.0, f64::from(lut.max()));
                gray.map(|value| flip(level(f64::from(lut.entry(value)), range)))?
            }
            Voi::Stretch => {
                let range = gray.range()?.unwrap_or((0.0, 0.0));
                let mut step = PixelStep::new(
                    PixelAction::Stretch,
                    format!("from {} to {}, the smallest and the largest value", range.0, range.1),
                );
                if let Some(padding) = gray.padding {
                    step = step.by(tags::PIXEL_PADDING_VALUE, padding.low);
                    if padding.high != padding.low {
                        step = step.by(tags::PIXEL_PADDING_RANGE_LIMIT, padding.high);
                    }
                }
                steps.push(step);
                gray.map(|value| flip(level(value, range)))?
            }
        };
        steps.extend(invert);
        Ok(levels)
    }
}

impl Rgb<'_> {
    /// The colours in 8 bits.
    fn levels(&self, steps: &mut Vec<PixelStep>) -> Result<Vec<u8>> {
        if let Stored::U8(samples) = &*self.values
            && self.max == 255
        {
            let mut levels = reserve(samples.len())?;
            levels.extend_from_slice(samples);
            return Ok(levels);
        }
        let max = self.max;
        steps.push(PixelStep::new(PixelAction::ToEightBits, format!("sample × 255 / {max}, rounded")));
        let scaled = |samples: &mut dyn Iterator<Item = u64>, n: usize| -> Result<Vec<u8>> {
            let mut levels = reserve(n)?;
            levels.extend(samples.map(|sample| eight_bits(sample, max)));
            Ok(levels)
        };
        match &*self.values {
            Stored::U8(v) => scaled(&mut v.iter().map(|s| u64::from(*s)), v.len()),
            Stored::U16(v) => scaled(&mut v.iter().map(|s| u64::from(*s)), v.len()),
            Stored::U32(v) => scaled(&mut v.iter().map(|s| u64::from(*s)), v.len()),
            Stored::U64(v) => scaled(&mut v.iter().copied(), v.len()),
            other => each!(other, _v => Err(expected(
                tags::PIXEL_REPRESENTATION,
                "unsigned samples of colours",
                "signed ones",
            ))),
        }
    }
}
