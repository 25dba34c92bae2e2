//! `ask`, `findings`, `differential`: one command a task, made from the task's definition.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use lightbox_models::{Sampling, phantom};
use lightbox_reading::answers::Answer;
use lightbox_reading::tasks::{TASKS, Task, task};
use lightbox_reading::views::ViewRecord;
use lightbox_reading::{Assignment, Wishes};

use super::prompts::prompts;
use super::report::{Report, ReportOptions};
use super::watch::Watch;
use crate::arguments::{GenerationArguments, ModelArguments, OutputArguments, PictureArguments};
use crate::caching::Caching;
use crate::cancel;
use crate::exit::{Code, Failure};
use crate::inputs::Inputs;
use crate::model;
use crate::outline::unfit;
use crate::recording::{RecordArguments, Recorder, conclude};
use crate::terminal::{notice, say};

/// What must accompany every draft.
pub const DRAFT_NOTICE: &str = "a draft for review by people, not a diagnosis";
/// What must accompany an answer to words alone.
pub const NO_PICTURE_NOTICE: &str = "no picture was shown to the model";

/// A task that was picked by name, and its arguments.
#[derive(Debug)]
pub struct ReadCommand {
    task: &'static Task,
    arguments: Arguments,
}

#[derive(Args, Debug)]
pub struct Arguments {
    /// Pictures: DICOM, PNG, JPEG or TIFF
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<OsString>,

    /// Clinical information that the model should know
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,

    #[command(flatten)]
    pictures: PictureArguments,

    #[command(flatten)]
    model: ModelArguments,

    #[command(flatten)]
    generation: GenerationArguments,

    /// Report each token of the answer with its log-probability and N alternatives (with --json)
    #[arg(long, value_name = "N", requires = "json", help_heading = "Output", allow_negative_numbers = true)]
    logprobs: Option<usize>,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    record: RecordArguments,
}

impl Subcommand for ReadCommand {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        TASKS.into_iter().fold(command, |command, task| command.subcommand(command_of(task)))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        task(name).is_some()
    }
}

impl FromArgMatches for ReadCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let task = task(name).ok_or_else(missing)?;
        Ok(Self { task, arguments: Arguments::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The command of a task: name, help and examples come from its definition.
fn command_of(task: &Task) -> clap::Command {
    let command = Arguments::augment_args(clap::Command::new(task.name)).about(task.about);
    let long = format!(
        "{}\n\nThe draft streams to standard output while the model writes it. It is a draft for review by people, not a \
         diagnosis. What was read, shown and answered is recorded, encrypted, so that it can be replayed.",
        task.about
    );
    let words = if task.takes_question { " \"Is there a fracture?\"" } else { "" };
    let examples = format!(
        "Examples:\n  lightbox {name} film.png{words}\n  lightbox {name} frontal.png lateral.png{words} --model \
         google/medgemma-1.5-4b-it\n  lightbox {name} film.png{words} --json | jq .answer",
        name = task.name
    );
    let command = command.long_about(long).after_long_help(examples);
    if task.takes_question {
        return command.mut_arg("inputs", |inputs| {
            inputs
                .value_name("INPUT… QUESTION")
                .help("Pictures (DICOM, PNG, JPEG or TIFF), or none, and last the question, in quotes")
        });
    }
    command
}

pub fn run(command: &ReadCommand) -> Result<Code, Failure> {
    let ReadCommand { task, arguments } = command;
    let (paths, question) = split(task, &arguments.inputs)?;
    let wishes = Wishes {
        question,
        context: arguments.context.clone(),
        pictures: arguments.pictures.choice(),
        logprobs: arguments.logprobs,
        ..wishes(&arguments.generation)
    };
    let job = Job {
        task,
        inputs: Inputs::open(&paths, &wishes.pictures)?,
        wishes,
        model: &arguments.model,
        record: &arguments.record,
        json: arguments.output.json,
    };
    let read = job.run()?;
    if let Some(complaint) = read.complaint {
        say(&complaint);
    }
    Ok(read.code)
}

/// What generation arguments wish for.
pub fn wishes(arguments: &GenerationArguments) -> Wishes {
    Wishes {
        think: arguments.think,
        max_tokens: arguments.max_tokens.map(Into::into),
        max_thinking_tokens: arguments.max_thinking_tokens.map(Into::into),
        sampling: Sampling {
            temperature: arguments.temperature.unwrap_or(0.0),
            top_k: arguments.top_k.map(Into::into),
            top_p: arguments.top_p,
            seed: arguments.seed.unwrap_or(0),
        },
        ..Wishes::default()
    }
}

/// A read with everything that it needs.
pub struct Job<'a> {
    /// What is asked.
    pub task: &'static Task,
    /// What is read.
    pub inputs: Inputs,
    /// How.
    pub wishes: Wishes,
    /// By which model.
    pub model: &'a ModelArguments,
    /// Whether it is recorded.
    pub record: &'a RecordArguments,
    /// Whether one JSON object is printed instead of the streamed text.
    pub json: bool,
}

/// What a read came to.
pub struct Read {
    /// The record's id, where there is one.
    pub record: Option<String>,
    /// How the program should end.
    pub code: Code,
    /// What is to be said of an answer that is not complete.
    pub complaint: Option<String>,
}

impl Job<'_> {
    /// Reads, prints and records.
    ///
    /// # Errors
    /// Whatever goes wrong before there is an answer, and an answer that cannot be recorded or printed.
    pub fn run(self) -> Result<Read, Failure> {
        let mut assignment = Assignment::new(self.task, &self.inputs.study, &prompts(), self.wishes)?;
        let name = model::name(self.model, None);
        model::outline(self.model, &name)?.budget(&mut assignment)?;
        let recorder = Recorder::open(self.record, &assignment)?;
        let caching = Caching::of(self.record)?;
        let mut engine = model::load(self.model, &name)?;
        caching.attach(&mut engine, &self.inputs.files);
        notice(DRAFT_NOTICE);
        if self.inputs.study.frames.is_empty() {
            notice(NO_PICTURE_NOTICE);
        }
        if name == phantom::NAME {
            notice(phantom::NOTICE);
        }
        tell_left_undone(&assignment.views);
        let cancel = cancel::on_interrupt()?;
        let mut watch = Watch::new(!self.json, assignment.wishes.think, &cancel);
        let reading = assignment.run(&mut engine, &cancel, &mut |event| watch.on(&event)).map_err(unfit)?;
        // The record comes before complaints about the output: what was computed is kept.
        let streamed = watch.finish();
        let recorded =
            recorder.map(|recorder| recorder.append(&assignment, &reading, &self.inputs.files)).transpose();
        let record = conclude(recorded, |record| {
            streamed?;
            if self.json {
                let options = ReportOptions { logprobs: assignment.wishes.logprobs.is_some() };
                Report::of(&reading, record, &engine, options).print()?;
            }
            Ok(())
        })?;
        let (code, complaint) = judge(&reading.answer);
        Ok(Read { record, code, complaint })
    }
}

