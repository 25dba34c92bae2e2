//! What tensors a configuration asks for, and the names they have had.

use crate::config::{HeadTie, ModelConfig, VisionConfig};

/// A tensor that the model needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Name in the one spelling used here, see [`canonical`].
    pub name: String,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
}

/// The embedding table.
pub const EMBEDDING: &str = "language_model.embed_tokens.weight";
/// The output head, stored only where it is not the embedding table (or a copy of it).
pub const HEAD: &str = "lm_head.weight";

/// The projection from the tower's width to the text model's, stored `[tower, text]`.
pub const PROJECTION: &str = "multi_modal_projector.mm_input_projection_weight";

/// The one spelling of a stored name.
///
/// The family's files have been written with `language_model.model.…` and `vision_tower.vision_model.…` (hub),
/// `model.language_model.…` and `model.vision_tower.…` (transformers 4.52 and later), without `vision_model.`
/// (version 5), and `model.layers.…` (text only). Here an outer `model.` is dropped, `language_model.model.` is
/// `language_model.`, `vision_model.` is dropped, and text-only names gain `language_model.`.
#[must_use]
pub fn canonical(stored: &str) -> String {
    let name = stored.strip_prefix("model.").unwrap_or(stored);
    let name = name.strip_prefix("language_model.").map_or_else(
        || name.to_owned(),
        |rest| {
            let rest = rest.strip_prefix("model.").unwrap_or(rest);
            if rest.starts_with("lm_head.") { rest.to_owned() } else { format!("language_model.{rest}") }
        },
    );
    if let Some(rest) = name.strip_prefix("vision_tower.vision_model.") {
        return format!("vision_tower.{rest}");
    }
    if ["embed_tokens.", "layers.", "norm."].iter().any(|start| name.starts_with(start)) {
        return format!("language_model.{name}");
    }
    name
}

/// Whether a tensor that nothing asks for (canonical name) may be left unread.
///
/// Rotary frequencies and position numbers are recomputed by the reference; a pooling head is not on the path from
/// a picture to its soft tokens.
#[must_use]
pub fn is_harmless(name: &str, config: &ModelConfig) -> bool {
    name.ends_with(".inv_freq")
        || name == "vision_tower.embeddings.position_ids"
        || (name.starts_with("vision_tower.head.")
            && config.images.as_ref().is_some_and(|images| images.vision.has_head))
}

/// Every tensor that `config` asks for, in the order of the forward pass. The head is listed only where it is untied.
#[must_use]
pub fn expected(config: &ModelConfig) -> Vec<Expected> {
    let mut list = Vec::new();
    let mut add = |name: String, shape: &[usize]| list.push(Expected { name, shape: shape.to_vec() });
    if let Some(images) = &config.images {
        let v = &images.vision;
        let (width, inner, patch) = (v.hidden_size, v.intermediate_size, v.patch_size);
        let at = "vision_tower.embeddings";
        add(format!("{at}.patch_embedding.weight"), &[width, VisionConfig::CHANNELS, patch, patch]);
        add(format!("{at}.patch_embedding.bias"), &[width]);
        add(format!("{at}.position_embedding.weight"), &[v.n_patches(), width]);
        for i in 0..v.n_layers {
            let at = format!("vision_tower.encoder.layers.{i}");
            let linears = [
                ("self_attn.q_proj", width, width),
                ("self_attn.k_proj", width, width),
                ("self_attn.v_proj", width, width),
                ("self_attn.out_proj", width, width),
                ("mlp.fc1", inner, width),
                ("mlp.fc2", width, inner),
            ];
            for (name, n_out, n_in) in linears {
                add(format!("{at}.{name}.weight"), &[n_out, n_in]);
                add(format!("{at}.{name}.bias"), &[n_out]);
            }
            for name in ["layer_norm1", "layer_norm2"] {
                add(format!("{at}.{name}.weight"), &[width]);
                add(format!("{at}.{name}.bias"), &[width]);
            }
        }
        add("vision_tower.post_layernorm.weight".to_owned(), &[width]);
        add("vision_tower.post_layernorm.bias".to_owned(), &[width]);
        add("multi_modal_projector.mm_soft_emb_norm.weight".to_owned(), &[width]);
        add(PROJECTION.to_owned(), &[width, config.text.hidden_size]);
    }
    let t = &config.text;
    let (width, inner, q, kv) = (t.hidden_size, t.intermediate_size, t.q_width(), t.kv_width());
    add(EMBEDDING.to_owned(), &[t.vocab_size, width]);
    for i in 0..t.layers.len() {
        let at = format!("language_model.layers.{i}");
        add(format!("{at}.input_layernorm.weight"), &[width]);
        add(format!("{at}.self_attn.q_proj.weight"), &[q, width]);
        add(format!("{at}.self_attn.k_proj.weight"), &[kv, width]);
        add(format!("{at}.self_attn.v_proj.weight"), &[kv, width]);
        add(format!("{at}.self_attn.q_norm.weight"), &[t.head_dim]);
        add(format!("{at}.self_attn.k_norm.weight"), &[t.head_dim]);
        add(format!("{at}.self_attn.o_proj.weight"), &[width, q]);
        add(format!("{at}.post_attention_layernorm.weight"), &[width]);
        add(format!("{at}.pre_feedforward_layernorm.weight"), &[width]);
        add(format!("{at}.mlp.gate_proj.weight"), &[inner, width]);
        add(format!("{at}.mlp.up_proj.weight"), &[inner, width]);
        add(format!("{at}.mlp.down_proj.weight"), &[width, inner]);
        add(format!("{at}.post_feedforward_layernorm.weight"), &[width]);
    }
    add("language_model.norm.weight".to_owned(), &[width]);
    if config.head == HeadTie::Untied {
        add(HEAD.to_owned(), &[t.vocab_size, width]);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn every_historic_spelling_meets_in_one() {
        let table = [
            (
                "language_model.model.layers.3.mlp.up_proj.weight",
                "language_model.layers.3.mlp.up_proj.weight",
            ),
            (
                "model.language_model.layers.3.mlp.up_proj.weight",
                "language_model.layers.3.mlp.up_proj.weight",
            ),
            ("model.language_model.model.norm.weight", "language_model.norm.weight"),
            ("language_model.norm.weight", "language_model.norm.weight"),
            ("model.layers.0.input_layernorm.weight", "language_model.layers.0.input_layernorm.weight"),
            ("layers.0.input_layernorm.weight", "language_model.layers.0.input_layernorm.weight"),
            ("model.embed_tokens.weight", "language_model.embed_tokens.weight"),
            ("vision_tower.vision_model.post_layernorm.bias", "vision_tower.post_layernorm.bias"),
            ("model.vision_tower.post_layernorm.bias", "vision_tower.post_layernorm.bias"),
            ("model.vision_tower.vision_model.post_layernorm.bias", "vision_tower.post_layernorm.bias"),
            (
                "model.multi_modal_projector.mm_soft_emb_norm.weight",
                "multi_modal_projector.mm_soft_emb_norm.weight",
            ),
            ("lm_head.weight", "lm_head.weight"),
            ("language_model.lm_head.weight", "lm_head.weight"),
            ("vision_tower.layers.0.weight", "vision_tower.layers.0.weight"),
        ];
        for (stored, one) in table {
            assert_eq!(canonical(stored), one, "{stored}");
        }
    }
}
