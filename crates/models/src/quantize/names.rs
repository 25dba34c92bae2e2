//! Names of tensors in llama.cpp's layout.

/// A tensor's place in a text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Name in GGUF.
    pub name: String,
    /// Layer, for those of a layer.
    pub layer: Option<usize>,
    /// The part of the name behind the layer.
    pub part: &'static str,
}

/// What stands in a layer: canonical ending, GGUF's.
const LAYER: [(&str, &str); 13] = [
    ("input_layernorm.weight", "attn_norm.weight"),
    ("self_attn.q_proj.weight", "attn_q.weight"),
    ("self_attn.q_norm.weight", "attn_q_norm.weight"),
    ("self_attn.k_proj.weight", "attn_k.weight"),
    ("self_attn.k_norm.weight", "attn_k_norm.weight"),
    ("self_attn.v_proj.weight", "attn_v.weight"),
    ("self_attn.o_proj.weight", "attn_output.weight"),
    ("post_attention_layernorm.weight", "post_attention_norm.weight"),
    ("pre_feedforward_layernorm.weight", "ffn_norm.weight"),
    ("mlp.gate_proj.weight", "ffn_gate.weight"),
    ("mlp.up_proj.weight", "ffn_up.weight"),
    ("mlp.down_proj.weight", "ffn_down.weight"),
    ("post_feedforward_layernorm.weight", "post_ffw_norm.weight"),
];

/// What stands outside the layers of the text model.
const TEXT: [(&str, &str); 3] = [
    (crate::weights::EMBEDDING, "token_embd.weight"),
    ("language_model.norm.weight", "output_norm.weight"),
    (crate::weights::HEAD, "output.weight"),
];

/// What stands in a layer of the tower, without `.weight` and `.bias`.
const TOWER_LAYER: [(&str, &str); 8] = [
    ("layer_norm1", "ln1"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.out_proj", "attn_out"),
    ("layer_norm2", "ln2"),
    ("mlp.fc1", "ffn_up"),
    ("mlp.fc2", "ffn_down"),
];

/// What stands outside the layers of the tower, and the projector.
const TOWER: [(&str, &str); 7] = [
    ("vision_tower.embeddings.patch_embedding.weight", "v.patch_embd.weight"),
    ("vision_tower.embeddings.patch_embedding.bias", "v.patch_embd.bias"),
    ("vision_tower.embeddings.position_embedding.weight", "v.position_embd.weight"),
    ("vision_tower.post_layernorm.weight", "v.post_ln.weight"),
    ("vision_tower.post_layernorm.bias", "v.post_ln.bias"),
    ("multi_modal_projector.mm_soft_emb_norm.weight", "mm.soft_emb_norm.weight"),
    ("multi_modal_projector.mm_input_projection_weight", "mm.input_projection.weight"),
];

fn find(table: &[(&'static str, &'static str)], canonical: &str) -> Option<&'static str> {
    table.iter().find(|(from, _)| *from == canonical).map(|(_, to)| *to)
}

/// Where a tensor of the text model goes; `None` for any other.
pub(super) fn text(canonical: &str) -> Option<Place> {
    if let Some(rest) = canonical.strip_prefix("language_model.layers.") {
        let (layer, rest) = rest.split_once('.')?;
        let (layer, part) = (layer.parse().ok()?, find(&LAYER, rest)?);
        return Some(Place { name: format!("blk.{layer}.{part}"), layer: Some(layer), part });
    }
    let part = find(&TEXT, canonical)?;
    Some(Place { name: part.to_owned(), layer: None, part })
}

/// The name of a tensor of the tower or the projector; `None` for any other.
pub(super) fn projector(canonical: &str) -> Option<String> {
    if let Some(rest) = canonical.strip_prefix("vision_tower.encoder.layers.") {
        let (layer, rest) = rest.split_once('.')?;
        let (part, what) = rest.rsplit_once('.')?;
        return Some(format!("v.blk.{layer}.{}.{what}", find(&TOWER_LAYER, part)?));
    }
    find(&TOWER, canonical).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tensor_that_a_configuration_asks_for_has_a_name_of_its_own() {
        let files = crate::phantom::files();
        let config = crate::config::ModelConfig::load(&files).expect("the bundled one");
        let mut names = std::collections::HashSet::new();
        for expected in crate::weights::expected(&config) {
            let name = text(&expected.name).map(|place| place.name).or_else(|| projector(&expected.name));
            let name = name.unwrap_or_else(|| panic!("{} has none", expected.name));
            assert!(names.insert(name), "{}: twice", expected.name);
        }
        assert_eq!(text("vision_tower.post_layernorm.bias"), None);
        assert_eq!(projector("language_model.norm.weight"), None);
    }
}
