//! Pictures as files.

use lightbox_models::RgbImage;

use crate::exit::{Code, Failure};

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
