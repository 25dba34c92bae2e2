//! Arguments as typed. Each command's own are in its file; here stand the table of commands and the groups that
//! several commands share.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lightbox_intake::dicom::pixels::VoiChoice;
use lightbox_intake::{FrameChoice, PictureChoice};
use lightbox_kernels::KvDtype;
use lightbox_models::quantize::QuantizeKind;

use crate::commands;

/// A local, offline workbench for the MedGemma family.
///
/// Research and developer software: what it prints is a draft for review by people, never a diagnosis, and it is
/// not a diagnostic device. Nothing leaves the machine; only `models pull` opens a connection.
#[derive(Parser, Debug)]
#[command(
    name = "lightbox",
    version,
    after_help = FIRST_STEPS,
    after_long_help = EXIT_CODES,
    max_term_width = 100
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, one file each in `commands/`; the readings stand for one command a task.
#[derive(Subcommand, Debug)]
pub enum Command {
    Demo(commands::demo::Arguments),
    #[command(flatten)]
    Read(commands::read::ReadCommand),
    Prepare(commands::prepare::Arguments),
    Run(commands::run::Arguments),
    Replay(commands::replay::Arguments),
    Records(commands::records::Arguments),
    Cache(commands::cache::Arguments),
    Dicom(commands::dicom::Arguments),
    Prompts(commands::prompts::Arguments),
    Models(commands::models::Arguments),
    Doctor(commands::doctor::Arguments),
}

const FIRST_STEPS: &str = "\
First steps:
  lightbox demo                              a bundled film and a bundled model without knowledge
  lightbox doctor                            what this machine has, and what is missing
  lightbox models pull google/medgemma-1.5-4b-it
  lightbox findings film.png --model google/medgemma-1.5-4b-it";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a result cannot be written (standard output, data folder, disk full)
  2    wrong usage
  3    an input, a request or a record cannot be read
  4    the model cannot be loaded, run or fetched
  5    an answer was truncated or does not fit its schema
  6    a policy refused (terms of use, no connection allowed, remote picture)
  7    a regression was found
  130  interrupted by Ctrl-C or SIGTERM

Data goes to standard output, everything else to standard error.";

/// Which model, and how it computes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Model")]
pub struct ModelArguments {
    /// Folder in Hugging Face layout, GGUF file, hub id in the local Hugging Face cache, or `phantom`
    ///
    /// A hub id may carry a revision: `org/name@revision`. Without this option the environment variable
    /// LIGHTBOX_MODEL is used, then `phantom`: the bundled demonstration model, which has no medical knowledge.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// File with the vision tower of a model in GGUF; default: the mmproj….gguf beside it that fits
    #[arg(long, value_name = "FILE")]
    pub projector: Option<PathBuf>,

    /// Use a quantized copy of a folder: q8_0, q6_k, q5_k_m, q4_k_m or q4_0
    ///
    /// It is made once and kept in the cache folder. What it changes, `lightbox models compare` says.
    #[arg(long, value_name = "TYPE", value_parser = commands::models::quantize::kind)]
    pub quantize: Option<QuantizeKind>,

    /// Threads that compute; default: one per core
    ///
    /// The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub threads: Option<NonZeroUsize>,

    /// Prompt tokens that go through the model at once
    ///
    /// The result does not depend on it; memory and time do.
    #[arg(long, value_name = "TOKENS", value_parser = count, allow_negative_numbers = true)]
    pub chunk: Option<NonZeroUsize>,

    /// Room for prompt and answer together; default: what the model allows
    #[arg(long, value_name = "TOKENS", value_parser = count, allow_negative_numbers = true)]
    pub context_tokens: Option<NonZeroUsize>,

    /// Instruction set to compute with; default: the best that this CPU has
    ///
    /// The result does not depend on it.
    #[arg(long, value_name = "SET")]
    pub cpu: Option<Cpu>,

    /// Do not guess tokens from what was said before to check several at a time
    ///
    /// The result does not depend on it; time does.
    #[arg(long)]
    pub no_speculation: bool,

    /// What keys and values are kept as: f16 (default), f32, bf16 or q8
    ///
    /// f32 is what was computed; q8 halves the memory of long prompts and moves the result most. The result depends on
    /// it, and the record says which.
    #[arg(long, value_name = "TYPE", value_parser = <KvDtype as std::str::FromStr>::from_str)]
    pub kv: Option<KvDtype>,

