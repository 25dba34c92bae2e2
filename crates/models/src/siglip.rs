//! The vision tower and the projector: a picture becomes soft tokens of the text model.
//!
//! After `SiglipVisionModel` and `Gemma3MultiModalProjector` of transformers 5.23.0. The tower's pooling head, where
//! a file has one, is not on this path.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_kernels::{Backend, Dtype, Epilogue, KvCache, Matrix};

use crate::Result;
use crate::config::ImageConfig;
use crate::gemma3::Watch;
use crate::images;
use crate::weights::{PROJECTION, Reader, Vector};

/// How the tower's layers multiply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisionPrecision {
    /// f32 arithmetic with the weights as they are stored.
    #[default]
    Exact,
    /// Weights and activations rounded to 8 bits with a scale for every 32 values, attention in f32. Matrices whose
    /// inputs are not whole blocks of 32 stay exact; the model family has none. With random weights of the family's 4B
    /// size soft tokens differ by 1.1 % (root of mean squares, relative).
    Int8,
}

impl fmt::Display for VisionPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Int8 => "int8",
        })
    }
}

/// What a matrix of [`VisionPrecision::Int8`] is made of.
const INT8: Dtype = Dtype::Q8_0;

/// Weights of the tower and the projector.
pub struct Siglip {
    images: ImageConfig,
    /// Features between the two halves of a layer: the configuration's, or more, of which the rest is zero.
    inner: usize,
    text_width: usize,
    patch: Matrix,      // [width, 3 × patch × patch]
    patch_bias: Vector, // [width]
    positions: Vector,  // [patches, width]
    layers: Vec<Layer>,
    post_norm: Norm,
    projector_norm: Vector, // [width], already 1 + w
    projection: Matrix,     // [text width, width]
}

struct Layer {
    norm1: Norm,
    q: Linear,   // [width, width]
    k: Linear,   // [width, width]
    v: Linear,   // [width, width]
    out: Linear, // [width, width]
    norm2: Norm,
    fc1: Linear, // [inner, width]
    fc2: Linear, // [width, inner]
}

struct Linear {
    weight: Matrix,
    bias: Vector,
}

struct Norm {
    weight: Vector,
    bias: Vector,
}

/// Room for one picture on its way through the tower.
pub struct SiglipBuffers {
    x: Vec<f32>,               // [patches, width]
    y: Vec<f32>,               // [patches, width]
    q: Vec<f32>,               // [patches, width]
    k: Vec<f32>,               // [patches, width]
    v: Vec<f32>,               // [patches, width]
    inner: Vec<f32>,           // [patches, inner]
    pooled: Vec<f32>,          // [tokens, width]
    normed: Vec<f32>,          // [tokens, width]
    ranges: Vec<Range<usize>>, // every patch sees every patch
    cache: KvCache,            // heads × patches
}

