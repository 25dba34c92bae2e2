//! The coding parameters of a scan (T.87, C.2.4.1.1): what a preset states, the defaults for the rest, what follows.

use super::corrupt;
use crate::Result;

/// What an LSE segment of type 1 states; 0 stands for the default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preset {
    pub(super) max_value: u16,
    pub(super) thresholds: [u16; 3],
    pub(super) reset: u16,
}

/// The parameters of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// MAXVAL: the largest sample, at least 1.
    pub(super) max_value: i32,
    /// NEAR: how far a sample may be from what was coded.
    pub(super) near: i32,
    /// T1, T2, T3.
    pub(super) thresholds: [i32; 3],
    /// RESET: how often a context is used before its counts are halved.
    pub(super) reset: u32,
    /// RANGE: how many error values there are.
    pub(super) range: i32,
    /// qbpp: bits that tell error values apart.
    pub(super) n_error_bits: u32,
    /// LIMIT: most bits of a code.
    pub(super) limit: u32,
}

impl Parameters {
    /// Of samples of `bits` bits, 2 to 16.
    pub(super) fn new(bits: u8, near: u8, preset: &Preset) -> Result<Self> {
        let most = (1i32 << bits) - 1;
        let max_value = or_default(preset.max_value, most);
        if max_value > most {
            return Err(corrupt(format!(
                "expected MAXVAL to be at most {most} for {bits} bits, found {max_value}"
            )));
        }
        let near = i32::from(near);
        if near > max_value / 2 {
            return Err(corrupt(format!("expected NEAR to be at most half of {max_value}, found {near}")));
        }
        let defaults = default_thresholds(max_value, near);
        let mut thresholds = [0; 3];
        let mut least = near + 1;
        for ((threshold, stated), default) in thresholds.iter_mut().zip(preset.thresholds).zip(defaults) {
            *threshold = or_default(stated, default);
            if !(least..=max_value).contains(threshold) {
                return Err(corrupt(format!(
                    "expected a gradient threshold of {least} to {max_value}, found {threshold}"
                )));
            }
            least = *threshold;
        }
        let reset = or_default(preset.reset, 64);
        if !(3..=max_value.max(255)).contains(&reset) {
            return Err(corrupt(format!("expected RESET to be 3 to {}, found {reset}", max_value.max(255))));
        }
        let range = (max_value + 2 * near) / (2 * near + 1) + 1;
        let n_sample_bits = n_bits_for(max_value + 1).max(2);
        Ok(Self {
            max_value,
            near,
            thresholds,
            reset: reset as u32,
            range,
            n_error_bits: n_bits_for(range),
            limit: 2 * (n_sample_bits + n_sample_bits.max(8)),
        })
    }
}

fn or_default(stated: u16, default: i32) -> i32 {
    if stated == 0 { default } else { i32::from(stated) }
}

/// ⌈log₂ n⌉ of an `n` of at least 1.
fn n_bits_for(n: i32) -> u32 {
    (n - 1).checked_ilog2().map_or(0, |log| log + 1)
}

/// T.87, C.2.4.1.1.1.
fn default_thresholds(max_value: i32, near: i32) -> [i32; 3] {
    const BASIC: [i32; 3] = [3, 7, 21];
    const NEARS: [i32; 3] = [3, 5, 7];
    let mut least = near + 1;
    std::array::from_fn(|n| {
        let basic = if max_value >= 128 {
            let factor = (max_value.min(4095) + 128) / 256;
            factor * (BASIC[n] - (n as i32 + 2)) + (n as i32 + 2) + NEARS[n] * near
        } else {
            let factor = 256 / (max_value + 1);
            (BASIC[n] / factor + NEARS[n] * near).max(n as i32 + 2)
        };
        if (least..=max_value).contains(&basic) {
            least = basic;
        }
        least
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_thresholds_are_those_of_table_c_3_and_of_the_formulas() {
        for (max_value, near, expected) in [
            (255, 0, [3, 7, 21]),
            (4095, 0, [18, 67, 276]),
            (65535, 0, [18, 67, 276]),
            (255, 3, [12, 22, 42]),
            (127, 0, [2, 3, 10]),
            (15, 0, [2, 3, 4]),
            (1, 0, [1, 1, 1]),
            (3, 1, [3, 3, 3]),
            (255, 127, [128, 128, 128]),
        ] {
            assert_eq!(default_thresholds(max_value, near), expected, "{max_value} {near}");
        }
    }
}
