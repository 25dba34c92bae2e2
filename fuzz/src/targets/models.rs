//! A model folder's files: settings, weights and their index.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use lightbox_models::ModelFiles;
use lightbox_models::config::{ImageProcessor, ModelConfig, check_processor, generation};
use lightbox_models::weights::{Catalogue, Header, INDEX, SINGLE, expected};

use super::Target;

const TEXT: Target = Target {
    name: "",
    run: |_| (),
    seeds: Vec::new,
    words: &[
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"\"\"",
        b"1e400",
        b"-1",
        b"\"model_type\"",
        b"\"text_config\"",
        b"\"vision_config\"",
        b"\"layer_types\"",
        b"\"rope_scaling\"",
        b"\"rope_parameters\"",
        b"\"sliding_attention\"",
        b"\"full_attention\"",
        b"\"head_dim\"",
        b"\\u0000",
        b"\\ud800",
    ],
    repair: None,
    memory_limit_bytes: 16 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(2),
};

/// `config.json`.
pub const CONFIG: Target = Target { name: "config", run: config, seeds: configs, ..TEXT };

/// `generation_config.json`.
pub const GENERATION: Target = Target {
    name: "generation",
    run: |bytes| heard(generation::parse(bytes).err()),
    seeds: || {
        texts(&[
            r#"{"bos_token_id": 2, "eos_token_id": [1, 106], "top_k": 64, "top_p": 0.95, "do_sample": true}"#,
        ])
    },
    ..TEXT
};

/// `preprocessor_config.json`, and the same bytes as `processor_config.json`.
pub const PREPROCESSOR: Target = Target {
    name: "preprocessor",
    run: |bytes| {
        heard(ImageProcessor::parse(bytes).err());
        heard(check_processor(bytes).err());
    },
    seeds: || {
        texts(&[
            r#"{"image_seq_length": 256, "processor_class": "Gemma3Processor"}"#,
            r#"{"do_convert_rgb": null, "do_normalize": true, "do_pan_and_scan": null, "do_rescale": true,
            "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "Gemma3ImageProcessor",
            "image_seq_length": 256, "image_std": [0.5, 0.5, 0.5], "resample": 2, "rescale_factor": 0.00392156862745098,
            "size": {"height": 896, "width": 896}}"#,
        ])
    },
    ..TEXT
};

/// A whole safetensors file: the header's length, the header, the data.
pub const SAFETENSORS: Target = Target {
    name: "safetensors",
    run: safetensors,
    seeds: weight_files,
    words: &[
        b"\"dtype\"",
        b"\"shape\"",
        b"\"data_offsets\"",
        b"\"__metadata__\"",
        b"\"BF16\"",
        b"\"F16\"",
        b"\"F32\"",
        b"\"I64\"",
        b"18446744073709551615",
        b"4294967296",
        b"[0,0]",
    ],
    ..TEXT
};

/// `model.safetensors.index.json` beside two shards.
pub const SHARDS: Target = Target {
    name: "shards",
    run: shards,
    seeds: || {
        texts(&[
            r#"{"metadata": {"total_size": 24}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}"#,
            r#"{"weight_map": {"a": "../one.safetensors", "b": "/etc/passwd"}}"#,
        ])
    },
    words: &[b"\"weight_map\"", b"../", b"/", b"\\u0000", b"one.safetensors", b"\"a\"", b"\"metadata\""],
    ..TEXT
};

/// A refusal has words.
fn heard(error: Option<lightbox_models::Error>) {
    if let Some(error) = error {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
}

fn texts(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Settings that are accepted have shapes that can be counted without overflow.
fn config(bytes: &[u8]) {
    match ModelConfig::parse(bytes) {
        Ok(config) => {
            let text = &config.text;
            assert!(text.q_width() > 0 && text.kv_width() > 0);
            // The list of tensors that a folder is compared with: its length is the settings' to say.
            assert!(!expected(&config).is_empty());
        }
        Err(error) => heard(Some(error)),
    }
}

fn configs() -> Vec<Vec<u8>> {
    let text = r#""vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 6,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "query_pre_attn_scalar": 16,
        "sliding_window": 8, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rms_norm_eps": 1e-06,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "max_position_embeddings": 512,
        "hidden_activation": "gelu_pytorch_tanh", "attention_bias": false"#;
    let vision = r#""hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 56, "patch_size": 14, "num_channels": 3, "layer_norm_eps": 1e-06,
        "hidden_act": "gelu_pytorch_tanh", "model_type": "siglip_vision_model", "vision_use_head": false"#;
    texts(&[
        &format!(r#"{{"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", {text}}}"#),
        &format!(
            r#"{{"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "boi_token_index": 5,
            "eoi_token_index": 6, "image_token_index": 7, "eos_token_id": [1, 106], "mm_tokens_per_image": 4,
            "initializer_range": 0.02, "torch_dtype": "bfloat16",
            "text_config": {{"model_type": "gemma3_text", {text}}}, "vision_config": {{{vision}}}}}"#
        ),
    ])
}

/// The worker's folder for temporary files, with the two shards; made once, removed by the parent.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir();
        for (name, tensor) in [("one.safetensors", "a"), ("two.safetensors", "b")] {
            std::fs::write(folder.join(name), weight_file(tensor)).expect("a short file can be written");
        }
        folder
    })
}

fn safetensors(bytes: &[u8]) {
    std::fs::write(folder().join(SINGLE), bytes).expect("a short file can be written");
    let files = ModelFiles::folder(folder().clone()).expect("the folder is there");
    match Header::read(&files, SINGLE) {
        Ok(header) => {
            for entry in &header.entries {
                let end = entry.offset.checked_add(entry.len);
                assert!(
                    end.is_some_and(|end| end <= bytes.len() as u64),
                    "{} lies outside its file",
                    entry.name
                );
            }
        }
        Err(error) => heard(Some(error)),
    }
}

fn shards(bytes: &[u8]) {
    std::fs::write(folder().join(INDEX), bytes).expect("a short file can be written");
    let files = ModelFiles::folder(folder().clone()).expect("the folder is there");
    heard(Catalogue::open(&files).err());
}

fn weight_files() -> Vec<Vec<u8>> {
    vec![weight_file("a"), weight_file("language_model.model.embed_tokens.weight")]
}

/// One bf16 matrix and one f32 vector.
fn weight_file(name: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"__metadata__":{{"format":"pt"}},"{name}":{{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}},"{name}.scale":{{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}}}"#
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend([0; 24]);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_seeds_are_understood() {
        for seed in configs() {
            ModelConfig::parse(&seed).expect("settings of a Gemma 3");
        }
        for seed in (GENERATION.seeds)() {
            generation::parse(&seed).expect("settings of generation");
        }
        for seed in (PREPROCESSOR.seeds)() {
            ImageProcessor::parse(&seed).expect("settings of pictures");
        }
        for seed in weight_files() {
            let json = seed[8..seed.len() - 24].to_vec();
            let header = Header::parse("seed", json, seed.len() as u64).expect("a header");
            assert_eq!(header.entries.len(), 2);
        }
    }
}
