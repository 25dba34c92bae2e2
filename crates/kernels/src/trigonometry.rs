//! Sine and cosine in f64, the same on every machine: a system's own library may differ in the last bit.

/// π/2 in three parts. The first two have 33 significant bits, so that their products with whole numbers below 2²⁰
/// are exact.
const PIO2: [f64; 3] = [
    f64::from_bits(0x3ff9_21fb_5440_0000),
    f64::from_bits(0x3dd0_b461_1a60_0000),
    f64::from_bits(0x3ba3_198a_2e03_7073),
];

/// The largest angle of [`sin_cos`], in radians.
pub(crate) const MAX_ANGLE: f32 = 524_288.0;

/// Sine and cosine of an angle in radians, 0 ≤ angle ≤ [`MAX_ANGLE`], rounded to f32.
///
/// Computed in f64 to about one unit in its last place (reduction to ±π/4 and the polynomials of fdlibm's `k_sin.c`
/// and `k_cos.c`), so that the f32 is the correctly rounded one but for a few in a billion.
pub(crate) fn sin_cos(angle: f32) -> (f32, f32) {
    let x = f64::from(angle);
    let n = (x * std::f64::consts::FRAC_2_PI).round();
    let r = ((x - n * PIO2[0]) - n * PIO2[1]) - n * PIO2[2];
    let (sin, cos) = (kernel_sin(r), kernel_cos(r));
    let (sin, cos) = match n as i64 & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    };
    (sin as f32, cos as f32)
}

/// sin(x) for |x| ≤ π/4.
fn kernel_sin(x: f64) -> f64 {
    const S: [f64; 6] = [
        1.589_690_995_211_55e-10,
        -2.505_076_025_340_686_3e-8,
        2.755_731_370_707_006_8e-6,
        -1.984_126_982_985_795e-4,
        8.333_333_333_322_49e-3,
        -1.666_666_666_666_663_2e-1,
    ];
    let z = x * x;
    x + x * z * S.into_iter().reduce(|p, c| p * z + c).unwrap_or(0.0)
}

/// cos(x) for |x| ≤ π/4.
fn kernel_cos(x: f64) -> f64 {
    const C: [f64; 6] = [
        -1.135_964_755_778_819_5e-11,
        2.087_572_321_298_175e-9,
        -2.755_731_435_139_066_3e-7,
        2.480_158_728_947_673e-5,
        -1.388_888_888_887_411e-3,
        4.166_666_666_666_66e-2,
    ];
    let z = x * x;
    let p = z * z * C.into_iter().reduce(|p, c| p * z + c).unwrap_or(0.0);
    let half = 0.5 * z;
    let w = 1.0 - half;
    w + (((1.0 - w) - half) + p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_are_those_of_the_system_rounded_to_f32() {
        // Multiples of odd steps, small angles, and whole positions up to the end.
        let angles = (0..200_000).flat_map(|i| [i as f32 * 0.001_237, i as f32 * 2.621, i as f32 * 1e-9]);
        for angle in angles.chain((0..=524_288).step_by(7).map(|i| i as f32)) {
            let (sin, cos) = sin_cos(angle);
            let x = f64::from(angle);
            assert_eq!((sin, cos), (x.sin() as f32, x.cos() as f32), "at {angle}");
        }
    }
}