    /// How pictures are computed; default: exact
    ///
    /// The result depends on it, and the record says which.
    #[arg(long, value_name = "PRECISION")]
    pub vision: Option<Vision>,
}

/// How the vision tower can multiply.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vision {
    /// f32 arithmetic with the weights as they are stored.
    Exact,
    /// Weights and activations rounded to 8 bits, a scale for every 32 of them: faster, and other soft tokens.
    Int8,
}

/// Instruction sets that can be asked for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpu {
    /// Plain code that runs everywhere.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 (F, BW, DQ, VL and VNNI).
    Avx512,
}

/// How the next token is chosen, and how many there may be.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Generation")]
pub struct GenerationArguments {
    /// Most tokens of the answer; default: the task's own number
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_tokens: Option<NonZeroUsize>,

    /// Let the model think before it answers
    ///
    /// The thinking is shown on standard error, kept in the record, and has a token budget of its own.
    #[arg(long)]
    pub think: bool,

    /// Most tokens of the thinking block; default: the task's own number
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub max_thinking_tokens: Option<NonZeroUsize>,

    /// 0 takes the most likely token each time (the default); higher values throw dice
    #[arg(long, value_name = "T", value_parser = temperature, allow_negative_numbers = true)]
    pub temperature: Option<f32>,

    /// Choose among the K most likely tokens
    #[arg(long, value_name = "K", value_parser = count, allow_negative_numbers = true)]
    pub top_k: Option<NonZeroUsize>,

    /// Choose among the most likely tokens that together reach probability P
    #[arg(long, value_name = "P", value_parser = probability, allow_negative_numbers = true)]
    pub top_p: Option<f32>,

    /// Seed of the dice; the same seed gives the same tokens
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

pub fn count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number from 1".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

fn temperature(text: &str) -> Result<f32, String> {
    number(text, "a number from 0 to 2", |value| (0.0..=2.0).contains(&value))
}

fn probability(text: &str) -> Result<f32, String> {
    number(text, "a number above 0, at most 1", |value| value > 0.0 && value <= 1.0)
}

fn number(text: &str, expected: &str, fits: impl Fn(f32) -> bool) -> Result<f32, String> {
    text.parse().ok().filter(|&value| fits(value)).ok_or_else(|| format!("expected {expected}"))
}

/// What is taken of the pictures.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Pictures")]
pub struct PictureArguments {
    /// Frames to read of a file that has several, such as 1,5-9; default: all
    #[arg(long, value_name = "LIST", allow_negative_numbers = true)]
    pub frames: Option<FrameChoice>,

    /// For gray DICOM: a window's number or name in the file, CENTER,WIDTH, or `none` for the whole range
    ///
    /// CENTER,WIDTH,FUNCTION is a window of another function than the line: `linear_exact` or `sigmoid`. It is used for all
    /// inputs, as are the frames.
    /// Without it: the file's first table of values of interest, else its first window, else the whole range of values.
    /// `lightbox dicom show FILE` lists what a file offers.
    #[arg(long, value_name = "WINDOW", allow_hyphen_values = true)]
    pub window: Option<VoiChoice>,
}

impl PictureArguments {
    /// What is taken of each file.
    pub fn choice(&self) -> PictureChoice {
        PictureChoice {
            frames: self.frames.clone().unwrap_or_default(),
            window: self.window.clone().unwrap_or_default(),
        }
    }
}

/// Where records, keys and acceptances are kept.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Data")]
pub struct DataArguments {
    /// Folder of records and acceptances [env: LIGHTBOX_DATA; default: $XDG_DATA_HOME/lightbox]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// The form of the output.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputArguments {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_wrong_usage() {
        assert_eq!(temperature("0.7"), Ok(0.7));
        assert_eq!(probability("1"), Ok(1.0));
        for (parse, text) in [
            (temperature as fn(&str) -> Result<f32, String>, "-1"),
            (temperature, "NaN"),
            (temperature, "hot"),
            (probability, "0"),
            (probability, "1.1"),
        ] {
            parse(text).expect_err(text);
        }
    }

    #[test]
    fn the_table_of_commands_is_sound() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
