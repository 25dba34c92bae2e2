//! One scan: the way over rows, runs and single samples (T.87 Annex A).

use super::super::Raster;
use super::super::bits::{BitWriter, Stuffing};
use super::JpegLs;
use super::context::{Context, RESET, thresholds};

/// T.87 A.2.1, variable J.
const RUN_BITS: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The state of a scan.
pub(super) struct Scan<'a> {
    picture: &'a Raster<'a>,
    rebuilt: &'a mut [u16],
    pub bits: BitWriter,
    near: i32,
    max: i32,
    range: i32,
    limit: i32,
    range_bits: i32,
    thresholds: [i32; 3],
    contexts: Vec<Context>,
    run_contexts: [Context; 2],
    run_places: [usize; 4],
}

/// Neighbours: left, above, above left, above right.
struct Around {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
}

fn bits_of(value: i32) -> i32 {
    32 - (value as u32).leading_zeros() as i32
}

impl<'a> Scan<'a> {
    pub fn new(picture: &'a Raster<'a>, how: JpegLs, rebuilt: &'a mut [u16]) -> Self {
        let (near, max) = (i32::from(how.near), (1 << picture.bits) - 1);
        let range = (max + 2 * near) / (2 * near + 1) + 1;
        let sample_bits = bits_of(max).max(2);
        let start = Context { a: ((range + 32) / 64).max(2), b: 0, c: 0, n: 1, n_negative: 0 };
        Self {
            picture,
            rebuilt,
            bits: BitWriter::new(Stuffing::Bit),
            near,
            max,
            range,
            limit: 2 * (sample_bits + sample_bits.max(8)),
            range_bits: bits_of(range - 1),
            thresholds: thresholds(max, near),
            contexts: vec![start; 365],
            run_contexts: [start; 2],
            run_places: [0; 4],
        }
    }

    fn rebuilt_at(&self, column: usize, row: usize, component: usize) -> i32 {
        i32::from(self.rebuilt[(row * self.picture.width + column) * self.picture.n_components + component])
    }

    fn rebuild(&mut self, column: usize, row: usize, component: usize, value: i32) {
        let place = (row * self.picture.width + column) * self.picture.n_components + component;
        self.rebuilt[place] = value as u16;
    }

    /// T.87 A.2: outside the picture, above is zero, left is what lies above, and right of the edge is the edge.
    fn around(&self, column: usize, row: usize, component: usize) -> Around {
        let above = |column: usize| if row == 0 { 0 } else { self.rebuilt_at(column, row - 1, component) };
        let b = above(column);
        let d = above((column + 1).min(self.picture.width - 1));
        let (a, c) = match column {
            0 => (b, if row < 2 { 0 } else { self.rebuilt_at(0, row - 2, component) }),
            _ => (self.rebuilt_at(column - 1, row, component), above(column - 1)),
        };
        Around { a, b, c, d }
    }

    /// One row of the components that are coded together.
    pub fn row(&mut self, row: usize, components: &[usize], run_place: usize) {
        let mut column = 0;
        while column < self.picture.width {
            let around: Vec<Around> =
                components.iter().map(|component| self.around(column, row, *component)).collect();
            let is_flat = |n: &Around| {
                [n.d - n.b, n.b - n.c, n.c - n.a].iter().all(|gradient| gradient.abs() <= self.near)
            };
            if around.iter().all(is_flat) {
                column = self.run(column, row, components, &around, run_place);
            } else {
                for (component, around) in components.iter().zip(&around) {
                    self.regular(column, row, *component, around);
                }
                column += 1;
            }
        }
    }

    /// T.87 A.4 to A.6.
    fn regular(&mut self, column: usize, row: usize, component: usize, around: &Around) {
        let Around { a, b, c, d } = *around;
        let q = [d - b, b - c, c - a].map(|gradient| self.quantized(gradient));
        let context = 81 * q[0] + 9 * q[1] + q[2];
        let sign = if context < 0 { -1 } else { 1 };
        let place = context.unsigned_abs() as usize;
        let predicted = if c >= a.max(b) {
            a.min(b)
        } else if c <= a.min(b) {
            a.max(b)
        } else {
            a + b - c
        };
        let predicted = (predicted + sign * self.contexts[place].c).clamp(0, self.max);
        let error = self.error(sign * (self.picture.at(column, row, component) - predicted));
        self.rebuild(column, row, component, self.restored(predicted, sign * error));
        let error = self.folded(error);

        let context = self.contexts[place];
        let k = (0..).find(|k| context.n << k >= context.a).unwrap_or(0);
        let mapped = if self.near == 0 && k == 0 && 2 * context.b <= -context.n {
            if error >= 0 { 2 * error + 1 } else { -2 * (error + 1) }
        } else if error >= 0 {
            2 * error
        } else {
            -2 * error - 1
        };
        self.golomb(mapped, k, self.limit);
        self.contexts[place].learn(error, 2 * self.near + 1);
    }

