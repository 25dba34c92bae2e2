//! Whole models in GGUF compute what the folders that they were made of compute; files are found, split, exchanged.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::{Backend, KvDtype};

use super::made::{Made, Style, convert, golden};
use crate::config::ModelConfig;
use crate::files::ModelFiles;
use crate::gemma3::{Gemma3, Input, Plan, Row, Segment, Sequence, unwatched};
use crate::siglip::{Siglip, VisionPrecision};
use crate::weights::{Catalogue, Reader, digest};
use crate::{Error, ErrorKind};

const STYLES: [Style; 3] = [Style::LlamaCpp, Style::Swapped, Style::Ollama];

/// Writes a golden model as GGUF; the folder must outlive the files.
fn made(case: &str, style: Style) -> (tempfile::TempDir, ModelFiles) {
    let (_dir, folder) = golden(case);
    let (text, projector) = convert(&folder, style);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = text.write(dir.path(), "text.gguf");
    if let Some(projector) = projector {
        projector.write(dir.path(), "mmproj-text.gguf");
    }
    let files = ModelFiles::gguf(path, None).expect("sound files");
    (dir, files)
}

/// Bits of the logits of some tokens.
fn logits(files: &ModelFiles, n_rows: usize) -> Vec<u32> {
    let config = ModelConfig::load(files).expect("sound settings");
    let catalogue = Catalogue::open(files).expect("sound weights");
    catalogue.check(&config).expect("the tensors of the settings");
    let mut ignore = |_, _| {};
    let model = Gemma3::load(&mut Reader::new(files, &catalogue, &mut ignore), &config).expect("loads");
    let backend = Backend::new(1).expect("one thread");
    let ids: Vec<u32> = (0..40).map(|i| (i * i * 31 + i * 7) % 500).collect();
    let mut plan = Plan::new(&config.text, ids.len());
    let pool = Sequence::pool(&config.text, KvDtype::F32).expect("small");
    let mut sequence = Sequence::new(&config.text, &pool, ids.len(), ids.len()).expect("small");
    let rows: Vec<Row<'_>> =
        ids.iter().enumerate().map(|(i, id)| Row { input: Input::Token(*id), visible_end: i + 1 }).collect();
    let segment = Segment { sequence: &mut sequence, rows: &rows };
    plan.step(&model, &backend, &mut [segment], &AtomicBool::new(false), &mut unwatched).expect("a step");
    let vocabulary = config.text.vocab_size;
    let mut out = vec![0.0; ids.len() * vocabulary];
    plan.logits(&model, &backend, 0..ids.len(), &mut out).expect("rows of the step");
    // A table may have had rows cut off.
    out.chunks_exact(vocabulary).flat_map(|row| row[..n_rows].iter().map(|v| v.to_bits())).collect()
}

