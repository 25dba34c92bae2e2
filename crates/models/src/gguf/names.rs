//! The one spelling of a tensor's name, from those of llama.cpp's files and of Ollama's.

use super::{Model, Vision};
use crate::weights::{EMBEDDING, HEAD, PROJECTION};

/// Parts of a text layer: as stored, as here.
const TEXT: &[(&str, &str)] = &[
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("post_attention_norm", "post_attention_layernorm"),
    ("ffn_norm", "pre_feedforward_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
    ("post_ffw_norm", "post_feedforward_layernorm"),
];

/// Parts of a layer of the tower in both spellings; the two of the feed-forward block are decided by shape.
const TOWER: &[(&str, &str)] = &[
    ("ln1", "layer_norm1"),
    ("ln2", "layer_norm2"),
    ("layer_norm1", "layer_norm1"),
    ("layer_norm2", "layer_norm2"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_out", "self_attn.out_proj"),
    ("attn_output", "self_attn.out_proj"),
    ("ffn_up", "mlp.fc1"),
    ("ffn_down", "mlp.fc2"),
    ("mlp.fc1", "mlp.fc1"),
    ("mlp.fc2", "mlp.fc2"),
];

/// What lies outside layers, in both spellings.
const SINGLE: &[(&str, &str)] = &[
    ("token_embd.weight", EMBEDDING),
    ("output.weight", HEAD),
    ("output_norm.weight", "language_model.norm.weight"),
    ("v.patch_embd.weight", "vision_tower.embeddings.patch_embedding.weight"),
    ("v.patch_embd.bias", "vision_tower.embeddings.patch_embedding.bias"),
    ("v.patch_embedding.weight", "vision_tower.embeddings.patch_embedding.weight"),
    ("v.patch_embedding.bias", "vision_tower.embeddings.patch_embedding.bias"),
    ("v.position_embd.weight", "vision_tower.embeddings.position_embedding.weight"),
    ("v.position_embedding.weight", "vision_tower.embeddings.position_embedding.weight"),
    ("v.post_ln.weight", "vision_tower.post_layernorm.weight"),
    ("v.post_ln.bias", "vision_tower.post_layernorm.bias"),
    ("v.post_layernorm.weight", "vision_tower.post_layernorm.weight"),
    ("v.post_layernorm.bias", "vision_tower.post_layernorm.bias"),
    ("mm.input_projection.weight", PROJECTION),
    ("mm.mm_input_projection.weight", PROJECTION),
    ("mm.soft_emb_norm.weight", "multi_modal_projector.mm_soft_emb_norm.weight"),
    ("mm.mm_soft_emb_norm.weight", "multi_modal_projector.mm_soft_emb_norm.weight"),
];

/// The name under which a stored tensor is known here; a name that no file of the family has is left as it is.
///
/// `tower` is the tower's width and the width inside its feed-forward block. They decide `ffn_up` and `ffn_down`, which
/// files have had either way round: the one that takes the tower's width in is the first.
pub(crate) fn canonical(stored: &str, shape: &[usize], tower: Option<(usize, usize)>) -> String {
    if let Some((_, name)) = SINGLE.iter().find(|(from, _)| *from == stored) {
        return (*name).to_owned();
    }
    let layer = |rest: &str| -> Option<(usize, String, &'static str)> {
        let (number, rest) = rest.split_once('.')?;
        let (part, ending) = rest.rsplit_once('.')?;
        let ending = ["weight", "bias"].into_iter().find(|e| *e == ending)?;
        // `+1` or `007` would be a second spelling of one name.
        let i: usize = number.parse().ok().filter(|i: &usize| i.to_string() == number)?;
        Some((i, part.to_owned(), ending))
    };
    if let Some((i, part, ending)) = stored.strip_prefix("blk.").and_then(layer)
        && let Some((_, name)) = TEXT.iter().find(|(from, _)| *from == part)
    {
        return format!("language_model.layers.{i}.{name}.{ending}");
    }
    if let Some((i, part, ending)) = stored.strip_prefix("v.blk.").and_then(layer)
        && let Some((_, name)) = TOWER.iter().find(|(from, _)| *from == part)
    {
        let name = by_shape(name, shape, tower);
        return format!("vision_tower.encoder.layers.{i}.{name}.{ending}");
    }
    stored.to_owned()
}

/// Which of the two matrices (or biases) of the tower's feed-forward block this is; `name` where the shape does not say.
fn by_shape(name: &'static str, shape: &[usize], tower: Option<(usize, usize)>) -> &'static str {
    let Some((width, inner)) = tower.filter(|(width, inner)| name.starts_with("mlp.") && width != inner)
    else {
        return name;
    };
    match shape {
        [n_out, n_in] if (*n_out, *n_in) == (inner, width) => "mlp.fc1",
        [n_out, n_in] if (*n_out, *n_in) == (width, inner) => "mlp.fc2",
        [n_out] if *n_out == inner => "mlp.fc1",
        [n_out] if *n_out == width => "mlp.fc2",
        _ => name,
    }
}

impl Model {
    /// The tower's width and the width inside its feed-forward block, as far as the metadata says them.
    pub(crate) fn tower_widths(&self) -> Option<(usize, usize)> {
        let (gguf, start) = match self.vision() {
            Vision::None => return None,
            Vision::Inside(text) => (text, "gemma3.vision."),
            Vision::Beside(projector) => (projector, "clip.vision."),
        };
        let size = |key: &str| {
            let size = gguf.unsigned(&format!("{start}{key}")).ok().flatten();
            size.and_then(|n| usize::try_from(n).ok())
        };
        size("embedding_length").zip(size("feed_forward_length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_meets_in_one_spelling() {
        let tower = Some((8, 20));
        let table: [(&str, &[usize], &str); 24] = [
            ("token_embd.weight", &[5, 4], EMBEDDING),
            ("output.weight", &[5, 4], HEAD),
            ("output_norm.weight", &[4], "language_model.norm.weight"),
            ("blk.12.attn_q_norm.weight", &[4], "language_model.layers.12.self_attn.q_norm.weight"),
            ("blk.0.ffn_norm.weight", &[4], "language_model.layers.0.pre_feedforward_layernorm.weight"),
            ("blk.0.post_ffw_norm.weight", &[4], "language_model.layers.0.post_feedforward_layernorm.weight"),
            ("blk.0.ffn_up.weight", &[8, 20], "language_model.layers.0.mlp.up_proj.weight"),
            ("v.patch_embd.bias", &[8], "vision_tower.embeddings.patch_embedding.bias"),
            ("v.position_embedding.weight", &[16, 8], "vision_tower.embeddings.position_embedding.weight"),
            ("v.post_layernorm.bias", &[8], "vision_tower.post_layernorm.bias"),
            ("v.blk.3.ln1.bias", &[8], "vision_tower.encoder.layers.3.layer_norm1.bias"),
            ("v.blk.3.layer_norm2.weight", &[8], "vision_tower.encoder.layers.3.layer_norm2.weight"),
            ("v.blk.3.attn_out.weight", &[8, 8], "vision_tower.encoder.layers.3.self_attn.out_proj.weight"),
            ("v.blk.3.attn_output.bias", &[8], "vision_tower.encoder.layers.3.self_attn.out_proj.bias"),
            ("v.blk.3.ffn_up.weight", &[20, 8], "vision_tower.encoder.layers.3.mlp.fc1.weight"),
            ("v.blk.3.ffn_down.weight", &[20, 8], "vision_tower.encoder.layers.3.mlp.fc1.weight"),
            ("v.blk.3.ffn_up.weight", &[8, 20], "vision_tower.encoder.layers.3.mlp.fc2.weight"),
            ("v.blk.3.ffn_down.bias", &[20], "vision_tower.encoder.layers.3.mlp.fc1.bias"),
            ("v.blk.3.ffn_up.bias", &[8], "vision_tower.encoder.layers.3.mlp.fc2.bias"),
            ("v.blk.3.mlp.fc1.weight", &[7, 7], "vision_tower.encoder.layers.3.mlp.fc1.weight"),
            ("mm.mm_input_projection.weight", &[8, 4], PROJECTION),
            ("mm.soft_emb_norm.weight", &[8], "multi_modal_projector.mm_soft_emb_norm.weight"),
            ("blk.+1.attn_q.weight", &[4, 4], "blk.+1.attn_q.weight"),
            ("blk.1.attn_qkv.weight", &[4, 4], "blk.1.attn_qkv.weight"),
        ];
        for (stored, shape, name) in table {
            assert_eq!(canonical(stored, shape, tower), name, "{stored} {shape:?}");
        }
        // Where both widths are the same, the names of today's converter count.
        for (stored, name) in [("ffn_up", "mlp.fc1"), ("ffn_down", "mlp.fc2")] {
            let named = canonical(&format!("v.blk.0.{stored}.bias"), &[8], Some((8, 8)));
            assert_eq!(named, format!("vision_tower.encoder.layers.0.{name}.bias"));
        }
    }
}
