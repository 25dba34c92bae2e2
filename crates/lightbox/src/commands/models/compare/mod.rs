//! `models compare`: what a quantization, or another setting, changes on one's own cases.

mod cases;
mod measure;
mod report;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;

use clap::Args;
use lightbox_kernels::KvDtype;
use lightbox_models::{Engine, Finish, Generation, LocalEngine, Request};

use self::cases::Case;
use self::measure::Divergence;
use self::report::{CaseReport, Report, Side};
use crate::arguments::{ModelArguments, OutputArguments, Vision};
use crate::exit::{Code, Failure};
use crate::terminal::{Output, Progress, print_json, say};
use crate::{cancel, model};

/// Compare two models, or a model with its quantization, on your own cases
///
/// Runs each request on A, greedily, then asks both for the probabilities of every token at each place of A's answer
/// (teacher-forced), and lets B answer too. Reports the Kullback-Leibler divergence of B from A, how often both prefer
/// the same token, and how many answers changed, with 95 % intervals. Sampling settings of the requests do not count.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models compare google/medgemma-1.5-4b-it ./medgemma-q4/medgemma-1.5-4b-it-q4_k_m.gguf --cases cases/
  lightbox models compare ./model ./model-q8.gguf --cases case1.json cases.jsonl --json
  lightbox models compare ./model ./model --vision-b int8 --cases films/

A case is a request as `lightbox run` takes it; a .jsonl file holds one a line, a folder all its .json and .jsonl files.
Both models are in memory at once.")]
pub struct Arguments {
    /// The model to compare with
    #[arg(value_name = "A")]
    a: String,

    /// The model that is judged
    #[arg(value_name = "B")]
    b: String,

    /// Requests: JSON files, JSON Lines files, folders
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    cases: Vec<PathBuf>,

    /// How the vision tower of A multiplies
    #[arg(long, value_name = "PRECISION")]
    vision_a: Option<Vision>,

    /// How the vision tower of B multiplies
    ///
    /// With the same model as A and B, this says what int8 costs.
    #[arg(long, value_name = "PRECISION")]
    vision_b: Option<Vision>,

    /// File with the vision tower of A, where it is in GGUF; default: the mmproj….gguf beside it that fits
    #[arg(long, value_name = "FILE")]
    projector_a: Option<PathBuf>,

    /// File with the vision tower of B, where it is in GGUF
    #[arg(long, value_name = "FILE")]
    projector_b: Option<PathBuf>,

    /// What A keeps keys and values as: f16 (default), f32, bf16 or q8
    #[arg(long, value_name = "TYPE", value_parser = <KvDtype as FromStr>::from_str)]
    kv_a: Option<KvDtype>,

    /// What B keeps keys and values as
    ///
    /// With the same model as A and B, this says what q8 costs.
    #[arg(long, value_name = "TYPE", value_parser = <KvDtype as FromStr>::from_str)]
    kv_b: Option<KvDtype>,

    /// Most tokens of an answer, where a case sets no limit
    #[arg(long, value_name = "N", default_value = "256", value_parser = crate::arguments::count)]
    max_tokens: std::num::NonZeroUsize,

    /// Threads that compute; default: one per core
    #[arg(long, value_name = "N", value_parser = crate::arguments::count, allow_negative_numbers = true)]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    output: OutputArguments,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let cases = cases::load(&arguments.cases, arguments.max_tokens.get())?;
    let [of_a, of_b] = arguments.sides();
    let mut a = model::load(&of_a, &arguments.a)?;
    let mut b = model::load(&of_b, &arguments.b)?;
    let cancel = cancel::on_interrupt()?;
    let progress = Progress::steps("compare", cases.len() as u64);
    let mut compared = Vec::with_capacity(cases.len());
    for (i, case) in cases.iter().enumerate() {
        let one = compare(&mut a, &mut b, case, &cancel)?;
        progress.set(i as u64 + 1, cases.len() as u64);
        compared.push(one);
    }
    drop(progress);
    let report = Report::of([Side::of(&a, &of_a), Side::of(&b, &of_b)], compared);
    if arguments.output.json {
        print_json(&report)?;
    } else {
        Output::new().write(&report.told())?;
    }
    Ok(Code::Done)
}

