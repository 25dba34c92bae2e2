//! The inverse cosine transform of a block (T.81, A.3.3), after Loeffler, Ligtenberg and Moschytz 1989: down the columns,
//! then along the rows.
//!
//! For 8 bits it is libjpeg's accurate integer one (`jidctint.c`), bit for bit. For 12 bits, where decoders differ by
//! one here and there, it is the same steps in 32-bit floating point.
//!
//! The loops are shaped so that the compiler makes vectors of them: eight transforms side by side in one loop, all that
//! is multiplied in 16 bits, functions that are not taken apart by their callers.

use super::arithmetic::{
    Arithmetic, C_0_298, C_0_390, C_0_541, C_0_765, C_0_899, C_1_175, C_1_501, C_1_847, C_1_961, C_2_053,
    C_2_562, C_3_072, Long, ONE, Real, Short,
};

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
        if self.places > 0 {
            self.values = [0; 64];
        }
        (self.values[0], self.sum, self.places) = (0, 0, 0);
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

/// A transform with what it writes on the way.
pub(super) struct Transform<A: Arithmetic> {
    values: [A::Value; 64],
    columns: [A::Value; 64],
    samples: [A::Sample; 64],
}

impl Transform<Short> {
    /// 64 samples around 128, clamped to 0..=255.
    pub fn inverse8(&mut self, block: &Block, quantization: &[u16; 64], out: &mut [u8; 64]) {
        if block.sum <= MAX_SHORT_SUM {
            self.inverse(block, quantization, out);
        } else {
            inverse8_long(block, quantization, out);
        }
    }
}

#[cold]
fn inverse8_long(block: &Block, quantization: &[u16; 64], out: &mut [u8; 64]) {
    Transform::<Long>::new().inverse(block, quantization, out);
}

impl Transform<Real> {
    /// 64 samples around 2048, clamped to 0..=4095.
    pub fn inverse12(&mut self, block: &Block, quantization: &[u16; 64], out: &mut [u16; 64]) {
        self.inverse(block, quantization, out);
    }
}

impl<A: Arithmetic> Transform<A> {
    pub fn new() -> Self {
        let values = [A::Value::default(); 64];
        Self { values, columns: values, samples: [A::Sample::default(); 64] }
    }

