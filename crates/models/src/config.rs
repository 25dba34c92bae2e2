//! `config.json` of Gemma 3, in every spelling it has had.
//!
//! Every key is understood, or on a list of keys that do not change what is computed, or refused by name.
//! Missing keys take the defaults of the classes `Gemma3Config`, `Gemma3TextConfig` and `SiglipVisionConfig`
//! of transformers 5.23.0, as the reference fills them.

pub mod generation;
mod keys;
mod processor;
mod text;
mod vision;

use serde_json::{Value, json};

use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

pub(crate) use keys::{Keys, shown};
pub use processor::{ImageProcessor, check_processor};
pub use text::{LayerKind, RopeConfig, TextConfig};
pub use vision::VisionConfig;

/// The name of the file.
pub const FILE: &str = "config.json";

/// Largest width, layer size or vocabulary that is believed; products of three such sizes fit 64 bits.
pub(crate) const MAX_SIZE: usize = 1 << 20;
/// Largest number of layers, heads or tokens an image that is believed.
pub(crate) const MAX_COUNT: usize = 1 << 14;
/// Largest context and vocabulary that are believed.
pub(crate) const MAX_LENGTH: usize = 1 << 24;

/// What `config.json`, or the metadata of a GGUF file, says, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// `Gemma3ForConditionalGeneration` or `Gemma3ForCausalLM`.
    pub architecture: String,
    /// The text model.
    pub text: TextConfig,
    /// The vision tower and how its output enters the text; `None` for a text-only model.
    pub images: Option<ImageConfig>,
    /// Why the model takes no pictures and what to do about it, where it might take them with a file that is not there;
    /// a lowercase fragment.
    pub no_images: Option<String>,
    /// Type of the weights as the file states it; each tensor's own header decides.
    pub stated_dtype: Option<String>,
    /// Ids that end a turn according to this file; `generation_config.json` comes first.
    pub eos_ids: Vec<u32>,
    /// What the keys `tie_word_embeddings` say of the output head.
    pub head: HeadTie,
}

/// Whether the output head is the embedding table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadTie {
    /// One table for both; a stored head must equal it.
    Tied,
    /// A head of its own must be stored.
    Untied,
    /// The outer and the inner object disagree (outer true, inner false): a stored head counts, else the table.
    Stored,
}

/// Everything about pictures in a multimodal model.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageConfig {
    /// The tower.
    pub vision: VisionConfig,
    /// Soft tokens a picture becomes.
    pub tokens_per_image: usize,
    /// Id of the soft token.
    pub image_token: u32,
    /// Id that begins a picture.
    pub begin_token: u32,
    /// Id that ends a picture.
    pub end_token: u32,
}

impl ImageConfig {
    /// Soft tokens along one side of the picture.
    #[must_use]
    pub fn tokens_per_side(&self) -> usize {
        self.tokens_per_image.isqrt()
    }

    /// Patches along one side of a pooling window.
    #[must_use]
    pub fn pool_kernel(&self) -> usize {
        self.vision.patches_per_side() / self.tokens_per_side()
    }
}

/// Keys of any of the three objects that do not change what is computed.
///
/// Provenance and bookkeeping (`transformers_version`, `_name_or_path`, `unsloth_*`), what a Python call returns
/// (`output_*`, `return_dict`), training (`initializer_*`, dropout is checked apart), labels, how the reference
/// runs (`use_cache`, `cache_implementation`, `chunk_size_feed_forward`: the same result in pieces,
/// `_attn_implementation*`), tokens that only pad or separate, and generation lengths, which requests set here.
const IRRELEVANT: &[&str] = &[
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_commit_hash",
    "_name_or_path",
    "attn_implementation",
    "bos_token_id",
    "cache_implementation",
    "chunk_size_feed_forward",
    "decoder_start_token_id",
    "finetuning_task",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "label2id",
    "max_length",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "pad_token_id",
    "problem_type",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "task_specific_params",
    "tf_legacy_loss",
    "tokenizer_class",
    "torchscript",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
];

