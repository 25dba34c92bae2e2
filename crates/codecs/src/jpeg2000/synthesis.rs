//! Subbands back to samples, row by row (T.800, F.3).
//!
//! A decomposition level asks the one below for a row of its low-pass samples whenever it needs one, so that of the
//! picture at any level only a few rows exist at a time.

use super::halves::Coefficients;
use super::kernel::Kernel;
use super::rect::Rect;
use crate::{Result, memory};

/// Gives the rows of a tile-component from top to bottom.
#[derive(Debug)]
pub(super) struct Synthesis<K: Kernel> {
    lowest: Lowest<K::Value>,
    /// Lowest first.
    levels: Vec<Level<K>>,
}

/// One decomposition level.
#[derive(Debug)]
pub(super) struct Level<K: Kernel> {
    rect: Rect,
    /// HL, LH, HH.
    high: [Coefficients; 3],
    /// The last rows, horizontally done; row `y` stands at `y % N_ROWS`.
    rows: [Vec<K::Value>; N_ROWS],
    even: Vec<K::Value>,
    odd: Vec<K::Value>,
    /// The next row to be taken in, and to be given.
    next_in: i64,
    next_out: i64,
    n_low_rows: usize,
    n_high_rows: usize,
}

/// Rows that a level holds: four lifting steps reach over six.
const N_ROWS: usize = 8;

impl<K: Kernel> Synthesis<K> {
    /// `levels` are the areas of the resolution levels above the lowest, with their subbands HL, LH and HH.
    pub(super) fn new(lowest: Coefficients, levels: Vec<(Rect, [Coefficients; 3])>) -> Result<Self> {
        let row = memory::filled(lowest.width)?;
        let levels: Result<_> = levels.into_iter().map(|(rect, high)| Level::new(rect, high)).collect();
        Ok(Self { lowest: Lowest { band: lowest, next: 0, row }, levels: levels? })
    }

    /// The next row. There are as many as the tile-component has.
    pub(super) fn next_row(&mut self) -> &[K::Value] {
        next_row(&mut self.levels, &mut self.lowest)
    }
}

/// The lowest subband.
#[derive(Debug)]
struct Lowest<T> {
    band: Coefficients,
    /// The next row.
    next: usize,
    row: Vec<T>,
}

/// The next row of the highest of `levels`.
fn next_row<'a, K: Kernel>(levels: &'a mut [Level<K>], lowest: &'a mut Lowest<K::Value>) -> &'a [K::Value] {
    let Some((level, below)) = levels.split_last_mut() else {
        lowest.band.row::<K>(lowest.next, &mut lowest.row);
        lowest.next += 1;
        return &lowest.row;
    };
    while !level.is_next_done() {
        level.take_in(below, lowest);
    }
    let row = &level.rows[place(level.next_out)];
    level.next_out += 1;
    row
}

/// Where row `y` stands among [`N_ROWS`].
fn place(y: i64) -> usize {
    (y & (N_ROWS as i64 - 1)) as usize
}

impl<K: Kernel> Level<K> {
    fn new(rect: Rect, high: [Coefficients; 3]) -> Result<Self> {
        let n_even = rect.x1.div_ceil(2) - rect.x0.div_ceil(2);
        let mut rows = [const { Vec::new() }; N_ROWS];
        for row in &mut rows {
            *row = memory::filled(rect.width())?;
        }
        Ok(Self {
            rect,
            high,
            rows,
            even: memory::filled(n_even as usize)?,
            odd: memory::filled(rect.width() - n_even as usize)?,
            next_in: i64::from(rect.y0),
            next_out: i64::from(rect.y0),
            n_low_rows: 0,
            n_high_rows: 0,
        })
    }

    /// Whether the next row to be given has gone through all lifting steps.
    fn is_next_done(&self) -> bool {
        if self.rect.height() == 1 {
            return self.next_in > self.next_out;
        }
        // Steps are done when an odd row comes in: then the even row before it has gone through the first step, the one
        // before that through the second, and so on.
        let last_odd = (self.next_in - 1) - ((self.next_in - 1) & 1 ^ 1);
        self.next_out <= last_odd - K::N_STEPS as i64 + 1
    }

