//! Model folders written again as GGUF in f32, in each of the layouts that files have had.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::super::{GgmlType, MAGIC, ValueKind};
use crate::config::{LayerKind, ModelConfig};
use crate::files::ModelFiles;
use crate::weights::{Catalogue, Reader, expected};

/// Which converter a file looks to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Today's converter of llama.cpp: a text file and a projector.
    LlamaCpp,
    /// Its older one: the tower's feed-forward matrices are called the other way round, the projection is turned.
    Swapped,
    /// Ollama's: one file, names and keys of its own, some keys left out.
    Ollama,
}

/// A file in the making: keys with kind and bytes, tensors with sizes outermost first.
#[derive(Clone, Default)]
pub(super) struct Made {
    pub(super) pairs: Vec<(String, ValueKind, Vec<u8>)>,
    pub(super) tensors: Vec<(String, &'static str, Vec<usize>, Vec<u8>)>,
}

fn text_bytes(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Made {
    pub(super) fn set(&mut self, key: &str, kind: ValueKind, bytes: Vec<u8>) {
        self.unset(key);
        self.pairs.push((key.to_owned(), kind, bytes));
    }

    pub(super) fn unset(&mut self, key: &str) {
        self.pairs.retain(|(other, ..)| other != key);
    }

    pub(super) fn number(&mut self, key: &str, n: usize) {
        self.set(key, ValueKind::U32, (n as u32).to_le_bytes().to_vec());
    }

    pub(super) fn float(&mut self, key: &str, x: f64) {
        self.set(key, ValueKind::F32, (x as f32).to_le_bytes().to_vec());
    }

    pub(super) fn flag(&mut self, key: &str, flag: bool) {
        self.set(key, ValueKind::Flag, vec![u8::from(flag)]);
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.set(key, ValueKind::Text, text_bytes(text));
    }

    /// An array; `elements` are the bytes of each.
    pub(super) fn array(&mut self, key: &str, kind: ValueKind, elements: &[Vec<u8>]) {
        let head = [&kind.code().to_le_bytes()[..], &(elements.len() as u64).to_le_bytes()].concat();
        self.set(key, ValueKind::Array, [head, elements.concat()].concat());
    }

    pub(super) fn texts(&mut self, key: &str, texts: &[String]) {
        let elements: Vec<_> = texts.iter().map(|text| text_bytes(text)).collect();
        self.array(key, ValueKind::Text, &elements);
    }

    pub(super) fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), "F32", shape.to_vec(), bytes));
    }

    /// The tensor of this name, to be changed.
    pub(super) fn at(&mut self, name: &str) -> &mut (String, &'static str, Vec<usize>, Vec<u8>) {
        self.tensors.iter_mut().find(|(other, ..)| other == name).expect("a tensor of the file")
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &3u32.to_le_bytes()].concat();
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.pairs.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.pairs {
            bytes.extend(text_bytes(key));
            bytes.extend(kind.code().to_le_bytes());
            bytes.extend(value);
        }
        let mut data: Vec<u8> = Vec::new();
        for (name, dtype, shape, values) in &self.tensors {
            bytes.extend(text_bytes(name));
            bytes.extend((shape.len() as u32).to_le_bytes());
            shape.iter().rev().for_each(|n| bytes.extend((*n as u64).to_le_bytes()));
            bytes.extend(GgmlType::of_name(dtype).expect("a type").code().to_le_bytes());
            bytes.extend((data.len() as u64).to_le_bytes());
            data.extend(values);
            data.resize(data.len().next_multiple_of(32), 0);
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(data);
        bytes
    }

    /// Writes the file into a folder.
    pub(super) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.bytes()).expect("a small file");
        path
    }
}

/// A golden checkpoint with the tokenizer that all of them share.
pub(super) fn golden(case: &str) -> (tempfile::TempDir, ModelFiles) {
    let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");
    let dir = tempfile::tempdir().expect("a temporary folder");
    for part in [case, "tokenizer"] {
        for entry in
            std::fs::read_dir(format!("{goldens}/{part}")).expect("the goldens are in the repository")
        {
            let path = entry.expect("listed").path();
            std::fs::copy(&path, dir.path().join(path.file_name().expect("a file"))).expect("copied");
        }
    }
    let files = ModelFiles::folder(dir.path()).expect("it was just made");
    (dir, files)
}

