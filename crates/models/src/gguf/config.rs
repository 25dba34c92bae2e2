//! What a model's metadata says of the text model, in place of `config.json`.
//!
//! Keys as llama.cpp's and Ollama's converters write them for `gemma3`. Missing ones take the defaults that these
//! programs put in: pattern 6, base 10000 in sliding layers and 1000000 in global ones, epsilon 1e-6, and, for a context
//! of 131072 or more, frequencies of the global layers over 8.

use lightbox_kernels::Rope;

use super::model::{Model, is_ollama};
use super::section::Section;
use super::{Gguf, Value, ValueKind, vision};
use crate::config::{
    HeadTie, LayerKind, MAX_COUNT, MAX_LENGTH, MAX_SIZE, ModelConfig, RopeConfig, TextConfig,
};
use crate::{Error, ErrorKind, Result};

/// Layers of the one size whose queries are scaled by its width rather than that of a head.
const LAYERS_OF_27B: usize = 62;
/// From this context on, models were stretched: frequencies of global layers are divided by [`STRETCH`].
const STRETCHED_CONTEXT: usize = 131_072;
/// See [`STRETCHED_CONTEXT`].
const STRETCH: f64 = 8.0;
/// Every so many layers one is global.
const PATTERN: usize = 6;

/// Reads and checks the metadata of all files.
///
/// # Errors
/// [`ErrorKind::Config`] naming file, key and value that are missing, not understood or absurd; [`ErrorKind::Weights`] or
/// [`ErrorKind::Tokenizer`] where embedding table and vocabulary are missing or contradict each other.
pub(crate) fn load(model: &Model) -> Result<ModelConfig> {
    let text = model.text()?;
    let rows = rows(text)?;
    let mut keys = Section::new(text, "gemma3.");
    let n_tensors = model.parts().iter().map(|part| part.tensors().len()).sum();
    let config = take(&mut keys, text, rows, n_tensors)?;
    keys.leave("vision.");
    keys.leave("mm.");
    keys.finish()?;
    let tokens = tokens(text, rows)?;
    let images = vision::load(model, &tokens)?;
    let no_images = match (&images, model.projector_note()) {
        (Some(_), _) => None,
        (None, why) => Some(format!(
            "{}if this model takes pictures, its projector is a file of the same repository called mmproj-….gguf: put it \
             beside {}, or name it with --projector",
            why.map(|why| format!("{why}; ")).unwrap_or_default(),
            text.file()
        )),
    };
    let multimodal = images.is_some();
    Ok(ModelConfig {
        architecture: if multimodal { "Gemma3ForConditionalGeneration" } else { "Gemma3ForCausalLM" }
            .to_owned(),
        text: config,
        images,
        no_images,
        stated_dtype: text.unsigned("general.file_type")?.map(file_type),
        // The tokenizer's metadata say them, see `crate::tokens`.
        eos_ids: Vec::new(),
        // A stored head counts; where there is none, or a copy, it is the embedding table.
        head: HeadTie::Stored,
    })
}

/// Rows of the embedding table; files have 262144, 262145 or 262208 of the same vocabulary.
fn rows(text: &Gguf) -> Result<usize> {
    let table = text.tensor("token_embd.weight").map(|t| t.shape.as_slice());
    match table {
        Some([rows, _]) if *rows <= MAX_LENGTH => Ok(*rows),
        Some(other) => Err(Error::new(
            ErrorKind::Weights,
            format!("{}: token_embd.weight: expected a table, found sizes {other:?}", text.file()),
        )),
        None => Err(Error::new(
            ErrorKind::Weights,
            format!("{}: tensor token_embd.weight is missing", text.file()),
        )
        .hint("the file is incomplete or holds a vocabulary only; fetch it again")),
    }
}

fn take(keys: &mut Section<'_>, text: &Gguf, rows: usize, n_tensors: usize) -> Result<TextConfig> {
    for key in ["attn_logit_softcapping", "final_logit_softcapping"] {
        keys.only(key, &[Value::Float(0.0)])?;
    }
    keys.only("attention.causal", &[Value::Flag(true)])?;
    // How the file was laid out, sizes that the tensors say, and what only embeddings use.
    keys.ignore(&["vocab_size", "tensor_data_layout", "pooling_type"]);
    let n_layers = keys.layers(n_tensors)?;
    let hidden_size = keys.size("embedding_length", MAX_SIZE)?;
    let n_heads = keys.size("attention.head_count", MAX_COUNT)?;
    let head_dim = keys.size("attention.key_length", MAX_COUNT)?;
    for key in [
        "attention.value_length",
        "attention.key_length_swa",
        "attention.value_length_swa",
        "rope.dimension_count",
        "rope.dimension_count_swa",
    ] {
        keys.only(key, &[Value::Unsigned(head_dim as u64)])?;
    }
    let max_positions = keys.size("context_length", Rope::MAX_POSITION)?;
    let layers = layers(keys, n_layers)?;
    let sliding_window = match layers.contains(&LayerKind::Sliding) {
        true => keys.size("attention.sliding_window", MAX_LENGTH)?,
        false => keys.count("attention.sliding_window", MAX_LENGTH)?.unwrap_or(MAX_LENGTH),
    };
    let (rope_sliding, rope_global) = ropes(keys, max_positions)?;
    let config = TextConfig {
        vocab_size: rows,
        hidden_size,
        intermediate_size: keys.size("feed_forward_length", MAX_SIZE)?,
        n_heads,
        n_kv_heads: keys.size("attention.head_count_kv", MAX_COUNT)?,
        head_dim,
        query_pre_attn_scalar: match n_layers {
            LAYERS_OF_27B => (hidden_size / n_heads) as f64,
            _ => head_dim as f64,
        },
        sliding_window,
        max_positions,
        rms_norm_eps: keys.positive("attention.layer_norm_rms_epsilon")?.unwrap_or(1e-6) as f32,
        layers,
        rope_sliding,
        rope_global,
    };
    config.check(text.file())?;
    Ok(config)
}

