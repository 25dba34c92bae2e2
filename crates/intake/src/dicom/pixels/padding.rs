//! Values that stand for no picture (PS3.3 section C.7.5.1.1.2): they do not count for the range that is stretched.

use dicom_dictionary_std::tags;

use super::image_pixel::{ImagePixel, PixelSource};
use crate::Result;
use crate::dicom::{Dataset, Tag};

/// A range of stored values, both ends included, that stand for no picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Padding {
    /// The smaller end.
    pub low: f64,
    /// The larger end.
    pub high: f64,
}

impl Padding {
    /// Pixel Padding Value and Pixel Padding Range Limit, or their floating point counterparts.
    ///
    /// Their bits are read with the sign of the pixels: files whose padding is of type US with signed pixels, or of type
    /// SS with unsigned ones, mean the bits.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] if an element is not of its type.
    pub(crate) fn of(dataset: &Dataset<'_>, image: &ImagePixel) -> Result<Option<Self>> {
        let (value, limit) = match image.source {
            PixelSource::Integers => (tags::PIXEL_PADDING_VALUE, tags::PIXEL_PADDING_RANGE_LIMIT),
            PixelSource::Floats => (tags::FLOAT_PIXEL_PADDING_VALUE, tags::FLOAT_PIXEL_PADDING_RANGE_LIMIT),
            PixelSource::Doubles => {
                (tags::DOUBLE_FLOAT_PIXEL_PADDING_VALUE, tags::DOUBLE_FLOAT_PIXEL_PADDING_RANGE_LIMIT)
            }
        };
        let read = |tag| match image.source {
            PixelSource::Integers => integer(dataset, tag, image.is_signed),
            PixelSource::Floats | PixelSource::Doubles => Ok(dataset.decimals(tag)?.first().copied()),
        };
        let Some(value) = read(value)? else { return Ok(None) };
        let limit = read(limit)?.unwrap_or(value);
        Ok(Some(Self { low: value.min(limit), high: value.max(limit) }))
    }

    /// Whether a stored value stands for no picture.
    #[must_use]
    pub fn contains(&self, stored: f64) -> bool {
        self.low <= stored && stored <= self.high
    }
}

fn integer(dataset: &Dataset<'_>, tag: Tag, is_signed: bool) -> Result<Option<f64>> {
    let words = dataset.words(tag)?.unwrap_or_default();
    Ok(words.first().map(|word| if is_signed { f64::from(*word as i16) } else { f64::from(*word) }))
}