/// A folder's model as a text file and, for models that take pictures and styles that keep it apart, a projector.
pub(super) fn convert(files: &ModelFiles, style: Style) -> (Made, Option<Made>) {
    let config = ModelConfig::load(files).expect("a sound configuration");
    let catalogue = Catalogue::open(files).expect("sound weights");
    let mut ignore = |_, _| {};
    let mut reader = Reader::new(files, &catalogue, &mut ignore);
    let mut text = text_settings(files, &config, style);
    let mut projector = config.images.is_some().then(|| tower_settings(&config, &mut text, style)).flatten();
    for wanted in expected(&config) {
        let mut values = reader.vector(&wanted.name).expect("a tensor of the model");
        let name = stored(&wanted.name, style);
        let is_gemma_norm = wanted.name.ends_with("norm.weight") && !wanted.name.starts_with("vision_tower.");
        if is_gemma_norm {
            values.iter_mut().for_each(|w| *w += 1.0);
        }
        let mut shape = wanted.shape.clone();
        if style == Style::Swapped && name == "mm.input_projection.weight" {
            let (n_in, n_out) = (shape[0], shape[1]);
            values = (0..n_in * n_out).map(|i| values[i % n_in * n_out + i / n_in]).collect();
            shape.reverse();
        }
        let to = match &mut projector {
            Some(projector) if name.starts_with("v.") || name.starts_with("mm.") => projector,
            _ => &mut text,
        };
        to.tensor(&name, &shape, &values);
    }
    (text, projector)
}

/// The name under which a converter stores a tensor.
fn stored(canonical: &str, style: Style) -> String {
    let ollama = style == Style::Ollama;
    let swapped = style == Style::Swapped;
    let mut name = canonical.to_owned();
    let table: &[(&str, &str)] = &[
        ("language_model.embed_tokens", "token_embd"),
        ("language_model.norm", "output_norm"),
        ("lm_head", "output"),
        ("language_model.layers.", "blk."),
        ("vision_tower.encoder.layers.", "v.blk."),
        ("vision_tower.embeddings.", "v."),
        ("vision_tower.", "v."),
        ("multi_modal_projector.", "mm."),
        (
            "mm_input_projection_weight",
            if ollama { "mm_input_projection.weight" } else { "input_projection.weight" },
        ),
        ("mm_soft_emb_norm", if ollama { "mm_soft_emb_norm" } else { "soft_emb_norm" }),
        ("patch_embedding", if ollama { "patch_embedding" } else { "patch_embd" }),
        ("position_embedding", if ollama { "position_embedding" } else { "position_embd" }),
        ("post_layernorm", if ollama { "post_layernorm" } else { "post_ln" }),
        ("pre_feedforward_layernorm", "ffn_norm"),
        ("post_feedforward_layernorm", "post_ffw_norm"),
        ("post_attention_layernorm", "post_attention_norm"),
        ("input_layernorm", "attn_norm"),
        ("layer_norm1", if ollama { "layer_norm1" } else { "ln1" }),
        ("layer_norm2", if ollama { "layer_norm2" } else { "ln2" }),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.out_proj", if ollama { "attn_output" } else { "attn_out" }),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
        (
            "mlp.fc1",
            if ollama {
                "mlp.fc1"
            } else if swapped {
                "ffn_down"
            } else {
                "ffn_up"
            },
        ),
        (
            "mlp.fc2",
            if ollama {
                "mlp.fc2"
            } else if swapped {
                "ffn_up"
            } else {
                "ffn_down"
            },
        ),
    ];
    for (from, to) in table {
        name = name.replace(from, to);
    }
    name
}

fn text_settings(files: &ModelFiles, config: &ModelConfig, style: Style) -> Made {
    let t = &config.text;
    let mut made = Made::default();
    made.text("general.architecture", "gemma3");
    made.text("general.name", "Made");
    made.number("gemma3.context_length", t.max_positions);
    made.number("gemma3.embedding_length", t.hidden_size);
    made.number("gemma3.block_count", t.layers.len());
    made.number("gemma3.feed_forward_length", t.intermediate_size);
    made.number("gemma3.attention.head_count", t.n_heads);
    made.number("gemma3.attention.head_count_kv", t.n_kv_heads);
    made.number("gemma3.attention.key_length", t.head_dim);
    made.number("gemma3.attention.value_length", t.head_dim);
    made.number("gemma3.attention.sliding_window", t.sliding_window);
    let slides: Vec<Vec<u8>> =
        t.layers.iter().map(|kind| vec![u8::from(*kind == LayerKind::Sliding)]).collect();
    made.array("gemma3.attention.sliding_window_pattern", ValueKind::Flag, &slides);
    made.float("gemma3.rope.scaling.factor", t.rope_global.factor);
    if style == Style::Ollama {
        made.float("gemma3.rope.global.freq_base", t.rope_global.theta);
        made.float("gemma3.rope.local.freq_base", t.rope_sliding.theta);
    } else {
        made.text("gemma3.rope.scaling.type", "linear");
        made.float("gemma3.rope.freq_base", t.rope_global.theta);
        made.float("gemma3.rope.freq_base_swa", t.rope_sliding.theta);
        made.float("gemma3.attention.layer_norm_rms_epsilon", f64::from(t.rms_norm_eps));
    }
    words(files, t.vocab_size, &mut made);
    made
}

