//! Keys and values of one layer, as attention wants them.

use std::ops::Range;

use lightbox_host::Arena;

use crate::backend::{Backend, Parts, Scratch, Shared, share};
use crate::error::{Error, Result, expect_len, product, whole_rows};
use crate::lanes::{Lanes, WIDTH};

/// Keys of a block: attention walks the cache in blocks at absolute positions that are multiples of this.
pub const KEY_BLOCK: usize = 64;

/// Memory is taken in pieces of about this size, as positions come.
const SLAB_BYTES: usize = 4 << 20;

/// Keys and values of one layer: f32, a ring over absolute positions, opaque.
///
/// Positions are stored in order, from 0 on. Of what was stored, the last [`KvCache::capacity`] positions are held.
/// Memory grows with the positions stored, up to the capacity.
#[derive(Debug)]
pub struct KvCache {
    layout: Layout,
    /// `[block of the ring][kv_head]` and then the keys `[panel][head_dim][16]` and the values
    /// `[chunk of 16 dimensions][64 keys][16]`; a slab holds `slab_blocks` blocks.
    slabs: Vec<Arena>,
    /// One past the last position stored.
    end: usize,
    /// One past the last position that was overwritten by one that lies a capacity later.
    lost: usize,
}

#[derive(Clone, Copy, Debug)]
struct Layout {
    n_kv_heads: usize,
    head_dim: usize,
    /// `head_dim` rounded up to whole chunks.
    padded_dim: usize,
    /// Blocks of the ring.
    n_blocks: usize,
    slab_blocks: usize,
}

const OP: &str = "key/value cache";

impl KvCache {
    /// Room for the last `capacity` positions, rounded up to whole blocks of [`KEY_BLOCK`]. Takes no memory yet.
    ///
    /// A layer with a sliding window of `w` positions that is fed chunks of up to `n` rows needs `w - 1 + n`.
    ///
    /// # Errors
    /// A size of zero, or one that no address space holds.
    pub fn new(n_kv_heads: usize, head_dim: usize, capacity: usize) -> Result<Self> {
        if n_kv_heads == 0 || head_dim == 0 || capacity == 0 {
            let message =
                format!("{n_kv_heads} heads × head_dim {head_dim} × {capacity} positions hold nothing");
            return Err(Error::shape(OP, message));
        }
        let dims = [("heads", n_kv_heads), ("head_dim", head_dim), ("positions", capacity)];
        // Leaves room for rounding up (a head of one value is padded to sixteen) and for keys beside values.
        if product(OP, &dims)? > usize::MAX / 64 || product(OP, &dims[..2])? > usize::MAX / (128 * KEY_BLOCK)
        {
            return Err(Error::shape(OP, format!("{dims:?} are more than memory can be")));
        }
        let mut layout = Layout {
            n_kv_heads,
            head_dim,
            padded_dim: head_dim.next_multiple_of(WIDTH),
            n_blocks: capacity.div_ceil(KEY_BLOCK),
            slab_blocks: 1,
        };
        layout.slab_blocks = (SLAB_BYTES / (4 * layout.block_len())).clamp(1, layout.n_blocks);
        Ok(Self { layout, slabs: Vec::new(), end: 0, lost: 0 })
    }

    /// Heads of keys and values.
    #[must_use]
    pub fn n_kv_heads(&self) -> usize {
        self.layout.n_kv_heads
    }

