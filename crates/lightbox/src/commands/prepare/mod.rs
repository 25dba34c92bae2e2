//! `prepare`: only the pictures for the model and the token budget.

mod folder;

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use lightbox_intake::SourceFile;
use lightbox_reading::tasks::{TASKS, task};
use lightbox_reading::views::{Mapping, Recipe, Step, ViewRecord, contact_sheet, thumbnail};
use lightbox_reading::{Assignment, Budget, MEDGEMMA_1_5_4B, Wishes};
use serde::{Deserialize, Serialize};

use self::folder::Folder;
use super::prompts::prompts;
use super::read::tell_left_undone;
use crate::arguments::{OutputArguments, PictureArguments};
use crate::exit::{Code, Failure};
use crate::inputs::Inputs;
use crate::model;
use crate::outline::Outline;
use crate::picture;
use crate::terminal::{Output, Progress, print_json};

/// Make only the pictures for the model, and count the tokens
///
/// Writes, for each picture, frame-0001.png (RGB as handed to the model) and frame-0001-model.png (after the model's
/// own resize), contact-sheet.png, and view.json: how each picture was made, the way back to pixels of the source, and
/// the token budget. No weights are needed: without --model a built-in profile (medgemma-1.5-4b) says the sizes.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox prepare film.png --out views
  lightbox prepare frontal.png lateral.png --out views --task differential --json
  lightbox prepare film.tif --out views --model google/medgemma-1.5-4b-it")]
pub struct Arguments {
    /// Pictures: DICOM, PNG, JPEG or TIFF
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,

    /// Folder to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Task whose pictures and words are counted
    #[arg(long, value_name = "TASK", default_value = "findings",
          value_parser = PossibleValuesParser::new(TASKS.map(|task| task.name)))]
    task: String,

    /// The question, where the task takes one
    #[arg(long, value_name = "TEXT")]
    question: Option<String>,

    /// Clinical information that the model should know
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,

    #[command(flatten)]
    pictures: PictureArguments,

    /// Model whose sizes and tokenizer are used; its weights are not opened. LIGHTBOX_MODEL does not count here
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// File with the vision tower of a model in GGUF; default: the mmproj….gguf beside it that fits
    #[arg(long, value_name = "FILE", requires = "model")]
    projector: Option<PathBuf>,

    /// Replace files that an earlier `prepare` did not write
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    output: OutputArguments,
}

/// The version of `view.json`.
const FORMAT: u32 = 1;

/// What `view.json` says.
#[derive(Serialize)]
struct Prepared<'a> {
    format: u32,
    task: String,
    model: Model<'a>,
    frames: Vec<PreparedFrame<'a>>,
    contact_sheet: &'static str,
    budget: Budget,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    image_size_px: Option<usize>,
    tokens_per_image: Option<usize>,
}

#[derive(Serialize)]
struct PreparedFrame<'a> {
    file: String,
    model_file: String,
    label: Option<&'a str>,
    source: Source<'a>,
    recipe: Recipe,
    width: usize,
    height: usize,
    sha256: &'a str,
    steps: &'a [Step],
    mapping: &'a Mapping,
}

/// The file that a picture came from.
#[derive(Serialize)]
struct Source<'a> {
    /// Place among the inputs, from 0.
    input: usize,
    /// Place among the pictures of all inputs, from 0.
    frame: usize,
    /// Which frame of its file it is, from 1.
    frame_number: usize,
    #[serde(flatten)]
    file: &'a SourceFile,
}

/// What of an earlier `view.json` says which files are its own.
#[derive(Serialize, Deserialize)]
struct Earlier {
    format: u32,
    frames: Vec<EarlierFrame>,
    contact_sheet: String,
}