impl Arguments {
    /// How A and B are loaded.
    fn sides(&self) -> [ModelArguments; 2] {
        let side = |vision, kv, projector: &Option<PathBuf>| ModelArguments {
            threads: self.threads,
            projector: projector.clone(),
            vision,
            kv,
            ..ModelArguments::default()
        };
        [side(self.vision_a, self.kv_a, &self.projector_a), side(self.vision_b, self.kv_b, &self.projector_b)]
    }
}

/// One case on both.
fn compare(
    a: &mut LocalEngine,
    b: &mut LocalEngine,
    case: &Case,
    cancel: &AtomicBool,
) -> Result<CaseReport, Failure> {
    let named = |error: lightbox_models::Error| {
        let failure = Failure::from(error);
        Failure::new(failure.code, format!("case {}: {}", case.name, failure.message))
    };
    let (ids_a, ids_b) =
        (a.prompt(&case.request).map_err(named)?.ids, b.prompt(&case.request).map_err(named)?.ids);
    if ids_a != ids_b {
        return Err(Failure::new(
            Code::Model,
            format!(
                "case {}: expected the same prompt for both models, found {} and {} tokens that differ; probabilities \
                 can only be compared where tokenizer and chat template are the same",
                case.name,
                ids_a.len(),
                ids_b.len()
            ),
        ));
    }
    let answer_a = answer(a, &case.request, cancel).map_err(named)?;
    if answer_a.finish == Finish::Cancelled {
        return Err(interrupted());
    }
    let divergence = diverge(a, b, &case.request, &answer_a.ids, cancel).map_err(named)?;
    let answer_b = answer(b, &case.request, cancel).map_err(named)?;
    if answer_b.finish == Finish::Cancelled {
        return Err(interrupted());
    }
    Ok(CaseReport::of(&case.name, divergence, &answer_a, &answer_b))
}

fn answer(
    engine: &mut LocalEngine,
    request: &Request,
    cancel: &AtomicBool,
) -> lightbox_models::Result<Generation> {
    engine.generate(request, cancel, &mut |_| {})
}

/// Both models at each place of `answer`, in step, so that few logits are held at a time.
fn diverge(
    a: &mut LocalEngine,
    b: &mut LocalEngine,
    request: &Request,
    answer: &[u32],
    cancel: &AtomicBool,
) -> lightbox_models::Result<Divergence> {
    let mut divergence = Divergence::default();
    let mut scoring_a = a.begin_scoring(request, answer, cancel)?;
    let mut scoring_b = b.begin_scoring(request, answer, cancel)?;
    let (mut rows_a, mut rows_b) = (Vec::new(), Vec::new());
    let (width_a, width_b) = (a.vocab_size(), b.vocab_size());
    // Steps may differ between the two; rows wait in `rows_a` and `rows_b` until the other has them too.
    let (mut left_a, mut left_b) = (0, 0);
    let mut done = 0;
    while done < answer.len() {
        if left_a == 0 {
            left_a = a.continue_scoring(&mut scoring_a, &mut rows_a, cancel)?.len();
        }
        if left_b == 0 {
            left_b = b.continue_scoring(&mut scoring_b, &mut rows_b, cancel)?.len();
        }
        let n = left_a.min(left_b);
        let last = |rows: &[f32], left: usize, width: usize| rows.len() - left * width;
        let (from_a, from_b) = (last(&rows_a, left_a, width_a), last(&rows_b, left_b, width_b));
        let pairs =
            rows_a[from_a..].chunks_exact(width_a).zip(rows_b[from_b..].chunks_exact(width_b)).take(n);
        for (row_a, row_b) in pairs {
            divergence.add(row_a, row_b);
        }
        if divergence.kl.iter().any(|kl| !kl.is_finite()) {
            return Err(lightbox_models::Error::new(
                lightbox_models::ErrorKind::Weights,
                "the scores of one of the models are not numbers, or infinite",
            )
            .hint("its weights are damaged or overflow"));
        }
        (left_a, left_b, done) = (left_a - n, left_b - n, done + n);
        if n == 0 {
            break;
        }
    }
    Ok(divergence)
}

fn interrupted() -> Failure {
    say("error: interrupted; nothing is reported");
    Failure::new(Code::Interrupted, "")
}
