//! Pictures that went through the tower before: their soft tokens, to the bit, in memory and in a store.
//!
//! A key is SHA-256 over the kind of entry, the version of the code, the digest of tower and projector, the settings
//! of pictures, the precision of the path and the resized picture with its sides. Threads, instruction set and text
//! weights are not part of it: they change nothing ([design 0002](../../../../docs/design/0002-the-same-bits-everywhere.md)).

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{CacheKind, CacheStore};
use crate::RgbImage;
use crate::config::{ImageConfig, ImageProcessor};

/// Raised whenever the path from a resized picture to its soft tokens gives other bits; a test holds the two together.
pub(crate) const TOWER_VERSION: u32 = 2;
/// Bytes of soft tokens held in memory unless a caller says otherwise: a hundred pictures of the family's size.
pub(crate) const MEMORY_BYTES: usize = 256 << 20;

/// What a stored entry begins with: its format and its version.
const MAGIC: &[u8; 8] = b"LBXIMG\x00\x01";
const SUM_BYTES: usize = 32;

/// The soft tokens of one picture, `[tokens, text width]`.
pub(crate) type SoftTokens = Arc<[f32]>;
/// What a picture is known by.
pub(crate) type Key = [u8; 32];

/// Where the soft tokens of a picture were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// In memory.
    Memory,
    /// In the store.
    Store,
}

/// Soft tokens of pictures, the most recently used within a number of bytes.
pub(crate) struct ImageCache {
    /// Everything in a key but the picture.
    tower: Sha256,
    /// Values that a picture has.
    n_values: usize,
    budget_bytes: usize,
    held_bytes: usize,
    /// Counts uses.
    clock: u64,
    held: HashMap<Key, Held>,
}

struct Held {
    soft: SoftTokens,
    last_use: u64,
}

impl ImageCache {
    /// A cache for one tower: its digest, the settings of pictures, and the precision that it computes in.
    pub(crate) fn new(
        tower_digest: &[u8; 32],
        images: &ImageConfig,
        processor: &ImageProcessor,
        precision: &str,
        n_values: usize,
        budget_bytes: usize,
    ) -> Self {
        let mut tower = Sha256::new();
        tower.update(b"lightbox image");
        tower.update(TOWER_VERSION.to_le_bytes());
        tower.update(tower_digest);
        for setting in [format!("{:?}", images.vision), format!("{processor:?}"), precision.to_owned()] {
            tower.update((setting.len() as u64).to_le_bytes());
            tower.update(setting);
        }
        tower.update((images.tokens_per_image as u64).to_le_bytes());
        Self { tower, n_values, budget_bytes, held_bytes: 0, clock: 0, held: HashMap::new() }
    }

    /// The key of a picture as the tower is fed it.
    pub(crate) fn key(&self, resized: &RgbImage) -> Key {
        let mut hash = self.tower.clone();
        hash.update((resized.width() as u64).to_le_bytes());
        hash.update((resized.height() as u64).to_le_bytes());
        hash.update(resized.pixels());
        hash.finalize().into()
    }

