//! From values to 8 bits, and which end is white (PS3.3 sections C.7.6.3.1.2 and C.11.6).

use dicom_dictionary_std::tags;

use super::image_pixel::{ImagePixel, Photometric};
use super::steps::{PixelAction, PixelStep, shown};
use super::unsupported;
use crate::Result;
use crate::dicom::Dataset;

/// The level of a value between two ends: `round((value - low) / (high - low) * 255)`, halves to even, what is beyond
/// the ends taken to them. Where the ends are one, and for what is no number, 0.
pub(crate) fn level(value: f64, (low, high): (f64, f64)) -> u8 {
    if low == high {
        return 0;
    }
    ((value - low) / (high - low) * 255.0).round_ties_even() as u8
}

/// The level of a sample of up to `max`: `round(value * 255 / max)`. `max` is one less than a power of two, so that
/// there are no halves.
pub(crate) fn eight_bits(value: u64, max: u64) -> u8 {
    let (value, max) = (u128::from(value.min(max)), u128::from(max.max(1)));
    ((value * 255 + max / 2) / max) as u8
}

/// Whether white and black are exchanged on the way to the screen, and why.
///
/// Photometric Interpretation MONOCHROME1 says so, and Presentation LUT Shape INVERSE says so; a file that states both
/// means one exchange, not two: the shape takes the photometric interpretation into account (PS3.3 section C.11.6, and
/// C.8.11.3 where INVERSE goes with MONOCHROME1).
///
/// # Errors
/// [`crate::ErrorKind::Unsupported`] for a Presentation LUT Sequence, and for a shape that is not IDENTITY or INVERSE.
pub(crate) fn inversion(dataset: &Dataset<'_>, image: &ImagePixel) -> Result<Option<PixelStep>> {
    if !dataset.items(tags::PRESENTATION_LUT_SEQUENCE)?.is_empty() {
        return Err(unsupported(tags::PRESENTATION_LUT_SEQUENCE, "no presentation table in an image", "one")
            .hint("take modality values instead, or remove the sequence"));
    }
    let shape = dataset.text(tags::PRESENTATION_LUT_SHAPE)?;
    let is_inverse = match shape.as_deref() {
        None | Some("IDENTITY") => false,
        Some("INVERSE") => true,
        Some(other) => {
            return Err(unsupported(tags::PRESENTATION_LUT_SHAPE, "IDENTITY or INVERSE", &shown(other)));
        }
    };
    let is_monochrome1 = image.photometric == Photometric::Monochrome1;
    if !is_monochrome1 && !is_inverse {
        return Ok(None);
    }
    let mut step = PixelStep::new(PixelAction::Invert, "255 - level")
        .by(tags::PHOTOMETRIC_INTERPRETATION, image.photometric.term());
    if let Some(shape) = shape {
        step = step.by(tags::PRESENTATION_LUT_SHAPE, shape);
    }
    Ok(Some(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `np.rint((v - lo) / (hi - lo) * 255).clip(0, 255)`
    #[test]
    fn levels_are_rounded_to_even_and_ends_are_kept() {
        for (value, range, expected) in [
            (0.0, (0.0, 510.0), 0),
            (1.0, (0.0, 510.0), 0),
            (3.0, (0.0, 510.0), 2),
            (5.0, (0.0, 510.0), 2),
            (510.0, (0.0, 510.0), 255),
            (-3.0, (0.0, 510.0), 0),
            (600.0, (0.0, 510.0), 255),
            (10.0, (20.0, 0.0), 128),
            (7.0, (7.0, 7.0), 0),
            (9.0, (7.0, 7.0), 0),
            (f64::NAN, (0.0, 1.0), 0),
        ] {
            assert_eq!(level(value, range), expected, "{value} {range:?}");
        }
    }

    #[test]
    fn samples_of_more_bits_are_scaled_by_their_range() {
        for (value, max, expected) in [
            (0, 65535, 0),
            (128, 65535, 0),
            (129, 65535, 1),
            (65535, 65535, 255),
            (4095, 4095, 255),
            (2048, 4095, 128),
            (u64::MAX, u64::MAX, 255),
            (9000, 4095, 255),
            (1, 1, 255),
        ] {
            assert_eq!(eight_bits(value, max), expected, "{value} of {max}");
        }
    }
}
