//! The machine that runs operations: an instruction set, threads, and their scratch memory.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lightbox_host::Arena;

use crate::error::{Error, Result};
use crate::isa::{Isa, Job};
use crate::lanes::{Lanes, WIDTH};
use crate::pool::Pool;
use crate::quantized::Activations;

/// Multiply-adds (or values) below which an operation is not worth waking other threads.
const WORTH_A_REGION: usize = 32 * 1024;

/// Scratch is taken in whole huge pages.
const SCRATCH_UNIT_BYTES: usize = 2 << 20;

/// More threads than any machine this is made for has; a larger number is a mistake.
const MAX_THREADS: usize = 1024;

/// An instruction set and a fixed number of threads; operations are its methods.
///
/// It may be shared by several callers: their operations take turns.
pub struct Backend {
    isa: Isa,
    pool: Pool,
    scratch: Vec<Mutex<Scratch>>,
    /// Quantized activations of the operation at hand: in pieces of 256, in pieces of 32.
    pub(crate) activations: Mutex<[Activations; 2]>,
    /// What the spans of attention give, until they are merged.
    partials: Mutex<Vec<f32>>,
}

impl Backend {
    /// The fastest instruction set of this machine on `n_threads` threads, the caller's being one of them.
    ///
    /// # Errors
    /// No threads, more than 1024, or threads that the system refuses.
    pub fn new(n_threads: usize) -> Result<Self> {
        Self::with_isa(Isa::best(), n_threads)
    }

    /// As [`Backend::new`], with a chosen instruction set.
    ///
    /// # Errors
    /// As [`Backend::new`].
    pub fn with_isa(isa: Isa, n_threads: usize) -> Result<Self> {
        if !(1..=MAX_THREADS).contains(&n_threads) {
            return Err(Error::shape("backend", format!("{n_threads} threads, expected 1 to {MAX_THREADS}")));
        }
        let pool = Pool::new(n_threads)?;
        let scratch = (0..n_threads).map(|_| Mutex::default()).collect();
        Ok(Self { isa, pool, scratch, activations: Mutex::default(), partials: Mutex::default() })
    }

    /// The instruction set that it runs.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Threads, the caller's among them.
    #[must_use]
    pub fn n_threads(&self) -> usize {
        self.pool.n_threads()
    }

    /// What it is, for people: "avx2+fma, 2 threads".
    #[must_use]
    pub fn describe(&self) -> String {
        let n = self.n_threads();
        format!("{}, {n} thread{}", self.isa, if n == 1 { "" } else { "s" })
    }

    /// Memory that outlives a region, for one operation at a time; its contents are whatever was there.
    pub(crate) fn partials(&self) -> MutexGuard<'_, Vec<f32>> {
        self.partials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does all parts of `whole`, which is `work` multiply-adds large, on one thread or on all; every thread is
    /// given `scratch_len` f32 of scratch.
    pub(crate) fn parallel<P: Parts>(&self, work: usize, scratch_len: usize, whole: &P) -> Result<()> {
        let alone = work < WORTH_A_REGION || self.n_threads() == 1;
        let n_parts = if alone { 1 } else { self.n_threads() };
        // Scratch is only ever overwritten before it is read, so a panic elsewhere does not spoil it.
        for scratch in &self.scratch[..n_parts] {
            scratch.lock().unwrap_or_else(PoisonError::into_inner).reserve(scratch_len)?;
        }
        let one = |part: usize| {
            let mut scratch = self.scratch[part].lock().unwrap_or_else(PoisonError::into_inner);
            self.isa.run(OnePart { whole, part, n_parts, scratch: &mut scratch });
        };
        if alone {
            one(0);
        } else {
            self.pool.run(&one);
        }
        Ok(())
    }
}

/// What every thread does in a region: its part of the whole.
pub(crate) trait Parts: Sync {
    /// Must be `#[inline(always)]`, as everything that it calls.
    ///
    /// # Safety
    /// No other call is given the same `part` of this region: parts write disjoint memory.
    unsafe fn part<S: Lanes>(&self, s: S, part: usize, n_parts: usize, scratch: &mut Scratch);
}

struct OnePart<'a, P> {
    whole: &'a P,
    part: usize,
    n_parts: usize,
    scratch: &'a mut Scratch,
}

impl<P: Parts> Job for OnePart<'_, P> {
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        // SAFETY: `Backend::parallel` makes one `OnePart` for each part of a region.
        unsafe { self.whole.part(s, self.part, self.n_parts, self.scratch) }
    }
}

/// Page-aligned memory of one thread, kept between operations.
#[derive(Default)]
pub(crate) struct Scratch {
    arena: Option<Arena>,
}

impl Scratch {
    fn reserve(&mut self, n: usize) -> Result<()> {
        let bytes = n.checked_mul(4).and_then(|b| b.checked_next_multiple_of(SCRATCH_UNIT_BYTES));
        let bytes = bytes
            .ok_or_else(|| Error::resources(format!("scratch of {n} values is more than memory holds")))?;
        if self.arena.as_ref().is_none_or(|arena| arena.len() < bytes) {
            self.arena = None; // given back before more is asked for
            self.arena = Some(Arena::zeroed(bytes)?);
        }
        Ok(())
    }

    /// Slices of these lengths, each starting at a cache line; their contents are whatever was there.
    ///
    /// # Panics
    /// If they are more than the region asked for (see [`scratch_len`]).
    #[inline(always)]
    pub fn slices<const N: usize>(&mut self, lens: [usize; N]) -> [&mut [f32]; N] {
        let mut rest = self.arena.as_mut().map_or(&mut [][..], Arena::as_f32_mut);
        lens.map(|len| {
            let (slice, after) = std::mem::take(&mut rest).split_at_mut(len.next_multiple_of(WIDTH));
            rest = after;
            &mut slice[..len]
        })
    }
}

/// What [`Scratch::slices`] of these lengths takes, in f32; saturating, so that a size that overflows is refused.
pub(crate) fn scratch_len(lens: &[usize]) -> usize {
    lens.iter().fold(0, |sum, &n| sum.saturating_add(n.saturating_add(WIDTH)))
}

/// Part `part` of `n_parts` of `0..n`: contiguous, the same for the same numbers, sizes differing by one at most.
#[inline(always)]
pub(crate) fn share(n: usize, part: usize, n_parts: usize) -> Range<usize> {
    let each = n / n_parts;
    let longer = n % n_parts;
    let start = part * each + part.min(longer);
    start..start + each + usize::from(part < longer)
}

/// A mutable slice of which several threads write disjoint ranges.
pub(crate) struct Shared<'a, T = f32> {
    start: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: it is an exclusive borrow of values that may be sent to any thread; `range_mut` puts the duty of
// disjointness on its caller.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), owner: PhantomData }
    }

    /// The same values once more; the duty of disjointness then spans both.
    pub fn again(&self) -> Self {
        Self { start: self.start, len: self.len, owner: PhantomData }
    }

    /// Values `at .. at + len`.
    ///
    /// # Panics
    /// If they are out of range.
    ///
    /// # Safety
    /// No other slice of an overlapping range is alive.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    pub unsafe fn range_mut(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at <= self.len && len <= self.len - at, "a range of the output lies inside it");
        // SAFETY: in range as just checked, and exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }
}
