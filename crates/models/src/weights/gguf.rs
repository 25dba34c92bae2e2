//! The tensors of GGUF files under the names that are used here.

use std::collections::HashMap;

use super::{Catalogue, Entry, Layout, Located};
use crate::gguf::{Model, canonical};
use crate::{Error, ErrorKind, Result};

/// Every tensor of a model's files.
///
/// # Errors
/// [`ErrorKind::Weights`] for two tensors that are the same one.
pub(super) fn catalogue(model: &Model) -> Result<Catalogue> {
    let tower = model.tower_widths();
    let mut tensors: HashMap<String, Located> = HashMap::new();
    let mut bytes_on_disk = 0u64;
    for gguf in model.files() {
        bytes_on_disk = bytes_on_disk.saturating_add(gguf.file_len());
        for tensor in gguf.tensors() {
            let name = canonical(&tensor.name, &tensor.shape, tower);
            let entry = Entry {
                name: tensor.name.clone(),
                dtype: tensor.kind.name().to_owned(),
                shape: tensor.shape.clone(),
                offset: tensor.offset,
                len: tensor.len,
            };
            let located = Located { file: gguf.file().to_owned(), entry };
            if let Some(first) = tensors.insert(name, located) {
                return Err(Error::new(
                    ErrorKind::Weights,
                    format!(
                        "tensor {} in {} is the same as {} in {}",
                        tensor.name,
                        gguf.file(),
                        first.entry.name,
                        first.file
                    ),
                )
                .hint("a model must hold each tensor once; fetch it again"));
            }
        }
    }
    Ok(Catalogue { headers: Vec::new(), tensors, bytes_on_disk, layout: Layout::Gguf })
}
