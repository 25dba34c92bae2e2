//! Keys and values on their way into pages.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use half::{bf16, f16};

use super::pages::Layout;
use super::{KEY_BLOCK, KvDtype};
use crate::backend::{Parts, Scratch, share};
use crate::error::{Error, Result};
use crate::lanes::{Lanes, WIDTH, bf16_slot};

/// Rows to be written, and the pages that they go to.
pub(super) struct Rows<'a> {
    pub layout: Layout,
    /// Starts of the pages of the blocks that are touched, in order; all held by one cache alone.
    pub pages: Vec<PagePtr>,
    /// `[positions, kv_heads, head_dim]`
    pub k: &'a [f32],
    /// `[positions, kv_heads, head_dim]`
    pub v: &'a [f32],
    pub positions: Range<usize>,
    /// The first position with a value that the type does not hold, and the magnitude.
    pub refused: Mutex<Option<(usize, f32)>>,
}

/// The start of a page that nobody else reads or writes.
#[derive(Clone, Copy)]
pub(super) struct PagePtr(pub *mut u8);

// SAFETY: the address of memory that may be written from any thread; `Rows::write` rules who writes what.
unsafe impl Send for PagePtr {}
// SAFETY: as above.
unsafe impl Sync for PagePtr {}

/// How a number is stored.
trait Element: Copy {
    /// `value` as it is stored; `inverse` is one over the scale where there is one.
    fn narrow(value: f32, inverse: f32) -> Self;

    /// Where the i-th of sixteen numbers lies.
    #[inline(always)]
    fn slot(i: usize) -> usize {
        i
    }
}

impl Element for f32 {
    #[inline(always)]
    fn narrow(value: f32, _inverse: f32) -> Self {
        value
    }
}

impl Element for f16 {
    #[inline(always)]
    fn narrow(value: f32, _inverse: f32) -> Self {
        Self::from_f32(value)
    }
}

impl Element for bf16 {
    #[inline(always)]
    fn narrow(value: f32, _inverse: f32) -> Self {
        Self::from_f32(value)
    }

    #[inline(always)]
    fn slot(i: usize) -> usize {
        bf16_slot(i)
    }
}

impl Element for i8 {
    #[inline(always)]
    fn narrow(value: f32, inverse: f32) -> Self {
        // At most 127 · (1 + 2⁻²²), and rounded to a whole number; the cast saturates.
        (value * inverse).round_ties_even() as Self
    }
}

/// The largest magnitudes that round to finite numbers.
const F16_REACH: f32 = 65_519.996;
const BF16_REACH: f32 = f32::from_bits(0x7f7f_7fff);

