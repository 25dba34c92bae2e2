//! The pictures of a request, each through the tower once.

use std::sync::atomic::AtomicBool;

use super::{LocalEngine, Vision};
use crate::caches::{Found, Key, SoftTokens};
use crate::gemma3::unwatched;
use crate::{CacheStore, Event, Request, Result, Timings};

impl LocalEngine {
    /// Gives the engine a store for what should outlive it, or takes it away. What is in memory stays either way.
    pub fn attach(&mut self, store: Option<Box<dyn CacheStore>>) {
        self.store = store;
    }

    /// What each picture is known by, in order.
    pub(super) fn picture_keys(&self, request: &Request) -> Result<Vec<Key>> {
        if request.images.is_empty() {
            return Ok(Vec::new());
        }
        let Vision { processor, cache, .. } = self.vision()?;
        request.images.iter().map(|image| Ok(cache.key(&processor.resized(image)?))).collect()
    }

    /// Soft tokens of every picture, in order, except for the first `n_skipped`, which get none; `None` if it was
    /// cancelled. Counts in `timings` where each came from.
    pub(super) fn encode(
        &mut self,
        request: &Request,
        keys: &[Key],
        n_skipped: usize,
        timings: &mut Timings,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Option<Vec<SoftTokens>>> {
        if request.images.is_empty() {
            return Ok(Some(Vec::new()));
        }
        self.vision()?;
        let Some(Vision { processor, siglip, cache }) = &mut self.vision else { return Ok(Some(Vec::new())) };
        let total = request.images.len();
        let mut cached = n_skipped;
        timings.images_in_prefix = n_skipped;
        on_event(Event::Image { done: n_skipped, total, cached });
        // A fifth of a gigabyte in the family's size, and not needed where every picture is known.
        let mut buffers = None;
        let mut encoded = vec![SoftTokens::from([]); n_skipped];
        for (i, (image, key)) in request.images.iter().zip(keys).enumerate().skip(n_skipped) {
            if let Some((soft, found)) = cache.find(key, self.store.as_deref_mut()) {
                match found {
                    Found::Memory => timings.images_from_memory += 1,
                    Found::Store => timings.images_from_disk += 1,
                }
                cached += 1;
                encoded.push(soft);
            } else {
                let buffers = match &mut buffers {
                    Some(buffers) => buffers,
                    none => none.insert(siglip.buffers()?),
                };
                // Resized once more, for a hundredth of the tower's time: all of them at once would take too much memory.
                let pixels = processor.pixels(&processor.resized(image)?)?;
                let mut soft = vec![0.0; siglip.output_len()];
                if !siglip.encode(&self.backend, &pixels, buffers, cancel, &mut unwatched, &mut soft)? {
                    return Ok(None);
                }
                let soft = SoftTokens::from(soft);
                cache.keep(key, &soft, self.store.as_deref_mut());
                timings.images_encoded += 1;
                encoded.push(soft);
            }
            on_event(Event::Image { done: i + 1, total, cached });
        }
        Ok(Some(encoded))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::caches::{Shelf, TOWER_VERSION};
    use crate::weights::Catalogue;
    use crate::{Content, Engine, Generation, LoadOptions, ModelFiles, Part, RgbImage, Role, Turn, phantom};

    /// A picture that differs by `seed`.
    fn picture(seed: usize) -> RgbImage {
        let pixels = (0..60 * 40 * 3).map(|i| ((i * 7 + i / 180 * 13 + seed * 29) % 251) as u8).collect();
        RgbImage::new(60, 40, pixels).expect("the length fits")
    }

    fn request(pictures: &[usize]) -> Request {
        let parts =
            (0..pictures.len()).map(Part::Image).chain([Part::Text("what is it?".to_owned())]).collect();
        let turns = vec![Turn { role: Role::User, content: Content::Parts(parts) }];
        let mut request = Request::new(turns, pictures.iter().map(|seed| picture(*seed)).collect());
        request.max_tokens = Some(4);
        request.logprobs = Some(2);
        request
    }

    fn load(files: &ModelFiles, image_cache_bytes: Option<usize>, shelf: Option<&Shelf>) -> LocalEngine {
        let options = LoadOptions {
            n_threads: Some(1),
            image_cache_bytes,
            prefix_cache_bytes: Some(0),
            ..LoadOptions::default()
        };
        let mut engine =
            LocalEngine::load(files, "phantom", &options, &mut |_| {}).expect("the bundled model");
        engine.attach(shelf.map(|shelf| Box::new(shelf.clone()) as Box<dyn CacheStore>));
        engine
    }

    fn generate(engine: &mut LocalEngine, pictures: &[usize]) -> (Generation, Vec<Event>) {
        let mut events = Vec::new();
        let generation = engine
            .generate(&request(pictures), &AtomicBool::new(false), &mut |event| events.push(event))
            .expect("a generation");
        events.retain(|event| matches!(event, Event::Image { .. }));
        (generation, events)
    }

    /// Pictures from memory, from the store, through the tower.
    fn counts(generation: &Generation) -> [usize; 3] {
        let timings = &generation.timings;
        [timings.images_from_memory, timings.images_from_disk, timings.images_encoded]
    }

    /// Ids and the bits of their log-probabilities.
    fn bits(generation: &Generation) -> Vec<(u32, u32)> {
        let logprobs = generation.logprobs.as_ref().expect("asked for");
        logprobs.iter().map(|token| (token.id, token.logprob.to_bits())).collect()
    }

    #[test]
    fn a_picture_goes_through_the_tower_once() {
        let shelf = Shelf::default();
        let files = phantom::files();
        let plain = generate(&mut load(&files, Some(0), None), &[1]).0;
        assert_eq!(counts(&plain), [0, 0, 1]);

        let mut engine = load(&files, None, Some(&shelf));
        let (first, events) = generate(&mut engine, &[1]);
        assert_eq!(counts(&first), [0, 0, 1]);
        assert_eq!(events.last(), Some(&Event::Image { done: 1, total: 1, cached: 0 }));
        let (second, events) = generate(&mut engine, &[1]);
        assert_eq!(counts(&second), [1, 0, 0]);
        assert_eq!(events.last(), Some(&Event::Image { done: 1, total: 1, cached: 1 }));
        let (both, events) = generate(&mut engine, &[2, 1]);
        assert_eq!(counts(&both), [1, 0, 1]);
        let images = [0, 1, 2].map(|done| Event::Image { done, total: 2, cached: done / 2 });
        assert_eq!(events, images);
        let other = generate(&mut load(&files, None, Some(&shelf)), &[1]).0;
        assert_eq!(counts(&other), [0, 1, 0]);
        for generation in [first, second, other] {
            assert_eq!(bits(&generation), bits(&plain));
        }
        let plain = generate(&mut load(&files, Some(0), None), &[2, 1]).0;
        assert_eq!(bits(&both), bits(&plain));
        assert_eq!(generate(&mut load(&files, None, None), &[1, 1]).0.timings.images_from_memory, 1);
    }

    #[test]
    fn a_damaged_entry_is_made_anew() {
        let shelf = Shelf::default();
        let first = generate(&mut load(&phantom::files(), None, Some(&shelf)), &[1]).0;
        for bytes in shelf.0.lock().expect("one thread").values_mut() {
            let last = bytes.len() - 1;
            bytes[last] ^= 0x40;
        }
        let again = generate(&mut load(&phantom::files(), None, Some(&shelf)), &[1]).0;
        assert_eq!((counts(&again), bits(&again)), ([0, 0, 1], bits(&first)));
        let third = generate(&mut load(&phantom::files(), None, Some(&shelf)), &[1]).0;
        assert_eq!((counts(&third), bits(&third)), ([0, 1, 0], bits(&first)));
    }

    /// The bundled model as a folder, with one byte of a tensor changed.
    fn altered(folder: &Path, tensor: &str) -> ModelFiles {
        let files = phantom::files();
        for name in files.names().expect("bundled") {
            let mut bytes = files.read(&name).expect("bundled").expect("it is listed").to_vec();
            if name == "model.safetensors" {
                let catalogue = Catalogue::open(&files).expect("sound");
                let located = catalogue.get(tensor).expect("the bundled model has it");
                bytes[located.entry.offset as usize] ^= 1;
            }
            std::fs::write(folder.join(name), bytes).expect("a writable folder");
        }
        ModelFiles::folder(folder).expect("a folder")
    }

    #[test]
    fn another_tower_shares_nothing_and_another_text_model_everything() {
        let shelf = Shelf::default();
        generate(&mut load(&phantom::files(), None, Some(&shelf)), &[1]);
        for (tensor, expected) in [
            ("language_model.norm.weight", [0, 1, 0]),
            ("vision_tower.post_layernorm.bias", [0, 0, 1]),
            ("multi_modal_projector.mm_soft_emb_norm.weight", [0, 0, 1]),
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let files = altered(folder.path(), tensor);
            let generation = generate(&mut load(&files, None, Some(&shelf)), &[1]).0;
            assert_eq!(counts(&generation), expected, "{tensor}");
        }
    }

    #[test]
    fn other_bits_of_the_tower_have_another_version() {
        let shelf = Shelf::default();
        generate(&mut load(&phantom::files(), None, Some(&shelf)), &[1]);
        let shelf = shelf.0.lock().expect("one thread");
        let entry = shelf.values().next().expect("one picture");
        // Behind its magic and its sum, the values.
        let sum: String = Sha256::digest(&entry[40..]).iter().map(|byte| format!("{byte:02x}")).collect();
        // The second changes: raise the first, or entries that were stored before would be believed.
        assert_eq!(
            (TOWER_VERSION, sum.as_str()),
            (2, "df7f2ad839a0b430d6cc9ec55e3bb7c2ef6f09d521c7e6286709aabb7f814938")
        );
    }
}
