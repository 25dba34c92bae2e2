//! The vision tower's part of `config.json`.

use serde_json::{Value, json};

use super::{FILE, Keys, MAX_COUNT, MAX_SIZE, take_common, take_dtype};
use crate::{Error, ErrorKind, Result};

/// The SigLIP tower: sizes and layers.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward block.
    pub intermediate_size: usize,
    /// Encoder layers.
    pub n_layers: usize,
    /// Attention heads.
    pub n_heads: usize,
    /// Side of the square picture, in pixels.
    pub image_size: usize,
    /// Side of a square patch, in pixels.
    pub patch_size: usize,
    /// Added under the root of every norm, the projector's included.
    pub layer_norm_eps: f32,
    /// Whether the file may hold a pooling head, which Gemma 3 does not use.
    pub has_head: bool,
}

impl VisionConfig {
    /// Colour channels of a picture.
    pub const CHANNELS: usize = 3;

    /// Whole patches along one side; what is left over at the right and bottom is not seen, as in the reference.
    #[must_use]
    pub fn patches_per_side(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Whole patches of a picture.
    #[must_use]
    pub fn n_patches(&self) -> usize {
        self.patches_per_side() * self.patches_per_side()
    }

    /// Width of a head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.n_heads
    }

    /// Samples of a patch.
    #[must_use]
    pub fn patch_width(&self) -> usize {
        Self::CHANNELS * self.patch_size * self.patch_size
    }

    /// Refuses sizes that do not fit together; `place` is for messages.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        let fail = |message: String| Err(Error::new(ErrorKind::Config, format!("{place}: {message}")));
        if !self.hidden_size.is_multiple_of(self.n_heads) {
            return fail(format!(
                "hidden_size: expected a multiple of num_attention_heads {}, found {}",
                self.n_heads, self.hidden_size
            ));
        }
        if self.patch_size > self.image_size {
            return fail(format!(
                "patch_size: expected at most image_size {}, found {}",
                self.image_size, self.patch_size
            ));
        }
        if self.patch_width() > MAX_SIZE || self.n_patches() > MAX_SIZE {
            return fail(format!(
                "patch_size {} and image_size {} make patches of {} samples, {} of them; at most {MAX_SIZE} of each",
                self.patch_size,
                self.image_size,
                self.patch_width(),
                self.n_patches()
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps.is_finite()) {
            return fail(
                "layer_norm_eps: expected a number that is above zero and finite in 32 bits".to_owned(),
            );
        }
        Ok(())
    }

    pub(super) fn parse(value: &Value) -> Result<Self> {
        let mut keys = Keys::new(format!("{FILE}: vision_config"), value)?;
        keys.only("model_type", &[json!("siglip_vision_model")])?;
        keys.only("hidden_act", &[json!("gelu_pytorch_tanh")])?;
        keys.only("num_channels", &[json!(Self::CHANNELS)])?;
        // Written by relatives of this tower; the projector's sizes are the text model's.
        keys.ignore(&["architectures", "num_image_tokens", "num_positions", "projection_dim"]);
        take_common(&mut keys)?;
        take_dtype(&mut keys)?;
        let config = Self {
            hidden_size: keys.count("hidden_size", 768, MAX_SIZE)?,
            intermediate_size: keys.count("intermediate_size", 3072, MAX_SIZE)?,
            n_layers: keys.count("num_hidden_layers", 12, MAX_COUNT)?,
            n_heads: keys.count("num_attention_heads", 12, MAX_COUNT)?,
            image_size: square(&mut keys, "image_size", 224)?,
            patch_size: square(&mut keys, "patch_size", 16)?,
            layer_norm_eps: keys.positive("layer_norm_eps", 1e-6)? as f32,
            has_head: keys.flag("vision_use_head")?.unwrap_or(true),
        };
        config.check(keys.place())?;
        keys.finish()?;
        Ok(config)
    }
}

/// A side in pixels, written as a number or as two equal ones.
fn square(keys: &mut Keys<'_>, key: &str, default: usize) -> Result<usize> {
    let Some(value) = keys.take(key) else { return Ok(default) };
    let side = match value.as_array().map(Vec::as_slice) {
        Some([a, b]) if a == b => a.as_u64(),
        Some(_) => None,
        None => value.as_u64(),
    };
    match side.and_then(|n| usize::try_from(n).ok()) {
        Some(n) if (1..=MAX_COUNT).contains(&n) => Ok(n),
        _ => Err(keys.bad(key, &format!("the side of a square, 1 to {MAX_COUNT} pixels"), value)),
    }
}
