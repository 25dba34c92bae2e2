//! From a model's files to an engine.

use std::time::Instant;

use lightbox_kernels::{Backend, Isa, KvDtype};

use super::{LocalEngine, Vision};
use crate::caches::{ImageCache, MEMORY_BYTES, PREFIX_BYTES, PrefixCache};
use crate::config::{LayerKind, ModelConfig};
use crate::files::ModelFiles;
use crate::gemma3::{Gemma3, Plan, Sequence};
use crate::images::ImageProcessor;
use crate::report::MemoryNeed;
use crate::siglip::{Siglip, VisionPrecision};
use crate::speculation::MAX_DRAFT;
use crate::tokens::Tokens;
use crate::weights::{Catalogue, Reader, digest, tower_digest};
use crate::{Error, ErrorKind, ModelCard, Result};

/// Tokens of a prompt that go through the text model at a time, unless a caller says otherwise: enough rows that
/// unpacking the weights does not count, few enough that their activations fit the caches.
const CHUNK_TOKENS: usize = 512;

/// What keys and values are kept as, unless a caller says otherwise.
pub(crate) const USUAL_KV: KvDtype = KvDtype::F16;

/// How a model is loaded.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Threads; `None`: one for each physical core that this process may use.
    pub n_threads: Option<usize>,
    /// Most tokens of a prompt in one step, not fewer than a picture has; `None`: 512, or a picture if that is more.
    pub chunk_tokens: Option<usize>,
    /// Longest sequence, at most what the model allows; `None`: what the model allows.
    pub context_tokens: Option<usize>,
    /// Instruction set; `None`: the fastest that this machine has.
    pub isa: Option<Isa>,
    /// Whether tokens are guessed from what was said before and checked several at a time, which changes no token;
    /// `None`: yes.
    pub speculate: Option<bool>,
    /// How the vision tower multiplies.
    pub vision: VisionPrecision,
    /// What keys and values are kept as; `None`: f16 (see `docs/design/0014-keys-and-values.md`).
    pub kv: Option<KvDtype>,
    /// Most bytes of keys and values of prompts that are kept in memory for further requests, 20 kilobytes a token and
    /// 120 more for each of the thousand before a place to go on from in the family's 4B size; `None`: 1 GiB.
    pub prefix_cache_bytes: Option<usize>,
    /// A sentence that must accompany every output of this model.
    pub notice: Option<String>,
    /// Most bytes of soft tokens of pictures that are kept in memory for further requests, ten kilobytes a token in the
    /// family's 4B size; `None`: 256 MiB.
    pub image_cache_bytes: Option<usize>,
}

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes of weights read and packed.
    pub done_bytes: u64,
    /// Bytes of weights in all.
    pub total_bytes: u64,
}

