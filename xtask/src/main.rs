//! The project's own chores: `cargo xtask check`, `cargo xtask test` and `cargo xtask fuzz`.
//!
//! Everything that must hold of the tree beyond what the compiler proves is a step of `check`, so that a person
//! and the build machine run the same thing. See CONTRIBUTING.md for what each step asks.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a build tool talks to the terminal")]

mod arguments;
mod cargo;
mod check;
mod metadata;
mod outcome;
mod rust_text;
mod steps;
mod tree;

use std::process::ExitCode;

use arguments::Command;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match arguments::parse(&arguments) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("xtask: {message}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let root = tree::root();
    let passed = match command {
        Command::Help => {
            println!("{}", arguments::USAGE);
            true
        }
        Command::Check { only, skip } => check::run(&root, &only, &skip),
        Command::Test => check::run(&root, &["tests".to_owned(), "doc-tests".to_owned()], &[]),
        Command::Fuzz { passed_on } => steps::fuzz::run_with(&root, &passed_on).failed == 0,
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
