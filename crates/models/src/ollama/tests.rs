//! Stores made of a few small files.

use serde_json::{Value, json};

use super::*;

/// A store in the making; blobs are named by a number instead of a hash, which nothing here computes.
struct Making {
    dir: tempfile::TempDir,
    layers: Vec<Value>,
}

impl Making {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(dir.path().join("blobs")).expect("made");
        Self { dir, layers: Vec::new() }
    }

    fn layer(mut self, kind: &str, content: &str) -> Self {
        let digest = format!("{:064x}", self.layers.len());
        fs::write(self.dir.path().join(format!("blobs/sha256-{digest}")), content).expect("written");
        self.layers.push(json!({
            "mediaType": format!("application/vnd.ollama.image.{kind}"),
            "digest": format!("sha256:{digest}"),
            "size": content.len(),
        }));
        self
    }

    fn manifest(&self) -> Value {
        json!({"schemaVersion": 2, "mediaType": "m", "config": {"digest": "sha256:0", "size": 1}, "layers": self.layers})
    }

    fn tag(&self, name: &str, manifest: &str) -> Store {
        let path = Name::parse(name).expect(name).manifest(self.dir.path());
        fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        fs::write(path, manifest).expect("written");
        Store::new(self.dir.path())
    }

    fn resolve(&self) -> Result<Stored> {
        self.resolve_as(&self.manifest().to_string())
    }

    fn resolve_as(&self, manifest: &str) -> Result<Stored> {
        self.tag("m", manifest).resolve(&Name::parse("ollama:m").expect("plain"))
    }
}

fn blob(making: &Making, i: usize) -> PathBuf {
    making.dir.path().join(format!("blobs/sha256-{i:064x}"))
}

#[test]
fn a_name_leads_to_files_and_to_what_is_not_used() {
    let making = Making::new()
        .layer("model", "GGUF")
        .layer("projector", "GGUF2")
        .layer("template", "{{ .Prompt }}")
        .layer("system", "Be brief.")
        .layer("params", r#"{"stop":["<end_of_turn>"],"temperature":0.1}"#)
        .layer("messages", "[]")
        .layer("license", "Terms A")
        .layer("license", "Terms B");
    let stored = making.resolve().expect("whole");
    assert_eq!(stored.model, blob(&making, 0));
    assert_eq!(stored.projector, Some(blob(&making, 1)));
    assert_eq!(stored.licences, ["Terms A", "Terms B"]);
    let words = ["template", "9 characters", "stop, temperature", "messages"];
    assert_eq!(stored.notes.len(), words.len());
    for (note, word) in stored.notes.iter().zip(words) {
        assert!(note.contains(word), "{note}");
        assert!(!note.contains("Be brief"), "{note}");
    }
    let plain = Making::new().layer("model", "GGUF").resolve().expect("whole");
    assert_eq!((plain.projector, plain.notes.len(), plain.licences.len()), (None, 0, 0));
}

#[test]
fn a_store_that_does_not_hold_together_is_refused() {
    let whole = || Making::new().layer("model", "GGUF");
    let changed = |key: &str, value: Value| {
        let mut manifest = whole().manifest();
        *manifest.pointer_mut(key).expect("it is there") = value;
        whole().resolve_as(&manifest.to_string())
    };
    let table = [
        (changed("/layers/0/size", json!(5)), "expected 5 bytes, found 4"),
        (changed("/layers/0/digest", json!(format!("sha256:{:064x}", 7))), "no such file"),
        (changed("/layers/0/digest", json!("sha256:../../../etc/passwd")), "digest: expected sha256:"),
        (
            changed("/layers/0/digest", json!(format!("sha256:{}", "A".repeat(64)))),
            "digest: expected sha256:",
        ),
        (changed("/layers/0/digest", json!(format!("md5:{}", "0".repeat(64)))), "digest: expected sha256:"),
        (changed("/layers/0/mediaType", json!("application/vnd.ollama.image.new")), "unknown kind of layer"),
        (changed("/layers/0/mediaType", json!("text/plain")), "unknown kind of layer \"text/plain\""),
        (changed("/layers/0/size", json!(-1)), "no manifest"),
        (changed("/schemaVersion", json!(1)), "schemaVersion: expected 2, found 1"),
        (changed("/layers", json!([])), "expected a layer with the model, found none"),
        (changed("/layers", json!({})), "no manifest"),
        (whole().resolve_as("{"), "no manifest"),
        (whole().resolve_as(&" ".repeat(2 << 20)), "expected at most"),
        (whole().layer("model", "x").resolve(), "expected one model, found several"),
        (whole().layer("projector", "x").layer("projector", "x").resolve(), "expected one projector"),
        (whole().layer("adapter", "x").resolve(), "has an adapter"),
        (whole().layer("tensor", "x").resolve(), "tensor by tensor"),
        (whole().layer("params", "[]").resolve(), "parameters: expected a JSON object"),
        (whole().layer("license", &"x".repeat(2 << 20)).resolve(), "expected a text of at most"),
    ];
    for (result, message) in table {
        let error = result.expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Files);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_model_that_is_not_there_says_where_was_looked() {
    let making = Making::new();
    let store = Store::new(making.dir.path());
    let error = store.resolve(&Name::parse("medgemma:4b").expect("plain")).expect_err("an empty store");
    let place = making.dir.path().join("manifests/registry.ollama.ai/library/medgemma/4b");
    assert!(error.to_string().contains(&place.display().to_string()), "{error}");
    assert!(error.to_string().contains("OLLAMA_MODELS"), "{error}");
}

#[test]
fn names_of_the_store_are_listed() {
    let making = Making::new();
    assert!(Store::new(making.dir.path()).names().is_empty());
    for name in ["m", "hf.co/org/m:Q4_K_M", "m:4b"] {
        making.tag(name, "{}");
    }
    let store = Store::new(making.dir.path());
    fs::create_dir_all(making.dir.path().join("manifests/registry.ollama.ai/library/m/folder"))
        .expect("made");
    fs::write(making.dir.path().join("manifests/stray"), "").expect("written");
    let names: Vec<String> = store.names().iter().map(Name::to_string).collect();
    assert_eq!(names, ["ollama:hf.co/org/m:Q4_K_M", "ollama:m:4b", "ollama:m"]);
}

#[test]
fn the_first_variable_that_counts_decides() {
    let find = |variables: &[(&str, &str)]| {
        Store::find(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    };
    let folder = |store: Option<Store>| store.map(|store| store.folder().to_owned());
    assert_eq!(folder(find(&[("OLLAMA_MODELS", "/o"), ("HOME", "/u")])), Some("/o".into()));
    assert_eq!(folder(find(&[("OLLAMA_MODELS", ""), ("HOME", "/u")])), Some("/u/.ollama/models".into()));
    assert_eq!(find(&[]), None);
}
