//! The lightbox command: what a person types, the exit codes, what the terminal shows.
#![forbid(unsafe_code)]

mod arguments;
mod caching;
mod cancel;
mod commands;
#[cfg(feature = "download")]
mod download;
mod exit;
mod folders;
mod inputs;
mod model;
mod npy;
mod outline;
mod picture;
mod quantized;
mod recording;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A full disk is an error to be told, also where a limit on file sizes stands for it.
    lightbox_host::ignore_file_size_signal();
    // Wrong usage ends here with exit code 2, help and version with 0.
    let arguments = arguments::Arguments::try_parse().unwrap_or_else(|error| refuse(&error));
    match commands::run(&arguments.command) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(),
    }
}

/// Ends the program with clap's message. It quotes what was typed, or what a pattern of the shell became: where that
/// holds control characters, the message goes without them and without colours.
fn refuse(error: &clap::Error) -> ! {
    let words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if error.use_stderr() && words.iter().any(|word| word.chars().any(terminal::is_control)) {
        terminal::say(error.to_string().trim_end());
        std::process::exit(error.exit_code());
    }
    error.exit()
}
