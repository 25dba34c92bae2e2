//! A block as a store keeps it: magic, the chain's root, SHA-256 over key and rest, numbers of pages, the pages.
//!
//! The root stands for the model, the version of the code, and the type and shape of the pages. Pages are in the byte
//! order of the machine, which is little-endian wherever this runs.

use lightbox_kernels::{KvPage, KvPool};
use sha2::{Digest, Sha256};

use super::{Block, Key};

/// What a stored entry begins with: its format and its version.
const MAGIC: &[u8; 8] = b"LBXPFX\x00\x01";
/// Stands for a window that was not kept.
const NO_WINDOW: u32 = u32::MAX;

/// A block, or its beginning, under `key`.
pub(super) fn written(root: &Key, key: &Key, block: &Block) -> Vec<u8> {
    let n_window = block.window.as_ref().map_or(NO_WINDOW, |window| window.len() as u32);
    let pages: Vec<&KvPage> = block.global.iter().chain(block.window.iter().flatten()).collect();
    let mut rest = Vec::with_capacity(8 + pages.iter().map(|page| page.bytes().len()).sum::<usize>());
    rest.extend((block.global.len() as u32).to_le_bytes());
    rest.extend(n_window.to_le_bytes());
    for page in pages {
        rest.extend_from_slice(page.bytes());
    }
    [MAGIC.as_slice(), root, &sum(key, &rest), &rest].concat()
}

/// Pages of the global and of the sliding layers.
pub(super) type Pages = (Vec<KvPage>, Option<Vec<KvPage>>);

/// The pages of an entry; `None` if it is not one of this model under `key`, or if there is no memory for it.
pub(super) fn read(
    root: &Key,
    key: &Key,
    bytes: &[u8],
    pool: &KvPool,
    [n_global, n_sliding]: [usize; 2],
) -> Option<Pages> {
    let bytes = bytes.strip_prefix(MAGIC)?.strip_prefix(root)?;
    let (stored_sum, rest) = bytes.split_first_chunk::<32>()?;
    let (n_stored, rest_of_it) = rest.split_first_chunk::<4>()?;
    let (n_window, pages) = rest_of_it.split_first_chunk::<4>()?;
    let has_window = *n_window != NO_WINDOW.to_le_bytes();
    let n_pages = n_global + if has_window { n_sliding } else { 0 };
    if *n_stored != (n_global as u32).to_le_bytes()
        || (has_window && *n_window != (n_sliding as u32).to_le_bytes())
        || Some(pages.len()) != n_pages.checked_mul(pool.page_bytes())
        || *stored_sum != sum(key, rest)
    {
        return None;
    }
    let mut pages = pages.chunks_exact(pool.page_bytes()).map(|bytes| pool.page(bytes).ok());
    let global = pages.by_ref().take(n_global).collect::<Option<Vec<_>>>()?;
    let window = if has_window { Some(pages.collect::<Option<Vec<_>>>()?) } else { None };
    Some((global, window))
}

fn sum(key: &Key, rest: &[u8]) -> Key {
    Sha256::new().chain_update(key).chain_update(rest).finalize().into()
}
