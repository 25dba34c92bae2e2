//! Metadata that is left out takes the stated defaults; what is not understood is refused by name.

use super::made::{Made, Style, convert, golden};
use crate::Result;
use crate::config::{ImageProcessor, LayerKind, ModelConfig};
use crate::files::ModelFiles;
use crate::gguf::ValueKind;

/// A change to the text file and to the projector's.
type Change = fn(&mut Made, &mut Made);

fn config(style: Style, change: Change) -> Result<(ModelConfig, Option<ImageProcessor>)> {
    let (_dir, folder) = golden("image-bf16");
    let (mut text, projector) = convert(&folder, style);
    let mut other = projector.clone().unwrap_or_default();
    change(&mut text, &mut other);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = text.write(dir.path(), "t.gguf");
    let projector = projector.map(|_| other.write(dir.path(), "p.gguf"));
    let files = ModelFiles::gguf(path, projector)?;
    let config = ModelConfig::load(&files)?;
    let processor = config.images.as_ref().map(|images| ImageProcessor::load(&files, images)).transpose()?;
    Ok((config, processor))
}

fn sound(style: Style, change: Change) -> ModelConfig {
    config(style, change).expect("sound settings").0
}

#[test]
fn what_is_left_out_has_the_stated_defaults() {
    let kinds = |every: usize, n: usize| -> Vec<LayerKind> {
        (1..=n).map(|i| if i % every == 0 { LayerKind::Global } else { LayerKind::Sliding }).collect()
    };
    let bare: Change = |text, _| {
        for key in [
            "gemma3.attention.sliding_window_pattern",
            "gemma3.rope.freq_base",
            "gemma3.rope.freq_base_swa",
            "gemma3.rope.global.freq_base",
            "gemma3.rope.local.freq_base",
            "gemma3.attention.layer_norm_rms_epsilon",
            "gemma3.rope.scaling.type",
            "gemma3.rope.scaling.factor",
        ] {
            text.unset(key);
        }
    };
    for style in [Style::LlamaCpp, Style::Ollama] {
        let text = sound(style, bare).text;
        assert_eq!(text.layers, kinds(6, 4));
        assert_eq!((text.rope_sliding.theta, text.rope_sliding.factor), (1e4, 1.0));
        // A context of 1024 was not stretched.
        assert_eq!((text.rope_global.theta, text.rope_global.factor), (1e6, 1.0));
        assert_eq!((text.rms_norm_eps, text.query_pre_attn_scalar), (1e-6, 16.0));
    }
    let long: Change = |text, _| {
        text.unset("gemma3.rope.scaling.type");
        text.unset("gemma3.rope.scaling.factor");
        text.number("gemma3.context_length", 131_072);
    };
    assert_eq!(sound(Style::LlamaCpp, long).text.rope_global.factor, 8.0);
    let unstretched: Change = |text, _| {
        text.number("gemma3.context_length", 131_072);
        text.text("gemma3.rope.scaling.type", "none");
        text.unset("gemma3.rope.scaling.factor");
    };
    assert_eq!(sound(Style::LlamaCpp, unstretched).text.rope_global.factor, 1.0);
    let period: Change = |text, _| text.number("gemma3.attention.sliding_window_pattern", 2);
    assert_eq!(sound(Style::LlamaCpp, period).text.layers, kinds(2, 4));
}

#[test]
fn the_largest_size_scales_its_queries_by_its_width() {
    let largest: Change = |text, _| {
        text.number("gemma3.block_count", 62);
        for i in 0..62 {
            text.tensor(&format!("blk.{i}.more.weight"), &[1], &[0.0]);
        }
        text.unset("gemma3.attention.sliding_window_pattern");
    };
    // 40 over 4 heads, and not a head's 16.
    assert_eq!(sound(Style::LlamaCpp, largest).text.query_pre_attn_scalar, 10.0);
}

#[test]
fn pictures_are_prepared_as_the_projector_says() {
    let (_, processor) = config(Style::LlamaCpp, |_, _| {}).expect("sound");
    let processor = processor.expect("it takes pictures");
    assert_eq!((processor.size_px, processor.rescale), ([56, 56], 1.0 / 255.0));
    assert_eq!((processor.mean, processor.std), ([0.5; 3], [0.5; 3]));
    let other: Change = |_, projector| {
        let means = [0.25f32, 0.5, 0.75].map(|x| x.to_le_bytes().to_vec());
        projector.array("clip.vision.image_mean", ValueKind::F32, &means);
        projector.unset("clip.vision.image_std");
    };
    let processor = config(Style::LlamaCpp, other).expect("sound").1.expect("it takes pictures");
    assert_eq!((processor.mean, processor.std), ([0.25, 0.5, 0.75], [0.5; 3]));
    let inside = config(Style::Ollama, |_, _| {}).expect("sound").1.expect("it takes pictures");
    assert_eq!((inside.size_px, inside.mean, inside.std), ([56, 56], [0.5; 3], [0.5; 3]));
}

#[test]
fn a_table_without_a_row_for_the_soft_token_has_its_id_just_past_it() {
    // The vocabulary of 525 rows, cut to 508: the soft token is 508.
    let cut: Change = |text, _| {
        let width = 40 * 4;
        let table = text.at("token_embd.weight");
        table.2[0] = 508;
        table.3.truncate(508 * width);
    };
    let images = sound(Style::Ollama, cut).images.expect("it takes pictures");
    assert_eq!((images.begin_token, images.end_token, images.image_token), (505, 506, 508));
}

