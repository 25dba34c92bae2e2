//! A picture as the vision tower wants it: resized, rescaled, normalised, cut into patches.
//!
//! Equal to `Gemma3ImageProcessorPil` of transformers 5.23.0, bit for bit.

mod resize;

pub use crate::config::ImageProcessor;
use crate::{Error, ErrorKind, Result, RgbImage};

pub use resize::bilinear;

impl ImageProcessor {
    /// The picture at the tower's size, 8 bits a channel.
    ///
    /// # Errors
    /// As [`bilinear`].
    pub fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        let [height, width] = self.size_px;
        bilinear(image, width, height)
    }

    /// Samples of a resized picture as numbers, `[3, height, width]`: times the factor in f64 and rounded to f32, then
    /// minus the mean and over the deviation in f32, as numpy does it.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] for a picture of another size than the tower's.
    pub fn pixels(&self, resized: &RgbImage) -> Result<Vec<f32>> {
        let [height, width] = self.size_px;
        if (resized.width(), resized.height()) != (width, height) {
            return Err(Error::new(
                ErrorKind::Image,
                format!(
                    "expected a picture of {width}×{height} pixels, found {}×{}",
                    resized.width(),
                    resized.height()
                ),
            ));
        }
        let mut out = Vec::with_capacity(3 * width * height);
        for channel in 0..3 {
            let values = self.values(channel);
            out.extend(resized.pixels().iter().skip(channel).step_by(3).map(|s| values[usize::from(*s)]));
        }
        Ok(out)
    }

    /// What each of the 256 samples of a channel becomes.
    fn values(&self, channel: usize) -> [f32; 256] {
        let (mean, std) = (self.mean[channel] as f32, self.std[channel] as f32);
        std::array::from_fn(|sample| {
            let rescaled = (sample as f64 * self.rescale) as f32;
            (rescaled - mean) / std
        })
    }
}

/// `[3, size, size]` into `[patches, 3 × patch × patch]`, row by row: the order in which the weights of the patch
/// convolution, `[out, 3, patch, patch]`, lie. Pixels past the last whole patch are left out, as in the reference.
///
/// # Errors
/// [`ErrorKind::Image`] if `pixels` is not `3 × size × size` long or no patch fits.
pub fn patches(pixels: &[f32], size: usize, patch: usize) -> Result<Vec<f32>> {
    let expected = size.checked_mul(size).and_then(|n| n.checked_mul(3));
    if expected != Some(pixels.len()) || patch == 0 || patch > size {
        return Err(Error::new(
            ErrorKind::Image,
            format!(
                "cannot cut {} samples into patches of {patch}×{patch}: expected 3×{size}×{size}",
                pixels.len()
            ),
        ));
    }
    let side = size / patch;
    let mut out = Vec::with_capacity(side * side * 3 * patch * patch);
    for y in 0..side {
        for x in 0..side {
            for channel in 0..3 {
                for line in 0..patch {
                    let start = (channel * size + y * patch + line) * size + x * patch;
                    out.extend_from_slice(&pixels[start..start + patch]);
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
pub(crate) use resize::tests::picture as formula_picture;

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");

    fn read(path: &str) -> Vec<u8> {
        std::fs::read(format!("{GOLDENS}/{path}")).expect("the goldens are part of the repository")
    }

    fn hex(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn samples_become_numbers_as_numpy_makes_them() {
        let processor =
            ImageProcessor::parse(&read("image-bf16/preprocessor_config.json")).expect("a golden");
        let values = processor.values(0);
        // numpy 2.4.6: ((np.uint8(v).astype(np.float64) * (1/255)).astype(np.float32) - 0.5) / 0.5
        let table =
            [(0, -1.0f32), (1, -0.992_156_86), (85, -0.333_333_3), (127, -0.003_921_568_4), (255, 1.0)];
        for (sample, value) in table {
            assert_eq!(values[sample].to_bits(), value.to_bits(), "{sample}: {}", values[sample]);
        }
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let processor =
            ImageProcessor::parse(&read("image-bf16/preprocessor_config.json")).expect("a golden");
        let small = RgbImage::new(2, 1, vec![0; 6]).expect("two pixels");
        let error = processor.pixels(&small).expect_err("not resized");
        assert!(error.to_string().contains("expected a picture of 56×56 pixels, found 2×1"), "{error}");
    }

    #[test]
    fn patches_lie_as_the_convolution_reads_them() {
        // Samples numbered in order; 5×5 pixels, patches of 2×2, the fifth row and column left out.
        let pixels: Vec<f32> = (0..75u8).map(f32::from).collect();
        let cut = patches(&pixels, 5, 2).expect("sane sizes");
        assert_eq!(cut.len(), 4 * 12);
        assert_eq!(cut[..12], [0., 1., 5., 6., 25., 26., 30., 31., 50., 51., 55., 56.]);
        assert_eq!(cut[36..48], [12., 13., 17., 18., 37., 38., 42., 43., 62., 63., 67., 68.]);
        for (n, size, patch) in [(75, 4, 2), (75, 5, 0), (75, 5, 6), (75, usize::MAX, 1)] {
            assert!(patches(&pixels[..n], size, patch).is_err());
        }
    }

    #[test]
    fn every_golden_picture_has_the_reference_s_pixels() {
        let mut seen = 0;
        for entry in std::fs::read_dir(GOLDENS).expect("listed") {
            let case = entry.expect("listed").file_name().into_string().expect("plain names");
            let Ok(settings) = std::fs::read(format!("{GOLDENS}/{case}/preprocessor_config.json")) else {
                continue;
            };
            let processor = ImageProcessor::parse(&settings).unwrap_or_else(|e| panic!("{case}: {e}"));
            let golden: Value = serde_json::from_slice(&read(&format!("{case}/golden.json"))).expect("JSON");
            for conversation in golden["conversations"].as_array().expect("a list") {
                for image in conversation["images"].as_array().expect("a list") {
                    let file = image["file"].as_str().expect("a path");
                    let picture = decode(file);
                    let resized = processor.resized(&picture).expect("sane sizes");
                    assert_eq!(Value::from(hex(resized.pixels())), image["resized_sha256"], "{case} {file}");
                    let pixels = processor.pixels(&resized).expect("resized");
                    let bytes: Vec<u8> = pixels.iter().flat_map(|v| v.to_le_bytes()).collect();
                    assert_eq!(Value::from(hex(&bytes)), image["pixel_values_sha256"], "{case} {file}");
                    seen += 1;
                }
            }
        }
        assert!(seen >= 6, "only {seen} pictures");
    }

    /// The pictures of `reference/pictures.py`, made again from their formula: name, width, height, seed, gray.
    fn decode(file: &str) -> RgbImage {
        let table = [
            ("wide", 90, 37, 1, false),
            ("tall", 31, 97, 2, false),
            ("tiny", 5, 3, 3, false),
            ("gray", 64, 48, 4, true),
            ("square", 56, 56, 5, false),
            ("strip", 150, 9, 6, false),
            ("large", 121, 113, 7, false),
        ];
        let name = file.trim_start_matches("pictures/").trim_end_matches(".png");
        let found = table.iter().find(|(n, ..)| *n == name);
        let &(_, width, height, seed, gray) =
            found.unwrap_or_else(|| panic!("{name}: not among the formulas"));
        resize::tests::picture(width, height, seed, gray)
    }
}
