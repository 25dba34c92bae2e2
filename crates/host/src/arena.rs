//! Zeroed anonymous memory that asks for huge pages.

use std::fmt;
use std::ptr::NonNull;

use crate::error::{Error, Result};

/// Size and alignment of a huge page on the machines this is made for.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// A block of zeroed memory of its own, given back to the operating system when dropped.
///
/// Blocks of 2 MiB and more start at a multiple of 2 MiB and ask for huge pages (reading weights
/// is 12 to 45 % faster so); smaller ones start at a page. Pages are taken when first written.
/// Huge pages apply to anonymous memory only, which is why weights are copied here and not mapped.
pub struct Arena {
    start: NonNull<u8>,
    len_bytes: usize,
    /// What was reserved: `len_bytes` rounded up to whole pages.
    reserved_bytes: usize,
}

// SAFETY: an `Arena` owns its memory like a `Vec<u8>` does; nothing in it belongs to a thread.
unsafe impl Send for Arena {}
// SAFETY: shared access only reads (`&self` methods give shared slices).
unsafe impl Sync for Arena {}

impl Arena {
    /// Reserves `len_bytes` zeroed bytes.
    ///
    /// # Errors
    /// If the size overflows or the operating system refuses; nothing is aborted.
    pub fn zeroed(len_bytes: usize) -> Result<Self> {
        if len_bytes == 0 {
            // Aligned for every view below, and never read: all slices of it are empty.
            let start = NonNull::without_provenance(
                std::num::NonZeroUsize::new(HUGE_PAGE_BYTES).expect("a huge page is not empty"),
            );
            return Ok(Self { start, len_bytes: 0, reserved_bytes: 0 });
        }
        if len_bytes > isize::MAX as usize - 2 * HUGE_PAGE_BYTES {
            return Err(refused(len_bytes, "more than an address space holds"));
        }
        let unit = if len_bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { system::SMALL_UNIT_BYTES };
        let reserved_bytes = len_bytes.next_multiple_of(unit);
        let start = system::reserve(reserved_bytes, unit).map_err(|why| refused(len_bytes, &why))?;
        Ok(Self { start, len_bytes, reserved_bytes })
    }

    /// Length in bytes, as asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len_bytes
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len_bytes == 0
    }

    /// Its start, which is aligned to a page at least and so to every number.
    fn start<T>(&self) -> *mut T {
        self.start.as_ptr().cast()
    }

    /// The whole as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the memory is initialised (zeroed) for `len_bytes` and owned by `self`.
        unsafe { std::slice::from_raw_parts(self.start::<u8>(), self.len_bytes) }
    }

    /// The whole as bytes, to be written.
    #[must_use]
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as `as_bytes`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start::<u8>(), self.len_bytes) }
    }

    /// The whole as f32 values (a rest of fewer than four bytes is left out).
    #[must_use]
    pub fn as_f32(&self) -> &[f32] {
        // SAFETY: the memory is aligned to a page at least, initialised (zeroed) for `len_bytes`,
        // owned by `self`, and every bit pattern is an f32.
        unsafe { std::slice::from_raw_parts(self.start::<f32>(), self.len_bytes / 4) }
    }

    /// The whole as f32 values, to be written.
    #[must_use]
    pub fn as_f32_mut(&mut self) -> &mut [f32] {
        // SAFETY: as `as_f32`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start::<f32>(), self.len_bytes / 4) }
    }

    /// The whole as u16 values (a rest of one byte is left out).
    #[must_use]
    pub fn as_u16(&self) -> &[u16] {
        // SAFETY: as `as_f32`; every bit pattern is a u16.
        unsafe { std::slice::from_raw_parts(self.start::<u16>(), self.len_bytes / 2) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if self.reserved_bytes > 0 {
            system::release(self.start, self.reserved_bytes);
        }
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} bytes)", self.len_bytes)
    }
}

fn refused(len_bytes: usize, why: &str) -> Error {
    Error::new(format!(
        "cannot reserve {:.1} MiB of memory: {why}; close other programs, or use a smaller model or context",
        len_bytes as f64 / 1_048_576.0
    ))
}

#[cfg(unix)]
mod system {
    use std::ptr::NonNull;

