//! Reports of sound, incomplete and broken folders.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/goldens");

/// A golden checkpoint with the tokenizer that all of them share.
fn folder(case: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for part in [case, "tokenizer"] {
        for entry in
            std::fs::read_dir(format!("{GOLDENS}/{part}")).expect("the goldens are in the repository")
        {
            let path = entry.expect("listed").path();
            std::fs::copy(&path, dir.path().join(path.file_name().expect("a file"))).expect("copied");
        }
    }
    dir
}

fn report(dir: &Path, name: &str) -> ModelReport {
    ModelReport::of(&ModelFiles::folder(dir).expect("a folder"), name)
}

#[test]
fn a_sound_folder_is_described_in_full() {
    let dir = folder("image-bf16");
    let report = report(dir.path(), "mine");
    assert_eq!(report.problems, Vec::<String>::new());
    assert!(report.is_usable());
    assert_eq!(report.variant.as_deref(), Some("Gemma 3 of 4 layers and width 40, multimodal"));
    assert_eq!(report.instruction_tuned, Some(true));
    assert_eq!(report.chat_template.as_deref(), Some("chat_template.jinja"));
    assert_eq!((report.vision_tower, report.projector), (Presence::Present, Presence::Present));
    assert_eq!(report.dtypes.keys().collect::<Vec<_>>(), ["BF16"]);
    assert_eq!(
        (report.context_tokens, report.image_size_px, report.tokens_per_image),
        (Some(1024), Some(56), Some(4))
    );
    assert_eq!(report.stop_tokens, ["<eos>", "<end_of_turn>"]);
    assert_eq!(report.can_think, Some(true));
    let parameters = report.parameters.expect("weights");
    // Two bytes each, and a header.
    let data = report.bytes_on_disk.expect("weights") - 2 * parameters.total();
    assert!((8..20_000).contains(&data), "{data} bytes of header");
    // Width 24, 16 patches: embeddings, two layers, the last norm; then its norm and projection to 40.
    let layer = 4 * (24 * 24 + 24) + 24 * 44 + 44 + 44 * 24 + 24 + 4 * 24;
    assert_eq!(parameters.vision, 24 * 588 + 24 + 16 * 24 + 2 * layer + 48);
    assert_eq!(parameters.projector, 24 + 24 * 40);
    let memory = report.memory.expect("weights");
    assert!(memory.weights_bytes >= 2 * parameters.total() && memory.weights_bytes < 4 * parameters.total());
    assert!(memory.usual_bytes > memory.weights_bytes + memory.cache_bytes_full_context);
    assert_eq!(report.fits, report.usable_memory_bytes.map(|usable| usable >= memory.usual_bytes));
    assert_eq!(report.digest.as_ref().map(String::len), Some(64));
    assert_eq!(report.terms, None);
    let value = serde_json::to_value(&report).expect("it serialises");
    assert_eq!(value["vision_tower"], json!("present"));
}

#[test]
fn the_cache_grows_as_the_global_layers_do() {
    let dir = folder("text-f32");
    let report = report(dir.path(), "mine");
    assert_eq!((report.vision_tower, report.projector), (Presence::NotAskedFor, Presence::NotAskedFor));
    // One global layer of two heads of 16, keys and values, f16.
    let growth = report.memory.expect("weights").cache_bytes_per_1000_tokens;
    assert!((128_000..135_000).contains(&growth), "{growth}");
}

