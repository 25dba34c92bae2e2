//! GGUF files: the container, and the settings and tensors of a model or a projector in it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use lightbox_models::ModelFiles;
use lightbox_models::config::{ImageProcessor, ModelConfig};
use lightbox_models::gguf::{Array, GgmlType, Gguf, MAGIC, Value, ValueKind};
use lightbox_models::tokens::Tokens;
use lightbox_models::weights::{Catalogue, expected};

use super::Target;

/// A whole GGUF file, read as a text model and as the projector of a sound one.
pub const GGUF: Target = Target {
    name: "gguf",
    run: gguf,
    seeds,
    words: &[
        b"GGUF",
        b"general.architecture",
        b"general.alignment",
        b"general.type",
        b"gemma3.block_count",
        b"gemma3.attention.sliding_window_pattern",
        b"gemma3.rope.scaling.type",
        b"gemma3.final_logit_softcapping",
        b"gemma3.vision.block_count",
        b"gemma3.mm.tokens_per_image",
        b"clip.projector_type",
        b"clip.vision.image_mean",
        b"split.count",
        b"tokenizer.ggml.tokens",
        b"token_embd.weight",
        b"blk.0.",
        b"v.blk.0.ffn_up.weight",
        b"mm.input_projection.weight",
        b"\x09\x00\x00\x00\x08\x00\x00\x00",
    ],
    repair: None,
    memory_limit_bytes: 16 << 20,
    memory_limit_per_byte: 16,
    time_limit: Duration::from_secs(2),
};

/// A refusal has words.
fn heard(error: Option<lightbox_models::Error>) {
    if let Some(error) = error {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
}

fn gguf(bytes: &[u8]) {
    match Gguf::parse("input.gguf", bytes, bytes.len() as u64) {
        Err(error) => return heard(Some(error)),
        Ok(gguf) => container(&gguf, bytes.len() as u64),
    }
    let folder = folder();
    let input = folder.join("input.gguf");
    std::fs::write(&input, bytes).expect("a short file can be written");
    let sound = folder.join("sound.gguf");
    for (text, projector) in [(&input, None), (&sound, Some(input.clone()))] {
        heard(ModelFiles::gguf(text, projector).and_then(|files| model(&files)).err());
    }
}

/// What was read of a container lies in it, and every lookup gives a value or words.
fn container(gguf: &Gguf, file_len: u64) {
    for tensor in gguf.tensors() {
        let end = tensor.offset.checked_add(tensor.len);
        assert!(end.is_some_and(|end| end <= file_len), "{} lies outside its file", tensor.name);
        assert_eq!(gguf.tensor(&tensor.name), Some(tensor));
    }
    for (key, value) in gguf.metadata() {
        assert_eq!(gguf.get(key).map(|v| v.to_string()), Some(value.to_string()));
        if let Value::Array(array) = value {
            assert_eq!(Array::values(array).count(), array.len(), "{key}");
        }
        heard(gguf.unsigned(key).err());
        heard(gguf.float(key).err());
        heard(gguf.flag(key).err());
        heard(gguf.text(key).err());
        heard(gguf.texts(key).err());
        heard(gguf.floats(key).err());
        heard(gguf.integers(key).err());
    }
}

/// Everything of a model but its weights.
fn model(files: &ModelFiles) -> lightbox_models::Result<()> {
    let config = ModelConfig::load(files)?;
    assert!(!expected(&config).is_empty());
    if let Some(images) = &config.images {
        heard(ImageProcessor::load(files, images).err());
    }
    heard(Tokens::load(files, &config).err());
    for problem in Catalogue::open(files)?.problems(&config) {
        heard(Some(problem));
    }
    Ok(())
}

/// The worker's folder for temporary files, with a sound text model; made once, removed by the parent.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir();
        std::fs::write(folder.join("sound.gguf"), text(false).bytes()).expect("a short file can be written");
        folder
    })
}

fn seeds() -> Vec<Vec<u8>> {
    vec![text(false).bytes(), text(true).bytes(), projector().bytes(), Made::default().bytes()]
}

