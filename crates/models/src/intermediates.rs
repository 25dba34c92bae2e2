//! Every named value on the way through the model agrees with the reference's, first to last: where log-probabilities
//! part, this test names the operation at which they do.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::{Backend, Isa, KvDtype};
use serde_json::Value;

use crate::config::{ImageProcessor, ModelConfig};
use crate::files::ModelFiles;
use crate::gemma3::{Gemma3, Input, Plan, Row, Segment, Sequence, Watch, unwatched};
use crate::images::bilinear;
use crate::siglip::{Siglip, VisionPrecision};
use crate::weights::{Catalogue, Header, Reader};

/// Largest difference from the reference relative to the largest magnitude of a value: sums of a few dozen f32
/// products in another order, carried through up to four layers.
const TOLERANCE: f32 = 2e-5;

const INTERMEDIATES: &str = "intermediates.safetensors";

struct Case {
    files: ModelFiles,
    config: ModelConfig,
    catalogue: Catalogue,
    header: Header,
    conversation: Value,
}

impl Case {
    fn open(case: &str, conversation: &str) -> Self {
        let folder = format!("{}/../../reference/goldens/{case}", env!("CARGO_MANIFEST_DIR"));
        let files = ModelFiles::folder(folder).expect("the goldens are part of the repository");
        let golden = files.read("golden.json").expect("readable").expect("present");
        let golden: Value = serde_json::from_slice(&golden).expect("JSON");
        let conversations = golden["conversations"].as_array().expect("a list");
        let conversation = conversations.iter().find(|c| c["name"] == conversation).expect("listed").clone();
        let config = ModelConfig::load(&files).expect("a valid config");
        let catalogue = Catalogue::open(&files).expect("valid weights");
        catalogue.check(&config).expect("the tensors of the config");
        let header = Header::read(&files, INTERMEDIATES).expect("a safetensors file");
        Self { files, config, catalogue, header, conversation }
    }

    fn ids(&self) -> Vec<u32> {
        let ids = self.conversation["prompt_ids"].as_array().expect("a list");
        ids.iter().map(|id| id.as_u64().expect("a number") as u32).collect()
    }

    fn agree(&self, name: &str, found: &[f32]) {
        let entry = self.header.entries.iter().find(|e| e.name == name);
        let entry = entry.unwrap_or_else(|| panic!("{name} is not in the golden"));
        let bytes = self.files.read_range(INTERMEDIATES, entry.offset, entry.len as usize).expect("readable");
        let expected: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(found.len(), expected.len(), "{name} has another size");
        let largest = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let off = (found - expected).abs() / largest;
            assert!(off <= TOLERANCE, "{name}[{i}]: {found}, the reference has {expected} (off by {off:e})");
        }
    }

    fn soft_tokens(&self, backend: &Backend) -> Vec<f32> {
        let mut watch = |name: &str, layer: usize, values: &[f32]| match name {
            "patch_embedding" => self.agree("vision.embeddings", values),
            "vision_layer" => self.agree(&format!("vision.layer.{layer}"), values),
            "vision_output" => self.agree("vision.norm", values),
            "pooled" => self.agree("projector.norm", values),
            "soft_tokens" => self.agree("projector", values),
            other => panic!("{other} is compared with nothing"),
        };
        encode(&self.files, &self.config, backend, VisionPrecision::Exact, &mut watch)
    }
}

/// Soft tokens of a picture by a formula.
fn encode(
    files: &ModelFiles,
    config: &ModelConfig,
    backend: &Backend,
    precision: VisionPrecision,
    watch: Watch<'_>,
) -> Vec<f32> {
    let catalogue = Catalogue::open(files).expect("valid weights");
    let images = config.images.as_ref().expect("a tower");
    let mut ignore = |_, _| {};
    let mut reader = Reader::new(files, &catalogue, &mut ignore).for_threads(2);
    let siglip = Siglip::load(&mut reader, images, config.text.hidden_size, precision).expect("loads");
    let processor = ImageProcessor::load(files, images).expect("valid settings");
    let picture = crate::images::formula_picture(90, 37, 1, false);
    let size = images.vision.image_size;
    let pixels = processor.pixels(&bilinear(&picture, size, size).expect("sane sizes")).expect("resized");
    let mut soft = vec![0.0; siglip.output_len()];
    let mut buffers = siglip.buffers().expect("small");
    let never = AtomicBool::new(false);
    let done = siglip.encode(backend, &pixels, &mut buffers, &never, watch, &mut soft).expect("encodes");
    assert!(done);
    soft
}

