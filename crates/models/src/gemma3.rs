//! The text model: weights, and one forward pass written once from top to bottom.
//!
//! After `Gemma3TextModel` of transformers 5.23.0, computed with f32 activations whatever type the weights have.
//! [`Gemma3`] holds the weights, [`Sequence`] the keys and values of one conversation, [`Plan`] the buffers of a
//! step and the step itself.

mod plan;
mod sequence;
#[cfg(test)]
mod tests;

use half::{bf16, f16};
use lightbox_kernels::{Dtype, Matrix, Rope};

use crate::Result;
use crate::config::{LayerKind, ModelConfig, RopeConfig, TextConfig};
use crate::weights::{HEAD, Layout, Reader, Vector};

pub use plan::{Plan, Watch, unwatched};
pub use sequence::{Input, Row, Segment, Sequence};

/// Weights of the text model. Vectors of norms hold `1 + w` already.
pub struct Gemma3 {
    config: TextConfig,
    embedding: Matrix,     // [vocabulary, width]
    embedding_factor: f32, // √width, in the precision of a table in Hugging Face layout
    layers: Vec<Layer>,
    final_norm: Vector,   // [width]
    head: Option<Matrix>, // [vocabulary, width]; none: the embedding table
    rope_sliding: Rope,
    rope_global: Rope,
}

struct Layer {
    kind: LayerKind,
    attention_norm: Vector,      // [width]
    q: Matrix,                   // [heads × head_dim, width]
    k: Matrix,                   // [kv heads × head_dim, width]
    v: Matrix,                   // [kv heads × head_dim, width]
    q_norm: Vector,              // [head_dim]
    k_norm: Vector,              // [head_dim]
    o: Matrix,                   // [width, heads × head_dim]
    post_attention_norm: Vector, // [width]
    mlp_norm: Vector,            // [width]
    gate: Matrix,                // [inner, width]
    up: Matrix,                  // [inner, width]
    down: Matrix,                // [width, inner]
    post_mlp_norm: Vector,       // [width]
}

impl Gemma3 {
    /// Reads all weights; the catalogue behind `reader` has been checked against the configuration.
    ///
    /// # Errors
    /// A tensor that cannot be read or memory that cannot be had.
    pub fn load(reader: &mut Reader<'_>, model: &ModelConfig) -> Result<Self> {
        let config = model.text.clone();
        let embedding_name = reader.embedding_name();
        let embedding_factor = match reader.layout() {
            Layout::HuggingFace => embedding_factor(config.hidden_size, reader.dtype(embedding_name)?),
            // As llama.cpp and Ollama apply it, whatever the type of the table.
            Layout::Gguf => embedding_factor(config.hidden_size, Dtype::F32),
        };
        let head = if reader.has_own_head(model)? { Some(reader.matrix(HEAD)?) } else { None };
        let embedding = reader.matrix(embedding_name)?;
        let mut layers = Vec::with_capacity(config.layers.len());
        for (i, &kind) in config.layers.iter().enumerate() {
            let at = format!("language_model.layers.{i}");
            layers.push(Layer {
                kind,
                attention_norm: reader.norm(&format!("{at}.input_layernorm.weight"))?,
                q: reader.matrix(&format!("{at}.self_attn.q_proj.weight"))?,
                k: reader.matrix(&format!("{at}.self_attn.k_proj.weight"))?,
                v: reader.matrix(&format!("{at}.self_attn.v_proj.weight"))?,
                q_norm: reader.norm(&format!("{at}.self_attn.q_norm.weight"))?,
                k_norm: reader.norm(&format!("{at}.self_attn.k_norm.weight"))?,
                o: reader.matrix(&format!("{at}.self_attn.o_proj.weight"))?,
                post_attention_norm: reader.norm(&format!("{at}.post_attention_layernorm.weight"))?,
                mlp_norm: reader.norm(&format!("{at}.pre_feedforward_layernorm.weight"))?,
                gate: reader.matrix(&format!("{at}.mlp.gate_proj.weight"))?,
                up: reader.matrix(&format!("{at}.mlp.up_proj.weight"))?,
                down: reader.matrix(&format!("{at}.mlp.down_proj.weight"))?,
                post_mlp_norm: reader.norm(&format!("{at}.post_feedforward_layernorm.weight"))?,
            });
        }
        Ok(Self {
            embedding,
            embedding_factor,
            layers,
            final_norm: reader.norm("language_model.norm.weight")?,
            head,
            rope_sliding: rope(&config, config.rope_sliding)?,
            rope_global: rope(&config, config.rope_global)?,
            config,
        })
    }
}

fn rope(config: &TextConfig, rope: RopeConfig) -> Result<Rope> {
    Ok(Rope::new(config.head_dim, rope.theta, rope.factor)?)
}

/// √width as the reference applies it: computed in f64, kept as f32, then rounded to the type of the table
/// (50.5 for a bf16 table of width 2560, whose root is 50.596).
fn embedding_factor(width: usize, table: Dtype) -> f32 {
    let factor = (width as f64).sqrt() as f32;
    match table {
        Dtype::F16 => f16::from_f32(factor).to_f32(),
        Dtype::Bf16 => bf16::from_f32(factor).to_f32(),
        // The reference has no quantized tables; engines that read them take the root as it is.
        _ => factor,
    }
}
