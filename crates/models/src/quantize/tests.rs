//! The bundled model, whose widths are multiples of 32 and not of 256, through every kind.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::phantom;

fn options<'a>(kind: QuantizeKind, out: &'a Path) -> QuantizeOptions<'a> {
    QuantizeOptions { kind, name: phantom::NAME, out, overwrite: false, n_threads: Some(2) }
}

fn run(options: &QuantizeOptions<'_>) -> Result<Quantized> {
    quantize(&phantom::files(), options, &AtomicBool::new(false), &mut |_, _| {})
}

fn open(folder: &Path, file: &str) -> (Vec<u8>, Gguf) {
    let bytes = std::fs::read(folder.join(file)).expect("it was written");
    let gguf = Gguf::parse(file, &bytes, bytes.len() as u64).expect("it is read again");
    (bytes, gguf)
}

#[test]
fn both_files_are_written_in_llama_cpp_s_layout() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("deeper/q4");
    let quantized = run(&options(QuantizeKind::Q4KM, &out)).expect("quantized");
    assert_eq!(quantized.text.file, "phantom-q4_k_m.gguf");
    let (bytes, text) = open(&out, &quantized.text.file);
    assert_eq!(bytes.len() as u64, quantized.text.bytes);
    for (key, value) in [
        ("general.file_type", 15),
        ("gemma3.block_count", 4),
        ("gemma3.embedding_length", 64),
        ("gemma3.attention.sliding_window_pattern", 4),
        ("tokenizer.ggml.bos_token_id", 2),
        ("tokenizer.ggml.eot_token_id", 11),
    ] {
        assert_eq!(text.unsigned(key).expect(key), Some(value), "{key}");
    }
    assert_eq!(text.text("general.architecture").expect("text"), Some("gemma3"));
    assert!(text.text("lightbox.modified").expect("text").is_some_and(|t| t.contains("quantized to Q4_K_M")));
    assert_eq!(text.texts("tokenizer.ggml.tokens").expect("texts").map(|t| t.len()), Some(512));
    let types = |name: &str| text.tensor(name).map(|t| t.kind.name());
    // Blocks of 256 do not fit rows of 64.
    assert_eq!(types("blk.1.attn_q.weight"), Some("Q5_0"));
    assert_eq!(types("blk.3.ffn_down.weight"), Some("Q8_0"));
    assert_eq!(types("token_embd.weight"), Some("Q8_0"));
    assert_eq!(types("output_norm.weight"), Some("F32"));
    assert_eq!(types("output.weight"), None);

    let projector = quantized.projector.expect("it takes pictures");
    let (_, mmproj) = open(&out, &projector.file);
    assert_eq!(projector.file, "mmproj-phantom-bf16.gguf");
    assert_eq!(mmproj.text("clip.projector_type").expect("text"), Some("gemma3"));
    assert_eq!(mmproj.unsigned("clip.vision.projector.scale_factor").expect("number"), Some(2));
    assert_eq!(mmproj.tensor("v.patch_embd.weight").map(|t| t.shape.clone()), Some(vec![48, 3, 14, 14]));
    assert_eq!(mmproj.tensor("v.blk.1.ffn_up.weight").map(|t| t.kind.name()), Some("BF16"));
    // A tower is not quantized, so that nothing is lost in it.
    assert!(quantized.types.iter().filter(|t| t.dtype.ends_with("f16")).all(|t| t.relative_rmse == 0.0));
    let notice = std::fs::read_to_string(out.join(NOTICE)).expect("written");
    assert!(notice.starts_with("Modified from phantom by lightbox"), "{notice}");
    assert_eq!(
        std::fs::read_dir(dir.path().join("deeper")).expect("listed").count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn norms_hold_the_one_and_matrices_their_values() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("q8");
    let quantized = run(&options(QuantizeKind::Q8_0, &out)).expect("quantized");
    let (bytes, text) = open(&out, &quantized.text.file);
    let values = |name: &str| {
        let tensor = text.tensor(name).expect(name);
        let dtype = crate::weights::dtype(tensor.kind.name()).expect("a type that is read");
        let data = &bytes[tensor.offset as usize..(tensor.offset + tensor.len) as usize];
        let mut values = vec![0.0; tensor.shape.iter().product()];
        lightbox_kernels::blocks::dequantize(dtype, data, &mut values).expect("whole blocks");
        values
    };
    let files = phantom::files();
    let catalogue = Catalogue::open(&files).expect("bundled");
    let mut ignore = |_, _| {};
    let mut reader = Reader::new(&files, &catalogue, &mut ignore);
    assert_eq!(values("output_norm.weight"), reader.norm("language_model.norm.weight").expect("there"));
    let stored = reader.vector("language_model.layers.2.mlp.up_proj.weight").expect("there");
    let largest = stored.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    for (found, stored) in values("blk.2.ffn_up.weight").iter().zip(&stored) {
        assert!((found - stored).abs() <= largest / 127.0 * 0.51, "{found} for {stored}");
    }
}

#[test]
fn what_stands_there_is_replaced_only_on_wish_and_only_if_it_is_ours() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("out");
    let mut options = options(QuantizeKind::Q8_0, &out);
    run(&options).expect("the first time");
    let error = run(&options).expect_err("it is there");
    assert_eq!(error.kind(), ErrorKind::Unwritable);
    assert!(error.to_string().contains("is there already"), "{error}");
    options.overwrite = true;
    options.kind = QuantizeKind::Q4_0;
    run(&options).expect("replaced");
    assert!(!out.join("phantom-q8_0.gguf").exists() && out.join("phantom-q4_0.gguf").exists());
    std::fs::write(out.join("notes.txt"), "mine").expect("written");
    let error = run(&options).expect_err("it holds something else");
    assert!(error.to_string().contains("something else, which is not removed"), "{error}");
    assert!(out.join("notes.txt").exists());
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing is left over");
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("out");
    let cancel = AtomicBool::new(false);
    let mut heard = 0;
    let error =
        quantize(&phantom::files(), &options(QuantizeKind::Q6K, &out), &cancel, &mut |done, total| {
            heard += 1;
            assert!(done <= total);
            cancel.store(heard == 30, Ordering::Relaxed);
        });
    assert_eq!(error.expect_err("cancelled").kind(), ErrorKind::Interrupted);
    assert_eq!(heard, 30);
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0, "nothing is left over");
}