impl Rows<'_> {
    /// Panels of sixteen absolute positions that are touched.
    pub fn n_panels(&self) -> usize {
        self.positions.end.div_ceil(WIDTH) - self.positions.start / WIDTH
    }

    /// Writes panels `which` of those that are touched.
    ///
    /// # Safety
    /// No other call writes the same panels.
    pub unsafe fn write(&self, which: Range<usize>) {
        // SAFETY: as the caller promises; each type is the one that the layout was made for.
        unsafe {
            match self.layout.dtype {
                KvDtype::F32 => self.write_as::<f32>(which),
                KvDtype::F16 => self.write_as::<f16>(which),
                KvDtype::Bf16 => self.write_as::<bf16>(which),
                KvDtype::Q8 => self.write_as::<i8>(which),
            }
        }
    }

    #[expect(clippy::cast_ptr_alignment, reason = "scales lie at multiples of a cache line")]
    unsafe fn write_as<E: Element>(&self, which: Range<usize>) {
        let Layout { n_kv_heads, head_dim, padded_dim, dtype } = self.layout;
        let first_block = self.positions.start / KEY_BLOCK;
        let first_panel = self.positions.start / WIDTH;
        for panel in which.start + first_panel..which.end + first_panel {
            let page = self.pages[panel * WIDTH / KEY_BLOCK - first_block].0;
            let positions =
                (panel * WIDTH).max(self.positions.start)..(panel * WIDTH + WIDTH).min(self.positions.end);
            for head in 0..n_kv_heads {
                let head_at = head * self.layout.head_bytes();
                let values_at = head_at + self.layout.keys_len() * dtype.bytes();
                let scales_at = values_at + self.layout.values_len() * dtype.bytes();
                for position in positions.clone() {
                    let at = ((position - self.positions.start) * n_kv_heads + head) * head_dim;
                    let (k, v) = (&self.k[at..at + head_dim], &self.v[at..at + head_dim]);
                    let scales = [self.scale(position, k), self.scale(position, v)];
                    let place = position % KEY_BLOCK;
                    // SAFETY: all addresses lie in the head's keys, values and scales as `Layout` places them, which
                    // are aligned for their numbers. A position's places are its own, and a panel's positions are
                    // written by one call; nobody reads the page meanwhile.
                    unsafe {
                        let keys = page.add(head_at).cast::<E>();
                        let keys = keys.add(place / WIDTH * head_dim * WIDTH + E::slot(place % WIDTH));
                        for (i, &k) in k.iter().enumerate() {
                            keys.add(i * WIDTH).write(E::narrow(k, scales[0].1));
                        }
                        let values = page.add(values_at).cast::<E>();
                        for chunk in 0..padded_dim / WIDTH {
                            let to = values.add((chunk * KEY_BLOCK + place) * WIDTH);
                            for (i, &v) in v[chunk * WIDTH..].iter().take(WIDTH).enumerate() {
                                to.add(E::slot(i)).write(E::narrow(v, scales[1].1));
                            }
                        }
                        if dtype == KvDtype::Q8 {
                            let to = page.add(scales_at).cast::<f32>();
                            to.add(place).write(scales[0].0);
                            to.add(KEY_BLOCK + place).write(scales[1].0);
                        }
                    }
                }
            }
        }
    }

    /// Scale and its inverse of a head's numbers at one position (of no account where the type has no scale); notes
    /// numbers that the type does not hold.
    fn scale(&self, position: usize, numbers: &[f32]) -> (f32, f32) {
        let dtype = self.layout.dtype;
        if dtype == KvDtype::F32 {
            return (1.0, 1.0);
        }
        let largest =
            numbers.iter().fold(0.0f32, |largest, n| if n.abs() > largest { n.abs() } else { largest });
        let held = match dtype {
            KvDtype::F16 => largest <= F16_REACH,
            KvDtype::Bf16 => largest <= BF16_REACH || largest == f32::INFINITY,
            // What is not a number has no place among whole ones.
            _ => numbers.iter().all(|n| n.is_finite()),
        };
        if !held {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.is_none_or(|(first, _)| position < first) {
                *refused = Some((position, largest));
            }
            return (0.0, 0.0);
        }
        let scale = largest / 127.0;
        // A scale below the normal range has no inverse; such numbers are zero beside anything else.
        if scale < f32::MIN_POSITIVE { (0.0, 0.0) } else { (scale, 127.0 / largest) }
    }

    /// Whether the type held everything.
    pub fn verdict(&self) -> Result<()> {
        match *self.refused.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some((position, magnitude)) => {
                let dtype = self.layout.dtype;
                let message = format!(
                    "at position {position} there is a magnitude of {magnitude:e}, which {dtype} does not hold"
                );
                Err(Error::range(super::OP, message).hint("keep keys and values as bf16 or f32"))
            }
        }
    }
}

impl Parts for Rows<'_> {
    #[inline(always)]
    unsafe fn part<S: Lanes>(&self, _s: S, part: usize, n_parts: usize, _scratch: &mut Scratch) {
        // SAFETY: each panel belongs to one part.
        unsafe { self.write(share(self.n_panels(), part, n_parts)) }
    }
}