#[derive(Serialize, Deserialize)]
struct EarlierFrame {
    file: String,
    model_file: String,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let task = task(&arguments.task)
        .ok_or_else(|| Failure::new(Code::Usage, format!("no task is named `{}`", arguments.task)))?;
    // Where only the pictures are wanted, any question does; its length is counted where it is given.
    let question = arguments.question.clone().or_else(|| task.takes_question.then(|| "?".to_owned()));
    let pictures = arguments.pictures.choice();
    let inputs = Inputs::open(&arguments.inputs, &pictures)?;
    let wishes = Wishes { question, context: arguments.context.clone(), pictures, ..Wishes::default() };
    let mut assignment = Assignment::new(task, &inputs.study, &prompts(), wishes)?;
    let outline = match &arguments.model {
        Some(name) => Outline::of_files(&model::files(name, arguments.projector.as_deref())?, name, None)?,
        None => Outline::Profile(&MEDGEMMA_1_5_4B),
    };
    let budget = outline.budget(&mut assignment)?;
    let views = assignment.views.clone();
    tell_left_undone(&views);
    let frames = views.iter().enumerate().map(|(index, view)| frame(index, view, &assignment.inputs));
    let prepared = Prepared {
        format: FORMAT,
        task: task.id(),
        model: Model {
            name: outline.name(),
            image_size_px: outline.image_size_px(),
            tokens_per_image: outline.tokens_per_image(),
        },
        frames: frames.collect(),
        contact_sheet: folder::CONTACT_SHEET,
        budget,
    };
    let folder = Folder::open(&arguments.out, &prepared, arguments.force)?;
    write(&folder, &prepared, &assignment, &outline)?;
    if arguments.output.json {
        print_json(&prepared)?;
    } else {
        Output::new().write(&summary(&prepared, arguments))?;
    }
    Ok(Code::Done)
}

fn frame<'a>(index: usize, view: &'a ViewRecord, inputs: &'a [SourceFile]) -> PreparedFrame<'a> {
    PreparedFrame {
        file: format!("frame-{:04}.png", index + 1),
        model_file: format!("frame-{:04}-model.png", index + 1),
        label: view.label.as_deref(),
        source: Source {
            input: view.source,
            frame: view.frame,
            frame_number: view.frame_number,
            file: &inputs[view.source],
        },
        recipe: view.recipe,
        width: view.width,
        height: view.height,
        sha256: &view.sha256,
        steps: &view.steps,
        mapping: &view.mapping,
    }
}

fn write(
    folder: &Folder<'_>,
    prepared: &Prepared<'_>,
    assignment: &Assignment,
    outline: &Outline,
) -> Result<(), Failure> {
    let progress = Progress::steps("pictures", prepared.frames.len() as u64);
    let mut seen = Vec::new();
    for (index, (image, frame)) in assignment.request.images.iter().zip(&prepared.frames).enumerate() {
        let resized = outline.resized(image)?;
        folder.write(&frame.file, &picture::png(image)?)?;
        folder.write(&frame.model_file, &picture::png(&resized)?)?;
        let caption = frame.label.map_or_else(|| format!("{}", index + 1), str::to_owned);
        seen.push((thumbnail(&resized)?, caption));
        progress.set(index as u64 + 1, prepared.frames.len() as u64);
    }
    folder.write(folder::CONTACT_SHEET, &picture::png(&contact_sheet(&seen)?)?)?;
    // Last: it names the others.
    folder.write(folder::VIEW, &json(prepared)?)?;
    folder.finish()
}

/// A JSON file.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| Failure::new(Code::Output, format!("failed to write JSON: {error}")))?;
    json.push(b'\n');
    Ok(json)
}

fn summary(prepared: &Prepared<'_>, arguments: &Arguments) -> String {
    let budget = &prepared.budget;
    let about = if budget.estimated { "about " } else { "" };
    let mut text = String::new();
    for frame in &prepared.frames {
        text.push_str(&format!(
            "{}  {}×{}  {}{}\n",
            arguments.out.join(&frame.file).display(),
            frame.width,
            frame.height,
            arguments.inputs[frame.source.input].display(),
            if frame.source.frame_number > 1 {
                format!(" frame {}", frame.source.frame_number)
            } else {
                String::new()
            }
        ));
    }
    text.push_str(&format!(
        "{}: {} tokens of pictures, {about}{} of text, {about}{} left for thinking and answer, context {}\n",
        prepared.model.name,
        budget.image_tokens,
        budget.text_tokens,
        budget.room_for_answer,
        budget.context_tokens
    ));
    text
}
