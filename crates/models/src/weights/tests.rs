//! Folders of weights: whole, in shards, in every naming, and in every way that they must not be.

use lightbox_kernels::Dtype;
use serde_json::{Map, Value, json};

use super::*;

/// A stored tensor: name, type, sizes.
type Stored = (String, &'static str, Vec<usize>);

fn config(more: &Value) -> ModelConfig {
    let mut config = json!({
        "model_type": "gemma3_text", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "vocab_size": 5
    });
    for (key, value) in more.as_object().expect("an object") {
        config[key] = value.clone();
    }
    ModelConfig::parse(config.to_string().as_bytes()).expect("a sound configuration")
}

/// What `config` asks for, as it would be stored in bf16.
fn whole(config: &ModelConfig) -> Vec<Stored> {
    expected(config).into_iter().map(|e| (e.name, "BF16", e.shape)).collect()
}

/// A file of these tensors; sample `i` of the data is `i` modulo 251.
fn file(tensors: &[Stored]) -> Vec<u8> {
    let mut header = Map::new();
    let mut position = 0;
    for (name, dtype, shape) in tensors {
        let size = if *dtype == "F32" { 4 } else { 2 };
        let end = position + size * shape.iter().product::<usize>();
        header.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": [position, end]}));
        position = end;
    }
    let header = Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend((0..position).map(|i| (i % 251) as u8));
    bytes
}

fn index(map: &[(&str, &str)]) -> Vec<u8> {
    let map: Map<String, Value> = map.iter().map(|(t, f)| ((*t).to_owned(), json!(f))).collect();
    json!({"metadata": {"total_size": 1}, "weight_map": map}).to_string().into_bytes()
}

fn folder(files: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, ModelFiles) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).expect("a small file");
    }
    let files = ModelFiles::folder(dir.path()).expect("it was just made");
    (dir, files)
}

/// Every name of a multimodal model in each of the namings that files have had.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned(), format!("model.{name}")];
    for (start, old) in
        [("language_model.", "language_model.model."), ("vision_tower.", "vision_tower.vision_model.")]
    {
        if let Some(rest) = name.strip_prefix(start) {
            all.extend([format!("{old}{rest}"), format!("model.{old}{rest}")]);
        }
    }
    if let Some(rest) = name.strip_prefix("language_model.") {
        all.extend([rest.to_owned(), format!("model.{rest}")]);
    }
    if name == HEAD {
        all.push(format!("language_model.{name}"));
    }
    all
}

#[test]
fn any_mixture_of_namings_is_the_same_model() {
    let config = ModelConfig::parse(
        br#"{"model_type":"gemma3","mm_tokens_per_image":4,"tie_word_embeddings":false,
            "text_config":{"hidden_size":8,"intermediate_size":6,"num_hidden_layers":2,"num_attention_heads":2,
            "num_key_value_heads":1,"head_dim":4,"vocab_size":5},"vision_config":{"hidden_size":4,
            "intermediate_size":6,"num_hidden_layers":2,"num_attention_heads":2,"image_size":8,"patch_size":2}}"#,
    )
    .expect("a sound configuration");
    let mut generator = crate::sampling::Generator::new(3);
    for _ in 0..25 {
        let mut tensors = whole(&config);
        for (name, ..) in &mut tensors {
            let all = spellings(name);
            assert!(all.iter().all(|s| canonical(s) == *name), "{all:?}");
            *name = all[generator.next_u64() as usize % all.len()].clone();
        }
        let (_dir, files) = folder(&[(SINGLE, file(&tensors))]);
        let catalogue = Catalogue::open(&files).expect("sound");
        catalogue.check(&config).expect("nothing is missing or left over");
        assert_eq!(catalogue.tensors().count(), tensors.len());
    }
}

