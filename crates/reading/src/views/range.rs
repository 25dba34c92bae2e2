//! 16 bits to 8, as the family's own serving code does it.
//!
//! Google-Health/medgemma, `python/serving` (January 2026): a film without a window is stretched with
//! `np.interp(image, (min, max), (0, 65535)).astype(uint16)` (`data_processing/image_utils.py`,
//! `rescale_dynamic_range`); any 16-bit picture is then divided by 65535 / 255 = 257 and rounded with `np.round`,
//! which takes halves to even (`serving/predictor.py`, `_encode_image_bytes`).

use lightbox_intake::dicom::pixels::stretched;

use super::{Step, ViewStep};

/// The levels that 16-bit samples are mapped to, by sample: 8-bit values.
pub(super) struct Levels {
    table: Vec<u8>,
}

impl Levels {
    /// Divides by 257, nothing else.
    pub fn of_type(steps: &mut Vec<Step>) -> Self {
        steps.push(Step::View(ViewStep::ToEightBits));
        Self { table: (0..=u16::MAX).map(eight_bits).collect() }
    }

    /// Stretches from the smallest to the largest of `samples`, then divides by 257.
    pub fn of_range(samples: &[u16], steps: &mut Vec<Step>) -> Self {
        let (min, max) =
            samples.iter().fold((u16::MAX, u16::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let range = (f64::from(min), f64::from(max));
        steps.push(Step::View(ViewStep::StretchRange { min, max }));
        steps.push(Step::View(ViewStep::ToEightBits));
        Self { table: (0..=u16::MAX).map(|v| stretched(f64::from(v), range, false)).collect() }
    }

    /// The 8-bit value of a sample.
    pub fn get(&self, sample: u16) -> u8 {
        self.table[usize::from(sample)]
    }
}

/// `np.round(v / 257.0)` for one sample. A half cannot occur: 257 is odd.
fn eight_bits(v: u16) -> u8 {
    ((u32::from(v) + 128) / 257) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with numpy 2:
    /// `np.round(np.interp(v, (min, max), (0, 65535)).astype(np.uint16).astype(np.float64) / 257.0).astype(np.uint8)`.
    #[test]
    fn a_range_is_stretched_as_numpy_does() {
        for (samples, expected) in [
            (&[0_u16, 1, 2047, 2048, 4094, 4095][..], &[0_u8, 0, 127, 128, 255, 255][..]),
            (&[100, 101, 200, 355, 356], &[0, 1, 100, 254, 255]),
            (&[0, 128, 129, 385, 386, 65535], &[0, 0, 1, 1, 2, 255]),
            (&[7, 8], &[0, 255]),
            (&[1000, 1000], &[255, 255]),
        ] {
            let levels = Levels::of_range(samples, &mut Vec::new());
            let got: Vec<u8> = samples.iter().map(|v| levels.get(*v)).collect();
            assert_eq!(got, expected, "{samples:?}");
        }
    }

    #[test]
    fn the_range_of_the_type_is_only_divided() {
        let levels = Levels::of_type(&mut Vec::new());
        for (v, expected) in
            [(0, 0), (128, 0), (129, 1), (256, 1), (4095, 16), (32767, 127), (32768, 128), (65535, 255)]
        {
            assert_eq!(levels.get(v), expected, "{v}");
        }
    }
}
