//! The projector's file: the vision tower and the way into the text model, not quantized.

use lightbox_kernels::Dtype;

use super::text::unwritable;
use super::{Job, names};
use crate::Result;
use crate::config::{ImageConfig, ImageProcessor};
use crate::gguf::Head;
use crate::weights::{Catalogue, Expected};
use crate::{Error, ErrorKind};

/// Patches along one side of a pooling window, unless a file says otherwise.
const USUAL_POOL: usize = 4;

/// llama.cpp's numbers for `general.file_type`.
pub(super) fn file_type(dtype: Dtype) -> u32 {
    match dtype {
        Dtype::F16 => 1,
        Dtype::Bf16 => 32,
        _ => 0,
    }
}

/// Adds the tower's sizes and what is done to a picture.
pub(super) fn settings(
    head: &mut Head,
    images: &ImageConfig,
    processor: &ImageProcessor,
    text_width: usize,
) -> Result<()> {
    let vision = &images.vision;
    head.flag("clip.has_vision_encoder", true);
    head.text("clip.projector_type", "gemma3");
    head.flag("clip.use_gelu", true);
    for (key, value) in [
        ("projection_dim", text_width),
        ("image_size", vision.image_size),
        ("patch_size", vision.patch_size),
        ("embedding_length", vision.hidden_size),
        ("feed_forward_length", vision.intermediate_size),
        ("block_count", vision.n_layers),
        ("attention.head_count", vision.n_heads),
    ] {
        let value = u32::try_from(value).map_err(|_| unwritable(format!("{key}: {value} does not fit")))?;
        head.number(&format!("clip.vision.{key}"), value);
    }
    head.float("clip.vision.attention.layer_norm_epsilon", vision.layer_norm_eps);
    head.floats("clip.vision.image_mean", &processor.mean.map(|x| x as f32));
    head.floats("clip.vision.image_std", &processor.std.map(|x| x as f32));
    if images.pool_kernel() != USUAL_POOL {
        head.number("clip.vision.projector.scale_factor", images.pool_kernel() as u32);
    }
    Ok(())
}

/// Plans the tensors: matrices of the tower in `dtype`, everything else in f32.
pub(super) fn tensors(
    head: &mut Head,
    expected: &[Expected],
    catalogue: &Catalogue,
    dtype: Dtype,
) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for Expected { name, shape } in expected {
        let Some(to) = names::projector(name) else { continue };
        let located = catalogue
            .get(name)
            .ok_or_else(|| Error::new(ErrorKind::Weights, format!("tensor {name} is missing")))?;
        // Readers turn the projection over and want the embeddings wide.
        let plain = shape.len() == 1 || to.starts_with("v.p") || to.starts_with("mm.");
        // The projector's norm leaves out the one as the text model's do; those of the tower are whole.
        let add = if to == "mm.soft_emb_norm.weight" { 1.0 } else { 0.0 };
        jobs.push(Job::plan(head, located, &to, if plain { Dtype::F32 } else { dtype }, shape, add)?);
    }
    Ok(jobs)
}
