//! Stored values to modality values (PS3.3 section C.11.1), such as Hounsfield units.

use dicom_dictionary_std::tags;

use super::expected;
use super::image_pixel::{ImagePixel, PixelSource};
use super::lut::Lut;
use super::steps::{PixelAction, PixelStep, shown};
use crate::Result;
use crate::dicom::{Dataset, Tag};

/// How stored values become modality values.
#[derive(Clone, Debug, PartialEq)]
pub enum Modality {
    /// They are the same.
    Identity,
    /// `stored * slope + intercept`, in double precision.
    Rescale {
        /// Rescale Slope.
        slope: f64,
        /// Rescale Intercept.
        intercept: f64,
        /// Rescale Type, such as `HU`; as stated, where it is a code string.
        unit: Option<String>,
    },
    /// An entry of a table.
    Table(Lut),
}

impl Modality {
    /// Reads the rule of a data set, or of an item of the Pixel Value Transformation Sequence.
    ///
    /// As in pydicom, the first item of a Modality LUT Sequence goes before a rescale, and a rescale needs both of its
    /// values.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] if the table is broken, or an element has several values.
    pub(crate) fn of(scope: &Dataset<'_>) -> Result<Self> {
        if let Some(item) = scope.items(tags::MODALITY_LUT_SEQUENCE)?.first() {
            return Ok(Self::Table(Lut::of(item)?));
        }
        let slope = one(scope, tags::RESCALE_SLOPE)?;
        let intercept = one(scope, tags::RESCALE_INTERCEPT)?;
        Ok(match (slope, intercept) {
            (Some(slope), Some(intercept)) => {
                let unit = scope.text(tags::RESCALE_TYPE)?.map(|unit| shown(&unit));
                Self::Rescale { slope, intercept, unit }
            }
            _ => Self::Identity,
        })
    }

    /// The modality value of a stored value.
    #[must_use]
    pub fn value(&self, stored: f64) -> f64 {
        match self {
            Self::Identity => stored,
            Self::Rescale { slope, intercept, .. } => {
                // Two roundings, as numpy does it; never fused.
                let product = stored * slope;
                product + intercept
            }
            Self::Table(lut) => f64::from(lut.entry(stored)),
        }
    }

    /// What was done, for the record.
    pub(crate) fn step(&self) -> Option<PixelStep> {
        match self {
            Self::Identity => None,
            Self::Rescale { slope, intercept, unit } => {
                let step = PixelStep::new(PixelAction::Rescale, "stored value × slope + intercept")
                    .by(tags::RESCALE_SLOPE, slope)
                    .by(tags::RESCALE_INTERCEPT, intercept);
                Some(match unit {
                    Some(unit) => step.by(tags::RESCALE_TYPE, unit),
                    None => step,
                })
            }
            Self::Table(lut) => Some(
                PixelStep::new(PixelAction::ModalityTable, "stored values replaced by entries of the table")
                    .by(tags::MODALITY_LUT_SEQUENCE, "item 1")
                    .by(tags::LUT_DESCRIPTOR, format!("{}\\{}\\{}", lut.n_entries(), lut.first, lut.bits)),
            ),
        }
    }

    /// The smallest and the largest modality value that samples of the header's bits can have: pydicom's output range of
    /// a window. Floating point samples have none; 0 to 1 stands for them.
    pub(crate) fn output_range(&self, image: &ImagePixel) -> (f64, f64) {
        if let Self::Table(lut) = self {
            return (0.0, f64::from(lut.max()));
        }
        let bits = image.bits_stored.min(64) as i32;
        let (low, high) = match image.source {
            PixelSource::Integers if image.is_signed => (-2_f64.powi(bits - 1), 2_f64.powi(bits - 1) - 1.0),
            PixelSource::Integers => (0.0, 2_f64.powi(bits) - 1.0),
            PixelSource::Floats | PixelSource::Doubles => (0.0, 1.0),
        };
        (self.value(low), self.value(high))
    }
}

/// A number that has one value; absent and empty are the same.
fn one(scope: &Dataset<'_>, tag: Tag) -> Result<Option<f64>> {
    match scope.decimals(tag)?[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        ref many => Err(expected(tag, "one value", &many.len().to_string())),
    }
}