/// Bits of the soft tokens of a picture.
fn soft_tokens(files: &ModelFiles) -> Vec<u32> {
    let config = ModelConfig::load(files).expect("sound settings");
    let images = config.images.as_ref().expect("it takes pictures");
    let catalogue = Catalogue::open(files).expect("sound weights");
    catalogue.check(&config).expect("the tensors of the settings");
    let mut ignore = |_, _| {};
    let mut reader = Reader::new(files, &catalogue, &mut ignore);
    let siglip =
        Siglip::load(&mut reader, images, config.text.hidden_size, VisionPrecision::Exact).expect("loads");
    let backend = Backend::new(1).expect("one thread");
    let side = images.vision.image_size;
    let pixels: Vec<f32> = (0..3 * side * side).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let mut out = vec![0.0; siglip.output_len()];
    let mut buffers = siglip.buffers().expect("small");
    siglip
        .encode(&backend, &pixels, &mut buffers, &AtomicBool::new(false), &mut unwatched, &mut out)
        .expect("a picture");
    out.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn an_f32_model_computes_the_same_bits_from_either_format() {
    let (_dir, folder) = golden("text-f32");
    let config = ModelConfig::load(&folder).expect("sound settings");
    let expected = logits(&folder, config.text.vocab_size);
    for style in [Style::LlamaCpp, Style::Ollama] {
        let (_dir, files) = made("text-f32", style);
        let from_gguf = ModelConfig::load(&files).expect("sound settings");
        assert_eq!(from_gguf.text, config.text, "{style:?}");
        assert_eq!(from_gguf.architecture, config.architecture, "{style:?}");
        assert!(logits(&files, config.text.vocab_size) == expected, "{style:?}");
    }
}

#[test]
fn a_stored_head_counts_and_a_copy_of_the_table_does_not() {
    for (case, own) in [("text-untied", true), ("text-f32", false)] {
        let (_dir, files) = made(case, Style::LlamaCpp);
        let config = ModelConfig::load(&files).expect("sound settings");
        let catalogue = Catalogue::open(&files).expect("sound weights");
        catalogue.check(&config).expect("the tensors of the settings");
        let mut ignore = |_, _| {};
        let found = Reader::new(&files, &catalogue, &mut ignore).has_own_head(&config);
        assert_eq!(found.expect("readable"), own, "{case}");
    }
}

#[test]
fn the_tower_computes_the_same_bits_from_every_layout() {
    for case in ["image-bf16", "image-84"] {
        let (_dir, folder) = golden(case);
        let expected = soft_tokens(&folder);
        let images = ModelConfig::load(&folder).expect("sound settings").images.expect("a tower");
        for style in STYLES {
            let (_dir, files) = made(case, style);
            let mut found = ModelConfig::load(&files).expect("sound settings").images.expect("a tower");
            found.vision.has_head = images.vision.has_head;
            assert_eq!(found, images, "{case} {style:?}");
            assert!(soft_tokens(&files) == expected, "{case} {style:?}");
        }
    }
}

#[test]
fn a_quantized_projection_is_widened_where_its_blocks_lie_across() {
    // The bundled model's text width is two blocks of 32.
    let (text, projector) = convert(&crate::phantom::files(), Style::LlamaCpp);
    let mut projector = projector.expect("it takes pictures");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = text.write(dir.path(), "text.gguf");
    let mut of = |dtype, bytes: Vec<u8>| {
        let tensor = projector.at("mm.input_projection.weight");
        assert_eq!(tensor.2, [48, 64]);
        (tensor.1, tensor.3) = (dtype, bytes);
        projector.write(dir.path(), "mmproj.gguf");
        soft_tokens(&ModelFiles::gguf(&path, None).expect("sound files"))
    };
    let whole: Vec<i8> = (0..48 * 64).map(|i| (i * 37 % 101) as i8 - 50).collect();
    let plain = of("F32", whole.iter().flat_map(|n| f32::from(*n).to_le_bytes()).collect());
    // A scale of one before each 32 numbers.
    let block =
        |block: &[i8]| [0x00, 0x3C].into_iter().chain(block.iter().map(|n| *n as u8)).collect::<Vec<u8>>();
    let blocks: Vec<Vec<u8>> = whole.chunks_exact(32).map(block).collect();
    assert!(of("Q8_0", blocks.concat()) == plain);
}

#[test]
fn a_text_model_alone_says_what_pictures_need() {
    let (_dir, folder) = golden("image-bf16");
    let (text, projector) = convert(&folder, Style::LlamaCpp);
    let projector = projector.expect("it takes pictures");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = text.write(dir.path(), "text.gguf");
    let config = ModelConfig::load(&ModelFiles::gguf(&path, None).expect("sound")).expect("sound");
    let why = config.no_images.expect("a way out");
    assert!(config.images.is_none());
    assert!(why.contains("no mmproj….gguf lies beside it") && why.contains("--projector"), "{why}");
    // One of another width does not count, and is named.
    let mut other = projector.clone();
    other.number("clip.vision.projection_dim", 2560);
    other.write(dir.path(), "mmproj-other.gguf");
    let config = ModelConfig::load(&ModelFiles::gguf(&path, None).expect("sound")).expect("sound");
    let why = config.no_images.expect("a way out");
    assert!(why.contains("mmproj-other.gguf: clip.vision.projection_dim: expected 40"), "{why}");
    // Named, it is an error; a right one is not.
    let error = ModelFiles::gguf(&path, Some(dir.path().join("mmproj-other.gguf"))).expect_err("too wide");
    assert!(error.to_string().contains("a model of another size"), "{error}");
    let right = projector.write(dir.path(), "eye.gguf");
    let files = ModelFiles::gguf(&path, Some(right)).expect("it fits");
    assert!(ModelConfig::load(&files).expect("sound").images.is_some());
}

#[test]
fn of_several_projectors_the_most_exact_is_taken_or_a_choice_is_asked_for() {
    let (_dir, folder) = golden("image-bf16");
    let (text, projector) = convert(&folder, Style::LlamaCpp);
    let projector = projector.expect("it takes pictures");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = text.write(dir.path(), "text.gguf");
    projector.write(dir.path(), "mmproj-F32.gguf");
    let mut half = projector.clone();
    // As converters do it: what lies outside the layers stays in f32, whatever its size.
    half.tensors
        .iter_mut()
        .filter(|(name, ..)| name.starts_with("v.blk."))
        .for_each(|tensor| *tensor = as_bf16(tensor));
    half.write(dir.path(), "a.mmproj-BF16.gguf");
    let files = ModelFiles::gguf(&path, None).expect("one is the best");
    let model = files.as_gguf().expect("GGUF");
    assert_eq!(model.projector().map(|p| p.file()), Some("a.mmproj-BF16.gguf"));
    let note = model.projector_note().expect("a reason");
    assert!(note.contains("of 2 projectors beside it, the one of the most exact type (BF16)"), "{note}");
    // The same type twice, or another model's name: nobody can tell.
    half.write(dir.path(), "mmproj-again.gguf");
    let error = ModelFiles::gguf(&path, None).expect_err("two");
    let list = "3 projectors beside it would fit: a.mmproj-BF16.gguf, mmproj-again.gguf, mmproj-F32.gguf";
    assert!(error.to_string().contains(list) && error.to_string().contains("--projector"), "{error}");
}

fn as_bf16(
    tensor: &(String, &'static str, Vec<usize>, Vec<u8>),
) -> (String, &'static str, Vec<usize>, Vec<u8>) {
    let bytes = tensor.3.chunks_exact(4).flat_map(|b| [b[2], b[3]]).collect();
    (tensor.0.clone(), "BF16", tensor.2.clone(), bytes)
}

#[test]
fn files_in_the_wrong_role_are_refused_with_the_way_out() {
    let (_dir, folder) = golden("image-bf16");
    let (text, projector) = convert(&folder, Style::LlamaCpp);
    let projector = projector.expect("it takes pictures");
    let (whole, _) = convert(&folder, Style::Ollama);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = |made: &Made, name: &str| made.write(dir.path(), name);
    let (text_path, eye, inside) =
        (path(&text, "t.gguf"), path(&projector, "p.gguf"), path(&whole, "w.gguf"));
    let mut other = text.clone();
    other.text("general.architecture", "llama");
    let mut adapter = text.clone();
    adapter.text("general.type", "adapter");
    let mut gemma4 = projector.clone();
    gemma4.text("clip.projector_type", "gemma4v");
    let not = dir.path().join("not.gguf");
    std::fs::write(&not, b"{}").expect("a small file");
    let table = [
        (eye.clone(), None, "p.gguf: expected a text model, found a projector"),
        (
            text_path.clone(),
            Some(inside.clone()),
            "w.gguf: general.architecture: expected \"clip\", a projector",
        ),
        (text_path.clone(), Some(text_path.clone()), "expected \"clip\", a projector, found \"gemma3\""),
        (inside, Some(eye), "w.gguf has a vision tower of its own"),
        (path(&other, "o.gguf"), None, "general.architecture: expected \"gemma3\", found \"llama\""),
        (path(&adapter, "l.gguf"), None, "general.type: expected model, found \"adapter\""),
        (
            text_path,
            Some(path(&gemma4, "g.gguf")),
            "clip.projector_type: expected \"gemma3\", found \"gemma4v\"",
        ),
        (not, None, "not.gguf: the magic: expected 4 bytes at 0"),
        (dir.path().join("absent.gguf"), None, "absent.gguf: no such file"),
        (dir.path().to_owned(), None, "expected a file, found something else"),
    ];
    for (text, projector, message) in table {
        let error: Error = ModelFiles::gguf(text, projector).expect_err(message);
        assert!(error.to_string().contains(message), "expected {message:?}, found {error}");
    }
}

#[test]
fn a_folder_is_of_either_kind() {
    let (folder, whole) = golden("image-bf16");
    let (text, projector) = convert(&whole, Style::LlamaCpp);
    let is_gguf = |path: &std::path::Path| ModelFiles::at(path, None).map(|files| files.as_gguf().is_some());
    assert!(!is_gguf(folder.path()).expect("Hugging Face layout"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let error = ModelFiles::at(folder.path(), Some(dir.path().join("p.gguf"))).expect_err("no use for it");
    assert!(error.to_string().contains("a projector is for models in GGUF"), "{error}");
    // Beside settings in Hugging Face layout, those count.
    text.write(folder.path(), "text.gguf");
    assert!(!is_gguf(folder.path()).expect("Hugging Face layout"));
    let path = text.write(dir.path(), "Text-00001-of-00001.GGUF");
    projector.expect("it takes pictures").write(dir.path(), "MMPROJ.gguf");
    assert!(is_gguf(&path).expect("a file") && is_gguf(dir.path()).expect("one model"));
    assert!(
        ModelFiles::at(dir.path(), None).expect("one model").as_gguf().expect("GGUF").projector().is_some()
    );
    text.write(dir.path(), "second.gguf");
    let error = is_gguf(dir.path()).expect_err("two models");
    assert!(
        error.to_string().contains("2 models in GGUF: ") && error.to_string().contains("second.gguf"),
        "{error}"
    );
}

#[test]
fn parts_of_a_split_file_are_one_model() {
    let (_dir, folder) = golden("text-f32");
    let (text, _) = convert(&folder, Style::LlamaCpp);
    let rows = ModelConfig::load(&folder).expect("sound settings").text.vocab_size;
    let mut parts = [text.clone(), Made::default()];
    parts[1].tensors = parts[0].tensors.split_off(20);
    let total = parts.iter().map(|part| part.tensors.len()).sum();
    for (i, part) in parts.iter_mut().enumerate() {
        part.number("split.no", i);
        part.number("split.count", 2);
        part.number("split.tensors.count", total);
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |part: &Made, i: usize| part.write(dir.path(), &format!("m-{i:05}-of-00002.gguf"));
    let first = write(&parts[0], 1);
    let error = ModelFiles::gguf(&first, None).expect_err("half of it");
    assert!(error.to_string().contains("one of 2 parts, and there is no "), "{error}");
    let second = write(&parts[1], 2);
    let expected = logits(&folder, rows);
    for named in [&first, &second] {
        let files = ModelFiles::gguf(named, None).expect("both parts");
        assert!(logits(&files, rows) == expected);
    }
    let renamed = parts[0].write(dir.path(), "m.gguf");
    let error = ModelFiles::gguf(renamed, None).expect_err("its name does not say the others'");
    assert!(error.to_string().contains("expected a name that ends in -00001-of-00002.gguf"), "{error}");
    parts[1].number("split.no", 0);
    write(&parts[1], 2);
    let error = ModelFiles::gguf(&first, None).expect_err("twice the first");
    assert!(error.to_string().contains("split.no: expected 1, found 0"), "{error}");
    parts[1].number("split.no", 1);
    parts[1].tensors.pop();
    write(&parts[1], 2);
    let error = ModelFiles::gguf(&first, None).expect_err("a tensor too few");
    assert!(error.to_string().contains("split.tensors.count: expected"), "{error}");
}

#[test]
fn the_digest_is_of_what_the_files_hold_and_not_of_their_names() {
    let (_dir, folder) = golden("image-bf16");
    let (text, projector) = convert(&folder, Style::LlamaCpp);
    let projector = projector.expect("it takes pictures");
    let of = |text: &Made, projector: Option<&Made>, name: &str| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = text.write(dir.path(), name);
        let projector = projector.map(|made| made.write(dir.path(), "eye.gguf"));
        let files = ModelFiles::gguf(path, projector).expect("sound");
        digest(&files, &Catalogue::open(&files).expect("sound")).expect("readable")
    };
    let first = of(&text, Some(&projector), "a.gguf");
    assert_eq!(first, of(&text, Some(&projector), "b.gguf"));
    assert_ne!(first, of(&text, None, "a.gguf"));
    let mut changed = text.clone();
    changed.text("general.name", "Other");
    assert_ne!(first, of(&changed, Some(&projector), "a.gguf"));
    let mut changed = projector.clone();
    *changed.at("v.post_ln.bias").3.last_mut().expect("not empty") ^= 1;
    assert_ne!(first, of(&text, Some(&changed), "a.gguf"));
}

#[test]
fn tensors_that_do_not_fit_the_metadata_are_named() {
    let (_dir, folder) = golden("image-bf16");
    let (text, projector) = convert(&folder, Style::LlamaCpp);
    let projector = projector.expect("it takes pictures");
    type Change = fn(&mut Made, &mut Made);
    let table: [(Change, &str); 8] = [
        (
            |text, _| text.tensors.retain(|(name, ..)| name != "blk.1.attn_q.weight"),
            "tensor language_model.layers.1.self_attn.q_proj.weight [64, 40] is missing; the metadata asks for it",
        ),
        (
            |text, _| text.tensor("blk.4.attn_q.weight", &[2], &[0.0; 2]),
            "unexpected tensor blk.4.attn_q.weight [2]",
        ),
        (|text, _| text.tensor("rope_freqs.weight", &[2], &[0.0; 2]), "unexpected tensor rope_freqs.weight"),
        (
            |text, _| text.at("blk.0.ffn_down.weight").2 = vec![56, 40],
            "tensor blk.0.ffn_down.weight: expected shape [40, 56], found [56, 40]",
        ),
        (
            |text, _| {
                let tensor = text.at("blk.0.ffn_norm.weight");
                (tensor.1, tensor.3) = ("F64", vec![0; 320]);
            },
            "tensor blk.0.ffn_norm.weight: expected a type among F32, F16, Q4_0, ",
        ),
        (
            |_, projector| projector.at("mm.input_projection.weight").2 = vec![48, 20],
            "tensor mm.input_projection.weight: expected shape [24, 40], found [48, 20]",
        ),
        (
            |_, projector| {
                let up = projector.at("v.blk.0.ffn_up.weight").clone();
                projector.at("v.blk.0.ffn_down.weight").2 = up.2;
            },
            "tensor v.blk.0.ffn_down.weight in p.gguf is the same as v.blk.0.ffn_up.weight",
        ),
        (
            |text, projector| {
                let bias = projector.at("v.post_ln.bias").clone();
                text.tensors.push((bias.0, bias.1, bias.2, bias.3));
            },
            "has a vision tower of its own",
        ),
    ];
    for (change, message) in table {
        let (mut text, mut projector) = (text.clone(), projector.clone());
        change(&mut text, &mut projector);
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (text, projector) = (text.write(dir.path(), "t.gguf"), projector.write(dir.path(), "p.gguf"));
        let checked = ModelFiles::gguf(text, Some(projector)).and_then(|files| {
            let config = ModelConfig::load(&files)?;
            Catalogue::open(&files)?.check(&config)
        });
        let error = checked.expect_err(message);
        assert!(matches!(error.kind(), ErrorKind::Weights | ErrorKind::Files), "{error}");
        assert!(error.to_string().contains(message), "expected {message:?}, found {error}");
    }
}
