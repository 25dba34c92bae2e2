//! `models check`: what matters of a model before a long run.

use std::path::PathBuf;

use clap::Args;
use lightbox_models::{MemoryNeed, ModelReport, Presence, phantom};

use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::model;
use crate::terminal::{Output, print_json, say, size};

/// What matters of a model before a long run
///
/// Which variant it is, whether it was tuned to follow instructions, whether vision tower and projector are there, data
/// type, size on disk and in memory, context, whether this machine can hold it, terms of use, and what stands in the
/// way. The weights are not loaded. Exit code 4 if it cannot be loaded here.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models check google/medgemma-1.5-4b-it
  lightbox models check ./my-model --json | jq .problems
  lightbox models check medgemma-1.5-4b-it-Q4_K_M.gguf")]
pub struct Arguments {
    /// Folder, GGUF file, hub id in the local cache, `ollama:NAME`, or `phantom`; as --model takes it elsewhere
    #[arg(value_name = "NAME")]
    name: String,

    /// File with the vision tower of a model in GGUF; default: the mmproj….gguf beside it that fits
    #[arg(long, value_name = "FILE")]
    projector: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArguments,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let files = model::files(&arguments.name, arguments.projector.as_deref())?;
    let mut report = ModelReport::of(&files, &arguments.name);
    if let Some(stored) = model::stored(&arguments.name)? {
        report.look_at_store(&stored);
    }
    if arguments.output.json {
        print_json(&report)?;
    } else {
        Output::new().write(&told(&report))?;
    }
    if !report.is_usable() {
        say("error: the model cannot be loaded; its problems are listed");
        return Ok(Code::Model);
    }
    if report.fits == Some(false) {
        say(
            "error: this machine does not have the memory for this model; use a smaller one, or another machine",
        );
        return Ok(Code::Model);
    }
    Ok(Code::Done)
}

/// The report as a table; what is not known is left out.
fn told(report: &ModelReport) -> String {
    let mut table = Table::default();
    table.line("model", &report.name);
    table.line("place", &report.place);
    table.maybe("variant", report.variant.as_deref());
    table.maybe(
        "tuned",
        report.instruction_tuned.map(|tuned| {
            if tuned {
                "to follow instructions"
            } else {
                "no: a base model, which continues text and answers no questions"
            }
        }),
    );
    table.maybe("template", report.chat_template.as_deref());
    table.line("vision", presence(report.vision_tower));
    table.line("projector", presence(report.projector));
    table.maybe("", report.projector_note.as_deref());
    let dtypes: Vec<_> = report.dtypes.iter().map(|(dtype, n)| format!("{dtype} ({n} tensors)")).collect();
    table.maybe("data type", (!dtypes.is_empty()).then(|| dtypes.join(", ")).as_deref());
    table.maybe("parameters", report.parameters.map(|all| count(all.total())).as_deref());
    table.maybe("context", report.context_tokens.map(|n| format!("{n} tokens")).as_deref());
    let pictures = report.image_size_px.zip(report.tokens_per_image);
    table.maybe("pictures", pictures.map(|(px, n)| format!("{px}×{px} pixels, {n} tokens each")).as_deref());
    table.maybe("thinking", report.can_think.map(|can| if can { "has the markers" } else { "no markers" }));
    table.maybe("on disk", report.bytes_on_disk.map(size).as_deref());
    table.maybe("in memory", report.memory.map(|need| memory(&need)).as_deref());
    table.maybe("machine", machine(report).as_deref());
    table.line("terms", &terms(report));
    table.maybe("digest", report.digest.as_deref());
    for note in &report.notes {
        table.line("note", note);
    }
    for problem in &report.problems {
        table.line("problem", problem);
    }
    table.text
}

/// The terms of use; always a line, as a missing one might be read as none.
fn terms(report: &ModelReport) -> String {
    match &report.terms {
        Some(terms) => format!("{}: {}", terms.name, terms.url),
        None if report.name == phantom::NAME => "none of its own: bundled with this program".to_owned(),
        None => "not known for this folder; ask where it comes from".to_owned(),
    }
}

#[derive(Default)]
struct Table {
    text: String,
}

impl Table {
    fn line(&mut self, name: &str, value: &str) {
        self.text.push_str(&format!("{name:<12}{value}\n"));
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Incomplete => "incomplete",
        Presence::Missing => "missing",
        Presence::NotAskedFor => "none: a text-only model",
        Presence::NotHere => "not here: this file holds the text model alone",
        Presence::Unknown => "unknown",
    }
}

fn memory(need: &MemoryNeed) -> String {
    format!(
        "{} with {} tokens ({} of weights), {} more for each further 1000 tokens",
        size(need.usual_bytes),
        need.usual_tokens,
        size(need.weights_bytes),
        size(need.cache_bytes_per_1000_tokens)
    )
}

fn machine(report: &ModelReport) -> Option<String> {
    let usable = size(report.usable_memory_bytes?);
    Some(match report.fits? {
        true => format!("holds it: {usable} of memory"),
        false => format!("does not hold it: {usable} of memory"),
    })
}

/// A count for people, such as `4.3 billion`.
fn count(n: u64) -> String {
    match n {
        0..1_000_000 => n.to_string(),
        1_000_000..1_000_000_000 => format!("{:.1} million", n as f64 / 1e6),
        _ => format!("{:.1} billion", n as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        for (n, text) in
            [(7, "7"), (259_000, "259000"), (4_300_000_000, "4.3 billion"), (1_500_000, "1.5 million")]
        {
            assert_eq!(count(n), text);
        }
    }
}
