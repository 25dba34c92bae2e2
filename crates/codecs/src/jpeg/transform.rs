//! The inverse cosine transform of a block (T.81, A.3.3), after Loeffler, Ligtenberg and Moschytz 1989: down the columns,
//! then along the rows.
//!
//! For 8 bits it is libjpeg's accurate integer one (`jidctint.c`), bit for bit. For 12 bits, where decoders differ by
//! one here and there, it is the same steps in 32-bit floating point.
//!
//! The loops are shaped so that the compiler makes vectors of them: eight transforms side by side in one loop, all that
//! is multiplied in 16 bits, functions that are not taken apart by their callers.

/// Largest sum of absolute coefficients for which all that is multiplied fits 16 bits: the first pass makes of them at
/// most 5.55 times as much.
const MAX_SHORT_SUM: u64 = 5_800;

/// Coefficients of a block.
pub(super) struct Block {
    /// In the order of rows.
    values: [i16; 64],
    /// Of absolute values, each times its quantization.
    sum: u64,
    /// All places of coefficients that are not zero, or-ed: row times 8 plus column.
    places: usize,
}

impl Block {
    /// All zero.
    pub fn new() -> Self {
        Self { values: [0; 64], sum: 0, places: 0 }
    }

    /// Takes coefficients over, in the order of rows.
    pub fn of(values: &[i16; 64], quantization: &[u16; 64]) -> Self {
        let mut block = Self { values: *values, ..Self::new() };
        for (place, (value, step)) in values.iter().zip(quantization).enumerate() {
            if *value != 0 {
                block.note(place, *value, *step);
            }
        }
        block
    }

    /// Makes all coefficients zero.
    #[inline(always)]
    pub fn clear(&mut self) {
        (self.values, self.sum, self.places) = ([0; 64], 0, 0);
    }

    /// Sets the coefficient at a place below 64, whose quantization is `step`.
    #[inline(always)]
    pub fn set(&mut self, place: usize, value: i16, step: u16) {
        self.values[place & 63] = value;
        self.note(place, value, step);
    }

    #[inline(always)]
    fn note(&mut self, place: usize, value: i16, step: u16) {
        self.sum += u64::from(u32::from(value.unsigned_abs()) * u32::from(step));
        self.places |= place;
    }

    /// Whether the lower four rows are zero.
    fn has_empty_rows(&self) -> bool {
        self.places & 0o40 == 0
    }

    /// Whether the right four columns are zero.
    fn has_empty_columns(&self) -> bool {
        self.places & 0o04 == 0
    }
}

/// 64 samples around 128, clamped to 0..=255.
pub(super) fn inverse8(block: &Block, quantization: &[u16; 64], out: &mut [u8; 64]) {
    if block.places == 0 {
        // Both passes come down to one division by 8, halves up.
        let value = i64::from(block.values[0]) * i64::from(quantization[0]);
        out.fill((((value + 4) >> 3) + 128).clamp(0, 255) as u8);
    } else if block.sum <= MAX_SHORT_SUM {
        transform::<Short>(block, quantization, out);
    } else {
        inverse8_long(block, quantization, out);
    }
}

#[cold]
fn inverse8_long(block: &Block, quantization: &[u16; 64], out: &mut [u8; 64]) {
    transform::<Long>(block, quantization, out);
}

/// 64 samples around 2048, clamped to 0..=4095.
pub(super) fn inverse12(block: &Block, quantization: &[u16; 64], out: &mut [u16; 64]) {
    transform::<Real>(block, quantization, out);
}

#[inline(always)]
fn transform<A: Arithmetic>(block: &Block, quantization: &[u16; 64], out: &mut [A::Sample; 64]) {
    let mut values = [A::Value::default(); 64];
    for ((out, value), step) in values.iter_mut().zip(block.values).zip(quantization) {
        *out = A::value(i32::from(value) * i32::from(*step));
    }
    let mut columns = [A::Value::default(); 64];
    if block.has_empty_rows() {
        pass::<A, _, true>(&values, A::BEFORE_COLUMNS, A::after_columns, &mut columns);
    } else {
        pass::<A, _, false>(&values, A::BEFORE_COLUMNS, A::after_columns, &mut columns);
    }
    transpose(&mut columns, &mut values);
    if block.has_empty_columns() {
        pass::<A, _, true>(&columns, A::BEFORE_ROWS, A::after_rows, out);
    } else {
        pass::<A, _, false>(&columns, A::BEFORE_ROWS, A::after_rows, out);
    }
    transpose(out, &mut [A::Sample::default(); 64]);
}

/// Eight transforms of eight values side by side, `[8, lanes]` to the same.
///
/// `before` is added to each result before `after` makes something of it. `IS_HALF` says that the last four values
/// are zero.
#[inline(never)]
fn pass<A: Arithmetic, T: Copy, const IS_HALF: bool>(
    values: &[A::Value; 64],
    before: A::Sum,
    after: impl Fn(A::Sum) -> T,
    out: &mut [T; 64],
) {
    for lane in 0..8 {
        let values = std::array::from_fn(|idx| {
            if IS_HALF && idx >= 4 { A::Value::default() } else { values[idx * 8 + lane] }
        });
        let results = eight::<A>(values, before);
        for (idx, result) in results.into_iter().enumerate() {
            out[idx * 8 + lane] = after(result);
        }
    }
}

/// One transform of eight values, and `before` added to each.
#[inline(always)]
fn eight<A: Arithmetic>(v: [A::Value; 8], before: A::Sum) -> [A::Sum; 8] {
    let add = A::add_values;
    let (plus, minus, times) = (A::plus, A::minus, A::times);
    // Even part.
    let z1 = times(add(v[2], v[6]), C_0_541);
    let t2 = minus(z1, times(v[6], C_1_847));
    let t3 = plus(z1, times(v[2], C_0_765));
    let (a, b) = (plus(times(v[0], ONE), before), times(v[4], ONE));
    let (t0, t1) = (plus(a, b), minus(a, b));
    let (t10, t13, t11, t12) = (plus(t0, t3), minus(t0, t3), plus(t1, t2), minus(t1, t2));
    // Odd part.
    let (z1, z2, z3, z4) = (add(v[7], v[1]), add(v[5], v[3]), add(v[7], v[3]), add(v[5], v[1]));
    let z5 = times(add(z3, z4), C_1_175);
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

/// Rows as columns: the two halves are put together like a deck of cards, three times.
#[inline(always)]
fn transpose<T: Copy>(values: &mut [T; 64], other: &mut [T; 64]) {
    riffle(values, other);
    riffle(other, values);
    riffle(values, other);
    *values = *other;
}

#[inline(never)]
fn riffle<T: Copy>(values: &[T; 64], out: &mut [T; 64]) {
    for idx in 0..32 {
        out[2 * idx] = values[idx];
        out[2 * idx + 1] = values[idx + 32];
    }
}

/// A constant of the transform.
#[derive(Clone, Copy)]
struct Constant {
    /// Times 2^13, rounded.
    fixed: i16,
    real: f32,
}

impl Constant {
    const fn new(value: f64) -> Self {
        Self { fixed: (value * 8192.0 + 0.5) as i16, real: value as f32 }
    }
}

const ONE: Constant = Constant::new(1.0);
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

/// What the transform computes with.
trait Arithmetic {
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
struct Short;

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
struct Long;

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
struct Real;

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
