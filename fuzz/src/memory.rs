//! An allocator that counts, so that a parser that asks for what a header promises is found out.
#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// No single request above this is passed on: a huge one must fail here as it would on a small machine.
const LARGEST_BYTES: usize = 1 << 30;

/// The system's allocator with counters around it.
pub struct Counting;

// SAFETY: every method passes its arguments to `System`, whose contract is the same, or returns null, which the
// contract allows as a failed allocation. The counters never touch the memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST_BYTES {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System::alloc`.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            let held = HELD_BYTES.fetch_add(layout.size(), Ordering::Relaxed).saturating_add(layout.size());
            PEAK_BYTES.fetch_max(held, Ordering::Relaxed);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller says that `block` came from `alloc` with this layout, and so from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What was allocated between two moments.
pub struct Span {
    held_bytes: usize,
    allocations: usize,
}

impl Span {
    /// Starts counting.
    pub fn start() -> Self {
        let held_bytes = HELD_BYTES.load(Ordering::Relaxed);
        PEAK_BYTES.store(held_bytes, Ordering::Relaxed);
        Self { held_bytes, allocations: ALLOCATIONS.load(Ordering::Relaxed) }
    }

    /// Most bytes held at one time since the start, beyond those held at the start.
    pub fn peak_bytes(&self) -> usize {
        PEAK_BYTES.load(Ordering::Relaxed).saturating_sub(self.held_bytes)
    }

    /// Number of allocations since the start.
    pub fn allocations(&self) -> usize {
        ALLOCATIONS.load(Ordering::Relaxed).wrapping_sub(self.allocations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_given_back_shows_in_the_peak() {
        let span = Span::start();
        drop(std::hint::black_box(vec![1_u8; 8 << 20]));
        // Other tests allocate beside this one: the peak is at least ours.
        assert!(span.peak_bytes() >= 8 << 20);
        assert!(span.allocations() >= 1);
    }

    #[test]
    fn a_request_for_more_than_the_machine_should_give_is_refused() {
        let mut vector: Vec<u8> = Vec::new();
        assert!(vector.try_reserve_exact(LARGEST_BYTES + 1).is_err());
    }
}