impl LocalEngine {
    /// Reads settings, tokenizer and weights of `files`; `name` is how the caller calls the model.
    ///
    /// # Errors
    /// Anything in the files that is missing, not understood or does not fit together, options that do not fit the
    /// model, or a machine that cannot hold it.
    pub fn load(
        files: &ModelFiles,
        name: &str,
        options: &LoadOptions,
        on_progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self> {
        let started = Instant::now();
        let config = ModelConfig::load(files)?;
        let processor =
            config.images.as_ref().map(|images| ImageProcessor::load(files, images)).transpose()?;
        let tokens = Tokens::load(files, &config)?;
        let chunk_tokens = chunk_tokens(options, &config)?;
        let context_tokens = context_tokens(options, &config)?;

        let catalogue = Catalogue::open(files)?;
        catalogue.check(&config)?;
        let kv = options.kv.unwrap_or(USUAL_KV);
        let need = MemoryNeed::of(&config, &catalogue, chunk_tokens, kv);
        let held_bytes = need.map_or(0, |need| need.weights_bytes.saturating_add(need.working_bytes));
        fits_in_memory(held_bytes, "the model")?;
        let digest = digest(files, &catalogue)?;
        let n_threads = options.n_threads.unwrap_or_else(lightbox_host::default_threads);
        let backend = Backend::with_isa(options.isa.unwrap_or_else(Isa::best), n_threads)?;

        let mut report = |done_bytes, total_bytes| on_progress(LoadProgress { done_bytes, total_bytes });
        let mut reader = Reader::new(files, &catalogue, &mut report).for_threads(n_threads);
        let vision = match (&config.images, processor) {
            (Some(images), Some(processor)) => {
                let siglip = Siglip::load(&mut reader, images, config.text.hidden_size, options.vision)?;
                let tower = tower_digest(files, &catalogue)?;
                let memory = options.image_cache_bytes.unwrap_or(MEMORY_BYTES);
                let cache = {
                    let precision = options.vision.to_string();
                    ImageCache::new(&tower, images, &processor, &precision, siglip.output_len(), memory)
                };
                Some(Vision { processor, siglip, cache })
            }
            _ => None,
        };
        let text = Gemma3::load(&mut reader, &config)?;
        reader.finish();
        let pool = Sequence::pool(&config.text, kv)?;
        let n_layers = |kind| config.text.layers.iter().filter(|layer| **layer == kind).count();
        let prefixes = PrefixCache::new(
            &digest,
            &pool,
            [n_layers(LayerKind::Global), n_layers(LayerKind::Sliding)],
            config.text.sliding_window,
            options.prefix_cache_bytes.unwrap_or(PREFIX_BYTES),
        );
        let card = ModelCard {
            name: name.to_owned(),
            digest,
            architecture: config.architecture.clone(),
            context_tokens,
            image_size_px: config.images.as_ref().map(|i| i.vision.image_size),
            tokens_per_image: config.images.as_ref().map(|i| i.tokens_per_image),
            notice: options.notice.clone(),
            backend: described(&backend, options.vision, config.images.is_some(), kv),
        };
        Ok(Self {
            card,
            context_tokens,
            chunk_tokens,
            tokens,
            backend,
            pool,
            prefixes,
            prefill: Plan::new(&config.text, chunk_tokens),
            decode: Plan::new(&config.text, 1 + MAX_DRAFT),
            text,
            vision,
            store: None,
            config,
            speculates: options.speculate.unwrap_or(true),
            load_ms: super::run::milliseconds(started),
            held_bytes,
        })
    }
}

/// What computes, and in what it departs from the usual.
fn described(backend: &Backend, vision: VisionPrecision, has_vision: bool, kv: KvDtype) -> String {
    let mut text = backend.describe();
    if kv != USUAL_KV {
        text.push_str(&format!(", keys and values {kv}"));
    }
    if has_vision && vision == VisionPrecision::Int8 {
        text.push_str(&format!(", vision {vision}"));
    }
    text
}

/// Refuses what this process cannot have memory for, before minutes are spent on it.
pub(super) fn fits_in_memory(bytes: u64, what: &str) -> Result<()> {
    match lightbox_host::memory().usable_bytes() {
        Some(usable) if bytes > usable => {
            let gb = |bytes: u64| bytes as f64 / 1e9;
            Err(Error::new(
                ErrorKind::Resources,
                format!(
                    "{what} takes {:.1} GB of memory, this process can have {:.1} GB",
                    gb(bytes),
                    gb(usable)
                ),
            )
            .hint("use a smaller model, a shorter context or chunk, or a machine with more memory"))
        }
        _ => Ok(()),
    }
}

/// Tokens of a prompt in one step where nobody says otherwise.
pub(crate) fn usual_chunk_tokens(config: &ModelConfig) -> usize {
    CHUNK_TOKENS.min(config.text.max_positions).max(picture_tokens(config))
}

/// The shortest step that can hold a picture.
fn picture_tokens(config: &ModelConfig) -> usize {
    config.images.as_ref().map_or(1, |images| images.tokens_per_image)
}

fn chunk_tokens(options: &LoadOptions, config: &ModelConfig) -> Result<usize> {
    let picture = picture_tokens(config);
    match options.chunk_tokens {
        None => Ok(usual_chunk_tokens(config)),
        Some(0) => Err(Error::new(ErrorKind::Request, "a chunk of 0 tokens holds nothing; use at least 1")),
        Some(chunk) if chunk >= picture => Ok(chunk.min(config.text.max_positions.max(picture))),
        Some(chunk) => Err(Error::new(
            ErrorKind::Request,
            format!(
                "a chunk of {chunk} tokens is shorter than a picture, which has {picture} and is never split"
            ),
        )
        .hint(format!("use at least {picture}"))),
    }
}

fn context_tokens(options: &LoadOptions, config: &ModelConfig) -> Result<usize> {
    let most = config.text.max_positions;
    match options.context_tokens {
        None => Ok(most),
        Some(context) if (1..=most).contains(&context) => Ok(context),
        Some(context) => Err(Error::new(
            ErrorKind::Request,
            format!("a context of {context} tokens was asked for, the model allows 1 to {most}"),
        )),
    }
}
