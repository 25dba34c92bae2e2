//! `replay`: a recorded read again, compared with what the record says.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use lightbox_models::{Engine, Event, RgbImage};
use lightbox_reading::views::{ViewRecord, make_one};
use lightbox_records::{
    Body, Comparison, Difference, Digest, Record, Records, Shown, Sources, Step, compare, compare_conditions,
};
use serde::Serialize;

use super::watch::Watch;
use crate::arguments::{DataArguments, ModelArguments, OutputArguments};
use crate::exit::{Code, Failure};
use crate::inputs::Inputs;
use crate::terminal::{Output, print_json, say};
use crate::{cancel, model};

/// Run a recorded read again and compare
///
/// The inputs are found where they were, among the files given with --input, or as pictures kept in the record. The
/// same program, model and inputs give the same tokens on any machine. Exit code 7 if anything differs.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox records list
  lightbox replay 3f9a
  lightbox replay 3f9a --input moved/film.png --json")]
pub struct Arguments {
    /// Id of the record, or its beginning
    #[arg(value_name = "ID")]
    id: String,

    /// An input file; its name and place do not matter, its bytes do
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    data: DataArguments,
}

#[derive(Serialize)]
struct Replayed<'a> {
    record: String,
    task: &'a str,
    model: &'a str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let (records, record) = super::records::find(&arguments.data, &arguments.id)?;
    let body = &record.body;
    let recorded = &body.reading;
    let pictures = pictures(&records, &record, &arguments.input)?;
    let name = model::name(&arguments.model, Some(&recorded.model.name));
    let outline = model::outline(&arguments.model, &name)?;
    let request = recorded.request.with_images(pictures.images);
    outline.check(&request)?;
    let mut engine = model::load(&arguments.model, &name)?;
    let conditions = compare_conditions(body, engine.card(), pictures.inputs.as_deref(), &request.images);

    let cancel = cancel::on_interrupt()?;
    let mut watch = Watch::new(false, false, &cancel);
    // What the record says ends there, so the replay may end there too.
    let until = body.interrupted_after().unwrap_or(usize::MAX);
    let mut n_tokens = 0;
    let generation = engine.generate(&request, &cancel, &mut |event| {
        watch.on(&event);
        n_tokens += usize::from(matches!(event, Event::Token { .. }));
        if n_tokens >= until {
            cancel.store(true, Ordering::Relaxed);
        }
    })?;
    watch.finish()?;
    let comparison = compare(body, conditions, &generation, &|id| engine.decode(&[id]));
    if arguments.output.json {
        let record = record.entry.id.to_string();
        print_json(&Replayed { record, task: &recorded.task, model: &name, comparison: &comparison })?;
    } else {
        Output::new().write(&told(body, &comparison))?;
    }
    if comparison.replayed_until.is_some_and(|n| n < until.min(recorded.generation.ids.len())) {
        say("error: interrupted; what comes after was not compared");
        return Ok(Code::Interrupted);
    }
    Ok(if comparison.identical { Code::Done } else { Code::Regression })
}

/// The pictures of a record, and the digests of the files that they were made from.
struct Pictures {
    images: Vec<RgbImage>,
    inputs: Option<Vec<Digest>>,
}

fn pictures(records: &Records, record: &Record, given: &[PathBuf]) -> Result<Pictures, Failure> {
    let files = match records.sources(record, given)? {
        Sources::Views(images) => return Ok(Pictures { images, inputs: None }),
        Sources::Files(files) => files,
    };
    let inputs = Inputs::open(&files, &record.body.reading.wishes.pictures)?;
    let again = |made: &ViewRecord| {
        make_one(made.recipe, &inputs.study, made.frame, made.label.clone()).map(|view| view.image)
    };
    let images = record.body.reading.views.iter().map(again).collect::<Result<_, _>>()?;
    Ok(Pictures { images, inputs: Some(inputs.files.iter().map(|file| file.digest).collect()) })
}

/// A comparison in words.
fn told(body: &Body, comparison: &Comparison) -> String {
    let mut text = String::new();
    let total = body.reading.generation.ids.len();
    if comparison.identical {
        text.push_str(&format!("identical: {total} of {total} tokens"));
        if comparison.recorded_until.is_some() {
            text.push_str(" (the record was interrupted there)");
        }
        text.push('\n');
    } else {
        text.push_str(&format!("different: {} of {total} tokens are the same\n", comparison.same_tokens));
    }
    for difference in &comparison.differences {
        text.push_str(&sentence(difference));
    }
    if let Some(logprobs) = comparison.logprobs {
        text.push_str(&format!(
            "log-probabilities: {} of {} the same to the bit, largest difference {}\n",
            logprobs.same, logprobs.compared, logprobs.largest_difference
        ));
    }
    text
}

fn sentence(difference: &Difference) -> String {
    match difference {
        Difference::Model { recorded, now } => {
            format!("model: recorded {}, now {}\n", short(recorded), short(now))
        }
        Difference::Input { number, .. } => format!("input {}: other contents\n", number + 1),
        Difference::View { number, .. } => format!("picture {}: other pixels\n", number + 1),
        Difference::Prompt { position, recorded, now } => {
            format!("prompt token {position}: recorded {}, now {}\n", id(*recorded), id(*now))
        }
        Difference::Token { position, recorded, now } => {
            format!(
                "token {position}: recorded {}\n{}now {}\n{}",
                token(recorded),
                top(recorded),
                token(now),
                top(now)
            )
        }
        Difference::Finish { recorded, now } => format!("end: recorded {recorded:?}, now {now:?}\n"),
        Difference::Text => "text: the same tokens were read as another text\n".to_owned(),
    }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn id(id: Option<u32>) -> String {
    id.map_or_else(|| "its end".to_owned(), |id| id.to_string())
}

fn token(step: &Step) -> String {
    step.token.as_ref().map_or_else(|| "the end".to_owned(), shown)
}

fn top(step: &Step) -> String {
    step.top.iter().map(|one| format!("  {}\n", shown(one))).collect()
}

fn shown(shown: &Shown) -> String {
    let logprob = shown.logprob.map_or_else(String::new, |logprob| format!(" {logprob:.6}"));
    format!("{} {:?}{logprob}", shown.id, shown.text)
}
