//! The inverse cosine transform: libjpeg's accurate integer one (`jidctint.c`, after Loeffler, Ligtenberg and
//! Moschytz 1989), bit for bit.

/// Binary places of the constants.
const CONST_BITS: u32 = 13;
/// Binary places that the first pass keeps.
const PASS1_BITS: u32 = 2;

// Constants of the transform times 2^13, rounded.
const F_0_298631336: i64 = 2446;
const F_0_390180644: i64 = 3196;
const F_0_541196100: i64 = 4433;
const F_0_765366865: i64 = 6270;
const F_0_899976223: i64 = 7373;
const F_1_175875602: i64 = 9633;
const F_1_501321110: i64 = 12299;
const F_1_847759065: i64 = 15137;
const F_1_961570560: i64 = 16069;
const F_2_053119869: i64 = 16819;
const F_2_562915447: i64 = 20995;
const F_3_072711026: i64 = 25172;

/// One block: coefficients times quantization to 64 samples around 128, clamped to 0..=255.
pub(super) fn inverse(coefficients: &[i16], quantization: &[u16; 64]) -> [u8; 64] {
    let mut work = [0_i64; 64];
    for column in 0..8 {
        let at = |row: usize| {
            let place = row * 8 + column;
            i64::from(coefficients[place]) * i64::from(quantization[place])
        };
        let input = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
        for (row, value) in eight(input).into_iter().enumerate() {
            work[row * 8 + column] = descale(value, CONST_BITS - PASS1_BITS);
        }
    }
    let mut samples = [0; 64];
    for (row, out) in work.chunks_exact(8).zip(samples.chunks_exact_mut(8)) {
        let input = [row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]];
        for (sample, value) in out.iter_mut().zip(eight(input)) {
            *sample = (descale(value, CONST_BITS + PASS1_BITS + 3) + 128).clamp(0, 255) as u8;
        }
    }
    samples
}

/// Eight values, scaled up by 2^13.
fn eight(v: [i64; 8]) -> [i64; 8] {
    // Even part.
    let z1 = (v[2] + v[6]) * F_0_541196100;
    let t2 = z1 - v[6] * F_1_847759065;
    let t3 = z1 + v[2] * F_0_765366865;
    let t0 = (v[0] + v[4]) << CONST_BITS;
    let t1 = (v[0] - v[4]) << CONST_BITS;
    let (t10, t13, t11, t12) = (t0 + t3, t0 - t3, t1 + t2, t1 - t2);
    // Odd part.
    let (z1, z2, z3, z4) = (v[7] + v[1], v[5] + v[3], v[7] + v[3], v[5] + v[1]);
    let z5 = (z3 + z4) * F_1_175875602;
    let z1 = -z1 * F_0_899976223;
    let z2 = -z2 * F_2_562915447;
    let z3 = z5 - z3 * F_1_961570560;
    let z4 = z5 - z4 * F_0_390180644;
    let t0 = v[7] * F_0_298631336 + z1 + z3;
    let t1 = v[5] * F_2_053119869 + z2 + z4;
    let t2 = v[3] * F_3_072711026 + z2 + z3;
    let t3 = v[1] * F_1_501321110 + z1 + z4;
    [t10 + t3, t11 + t2, t12 + t1, t13 + t0, t13 - t0, t12 - t1, t11 - t2, t10 - t3]
}

/// Divides by `2^n`, rounded to the nearest, halves up.
fn descale(value: i64, n: u32) -> i64 {
    (value + (1 << (n - 1))) >> n
}
