//! `models pull`: a model from the Hugging Face hub into the cache on this machine.

use clap::Args;
use lightbox_models::hub::{Repo, is_revision};

use crate::arguments::{DataArguments, OutputArguments};
use crate::download::{Terms, Token, Wish, fetch, offline};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, print_json};

/// Fetch a model from the Hugging Face hub; the only command that opens a connection
///
/// Shows the terms of use first; nothing is asked of the hub before they are accepted. Models of the MedGemma family
/// are gated: accept their terms on the hub too, and pass a read token of that account with HF_TOKEN, with --token, or
/// in the file that the hub's own tools keep.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models pull google/medgemma-1.5-4b-it
  HF_TOKEN=hf_… lightbox models pull google/medgemma-1.5-4b-it --accept-terms --json

A download that broke goes on where it stopped. HF_HOME, HF_HUB_CACHE and HF_ENDPOINT are honoured; HF_HUB_OFFLINE=1 and
TRANSFORMERS_OFFLINE=1 forbid every connection.")]
pub struct Arguments {
    /// The repository, ORG/NAME
    #[arg(value_name = "ORG/NAME")]
    repo: String,

    /// Branch, tag or commit
    #[arg(long, default_value = "main")]
    revision: String,

    /// Accept the terms of use that are shown
    #[arg(long)]
    accept_terms: bool,

    /// Read token of the hub; HF_TOKEN keeps it out of the list of processes
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    data: DataArguments,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let wrong = |expected: &str, found: &str| {
        Failure::new(Code::Usage, format!("expected {expected}, found `{found}`"))
    };
    let repo = Repo::parse(&arguments.repo)
        .ok_or_else(|| wrong("a repository ORG/NAME such as google/medgemma-1.5-4b-it", &arguments.repo))?;
    if !is_revision(&arguments.revision) {
        return Err(wrong("a branch, tag or commit", &arguments.revision));
    }
    if let Some(variable) = offline() {
        return Err(Failure::new(
            Code::Policy,
            format!(
                "{variable} forbids connections; unset it to fetch, or name a model that is in the cache"
            ),
        ));
    }
    Terms::of(&repo).require(arguments.accept_terms, &folders::data(&arguments.data)?)?;
    let token = Token::find(arguments.token.as_deref())?;
    let fetched = fetch(&Wish { repo, revision: arguments.revision.clone(), token })?;
    if arguments.output.json {
        print_json(&fetched)?;
    } else {
        Output::new().write(&format!("{}\n", fetched.folder.display()))?;
    }
    Ok(Code::Done)
}
