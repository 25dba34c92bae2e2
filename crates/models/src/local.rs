//! The engine that runs a model's files on this machine's CPU.

mod answer;
mod chunks;
mod load;
mod pictures;
mod prefix;
mod run;
mod score;

use std::sync::atomic::AtomicBool;

use lightbox_kernels::{Backend, KvDtype, KvPool};

use crate::caches::{ImageCache, PrefixCache};
use crate::config::ModelConfig;
use crate::gemma3::{Gemma3, Plan};
use crate::images::ImageProcessor;
use crate::siglip::Siglip;
use crate::tokens::Tokens;
use crate::{CacheStore, Engine, Event, Generation, ModelCard, Prompt, Request, Result, RgbImage};

pub use load::{LoadOptions, LoadProgress};
pub(crate) use load::{USUAL_KV, usual_chunk_tokens};
pub use score::Scoring;

/// A model in memory, ready for requests.
///
/// Its weights are read once and packed; the files are not needed afterwards. The same request gives the same bits
/// whatever the chunk size, the number of threads and the CPU, and whatever ran before.
pub struct LocalEngine {
    card: ModelCard,
    config: ModelConfig,
    context_tokens: usize,
    chunk_tokens: usize,
    tokens: Tokens,
    backend: Backend,
    text: Gemma3,
    vision: Option<Vision>,
    /// Where cached entries outlive the engine.
    store: Option<Box<dyn CacheStore>>,
    /// Keys and values of all sequences.
    pool: KvPool,
    /// What was kept of them.
    prefixes: PrefixCache,
    prefill: Plan,
    decode: Plan,
    speculates: bool,
    load_ms: f64,
    /// Bytes of weights and buffers, where they could be counted.
    held_bytes: u64,
}

/// What pictures go through.
struct Vision {
    processor: ImageProcessor,
    siglip: Siglip,
    cache: ImageCache,
}

impl LocalEngine {
    /// What keys and values are kept as.
    #[must_use]
    pub fn kv(&self) -> KvDtype {
        self.pool.dtype()
    }
}

impl Engine for LocalEngine {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn prompt(&self, request: &Request) -> Result<Prompt> {
        self.tokens.prompt(request)
    }

    fn decode(&self, ids: &[u32]) -> String {
        self.tokens.decode(ids)
    }

    fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        self.vision()?.processor.resized(image)
    }

    fn generate(
        &mut self,
        request: &Request,
        cancel: &AtomicBool,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Generation> {
        self.run(request, cancel, on_event)
    }
}
