//! The two wavelets: 5-3 reversible in whole numbers, 9-7 irreversible in single precision (T.800, annex F).

use super::geometry::Band;
use super::rect::Rect;

/// A wavelet, and what its coefficients and samples are.
pub(super) trait Kernel {
    /// Coefficients and samples.
    type Value: Copy + Default + Send + Sync + std::fmt::Debug;
    /// How many lifting steps there are; the first changes samples at even places.
    const N_STEPS: usize;

    /// What a coefficient has to be multiplied by, the quantizer step and the scaling of all levels above included.
    /// `levels` are the areas of the resolution levels from the one that the subband belongs to up.
    fn scale(band: &Band, levels: &mut dyn Iterator<Item = Rect>) -> f32;

    /// A coefficient from its quantizer index in units of one half.
    fn coefficient(halves: i32, scale: f32) -> Self::Value;

    /// Lifting step `step`: changes `target` by its neighbours on either side, all of one length.
    fn lift(step: usize, target: &mut [Self::Value], left: &[Self::Value], right: &[Self::Value]);

    /// What a single sample at an odd place is made of its coefficient.
    fn lone_high(value: Self::Value) -> Self::Value;
}

/// The reversible wavelet (F.3.8.2.1.1).
#[derive(Debug)]
pub(super) struct Reversible;

impl Kernel for Reversible {
    type Value = i32;
    const N_STEPS: usize = 2;

    fn scale(_: &Band, _: &mut dyn Iterator<Item = Rect>) -> f32 {
        1.0
    }

    #[inline(always)]
    fn coefficient(halves: i32, _: f32) -> i32 {
        halves / 2
    }

    #[inline(always)]
    fn lift(step: usize, target: &mut [i32], left: &[i32], right: &[i32]) {
        // Coefficients of a damaged stream may have any value.
        let sums = left.iter().zip(right).map(|(l, r)| l.wrapping_add(*r));
        if step == 0 {
            target.iter_mut().zip(sums).for_each(|(t, sum)| *t = t.wrapping_sub(sum.wrapping_add(2) >> 2));
        } else {
            target.iter_mut().zip(sums).for_each(|(t, sum)| *t = t.wrapping_add(sum >> 1));
        }
    }

    fn lone_high(value: i32) -> i32 {
        value / 2
    }
}

/// The irreversible wavelet (F.3.8.2.1.2, table F.4). The scaling by K and 1/K is done with the coefficients.
#[derive(Debug)]
pub(super) struct Irreversible;

/// Scaling factor of table F.4.
const K: f64 = 1.230_174_104_914_001;

/// Its inverse as OpenJPEG has it, which is the reference here; 3·10⁻⁵ smaller than 1/K. T.800 leaves that open, but
/// samples of 16 bits would come out a level apart.
const K_INVERSE: f64 = 0.812_866_210_937_5;

impl Kernel for Irreversible {
    type Value = f32;
    const N_STEPS: usize = 4;

    fn scale(band: &Band, levels: &mut dyn Iterator<Item = Rect>) -> f32 {
        let (mut high_x, mut high_y) = band.orientation.is_high();
        let along = |n: usize, is_high: bool| match (n, is_high) {
            (1, false) => 1.0,
            (1, true) => 0.5,
            (_, false) => K,
            (_, true) => K_INVERSE,
        };
        let mut scale = f64::from(band.step);
        for level in levels {
            scale *= along(level.width(), high_x) * along(level.height(), high_y);
            (high_x, high_y) = (false, false);
        }
        // Indices are in halves.
        (scale * 0.5) as f32
    }

    #[inline(always)]
    fn coefficient(halves: i32, scale: f32) -> f32 {
        halves as f32 * scale
    }

    #[inline(always)]
    fn lift(step: usize, target: &mut [f32], left: &[f32], right: &[f32]) {
        const FACTORS: [f32; 4] = [0.443_506_85, 0.882_911_1, -0.052_980_12, -1.586_134_3];
        let factor = FACTORS[step & 3];
        target.iter_mut().zip(left.iter().zip(right)).for_each(|(t, (l, r))| *t -= factor * (l + r));
    }

    fn lone_high(value: f32) -> f32 {
        value
    }
}