/// A file in the making.
#[derive(Default)]
struct Made {
    n_pairs: u64,
    pairs: Vec<u8>,
    tensors: Vec<(String, Vec<u64>)>,
}

fn counted(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Made {
    fn pair(&mut self, key: &str, kind: ValueKind, value: &[u8]) {
        self.n_pairs += 1;
        self.pairs.extend([counted(key), kind.code().to_le_bytes().to_vec(), value.to_vec()].concat());
    }

    fn text(&mut self, key: &str, text: &str) {
        self.pair(key, ValueKind::Text, &counted(text));
    }

    fn numbers(&mut self, start: &str, numbers: &[(&str, u32)]) {
        for (key, n) in numbers {
            self.pair(&format!("{start}{key}"), ValueKind::U32, &n.to_le_bytes());
        }
    }

    fn array(&mut self, key: &str, kind: ValueKind, elements: &[Vec<u8>]) {
        let head = [&kind.code().to_le_bytes()[..], &(elements.len() as u64).to_le_bytes()].concat();
        self.pair(key, ValueKind::Array, &[head, elements.concat()].concat());
    }

    /// Sizes innermost first.
    fn tensor(&mut self, name: &str, sizes: &[u64]) {
        self.tensors.push((name.to_owned(), sizes.to_vec()));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &3u32.to_le_bytes()].concat();
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_pairs.to_le_bytes());
        bytes.extend(&self.pairs);
        let mut offset = 0u64;
        for (name, sizes) in &self.tensors {
            bytes.extend(counted(name));
            bytes.extend((sizes.len() as u32).to_le_bytes());
            sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
            bytes.extend(GgmlType::of_name("F32").map_or(0, GgmlType::code).to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            offset = (offset + 4 * sizes.iter().product::<u64>()).next_multiple_of(32);
        }
        bytes.resize(bytes.len().next_multiple_of(32) + offset as usize, 0);
        bytes
    }
}

/// A model of one layer, with or without a tower of one layer inside.
fn text(with_tower: bool) -> Made {
    let mut made = Made::default();
    made.text("general.architecture", "gemma3");
    made.numbers(
        "gemma3.",
        &[
            ("context_length", 32),
            ("embedding_length", 4),
            ("block_count", 1),
            ("feed_forward_length", 6),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
            ("attention.key_length", 2),
            ("attention.sliding_window", 8),
        ],
    );
    let words =
        ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_image>", "<end_of_image>", "<end_of_turn>", "▁a"];
    let words = words.map(counted);
    made.text("tokenizer.ggml.model", "llama");
    made.array("tokenizer.ggml.tokens", ValueKind::Text, &words);
    made.array("tokenizer.ggml.scores", ValueKind::F32, &vec![vec![0; 4]; words.len()]);
    made.array("tokenizer.ggml.token_type", ValueKind::I32, &vec![vec![1, 0, 0, 0]; words.len()]);
    made.numbers("tokenizer.ggml.", &[("bos_token_id", 2), ("eos_token_id", 1), ("unknown_token_id", 3)]);
    made.tensor("token_embd.weight", &[4, words.len() as u64]);
    made.tensor("output_norm.weight", &[4]);
    for (name, sizes) in [
        ("attn_norm", &[4][..]),
        ("attn_q", &[4, 4]),
        ("attn_k", &[4, 2]),
        ("attn_v", &[4, 2]),
        ("attn_q_norm", &[2]),
        ("attn_k_norm", &[2]),
        ("attn_output", &[4, 4]),
        ("post_attention_norm", &[4]),
        ("ffn_norm", &[4]),
        ("ffn_gate", &[4, 6]),
        ("ffn_up", &[4, 6]),
        ("ffn_down", &[6, 4]),
        ("post_ffw_norm", &[4]),
    ] {
        made.tensor(&format!("blk.0.{name}.weight"), sizes);
    }
    if with_tower {
        made.numbers("gemma3.vision.", &TOWER);
        made.numbers("gemma3.mm.", &[("tokens_per_image", 1)]);
        tower(&mut made, ["layer_norm1", "layer_norm2", "attn_output", "mlp.fc1", "mlp.fc2"]);
        for (name, sizes) in [
            ("v.patch_embedding.weight", &[2, 2, 3, 2][..]),
            ("v.patch_embedding.bias", &[2]),
            ("v.position_embedding.weight", &[2, 16]),
            ("v.post_layernorm.weight", &[2]),
            ("v.post_layernorm.bias", &[2]),
            ("mm.mm_input_projection.weight", &[4, 2]),
            ("mm.mm_soft_emb_norm.weight", &[2]),
        ] {
            made.tensor(name, sizes);
        }
    }
    made
}

