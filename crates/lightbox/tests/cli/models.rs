//! Models by name, and model folders that are damaged: each with its message.

use std::path::Path;

use serde_json::json;

use crate::bench::Bench;
use crate::checkpoint::{WEIGHTS, copy, edit, edit_header, tensors};

const Q_PROJ: &str = "language_model.model.layers.0.self_attn.q_proj.weight";
const K_PROJ: &str = "language_model.model.layers.0.self_attn.k_proj.weight";

#[test]
fn a_name_that_leads_nowhere_says_where_was_looked() {
    let bench = Bench::new();
    bench.file("file.gguf", "GGUF");
    bench.file("file.bin", "weights");
    bench.file("empty/README.md", "nothing");
    for (name, words) in [
        (
            "google/medgemma-1.5-4b-it",
            ["not in the hub's cache", "lightbox models pull google/medgemma-1.5-4b-it"],
        ),
        ("medgemma", ["not a hub id", "lightbox models list"]),
        ("./absent", ["./absent", "no such model folder"]),
        ("file.bin", ["expected a file that begins with GGUF", "a folder in Hugging Face layout"]),
        ("file.gguf", ["file.gguf: the version: expected 4 bytes", "fetch it again"]),
        ("absent.gguf", ["absent.gguf", "no such file"]),
        ("ollama:medgemma", ["not in Ollama's store", "ollama pull"]),
        ("ollama:../x", ["expected a name of Ollama's", "ollama:medgemma1.5:4b"]),
        // A folder with one GGUF file and no settings is that file.
        (".", ["file.gguf: the version: expected 4 bytes", "fetch it again"]),
        ("empty", ["config.json", "no"]),
    ] {
        bench.run(["ask", "hello?", "--model", name]).expect(4, &words);
    }
}

#[test]
fn fetching_is_not_advised_where_it_is_forbidden() {
    let mut bench = Bench::new();
    bench.set("HF_HUB_OFFLINE", "1");
    let outcome = bench.line("ask hello? --model google/medgemma-1.5-4b-it");
    outcome
        .expect(4, &["not in the hub's cache", "HF_HUB_OFFLINE forbids", "copy its folder into that cache"]);
    let doctor = bench.line("doctor").stdout;
    assert!(doctor.contains("a model with medical knowledge: copy one into"), "{doctor}");
    for told in [outcome.stderr, doctor] {
        assert!(!told.contains("models pull"), "{told}");
    }
}

