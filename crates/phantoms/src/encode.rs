//! Films as PNG.

use png::{BitDepth, ColorType, Compression, Encoder};

/// A gray PNG; `bytes` are big-endian where `depth` is 16.
pub(crate) fn gray_png(width: usize, height: usize, depth: BitDepth, bytes: &[u8]) -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().expect("sides of a film are neither zero nor beyond PNG's");
    writer.write_image_data(bytes).expect("the samples are as many as the sides say, and memory takes them");
    writer.finish().expect("memory takes the end");
    png
}
