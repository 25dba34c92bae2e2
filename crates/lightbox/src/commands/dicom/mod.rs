//! `dicom`: looking into DICOM files.

mod attributes;
mod decode;
mod show;

use clap::{Args, Subcommand};

use crate::exit::{Code, Failure};

/// Look into DICOM files: attributes, frames, pixels
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Show(show::Arguments),
    Decode(decode::Arguments),
}

/// Runs the command and says how it ended.
pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    match &arguments.what {
        What::Show(arguments) => show::run(arguments),
        What::Decode(arguments) => decode::run(arguments),
    }
}

/// The bytes of a file that a command looks into.
///
/// # Errors
/// [`Code::Input`], naming the file.
fn bytes_of(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    lightbox_intake::dicom::read_bytes(path).map_err(|error| refused(path, &error))
}

/// What is wrong with a file.
fn refused(path: &std::path::Path, error: &lightbox_intake::Error) -> Failure {
    Failure::new(Code::Input, format!("{}: {error}", path.display()))
}
