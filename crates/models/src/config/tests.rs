//! `config.json` of the family's own files, of every spelling, and of files that must not be believed.

use serde_json::{Value, json};

use super::*;

/// The 4B model as its file on the hub says it.
fn hub_4b() -> Value {
    let mut layers = vec!["sliding_attention"; 34];
    for i in [5, 11, 17, 23, 29] {
        layers[i] = "full_attention";
    }
    json!({
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
        "boi_token_index": 255_999, "eoi_token_index": 256_000, "image_token_index": 262_144,
        "eos_token_id": [1, 106], "mm_tokens_per_image": 256, "initializer_range": 0.02,
        "torch_dtype": "bfloat16", "transformers_version": "4.54.0.dev0",
        "text_config": {
            "attention_bias": false, "attention_dropout": 0.0, "attn_logit_softcapping": null,
            "final_logit_softcapping": null, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
            "hidden_size": 2560, "initializer_range": 0.02, "intermediate_size": 10240, "layer_types": layers,
            "max_position_embeddings": 131_072, "model_type": "gemma3_text", "num_attention_heads": 8,
            "num_hidden_layers": 34, "num_key_value_heads": 4, "query_pre_attn_scalar": 256,
            "rms_norm_eps": 1e-6, "rope_local_base_freq": 10000.0,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "rope_theta": 1_000_000.0,
            "sliding_window": 1024, "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 262_208
        },
        "vision_config": {
            "attention_dropout": 0.0, "hidden_act": "gelu_pytorch_tanh", "hidden_size": 1152, "image_size": 896,
            "intermediate_size": 4304, "layer_norm_eps": 1e-6, "model_type": "siglip_vision_model",
            "num_attention_heads": 16, "num_channels": 3, "num_hidden_layers": 27, "patch_size": 14,
            "torch_dtype": "bfloat16", "vision_use_head": false
        }
    })
}

fn parse(value: &Value) -> Result<ModelConfig> {
    ModelConfig::parse(value.to_string().as_bytes())
}

/// `base` with the value at a path such as `text_config.head_dim` set.
fn with(base: &Value, path: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let pointer = format!("/{}", path.replace('.', "/"));
    let (parent, key) = pointer.rsplit_once('/').expect("a path has a key");
    let object = changed.pointer_mut(parent).and_then(Value::as_object_mut).expect("the parent is an object");
    object.insert(key.to_owned(), value);
    changed
}

fn without(base: &Value, object: &str, keys: &[&str]) -> Value {
    let mut changed = base.clone();
    let map = changed.pointer_mut(object).and_then(Value::as_object_mut).expect("an object");
    for key in keys {
        map.shift_remove(*key).expect("the key was there");
    }
    changed
}

#[test]
fn the_4b_file_is_understood_in_full() {
    let config = parse(&hub_4b()).expect("the family's own file");
    let text = &config.text;
    assert_eq!((text.hidden_size, text.n_heads, text.n_kv_heads, text.head_dim), (2560, 8, 4, 256));
    let global: Vec<usize> = (0..34).filter(|i| text.layers[*i] == LayerKind::Global).collect();
    assert_eq!(global, [5, 11, 17, 23, 29]);
    assert_eq!((text.rope_global.theta, text.rope_global.factor), (1e6, 8.0));
    assert_eq!((text.rope_sliding.theta, text.rope_sliding.factor), (1e4, 1.0));
    let images = config.images.as_ref().expect("it takes pictures");
    assert_eq!((images.vision.n_patches(), images.tokens_per_side(), images.pool_kernel()), (4096, 16, 4));
    assert_eq!((images.begin_token, images.end_token, images.image_token), (255_999, 256_000, 262_144));
    assert_eq!(config.eos_ids, [1, 106]);
    assert_eq!(config.head, HeadTie::Tied);
    assert_eq!(config.stated_dtype.as_deref(), Some("bfloat16"));
}

