//! What a step is fed, and what a conversation keeps between steps.

use std::ops::Range;

use lightbox_kernels::{KvCache, KvDtype, KvPage, KvPool};

use crate::config::{LayerKind, TextConfig};
use crate::{Error, ErrorKind, Result};

/// What stands at one position of a sequence.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A token: its row of the embedding table, scaled.
    Token(u32),
    /// A soft token of a picture, `[width]`, taken as it is.
    Soft(&'a [f32]),
}

/// One row of a step.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What is fed.
    pub input: Input<'a>,
    /// First position that this row does not see: the next one for text, the end of the picture for its soft tokens.
    pub visible_end: usize,
}

/// Consecutive rows of one sequence in a step. Steps may hold rows of several sequences.
pub struct Segment<'a> {
    /// The sequence that the rows continue.
    pub sequence: &'a mut Sequence,
    /// The rows; a picture's soft tokens are never split between steps.
    pub rows: &'a [Row<'a>],
}

/// Keys and values of one sequence, layer by layer.
pub struct Sequence {
    pub(super) caches: Vec<KvCache>,
    kinds: Vec<LayerKind>,
    pub(super) n_positions: usize,
}

impl Sequence {
    /// Memory of keys and values of sequences, which may share pages.
    ///
    /// # Errors
    /// Sizes that no address space holds.
    pub fn pool(config: &TextConfig, dtype: KvDtype) -> Result<KvPool> {
        Ok(KvPool::new(config.n_kv_heads, config.head_dim, dtype)?)
    }

    /// Room in `pool` for `max_positions` tokens fed in steps of at most `max_rows` rows.
    ///
    /// Sliding layers keep what their window and one step need, whatever the length.
    ///
    /// # Errors
    /// Sizes that no address space holds.
    pub fn new(config: &TextConfig, pool: &KvPool, max_positions: usize, max_rows: usize) -> Result<Self> {
        let caches = config
            .layers
            .iter()
            .map(|kind| {
                let held = match kind {
                    LayerKind::Global => max_positions,
                    LayerKind::Sliding => sliding_positions(config, max_positions, max_rows),
                };
                Ok(KvCache::in_pool(pool, held)?)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { caches, kinds: config.layers.clone(), n_positions: 0 })
    }

    /// Bytes that keys and values of `n_positions` tokens take, fed in steps of at most `max_rows` rows; `None` if
    /// that is more than memory can be.
    #[must_use]
    pub fn bytes_for(
        config: &TextConfig,
        dtype: KvDtype,
        n_positions: usize,
        max_rows: usize,
    ) -> Option<u64> {
        let pool = Self::pool(config, dtype).ok()?;
        config.layers.iter().try_fold(0u64, |sum, kind| {
            let held = match kind {
                LayerKind::Global => n_positions,
                LayerKind::Sliding => sliding_positions(config, n_positions, max_rows),
            };
            let bytes = KvCache::bytes_for(&pool, held, n_positions)?;
            sum.checked_add(bytes as u64)
        })
    }

    /// Forgets the positions from `n_positions` on. Sliding layers then still hold the window of what comes next if at
    /// most as many positions are forgotten as a step has rows.
    ///
    /// # Errors
    /// More positions than were fed.
    pub fn truncate(&mut self, n_positions: usize) -> Result<()> {
        for cache in &mut self.caches {
            cache.truncate(n_positions)?;
        }
        self.n_positions = n_positions;
        Ok(())
    }

    /// The pages of positions `64 · block` and on in all layers of a kind, if the first of them is held. Places of
    /// positions that were not fed hold whatever was there.
    #[must_use]
    pub fn pages(&self, kind: LayerKind, block: usize) -> Option<Vec<KvPage>> {
        self.of_kind(kind).map(|i| self.caches[i].page(block)).collect()
    }

    /// Goes on after the first `n_positions` of another sequence, whose pages are given: `global` for each block from the
    /// first on a page for each global layer, `window` for each block from `window_start` on a page for each sliding layer.
    /// Both reach to the block of the last position; the window holds what a row at `n_positions` sees before it.
    ///
    /// # Errors
    /// Pages that do not fit the layers or do not reach as far. The sequence must then not be used.
    pub fn resume(
        &mut self,
        n_positions: usize,
        global: &[Vec<KvPage>],
        window_start: usize,
        window: &[Vec<KvPage>],
    ) -> Result<()> {
        for (kind, first, blocks) in
            [(LayerKind::Global, 0, global), (LayerKind::Sliding, window_start, window)]
        {
            for (nth, i) in self.of_kind(kind).enumerate().collect::<Vec<_>>() {
                let pages: Option<Vec<KvPage>> = blocks.iter().map(|pages| pages.get(nth).cloned()).collect();
                let pages = pages.ok_or_else(|| {
                    Error::new(ErrorKind::Request, format!("there is no page for layer {i} to go on from"))
                })?;
                self.caches[i].resume(first, &pages)?;
                self.caches[i].truncate(n_positions)?;
            }
        }
        self.n_positions = n_positions;
        Ok(())
    }

    fn of_kind(&self, kind: LayerKind) -> impl Iterator<Item = usize> + '_ {
        (0..self.kinds.len()).filter(move |i| self.kinds[*i] == kind)
    }

    /// Positions fed so far.
    #[must_use]
    pub fn n_positions(&self) -> usize {
        self.n_positions
    }
}

/// Positions that a sliding layer must hold: the window before a step's first row, and the step.
fn sliding_positions(config: &TextConfig, max_positions: usize, max_rows: usize) -> usize {
    (config.sliding_window - 1).saturating_add(max_rows).min(max_positions)
}

/// The positions that a row at `position` sees in a layer of `kind`.
pub(super) fn visible(config: &TextConfig, kind: LayerKind, position: usize, row: &Row<'_>) -> Range<usize> {
    let first = match kind {
        LayerKind::Global => 0,
        LayerKind::Sliding => (position + 1).saturating_sub(config.sliding_window),
    };
    first..row.visible_end
}