    /// Values of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.layout.head_dim
    }

    /// Positions that are held at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.layout.n_blocks * KEY_BLOCK
    }

    /// Positions stored so far, which is the position that comes next.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Positions that can be attended to.
    #[must_use]
    pub fn held(&self) -> Range<usize> {
        self.lost..self.end
    }

    /// Bytes reserved so far.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.slabs.iter().map(Arena::len).sum()
    }

    /// Bytes that are reserved once `n_positions` are stored in a cache of these sizes; `None` if that overflows.
    #[must_use]
    pub fn bytes_for(
        n_kv_heads: usize,
        head_dim: usize,
        capacity: usize,
        n_positions: usize,
    ) -> Option<usize> {
        let layout = Self::new(n_kv_heads, head_dim, capacity).ok()?.layout;
        let blocks =
            n_positions.div_ceil(KEY_BLOCK).next_multiple_of(layout.slab_blocks).min(layout.n_blocks);
        blocks.checked_mul(4 * layout.block_len())
    }

    /// Forgets all positions; the next one is 0. Memory is kept.
    pub fn clear(&mut self) {
        self.end = 0;
        self.lost = 0;
    }

    /// Forgets the positions from `len` on; `len` is the one that comes next. Positions that were overwritten by
    /// them do not come back: a layer with a sliding window must have held more than its window and what is forgotten.
    ///
    /// # Errors
    /// A length that is more than [`KvCache::len`]; nothing is then forgotten.
    pub fn truncate(&mut self, len: usize) -> Result<()> {
        if len > self.end {
            let message = format!("{len} positions were to be kept, {} are stored", self.end);
            return Err(Error::shape(OP, message));
        }
        self.end = len;
        self.lost = self.lost.min(len);
        Ok(())
    }

    /// Stores keys and values of the next positions, on the caller's thread: see [`Backend::store`].
    ///
    /// # Errors
    /// As [`Backend::store`].
    pub fn store(&mut self, k: &[f32], v: &[f32], first_position: usize) -> Result<()> {
        let n = self.prepare(k, v, first_position)?;
        let rows = self.rows(k, v, first_position, n);
        // SAFETY: one call writes everything.
        unsafe { rows.write(0..rows.n_panels()) };
        self.advance(n);
        Ok(())
    }

    /// Counts `n` positions that were stored.
    fn advance(&mut self, n: usize) {
        self.end += n;
        self.lost = self.lost.max(self.end.saturating_sub(self.capacity()));
    }

    /// Checks what is to be stored and reserves its memory; returns the number of positions.
    fn prepare(&mut self, k: &[f32], v: &[f32], first_position: usize) -> Result<usize> {
        let Layout { n_kv_heads, head_dim, n_blocks, slab_blocks, .. } = self.layout;
        let n = whole_rows(OP, "keys", k.len(), ("heads × head_dim", n_kv_heads * head_dim))?;
        let dims = [("positions", n), ("heads", n_kv_heads), ("head_dim", head_dim)];
        expect_len(OP, "values", v.len(), &dims)?;
        if first_position != self.end {
            let message = format!("position {first_position} was given, position {} comes next", self.end);
            return Err(Error::shape(OP, message));
        }
        if n > self.capacity() {
            let message = format!("{n} positions at once do not fit a capacity of {}", self.capacity());
            return Err(Error::shape(OP, message).hint("feed smaller chunks"));
        }
        let end = first_position
            .checked_add(n)
            .ok_or_else(|| Error::shape(OP, format!("position {first_position} + {n} is too large")))?;
        let blocks = end.div_ceil(KEY_BLOCK).min(n_blocks);
        while self.slabs.len() * slab_blocks < blocks {
            let first = self.slabs.len() * slab_blocks;
            let len = (slab_blocks.min(n_blocks - first)).saturating_mul(4 * self.layout.block_len());
            self.slabs.push(Arena::zeroed(len)?);
        }
        Ok(n)
    }

    fn rows<'a>(&'a mut self, k: &'a [f32], v: &'a [f32], first: usize, n: usize) -> Rows<'a> {
        let slabs = self.slabs.iter_mut().map(|slab| Shared::new(slab.as_f32_mut())).collect();
        Rows { layout: self.layout, slabs, k, v, positions: first..first + n }
    }

    /// Keys `[panel][head_dim][16]` and values `[chunk][64][16]` of one head and one block at absolute position
    /// `64 · block`, part of which must be held. Places that are not held have other positions' values.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize, kv_head: usize) -> (&[f32], &[f32]) {
        let (slab, at) = self.layout.place(block, kv_head);
        let head = &self.slabs[slab].as_f32()[at..at + self.layout.head_len()];
        head.split_at(KEY_BLOCK * self.layout.head_dim)
    }

    pub(crate) fn padded_dim(&self) -> usize {
        self.layout.padded_dim
    }
}

impl Layout {
    /// Values of one head in one block.
    #[inline(always)]
    fn head_len(&self) -> usize {
        KEY_BLOCK * (self.head_dim + self.padded_dim)
    }