#[test]
fn what_is_not_understood_is_refused_with_file_key_and_value() {
    let llama = Style::LlamaCpp;
    let table: [(Style, Change, &str); 32] = [
        (
            llama,
            |t, _| t.unset("gemma3.block_count"),
            "t.gguf: gemma3.block_count: expected a whole number from 1 to 16384, found nothing",
        ),
        (
            llama,
            |t, _| t.text("gemma3.block_count", "34"),
            "gemma3.block_count: expected a whole number from 1 to 16384, found \"34\"",
        ),
        (
            llama,
            |t, _| t.number("gemma3.block_count", 5000),
            "gemma3.block_count: expected at most 54, as many tensors as there are, found 5000",
        ),
        (
            llama,
            |t, _| t.number("gemma3.feed_forward_length", 0),
            "gemma3.feed_forward_length: expected a whole number",
        ),
        (
            llama,
            |t, _| t.unset("gemma3.attention.sliding_window"),
            "gemma3.attention.sliding_window: expected",
        ),
        (llama, |t, _| t.unset("gemma3.attention.key_length"), "gemma3.attention.key_length: expected"),
        (
            llama,
            |t, _| t.number("gemma3.attention.value_length", 32),
            "gemma3.attention.value_length: expected 16, found 32",
        ),
        (
            llama,
            |t, _| t.number("gemma3.attention.head_count_kv", 3),
            "expected a multiple of num_key_value_heads 3, found 4",
        ),
        (
            llama,
            |t, _| t.float("gemma3.final_logit_softcapping", 30.0),
            "gemma3.final_logit_softcapping: expected 0, found 30",
        ),
        (
            llama,
            |t, _| t.float("gemma3.attn_logit_softcapping", 50.0),
            "gemma3.attn_logit_softcapping: expected 0, found 50",
        ),
        (
            llama,
            |t, _| t.text("gemma3.rope.scaling.type", "yarn"),
            "gemma3.rope.scaling.type: expected \"linear\" or \"none\", found \"yarn\"",
        ),
        (
            llama,
            |t, _| t.unset("gemma3.rope.scaling.factor"),
            "gemma3.rope.scaling.factor: expected a number from 1",
        ),
        (
            llama,
            |t, _| t.float("gemma3.rope.scaling.factor", 0.5),
            "gemma3.rope.scaling.factor: expected a number from 1",
        ),
        (
            llama,
            |t, _| t.float("gemma3.rope.freq_base", 1.0),
            "gemma3.rope.freq_base: expected a number above 1, found 1",
        ),
        (
            llama,
            |t, _| t.float("gemma3.rope.global.freq_base", 5e5),
            "gemma3.rope.global.freq_base: expected a number above 1 and equal to 1000000",
        ),
        (
            llama,
            |t, _| t.float("gemma3.attention.layer_norm_rms_epsilon", 0.0),
            "layer_norm_rms_epsilon: expected a number above zero",
        ),
        (
            llama,
            |t, _| t.array("gemma3.attention.sliding_window_pattern", ValueKind::Flag, &[vec![1], vec![0]]),
            "sliding_window_pattern: expected 4 entries",
        ),
        (llama, |t, _| t.number("gemma3.expert_count", 8), "unknown key gemma3.expert_count with value 8"),
        (
            llama,
            |t, _| t.tensors.retain(|(name, ..)| name != "token_embd.weight"),
            "tensor token_embd.weight is missing",
        ),
        (
            llama,
            |t, _| t.unset("tokenizer.ggml.tokens"),
            "tokenizer.ggml.tokens: expected an array of strings, found nothing",
        ),
        (
            llama,
            |t, _| t.texts("tokenizer.ggml.tokens", &vec!["a".to_owned(); 500]),
            "expected 525, a row of token_embd.weight each, found 500",
        ),
        (
            llama,
            |t, _| t.texts("tokenizer.ggml.tokens", &vec!["a".to_owned(); 530]),
            "expected 525, a row of token_embd.weight each, found 530",
        ),
        (
            llama,
            |t, _| t.texts("tokenizer.ggml.tokens", &vec!["a".to_owned(); 525]),
            "tokenizer.ggml.tokens: expected <start_of_image>",
        ),
        (llama, |_, p| p.flag("clip.use_gelu", false), "p.gguf: clip.use_gelu: expected true, found false"),
        (
            llama,
            |_, p| p.flag("clip.has_audio_encoder", true),
            "clip.has_audio_encoder: expected false, found true",
        ),
        (
            llama,
            |_, p| p.number("clip.vision.n_wa_pattern", 4),
            "unknown key clip.vision.n_wa_pattern with value 4",
        ),
        (llama, |_, p| p.text("clip.unheard_of", "x"), "unknown key clip.unheard_of with value \"x\""),
        (
            llama,
            |_, p| p.number("clip.vision.projector.scale_factor", 5),
            "clip.vision.projector.scale_factor: expected at most 4",
        ),
        (
            llama,
            |_, p| p.number("clip.vision.patch_size", 57),
            "patch_size: expected at most image_size 56, found 57",
        ),
        (
            llama,
            |_, p| p.float("clip.vision.image_std", 0.5),
            "clip.vision.image_std: expected an array, found 0.5",
        ),
        (
            Style::Ollama,
            |t, _| t.number("gemma3.vision.num_channels", 1),
            "gemma3.vision.num_channels: expected 3, found 1",
        ),
        (Style::Ollama, |t, _| t.number("gemma3.mm.tokens_per_image", 5), "expected a square number"),
    ];
    for (style, change, message) in table {
        let error = config(style, change).expect_err(message);
        assert!(error.to_string().contains(message), "expected {message:?}, found {error}");
    }
}