#[test]
fn every_spelling_of_the_same_model_is_the_same_configuration() {
    let base = hub_4b();
    let expected = parse(&base).expect("the family's own file");
    let rope = json!({
        "full_attention": {"factor": 8.0, "rope_theta": 1_000_000.0, "rope_type": "linear"},
        "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}
    });
    let old = ["rope_theta", "rope_local_base_freq", "rope_scaling"];
    let rope_of_5 = with(&without(&base, "/text_config", &old), "text_config.rope_parameters", rope.clone());
    let named_types = without(&base, "/text_config", &["layer_types"]);
    let new_ids = with(&without(&base, "", &["image_token_index"]), "image_token_id", json!(262_144));
    let table = [
        ("version 5's rotary settings", rope_of_5),
        ("both rotary settings, in agreement", with(&base, "text_config.rope_parameters", rope)),
        ("the older key of the rotary type", {
            with(&base, "text_config.rope_scaling", json!({"factor": 8.0, "type": "linear"}))
        }),
        ("no layer types", named_types.clone()),
        (
            "a pattern in place of layer types",
            with(&named_types, "text_config.sliding_window_pattern", json!(6)),
        ),
        ("rotary bases left to the defaults", without(&base, "/text_config", &old[..2])),
        ("defaults of the image tokens", without(&base, "", &["boi_token_index", "mm_tokens_per_image"])),
        ("the newer names of the tokens", new_ids),
        ("dtype by its new name", with(&without(&base, "", &["torch_dtype"]), "dtype", json!("bfloat16"))),
        ("tied, said twice", with(&base, "text_config.tie_word_embeddings", json!(true))),
        ("numbers as floats", with(&base, "text_config.query_pre_attn_scalar", json!(256.0))),
        ("a patch size as a pair", with(&base, "vision_config.patch_size", json!([14, 14]))),
        ("keys of no consequence", with(&base, "text_config.unsloth_version", json!("2025.7"))),
    ];
    for (what, value) in table {
        assert_eq!(parse(&value).unwrap_or_else(|e| panic!("{what}: {e}")), expected, "{what}");
    }
}

#[test]
fn a_text_only_file_has_the_reference_s_defaults() {
    let config = parse(&json!({"model_type": "gemma3_text"})).expect("all keys have defaults");
    assert_eq!(config.architecture, "Gemma3ForCausalLM");
    assert!(config.images.is_none());
    let text = &config.text;
    assert_eq!(
        (text.hidden_size, text.layers.len(), text.sliding_window, text.vocab_size),
        (2304, 26, 4096, 262_208)
    );
    assert_eq!((text.rope_global.factor, text.rope_global.theta, text.rope_sliding.theta), (1.0, 1e6, 1e4));
    let untied = parse(&json!({"model_type": "gemma3_text", "tie_word_embeddings": false})).expect("sound");
    assert_eq!(untied.head, HeadTie::Untied);
}

#[test]
fn the_27b_scale_is_the_file_s_own() {
    let mut value = hub_4b();
    for (key, number) in [
        ("hidden_size", 5376),
        ("num_attention_heads", 32),
        ("num_key_value_heads", 16),
        ("head_dim", 128),
        ("query_pre_attn_scalar", 168),
    ] {
        value = with(&value, &format!("text_config.{key}"), json!(number));
    }
    let text = parse(&value).expect("the shape of 27B").text;
    assert_eq!((text.query_pre_attn_scalar, text.q_width(), text.kv_width()), (168.0, 4096, 2048));
}