    /// A multiple of the page size of every system supported (Apple and some arm64 use 16 KiB, a few 64 KiB).
    pub const SMALL_UNIT_BYTES: usize = 64 << 10;

    /// Reserves `bytes` (a multiple of `unit`), aligned to `unit` where that is a huge page.
    pub fn reserve(bytes: usize, unit: usize) -> Result<NonNull<u8>, String> {
        let huge = unit > SMALL_UNIT_BYTES;
        let asked = if huge { bytes + unit } else { bytes };
        // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                asked,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error().to_string());
        }
        let base = base.cast::<u8>();
        let mut start = base;
        if huge {
            let head = base.align_offset(unit).min(unit);
            let tail = unit - head;
            // SAFETY: `head` ≤ `unit`, so `start .. start + bytes` lies inside the mapping of
            // `bytes + unit`; what is cut off before and after it is ours, page aligned (the kernel
            // gives page-aligned addresses, `unit` and `bytes` are multiples of a page) and unused.
            unsafe {
                start = base.add(head);
                if head > 0 {
                    libc::munmap(base.cast(), head);
                }
                if tail > 0 {
                    libc::munmap(start.add(bytes).cast(), tail);
                }
            }
            #[cfg(target_os = "linux")]
            // SAFETY: advice about a range that we own; a refusal only means small pages.
            unsafe {
                libc::madvise(start.cast(), bytes, libc::MADV_HUGEPAGE);
            }
        }
        NonNull::new(start).ok_or_else(|| "the system gave a null address".to_owned())
    }

    /// Gives back what `reserve` gave.
    pub fn release(start: NonNull<u8>, bytes: usize) {
        // SAFETY: called once, from `Drop`, with the range of one `reserve`; no slice of it is alive.
        unsafe {
            libc::munmap(start.as_ptr().cast(), bytes);
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::ptr::NonNull;

    pub const SMALL_UNIT_BYTES: usize = 4096;

    fn layout(bytes: usize) -> Option<Layout> {
        Layout::from_size_align(bytes, SMALL_UNIT_BYTES).ok()
    }

    pub fn reserve(bytes: usize, _unit: usize) -> Result<NonNull<u8>, String> {
        let layout = layout(bytes).ok_or_else(|| "the size is not valid".to_owned())?;
        // SAFETY: `bytes` is not zero (the caller handles the empty arena).
        NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(|| "the allocator refused".to_owned())
    }

    pub fn release(start: NonNull<u8>, bytes: usize) {
        if let Some(layout) = layout(bytes) {
            // SAFETY: `start` came from `alloc_zeroed` with the same layout, and is given back once.
            unsafe { dealloc(start.as_ptr(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_aligned_and_writable_at_every_size() {
        for len_bytes in [1, 4096, 100_000, HUGE_PAGE_BYTES, HUGE_PAGE_BYTES + 4, 5_000_000] {
            let mut arena = Arena::zeroed(len_bytes).expect("small enough for any machine");
            assert_eq!(arena.len(), len_bytes);
            assert!(arena.as_u16().iter().all(|&v| v == 0));
            let unit = if len_bytes >= HUGE_PAGE_BYTES && cfg!(unix) { HUGE_PAGE_BYTES } else { 4096 };
            assert_eq!(arena.as_f32().as_ptr().addr() % unit, 0, "{len_bytes} bytes");
            arena.as_f32_mut().fill(1.5);
            assert!(arena.as_f32().iter().all(|&v| v == 1.5));
            assert_eq!(arena.as_bytes().len(), len_bytes);
            arena.as_bytes_mut().fill(0xff);
            assert!(arena.as_u16().iter().all(|&v| v == 0xffff));
        }
    }

    #[test]
    fn an_empty_arena_has_empty_views() {
        let mut arena = Arena::zeroed(0).expect("nothing is always there");
        assert!(arena.is_empty() && arena.as_f32_mut().is_empty() && arena.as_u16().is_empty());
    }

    #[test]
    fn a_refused_size_is_an_error_that_says_how_much() {
        for len_bytes in [usize::MAX, isize::MAX as usize, 1 << 60] {
            let message = Arena::zeroed(len_bytes).expect_err("no machine has this").to_string();
            assert!(message.contains("MiB"), "{message}");
        }
    }
}
