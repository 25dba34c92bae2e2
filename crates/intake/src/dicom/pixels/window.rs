//! Windows (PS3.3 section C.11.2.1.2 and C.11.2.1.3), and the rule of the model family's serving code.

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::expected;
use super::presentation::level;
use crate::Result;

/// VOI LUT Function: the shape of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowFunction {
    /// A line over center - 0.5 ± (width - 1) / 2.
    #[default]
    Linear,
    /// A line over center ± width / 2.
    LinearExact,
    /// 1 / (1 + exp(-4 (x - center) / width)).
    Sigmoid,
}

impl WindowFunction {
    /// The defined term.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::Linear => "LINEAR",
            Self::LinearExact => "LINEAR_EXACT",
            Self::Sigmoid => "SIGMOID",
        }
    }

    /// The function of a defined term, in any case; `None` for an unknown one.
    pub(crate) fn of(term: &str) -> Option<Self> {
        [Self::Linear, Self::LinearExact, Self::Sigmoid]
            .into_iter()
            .find(|function| term.eq_ignore_ascii_case(function.term()))
    }
}

/// Whose arithmetic a LINEAR window follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// The standard's.
    #[default]
    Standard,
    /// That of the code which serves the model family: a line over center ± floor(width / 2), halves to even. Windows of
    /// other functions, lines narrower than 2 and tables follow the standard.
    Serving,
}

/// The level of a value between the smallest and the largest of a picture, as the code that serves the model family
/// stretches pictures without a window.
///
/// Google-Health/medgemma, `python/serving` (January 2026): `np.interp(image, (min, max), (0, most)).astype(type)`, where
/// `most` is the largest of the type (`data_processing/image_utils.py`, `rescale_dynamic_range`); 16 bits are then divided
/// by 65535 / 255 = 257 and rounded (`serving/predictor.py`, `_encode_image_bytes`). A flat picture is white throughout.
#[must_use]
pub fn stretched(value: f64, (low, high): (f64, f64), is_eight_bits: bool) -> u8 {
    if value >= high {
        return u8::MAX;
    }
    // What is no number stands nowhere between them.
    if value <= low || value.is_nan() {
        return 0;
    }
    let most = if is_eight_bits { 255.0 } else { 65_535.0 };
    // In numpy's order: the slope first, then the product, then truncation.
    let slope = most / (high - low);
    let level = (slope * (value - low)) as u16;
    // A half cannot occur: 257 is odd.
    if is_eight_bits { level.min(255) as u8 } else { ((u32::from(level) + 128) / 257) as u8 }
}

/// A window over modality values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Window Center.
    pub center: f64,
    /// Window Width.
    pub width: f64,
    /// VOI LUT Function.
    pub function: WindowFunction,
}

impl Window {
    /// Refuses a width that the function does not have.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`].
    pub(crate) fn check(&self) -> Result<()> {
        let (is_wide, least) = match self.function {
            WindowFunction::Linear => (self.width >= 1.0, "at least 1 for LINEAR"),
            WindowFunction::LinearExact => (self.width > 0.0, "more than 0 for LINEAR_EXACT"),
            WindowFunction::Sigmoid => (self.width > 0.0, "more than 0 for SIGMOID"),
        };
        if is_wide && self.width.is_finite() && self.center.is_finite() {
            return Ok(());
        }
        Err(expected(tags::WINDOW_WIDTH, least, &self.width.to_string())
            .hint("choose another window, or give a free one"))
    }

    /// The rule that counts for this window: the serving code knows the line only, and none narrower than 2, where its two
    /// ends would meet.
    pub(crate) fn rule(&self, wished: WindowRule) -> WindowRule {
        if self.function == WindowFunction::Linear && self.width >= 2.0 {
            wished
        } else {
            WindowRule::Standard
        }
    }

    /// The output of the window for a modality value, from `low` to `high`: pydicom's `apply_windowing`, operation by
    /// operation.
    fn apply(&self, value: f64, (low, high): (f64, f64)) -> f64 {
        let range = high - low;
        let (center, width) = match self.function {
            WindowFunction::Linear => (self.center - 0.5, self.width - 1.0),
            WindowFunction::LinearExact => (self.center, self.width),
            // The last bit of `exp` is the platform's; rounding to 8 bits leaves nothing of it.
            WindowFunction::Sigmoid => {
                return range / (1.0 + (-4.0 * (value - self.center) / self.width).exp()) + low;
            }
        };
        if value <= center - width / 2.0 {
            low
        } else if value > center + width / 2.0 {
            high
        } else {
            ((value - center) / width + 0.5) * range + low
        }
    }

    /// The level of a modality value, 0 to 255.
    ///
    /// Standard: the output of the window, scaled from `range`, its own ends. Serving: Google-Health/medgemma,
    /// `python/data_processing/image_utils.py`, `window_accurate` (January 2026).
    pub(crate) fn level(&self, value: f64, range: (f64, f64), rule: WindowRule) -> u8 {
        if self.rule(rule) == WindowRule::Standard {
            return level(self.apply(value, range), range);
        }
        let half = (self.width / 2.0).floor();
        let (low, high) = (self.center - half, self.center + half);
        if value >= high {
            return 255;
        }
        if value <= low {
            return 0;
        }
        // In the order of numpy's `interp`: the slope first, then the product.
        let slope = 255.0 / (high - low);
        (slope * (value - low)).round_ties_even() as u8
    }
}
