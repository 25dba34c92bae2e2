//! The text model's file: its metadata and which tensor gets which type.

use lightbox_kernels::Dtype;

use super::mix::{QuantizeKind, Role};
use super::vocabulary::Vocabulary;
use super::{Job, names};
use crate::config::{LayerKind, ModelConfig, TextConfig, generation};
use crate::files::ModelFiles;
use crate::gguf::Head;
use crate::tokens::ChatTemplate;
use crate::weights::{Catalogue, EMBEDDING, HEAD};
use crate::{Error, ErrorKind, Result};

/// Layers of the one size at which readers scale attention by another width than a head's.
const LAYERS_OF_27B: usize = 62;
/// Every sixth layer sees everything, unless a file says otherwise.
const USUAL_PERIOD: usize = 6;

/// Adds sizes, rotary embedding and attention.
pub(super) fn settings(head: &mut Head, config: &TextConfig) -> Result<()> {
    let number = |what: &str, value: usize| {
        u32::try_from(value).map_err(|_| unwritable(format!("{what}: {value} does not fit 32 bits")))
    };
    for (key, value) in [
        ("context_length", config.max_positions),
        ("embedding_length", config.hidden_size),
        ("block_count", config.layers.len()),
        ("feed_forward_length", config.intermediate_size),
        ("attention.head_count", config.n_heads),
        ("attention.head_count_kv", config.n_kv_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
        ("attention.sliding_window", config.sliding_window),
    ] {
        head.number(&format!("gemma3.{key}"), number(key, value)?);
    }
    let period = period(&config.layers)?;
    if period != USUAL_PERIOD {
        head.number("gemma3.attention.sliding_window_pattern", number("pattern", period)?);
    }
    head.float("gemma3.attention.layer_norm_rms_epsilon", config.rms_norm_eps);
    head.float("gemma3.rope.freq_base", config.rope_global.theta as f32);
    head.float("gemma3.rope.freq_base_swa", config.rope_sliding.theta as f32);
    head.text("gemma3.rope.scaling.type", "linear");
    head.float("gemma3.rope.scaling.factor", config.rope_global.factor as f32);
    if config.rope_sliding.factor != 1.0 {
        return Err(unwritable("rotary scaling of sliding layers has no key in GGUF".to_owned()));
    }
    let scalar = if config.layers.len() == LAYERS_OF_27B {
        config.hidden_size as f64 / config.n_heads as f64
    } else {
        config.head_dim as f64
    };
    if config.query_pre_attn_scalar != scalar {
        return Err(unwritable(format!(
            "query_pre_attn_scalar {} has no key in GGUF, whose readers take {scalar} for this size",
            config.query_pre_attn_scalar
        )));
    }
    Ok(())
}

/// Every how many layers one sees everything.
fn period(layers: &[LayerKind]) -> Result<usize> {
    let first = layers.iter().position(|kind| *kind == LayerKind::Global);
    let period = first.map_or(layers.len() + 1, |first| first + 1);
    let regular =
        layers.iter().enumerate().all(|(i, kind)| (*kind == LayerKind::Global) == ((i + 1) % period == 0));
    if regular {
        // A pattern longer than the model is the usual one where that fits too.
        let usual = first.is_none() && layers.len() < USUAL_PERIOD;
        return Ok(if usual { USUAL_PERIOD } else { period });
    }
    Err(unwritable("global layers at irregular places have no key in GGUF".to_owned()))
}

/// Adds the tokenizer and the chat template; returns how many tokens readers may make otherwise.
pub(super) fn vocabulary(head: &mut Head, files: &ModelFiles, config: &ModelConfig) -> Result<usize> {
    let all = Vocabulary::load(files, config.text.vocab_size)?;
    head.text("tokenizer.ggml.model", "llama");
    head.text("tokenizer.ggml.pre", "default");
    head.texts("tokenizer.ggml.tokens", all.tokens.iter().map(String::as_str));
    head.floats("tokenizer.ggml.scores", &all.scores);
    head.numbers("tokenizer.ggml.token_type", &all.kinds);
    head.flag("tokenizer.ggml.add_space_prefix", false);
    head.flag("tokenizer.ggml.add_bos_token", true);
    head.flag("tokenizer.ggml.add_eos_token", false);
    let stops = generation::stop_ids(files, config)?;
    for (key, text) in [
        ("bos", "<bos>"),
        ("eos", "<eos>"),
        ("unknown", "<unk>"),
        ("padding", "<pad>"),
        ("eot", "<end_of_turn>"),
    ] {
        if let Some(id) = all.id(text) {
            head.number(&format!("tokenizer.ggml.{key}_token_id"), id);
        } else if key == "eos"
            && let Some(first) = stops.first()
        {
            head.number("tokenizer.ggml.eos_token_id", *first);
        }
    }
    head.text("tokenizer.chat_template", ChatTemplate::load(files)?.source());
    Ok(all.made_otherwise)
}

/// Plans the tensors, layer after layer.
pub(super) fn tensors(
    head: &mut Head,
    config: &ModelConfig,
    catalogue: &Catalogue,
    kind: QuantizeKind,
    own_head: bool,
) -> Result<Vec<Job>> {
    let mut wanted: Vec<String> = crate::weights::expected(config).into_iter().map(|e| e.name).collect();
    if own_head && !wanted.iter().any(|name| name == HEAD) {
        wanted.push(HEAD.to_owned());
    }
    let mut jobs = Vec::new();
    for name in wanted {
        let Some(place) = names::text(&name) else { continue };
        // A tied table may be stored as the head alone.
        let stored = catalogue.get(&name).or_else(|| catalogue.get(HEAD).filter(|_| name == EMBEDDING));
        let located =
            stored.ok_or_else(|| Error::new(ErrorKind::Weights, format!("tensor {name} is missing")))?;
        let shape = &located.entry.shape;
        let is_norm = shape.len() == 1;
        let role = match (place.part, place.layer) {
            ("output.weight", _) => Role::Head,
            ("token_embd.weight", _) if !own_head => Role::Head,
            ("attn_v.weight" | "ffn_down.weight", Some(layer)) => {
                Role::Sensitive { layer, n_layers: config.text.layers.len() }
            }
            _ => Role::Usual,
        };
        let width = shape.last().copied().unwrap_or(1);
        let dtype = if is_norm { Dtype::F32 } else { kind.dtype(role, width) };
        // Readers of GGUF multiply with what is stored; the family's own files leave out the one.
        jobs.push(Job::plan(head, located, &place.name, dtype, shape, if is_norm { 1.0 } else { 0.0 })?);
    }
    Ok(jobs)
}

pub(super) fn unwritable(what: String) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("config.json: {what}, so that this model cannot be written as GGUF"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_or_refused() {
        let layers = |text: &str| -> Vec<_> {
            text.chars().map(|c| if c == 'g' { LayerKind::Global } else { LayerKind::Sliding }).collect()
        };
        for (text, expected) in [
            ("sssg", Some(4)),
            ("sssssgsssssgs", Some(6)),
            ("gg", Some(1)),
            ("sss", Some(6)),
            ("ssgsgs", None),
        ] {
            assert_eq!(period(&layers(text)).ok(), expected, "{text}");
        }
    }
}