#[test]
fn every_broken_file_is_a_problem_and_the_rest_is_still_told() {
    let cut = |name: &'static str, len: usize| {
        move |dir: &Path| {
            let bytes = std::fs::read(dir.join(name)).expect("it is there");
            std::fs::write(dir.join(name), &bytes[..len]).expect("written");
        }
    };
    let gone =
        |name: &'static str| move |dir: &Path| std::fs::remove_file(dir.join(name)).expect("it is there");
    let set = |name: &'static str, text: &'static str| {
        move |dir: &Path| std::fs::write(dir.join(name), text).expect("written")
    };
    let change = |pointer: &'static str, value: Value| {
        move |dir: &Path| {
            let path = dir.join("config.json");
            let mut config: Value =
                serde_json::from_slice(&std::fs::read(&path).expect("it is there")).expect("JSON");
            *config.pointer_mut(pointer).expect("it is there") = value.clone();
            std::fs::write(&path, config.to_string()).expect("written");
        }
    };
    type Damage = Box<dyn Fn(&Path)>;
    let table: Vec<(Damage, &str)> = vec![
        (Box::new(gone("config.json")), "no config.json"),
        (Box::new(set("config.json", "{}")), "config.json: model_type: expected"),
        (Box::new(gone("model.safetensors")), "neither model.safetensors nor model.safetensors.index.json"),
        (Box::new(cut("model.safetensors", 0)), "model.safetensors: expected at least 8 bytes, found 0"),
        (Box::new(cut("model.safetensors", 5000)), "model.safetensors: the header claims"),
        (Box::new(cut("model.safetensors", 200_000)), "model.safetensors: tensor"),
        (Box::new(gone("tokenizer.json")), "no tokenizer.json"),
        (Box::new(cut("tokenizer.json", 300)), "tokenizer.json: "),
        (Box::new(set("chat_template.jinja", "{% if %}")), "chat_template.jinja: syntax error"),
        (Box::new(set("generation_config.json", r#"{"num_beams":4}"#)), "num_beams: expected 1"),
        (Box::new(gone("preprocessor_config.json")), "neither preprocessor_config.json nor"),
        (
            Box::new(change("/text_config/vocab_size", json!(526))),
            "expected shape [526, 40], found [525, 40]",
        ),
        (Box::new(change("/text_config/vocab_size", json!(400))), "token"),
        (Box::new(change("/text_config/head_dim", json!(18))), "more tensors are missing, unexpected"),
    ];
    for (damage, message) in table {
        let dir = folder("image-bf16");
        damage(dir.path());
        let report = report(dir.path(), "mine");
        assert!(!report.is_usable());
        assert!(report.problems.iter().any(|p| p.contains(message)), "{message}: {:?}", report.problems);
        assert!(report.problems.len() <= MAX_TENSOR_PROBLEMS + 4, "{:?}", report.problems);
        // Whatever is broken, the other files are still read.
        let told = [report.architecture.is_some(), report.digest.is_some(), report.chat_template.is_some()];
        assert!(told.iter().filter(|t| **t).count() >= 2, "{message}: {told:?}");
    }
}

#[test]
fn a_folder_without_its_tower_says_so() {
    let dir = folder("text-f32");
    let tower = folder("image-bf16");
    for name in ["config.json", "preprocessor_config.json", "processor_config.json"] {
        std::fs::copy(tower.path().join(name), dir.path().join(name)).expect("copied");
    }
    let report = report(dir.path(), "mine");
    assert_eq!((report.vision_tower, report.projector), (Presence::Missing, Presence::Missing));
    assert!(report.problems.iter().any(|p| p.contains("vision_tower.embeddings.patch_embedding.weight")));
}

#[test]
fn terms_are_recognised_by_name_settings_or_readme() {
    let hai_def = "Health AI Developer Foundations Terms of Use";
    let table = [
        ("google/medgemma-1.5-4b-it", "", Some(hai_def)),
        ("./MedGemma-finetuned/", "", Some(hai_def)),
        ("google/gemma-3-4b-it", "", Some("Gemma Terms of Use")),
        ("./gemma/mine", "", None),
        ("mine", "---\nlicense: other\nlicense_name: health-ai-developer-foundations\n---\n", Some(hai_def)),
        ("mine", "---\nbase_model: google/medgemma-4b-it\n---\n", Some(hai_def)),
        ("mine", "a text about medgemma", None),
    ];
    for (name, readme, expected) in table {
        let dir = folder("text-f32");
        std::fs::write(dir.path().join("README.md"), readme).expect("written");
        assert_eq!(report(dir.path(), name).terms.map(|t| t.name), expected, "{name} {readme}");
    }
}
