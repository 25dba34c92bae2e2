//! Pictures after the model's own resize, bit for bit. The filter itself meets `resizes.json` beside its code.

use lightbox_models::{Engine, LoadOptions, RgbImage};
use sha2::{Digest, Sha256};

use crate::store::Case;

/// Hex digest of a picture's samples.
fn digest(image: &RgbImage) -> String {
    Sha256::digest(image.pixels()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn engines_resize_as_the_processor_does() {
    for name in ["image-bf16", "image-112", "image-84", "odd", "phantom"] {
        let case = Case::open(name);
        let engine = case.load(&LoadOptions::default());
        for conversation in &case.conversations {
            let images = conversation.request().images;
            for (image, golden) in images.iter().zip(&conversation.images) {
                let resized = engine.resized(image).expect("a resize");
                assert_eq!(digest(&resized), golden.resized_sha256, "{name}: {}", golden.file);
            }
        }
    }
}
