//! Models in Ollama's store on this machine, as its own tools lay it out. Nothing is fetched, nothing is changed.
//!
//! ```text
//! manifests/HOST/NAMESPACE/MODEL/TAG   JSON: which blobs a model is made of, and what each is
//! blobs/sha256-<64 hex digits>         the contents
//! ```

mod manifest;
mod name;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

use manifest::{Layer, Manifest, Use};
pub use name::Name;

/// Longest text layer that is read: templates, parameters, system texts, licences.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A store, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The name in full.
    pub name: Name,
    /// The GGUF file with the text model; the vision tower may be inside.
    pub model: PathBuf,
    /// The GGUF file with vision tower and projector, where it is a file of its own.
    pub projector: Option<PathBuf>,
    /// Texts of its licences.
    pub licences: Vec<String>,
    /// What else the store says of it and what becomes of that, each a sentence.
    pub notes: Vec<String>,
}

impl Store {
    /// The store in a folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The store of Ollama's own tools: `OLLAMA_MODELS`, else `~/.ollama/models`.
    ///
    /// `lookup` reads the environment, such as `|name| std::env::var_os(name)`; empty variables count as unset. `None` if
    /// neither is set.
    pub fn find(lookup: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = || set("HOME").or_else(|| set("USERPROFILE"));
        set("OLLAMA_MODELS").or_else(|| Some(home()?.join(".ollama").join("models"))).map(Self::new)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Finds the files of a model.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] saying where was looked, for a model that is not there, a manifest that is not understood, a
    /// blob that is missing or of another size, and layers that would change answers and are not implemented.
    pub fn resolve(&self, name: &Name) -> Result<Stored> {
        let path = name.manifest(&self.folder);
        let manifest = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => Manifest::read(&path, meta.len())?,
            _ => {
                return Err(Error::new(
                    ErrorKind::Files,
                    format!("{name}: not in Ollama's store: no {}", path.display()),
                )
                .hint(
                    "fetch it with `ollama pull`, or set OLLAMA_MODELS to the store's folder (a system service usually \
                     has it in /usr/share/ollama/.ollama/models)",
                ));
            }
        };
        let mut stored = Stored {
            name: name.clone(),
            model: PathBuf::new(),
            projector: None,
            licences: Vec::new(),
            notes: Vec::new(),
        };
        let mut model = None;
        for layer in &manifest.layers {
            let twice = |what: &str| manifest.bad(&format!("expected one {what}, found several"));
            match layer.purpose {
                Use::Model if model.is_some() => return Err(twice("model")),
                Use::Model => model = Some(self.blob(&manifest, layer)?),
                Use::Projector if stored.projector.is_some() => return Err(twice("projector")),
                Use::Projector => stored.projector = Some(self.blob(&manifest, layer)?),
                Use::Licence => stored.licences.push(self.text(&manifest, layer)?),
                Use::Template => stored.notes.push(
                    "the template that Ollama keeps is not used: turns are written with the chat template of the GGUF \
                     file, or with the family's own where that has none"
                        .to_owned(),
                ),
                Use::System => {
                    let n_chars = self.text(&manifest, layer)?.chars().count();
                    stored.notes.push(format!(
                        "the system text that Ollama keeps ({n_chars} characters) is not used: give the request a system \
                         turn to have one"
                    ));
                }
                Use::Parameters => {
                    let names = manifest::parameters(&self.text(&manifest, layer)?);
                    let names = names.ok_or_else(|| manifest.bad("parameters: expected a JSON object"))?;
                    stored.notes.push(format!(
                        "the parameters that Ollama keeps ({}) are not used: answers are greedy and end at the model's \
                         own tokens unless a request says otherwise",
                        names.join(", ")
                    ));
                }
                Use::Messages => stored
                    .notes
                    .push("the example messages that Ollama keeps are not put before a request".to_owned()),
            }
        }
        stored.model = model.ok_or_else(|| manifest.bad("expected a layer with the model, found none"))?;
        Ok(stored)
    }

    /// The models in the store, sorted; entries that are no manifests are left out.
    #[must_use]
    pub fn names(&self) -> Vec<Name> {
        let mut found = Vec::new();
        let root = self.folder.join("manifests");
        for host in entries(&root) {
            for namespace in entries(&root.join(&host)) {
                for model in entries(&root.join(&host).join(&namespace)) {
                    for tag in entries(&root.join(&host).join(&namespace).join(&model)) {
                        let name = Name::parse(&format!("{host}/{namespace}/{model}:{tag}"));
                        found.extend(name.filter(|name| name.manifest(&self.folder).is_file()));
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// The file of a layer, if it is there in the size that the manifest gives it.
    fn blob(&self, manifest: &Manifest, layer: &Layer) -> Result<PathBuf> {
        let path = self.folder.join("blobs").join(format!("sha256-{}", layer.digest));
        let hint =
            "the store is damaged or the download incomplete; fetch the model again with `ollama pull`";
        match fs::metadata(&path) {
            Ok(meta) if meta.is_file() && meta.len() == layer.size => Ok(path),
            Ok(meta) if meta.is_file() => Err(manifest
                .bad(&format!("{}: expected {} bytes, found {}", path.display(), layer.size, meta.len()))
                .hint(hint)),
            _ => Err(manifest.bad(&format!("{}: no such file", path.display())).hint(hint)),
        }
    }

    fn text(&self, manifest: &Manifest, layer: &Layer) -> Result<String> {
        let path = self.blob(manifest, layer)?;
        let wrong = |what: String| manifest.bad(&format!("{}: {what}", path.display()));
        if layer.size > MAX_TEXT_BYTES {
            return Err(wrong(format!(
                "expected a text of at most {MAX_TEXT_BYTES} bytes, found {}",
                layer.size
            )));
        }
        fs::read_to_string(&path).map_err(|e| wrong(format!("cannot be read: {e}")))
    }
}

/// Names in a folder; none if it cannot be read.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests;
