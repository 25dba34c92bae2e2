//! `models`: what is there, what of it can be used, and the one command that fetches.

mod check;
mod compare;
mod list;
#[cfg(feature = "download")]
mod pull;
pub mod quantize;
mod rm;

use clap::{Args, Subcommand};

use crate::exit::{Code, Failure};

/// List, check, fetch, quantize, compare and remove models
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox models list
  lightbox models pull google/medgemma-1.5-4b-it
  lightbox models check google/medgemma-1.5-4b-it
  lightbox models check ./my-model --json
  lightbox models quantize ./my-model --type q4_k_m ./my-model-q4
  lightbox models rm google/medgemma-1.5-4b-it")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    List(list::Arguments),
    Check(check::Arguments),
    Compare(compare::Arguments),
    #[cfg(feature = "download")]
    Pull(pull::Arguments),
    Quantize(quantize::Arguments),
    Rm(rm::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments),
        Action::Check(arguments) => check::run(arguments),
        Action::Compare(arguments) => compare::run(arguments),
        #[cfg(feature = "download")]
        Action::Pull(arguments) => pull::run(arguments),
        Action::Quantize(arguments) => quantize::run(arguments),
        Action::Rm(arguments) => rm::run(arguments),
    }
}