    /// T.87 A.7; gives the column behind the run.
    fn run(
        &mut self,
        start: usize,
        row: usize,
        components: &[usize],
        around: &[Around],
        run_place: usize,
    ) -> usize {
        let continues = |column: usize| {
            components.iter().zip(around).all(|(component, around)| {
                (self.picture.at(column, row, *component) - around.a).abs() <= self.near
            })
        };
        let end =
            (start..self.picture.width).find(|column| !continues(*column)).unwrap_or(self.picture.width);
        for column in start..end {
            for (component, around) in components.iter().zip(around) {
                self.rebuild(column, row, *component, around.a);
            }
        }
        let mut count = end - start;
        let mut place = self.run_places[run_place];
        while count >= 1 << RUN_BITS[place] {
            self.bits.bit(true);
            count -= 1 << RUN_BITS[place];
            place = (place + 1).min(31);
        }
        if end == self.picture.width {
            if count > 0 {
                self.bits.bit(true);
            }
            self.run_places[run_place] = place;
            return end;
        }
        self.bits.bit(false);
        self.bits.put(count as u32, RUN_BITS[place]);
        for component in components {
            let around = self.around(end, row, *component);
            self.interruption(end, row, *component, &around, components.len() > 1, RUN_BITS[place]);
        }
        self.run_places[run_place] = place.saturating_sub(1);
        end + 1
    }

    /// T.87 A.7.2; pixels of several samples always take the first of the two contexts.
    fn interruption(
        &mut self,
        column: usize,
        row: usize,
        component: usize,
        around: &Around,
        is_joint: bool,
        run_bits: u8,
    ) {
        let Around { a, b, .. } = *around;
        let kind = usize::from(!is_joint && (a - b).abs() <= self.near);
        let predicted = if kind == 1 { a } else { b };
        let sign = if kind == 0 && a > b { -1 } else { 1 };
        let error = self.error(sign * (self.picture.at(column, row, component) - predicted));
        self.rebuild(column, row, component, self.restored(predicted, sign * error));
        let error = self.folded(error);

        let context = self.run_contexts[kind];
        let sum = context.a + if kind == 1 { context.n >> 1 } else { 0 };
        let k = (0..).find(|k| context.n << k >= sum).unwrap_or(0);
        let is_mapped = (k == 0 && error > 0 && 2 * context.n_negative < context.n)
            || (error < 0 && (2 * context.n_negative >= context.n || k != 0));
        let mapped = 2 * error.abs() - kind as i32 - i32::from(is_mapped);
        self.golomb(mapped, k, self.limit - i32::from(run_bits) - 1);

        let context = &mut self.run_contexts[kind];
        context.n_negative += i32::from(error < 0);
        context.a += (mapped + 1 - kind as i32) >> 1;
        if context.n == RESET {
            context.a >>= 1;
            context.n >>= 1;
            context.n_negative >>= 1;
        }
        context.n += 1;
    }

    /// T.87 A.3.3.
    fn quantized(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let level = match gradient.abs() {
            g if g <= self.near => 0,
            g if g < t1 => 1,
            g if g < t2 => 2,
            g if g < t3 => 3,
            _ => 4,
        };
        level * gradient.signum()
    }

    /// An error in steps of `2 near + 1` (T.87 A.4.4).
    fn error(&self, difference: i32) -> i32 {
        let step = 2 * self.near + 1;
        if difference > 0 { (difference + self.near) / step } else { -((self.near - difference) / step) }
    }

    fn restored(&self, predicted: i32, error: i32) -> i32 {
        (predicted + error * (2 * self.near + 1)).clamp(0, self.max)
    }

    /// Modulo the range (T.87 A.4.5).
    fn folded(&self, error: i32) -> i32 {
        let error = if error < 0 { error + self.range } else { error };
        if error >= (self.range + 1) / 2 { error - self.range } else { error }
    }

    /// T.87 A.5.3.
    fn golomb(&mut self, value: i32, k: i32, limit: i32) {
        let longest = limit - self.range_bits - 1;
        let quotient = value >> k;
        if quotient < longest {
            self.bits.unary(quotient);
            self.bits.put(value as u32 & ((1 << k) - 1), k as u8);
        } else {
            self.bits.unary(longest);
            self.bits.put((value - 1) as u32, self.range_bits as u8);
        }
    }
}
