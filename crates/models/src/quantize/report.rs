//! What is said of a quantization.

use std::path::PathBuf;

use serde::Serialize;

use super::QuantizeKind;
use crate::Terms;

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct Quantized {
    /// The folder.
    pub folder: PathBuf,
    /// The mix of types.
    pub kind: QuantizeKind,
    /// The text model's file.
    pub text: Written,
    /// The projector's file, for a model that takes pictures.
    pub projector: Option<Written>,
    /// Tokens that readers of GGUF, which merge as SentencePiece does, may make where the folder's `tokenizer.json` makes
    /// others: 0 for tokenizers that were made from a SentencePiece model, as the family's.
    pub tokens_made_otherwise: usize,
    /// What each type lost, over both files.
    pub types: Vec<TypeLoss>,
    /// The terms that pass on with it, where they are known.
    pub terms: Option<Terms>,
}

/// A file that was written, read again and found as it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Its name in the folder.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its tensors.
    pub tensors: usize,
}

/// What was lost in the tensors of one type.
#[derive(Clone, Debug, Serialize)]
pub struct TypeLoss {
    /// The type, such as `q4_k`.
    pub dtype: String,
    /// Tensors of this type.
    pub tensors: usize,
    /// Values in them.
    pub values: u64,
    /// Root mean square of the difference from the source, relative to that of the source.
    pub relative_rmse: f64,
}

/// Sums over the tensors of one type.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loss {
    pub tensors: usize,
    values: u64,
    lost: f64,
    all: f64,
}

impl Loss {
    pub(super) fn add(&mut self, (lost, all, values): (f64, f64, u64)) {
        self.lost += lost;
        self.all += all;
        self.values += values;
    }

    pub(super) fn told(self, dtype: lightbox_kernels::Dtype) -> TypeLoss {
        let relative_rmse = if self.all > 0.0 { (self.lost / self.all).sqrt() } else { 0.0 };
        TypeLoss { dtype: dtype.to_string(), tensors: self.tensors, values: self.values, relative_rmse }
    }
}
