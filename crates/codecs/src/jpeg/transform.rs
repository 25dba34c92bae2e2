//! The inverse cosine transform of a block (T.81, A.3.3), after Loeffler, Ligtenberg and Moschytz 1989.
//!
//! For 8 bits it is libjpeg's accurate integer one (`jidctint.c`), bit for bit. For 12 bits, where decoders differ by
//! one here and there, it is the same steps in 32-bit floating point.

use std::array::from_fn;

/// Largest sum of absolute coefficients for which the results of the transform fit 32-bit integers: those of the
/// second pass are at most 2^16 times that sum, plus what the first pass rounds up. What overflows on the way there
/// wraps around and comes back.
const MAX_NARROW_SUM: u64 = 32_000;

/// Coefficients of a block, each times its quantization.
pub(super) struct Block {
    /// In the order of rows.
    values: [i32; 64],
    /// Of absolute values.
    sum: u64,
    /// Whether all but the first are zero.
    is_flat: bool,
}

impl Default for Block {
    fn default() -> Self {
        Self { values: [0; 64], sum: 0, is_flat: true }
    }
}

impl Block {
    /// Multiplies coefficients with their table, both in the order of rows.
    pub fn of(coefficients: &[i16; 64], quantization: &[u16; 64]) -> Self {
        let mut block = Self::default();
        for (place, (value, step)) in coefficients.iter().zip(quantization).enumerate() {
            if *value != 0 {
                block.set(place, i32::from(*value) * i32::from(*step));
            }
        }
        block
    }

    /// Sets the coefficient at a place below 64.
    #[inline(always)]
    pub fn set(&mut self, place: usize, value: i32) {
        self.values[place & 63] = value;
        self.sum += u64::from(value.unsigned_abs());
        self.is_flat &= place == 0;
    }
}

/// 64 samples around 128, clamped to 0..=255.
pub(super) fn inverse8(block: &Block) -> [u8; 64] {
    if block.is_flat {
        // Both passes come down to one division by 8, halves up.
        let value = (i64::from(block.values[0]) + 4) >> 3;
        return [(value + 128).clamp(0, 255) as u8; 64];
    }
    if block.sum <= MAX_NARROW_SUM {
        samples(&block.values, |value| (value + 128).clamp(0, 255) as u8)
    } else {
        samples(&block.values.map(i64::from), |value| (value + 128).clamp(0, 255) as u8)
    }
}

/// 64 samples around 2048, clamped to 0..=4095.
pub(super) fn inverse12(block: &Block) -> [u16; 64] {
    // To the nearest, halves up: what is cut off is positive.
    samples(&block.values.map(|value| value as f32), |value| (value + 2048.5).clamp(0.0, 4095.0) as u16)
}

/// The transform of coefficients, then `finish` of each result.
#[inline(always)]
fn samples<T: Number, S: Copy + Default>(values: &[T; 64], finish: impl Fn(T) -> S) -> [S; 64] {
    let coefficients = from_fn(|v| from_fn(|u| values[v * 8 + u]));
    let columns = eight(coefficients).map(|row| row.map(T::after_columns));
    let rows = eight(transposed(columns)).map(|row| row.map(|value| finish(value.after_rows())));
    let mut samples = [S::default(); 64];
    for (out, row) in samples.chunks_exact_mut(8).zip(transposed(rows)) {
        out.copy_from_slice(&row);
    }
    samples
}

#[inline(always)]
fn transposed<T: Copy>(rows: [[T; 8]; 8]) -> [[T; 8]; 8] {
    from_fn(|y| from_fn(|x| rows[x][y]))
}

/// A constant of the transform.
#[derive(Clone, Copy)]
struct Constant {
    /// Times 2^13, rounded.
    fixed: i32,
    real: f32,
}

impl Constant {
    const fn new(value: f64) -> Self {
        Self { fixed: (value * 8192.0 + 0.5) as i32, real: value as f32 }
    }
}

