//! `models quantize`: smaller weights, as GGUF.

use std::path::PathBuf;

use clap::Args;
use lightbox_models::quantize::{QuantizeKind, QuantizeOptions, Quantized, quantize};

use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::quantized::warn_of_tokens;
use crate::terminal::{Output, Progress, print_json, say, size};
use crate::{cancel, model};

/// Quantize a model: from a folder in Hugging Face layout to GGUF files
///
/// Writes a folder with the text model, the projector for pictures (not quantized) and a NOTICE of the change and the
/// terms that pass on. What was written is read again; then the folder appears, whole or not at all. llama.cpp opens the
/// files. What a quantization costs on your own cases, `lightbox models compare` says.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models quantize google/medgemma-1.5-4b-it --type q4_k_m ./medgemma-q4
  lightbox models quantize ./my-model --type q8_0 ./my-model-q8 --json

Types, with their bits for a weight: q8_0 (8.5), q6_k (6.6), q5_k_m (5.7), q4_k_m (4.9), q4_0 (4.5, for models that were
trained for it). docs/quantization.md has the rule by which tensors get their types.")]
pub struct Arguments {
    /// Folder, hub id in the local cache, or `phantom`
    #[arg(value_name = "MODEL")]
    name: String,

    /// The folder to make
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// How weights are stored: q8_0, q6_k, q5_k_m, q4_k_m or q4_0
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: QuantizeKind,

    /// Replace a folder that this command made before
    #[arg(long)]
    force: bool,

    /// Threads that compute; default: one per core
    #[arg(long, value_name = "N", value_parser = crate::arguments::count, allow_negative_numbers = true)]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    output: OutputArguments,
}

/// A type by its name.
pub fn kind(text: &str) -> Result<QuantizeKind, String> {
    QuantizeKind::of_name(text).ok_or_else(|| {
        let names = QuantizeKind::ALL.map(QuantizeKind::name).join(", ");
        format!("expected one of {names}; types under 4 bits are read, not written")
    })
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let files = model::files(&arguments.name, None)?;
    let options = QuantizeOptions {
        kind: arguments.kind,
        name: &arguments.name,
        out: &arguments.out,
        overwrite: arguments.force,
        n_threads: arguments.threads.map(Into::into),
    };
    let cancel = cancel::on_interrupt()?;
    let mut progress: Option<Progress> = None;
    let quantized = quantize(&files, &options, &cancel, &mut |done, total| {
        progress.get_or_insert_with(|| Progress::bytes("quantize", total)).set(done, total);
    })?;
    drop(progress);
    if arguments.output.json {
        print_json(&quantized)?;
    } else {
        Output::new().write(&told(&quantized))?;
    }
    warn_of_tokens(quantized.tokens_made_otherwise);
    if let Some(terms) = &quantized.terms {
        say(&format!("Who passes these files on passes on the {}: {}", terms.name, terms.url));
    }
    Ok(Code::Done)
}

fn told(quantized: &Quantized) -> String {
    let mut text = String::new();
    let folder = quantized.folder.display();
    for written in std::iter::once(&quantized.text).chain(&quantized.projector) {
        text.push_str(&format!(
            "{folder}/{}  {}, {} tensors\n",
            written.file,
            size(written.bytes),
            written.tensors
        ));
    }
    text.push_str("\ntype      tensors  relative error (RMS)\n");
    for loss in &quantized.types {
        text.push_str(&format!("{:<8} {:>8}  {:.5}\n", loss.dtype, loss.tensors, loss.relative_rmse));
    }
    text
}