#[test]
fn shards_together_are_the_whole() {
    let config = config(&json!({}));
    let tensors = whole(&config);
    let (first, second) = tensors.split_at(7);
    let names = |part: &[Stored], file: &'static str| -> Vec<(String, &'static str)> {
        part.iter().map(|(name, ..)| (name.clone(), file)).collect()
    };
    let map = [names(first, "a.safetensors"), names(second, "b.safetensors")].concat();
    let map: Vec<(&str, &str)> = map.iter().map(|(t, f)| (t.as_str(), *f)).collect();
    let shards = [("a.safetensors", file(first)), ("b.safetensors", file(second)), (INDEX, index(&map))];
    let (_dir, files) = folder(&shards);
    let catalogue = Catalogue::open(&files).expect("sound");
    catalogue.check(&config).expect("nothing is missing or left over");
    assert_eq!(catalogue.bytes_on_disk(), (shards[0].1.len() + shards[1].1.len()) as u64);
    assert_eq!(catalogue.dtypes(), [("BF16".to_owned(), tensors.len())].into());
    let last = catalogue.get("language_model.norm.weight").expect("it is there");
    assert_eq!(last.file, "b.safetensors");
}

#[test]
fn an_index_that_does_not_hold_is_refused() {
    let tensor = |name: &str| (name.to_owned(), "F32", vec![1]);
    let shard = file(&[tensor("a"), tensor("b")]);
    type Content<'a> = Vec<(&'a str, Vec<u8>)>;
    let table: [(Content<'_>, ErrorKind, &str); 14] = [
        (
            vec![("m-Q4_K_M.gguf", vec![0])],
            ErrorKind::Files,
            "m-Q4_K_M.gguf is a model of its own: name that file",
        ),
        (vec![("pytorch_model.bin", vec![0])], ErrorKind::Files, "pytorch_model.bin is of a format"),
        (vec![], ErrorKind::Files, "neither model.safetensors nor model.safetensors.index.json"),
        (vec![(INDEX, b"{".to_vec())], ErrorKind::Weights, "not valid JSON"),
        (vec![(INDEX, b"[]".to_vec())], ErrorKind::Config, "expected a JSON object"),
        (vec![(INDEX, b"{}".to_vec())], ErrorKind::Weights, "expected an object weight_map"),
        (vec![(INDEX, index(&[]))], ErrorKind::Weights, "weight_map names no tensor"),
        (vec![(INDEX, b"{\"weight_map\":{},\"more\":1}".to_vec())], ErrorKind::Config, "unknown key more"),
        (
            vec![(INDEX, index(&[("a", "../x.safetensors")]))],
            ErrorKind::Weights,
            "tensor a: expected the name of a",
        ),
        (
            vec![(INDEX, index(&[("a", "/x.safetensors")]))],
            ErrorKind::Weights,
            "tensor a: expected the name of a",
        ),
        (vec![(INDEX, index(&[("a", "x.bin")]))], ErrorKind::Weights, "tensor a: expected the name of a"),
        (
            vec![(INDEX, index(&[("a", "x.safetensors")]))],
            ErrorKind::Files,
            "no x.safetensors, which model.safetensors.index.json lists for 1 tensors",
        ),
        (
            vec![
                (INDEX, index(&[("a", "x.safetensors"), ("b", "x.safetensors"), ("c", "x.safetensors")])),
                ("x.safetensors", shard.clone()),
            ],
            ErrorKind::Weights,
            "tensor c: listed for, but not in, x.safetensors",
        ),
        (
            vec![(INDEX, index(&[("a", "x.safetensors")])), ("x.safetensors", shard)],
            ErrorKind::Weights,
            "tensor b: not listed, but in, x.safetensors",
        ),
    ];
    for (content, kind, message) in table {
        let (_dir, files) = folder(&content);
        let error = Catalogue::open(&files).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn a_tensor_stored_twice_under_two_names_is_refused() {
    let shape = vec![5, 8];
    let tensors = [
        ("model.embed_tokens.weight".to_owned(), "BF16", shape.clone()),
        ("language_model.model.embed_tokens.weight".to_owned(), "BF16", shape),
    ];
    let (_dir, files) = folder(&[(SINGLE, file(&tensors))]);
    let error = Catalogue::open(&files).expect_err("twice");
    let message = "tensor language_model.model.embed_tokens.weight in model.safetensors is the same as model.embed_tokens.weight";
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn tensors_that_do_not_fit_the_configuration_are_named() {
    let config = config(&json!({}));
    let change = |at: &str, shape: &[usize], dtype: &'static str| {
        let mut tensors = whole(&config);
        let found = tensors.iter_mut().find(|(name, ..)| name == at).expect("it is asked for");
        (found.1, found.2) = (dtype, shape.to_vec());
        tensors
    };
    let q = "language_model.layers.1.self_attn.q_proj.weight";
    let without: Vec<Stored> = whole(&config).into_iter().filter(|(name, ..)| name != q).collect();
    let extra = |name: &str| [whole(&config), vec![(name.to_owned(), "F32", vec![3])]].concat();
    let table = [
        (change(q, &[8, 9], "BF16"), Some("q_proj.weight: expected shape [8, 8], found [8, 9]")),
        (change(q, &[8, 8], "I16"), Some("q_proj.weight: expected type BF16, F16 or F32, found I16")),
        (change(q, &[8, 8], "F16"), None),
        (without, Some("tensor language_model.layers.1.self_attn.q_proj.weight [8, 8] is missing")),
        (
            extra("model.layers.2.mlp.up_proj.weight"),
            Some("unexpected tensor model.layers.2.mlp.up_proj.weight [3]"),
        ),
        (extra("score.weight"), Some("unexpected tensor score.weight [3]")),
        (extra("model.layers.0.self_attn.rotary_emb.inv_freq"), None),
        (extra("vision_tower.head.probe"), Some("unexpected tensor vision_tower.head.probe")),
    ];
    for (tensors, message) in table {
        let (_dir, files) = folder(&[(SINGLE, file(&tensors))]);
        let result = Catalogue::open(&files).expect("a sound file").check(&config);
        match message {
            None => result.expect("it fits"),
            Some(message) => {
                let error = result.expect_err(message);
                assert_eq!(error.kind(), ErrorKind::Weights);
                assert!(error.to_string().contains(message), "{error}");
            }
        }
    }
}

#[test]
fn a_head_is_the_table_or_its_own_as_the_settings_say() {
    let tied = config(&json!({}));
    let untied = config(&json!({"tie_word_embeddings": false}));
    let bare = whole(&tied);
    // The bytes of a file count up with a period of 251, and a table has 80: as the first of two it is never the second.
    let with_head = [vec![(HEAD.to_owned(), "BF16", vec![5, 8])], bare.clone()].concat();
    let head_alone: Vec<Stored> = with_head.iter().filter(|(name, ..)| name != EMBEDDING).cloned().collect();
    let table: [(&ModelConfig, &Vec<Stored>, std::result::Result<bool, &str>); 5] = [
        (&tied, &bare, Ok(false)),
        (&tied, &head_alone, Ok(false)),
        (&tied, &with_head, Err("config.json says that it is")),
        (&untied, &with_head, Ok(true)),
        (&untied, &bare, Err("tensor lm_head.weight [5, 8] is missing")),
    ];
    for (config, tensors, own) in table {
        let (_dir, files) = folder(&[(SINGLE, file(tensors))]);
        let catalogue = Catalogue::open(&files).expect("a sound file");
        let found = catalogue
            .check(config)
            .and_then(|()| Reader::new(&files, &catalogue, &mut |_, _| {}).has_own_head(config));
        match own {
            Ok(own) => assert_eq!(found.expect("sound"), own),
            Err(message) => {
                let error = found.expect_err(message);
                assert!(error.to_string().contains(message), "{error}");
            }
        }
    }
    // The same bytes twice are one table.
    let mut twice = file(&with_head);
    let start =
        twice.len() - with_head.iter().map(|(_, _, s)| 2 * s.iter().product::<usize>()).sum::<usize>();
    twice.copy_within(start..start + 80, start + 80);
    let (_dir, files) = folder(&[(SINGLE, twice)]);
    let catalogue = Catalogue::open(&files).expect("a sound file");
    catalogue.check(&tied).expect("a copy is allowed");
    let own = Reader::new(&files, &catalogue, &mut |_, _| {}).has_own_head(&tied);
    assert!(!own.expect("the same bytes"));
}

#[test]
fn the_digest_tells_models_apart() {
    let config = config(&json!({"hidden_size": 2000, "vocab_size": 50}));
    let base = file(&whole(&config));
    let digest_of = |weights: &[u8], settings: &[u8]| {
        let (_dir, files) = folder(&[(SINGLE, weights.to_vec()), ("tokenizer.json", settings.to_vec())]);
        digest(&files, &Catalogue::open(&files).expect("a sound file")).expect("readable")
    };
    let first = digest_of(&base, b"{}");
    assert_eq!(first, digest_of(&base, b"{}"), "where the folder lies does not matter");
    assert_ne!(first, digest_of(&base, b"{ }"));
    let mut end = base.clone();
    *end.last_mut().expect("not empty") ^= 1;
    assert_ne!(first, digest_of(&end, b"{}"));
}

#[test]
fn numbers_are_read_as_they_were_stored() {
    let tensors = [
        ("a".to_owned(), "F32", vec![2]),
        ("b".to_owned(), "BF16", vec![2]),
        ("c".to_owned(), "F16", vec![2]),
        ("m".to_owned(), "F32", vec![2, 1, 2]),
    ];
    let mut bytes = file(&tensors);
    let data: Vec<u8> = [
        [1.5f32.to_le_bytes(), (-0.0f32).to_le_bytes()].concat(),
        [half::bf16::from_f32(3.0).to_le_bytes(), half::bf16::from_f32(-2.5).to_le_bytes()].concat(),
        [half::f16::from_f32(0.1).to_le_bytes(), half::f16::MIN_POSITIVE_SUBNORMAL.to_le_bytes()].concat(),
        [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect(),
    ]
    .concat();
    let start = bytes.len() - data.len();
    bytes[start..].copy_from_slice(&data);
    let (_dir, files) = folder(&[(SINGLE, bytes)]);
    let catalogue = Catalogue::open(&files).expect("a sound file");
    let mut seen = Vec::new();
    let mut on_progress = |done, total| seen.push((done, total));
    let mut reader = Reader::new(&files, &catalogue, &mut on_progress);
    assert_eq!(reader.vector("a").expect("there"), [1.5, -0.0]);
    assert_eq!(reader.norm("b").expect("there"), [4.0, -1.5]);
    assert_eq!(reader.vector("c").expect("there"), [half::f16::from_f32(0.1).to_f32(), 2f32.powi(-24)]);
    for (matrix, rows) in [
        (reader.matrix("m").expect("there"), [[1.0, 2.0], [3.0, 4.0]]),
        (reader.projection("m", 2, 2).expect("there"), [[1.0, 3.0], [2.0, 4.0]]),
    ] {
        let mut row = [0.0; 2];
        for (i, expected) in rows.iter().enumerate() {
            matrix.row_into(i, &mut row).expect("two rows of two");
            assert_eq!(row, *expected);
        }
    }
    let rounded = reader.requantized("m", [20, 32], Dtype::Q8_0).expect("there is room");
    let mut row = [f32::NAN; 32];
    for (i, expected) in [(0, [1.0, 2.0]), (1, [3.0, 4.0]), (2, [0.0; 2]), (19, [0.0; 2])] {
        rounded.row_into(i, &mut row).expect("twenty rows of 32");
        assert!(row.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.02), "{row:?}");
        assert_eq!(row[2..], [0.0; 30]);
    }
    let error = reader.requantized("m", [1, 32], Dtype::Q8_0).expect_err("two rows");
    assert!(error.to_string().contains("at most 1 × 32 values, found 2 × 2"), "{error}");
    let error = reader.vector("z").expect_err("missing");
    assert!(error.to_string().contains("tensor z is missing"), "{error}");
    assert_eq!(seen.last(), Some(&(8 + 4 + 4 + 16 + 16 + 16, 32)), "the matrix was read three times");
}
