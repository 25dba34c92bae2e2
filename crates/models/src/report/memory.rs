//! Bytes that a model takes once it is loaded.

use lightbox_kernels::{Dtype, KvDtype, Matrix};
use serde::Serialize;

use crate::config::{HeadTie, ModelConfig};
use crate::gemma3::{Plan, Sequence};
use crate::siglip::Siglip;
use crate::weights::{Catalogue, EMBEDDING, HEAD, PROJECTION, dtype};

/// Tokens of a conversation by which it is judged whether a machine holds a model.
const USUAL_TOKENS: usize = 8192;

/// Bytes in memory, as this engine keeps them: matrices in the type they are stored in, vectors in f32,
/// keys and values in the type that is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryNeed {
    /// Packed weights.
    pub weights_bytes: u64,
    /// Buffers of a step and of the vision tower.
    pub working_bytes: u64,
    /// Keys and values of each further thousand tokens, once the sliding layers' windows are full.
    pub cache_bytes_per_1000_tokens: u64,
    /// Keys and values of a conversation that fills the context.
    pub cache_bytes_full_context: u64,
    /// A conversation of usual length: 8192 tokens, or the context where that is shorter.
    pub usual_tokens: usize,
    /// All of it for such a conversation.
    pub usual_bytes: u64,
}

impl MemoryNeed {
    /// Of a model with these tensors, fed prompts in steps of `rows` tokens, keys and values
    /// kept as `kv`; `None` if a size is not believable.
    pub(crate) fn of(config: &ModelConfig, catalogue: &Catalogue, rows: usize, kv: KvDtype) -> Option<Self> {
        let mut weights_bytes = 0u64;
        for (name, located) in catalogue.tensors() {
            // A head that is the embedding table is not kept twice; one that may differ from it counts.
            if name == HEAD && config.head == HeadTie::Tied && catalogue.get(EMBEDDING).is_some() {
                continue;
            }
            let Some(dtype) = dtype(&located.entry.dtype) else { continue };
            let rest = |sizes: &[usize]| sizes.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
            let bytes = match located.entry.shape.as_slice() {
                [] => 4,
                [n] => 4 * *n as u64,
                [n_in, n_out] if name == PROJECTION => {
                    // Its blocks are widened where they lie across the rows of the packed matrix.
                    let dtype = if dtype.is_quantized() { Dtype::F32 } else { dtype };
                    Matrix::packed_bytes(*n_out, *n_in, dtype)? as u64
                }
                sizes if name.ends_with("position_embedding.weight") => 4 * rest(sizes)? as u64,
                [n_out, sizes @ ..] => Matrix::packed_bytes(*n_out, rest(sizes)?, dtype)? as u64,
            };
            weights_bytes = weights_bytes.checked_add(bytes)?;
        }
        let text = &config.text;
        let vision = config.images.as_ref().map_or(0, Siglip::buffer_bytes);
        let logits = 4 * text.vocab_size as u64;
        let working_bytes = Plan::buffer_bytes(text, rows).checked_add(vision + logits)?;
        let context = text.max_positions;
        let cache = |tokens: usize| Sequence::bytes_for(text, kv, tokens, rows);
        let usual_tokens = context.min(USUAL_TOKENS);
        let usual = cache(usual_tokens)?;
        let full = cache(context)?;
        // Between two lengths at which only the global layers still grow.
        let settled = text.sliding_window.checked_add(rows)?;
        let span = 16_384;
        let grown = cache(settled.checked_add(span)?)?.checked_sub(cache(settled)?)?;
        Some(Self {
            weights_bytes,
            working_bytes,
            cache_bytes_per_1000_tokens: grown.checked_mul(1000)? / span as u64,
            cache_bytes_full_context: full,
            usual_tokens,
            usual_bytes: weights_bytes.checked_add(working_bytes)?.checked_add(usual)?,
        })
    }
}
