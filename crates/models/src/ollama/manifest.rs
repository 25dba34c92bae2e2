//! Manifests: which blobs a model is made of.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// Longest manifest that is believed.
const MAX_BYTES: u64 = 1 << 20;
/// Most layers that are believed; models have about six.
const MAX_LAYERS: usize = 256;
/// What kinds of layers begin with.
const KIND: &str = "application/vnd.ollama.image.";

/// A manifest whose every layer is understood.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    pub(super) layers: Vec<Layer>,
}

/// A blob and what it is for.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) purpose: Use,
    /// 64 hexadecimal digits.
    pub(super) digest: String,
    pub(super) size: u64,
}

/// What a layer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Model,
    Projector,
    Template,
    System,
    Parameters,
    Messages,
    Licence,
}

/// As written.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "schemaVersion")]
    schema_version: u64,
    layers: Vec<WrittenLayer>,
}

#[derive(Deserialize)]
struct WrittenLayer {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: u64,
}

impl Manifest {
    /// Reads the manifest at `path`, `len` bytes long.
    pub(super) fn read(path: &Path, len: u64) -> Result<Self> {
        let mut manifest = Self { path: path.to_owned(), layers: Vec::new() };
        if len > MAX_BYTES {
            return Err(manifest.bad(&format!("expected at most {MAX_BYTES} bytes, found {len}")));
        }
        let bytes = fs::read(path).map_err(|e| manifest.bad(&format!("cannot be read: {e}")))?;
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|e| manifest.bad(&format!("no manifest: {e}")))?;
        if written.schema_version != 2 {
            return Err(manifest.bad(&format!("schemaVersion: expected 2, found {}", written.schema_version)));
        }
        if written.layers.len() > MAX_LAYERS {
            let n = written.layers.len();
            return Err(manifest.bad(&format!("expected at most {MAX_LAYERS} layers, found {n}")));
        }
        for layer in written.layers {
            let layer = manifest.layer(layer)?;
            manifest.layers.push(layer);
        }
        Ok(manifest)
    }

    fn layer(&self, layer: WrittenLayer) -> Result<Layer> {
        let kind = layer.media_type.strip_prefix(KIND).unwrap_or_default();
        let purpose = match kind {
            "model" => Use::Model,
            "projector" => Use::Projector,
            "template" => Use::Template,
            "system" => Use::System,
            "params" => Use::Parameters,
            "messages" => Use::Messages,
            "license" => Use::Licence,
            "adapter" => {
                return Err(self
                    .bad("the model has an adapter, which changes its answers and is not implemented")
                    .hint("use a model whose adapter is merged into its weights"));
            }
            "tensor" | "json" => {
                return Err(self
                    .bad("the model is stored tensor by tensor, not as GGUF")
                    .hint("use a GGUF variant of it, or its folder in Hugging Face layout"));
            }
            _ => return Err(self.bad(&format!("unknown kind of layer {:?}", layer.media_type))),
        };
        let digest = layer.digest.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digest.len() != 64 || !digest.bytes().all(is_hex) {
            return Err(self.bad(&format!(
                "digest: expected sha256: and 64 hexadecimal digits, found {:?}",
                layer.digest
            )));
        }
        Ok(Layer { purpose, digest: digest.to_owned(), size: layer.size })
    }

    /// An error about this manifest.
    pub(super) fn bad(&self, what: &str) -> Error {
        Error::new(ErrorKind::Files, format!("{}: {what}", self.path.display()))
    }
}

/// The names in a layer of parameters; `None` if it is none.
pub(super) fn parameters(text: &str) -> Option<Vec<String>> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.as_object()?.keys().cloned().collect())
}