    /// The soft tokens under `key`. An entry of the store that is not what was put is removed from it.
    pub(crate) fn find(
        &mut self,
        key: &Key,
        store: Option<&mut (dyn CacheStore + 'static)>,
    ) -> Option<(SoftTokens, Found)> {
        self.clock += 1;
        if let Some(held) = self.held.get_mut(key) {
            held.last_use = self.clock;
            return Some((held.soft.clone(), Found::Memory));
        }
        let store = store?;
        let bytes = store.get(CacheKind::Image, key)?;
        let Some(soft) = read(key, &bytes, self.n_values) else {
            store.remove(CacheKind::Image, key);
            return None;
        };
        self.hold(key, soft.clone());
        Some((soft, Found::Store))
    }

    /// Keeps what the tower gave for `key`.
    pub(crate) fn keep(
        &mut self,
        key: &Key,
        soft: &SoftTokens,
        store: Option<&mut (dyn CacheStore + 'static)>,
    ) {
        if let Some(store) = store {
            store.put(CacheKind::Image, key, &written(key, soft));
        }
        self.hold(key, soft.clone());
    }

    fn hold(&mut self, key: &Key, soft: SoftTokens) {
        let bytes = size_of_val(&*soft);
        if bytes > self.budget_bytes {
            return;
        }
        if let Some(before) = self.held.remove(key) {
            self.held_bytes -= size_of_val(&*before.soft);
        }
        while self.held_bytes > self.budget_bytes - bytes {
            let Some(oldest) = self.held.iter().min_by_key(|(_, held)| held.last_use).map(|(key, _)| *key)
            else {
                break;
            };
            if let Some(dropped) = self.held.remove(&oldest) {
                self.held_bytes -= size_of_val(&*dropped.soft);
            }
        }
        self.clock += 1;
        self.held_bytes += bytes;
        self.held.insert(*key, Held { soft, last_use: self.clock });
    }
}

/// An entry as a store keeps it: magic, SHA-256 over key and values, the values as little-endian f32.
fn written(key: &Key, soft: &[f32]) -> Vec<u8> {
    let values: Vec<u8> = soft.iter().flat_map(|value| value.to_le_bytes()).collect();
    [MAGIC.as_slice(), &sum(key, &values), &values].concat()
}

/// The values of a stored entry; `None` if it is not one of `n_values` under `key`.
fn read(key: &Key, bytes: &[u8], n_values: usize) -> Option<SoftTokens> {
    let (stored_sum, values) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<SUM_BYTES>()?;
    if Some(values.len()) != n_values.checked_mul(4) || *stored_sum != sum(key, values) {
        return None;
    }
    Some(values.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
}

fn sum(key: &Key, values: &[u8]) -> [u8; SUM_BYTES] {
    Sha256::new().chain_update(key).chain_update(values).finalize().into()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::VisionConfig;

    /// A store in memory whose contents a test may reach into.
    #[derive(Clone, Default)]
    pub(crate) struct Shelf(pub Arc<std::sync::Mutex<HashMap<Key, Vec<u8>>>>);

    impl CacheStore for Shelf {
        fn get(&mut self, _: CacheKind, key: &Key) -> Option<Vec<u8>> {
            self.0.lock().expect("one thread").get(key).cloned()
        }

        fn put(&mut self, _: CacheKind, key: &Key, bytes: &[u8]) {
            self.0.lock().expect("one thread").insert(*key, bytes.to_vec());
        }

        fn remove(&mut self, _: CacheKind, key: &Key) {
            self.0.lock().expect("one thread").remove(key);
        }
    }

    fn images() -> ImageConfig {
        ImageConfig {
            vision: VisionConfig {
                hidden_size: 8,
                intermediate_size: 16,
                n_layers: 1,
                n_heads: 2,
                image_size: 4,
                patch_size: 2,
                layer_norm_eps: 1e-6,
                has_head: false,
            },
            tokens_per_image: 4,
            image_token: 1,
            begin_token: 2,
            end_token: 3,
        }
    }

    fn processor() -> ImageProcessor {
        ImageProcessor {
            size_px: [4, 4],
            rescale: 1.0 / 255.0,
            mean: [0.5; 3],
            std: [0.5; 3],
            tokens_per_image: Some(4),
        }
    }

    fn cache(budget_bytes: usize) -> ImageCache {
        ImageCache::new(&[7; 32], &images(), &processor(), "exact", 3, budget_bytes)
    }

    fn soft(value: f32) -> SoftTokens {
        Arc::new([value, -0.0, f32::MIN_POSITIVE / 2.0])
    }

    fn bits(soft: &[f32]) -> Vec<u32> {
        soft.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn whatever_may_change_the_bits_is_part_of_the_key() {
        let picture = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).expect("two pixels");
        let turned = RgbImage::new(1, 2, vec![1, 2, 3, 4, 5, 6]).expect("two pixels");
        let other = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 7]).expect("two pixels");
        let one = cache(0);
        let mut deeper = images();
        deeper.vision.n_layers = 2;
        let mut brighter = processor();
        brighter.mean = [0.4; 3];
        let keys = [
            one.key(&picture),
            one.key(&turned),
            one.key(&other),
            ImageCache::new(&[8; 32], &images(), &processor(), "exact", 3, 0).key(&picture),
            ImageCache::new(&[7; 32], &deeper, &processor(), "exact", 3, 0).key(&picture),
            ImageCache::new(&[7; 32], &images(), &brighter, "exact", 3, 0).key(&picture),
            ImageCache::new(&[7; 32], &images(), &processor(), "int8", 3, 0).key(&picture),
        ];
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "key {i} is another's too");
        }
        assert_eq!(cache(9).key(&picture), keys[0], "neither memory nor process is part of it");
    }

    #[test]
    fn what_is_kept_comes_back_to_the_bit_from_memory_and_from_the_store() {
        let mut shelf = Shelf::default();
        let mut first = cache(1 << 20);
        assert!(first.find(&[1; 32], Some(&mut shelf)).is_none());
        first.keep(&[1; 32], &soft(1.5), Some(&mut shelf));
        let (found, place) = first.find(&[1; 32], None).expect("kept");
        assert_eq!((bits(&found), place), (bits(&soft(1.5)), Found::Memory));
        let mut second = cache(1 << 20);
        let (found, place) = second.find(&[1; 32], Some(&mut shelf)).expect("stored");
        assert_eq!((bits(&found), place), (bits(&soft(1.5)), Found::Store));
        let (_, place) = second.find(&[1; 32], Some(&mut shelf)).expect("held now");
        assert_eq!(place, Found::Memory);
    }

    #[test]
    fn memory_holds_the_most_recently_used_within_its_bytes() {
        let mut small = cache(2 * 12 + 11);
        for n in 1..=2 {
            small.keep(&[n; 32], &soft(f32::from(n)), None);
        }
        assert!(small.find(&[1; 32], None).is_some());
        small.keep(&[3; 32], &soft(3.0), None);
        let held: Vec<bool> = (1..=3).map(|n| small.find(&[n; 32], None).is_some()).collect();
        assert_eq!(held, [true, false, true]);
        small.keep(&[3; 32], &soft(3.0), None);
        assert_eq!(small.held_bytes, 24, "an entry that is kept again counts once");
        let mut none = cache(11);
        none.keep(&[1; 32], &soft(1.0), None);
        assert!(none.find(&[1; 32], None).is_none() && none.held_bytes == 0);
    }

    #[test]
    fn an_entry_that_is_not_what_was_put_is_removed_and_not_believed() {
        let whole = written(&[1; 32], &soft(2.0));
        let altered = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        let table = [
            ("empty", Vec::new()),
            ("cut", whole[..whole.len() - 1].to_vec()),
            ("longer", [whole.as_slice(), &[0; 4]].concat()),
            ("of another format", altered(7)),
            ("with another sum", altered(8)),
            ("with another value", altered(whole.len() - 1)),
            ("of another key", written(&[2; 32], &soft(2.0))),
            ("of another size", written(&[1; 32], &[2.0; 4])),
        ];
        for (what, bytes) in table {
            let mut shelf = Shelf::default();
            shelf.put(CacheKind::Image, &[1; 32], &bytes);
            assert!(cache(1 << 20).find(&[1; 32], Some(&mut shelf)).is_none(), "{what}");
            assert!(shelf.get(CacheKind::Image, &[1; 32]).is_none(), "{what}: still there");
        }
        let mut shelf = Shelf::default();
        shelf.put(CacheKind::Image, &[1; 32], &whole);
        assert!(cache(0).find(&[1; 32], Some(&mut shelf)).is_some(), "unaltered");
    }
}
