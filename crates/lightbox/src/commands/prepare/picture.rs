//! Pictures as files: PNG, and the contact sheet.

use lightbox_models::RgbImage;
use lightbox_models::images::bilinear;

use crate::exit::{Code, Failure};

/// Longest side of a picture on the contact sheet.
const THUMBNAIL_PX: usize = 224;
/// Pictures a row; a sheet of 85 slices then has 9 rows.
const COLUMNS: usize = 10;
const GAP_PX: usize = 4;
/// Neither black nor white, so that padding and bright films both show their edges.
const GROUND: u8 = 96;

/// The picture as an 8-bit RGB PNG file.
///
/// # Errors
/// [`Code::Output`].
pub fn png(image: &RgbImage) -> Result<Vec<u8>, Failure> {
    let side = |n: usize| {
        u32::try_from(n)
            .map_err(|_| Failure::new(Code::Output, format!("a side of {n} pixels is too long for PNG")))
    };
    let failed =
        |error: png::EncodingError| Failure::new(Code::Output, format!("failed to write a PNG: {error}"));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(image.width())?, side(image.height())?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(image.pixels()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// The picture, made small for the contact sheet.
///
/// # Errors
/// If there is no memory for it.
pub fn thumbnail(image: &RgbImage) -> Result<RgbImage, Failure> {
    let longest = image.width().max(image.height()).max(1);
    let scaled = |side: usize| (side * THUMBNAIL_PX / longest).max(1);
    Ok(bilinear(image, scaled(image.width()), scaled(image.height()))?)
}

/// The thumbnails side by side, in their order, row by row.
///
/// # Errors
/// If there are none, or no memory for the sheet.
pub fn contact_sheet(thumbnails: &[RgbImage]) -> Result<RgbImage, Failure> {
    let n_columns = thumbnails.len().clamp(1, COLUMNS);
    let n_rows = thumbnails.len().div_ceil(n_columns).max(1);
    let pitch = THUMBNAIL_PX + GAP_PX;
    let (width, height) = (n_columns * pitch + GAP_PX, n_rows * pitch + GAP_PX);
    let mut pixels = vec![GROUND; width * height * 3];
    for (index, picture) in thumbnails.iter().enumerate() {
        let (left, top) = (GAP_PX + index % n_columns * pitch, GAP_PX + index / n_columns * pitch);
        let n_bytes = picture.width() * 3;
        for (y, row) in picture.pixels().chunks_exact(n_bytes).enumerate() {
            let first = ((top + y) * width + left) * 3;
            pixels[first..first + n_bytes].copy_from_slice(row);
        }
    }
    Ok(RgbImage::new(width, height, pixels)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: usize, height: usize, value: u8) -> RgbImage {
        RgbImage::new(width, height, vec![value; width * height * 3]).expect("sides and samples agree")
    }

    #[test]
    fn thumbnails_keep_their_proportions() {
        for (width, height, expected) in [(896, 896, (224, 224)), (100, 400, (56, 224)), (5000, 1, (224, 1))]
        {
            let small = thumbnail(&plain(width, height, 7)).expect("a small picture");
            assert_eq!((small.width(), small.height()), expected);
            assert!(small.pixels().iter().all(|&sample| sample == 7));
        }
    }

    #[test]
    fn a_contact_sheet_shows_every_picture_in_its_place() {
        let pictures: Vec<_> = (0..12).map(|index| plain(224, 224, 100 + index)).collect();
        let sheet = contact_sheet(&pictures).expect("a sheet");
        assert_eq!((sheet.width(), sheet.height()), (10 * 228 + 4, 2 * 228 + 4));
        for index in 0..12 {
            let (x, y) = (4 + index % 10 * 228 + 100, 4 + index / 10 * 228 + 100);
            assert_eq!(usize::from(sheet.pixels()[(y * sheet.width() + x) * 3]), 100 + index);
        }
        assert_eq!(sheet.pixels()[0], GROUND);
    }
}
