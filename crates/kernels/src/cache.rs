//! Keys and values of one layer, as attention wants them.

mod dtype;
mod pages;
mod write;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::backend::Backend;
use crate::error::{Error, Result, expect_len, whole_rows};
use pages::Page;
use write::{PagePtr, Rows};

pub use dtype::KvDtype;
pub use pages::{KvPage, KvPool};
pub(crate) use pages::{Layout, Stretch};

/// Keys of a page: attention walks the cache in blocks at absolute positions that are multiples of this.
pub const KEY_BLOCK: usize = 64;

/// Keys and values of one layer: pages of [`KEY_BLOCK`] absolute positions, opaque.
///
/// Positions are stored in order, from 0 on. Of what was stored, the last [`KvCache::capacity`] positions are held.
/// Memory grows with the positions stored, up to the capacity and one page. Pages may be shared with other caches
/// ([`KvCache::page`], [`KvCache::resume`]); a page is copied before a cache writes what another one holds too.
#[derive(Debug)]
pub struct KvCache {
    pool: KvPool,
    /// Blocks that the capacity spans.
    n_blocks: usize,
    /// Pages of consecutive blocks.
    pages: VecDeque<Arc<Page>>,
    /// The block of the first page.
    first_block: usize,
    /// Pages that were given up and belong to nobody else.
    spare: Vec<Arc<Page>>,
    /// One past the last position stored.
    end: usize,
    /// One past the last position that is no longer held.
    lost: usize,
}

const OP: &str = "key/value cache";

impl KvCache {
    /// Room in f32 for the last `capacity` positions, rounded up to whole blocks of [`KEY_BLOCK`]. Takes no memory yet.
    ///
    /// A layer with a sliding window of `w` positions that is fed chunks of up to `n` rows needs `w - 1 + n`.
    ///
    /// # Errors
    /// A size of zero, or one that no address space holds.
    pub fn new(n_kv_heads: usize, head_dim: usize, capacity: usize) -> Result<Self> {
        Self::in_pool(&KvPool::new(n_kv_heads, head_dim, KvDtype::F32)?, capacity)
    }