/// The vocabulary as converters write it, padded to the rows of the table.
fn words(files: &ModelFiles, rows: usize, made: &mut Made) {
    let json = files.read("tokenizer.json").expect("readable").expect("a tokenizer");
    let json: Json = serde_json::from_slice(&json).expect("JSON");
    let mut tokens: Vec<String> = (0..rows).map(|i| format!("[PAD{i}]")).collect();
    let mut kinds = vec![5i32; rows];
    let plain = json["model"]["vocab"].as_object().expect("a vocabulary").iter();
    let plain = plain.map(|(text, id)| (text.as_str(), id.as_u64(), 1));
    let added = json["added_tokens"].as_array().expect("a list").iter();
    let added = added.map(|a| (a["content"].as_str().expect("a text"), a["id"].as_u64(), 3));
    for (text, id, kind) in plain.chain(added) {
        let id = id.expect("an id") as usize;
        if id < rows {
            tokens[id] = text.to_owned();
            kinds[id] = kind;
        }
    }
    made.text("tokenizer.ggml.model", "llama");
    made.texts("tokenizer.ggml.tokens", &tokens);
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_le_bytes().to_vec()).collect();
    made.array("tokenizer.ggml.token_type", ValueKind::I32, &kinds);
    let scores: Vec<_> = (0..rows).map(|i| (-(i as f32)).to_le_bytes().to_vec()).collect();
    made.array("tokenizer.ggml.scores", ValueKind::F32, &scores);
    for (key, text) in [("bos", "<bos>"), ("eos", "<eos>"), ("padding", "<pad>"), ("unknown", "<unk>")] {
        let id = tokens.iter().position(|token| token == text).expect("a token of the family");
        made.number(&format!("tokenizer.ggml.{key}_token_id"), id);
    }
    made.flag("tokenizer.ggml.add_space_prefix", false);
    let template = files.read("chat_template.jinja").expect("readable").expect("a template");
    made.text("tokenizer.chat_template", std::str::from_utf8(&template).expect("UTF-8"));
}

/// The tower's keys: in a file of their own, or among those of the text model.
fn tower_settings(config: &ModelConfig, text: &mut Made, style: Style) -> Option<Made> {
    let images = config.images.as_ref().expect("a model that takes pictures");
    let v = &images.vision;
    let mut beside = Made::default();
    let (made, at) = match style {
        Style::Ollama => (text, "gemma3.vision."),
        _ => (&mut beside, "clip.vision."),
    };
    for (key, n) in [
        ("image_size", v.image_size),
        ("patch_size", v.patch_size),
        ("embedding_length", v.hidden_size),
        ("feed_forward_length", v.intermediate_size),
        ("block_count", v.n_layers),
        ("attention.head_count", v.n_heads),
    ] {
        made.number(&format!("{at}{key}"), n);
    }
    made.float(&format!("{at}attention.layer_norm_epsilon"), f64::from(v.layer_norm_eps));
    if style == Style::Ollama {
        made.number("gemma3.vision.num_channels", 3);
        made.number("gemma3.mm.tokens_per_image", images.tokens_per_image);
        return None;
    }
    made.text("general.architecture", "clip");
    made.flag("clip.has_vision_encoder", true);
    made.text("clip.projector_type", "gemma3");
    made.flag("clip.use_gelu", true);
    made.number("clip.vision.projection_dim", config.text.hidden_size);
    made.number("clip.vision.projector.scale_factor", images.pool_kernel());
    let half = vec![0.5f32.to_le_bytes().to_vec(); 3];
    made.array("clip.vision.image_mean", ValueKind::F32, &half);
    made.array("clip.vision.image_std", ValueKind::F32, &half);
    Some(beside)
}