/// Takes the keys that every configuration object of transformers may carry; those that could matter must be neutral.
fn take_common(keys: &mut Keys<'_>) -> Result<()> {
    keys.ignore(IRRELEVANT);
    for key in [
        "add_cross_attention",
        "do_sample",
        "early_stopping",
        "is_decoder",
        "is_encoder_decoder",
        "remove_invalid_values",
        "tie_encoder_decoder",
        "use_bfloat16",
    ] {
        keys.only(key, &[json!(false)])?;
    }
    for key in [
        "diversity_penalty",
        "encoder_no_repeat_ngram_size",
        "min_length",
        "no_repeat_ngram_size",
        "attention_dropout",
        "hidden_dropout",
        "dropout",
    ] {
        keys.only(key, &[json!(0)])?;
    }
    for key in [
        "num_beam_groups",
        "num_beams",
        "num_return_sequences",
        "repetition_penalty",
        "length_penalty",
        "typical_p",
    ] {
        keys.only(key, &[json!(1)])?;
    }
    // What version 4 wrote as neutral sampling settings; a request sets its own here.
    keys.only("temperature", &[json!(1)])?;
    keys.only("top_p", &[json!(1)])?;
    keys.only("top_k", &[json!(50)])?;
    keys.only("pruned_heads", &[json!({})])?;
    for key in [
        "bad_words_ids",
        "begin_suppress_tokens",
        "cross_attention_hidden_size",
        "exponential_decay_length_penalty",
        "forced_bos_token_id",
        "forced_eos_token_id",
        "prefix",
        "suppress_tokens",
    ] {
        keys.only(key, &[])?;
    }
    Ok(())
}

/// The stated type of the weights under its two names.
fn take_dtype(keys: &mut Keys<'_>) -> Result<Option<String>> {
    let mut stated = None;
    for key in ["torch_dtype", "dtype"] {
        let Some(name) = keys.text(key)? else { continue };
        if !["float32", "float16", "bfloat16"].contains(&name) {
            return Err(keys.bad(key, "float32, float16 or bfloat16", &json!(name)));
        }
        stated = Some(name.to_owned());
    }
    Ok(stated)
}

/// A key under its two names; both may stand there if they agree.
fn token_under(keys: &mut Keys<'_>, old: &str, new: &str, default: u32) -> Result<u32> {
    match (keys.token(old)?, keys.token(new)?) {
        (Some(a), Some(b)) if a != b => Err(Error::new(
            ErrorKind::Config,
            format!("{}: {old} is {a} but {new} is {b}; both name the same token", keys.place()),
        )),
        (a, b) => Ok(a.or(b).unwrap_or(default)),
    }
}

