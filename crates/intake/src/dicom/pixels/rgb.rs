//! Colours of a frame as RGB, whatever they are in the file.

use std::borrow::Cow;

use dicom_dictionary_std::tags;

use super::color::ybr_full_to_rgb;
use super::expected;
use super::image_pixel::ImagePixel;
use super::presentation::eight_bits;
use super::steps::{PixelAction, PixelStep};
use super::stored::Stored;
use crate::Result;
use crate::memory::reserve;

/// Colours of a frame.
#[derive(Debug)]
pub struct Rgb<'f> {
    /// `[height, width, 3]`: red, green, blue.
    pub values: Cow<'f, Stored>,
    /// What stands for the brightest: 2^bits - 1.
    pub max: u64,
    /// What was done from the stored values on.
    pub steps: Vec<PixelStep>,
}

impl Rgb<'_> {
    /// Colours of luma and chroma.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] if samples are not unsigned and of 8 bits.
    pub(crate) fn of_ybr(stored: &Stored, image: &ImagePixel) -> Result<Rgb<'static>> {
        let Stored::U8(samples) = stored else {
            return Err(expected(
                tags::BITS_ALLOCATED,
                "unsigned samples of 8 bits for luma and chroma",
                &format!("{} bits, Pixel Representation {}", image.bits_allocated, u8::from(image.is_signed)),
            ));
        };
        let mut rgb = reserve(samples.len())?;
        rgb.extend_from_slice(samples);
        ybr_full_to_rgb(&mut rgb);
        let step = PixelStep::new(PixelAction::YbrToRgb, "luma and chroma of full range to RGB")
            .by(tags::PHOTOMETRIC_INTERPRETATION, image.photometric.term());
        Ok(Rgb { values: Cow::Owned(Stored::U8(rgb)), max: 255, steps: vec![step] })
    }

    /// The colours in 8 bits: as they are, or of more bits `round(sample × 255 / max)`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] for signed samples, which no colour has.
    pub(crate) fn levels(self, steps: &mut Vec<PixelStep>) -> Result<Vec<u8>> {
        let max = self.max;
        if let Stored::U8(_) = *self.values {
            return match self.values {
                Cow::Owned(Stored::U8(samples)) => Ok(samples),
                other => other.to_le_bytes(),
            };
        }
        steps.push(PixelStep::new(PixelAction::ToEightBits, format!("sample × 255 / {max}, rounded")));
        match &*self.values {
            Stored::U16(v) => scaled(v, max),
            Stored::U32(v) => scaled(v, max),
            Stored::U64(v) => scaled(v, max),
            _ => Err(expected(tags::PIXEL_REPRESENTATION, "0 for colours", "1")),
        }
    }
}

fn scaled<T: Copy + Into<u64>>(samples: &[T], max: u64) -> Result<Vec<u8>> {
    let mut levels = reserve(samples.len())?;
    levels.extend(samples.iter().map(|sample| eight_bits((*sample).into(), max)));
    Ok(levels)
}
