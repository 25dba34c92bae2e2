//! How the model's own processor prepares pictures: `preprocessor_config.json`, or `processor_config.json` of version 5.
//!
//! The defaults are those of `Gemma3ImageProcessorPil` and `Gemma3Processor` of transformers 5.23.0. Only what the
//! family uses is implemented: a stretched bilinear resize, rescale, normalise. Anything else is refused by name.

use serde_json::{Value, json};

use super::{ImageConfig, Keys, MAX_COUNT};
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// The file of version 4 and of the hub.
pub const PREPROCESSOR: &str = "preprocessor_config.json";
/// The file that holds the picture part too since version 5.
pub const PROCESSOR: &str = "processor_config.json";

/// What is done to a picture, in this order: resize, times `rescale`, minus `mean`, over `std`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProcessor {
    /// Height and width after the resize, in pixels; the aspect ratio is not kept.
    pub size_px: [usize; 2],
    /// What 8-bit samples are multiplied with.
    pub rescale: f64,
    /// Subtracted from each of red, green and blue.
    pub mean: [f64; 3],
    /// Each of red, green and blue is divided by this.
    pub std: [f64; 3],
    /// Soft tokens a picture becomes, where the file says it.
    pub tokens_per_image: Option<usize>,
}

impl ImageProcessor {
    /// Reads the settings and checks that they fit the tower.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if neither file is there; [`ErrorKind::Config`] naming what is not understood or does not
    /// fit `images`.
    pub fn load(files: &ModelFiles, images: &ImageConfig) -> Result<Self> {
        if let Some(model) = files.as_gguf() {
            return crate::gguf::processor(model, images);
        }
        let outer = match files.read(PROCESSOR)? {
            None => Outer::default(),
            Some(bytes) => parse_outer(&bytes)?,
        };
        let (processor, place) = match (files.read(PREPROCESSOR)?, outer.image) {
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::Files,
                    format!("{files}: neither {PREPROCESSOR} nor an image_processor in {PROCESSOR}"),
                )
                .hint("a model that takes pictures has one; fetch the model again"));
            }
            (Some(bytes), None) => (Self::parse(&bytes)?, PREPROCESSOR),
            (None, Some(inner)) => (inner, PROCESSOR),
            (Some(bytes), Some(inner)) => {
                if Self::parse(&bytes)? != inner {
                    return Err(Error::new(
                        ErrorKind::Config,
                        format!("{PREPROCESSOR} and {PROCESSOR} say different things about pictures"),
                    )
                    .hint("keep the one that the model was trained with"));
                }
                (inner, PROCESSOR)
            }
        };
        let side = images.vision.image_size;
        if processor.size_px != [side, side] {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{place}: size: expected {side}×{side}, the image_size of config.json, found {}×{} (height × width)",
                    processor.size_px[0], processor.size_px[1]
                ),
            ));
        }
        for (file, stated) in [(place, processor.tokens_per_image), (PROCESSOR, outer.tokens_per_image)] {
            if let Some(n) = stated.filter(|n| *n != images.tokens_per_image) {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!(
                        "{file}: image_seq_length: expected {}, the mm_tokens_per_image of config.json, found {n}",
                        images.tokens_per_image
                    ),
                ));
            }
        }
        Ok(processor)
    }

    /// Reads `preprocessor_config.json` from its bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the key and the value that is not understood.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let value = json_of(PREPROCESSOR, bytes)?;
        Self::take(Keys::new(PREPROCESSOR, &value)?)
    }

    fn take(mut keys: Keys<'_>) -> Result<Self> {
        let kinds =
            ["Gemma3ImageProcessor", "Gemma3ImageProcessorFast", "Gemma3ImageProcessorPil"].map(|k| json!(k));
        keys.only("image_processor_type", &kinds)?;
        keys.only("feature_extractor_type", &kinds)?;
        keys.only("processor_class", &[json!("Gemma3Processor")])?;
        // Pictures come in as RGB; how the reference batches, names or places its arrays changes no value.
        keys.ignore(&["_processor_class", "device", "disable_grouping", "do_convert_rgb", "return_tensors"]);
        for key in ["do_resize", "do_rescale", "do_normalize", "default_to_square"] {
            keys.only(key, &[json!(true)])?;
        }
        for key in ["do_center_crop", "do_pad", "do_pan_and_scan"] {
            keys.only(key, &[json!(false)])?;
        }
        // Without a centre crop, padding or pan and scan, their sizes say nothing.
        keys.ignore(&[
            "crop_size",
            "pad_size",
            "pan_and_scan_max_num_crops",
            "pan_and_scan_min_crop_size",
            "pan_and_scan_min_ratio_to_activate",
        ]);
        keys.only("size_divisor", &[])?;
        keys.only("input_data_format", &[])?;
        keys.only("data_format", &[json!("channels_first")])?;
        // 2 is Pillow's bilinear filter.
        keys.only("resample", &[json!(2)])?;
        let size_px = match keys.take_set("size") {
            None => [224, 224],
            Some(value) => {
                let mut size = Keys::new(format!("{}: size", keys.place()), value)?;
                let side = |size: &mut Keys<'_>, key: &str| -> Result<usize> {
                    match size.count(key, 0, MAX_COUNT)? {
                        0 => Err(size.bad(key, "a side in pixels", &Value::Null)),
                        n => Ok(n),
                    }
                };
                let sides = [side(&mut size, "height")?, side(&mut size, "width")?];
                size.finish()?;
                sides
            }
        };
        let processor = Self {
            size_px,
            rescale: keys.positive("rescale_factor", 1.0 / 255.0)?,
            mean: channels(&mut keys, "image_mean", |x| x.abs() <= 1e6)?,
            std: channels(&mut keys, "image_std", |x| x > 1e-6 && x <= 1e6)?,
            tokens_per_image: match keys.count("image_seq_length", 0, MAX_COUNT)? {
                0 => None,
                n => Some(n),
            },
        };
        keys.finish()?;
        Ok(processor)
    }
}