#[test]
fn what_would_change_the_computation_is_refused_with_its_name() {
    let base = hub_4b();
    let table = [
        ("model_type", json!("llama"), "config.json: model_type: expected gemma3"),
        ("architectures", json!(["Gemma3nForConditionalGeneration"]), "architectures: expected"),
        ("wholly_new", json!(1), "config.json: unknown key wholly_new with value 1"),
        ("text_config.wholly_new", json!([1]), "config.json: text_config: unknown key wholly_new"),
        ("vision_config.wholly_new", json!("x"), "config.json: vision_config: unknown key wholly_new"),
        ("text_config.model_type", json!("gemma2"), "text_config: model_type: expected"),
        ("text_config.attention_bias", json!(true), "attention_bias: expected false, found true"),
        (
            "text_config.final_logit_softcapping",
            json!(30.0),
            "final_logit_softcapping: expected no such setting",
        ),
        (
            "text_config.attn_logit_softcapping",
            json!(50.0),
            "attn_logit_softcapping: expected no such setting",
        ),
        ("text_config.hidden_activation", json!("silu"), "hidden_activation: expected"),
        (
            "text_config.use_bidirectional_attention",
            json!(true),
            "use_bidirectional_attention: expected false",
        ),
        ("text_config.attention_dropout", json!(0.1), "attention_dropout: expected 0"),
        (
            "text_config.rope_scaling",
            json!({"factor": 8.0, "rope_type": "yarn"}),
            "rope_scaling: rope_type: expected",
        ),
        (
            "text_config.rope_scaling",
            json!({"rope_type": "linear"}),
            "rope_scaling: factor: expected a number",
        ),
        (
            "text_config.rope_scaling",
            json!({"factor": 8.0, "rope_type": "linear", "beta": 1}),
            "rope_scaling: unknown key beta",
        ),
        (
            "text_config.rope_parameters",
            json!({"full_attention": {"rope_type": "default"}}),
            "rope_scaling and rope_parameters say different things",
        ),
        (
            "text_config.rope_parameters",
            json!({"sliding_attention": {"rope_type": "default", "rope_theta": 20000.0}}),
            "rope_local_base_freq and rope_parameters say different things",
        ),
        ("text_config.rope_theta", json!(0), "rope_theta: expected a number above 1"),
        ("text_config.layer_types", json!(["sliding_attention"]), "layer_types: expected 34 entries"),
        ("text_config.layer_types", json!(["chunked_attention"]), "layer_types: expected sliding_attention"),
        ("text_config.num_key_value_heads", json!(3), "expected a multiple of num_key_value_heads 3"),
        ("text_config.head_dim", json!(255), "head_dim: expected an even number"),
        ("text_config.hidden_size", json!(2561), "hidden_size: expected a multiple"),
        ("text_config.hidden_size", json!(-1), "hidden_size: expected a whole number from 1"),
        ("text_config.hidden_size", json!(u64::MAX), "hidden_size: expected a whole number from 1"),
        ("text_config.num_hidden_layers", json!(1_000_000), "num_hidden_layers: expected a whole number"),
        ("text_config.rms_norm_eps", json!(0), "rms_norm_eps: expected a number above zero"),
        (
            "text_config.rms_norm_eps",
            json!(1e-300),
            "rms_norm_eps: expected a number that is above zero and finite in 32 bits",
        ),
        (
            "text_config.rms_norm_eps",
            json!(1e300),
            "rms_norm_eps: expected a number that is above zero and finite in 32 bits",
        ),
        (
            "text_config.max_position_embeddings",
            json!(1 << 24),
            "max_position_embeddings: expected a whole number from 1 to 524288",
        ),
        ("min_length", json!(50), "min_length: expected 0, found 50"),
        ("prefix", json!("Answer:"), "prefix: expected no such setting"),
        ("text_config.query_pre_attn_scalar", json!(0), "query_pre_attn_scalar: expected"),
        ("text_config", json!(7), "text_config: expected a JSON object"),
        ("vision_config.num_channels", json!(1), "num_channels: expected 3, found 1"),
        ("vision_config.hidden_act", json!("quick_gelu"), "hidden_act: expected"),
        ("vision_config.patch_size", json!(2000), "patch_size: expected at most image_size"),
        ("vision_config.num_attention_heads", json!(7), "vision_config: hidden_size: expected a multiple"),
        (
            "mm_tokens_per_image",
            json!(255),
            "mm_tokens_per_image: expected a square number that pooling whole windows of the 64",
        ),
        (
            "mm_tokens_per_image",
            json!(121),
            "mm_tokens_per_image: expected a square number that pooling whole windows of the 64",
        ),
        ("image_token_index", json!(255_999), "also the token that begins or ends a picture"),
        ("boi_token_id", json!(7), "boi_token_index is 255999 but boi_token_id is 7"),
        ("torch_dtype", json!("float8_e4m3fn"), "torch_dtype: expected float32, float16 or bfloat16"),
        ("quantization_config", json!({"bits": 4}), "unknown key quantization_config"),
        ("per_layer_config", json!({"3": {}}), "unknown key per_layer_config"),
    ];
    for (path, value, message) in table {
        let error = parse(&with(&base, path, value.clone())).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(message), "{path} = {value}: {error}");
    }
    for (bytes, message) in
        [("", "not valid JSON"), ("[]", "expected a JSON object"), ("{}", "model_type: expected")]
    {
        let error = ModelConfig::parse(bytes.as_bytes()).expect_err(bytes);
        assert!(error.to_string().contains(message), "{bytes}: {error}");
    }
}
