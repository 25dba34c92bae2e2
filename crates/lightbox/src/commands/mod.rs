//! The commands, one file each: arguments as typed, the work, what is printed.

pub mod cache;
pub mod demo;
pub mod dicom;
pub mod doctor;
pub mod models;
pub mod prepare;
pub mod prompts;
pub mod read;
pub mod records;
pub mod replay;
mod report;
pub mod run;
mod shown;
mod watch;

use crate::arguments::Command;
use crate::exit::{Code, Failure};

/// Runs the command and says how it ended.
pub fn run(command: &Command) -> Result<Code, Failure> {
    match command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Read(command) => read::run(command),
        Command::Prepare(arguments) => prepare::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Records(arguments) => records::run(arguments),
        Command::Cache(arguments) => cache::run(arguments),
        Command::Dicom(arguments) => dicom::run(arguments),
        Command::Prompts(arguments) => prompts::run(arguments),
        Command::Models(arguments) => models::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
    }
}
