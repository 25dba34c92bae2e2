//! Pictures as PNG files.

use lightbox_models::RgbImage;
use png::{BitDepth, ColorType};

use crate::exit::{Code, Failure};

/// The picture as an 8-bit RGB PNG file.
///
/// # Errors
/// [`Code::Output`].
pub fn png(image: &RgbImage) -> Result<Vec<u8>, Failure> {
    encode(ColorType::Rgb, BitDepth::Eight, image.width(), image.height(), image.pixels())
}

/// Samples as a PNG file: row-major from the top left, those of 16 bits big-endian.
///
/// # Errors
/// [`Code::Output`].
pub fn encode(
    color: ColorType,
    depth: BitDepth,
    width: usize,
    height: usize,
    samples: &[u8],
) -> Result<Vec<u8>, Failure> {
    let side = |n: usize| {
        u32::try_from(n)
            .map_err(|_| Failure::new(Code::Output, format!("a side of {n} pixels is too long for PNG")))
    };
    let failed =
        |error: png::EncodingError| Failure::new(Code::Output, format!("failed to write a PNG: {error}"));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(width)?, side(height)?);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(samples).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}