/// Which layers slide: a period, or one entry a layer.
fn layers(keys: &mut Section<'_>, n_layers: usize) -> Result<Vec<LayerKind>> {
    let key = "attention.sliding_window_pattern";
    let every = match keys.get(key) {
        None => PATTERN,
        Some(Value::Array(list)) => {
            if list.len() != n_layers
                || !matches!(list.kind(), ValueKind::Flag | ValueKind::U32 | ValueKind::I32)
            {
                return Err(keys.bad(key, &format!("{n_layers} entries, one a layer (block_count)")));
            }
            let kinds = list.values().map(|slides| match slides {
                Value::Flag(true) | Value::Unsigned(1) | Value::Signed(1) => Some(LayerKind::Sliding),
                Value::Flag(false) | Value::Unsigned(0) | Value::Signed(0) => Some(LayerKind::Global),
                _ => None,
            });
            return kinds.collect::<Option<_>>().ok_or_else(|| keys.bad(key, "whether each layer slides"));
        }
        Some(_) => keys.size(key, MAX_COUNT)?,
    };
    let kind = |i: usize| if (i + 1).is_multiple_of(every) { LayerKind::Global } else { LayerKind::Sliding };
    Ok((0..n_layers).map(kind).collect())
}

/// Rotary settings of sliding and of global layers; Ollama names the bases differently.
fn ropes(keys: &mut Section<'_>, max_positions: usize) -> Result<(RopeConfig, RopeConfig)> {
    let mut base = |names: [&str; 2], default: f64| -> Result<f64> {
        let mut found = None;
        for name in names {
            let Some(theta) = keys.positive(name)? else { continue };
            if theta <= 1.0 || theta > f64::from(f32::MAX) || found.is_some_and(|other| other != theta) {
                let other =
                    found.map_or_else(String::new, |other| format!(" and equal to {other}, as {}", names[0]));
                return Err(keys.bad(name, &format!("a number above 1{other}")));
            }
            found = Some(theta);
        }
        Ok(found.unwrap_or(default))
    };
    let sliding = base(["rope.freq_base_swa", "rope.local.freq_base"], 10_000.0)?;
    let global = base(["rope.freq_base", "rope.global.freq_base"], 1_000_000.0)?;
    // What stretching by other means needs; linear stretching does not look at it.
    keys.ignore(&["rope.scaling.finetuned", "rope.scaling.original_context_length"]);
    keys.only("rope.scaling.attn_factor", &[Value::Float(1.0)])?;
    let kind = keys.text("rope.scaling.type")?;
    let stated = match keys.positive("rope.scaling.factor")? {
        // The name of this key until 2023.
        None => keys.positive("rope.scale_linear")?,
        stated => {
            keys.ignore(&["rope.scale_linear"]);
            stated
        }
    };
    let factor = match (kind, stated) {
        (None | Some("linear"), Some(factor)) if (1.0..=1e6).contains(&factor) => factor,
        (Some("none"), None) => 1.0,
        (Some("none"), Some(factor)) if factor == 1.0 => factor,
        (None, None) if max_positions >= STRETCHED_CONTEXT => STRETCH,
        (None, None) => 1.0,
        (Some("linear" | "none") | None, _) => {
            return Err(keys.bad("rope.scaling.factor", "a number from 1 to 1000000 beside type linear"));
        }
        (Some(_), _) => return Err(keys.bad("rope.scaling.type", "\"linear\" or \"none\"")),
    };
    Ok((RopeConfig { theta: sliding, factor: 1.0 }, RopeConfig { theta: global, factor }))
}

/// The texts of the vocabulary. Ollama's files may list more than the table has rows; the rest has no meaning there.
fn tokens(text: &Gguf, rows: usize) -> Result<Vec<&str>> {
    let key = "tokenizer.ggml.tokens";
    let mut tokens = text.texts(key)?.ok_or_else(|| text.bad(key, "an array of strings"))?;
    let n = tokens.len();
    if n < rows || (n > rows && !is_ollama(text)) {
        return Err(Error::new(
            ErrorKind::Tokenizer,
            format!("{}: {key}: expected {rows}, a row of token_embd.weight each, found {n}", text.file()),
        )
        .hint("vocabulary and weights are of different models; fetch the file again"));
    }
    tokens.truncate(rows);
    Ok(tokens)
}

/// The name of the mix of types that a file says it has, by llama.cpp's number.
fn file_type(number: u64) -> String {
    let name = match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        21 => "Q2_K_S",
        25 => "IQ4_NL",
        30 => "IQ4_XS",
        32 => "BF16",
        other => return format!("file type {other}"),
    };
    name.to_owned()
}