impl ModelConfig {
    /// Reads and checks `config.json`, or a GGUF file's metadata.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if it is missing; [`ErrorKind::Config`] naming the key and the value that is not
    /// understood or absurd.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        if let Some(model) = files.as_gguf() {
            return crate::gguf::config(model);
        }
        let bytes = files.read(FILE)?.ok_or_else(|| {
            Error::new(ErrorKind::Files, format!("{}: no {FILE}", files))
                .hint("a model folder in Hugging Face layout has one beside its weights")
        })?;
        Self::parse(&bytes)
    }

    /// As [`ModelConfig::load`], from the file's bytes.
    ///
    /// # Errors
    /// As [`ModelConfig::load`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|e| Error::new(ErrorKind::Config, format!("{FILE}: not valid JSON: {e}")))?;
        let mut keys = Keys::new(FILE, &value)?;
        let architecture = architecture(&mut keys)?;
        take_common(&mut keys)?;
        let stated_dtype = take_dtype(&mut keys)?;
        if architecture == "Gemma3ForCausalLM" {
            let eos_ids = keys.tokens("eos_token_id")?;
            let tie = keys.flag("tie_word_embeddings")?.unwrap_or(true);
            let text = TextConfig::take(&mut keys)?;
            keys.finish()?;
            let head = if tie { HeadTie::Tied } else { HeadTie::Untied };
            return Ok(Self {
                architecture,
                text,
                images: None,
                no_images: None,
                stated_dtype,
                eos_ids,
                head,
            });
        }

        let mut eos_ids = keys.tokens("eos_token_id")?;
        let outer_tie = keys.flag("tie_word_embeddings")?;
        let empty = json!({});
        let text_value = keys.take_set("text_config").unwrap_or(&empty);
        let mut text_keys = Keys::new(format!("{FILE}: text_config"), text_value)?;
        text_keys.only("model_type", &[json!("gemma3_text")])?;
        text_keys.ignore(&["architectures"]);
        take_common(&mut text_keys)?;
        let inner_dtype = take_dtype(&mut text_keys)?;
        let inner_eos = text_keys.tokens("eos_token_id")?;
        if eos_ids.is_empty() {
            eos_ids = inner_eos;
        }
        let inner_tie = text_keys.flag("tie_word_embeddings")?;
        let text = TextConfig::take(&mut text_keys)?;
        text_keys.finish()?;

        let vision_value = keys.take_set("vision_config").unwrap_or(&empty);
        let vision = VisionConfig::parse(vision_value)?;
        let tokens_per_image = keys.count("mm_tokens_per_image", 256, MAX_COUNT)?;
        let images = ImageConfig {
            vision,
            tokens_per_image,
            begin_token: token_under(&mut keys, "boi_token_index", "boi_token_id", 255_999)?,
            end_token: token_under(&mut keys, "eoi_token_index", "eoi_token_id", 256_000)?,
            image_token: token_under(&mut keys, "image_token_index", "image_token_id", 262_144)?,
        };
        keys.finish()?;
        check_pooling(&images, FILE)?;
        // Version 5 asks the outer object, whose default is true; version 4 asked the inner one.
        let head = match (outer_tie, inner_tie) {
            (Some(true), Some(false)) => HeadTie::Stored,
            (outer, inner) if outer.or(inner).unwrap_or(true) => HeadTie::Tied,
            _ => HeadTie::Untied,
        };
        let stated_dtype = stated_dtype.or(inner_dtype);
        Ok(Self { architecture, text, images: Some(images), no_images: None, stated_dtype, eos_ids, head })
    }
}

/// Which of the two models the file describes.
fn architecture(keys: &mut Keys<'_>) -> Result<String> {
    let by_type = match keys.text("model_type")? {
        Some("gemma3") => "Gemma3ForConditionalGeneration",
        Some("gemma3_text") => "Gemma3ForCausalLM",
        found => {
            return Err(keys.bad("model_type", "gemma3 or gemma3_text", &json!(found)));
        }
    };
    if let Some(value) = keys.take_set("architectures") {
        let named = value.as_array().map(|list| list.iter().map(Value::as_str).collect::<Vec<_>>());
        if named != Some(vec![Some(by_type)]) {
            return Err(keys.bad("architectures", &format!("[\"{by_type}\"]"), value));
        }
    }
    Ok(by_type.to_owned())
}

/// Refuses numbers of soft tokens that pooling cannot give, and a soft token that marks something else; `place` is for
/// messages.
pub(crate) fn check_pooling(images: &ImageConfig, place: &str) -> Result<()> {
    let (side, tokens) = (images.tokens_per_side(), images.tokens_per_image);
    let patches = images.vision.patches_per_side();
    // As the reference pools: windows of `patches / side`, and what is left over at the right and bottom is not seen.
    let pooled = patches.checked_div(patches / side);
    if side * side != tokens || pooled != Some(side) {
        return Err(Error::new(
            ErrorKind::Config,
            format!(
                "{place}: mm_tokens_per_image: expected a square number that pooling whole windows of the {patches} × \
                 {patches} patches (image_size {} over patch_size {}) can give, found {tokens}",
                images.vision.image_size, images.vision.patch_size
            ),
        ));
    }
    let ids = [images.image_token, images.begin_token, images.end_token];
    if ids[0] == ids[1] || ids[0] == ids[2] {
        return Err(Error::new(
            ErrorKind::Config,
            format!("{place}: image_token_index {} is also the token that begins or ends a picture", ids[0]),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
