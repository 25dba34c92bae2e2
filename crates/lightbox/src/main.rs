//! The lightbox command: what a person types, the exit codes, what the terminal shows.
#![forbid(unsafe_code)]

mod arguments;
mod cancel;
mod commands;
#[cfg(feature = "download")]
mod download;
mod exit;
mod folders;
mod inputs;
mod model;
mod outline;
mod recording;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A full disk is an error to be told, also where a limit on file sizes stands for it.
    lightbox_host::ignore_file_size_signal();
    // Wrong usage ends here with exit code 2, help and version with 0.
    let arguments = arguments::Arguments::parse();
    match commands::run(&arguments.command) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(),
    }
}