/// How far soft tokens of 8-bit products may lie from the exact ones: root of mean squares, relative.
const INT8_TOLERANCE: f64 = 0.03;

#[test]
fn soft_tokens_of_8_bit_products_are_near_the_exact_ones_and_have_the_same_bits_everywhere() {
    let files = crate::phantom::files();
    let config = ModelConfig::load(&files).expect("a valid config");
    let plain = Backend::with_isa(Isa::PORTABLE, 1).expect("one thread");
    let [exact, int8] = [VisionPrecision::Exact, VisionPrecision::Int8]
        .map(|precision| encode(&files, &config, &plain, precision, &mut unwatched));
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let off = squares(&mut exact.iter().zip(&int8).map(|(a, b)| a - b)) / squares(&mut exact.iter().copied());
    assert!(off > 0.0 && off.sqrt() < INT8_TOLERANCE, "{}", off.sqrt());
    for isa in Isa::available() {
        let backend = Backend::with_isa(isa, 3).expect("three threads");
        let found = encode(&files, &config, &backend, VisionPrecision::Int8, &mut unwatched);
        let same = found.iter().zip(&int8).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{isa} gives other bits");
    }
}

#[test]
fn every_intermediate_agrees_with_the_reference() {
    let backend = Backend::new(2).expect("two threads");
    for (name, conversation) in [("text-f32", "short"), ("image-bf16", "one-image")] {
        let case = Case::open(name, conversation);
        let ids = case.ids();
        let picture = case.config.images.as_ref().map(|_| case.soft_tokens(&backend));
        let width = case.config.text.hidden_size;
        let mut rows: Vec<Row<'_>> = (ids.iter().enumerate())
            .map(|(i, id)| Row { input: Input::Token(*id), visible_end: i + 1 })
            .collect();
        if let Some(soft) = &picture {
            let span = &case.conversation["image_spans"][0];
            let [start, end] = [0, 1].map(|i| span[i].as_u64().expect("a number") as usize);
            for (row, soft) in rows[start..end].iter_mut().zip(soft.chunks_exact(width)) {
                *row = Row { input: Input::Soft(soft), visible_end: end };
            }
        }
        let mut ignore = |_, _| {};
        let mut reader = Reader::new(&case.files, &case.catalogue, &mut ignore);
        let model = Gemma3::load(&mut reader, &case.config).expect("loads");
        let mut plan = Plan::new(&case.config.text, rows.len());
        // Intermediates are compared to a few f32 roundings, which narrower keys and values would drown.
        let pool = Sequence::pool(&case.config.text, KvDtype::F32).expect("small");
        let mut sequence = Sequence::new(&case.config.text, &pool, rows.len(), rows.len()).expect("small");
        let segment = Segment { sequence: &mut sequence, rows: &rows };
        let mut watch = |at: &str, layer: usize, values: &[f32]| match at {
            // The golden has the embeddings before pictures are put in.
            "embedding" if picture.is_some() => {}
            "embedding" => case.agree("text.scaled_embeddings", values),
            "attention" => case.agree(&format!("text.layer.{layer}.attention"), values),
            "layer" => case.agree(&format!("text.layer.{layer}"), values),
            other => panic!("{other} is compared with nothing"),
        };
        plan.step(&model, &backend, &mut [segment], &AtomicBool::new(false), &mut watch)
            .expect("a valid step");
    }
}