/// One number for all channels or one for each; the reference's default is 0.5.
fn channels(keys: &mut Keys<'_>, key: &str, sane: fn(f64) -> bool) -> Result<[f64; 3]> {
    let Some(value) = keys.take_set(key) else { return Ok([0.5; 3]) };
    let number = |v: &Value| v.as_f64().filter(|x| sane(*x));
    let three = match value.as_array().map(Vec::as_slice) {
        Some([r, g, b]) => number(r).zip(number(g)).zip(number(b)).map(|((r, g), b)| [r, g, b]),
        Some(_) => None,
        None => number(value).map(|x| [x; 3]),
    };
    three.ok_or_else(|| keys.bad(key, "three sensible numbers, for red, green and blue", value))
}

/// What `processor_config.json` says.
#[derive(Debug, Default, PartialEq)]
struct Outer {
    tokens_per_image: Option<usize>,
    image: Option<ImageProcessor>,
}

fn parse_outer(bytes: &[u8]) -> Result<Outer> {
    let value = json_of(PROCESSOR, bytes)?;
    let mut keys = Keys::new(PROCESSOR, &value)?;
    keys.only("processor_class", &[json!("Gemma3Processor")])?;
    // The template is read beside the tokenizer's; the rest is how a Python call returns its arrays.
    keys.ignore(&["chat_template", "return_mm_token_type_ids", "transformers_version"]);
    let tokens_per_image = match keys.count("image_seq_length", 0, MAX_COUNT)? {
        0 => None,
        n => Some(n),
    };
    let image = match keys.take_set("image_processor") {
        None => None,
        Some(inner) => {
            Some(ImageProcessor::take(Keys::new(format!("{PROCESSOR}: image_processor"), inner)?)?)
        }
    };
    keys.finish()?;
    Ok(Outer { tokens_per_image, image })
}

/// Checks the bytes of a `processor_config.json` by themselves.
///
/// # Errors
/// [`ErrorKind::Config`] naming the key and the value that is not understood.
pub fn check_processor(bytes: &[u8]) -> Result<()> {
    parse_outer(bytes).map(|_| ())
}