#[test]
fn a_check_always_has_a_line_on_the_terms() {
    let bench = Bench::new();
    for (name, words) in [
        ("phantom", "terms       none of its own: bundled"),
        ("some model", "terms       not known for this folder"),
        ("medgemma", "terms       Health AI Developer Foundations Terms of Use: https://"),
    ] {
        if name != "phantom" {
            copy(&bench, name);
        }
        let outcome = bench.run(["models", "check", if name == "medgemma" { "./medgemma" } else { name }]);
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
}

#[test]
fn a_model_in_the_hubs_cache_is_found_by_its_id() {
    let bench = Bench::new();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let repo = ".cache/huggingface/hub/models--test--phantom";
    copy(&bench, &format!("{repo}/snapshots/{commit}"));
    bench.file(&format!("{repo}/refs/main"), commit);
    let list = bench.line("models list --json").json();
    assert_eq!(list[0]["name"], "phantom");
    assert_eq!(list[1]["name"], "test/phantom");
    for name in ["test/phantom", &format!("test/phantom@{commit}")] {
        let read = bench.run(["ask", "hello?", "--model", name, "--max-tokens", "1", "--json"]).json();
        assert_eq!(read["model"]["name"], *name);
    }
}

/// A way to spoil a model folder, and what is said of it.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

const DAMAGES: &[Damage] = &[
    (
        "unknown config key",
        |folder| edit(&folder.join("config.json"), |c| c["text_config"]["moe"] = json!(8)),
        &["config.json", "moe"],
    ),
    (
        "unknown rope",
        |folder| {
            edit(&folder.join("config.json"), |c| {
                c["text_config"]["rope_scaling"]["rope_type"] = json!("yarn")
            });
        },
        &["config.json", "yarn"],
    ),
    ("config cut", |folder| cut(&folder.join("config.json")), &["config.json", "JSON"]),
    ("no config", |folder| remove(&folder.join("config.json")), &["config.json"]),
    ("no weights", |folder| remove(&folder.join(WEIGHTS)), &["model.safetensors"]),
    (
        "corrupt header",
        |folder| {
            let path = folder.join(WEIGHTS);
            let mut bytes = std::fs::read(&path).expect("it is there");
            bytes[8..40].fill(b'?');
            std::fs::write(path, bytes).expect("our own file");
        },
        &["model.safetensors", "header"],
    ),
    (
        "header longer than the file",
        |folder| {
            let path = folder.join(WEIGHTS);
            let mut bytes = std::fs::read(&path).expect("it is there");
            bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
            std::fs::write(path, bytes).expect("our own file");
        },
        &["model.safetensors"],
    ),
    (
        "empty weights",
        |folder| std::fs::write(folder.join(WEIGHTS), "").expect("our own file"),
        &["model.safetensors", "at least 8 bytes"],
    ),
    ("weights cut", |folder| cut(&folder.join(WEIGHTS)), &["model.safetensors"]),
    (
        "wrong shape",
        |folder| {
            edit_header(&folder.join(WEIGHTS), |header| header[K_PROJ]["shape"] = json!([64, 32]));
        },
        &["k_proj", "[32, 64]", "[64, 32]"],
    ),
    (
        "wrong type",
        |folder| {
            edit_header(&folder.join(WEIGHTS), |header| header[K_PROJ]["dtype"] = json!("I16"));
        },
        &["k_proj", "I16"],
    ),
    (
        "missing tensor",
        |folder| {
            edit_header(&folder.join(WEIGHTS), |header| {
                let tensor = header.remove(Q_PROJ).expect("it is there");
                header.insert("something.else".to_owned(), tensor);
            });
        },
        &["q_proj"],
    ),
    (
        "missing shard",
        |folder| {
            let names = tensors(&folder.join(WEIGHTS));
            std::fs::rename(folder.join(WEIGHTS), folder.join("model-00001-of-00002.safetensors"))
                .expect("our own file");
            let map: serde_json::Map<_, _> = names
                .into_iter()
                .map(|name| {
                    let shard = if name.contains("norm") { 2 } else { 1 };
                    (name, json!(format!("model-0000{shard}-of-00002.safetensors")))
                })
                .collect();
            let index = json!({"metadata": {}, "weight_map": map});
            std::fs::write(folder.join("model.safetensors.index.json"), index.to_string())
                .expect("our own file");
        },
        &["model-00002-of-00002.safetensors", "model.safetensors.index.json"],
    ),
    (
        "tokenizer of another model",
        |folder| {
            edit(&folder.join("tokenizer.json"), |tokenizer| {
                let added = tokenizer["added_tokens"].as_array_mut().expect("a list");
                for token in added.iter_mut().filter(|token| token["content"] == "<start_of_image>") {
                    token["content"] = json!("<picture>");
                }
                let vocabulary = tokenizer["model"]["vocab"].as_object_mut().expect("an object");
                if let Some(id) = vocabulary.remove("<start_of_image>") {
                    vocabulary.insert("<picture>".to_owned(), id);
                }
            });
        },
        &["tokenizer", "<picture>"],
    ),
    ("tokenizer cut", |folder| cut(&folder.join("tokenizer.json")), &["tokenizer.json"]),
    ("no tokenizer", |folder| remove(&folder.join("tokenizer.json")), &["tokenizer.json"]),
    (
        "template that does not compile",
        |folder| {
            std::fs::write(folder.join("chat_template.jinja"), "{% for").expect("our own file");
        },
        &["chat_template.jinja"],
    ),
    (
        "processor of another size",
        |folder| {
            edit(&folder.join("preprocessor_config.json"), |c| c["size"]["height"] = json!(896));
        },
        &["preprocessor_config.json", "896"],
    ),
];

fn cut(path: &Path) {
    let bytes = std::fs::read(path).expect("it is there");
    std::fs::write(path, &bytes[..bytes.len() / 2]).expect("our own file");
}

fn remove(path: &Path) {
    std::fs::remove_file(path).expect("it is there");
}

#[test]
fn the_bundled_model_is_described_without_being_loaded() {
    let bench = Bench::new();
    let text = bench.line("models check phantom");
    text.expect(0, &[]);
    for word in [
        "multimodal",
        "to follow instructions",
        "BF16",
        "2048 tokens",
        "112×112 pixels, 16 tokens",
        "holds it",
    ] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
    let report = bench.line("models check phantom --json").json();
    assert_eq!((&report["vision_tower"], &report["projector"]), (&json!("present"), &json!("present")));
    assert_eq!(report["problems"], json!([]));
    let read = bench.line("ask hello? --max-tokens 1 --json --no-record").json();
    assert_eq!(report["digest"], read["model"]["digest"]);
}

#[test]
fn a_check_lists_every_problem_of_a_damaged_model() {
    let bench = Bench::new();
    for (name, damage, words) in DAMAGES {
        let folder = copy(&bench, name);
        damage(&folder);
        let outcome = bench.run(["models".as_ref(), "check".as_ref(), folder.as_os_str()]);
        outcome.expect(4, &["error: "]);
        for word in *words {
            assert!(outcome.stdout.contains(word), "{name}: `{word}` is missing in {}", outcome.stdout);
        }
    }
    let folder = copy(&bench, "two");
    edit(&folder.join("config.json"), |c| c["text_config"]["moe"] = json!(8));
    remove(&folder.join("tokenizer.json"));
    let report =
        bench.run(["models".as_ref(), "check".as_ref(), folder.as_os_str(), "--json".as_ref()]).json();
    assert!(report["problems"].as_array().is_some_and(|all| all.len() >= 2), "{report}");
}

#[test]
fn a_damaged_model_is_refused_with_the_place_of_the_damage() {
    let bench = Bench::new();
    let film = bench.film("film.png");
    for (name, damage, words) in DAMAGES {
        let folder = copy(&bench, name);
        damage(&folder);
        let arguments = ["findings".as_ref(), film.as_os_str(), "--model".as_ref(), folder.as_os_str()];
        let outcome = bench.run(arguments);
        assert_eq!(outcome.code, Some(4), "{name}: {}", outcome.stderr);
        for word in *words {
            assert!(outcome.stderr.contains(word), "{name}: `{word}` is missing in {}", outcome.stderr);
        }
        assert!(
            outcome.stdout.is_empty() && !outcome.stderr.contains("panicked"),
            "{name}: {}",
            outcome.stderr
        );
    }
    assert_eq!(bench.line("records list --json").json()["records"].as_array().map(Vec::len), Some(0));
}