/// Says what was not done to the pictures, each thing once.
pub fn tell_left_undone(views: &[ViewRecord]) {
    let mut told: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, view) in views.iter().enumerate() {
        for what in view.left_undone() {
            match told.iter_mut().find(|(other, _)| *other == what) {
                Some((_, numbers)) => numbers.push(index + 1),
                None => told.push((what, vec![index + 1])),
            }
        }
    }
    for (what, mut numbers) in told {
        numbers.dedup();
        let n_more = numbers.len() - 1;
        let more = if n_more == 0 { String::new() } else { format!(" and {n_more} more") };
        notice(&format!("picture {}{more}: {what}", numbers[0]));
    }
}

/// How the program ends after an answer, and what is to be said of it.
fn judge<T>(answer: &Answer<T>) -> (Code, Option<String>) {
    let (code, complaint) = match answer {
        Answer::Complete { .. } => return (Code::Done, None),
        Answer::Refused { .. } => {
            (Code::Done, "the model says that it cannot answer; its reason stands in its answer".to_owned())
        }
        Answer::Interrupted { .. } => {
            (Code::Interrupted, "error: interrupted; the answer is incomplete".to_owned())
        }
        Answer::Truncated { inside_thinking: true, .. } => (
            Code::Answer,
            "error: the token limit was reached inside the thinking: there is no answer; raise --max-thinking-tokens"
                .to_owned(),
        ),
        Answer::Truncated { .. } => {
            (Code::Answer, "error: the answer is truncated at its token limit; raise --max-tokens".to_owned())
        }
        Answer::Unreadable { expected, place, .. } => {
            (Code::Answer, format!("error: the answer does not have the form of its task ({place}): {expected}"))
        }
    };
    (code, Some(complaint))
}

/// Pictures and question of a command line: the question is its last word.
fn split(task: &Task, words: &[OsString]) -> Result<(Vec<PathBuf>, Option<String>), Failure> {
    let paths = |words: &[OsString]| words.iter().map(PathBuf::from).collect();
    if !task.takes_question {
        return Ok((paths(words), None));
    }
    let Some((last, files)) = words.split_last() else {
        return Err(Failure::new(Code::Usage, "expected a question, found nothing"));
    };
    let way_out = "put the question last, in quotes";
    if Path::new(last).exists() {
        return Err(Failure::new(
            Code::Usage,
            format!("expected a question at the end, found a file; {way_out}"),
        ));
    }
    if looks_like_a_picture(last) {
        return Err(Failure::new(
            Code::Usage,
            format!("expected a question at the end, found what looks like the path of a picture; {way_out}"),
        ));
    }
    let question = last.to_str().filter(|question| !question.trim().is_empty()).ok_or_else(|| {
        Failure::new(Code::Usage, format!("expected a question at the end, found no text; {way_out}"))
    })?;
    Ok((paths(files), Some(question.to_owned())))
}

/// Whether a word is more likely a mistyped path than a question: one word that ends as files of pictures do.
fn looks_like_a_picture(word: &OsStr) -> bool {
    const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "tif", "tiff", "dcm"];
    let is_one_word = !word.to_string_lossy().chars().any(char::is_whitespace);
    let ending = Path::new(word).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    is_one_word && ending.is_some_and(|ending| ENDINGS.contains(&&*ending))
}
