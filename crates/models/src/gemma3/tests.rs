//! A row's bits depend on that row alone: not on the batch, the chunk, the threads or the instruction set.

use std::sync::atomic::AtomicBool;

use lightbox_kernels::{Backend, Dtype, Isa, KvDtype};

use super::{Gemma3, Input, Plan, Row, Segment, Sequence, embedding_factor, unwatched};
use crate::config::ModelConfig;
use crate::files::ModelFiles;
use crate::weights::{Catalogue, Reader};

fn model(case: &str) -> Gemma3 {
    let folder = format!("{}/../../reference/goldens/{case}", env!("CARGO_MANIFEST_DIR"));
    let files = ModelFiles::folder(folder).expect("the goldens are part of the repository");
    let config = ModelConfig::load(&files).expect("a valid config");
    let catalogue = Catalogue::open(&files).expect("valid weights");
    catalogue.check(&config).expect("the tensors of the config");
    let mut ignore = |_, _| {};
    Gemma3::load(&mut Reader::new(&files, &catalogue, &mut ignore), &config).expect("loads")
}

fn sequence(model: &Gemma3, max_positions: usize, max_rows: usize) -> Sequence {
    let pool = Sequence::pool(&model.config, KvDtype::F16).expect("small");
    Sequence::new(&model.config, &pool, max_positions, max_rows).expect("small")
}

fn text<'a>(ids: &[u32], first: usize) -> Vec<Row<'a>> {
    ids.iter()
        .enumerate()
        .map(|(i, id)| Row { input: Input::Token(*id), visible_end: first + i + 1 })
        .collect()
}

/// Bits of the logits of every token of `ids`, fed in chunks, alone.
fn alone(model: &Gemma3, backend: &Backend, ids: &[u32], chunk: usize) -> Vec<u32> {
    let mut plan = Plan::new(&model.config, chunk);
    let mut sequence = sequence(model, ids.len(), chunk);
    let mut bits = Vec::new();
    for ids in ids.chunks(chunk) {
        let rows = text(ids, sequence.n_positions());
        let segment = Segment { sequence: &mut sequence, rows: &rows };
        plan.step(model, backend, &mut [segment], &AtomicBool::new(false), &mut unwatched)
            .expect("a valid step");
        bits.extend(logits(model, backend, &mut plan, 0..ids.len()));
    }
    bits
}

fn logits(model: &Gemma3, backend: &Backend, plan: &mut Plan, rows: std::ops::Range<usize>) -> Vec<u32> {
    let mut out = vec![0.0; rows.len() * model.config.vocab_size];
    plan.logits(model, backend, rows, &mut out).expect("rows of the step");
    out.iter().map(|v| v.to_bits()).collect()
}

/// Ids that look nothing alike, all inside the vocabulary.
fn ids(n: usize, salt: usize, vocabulary: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * i * 31 + i * 7 + salt * 101) % vocabulary) as u32).collect()
}

#[test]
fn a_sequence_computes_the_same_bits_in_every_chunk_thread_count_and_instruction_set() {
    let model = model("text-f32");
    let ids = ids(97, 1, model.config.vocab_size);
    let plain = Backend::with_isa(Isa::available()[0], 1).expect("one thread");
    let expected = alone(&model, &plain, &ids, ids.len());
    for isa in Isa::available() {
        for n_threads in 1..=4 {
            let backend = Backend::with_isa(isa, n_threads).expect("threads");
            for chunk in [1, 2, 7, 64, 97] {
                assert!(
                    alone(&model, &backend, &ids, chunk) == expected,
                    "{isa}, {n_threads} threads, chunks of {chunk}"
                );
            }
        }
    }
}

