//! What metadata says of the vision tower and of pictures: in a projector's file, or in the text model's own.

use super::model::{Model, Vision};
use super::section::Section;
use super::{Gguf, Value};
use crate::config::{ImageConfig, ImageProcessor, MAX_COUNT, MAX_SIZE, VisionConfig, check_pooling};
use crate::{Error, ErrorKind, Result};

/// Patches along one side of a pooling window, unless the file says otherwise.
const POOL: usize = 4;
/// Soft tokens of a picture in files with the tower inside, unless the file says otherwise.
const TOKENS_PER_IMAGE: usize = 256;
/// Texts of the tokens that begin and end a picture and that stand for it.
const MARKS: [&str; 3] = ["<start_of_image>", "<end_of_image>", "<image_soft_token>"];

/// Everything about pictures; `None` for a model without a tower. `tokens` are the texts of the vocabulary.
pub(super) fn load(model: &Model, tokens: &[&str]) -> Result<Option<ImageConfig>> {
    let (place, vision, tokens_per_image) = match model.vision() {
        Vision::None => return Ok(None),
        Vision::Beside(projector) => {
            let (vision, tokens_per_image) = beside(projector)?;
            (projector.file(), vision, tokens_per_image)
        }
        Vision::Inside(text) => {
            let (vision, tokens_per_image) = inside(text)?;
            (text.file(), vision, tokens_per_image)
        }
    };
    let text = model.text()?.file();
    let id_of =
        |mark: &str| tokens.iter().position(|token| *token == mark).and_then(|id| u32::try_from(id).ok());
    let needed = |mark: &str| {
        id_of(mark).ok_or_else(|| {
            Error::new(
                ErrorKind::Tokenizer,
                format!("{text}: tokenizer.ggml.tokens: expected {mark}, which marks a picture, found none"),
            )
            .hint("this vocabulary is not of a model that takes pictures")
        })
    };
    let [begin, end, soft] = MARKS;
    let images = ImageConfig {
        vision,
        tokens_per_image,
        begin_token: needed(begin)?,
        end_token: needed(end)?,
        // Tables of 262144 rows have none for the soft token, and need none: it gets the first id past the table.
        image_token: id_of(soft).or(u32::try_from(tokens.len()).ok()).unwrap_or(u32::MAX),
    };
    check_pooling(&images, place)?;
    Ok(Some(images))
}

/// From a projector's file: the tower, and the soft tokens of a picture.
fn beside(projector: &Gguf) -> Result<(VisionConfig, usize)> {
    let mut keys = Section::new(projector, "clip.");
    keys.only("has_vision_encoder", &[Value::Flag(true)])?;
    for key in ["has_text_encoder", "has_audio_encoder", "has_llava_projector", "use_silu"] {
        keys.only(key, &[Value::Flag(false)])?;
    }
    keys.only("use_gelu", &[Value::Flag(true)])?;
    // Kind and width of the projector were compared when the two files were put together.
    keys.ignore(&["projector_type"]);
    keys.leave("vision.");
    keys.finish()?;

    let mut keys = Section::new(projector, "clip.vision.");
    keys.ignore(&["projector_type", "projection_dim"]);
    // See `processor`.
    keys.ignore(&["image_mean", "image_std"]);
    let vision = tower(&mut keys, projector)?;
    let side = vision.patches_per_side();
    let pool = keys.count("projector.scale_factor", MAX_COUNT)?.unwrap_or(POOL);
    let tokens_per_side = side / pool;
    if tokens_per_side == 0 {
        let expected =
            format!("at most {side}, the patches along a side of a picture (without the key it is {POOL})");
        return Err(keys.bad("projector.scale_factor", &expected));
    }
    keys.finish()?;
    Ok((vision, tokens_per_side * tokens_per_side))
}

/// From a text model's file with the tower inside: the tower, and the soft tokens of a picture.
fn inside(text: &Gguf) -> Result<(VisionConfig, usize)> {
    let mut keys = Section::new(text, "gemma3.vision.");
    let vision = tower(&mut keys, text)?;
    keys.finish()?;
    let mut keys = Section::new(text, "gemma3.mm.");
    let tokens = keys.count("tokens_per_image", MAX_COUNT)?.unwrap_or(TOKENS_PER_IMAGE);
    keys.finish()?;
    Ok((vision, tokens))
}

/// The tower's own keys.
fn tower(keys: &mut Section<'_>, gguf: &Gguf) -> Result<VisionConfig> {
    let n_heads = keys.size("attention.head_count", MAX_COUNT)?;
    keys.only("attention.head_count_kv", &[Value::Unsigned(n_heads as u64)])?;
    keys.only("num_channels", &[Value::Unsigned(VisionConfig::CHANNELS as u64)])?;
    let vision = VisionConfig {
        hidden_size: keys.size("embedding_length", MAX_SIZE)?,
        intermediate_size: keys.size("feed_forward_length", MAX_SIZE)?,
        n_layers: keys.layers(gguf.tensors().len())?,
        n_heads,
        image_size: keys.size("image_size", MAX_COUNT)?,
        patch_size: keys.size("patch_size", MAX_COUNT)?,
        layer_norm_eps: keys.positive("attention.layer_norm_epsilon")?.unwrap_or(1e-6) as f32,
        has_head: false,
    };
    vision.check(gguf.file())?;
    Ok(vision)
}

/// How pictures are prepared: the family's stretched bilinear resize to the tower's size, rescaled to 0 … 1, and the
/// file's mean and deviation, 0.5 where it says none.
///
/// # Errors
/// [`ErrorKind::Config`] for means or deviations that are not three sensible numbers.
pub(crate) fn processor(model: &Model, images: &ImageConfig) -> Result<ImageProcessor> {
    let three = |key: &str, sane: fn(f64) -> bool| -> Result<[f64; 3]> {
        let Vision::Beside(projector) = model.vision() else { return Ok([0.5; 3]) };
        let Some(list) = projector.array(key)? else { return Ok([0.5; 3]) };
        let numbers: Option<Vec<f64>> = list.values().map(|v| v.float().filter(|x| sane(*x))).collect();
        let three = numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok());
        three.ok_or_else(|| projector.bad(key, "three sensible numbers, for red, green and blue"))
    };
    let side = images.vision.image_size;
    Ok(ImageProcessor {
        size_px: [side, side],
        rescale: 1.0 / 255.0,
        mean: three("clip.vision.image_mean", |x| x.abs() <= 1e6)?,
        std: three("clip.vision.image_std", |x| x > 1e-6 && x <= 1e6)?,
        tokens_per_image: None,
    })
}