    /// Takes in the next row, or what stands for it below the last.
    fn take_in(&mut self, below: &mut [Self], lowest: &mut Lowest<K::Value>) {
        let y = self.next_in;
        self.next_in += 1;
        if y < i64::from(self.rect.y1) {
            self.horizontal(y, below, lowest);
        }
        if self.rect.height() == 1 {
            if y & 1 == 1 {
                self.rows[place(y)].iter_mut().for_each(|v| *v = K::lone_high(*v));
            }
            return;
        }
        if y & 1 == 1 {
            for step in 0..K::N_STEPS {
                self.lift_row(step, y - 1 - step as i64);
            }
        }
    }

    /// Lifting step `step` on row `y`, if there is one.
    fn lift_row(&mut self, step: usize, y: i64) {
        let (first, end) = (i64::from(self.rect.y0), i64::from(self.rect.y1));
        if y < first || y >= end {
            return;
        }
        // Beyond the edges the signal is mirrored.
        let above = if y > first { y - 1 } else { y + 1 };
        let below = if y + 1 < end { y + 1 } else { y - 1 };
        let mut target = std::mem::take(&mut self.rows[place(y)]);
        K::lift(step, &mut target, &self.rows[place(above)], &self.rows[place(below)]);
        self.rows[place(y)] = target;
    }

    /// Makes row `y` of its low and its high half.
    fn horizontal(&mut self, y: i64, below: &mut [Self], lowest: &mut Lowest<K::Value>) {
        let [hl, lh, hh] = &self.high;
        if y & 1 == 0 {
            self.even.copy_from_slice(next_row(below, lowest));
            hl.row::<K>(self.n_low_rows, &mut self.odd);
            self.n_low_rows += 1;
        } else {
            lh.row::<K>(self.n_high_rows, &mut self.even);
            hh.row::<K>(self.n_high_rows, &mut self.odd);
            self.n_high_rows += 1;
        }
        let starts_odd = self.rect.x0 & 1 == 1;
        if self.rect.width() == 1 {
            if starts_odd {
                self.odd.iter_mut().for_each(|v| *v = K::lone_high(*v));
            }
        } else {
            for step in 0..K::N_STEPS {
                if step % 2 == 0 {
                    lift_line::<K>(step, &mut self.even, &self.odd, !starts_odd);
                } else {
                    lift_line::<K>(step, &mut self.odd, &self.even, starts_odd);
                }
            }
        }
        let out = &mut self.rows[place(y)];
        if starts_odd {
            interleave(out, &self.odd, &self.even);
        } else {
            interleave(out, &self.even, &self.odd);
        }
    }
}

/// Lifting step `step` within a row. `target` and `others` alternate; `is_first` if the row starts with a target.
#[inline(always)]
fn lift_line<K: Kernel>(step: usize, target: &mut [K::Value], others: &[K::Value], is_first: bool) {
    let (n, n_others) = (target.len(), others.len());
    if n == 0 || n_others == 0 {
        return;
    }
    // The neighbours of target `i` are others `i - 1` and `i` where a target is first, else `i` and `i + 1`.
    let start = usize::from(is_first);
    let end = (n_others - 1 + start).min(n).max(start);
    if is_first {
        K::lift(step, &mut target[..1], &others[..1], &others[..1]);
    }
    let n_inner = end - start;
    K::lift(step, &mut target[start..end], &others[..n_inner], &others[1..][..n_inner]);
    if end < n {
        let last = &others[n_others - 1..];
        K::lift(step, &mut target[end..end + 1], last, last);
    }
}

/// Takes turns: the first of `first`, the first of `second`, …
#[inline(always)]
fn interleave<T: Copy>(out: &mut [T], first: &[T], second: &[T]) {
    for (pair, (a, b)) in out.chunks_exact_mut(2).zip(first.iter().zip(second)) {
        pair[0] = *a;
        pair[1] = *b;
    }
    if let (1, Some(last), Some(value)) = (out.len() % 2, out.last_mut(), first.last()) {
        *last = *value;
    }
}
