//! Pages of keys and values: reference-counted, taken from slabs of huge pages, given back when the last user goes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lightbox_host::Arena;

use super::{KEY_BLOCK, KvDtype, OP};
use crate::error::{Error, Result, product};
use crate::lanes::WIDTH;
use crate::tile::{Bf16, F16};

/// Memory is taken in slabs of about this size.
const SLAB_BYTES: usize = 4 << 20;

/// Pages of a slab at most: one bit each says which are taken.
const MOST_PAGES: usize = 64;

/// Sizes of a page, and where things lie in it.
///
/// A page holds, for each head, the keys `[panel][head_dim][16 keys]`, the values `[chunk of 16 dimensions][64 keys]
/// [16]`, and in Q8 the scales of the 64 keys and those of the 64 values. Sixteen bf16 numbers that lie side by side do
/// so in the order of `bf16_slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub n_kv_heads: usize,
    pub head_dim: usize,
    /// `head_dim` rounded up to whole chunks.
    pub padded_dim: usize,
    pub dtype: KvDtype,
}

impl Layout {
    fn new(n_kv_heads: usize, head_dim: usize, dtype: KvDtype) -> Result<Self> {
        if n_kv_heads == 0 || head_dim == 0 {
            return Err(Error::shape(OP, format!("{n_kv_heads} heads × head_dim {head_dim} hold nothing")));
        }
        let dims = [("heads", n_kv_heads), ("head_dim", head_dim)];
        // Leaves room for rounding up (a head of one value is padded to sixteen), and for values beside keys.
        if product(OP, &dims)? > isize::MAX as usize / (256 * KEY_BLOCK) {
            return Err(Error::shape(OP, format!("{dims:?} are more than memory can be")));
        }
        Ok(Self { n_kv_heads, head_dim, padded_dim: head_dim.next_multiple_of(WIDTH), dtype })
    }

    /// Keys of one head, in numbers.
    #[inline(always)]
    pub fn keys_len(&self) -> usize {
        KEY_BLOCK * self.head_dim
    }

    /// Values of one head, in numbers.
    #[inline(always)]
    pub fn values_len(&self) -> usize {
        KEY_BLOCK * self.padded_dim
    }

    #[inline(always)]
    fn scales_bytes(&self) -> usize {
        if self.dtype == KvDtype::Q8 { 2 * KEY_BLOCK * 4 } else { 0 }
    }

    /// Bytes of one head; a multiple of a cache line, because 64 numbers are.
    #[inline(always)]
    pub fn head_bytes(&self) -> usize {
        (self.keys_len() + self.values_len()) * self.dtype.bytes() + self.scales_bytes()
    }

    pub fn page_bytes(&self) -> usize {
        self.n_kv_heads * self.head_bytes()
    }
}

