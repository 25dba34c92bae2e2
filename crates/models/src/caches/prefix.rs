//! Beginnings of prompts that went through the text model before: their keys and values, to the bit.
//!
//! They are kept in blocks of 64 positions, each under the SHA-256 of its predecessor's key and of what stands at its
//! positions: token ids, and for a picture's soft tokens the key of the picture (which includes the tower's digest). The
//! first predecessor stands for the model, the version of the code, and the type and shape of the pages. A row's bits
//! depend on that row alone ([design 0002](../../../../docs/design/0002-the-same-bits-everywhere.md)), so what is found
//! is what would be computed.
//!
//! Global layers need the pages of all blocks. Sliding layers need only those of the window before the place at which
//! a prompt goes on, and would take six times the memory: they are kept for the windows of places that matter (the end of
//! the last picture, the end of the prompt, the end of the answer), and so for all places up to a step's rows before them.

mod entry;

use std::collections::HashMap;
use std::ops::Range;

use lightbox_kernels::{KEY_BLOCK, KvPage, KvPool};
use sha2::{Digest, Sha256};

use super::{CacheKind, CacheStore};
use crate::config::LayerKind;
use crate::gemma3::Sequence;

/// Raised whenever keys and values get other bits, or lie otherwise in their pages.
pub(crate) const PREFIX_VERSION: u32 = 1;
/// Bytes of keys and values held in memory unless a caller says otherwise: a study of 85 pictures in the family's 4B size.
pub(crate) const PREFIX_BYTES: usize = 1 << 30;

type Key = [u8; 32];
type Store<'a> = Option<&'a mut (dyn CacheStore + 'static)>;

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Token(u32),
    /// A soft token of the picture with this key.
    Soft(Key, u32),
}

/// A block of positions.
struct Block {
    parent: Key,
    /// Its number, counted from the beginning of the prompt.
    index: usize,
    /// What stands at its positions: 64, or fewer where a sequence ended or a store had the beginning of a block.
    marks: Vec<Mark>,
    /// A page for each global layer.
    global: Vec<KvPage>,
    /// A page for each sliding layer.
    window: Option<Vec<KvPage>>,
    last_use: u64,
    window_last_use: u64,
}

/// Where a prompt can go on, and what its layers then hold.
pub(crate) struct Found {
    /// Positions that need not be computed.
    pub n_positions: usize,
    /// For each block from the first on, a page for each global layer.
    pub global: Vec<Vec<KvPage>>,
    /// The first block of the window before that place.
    pub window_start: usize,
    /// For each block from there on, a page for each sliding layer.
    pub window: Vec<Vec<KvPage>>,
}

/// Keys and values of prompts, the most recently used within a number of bytes.
pub(crate) struct PrefixCache {
    root: Key,
    pool: KvPool,
    /// Global and sliding layers.
    n_layers: [usize; 2],
    /// Positions before a place that a sliding layer sees from it.
    n_seen: usize,
    budget_bytes: usize,
    held_bytes: usize,
    /// Counts uses.
    clock: u64,
    blocks: HashMap<Key, Block>,
    children: HashMap<Key, Vec<Key>>,
}

impl PrefixCache {
    /// For one model: its digest, the number of its global and of its sliding layers, and their window.
    pub fn new(
        model_digest: &str,
        pool: &KvPool,
        [n_global, n_sliding]: [usize; 2],
        window: usize,
        budget_bytes: usize,
    ) -> Self {
        let mut root = Sha256::new();
        root.update(b"lightbox prefix");
        root.update(PREFIX_VERSION.to_le_bytes());
        root.update((model_digest.len() as u64).to_le_bytes());
        root.update(model_digest);
        root.update(pool.dtype().to_string());
        for size in [KEY_BLOCK, pool.page_bytes(), n_global, n_sliding, window] {
            root.update((size as u64).to_le_bytes());
        }
        Self {
            root: root.finalize().into(),
            pool: pool.clone(),
            n_layers: [n_global, n_sliding],
            // A window of one position has no page that could show where it is.
            n_seen: window.saturating_sub(1).max(1),
            budget_bytes,
            held_bytes: 0,
            clock: 0,
            blocks: HashMap::new(),
            children: HashMap::new(),
        }
    }

    /// Bytes of the pages that are held.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether anything is ever held.
    pub fn is_off(&self) -> bool {
        self.budget_bytes == 0
    }