    /// As [`KvCache::new`], with the sizes, the type and the memory of a pool.
    ///
    /// # Errors
    /// As [`KvCache::new`].
    pub fn in_pool(pool: &KvPool, capacity: usize) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::shape(OP, "0 positions hold nothing"));
        }
        let n_blocks = capacity.div_ceil(KEY_BLOCK);
        if n_blocks > isize::MAX as usize / pool.page_bytes() - 1 {
            return Err(Error::shape(OP, format!("{capacity} positions are more than memory can be")));
        }
        Ok(Self {
            pool: pool.clone(),
            n_blocks,
            pages: VecDeque::new(),
            first_block: 0,
            spare: Vec::new(),
            end: 0,
            lost: 0,
        })
    }

    /// Heads of keys and values.
    #[must_use]
    pub fn n_kv_heads(&self) -> usize {
        self.layout().n_kv_heads
    }

    /// Values of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.layout().head_dim
    }

    /// The type that numbers are stored in.
    #[must_use]
    pub fn dtype(&self) -> KvDtype {
        self.layout().dtype
    }

    /// Positions that are held at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.n_blocks * KEY_BLOCK
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

    /// Bytes of pages that are held, those shared with others included.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        (self.pages.len() + self.spare.len()) * self.pool.page_bytes()
    }

    /// Bytes that are held at most until `n_positions` are stored in a cache of these sizes, one at a time or many;
    /// `None` if that overflows.
    #[must_use]
    pub fn bytes_for(pool: &KvPool, capacity: usize, n_positions: usize) -> Option<usize> {
        let n_blocks = Self::in_pool(pool, capacity).ok()?.n_blocks;
        n_positions.div_ceil(KEY_BLOCK).min(n_blocks + 1).checked_mul(pool.page_bytes())
    }

    /// Forgets all positions; the next one is 0. Memory is kept.
    pub fn clear(&mut self) {
        while let Some(page) = self.pages.pop_back() {
            self.give_up(page);
        }
        (self.first_block, self.end, self.lost) = (0, 0, 0);
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
        while self.first_block + self.pages.len() > len.div_ceil(KEY_BLOCK) {
            let Some(page) = self.pages.pop_back() else { break };
            self.give_up(page);
        }
        if self.pages.is_empty() {
            self.first_block = len / KEY_BLOCK;
        }
        Ok(())
    }

    /// The page of the positions from `64 · block` on, if the first of them is held. Places of positions that are not
    /// stored yet hold whatever was there.
    #[must_use]
    pub fn page(&self, block: usize) -> Option<KvPage> {
        let held = self.held().contains(&block.checked_mul(KEY_BLOCK)?);
        held.then(|| KvPage(Arc::clone(&self.pages[block - self.first_block])))
    }

    /// Takes over pages of consecutive blocks, the first of which is `first_block`, in place of all that is held; the
    /// position after them comes next ([`KvCache::truncate`] if the last one is not filled). They stay shared until
    /// someone writes.
    ///
    /// # Errors
    /// No pages, pages of other sizes or another type, or more than the capacity and one; nothing is then changed.
    pub fn resume(&mut self, first_block: usize, pages: &[KvPage]) -> Result<()> {
        let most = self.n_blocks + 1; // a window may begin within a page
        if pages.is_empty() || pages.len() > most {
            let message = format!("{} pages were given to go on from, expected 1 to {most}", pages.len());
            return Err(Error::shape(OP, message));
        }
        if let Some(page) = pages.iter().find(|page| page.layout() != self.layout()) {
            let message = format!("a page of {:?} was given, expected {:?}", page.layout(), self.layout());
            return Err(Error::shape(OP, message));
        }
        let end = first_block.checked_add(pages.len()).and_then(|blocks| blocks.checked_mul(KEY_BLOCK));
        let end = end.ok_or_else(|| Error::shape(OP, format!("block {first_block} is too far")))?;
        self.clear();
        self.pages.extend(pages.iter().map(|page| Arc::clone(&page.0)));
        (self.first_block, self.lost, self.end) = (first_block, first_block * KEY_BLOCK, end);
        Ok(())
    }

    /// Stores keys and values of the next positions, on the caller's thread: see [`Backend::store`].
    ///
    /// # Errors
    /// As [`Backend::store`].
    pub fn store(&mut self, k: &[f32], v: &[f32], first_position: usize) -> Result<()> {
        let rows = self.prepare(k, v, first_position)?;
        // SAFETY: one call writes everything.
        unsafe { rows.write(0..rows.n_panels()) };
        self.finish(&rows)
    }

    /// Checks what is to be stored and makes room for it, giving up pages that will lie a capacity back.
    fn prepare<'a>(&mut self, k: &'a [f32], v: &'a [f32], first_position: usize) -> Result<Rows<'a>> {
        let Layout { n_kv_heads, head_dim, .. } = self.layout();
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
        self.lost = self.lost.max(end.saturating_sub(self.capacity()));
        while self.first_block < self.lost / KEY_BLOCK {
            let Some(page) = self.pages.pop_front() else { break };
            self.first_block += 1;
            self.give_up(page);
        }
        let pages = (first_position / KEY_BLOCK..end.div_ceil(KEY_BLOCK))
            .map(|block| self.writable(block))
            .collect::<Result<_>>()?;
        Ok(Rows {
            layout: self.layout(),
            pages,
            k,
            v,
            positions: first_position..end,
            refused: Mutex::new(None),
        })
    }

    /// The page of a block, for this cache alone; made where there is none yet, copied where others hold it too.
    fn writable(&mut self, block: usize) -> Result<PagePtr> {
        let at = block - self.first_block;
        if at == self.pages.len() {
            let page = match self.spare.pop() {
                Some(page) => page,
                None => Arc::new(self.pool.take()?),
            };
            self.pages.push_back(page);
        }
        if Arc::get_mut(&mut self.pages[at]).is_none() {
            let copy = self.pool.take()?;
            let from = self.pages[at].bytes();
            // SAFETY: both pages have this many bytes, and nobody else knows of the copy yet.
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), copy.start(), from.len()) };
            self.pages[at] = Arc::new(copy);
        }
        Ok(PagePtr(self.pages[at].start()))
    }

    /// Counts what was written.
    fn finish(&mut self, rows: &Rows<'_>) -> Result<()> {
        rows.verdict()?;
        self.end = rows.positions.end;
        Ok(())
    }

    /// Keeps a page for later if nobody else holds it.
    fn give_up(&mut self, mut page: Arc<Page>) {
        if Arc::get_mut(&mut page).is_some() && self.pages.len() + self.spare.len() <= self.n_blocks {
            self.spare.push(page);
        }
    }

    /// Keys and values of one head and one block at absolute position `64 · block`, part of which must be held. Places
    /// that are not held have other positions' values.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize, kv_head: usize) -> (Stretch<'_>, Stretch<'_>) {
        self.pages[block - self.first_block].head(kv_head)
    }

    #[inline(always)]
    pub(crate) fn layout(&self) -> Layout {
        self.pool.layout()
    }
}

impl Backend {
    /// Stores keys and values of the next positions.
    ///
    /// `k` and `v` are `[n, n_kv_heads, head_dim]`, row-major; `first_position` is that of their first row and must be
    /// the one that comes next (0 in an empty cache).
    ///
    /// # Errors
    /// Lengths that do not fit, a position out of order, more rows than the capacity, a value that the cache's type does
    /// not hold, or memory that the machine refuses. No position is then counted; in the last two cases those that the
    /// new ones were to replace may be forgotten already.
    pub fn store(&self, cache: &mut KvCache, k: &[f32], v: &[f32], first_position: usize) -> Result<()> {
        let rows = cache.prepare(k, v, first_position)?;
        self.parallel(k.len(), 0, &rows)?;
        cache.finish(&rows)
    }
}