const TOWER: [(&str, u32); 6] = [
    ("image_size", 8),
    ("patch_size", 2),
    ("embedding_length", 2),
    ("feed_forward_length", 6),
    ("block_count", 1),
    ("attention.head_count", 1),
];

/// One layer, with the names of one of the layouts for norms, output and feed-forward block.
fn tower(made: &mut Made, [norm1, norm2, out, fc1, fc2]: [&str; 5]) {
    let parts = [
        (norm1, &[2][..], 2),
        (norm2, &[2], 2),
        ("attn_q", &[2, 2], 2),
        ("attn_k", &[2, 2], 2),
        ("attn_v", &[2, 2], 2),
        (out, &[2, 2], 2),
        (fc1, &[2, 6], 6),
        (fc2, &[6, 2], 2),
    ];
    for (name, sizes, bias) in parts {
        made.tensor(&format!("v.blk.0.{name}.weight"), sizes);
        made.tensor(&format!("v.blk.0.{name}.bias"), &[bias]);
    }
}

/// The projector of such a model, as llama.cpp's converter writes it.
fn projector() -> Made {
    let mut made = Made::default();
    made.text("general.architecture", "clip");
    made.text("clip.projector_type", "gemma3");
    for key in ["clip.has_vision_encoder", "clip.use_gelu"] {
        made.pair(key, ValueKind::Flag, &[1]);
    }
    made.numbers("clip.vision.", &TOWER);
    made.numbers("clip.vision.", &[("projection_dim", 4)]);
    let half = vec![0.5f32.to_le_bytes().to_vec(); 3];
    made.array("clip.vision.image_mean", ValueKind::F32, &half);
    made.array("clip.vision.image_std", ValueKind::F32, &half);
    tower(&mut made, ["ln1", "ln2", "attn_out", "ffn_up", "ffn_down"]);
    for (name, sizes) in [
        ("v.patch_embd.weight", &[2, 2, 3, 2][..]),
        ("v.patch_embd.bias", &[2]),
        ("v.position_embd.weight", &[2, 16]),
        ("v.post_ln.weight", &[2]),
        ("v.post_ln.bias", &[2]),
        ("mm.input_projection.weight", &[4, 2]),
        ("mm.soft_emb_norm.weight", &[2]),
    ] {
        made.tensor(name, sizes);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_models_and_a_projector() {
        // A folder of its own: projectors are looked for beside a text model.
        let folder = std::env::temp_dir().join(format!("lightbox-fuzz-gguf-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let write = |name: &str, made: &Made| {
            let path = folder.join(name);
            std::fs::write(&path, made.bytes()).expect("a short file can be written");
            path
        };
        let (alone, inside) = (write("a.gguf", &text(false)), write("b.gguf", &text(true)));
        let eye = write("c.gguf", &projector());
        for (text, projector, pictures) in
            [(&alone, None, false), (&inside, None, true), (&alone, Some(eye), true)]
        {
            let files = ModelFiles::gguf(text, projector).expect("sound files");
            let config = ModelConfig::load(&files).expect("sound settings");
            assert_eq!(config.images.is_some(), pictures);
            Catalogue::open(&files).and_then(|catalogue| catalogue.check(&config)).expect("sound tensors");
        }
        std::fs::remove_dir_all(&folder).expect("our own folder");
    }
}