    /// Forgets everything that is in memory.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.children.clear();
        self.held_bytes = 0;
    }

    /// The furthest place at which a prompt can go on: before its last position, which must be computed, and not inside
    /// a picture (`pictures` are the spans of their soft tokens).
    pub fn find(&mut self, marks: &[Mark], pictures: &[Range<usize>], mut store: Store<'_>) -> Option<Found> {
        if self.is_off() {
            return None;
        }
        let marks = &marks[..marks.len().saturating_sub(1)];
        let mut chain = Vec::new();
        let mut key = self.root;
        for (index, block) in marks.chunks_exact(KEY_BLOCK).enumerate() {
            let next = link(&key, block);
            if !self.blocks.contains_key(&next) && !self.fetch(index, &key, &next, block, &mut store) {
                break;
            }
            chain.push(next);
            key = next;
        }
        let mut furthest = chain.len() * KEY_BLOCK;
        let rest = &marks[furthest..];
        // The end of a picture in the block that comes next, from the store.
        let mut ends =
            pictures.iter().map(|p| p.end).filter(|end| (furthest + 1..furthest + KEY_BLOCK).contains(end));
        if let Some(end) = ends.rfind(|end| *end <= marks.len()) {
            let beginning = &marks[furthest..end];
            let tail = link(&key, beginning);
            if !self.blocks.contains_key(&tail) {
                self.fetch(chain.len(), &key, &tail, beginning, &mut store);
            }
        }
        let children = self.children.get(&key).into_iter().flatten();
        let shared = |child: &Key| {
            let theirs = self.blocks.get(child).map_or(&[][..], |block| &block.marks);
            rest.iter().zip(theirs).take_while(|(a, b)| a == b).count()
        };
        if let Some((n, child)) = children.map(|child| (shared(child), *child)).max_by_key(|(n, _)| *n)
            && n > 0
        {
            chain.push(child);
            furthest += n;
        }
        let found = self.place(&chain, furthest, pictures);
        if let Some(found) = &found {
            self.touch(&chain[..found.global.len()], found.window_start);
        }
        // What a store gave may be more than memory is meant to hold; what was found holds its own.
        self.shrink();
        found
    }

    /// The furthest of the places up to `furthest` whose window is held.
    fn place(&self, chain: &[Key], furthest: usize, pictures: &[Range<usize>]) -> Option<Found> {
        let blocks: Vec<&Block> = chain.iter().filter_map(|key| self.blocks.get(key)).collect();
        // Any place will do; the multiples of a block and the ends of pictures are as many as are worth trying.
        let edges = pictures.iter().flat_map(|p| [p.start, p.end]);
        let mut places: Vec<usize> =
            (1..=furthest / KEY_BLOCK).map(|n| n * KEY_BLOCK).chain(edges).chain([furthest]).collect();
        places.retain(|at| {
            *at > 0 && *at <= furthest && !pictures.iter().any(|p| p.start < *at && *at < p.end)
        });
        places.sort_unstable();
        for at in places.into_iter().rev() {
            let (first, end) = (at.saturating_sub(self.n_seen) / KEY_BLOCK, at.div_ceil(KEY_BLOCK));
            let window: Option<Vec<_>> =
                blocks[first..end].iter().map(|block| block.window.clone()).collect();
            if let Some(window) = window {
                let global = blocks[..end].iter().map(|block| block.global.clone()).collect();
                return Some(Found { n_positions: at, global, window_start: first, window });
            }
        }
        None
    }

    /// Notes that these blocks were used, and the windows of those from `window_start` on.
    fn touch(&mut self, chain: &[Key], window_start: usize) {
        self.clock += 1;
        for (index, key) in chain.iter().enumerate() {
            if let Some(block) = self.blocks.get_mut(key) {
                block.last_use = self.clock;
                if index >= window_start {
                    block.window_last_use = self.clock;
                }
            }
        }
    }

    /// Keeps what a sequence holds, whose positions are `marks`, in memory where all of it fits; windows of places from `place` on are kept too, as far as
    /// the sequence still holds them. A store is also given the block of `picture_end` as far as that place, where other
    /// prompts may part.
    pub fn keep(
        &mut self,
        marks: &[Mark],
        sequence: &Sequence,
        place: usize,
        picture_end: Option<usize>,
        store: Store<'_>,
    ) {
        if self.is_off() {
            return;
        }
        let marks = &marks[..marks.len().min(sequence.n_positions())];
        let n_blocks = marks.len().div_ceil(KEY_BLOCK);
        let first_window = place.saturating_sub(self.n_seen) / KEY_BLOCK;
        let each = self.pool.page_bytes();
        let [global, sliding] = self.n_layers.map(|n| n * each);
        let whole = global * n_blocks + sliding * n_blocks.saturating_sub(first_window);
        let fits = whole <= self.budget_bytes;
        let mut store = store.filter(|store| store.keeps(CacheKind::Prefix));
        let mut chain = Vec::new();
        let mut added = Vec::new();
        let mut key = self.root;
        for (index, marks) in marks.chunks(KEY_BLOCK).enumerate() {
            let next = link(&key, marks);
            let window = if index >= first_window { sequence.pages(LayerKind::Sliding, index) } else { None };
            let mut news = false;
            if let Some(block) = self.blocks.get_mut(&next) {
                if block.window.is_none() && window.is_some() {
                    block.window = window;
                    self.held_bytes += sliding;
                    news = true;
                }
            } else {
                let Some(pages) = sequence.pages(LayerKind::Global, index) else { break };
                self.hold(next, key, index, marks, pages, window);
                added.push(next);
                if fits {
                    self.supersede(&key, marks);
                }
                news = true;
            }
            if let (true, Some(store), Some(block)) = (news, &mut store, self.blocks.get(&next)) {
                if marks.len() == KEY_BLOCK {
                    store.put(CacheKind::Prefix, &next, &entry::written(&self.root, &next, block));
                }
                let n = picture_end.map_or(0, |end| end.saturating_sub(index * KEY_BLOCK));
                if (1..KEY_BLOCK.min(marks.len() + 1)).contains(&n) {
                    let tail = link(&key, &marks[..n]);
                    store.put(CacheKind::Prefix, &tail, &entry::written(&self.root, &tail, block));
                }
            }
            chain.push(next);
            key = next;
        }
        self.touch(&chain, first_window);
        if !fits {
            // It went to the store; in memory it would push out all others and not be whole either.
            added.iter().for_each(|key| self.give_up(key));
        }
        self.shrink();
    }

    /// Gives up beginnings of a block that is now held as far as `marks`.
    fn supersede(&mut self, parent: &Key, marks: &[Mark]) {
        let children = self.children.get(parent).into_iter().flatten();
        let shorter = |key: &&Key| {
            self.blocks.get(*key).is_some_and(|b| b.marks.len() < marks.len() && marks.starts_with(&b.marks))
        };
        for key in children.filter(shorter).copied().collect::<Vec<_>>() {
            self.give_up(&key);
        }
    }

    fn give_up(&mut self, key: &Key) {
        let Some(block) = self.blocks.remove(key) else { return };
        let n_pages = block.global.len() + block.window.map_or(0, |window| window.len());
        self.held_bytes -= n_pages * self.pool.page_bytes();
        if let Some(siblings) = self.children.get_mut(&block.parent) {
            siblings.retain(|sibling| sibling != key);
            if siblings.is_empty() {
                self.children.remove(&block.parent);
            }
        }
    }

    /// Takes a block from the store; whether it was there. What is not what was put is removed.
    fn fetch(
        &mut self,
        index: usize,
        parent: &Key,
        key: &Key,
        marks: &[Mark],
        store: &mut Store<'_>,
    ) -> bool {
        let Some(store) = store else { return false };
        let Some(bytes) = store.get(CacheKind::Prefix, key) else { return false };
        let Some((global, window)) = entry::read(&self.root, key, &bytes, &self.pool, self.n_layers) else {
            store.remove(CacheKind::Prefix, key);
            return false;
        };
        drop(bytes);
        self.hold(*key, *parent, index, marks, global, window);
        // Room is made at the end of the search: what is shrunk now might be the block that was just read.
        true
    }

    fn hold(
        &mut self,
        key: Key,
        parent: Key,
        index: usize,
        marks: &[Mark],
        global: Vec<KvPage>,
        window: Option<Vec<KvPage>>,
    ) {
        let n_pages = global.len() + window.as_ref().map_or(0, Vec::len);
        self.held_bytes += n_pages * self.pool.page_bytes();
        self.children.entry(parent).or_default().push(key);
        let (last_use, window_last_use) = (self.clock, self.clock);
        let marks = marks.to_vec();
        self.blocks.insert(key, Block { parent, index, marks, global, window, last_use, window_last_use });
    }

    /// Gives up what was not used for longest, later blocks before earlier ones, until the rest fits.
    fn shrink(&mut self) {
        while self.held_bytes > self.budget_bytes {
            let windows = (self.blocks.iter())
                .filter(|(_, block)| block.window.as_ref().is_some_and(|window| !window.is_empty()))
                .map(|(key, block)| ((block.window_last_use, usize::MAX - block.index), true, *key));
            let blocks = (self.blocks.iter())
                .map(|(key, block)| ((block.last_use, usize::MAX - block.index), false, *key));
            let Some((_, only_window, key)) = windows.chain(blocks).min_by_key(|(age, ..)| *age) else {
                return;
            };
            if only_window {
                if let Some(window) = self.blocks.get_mut(&key).and_then(|block| block.window.take()) {
                    self.held_bytes -= window.len() * self.pool.page_bytes();
                }
            } else {
                self.give_up(&key);
            }
        }
    }
}

/// The key of what follows `parent`.
fn link(parent: &Key, marks: &[Mark]) -> Key {
    let mut hash = Sha256::new();
    hash.update(parent);
    for mark in marks {
        match mark {
            Mark::Token(id) => {
                hash.update([0]);
                hash.update(id.to_le_bytes());
            }
            Mark::Soft(picture, index) => {
                hash.update([1]);
                hash.update(picture);
                hash.update(index.to_le_bytes());
            }
        }
    }
    hash.finalize().into()
}