fn json_of(file: &str, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|e| Error::new(ErrorKind::Config, format!("{file}: not valid JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::super::ModelConfig;
    use super::*;

    const HUB: &str = r#"{"do_convert_rgb":null,"do_normalize":true,"do_pan_and_scan":null,"do_rescale":true,
        "do_resize":true,"image_mean":[0.5,0.5,0.5],"image_processor_type":"Gemma3ImageProcessor",
        "image_seq_length":4,"image_std":[0.5,0.5,0.5],"pan_and_scan_max_num_crops":null,
        "pan_and_scan_min_crop_size":null,"pan_and_scan_min_ratio_to_activate":null,
        "processor_class":"Gemma3Processor","resample":2,"rescale_factor":0.00392156862745098,
        "size":{"height":56,"width":56}}"#;
    const CONFIG: &str = r#"{"model_type":"gemma3","mm_tokens_per_image":4,
        "vision_config":{"image_size":56,"patch_size":14}}"#;

    fn load(files: &[(&str, &str)]) -> Result<ImageProcessor> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("a small file");
        }
        let config = ModelConfig::parse(CONFIG.as_bytes()).expect("a sound configuration");
        ImageProcessor::load(&ModelFiles::folder(dir.path())?, &config.images.expect("it has a tower"))
    }

    #[test]
    fn the_hub_s_file_and_version_5_s_say_the_same() {
        let v5 = format!(
            r#"{{"image_processor":{HUB},"image_seq_length":4,"processor_class":"Gemma3Processor"}}"#
        );
        let hub = load(&[(PREPROCESSOR, HUB)]).expect("the hub's own");
        assert_eq!(hub, load(&[(PROCESSOR, &v5)]).expect("version 5's own"));
        assert_eq!(hub, load(&[(PROCESSOR, &v5), (PREPROCESSOR, HUB)]).expect("both, in agreement"));
        assert_eq!(
            (hub.size_px, hub.rescale, hub.mean, hub.std),
            ([56, 56], 1.0 / 255.0, [0.5; 3], [0.5; 3])
        );
    }

    #[test]
    fn what_is_not_implemented_or_does_not_fit_is_refused_by_name() {
        let table = [
            (r#"{"resample":3,"size":{"height":56,"width":56}}"#, "resample: expected 2, found 3"),
            (r#"{"do_pan_and_scan":true}"#, "do_pan_and_scan: expected false, found true"),
            (r#"{"do_normalize":false}"#, "do_normalize: expected true"),
            (r#"{"size":{"shortest_edge":56}}"#, "size: height: expected a side"),
            (r#"{"size":{"height":56,"width":56,"depth":1}}"#, "size: unknown key depth"),
            (
                r#"{"size":{"height":56,"width":112}}"#,
                "expected 56×56, the image_size of config.json, found 56×112",
            ),
            ("{}", "expected 56×56, the image_size of config.json, found 224×224"),
            (r#"{"size":{"height":56,"width":56},"image_seq_length":256}"#, "image_seq_length: expected 4"),
            (r#"{"image_std":[0,1,1]}"#, "image_std: expected three sensible numbers"),
            (r#"{"image_mean":[0.5]}"#, "image_mean: expected three sensible numbers"),
            (r#"{"rescale_factor":-1}"#, "rescale_factor: expected"),
            (r#"{"image_processor_type":"CLIPImageProcessor"}"#, "image_processor_type: expected"),
            (r#"{"sharpen":true}"#, "unknown key sharpen"),
            ("[]", "expected a JSON object"),
            ("{", "not valid JSON"),
        ];
        for (json, message) in table {
            let error = load(&[(PREPROCESSOR, json)]).expect_err(json);
            assert!(
                error.to_string().contains(PREPROCESSOR) && error.to_string().contains(message),
                "{error}"
            );
        }
        let error =
            load(&[(PREPROCESSOR, HUB), (PROCESSOR, r#"{"image_seq_length":256}"#)]).expect_err("256");
        assert!(
            error.to_string().starts_with("processor_config.json: image_seq_length: expected 4"),
            "{error}"
        );
        let error = load(&[]).expect_err("no file");
        assert!(error.to_string().contains("neither preprocessor_config.json nor"), "{error}");
        let other = r#"{"image_processor":{"size":{"height":56,"width":56},"image_mean":[0,0,0]}}"#;
        let error = load(&[(PREPROCESSOR, HUB), (PROCESSOR, other)]).expect_err("they differ");
        assert!(error.to_string().contains("say different things"), "{error}");
    }
}
