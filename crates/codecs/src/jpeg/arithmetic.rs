//! The numbers that the inverse cosine transform computes with, and its constants.

/// A constant of the transform.
#[derive(Clone, Copy)]
pub(super) struct Constant {
    /// Times 2^13, rounded.
    fixed: i16,
    real: f32,
}

impl Constant {
    const fn new(value: f64) -> Self {
        Self { fixed: (value * 8192.0 + 0.5) as i16, real: value as f32 }
    }
}

pub(super) const ONE: Constant = Constant::new(1.0);
pub(super) const C_0_298: Constant = Constant::new(0.298_631_336);
pub(super) const C_0_390: Constant = Constant::new(0.390_180_644);
pub(super) const C_0_541: Constant = Constant::new(0.541_196_100);
pub(super) const C_0_765: Constant = Constant::new(0.765_366_865);
pub(super) const C_0_899: Constant = Constant::new(0.899_976_223);
pub(super) const C_1_175: Constant = Constant::new(1.175_875_602);
pub(super) const C_1_501: Constant = Constant::new(1.501_321_110);
pub(super) const C_1_847: Constant = Constant::new(1.847_759_065);
pub(super) const C_1_961: Constant = Constant::new(1.961_570_560);
pub(super) const C_2_053: Constant = Constant::new(2.053_119_869);
pub(super) const C_2_562: Constant = Constant::new(2.562_915_447);
pub(super) const C_3_072: Constant = Constant::new(3.072_711_026);

/// What the transform computes with.
pub(super) trait Arithmetic {
    /// What is multiplied.
    type Value: Copy + Default;
    /// What products are added up in.
    type Sum: Copy;
    type Sample: Copy + Default;
    /// What makes of cutting off a rounding.
    const BEFORE_COLUMNS: Self::Sum;
    /// The same, and the middle of the samples.
    const BEFORE_ROWS: Self::Sum;
    fn value(coefficient: i32) -> Self::Value;
    fn add_values(a: Self::Value, b: Self::Value) -> Self::Value;
    fn times(value: Self::Value, constant: Constant) -> Self::Sum;
    fn plus(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    fn minus(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// A result of the first pass as a value of the second.
    fn after_columns(sum: Self::Sum) -> Self::Value;
    /// A result of the second pass as a sample.
    fn after_rows(sum: Self::Sum) -> Self::Sample;
}

/// 16-bit integers: the first pass keeps 2 binary places, and both together scale up by 8.
pub(super) struct Short;

impl Arithmetic for Short {
    type Value = i16;
    type Sum = i32;
    type Sample = u8;
    const BEFORE_COLUMNS: i32 = 1 << 10;
    const BEFORE_ROWS: i32 = (1 << 17) + (128 << 18);

    #[inline(always)]
    fn value(coefficient: i32) -> i16 {
        coefficient as i16
    }
    #[inline(always)]
    fn add_values(a: i16, b: i16) -> i16 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn times(value: i16, constant: Constant) -> i32 {
        i32::from(value) * i32::from(constant.fixed)
    }
    #[inline(always)]
    fn plus(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn minus(a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn after_columns(sum: i32) -> i16 {
        // It fits; saying so saves the vectors a mask.
        (sum >> 11).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }
    #[inline(always)]
    fn after_rows(sum: i32) -> u8 {
        ((sum >> 18) as i16).clamp(0, 255) as u8
    }
}

/// The same in integers that hold whatever a file can state.
pub(super) struct Long;

impl Arithmetic for Long {
    type Value = i64;
    type Sum = i64;
    type Sample = u8;
    const BEFORE_COLUMNS: i64 = Short::BEFORE_COLUMNS as i64;
    const BEFORE_ROWS: i64 = Short::BEFORE_ROWS as i64;

    fn value(coefficient: i32) -> i64 {
        i64::from(coefficient)
    }
    fn add_values(a: i64, b: i64) -> i64 {
        a + b
    }
    fn times(value: i64, constant: Constant) -> i64 {
        value * i64::from(constant.fixed)
    }
    fn plus(a: i64, b: i64) -> i64 {
        a + b
    }
    fn minus(a: i64, b: i64) -> i64 {
        a - b
    }
    fn after_columns(sum: i64) -> i64 {
        sum >> 11
    }
    fn after_rows(sum: i64) -> u8 {
        (sum >> 18).clamp(0, 255) as u8
    }
}

/// Floating point.
pub(super) struct Real;

impl Arithmetic for Real {
    type Value = f32;
    type Sum = f32;
    type Sample = u16;
    const BEFORE_COLUMNS: f32 = 0.0;
    const BEFORE_ROWS: f32 = 8.0 * 2048.5;

    #[inline(always)]
    fn value(coefficient: i32) -> f32 {
        coefficient as f32
    }
    #[inline(always)]
    fn add_values(a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn times(value: f32, constant: Constant) -> f32 {
        value * constant.real
    }
    #[inline(always)]
    fn plus(a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn minus(a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    fn after_columns(sum: f32) -> f32 {
        sum
    }
    #[inline(always)]
    fn after_rows(sum: f32) -> u16 {
        (sum * 0.125).clamp(0.0, 4095.0) as u16
    }
}