impl Siglip {
    /// Reads the tower and the projector; the catalogue behind `reader` has been checked against the configuration.
    ///
    /// # Errors
    /// A tensor that cannot be read or memory that cannot be had.
    pub fn load(
        reader: &mut Reader<'_>,
        images: &ImageConfig,
        text_width: usize,
        precision: VisionPrecision,
    ) -> Result<Self> {
        let v = &images.vision;
        let (block, _) = INT8.block();
        let width = v.hidden_size;
        let inner = match precision {
            VisionPrecision::Int8 if width.is_multiple_of(block) => {
                v.intermediate_size.next_multiple_of(block)
            }
            _ => v.intermediate_size,
        };
        let linear = |reader: &mut Reader<'_>, name: String, [n_out, n_in]: [usize; 2]| -> Result<Linear> {
            let mut bias = reader.vector(&format!("{name}.bias"))?;
            bias.resize(n_out, 0.0);
            let name = format!("{name}.weight");
            let weight = match precision {
                VisionPrecision::Int8 if n_in.is_multiple_of(block) => {
                    reader.requantized(&name, [n_out, n_in], INT8)?
                }
                _ => reader.matrix(&name)?,
            };
            Ok(Linear { weight, bias })
        };
        let norm = |reader: &mut Reader<'_>, name: String| -> Result<Norm> {
            Ok(Norm {
                weight: reader.vector(&format!("{name}.weight"))?,
                bias: reader.vector(&format!("{name}.bias"))?,
            })
        };
        let at = "vision_tower.embeddings";
        let patch = reader.matrix(&format!("{at}.patch_embedding.weight"))?;
        let patch_bias = reader.vector(&format!("{at}.patch_embedding.bias"))?;
        let positions = reader.vector(&format!("{at}.position_embedding.weight"))?;
        let mut layers = Vec::with_capacity(images.vision.n_layers);
        for i in 0..images.vision.n_layers {
            let at = format!("vision_tower.encoder.layers.{i}");
            layers.push(Layer {
                norm1: norm(reader, format!("{at}.layer_norm1"))?,
                q: linear(reader, format!("{at}.self_attn.q_proj"), [width, width])?,
                k: linear(reader, format!("{at}.self_attn.k_proj"), [width, width])?,
                v: linear(reader, format!("{at}.self_attn.v_proj"), [width, width])?,
                out: linear(reader, format!("{at}.self_attn.out_proj"), [width, width])?,
                norm2: norm(reader, format!("{at}.layer_norm2"))?,
                fc1: linear(reader, format!("{at}.mlp.fc1"), [inner, width])?,
                fc2: linear(reader, format!("{at}.mlp.fc2"), [width, inner])?,
            });
        }
        Ok(Self {
            images: images.clone(),
            inner,
            text_width,
            patch,
            patch_bias,
            positions,
            layers,
            post_norm: norm(reader, "vision_tower.post_layernorm".to_owned())?,
            projector_norm: reader.norm("multi_modal_projector.mm_soft_emb_norm.weight")?,
            projection: reader.projection(PROJECTION, images.vision.hidden_size, text_width)?,
        })
    }

    /// Room for one picture, used again for the next: made for a request with pictures and given back before the answer
    /// is written, because it takes a fifth of a gigabyte in the family's size.
    ///
    /// # Errors
    /// Sizes of keys and values that no address space holds.
    pub fn buffers(&self) -> Result<SiglipBuffers> {
        let v = &self.images.vision;
        let (n, width) = (v.n_patches(), v.hidden_size);
        let tokens = self.images.tokens_per_image;
        Ok(SiglipBuffers {
            x: vec![0.0; n * width],
            y: vec![0.0; n * width],
            q: vec![0.0; n * width],
            k: vec![0.0; n * width],
            v: vec![0.0; n * width],
            inner: vec![0.0; n * self.inner],
            pooled: vec![0.0; tokens * width],
            normed: vec![0.0; tokens * width],
            ranges: vec![0..n; n],
            cache: KvCache::new(v.n_heads, v.head_dim(), n)?,
        })
    }

    /// Bytes of activations that [`Siglip::buffers`] takes.
    #[must_use]
    pub fn buffer_bytes(images: &ImageConfig) -> u64 {
        let v = &images.vision;
        let per_patch = v.patch_width() + 7 * v.hidden_size + v.intermediate_size;
        4 * (v.n_patches() as u64 * per_patch as u64 + 2 * (images.tokens_per_image * v.hidden_size) as u64)
    }

    /// The soft tokens of one picture into `out` `[tokens_per_image, text width]`.
    ///
    /// `pixels` is `[3, image_size, image_size]`, normalised. Returns whether it was finished: setting `cancel` ends it
    /// between layers, and `out` is then meaningless.
    ///
    /// # Errors
    /// Lengths that do not fit the configuration.
    pub fn encode(
        &self,
        backend: &Backend,
        pixels: &[f32],
        b: &mut SiglipBuffers,
        cancel: &AtomicBool,
        watch: Watch<'_>,
        out: &mut [f32],
    ) -> Result<bool> {
        let c = &self.images.vision;
        let eps = c.layer_norm_eps;
        let scale = (c.head_dim() as f64).powf(-0.5) as f32;

        let patches = images::patches(pixels, c.image_size, c.patch_size)?; // [patches, 3 × patch × patch]
        b.x.copy_from_slice(&self.positions);
        backend.linear(&patches, &self.patch, &mut b.x, Epilogue::BiasResidual(&self.patch_bias))?;
        watch("patch_embedding", 0, &b.x);

        for (i, layer) in self.layers.iter().enumerate() {
            if cancel.load(Ordering::Relaxed) {
                return Ok(false);
            }
            // x += out(attention(norm(x)))
            backend.layer_norm(&b.x, &layer.norm1.weight, &layer.norm1.bias, eps, &mut b.y)?;
            backend.linear(&b.y, &layer.q.weight, &mut b.q, Epilogue::Bias(&layer.q.bias))?;
            backend.linear(&b.y, &layer.k.weight, &mut b.k, Epilogue::Bias(&layer.k.bias))?;
            backend.linear(&b.y, &layer.v.weight, &mut b.v, Epilogue::Bias(&layer.v.bias))?;
            b.cache.clear();
            backend.store(&mut b.cache, &b.k, &b.v, 0)?;
            backend.attend(&b.q, &b.cache, &b.ranges, scale, &mut b.y)?;
            backend.linear(&b.y, &layer.out.weight, &mut b.x, Epilogue::BiasResidual(&layer.out.bias))?;

            // x += fc2(gelu(fc1(norm(x))))
            backend.layer_norm(&b.x, &layer.norm2.weight, &layer.norm2.bias, eps, &mut b.y)?;
            backend.linear(&b.y, &layer.fc1.weight, &mut b.inner, Epilogue::BiasGelu(&layer.fc1.bias))?;
            backend.linear(&b.inner, &layer.fc2.weight, &mut b.x, Epilogue::BiasResidual(&layer.fc2.bias))?;
            watch("vision_layer", i, &b.x);
        }
        backend.layer_norm(&b.x, &self.post_norm.weight, &self.post_norm.bias, eps, &mut b.y)?;
        watch("vision_output", 0, &b.y);

        backend.average_pool(&b.y, c.patches_per_side(), self.images.pool_kernel(), &mut b.pooled)?;
        backend.rms_norm(&b.pooled, &self.projector_norm, eps, &mut b.normed)?;
        watch("pooled", 0, &b.normed);
        backend.linear(&b.normed, &self.projection, out, Epilogue::Store)?;
        watch("soft_tokens", 0, out);
        Ok(true)
    }

    /// Soft tokens of a picture times the text model's width: the length of [`Siglip::encode`]'s output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.images.tokens_per_image * self.text_width
    }
}