const C_0_298: Constant = Constant::new(0.298_631_336);
const C_0_390: Constant = Constant::new(0.390_180_644);
const C_0_541: Constant = Constant::new(0.541_196_100);
const C_0_765: Constant = Constant::new(0.765_366_865);
const C_0_899: Constant = Constant::new(0.899_976_223);
const C_1_175: Constant = Constant::new(1.175_875_602);
const C_1_501: Constant = Constant::new(1.501_321_110);
const C_1_847: Constant = Constant::new(1.847_759_065);
const C_1_961: Constant = Constant::new(1.961_570_560);
const C_2_053: Constant = Constant::new(2.053_119_869);
const C_2_562: Constant = Constant::new(2.562_915_447);
const C_3_072: Constant = Constant::new(3.072_711_026);

/// Eight transforms of eight values side by side: `[8, lanes]` to the same, scaled up as products are.
#[inline(always)]
fn eight<T: Number>(v: [[T; 8]; 8]) -> [[T; 8]; 8] {
    // Even part.
    let z1 = times(plus(v[2], v[6]), C_0_541);
    let t2 = minus(z1, times(v[6], C_1_847));
    let t3 = plus(z1, times(v[2], C_0_765));
    let t0 = plus(v[0], v[4]).map(T::raised);
    let t1 = minus(v[0], v[4]).map(T::raised);
    let (t10, t13, t11, t12) = (plus(t0, t3), minus(t0, t3), plus(t1, t2), minus(t1, t2));
    // Odd part.
    let (z1, z2, z3, z4) = (plus(v[7], v[1]), plus(v[5], v[3]), plus(v[7], v[3]), plus(v[5], v[1]));
    let z5 = times(plus(z3, z4), C_1_175);
    let (z1, z2) = (times(z1, C_0_899), times(z2, C_2_562));
    let z3 = minus(z5, times(z3, C_1_961));
    let z4 = minus(z5, times(z4, C_0_390));
    let t0 = plus(minus(times(v[7], C_0_298), z1), z3);
    let t1 = plus(minus(times(v[5], C_2_053), z2), z4);
    let t2 = plus(minus(times(v[3], C_3_072), z2), z3);
    let t3 = plus(minus(times(v[1], C_1_501), z1), z4);
    [
        plus(t10, t3),
        plus(t11, t2),
        plus(t12, t1),
        plus(t13, t0),
        minus(t13, t0),
        minus(t12, t1),
        minus(t11, t2),
        minus(t10, t3),
    ]
}

#[inline(always)]
fn plus<T: Number>(a: [T; 8], b: [T; 8]) -> [T; 8] {
    from_fn(|lane| a[lane].plus(b[lane]))
}

#[inline(always)]
fn minus<T: Number>(a: [T; 8], b: [T; 8]) -> [T; 8] {
    from_fn(|lane| a[lane].minus(b[lane]))
}

#[inline(always)]
fn times<T: Number>(a: [T; 8], constant: Constant) -> [T; 8] {
    a.map(|value| value.times(constant))
}

/// What the transform computes with.
trait Number: Copy {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, constant: Constant) -> Self;
    /// A value as a product with 1 would be.
    fn raised(self) -> Self;
    /// A result of the first pass at the scale of the second.
    fn after_columns(self) -> Self;
    /// A result of the second pass as a sample.
    fn after_rows(self) -> Self;
}

/// 13 binary places in the constants; the first pass keeps 2, and both passes together scale up by 8.
macro_rules! integer {
    ($type:ty) => {
        impl Number for $type {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn times(self, constant: Constant) -> Self {
                self.wrapping_mul(Self::from(constant.fixed))
            }
            #[inline(always)]
            fn raised(self) -> Self {
                self << 13
            }
            #[inline(always)]
            fn after_columns(self) -> Self {
                self.wrapping_add(1 << 10) >> 11
            }
            #[inline(always)]
            fn after_rows(self) -> Self {
                self.wrapping_add(1 << 17) >> 18
            }
        }
    };
}

integer!(i32);
integer!(i64);

impl Number for f32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    fn times(self, constant: Constant) -> Self {
        self * constant.real
    }
    #[inline(always)]
    fn raised(self) -> Self {
        self
    }
    #[inline(always)]
    fn after_columns(self) -> Self {
        self
    }
    #[inline(always)]
    fn after_rows(self) -> Self {
        self * 0.125
    }
}