    fn block_len(&self) -> usize {
        self.n_kv_heads * self.head_len()
    }

    /// Slab, and place in it, of one head of the block at absolute position `64 · block`.
    #[inline(always)]
    fn place(&self, block: usize, kv_head: usize) -> (usize, usize) {
        let slot = block % self.n_blocks;
        (slot / self.slab_blocks, slot % self.slab_blocks * self.block_len() + kv_head * self.head_len())
    }
}

/// Keys and values on their way into a cache.
struct Rows<'a> {
    layout: Layout,
    slabs: Vec<Shared<'a>>,
    /// `[positions, kv_heads, head_dim]`
    k: &'a [f32],
    /// `[positions, kv_heads, head_dim]`
    v: &'a [f32],
    positions: Range<usize>,
}

impl Rows<'_> {
    /// Whether the first and the last panel have the same place in the ring.
    fn meets_itself(&self) -> bool {
        self.n_panels() > self.layout.n_blocks * (KEY_BLOCK / WIDTH)
    }

    /// Panels of sixteen absolute positions that are touched.
    fn n_panels(&self) -> usize {
        self.positions.end.div_ceil(WIDTH) - self.positions.start / WIDTH
    }

    /// Writes panels `which` of those that are touched.
    ///
    /// # Safety
    /// No other call writes the same panels.
    unsafe fn write(&self, which: Range<usize>) {
        let Layout { n_kv_heads, head_dim, padded_dim, .. } = self.layout;
        for panel in which.start + self.positions.start / WIDTH..which.end + self.positions.start / WIDTH {
            let (block, panel_in_block) = (panel * WIDTH / KEY_BLOCK, panel % (KEY_BLOCK / WIDTH));
            let positions =
                (panel * WIDTH).max(self.positions.start)..(panel * WIDTH + WIDTH).min(self.positions.end);
            for head in 0..n_kv_heads {
                let (slab, at) = self.layout.place(block, head);
                let row = |position: usize| {
                    let at = ((position - self.positions.start) * n_kv_heads + head) * head_dim;
                    at..at + head_dim
                };
                // SAFETY: heads, and panels of distinct places in the ring, are disjoint memory. Panels of one call have
                // distinct places, except that the first and the last one share theirs where the ring is filled
                // completely from within a panel; slices of the one are gone before those of the other are made,
                // and `Backend::store` leaves such a call to one thread. The caller promises the rest.
                unsafe {
                    let keys = at + panel_in_block * head_dim * WIDTH;
                    let keys = self.slabs[slab].range_mut(keys, head_dim * WIDTH).as_chunks_mut::<WIDTH>().0;
                    for position in positions.clone() {
                        for (to, from) in keys.iter_mut().zip(&self.k[row(position)]) {
                            to[position % WIDTH] = *from;
                        }
                    }
                    for chunk in 0..padded_dim / WIDTH {
                        let values =
                            at + KEY_BLOCK * head_dim + (chunk * KEY_BLOCK + panel_in_block * WIDTH) * WIDTH;
                        let values =
                            self.slabs[slab].range_mut(values, WIDTH * WIDTH).as_chunks_mut::<WIDTH>().0;
                        for position in positions.clone() {
                            let from = &self.v[row(position)][chunk * WIDTH..];
                            let n = from.len().min(WIDTH);
                            values[position % WIDTH][..n].copy_from_slice(&from[..n]);
                        }
                    }
                }
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

impl Backend {
    /// Stores keys and values of the next positions.
    ///
    /// `k` and `v` are `[n, n_kv_heads, head_dim]`, row-major; `first_position` is that of their first row and must be
    /// the one that comes next (0 in an empty cache).
    ///
    /// # Errors
    /// Lengths that do not fit, a position out of order, more rows than the capacity, or memory that the machine
    /// refuses; the cache is then unchanged.
    pub fn store(&self, cache: &mut KvCache, k: &[f32], v: &[f32], first_position: usize) -> Result<()> {
        let n = cache.prepare(k, v, first_position)?;
        let rows = cache.rows(k, v, first_position, n);
        let work = if rows.meets_itself() { 0 } else { k.len() }; // too little for more than one thread
        self.parallel(work, 0, &rows)?;
        cache.advance(n);
        Ok(())
    }
}