    #[inline(always)]
    fn inverse(&mut self, block: &Block, quantization: &[u16; 64], out: &mut [A::Sample; 64]) {
        if block.places == 0 {
            let mut first = [A::Value::default(); 8];
            first[0] = A::value(i32::from(block.values[0]) * i32::from(quantization[0]));
            let [value, ..] = eight::<A>(first, A::BEFORE_COLUMNS);
            first[0] = A::after_columns(value);
            let [value, ..] = eight::<A>(first, A::BEFORE_ROWS);
            out.fill(A::after_rows(value));
            return;
        }
        let Self { values, columns, samples } = self;
        for ((out, value), step) in values.iter_mut().zip(block.values).zip(quantization) {
            *out = A::value(i32::from(value) * i32::from(*step));
        }
        if block.has_empty_rows() {
            pass::<A, _, true>(values, A::BEFORE_COLUMNS, A::after_columns, columns);
        } else {
            pass::<A, _, false>(values, A::BEFORE_COLUMNS, A::after_columns, columns);
        }
        transpose(columns, values);
        if block.has_empty_columns() {
            pass::<A, _, true>(values, A::BEFORE_ROWS, A::after_rows, out);
        } else {
            pass::<A, _, false>(values, A::BEFORE_ROWS, A::after_rows, out);
        }
        transpose(out, samples);
        *out = *samples;
    }
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

/// Writes rows as columns: the two halves are put together like a deck of cards, three times.
#[inline(always)]
fn transpose<T: Copy>(values: &mut [T; 64], out: &mut [T; 64]) {
    riffle(values, out);
    riffle(out, values);
    riffle(values, out);
}

#[inline(never)]
fn riffle<T: Copy>(values: &[T; 64], out: &mut [T; 64]) {
    for idx in 0..32 {
        out[2 * idx] = values[idx];
        out[2 * idx + 1] = values[idx + 32];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of all kinds: few and many coefficients, in the upper left corner and anywhere, small and large.
    fn blocks() -> impl Iterator<Item = [i16; 64]> {
        let mut state = 1_u64;
        let mut random = move |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        (0..2000).map(move |_| {
            let (n, corner, size) = (random(40) + 1, random(8) + 1, 1 << random(11));
            let mut values = [0; 64];
            for _ in 0..n {
                values[(random(corner) * 8 + random(corner)) as usize] =
                    random(2 * size + 1) as i16 - size as i16;
            }
            values
        })
    }

    /// T.81, A.3.3, as it is written there.
    fn exact(values: &[i16; 64]) -> [f64; 64] {
        let basis = |x: usize, u: usize| {
            let scale = if u == 0 { (0.125_f64).sqrt() } else { 0.5 };
            scale * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()
        };
        std::array::from_fn(|p| {
            (0..64).map(|c| f64::from(values[c]) * basis(p % 8, c % 8) * basis(p / 8, c / 8)).sum()
        })
    }

    #[test]
    fn numbers_of_16_bits_give_what_large_ones_give() {
        let (mut n_short, steps) = (0, [1; 64]);
        for values in blocks() {
            let block = Block::of(&values, &steps);
            let (mut short, mut long) = ([0; 64], [0; 64]);
            Transform::new().inverse8(&block, &steps, &mut short);
            inverse8_long(&block, &steps, &mut long);
            assert_eq!(short, long, "{values:?}");
            n_short += usize::from(block.sum <= MAX_SHORT_SUM);
        }
        assert!((1000..2000).contains(&n_short), "{n_short} of 2000 blocks are short");
        // The largest sum that counts as short, on each coefficient, and shared by those of a column or row.
        for place in 0..64 {
            for value in [5800_i16, -5800] {
                for n in [1, 2, 4, 8] {
                    for stride in [1, 8] {
                        let mut values = [0; 64];
                        for idx in 0..n {
                            values[(place + idx * stride) % 64] += value / n as i16;
                        }
                        let block = Block::of(&values, &steps);
                        let (mut short, mut long) = ([0; 64], [0; 64]);
                        Transform::new().inverse8(&block, &steps, &mut short);
                        inverse8_long(&block, &steps, &mut long);
                        assert_eq!(short, long, "{values:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn eight_bits_are_within_one_of_the_exact_transform() {
        for values in blocks() {
            let steps = [1; 64];
            let mut found = [0; 64];
            Transform::new().inverse8(&Block::of(&values, &steps), &steps, &mut found);
            for (found, exact) in found.iter().zip(exact(&values)) {
                let exact = (exact + 128.0).clamp(0.0, 255.0);
                assert!(
                    (f64::from(*found) - exact).abs() < 1.0,
                    "{found} where {exact} is exact: {values:?}"
                );
            }
        }
    }

    #[test]
    fn twelve_bits_are_the_exact_transform_rounded() {
        // What 32-bit floating point may add to the half that rounding takes or gives.
        const SLACK: f64 = 0.002;
        for values in blocks() {
            let steps = [3; 64];
            let mut found = [0; 64];
            Transform::new().inverse12(&Block::of(&values, &steps), &steps, &mut found);
            for (found, exact) in found.iter().zip(exact(&values.map(|value| value * 3))) {
                let exact = (exact + 2048.0).clamp(0.0, 4095.0);
                assert!((f64::from(*found) - exact).abs() < 0.5 + SLACK, "{found} where {exact} is exact");
            }
        }
    }

    #[test]
    fn rows_become_columns() {
        let mut values: [u8; 64] = std::array::from_fn(|place| place as u8);
        let mut columns = [0; 64];
        transpose(&mut values, &mut columns);
        assert_eq!(columns, std::array::from_fn(|place| (place % 8 * 8 + place / 8) as u8));
    }
}