/// Keys or values of one head of one page.
#[derive(Clone, Copy)]
pub(crate) enum Stretch<'a> {
    F32(&'a [f32]),
    Bf16(&'a [Bf16]),
    F16(&'a [F16]),
    /// Numbers, and a scale for each of the 64 positions.
    Q8(&'a [i8], &'a [f32]),
}

/// Memory of pages of one size, shared by all that hold a clone: a page goes back to it when the last cache and the last
/// [`KvPage`] that hold it are gone, and memory of which no page is held is returned to the system.
#[derive(Clone)]
pub struct KvPool {
    layout: Layout,
    slabs: Arc<Mutex<Vec<Weak<Slab>>>>,
}

impl KvPool {
    /// For keys and values of these sizes. Takes no memory yet.
    ///
    /// # Errors
    /// A size of zero, or one that no address space holds.
    pub fn new(n_kv_heads: usize, head_dim: usize, dtype: KvDtype) -> Result<Self> {
        Ok(Self { layout: Layout::new(n_kv_heads, head_dim, dtype)?, slabs: Arc::default() })
    }

    /// Bytes of a page: keys and values of [`KEY_BLOCK`] positions of one layer.
    #[must_use]
    pub fn page_bytes(&self) -> usize {
        self.layout.page_bytes()
    }

    /// The type that numbers are stored in.
    #[must_use]
    pub fn dtype(&self) -> KvDtype {
        self.layout.dtype
    }

    /// A page from the bytes of one ([`KvPage::bytes`]) of a pool of the same sizes and type.
    ///
    /// # Errors
    /// Another number of bytes than a page has, or memory that the machine refuses.
    pub fn page(&self, bytes: &[u8]) -> Result<KvPage> {
        if bytes.len() != self.page_bytes() {
            let message = format!("{} bytes were given for a page of {}", bytes.len(), self.page_bytes());
            return Err(Error::shape(OP, message));
        }
        let page = self.take()?;
        // SAFETY: a page has `page_bytes` bytes, and nobody else knows of this one yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), page.start(), bytes.len()) };
        Ok(KvPage(Arc::new(page)))
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// A page of its own. What an earlier user of the same pool left in it is still there, except that the padding of
    /// the last dimensions is zero always, because nobody writes it.
    pub(super) fn take(&self) -> Result<Page> {
        let mut slabs = self.slabs.lock().unwrap_or_else(PoisonError::into_inner);
        slabs.retain(|slab| slab.strong_count() > 0);
        for slab in slabs.iter().rev().filter_map(Weak::upgrade) {
            if let Some(slot) = slab.take() {
                return Ok(Page { slab, slot, layout: self.layout });
            }
        }
        let page_bytes = self.page_bytes();
        let n_pages = (SLAB_BYTES / page_bytes).clamp(1, MOST_PAGES);
        let mut arena = Arena::zeroed(n_pages * page_bytes)?;
        let start = arena.as_f32_mut().as_mut_ptr().cast::<u8>();
        let slab = Arc::new(Slab { start, page_bytes, n_pages, taken: AtomicU64::new(1), _arena: arena });
        slabs.push(Arc::downgrade(&slab));
        Ok(Page { slab, slot: 0, layout: self.layout })
    }
}

impl fmt::Debug for KvPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KvPool({:?})", self.layout)
    }
}

/// Memory of a few pages.
struct Slab {
    start: *mut u8,
    page_bytes: usize,
    n_pages: usize,
    /// Which pages are taken, one bit each.
    taken: AtomicU64,
    /// Owns what `start` points to.
    _arena: Arena,
}

// SAFETY: the memory belongs to the slab as it would to a Vec; who may touch which page of it is ruled by `Page`.
unsafe impl Send for Slab {}
// SAFETY: as above; `taken` is atomic and the rest is never changed.
unsafe impl Sync for Slab {}

impl Slab {
    /// Takes a free page, if there is one. Only called under the pool's lock; others may give back meanwhile.
    fn take(&self) -> Option<usize> {
        let slot = self.taken.load(Ordering::Acquire).trailing_ones() as usize;
        (slot < self.n_pages).then(|| {
            self.taken.fetch_or(1 << slot, Ordering::AcqRel);
            slot
        })
    }
}

/// A page: read by all that share it, written by who holds it alone.
pub(super) struct Page {
    slab: Arc<Slab>,
    slot: usize,
    layout: Layout,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.slab.taken.fetch_and(!(1 << self.slot), Ordering::AcqRel);
    }
}

impl Page {
    /// Its first byte, at a multiple of a cache line.
    #[inline(always)]
    pub fn start(&self) -> *mut u8 {
        self.slab.start.wrapping_add(self.slot * self.slab.page_bytes)
    }

    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the page is initialised memory of this length (zeroed at first), and as long as it is borrowed nobody
        // writes it: writing takes an exclusive reference to the only Arc (`KvCache::writable`).
        unsafe { std::slice::from_raw_parts(self.start(), self.slab.page_bytes) }
    }

    /// Keys and values of one head.
    #[inline(always)]
    pub fn head(&self, head: usize) -> (Stretch<'_>, Stretch<'_>) {
        let Layout { dtype, .. } = self.layout;
        let (n_keys, n_values) = (self.layout.keys_len(), self.layout.values_len());
        let at = head * self.layout.head_bytes();
        let bytes = &self.bytes()[at..at + self.layout.head_bytes()];
        let (keys, rest) = bytes.split_at(n_keys * dtype.bytes());
        let (values, scales) = rest.split_at(n_values * dtype.bytes());
        // SAFETY: heads start at cache lines, keys and values have a multiple of 64 numbers, so each stretch is aligned
        // for its numbers; its length is that of the bytes, and every bit pattern is a number of each type.
        unsafe {
            match dtype {
                KvDtype::F32 => (Stretch::F32(cast(keys)), Stretch::F32(cast(values))),
                KvDtype::Bf16 => (Stretch::Bf16(cast(keys)), Stretch::Bf16(cast(values))),
                KvDtype::F16 => (Stretch::F16(cast(keys)), Stretch::F16(cast(values))),
                KvDtype::Q8 => {
                    let (of_keys, of_values) = cast::<f32>(scales).split_at(KEY_BLOCK);
                    (Stretch::Q8(cast(keys), of_keys), Stretch::Q8(cast(values), of_values))
                }
            }
        }
    }
}

/// # Safety
/// `bytes` are aligned for T, of which every bit pattern is a value.
#[inline(always)]
unsafe fn cast<T>(bytes: &[u8]) -> &[T] {
    // SAFETY: as the caller promises; the length is rounded down.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), bytes.len() / size_of::<T>()) }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} bytes)", self.slab.page_bytes)
    }
}

/// Keys and values of [`KEY_BLOCK`] positions of one layer, which any number of caches may share.
#[derive(Clone, Debug)]
pub struct KvPage(pub(super) Arc<Page>);

impl KvPage {
    /// The page as bytes: numbers of the machine's own byte order, in an order of this version of the room.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    pub(super) fn layout(&self) -> Layout {
        self.0.layout
    }
}