#[test]
fn a_sequence_computes_the_same_bits_beside_others() {
    let model = model("text-f32");
    let config = &model.config;
    let backend = Backend::new(2).expect("two threads");
    let long = ids(60, 1, config.vocab_size);
    let others = [ids(60, 2, config.vocab_size), ids(25, 3, config.vocab_size)];
    let expected = alone(&model, &backend, &long, 20);

    let chunk = 20;
    let mut plan = Plan::new(config, 3 * chunk);
    let mut sequences: Vec<Sequence> = (0..3).map(|_| sequence(&model, long.len(), chunk)).collect();
    let mut bits = Vec::new();
    for start in (0..long.len()).step_by(chunk) {
        let inputs: Vec<Vec<Row<'_>>> = [&others[0], &long, &others[1]]
            .map(|ids| {
                let end = (start + chunk).min(ids.len());
                text(&ids[start.min(end)..end], start.min(end))
            })
            .into();
        let mut segments: Vec<Segment<'_>> = sequences
            .iter_mut()
            .zip(&inputs)
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(sequence, rows)| Segment { sequence, rows })
            .collect();
        plan.step(&model, &backend, &mut segments, &AtomicBool::new(false), &mut unwatched)
            .expect("a valid step");
        bits.extend(logits(&model, &backend, &mut plan, chunk..2 * chunk));
    }
    assert!(bits == expected);
}

#[test]
fn the_embedding_factor_has_the_precision_of_the_table() {
    for (width, table, expected) in [
        (2560, Dtype::Bf16, 50.5),
        (5376, Dtype::Bf16, 73.5),
        (2560, Dtype::F32, 50.596_443),
        (2560, Dtype::F16, 50.593_75),
        (64, Dtype::Bf16, 8.0),
    ] {
        assert_eq!(embedding_factor(width, table), expected, "{width} {table:?}");
    }
}

#[test]
fn a_decoded_row_computes_the_same_bits_beside_a_prompt_with_a_picture() {
    let model = model("image-bf16");
    let config = &model.config;
    let backend = Backend::new(2).expect("two threads");
    let never = AtomicBool::new(false);
    let n_picture = 4;
    let soft: Vec<f32> =
        (0..n_picture * config.hidden_size).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect();
    // A prompt whose positions 10 .. 14 are a picture.
    let prompt = |salt: usize| {
        let words = ids(40, salt, config.vocab_size);
        let mut rows: Vec<Row<'_>> = text(&words, 0);
        for (row, soft) in rows[10..10 + n_picture].iter_mut().zip(soft.chunks_exact(config.hidden_size)) {
            *row = Row { input: Input::Soft(soft), visible_end: 10 + n_picture };
        }
        rows
    };
    let token = |position: usize| Row { input: Input::Token(7), visible_end: position + 1 };
    let run = |beside: bool| {
        let rows = [prompt(1), prompt(2)];
        let mut plan = Plan::new(config, rows[0].len() + 1);
        let mut sequences: Vec<Sequence> = (0..2).map(|_| sequence(&model, 64, 40)).collect();
        let [first, second] = &mut sequences[..] else { unreachable!("two were made") };
        let segment = Segment { sequence: first, rows: &rows[0] };
        plan.step(&model, &backend, &mut [segment], &never, &mut unwatched).expect("a valid step");
        let decoded = [token(40)];
        let one = Segment { sequence: first, rows: &decoded };
        let other = Segment { sequence: second, rows: &rows[1] };
        if beside {
            plan.step(&model, &backend, &mut [one, other], &never, &mut unwatched).expect("a valid step");
            logits(&model, &backend, &mut plan, 0..41)
        } else {
            plan.step(&model, &backend, &mut [one], &never, &mut unwatched).expect("a valid step");
            let mut bits = logits(&model, &backend, &mut plan, 0..1);
            plan.step(&model, &backend, &mut [other], &never, &mut unwatched).expect("a valid step");
            bits.extend(logits(&model, &backend, &mut plan, 0..40));
            bits
        }
    };
    assert!(run(true) == run(false));
}

#[test]
fn a_step_that_is_cancelled_says_so_and_counts_nothing() {
    let model = model("text-f32");
    let backend = Backend::new(1).expect("one thread");
    let words = ids(5, 1, model.config.vocab_size);
    let rows = text(&words, 0);
    let mut plan = Plan::new(&model.config, 5);
    let mut sequence = sequence(&model, 5, 5);
    let cancel = AtomicBool::new(false);
    let mut layers = 0;
    // Cancelled while the second layer runs.
    let mut watch = |at: &str, layer: usize, _: &[f32]| {
        layers += usize::from(at == "layer");
        cancel.store(layer == 1, std::sync::atomic::Ordering::Relaxed);
    };
    let segment = Segment { sequence: &mut sequence, rows: &rows };
    let done = plan.step(&model, &backend, &mut [segment], &cancel, &mut watch).expect("a valid step");
    assert!(!done);
    assert_eq!((layers, sequence.n_positions()), (2, 0));
}
