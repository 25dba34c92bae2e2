//! What an engine keeps so that nothing is computed twice, and the store that may keep it between runs.

mod images;
mod prefix;

pub(crate) use images::{Found, ImageCache, Key, MEMORY_BYTES, SoftTokens};
#[cfg(test)]
pub(crate) use images::{TOWER_VERSION, tests::Shelf};
pub(crate) use prefix::{Found as FoundPrefix, Mark, PREFIX_BYTES, PrefixCache};

/// What a cached entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheKind {
    /// The soft tokens of a picture, as the projector gives them.
    Image,
    /// Keys and values of the beginning of a prompt.
    Prefix,
}

/// Keeps entries beyond the life of an engine, such as on disk.
///
/// A store never makes a request fail: what it cannot keep or give back it leaves out, and reports by its own means.
/// An engine checks what it is given and removes what does not hold. Entries that are put under one key stand for one
/// another: the first may be kept or the last.
pub trait CacheStore: Send {
    /// Whether entries of this kind are wanted at all; where not, none are made.
    fn keeps(&self, kind: CacheKind) -> bool {
        let _ = kind;
        true
    }

    /// The bytes under `key`, as they were put.
    fn get(&mut self, kind: CacheKind, key: &[u8; 32]) -> Option<Vec<u8>>;

    /// Keeps `bytes` under `key`, where there is room.
    fn put(&mut self, kind: CacheKind, key: &[u8; 32], bytes: &[u8]);

    /// Forgets what is under `key`: it was not what the engine expects.
    fn remove(&mut self, kind: CacheKind, key: &[u8; 32]);
}
