//! How the program ends: one code for each kind of ending, and the error that carries it.

use std::fmt;
use std::process::ExitCode;

/// The exit codes. Scripts rely on them: a number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// The command did what was asked.
    Done = 0,
    /// A result could not be written: the disk is full, a folder is read-only, standard output is gone.
    Output = 1,
    /// Wrong usage; clap ends the program with the same number.
    Usage = 2,
    /// An input, a request, a prompt template or a record cannot be read or is not understood.
    Input = 3,
    /// The model cannot be found, loaded, fetched or run on what was asked.
    Model = 4,
    /// There is an answer, and it was truncated or does not fit its schema.
    Answer = 5,
    /// A policy refused: terms not accepted, connections forbidden, a remote picture.
    Policy = 6,
    /// A replay differs from its record.
    Regression = 7,
    /// Ctrl-C or SIGTERM; shells report a program that Ctrl-C ended with the same number.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// What a command ends with when it cannot do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// Chooses the exit code.
    pub code: Code,
    /// What is said on standard error, after `error: `. Empty where there is nobody to tell.
    pub message: String,
}

impl Failure {
    /// A failure with that code; `message` names the place, what was expected and found, and the way out.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Something that could not be written; `what` is a file or a stream.
    pub fn output(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(Code::Output, format!("failed to write {what}: {error}"))
    }

    /// Says the message on standard error and gives the process's exit code.
    pub fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            crate::terminal::say(&format!("error: {}", self.message));
        }
        self.code.into()
    }
}

impl From<lightbox_models::Error> for Failure {
    /// But for what is written, every error of the models room means that this model cannot be loaded or cannot run
    /// this request.
    fn from(error: lightbox_models::Error) -> Self {
        use lightbox_models::ErrorKind;
        let code = match error.kind() {
            ErrorKind::Unwritable => Code::Output,
            ErrorKind::Interrupted => Code::Interrupted,
            _ => Code::Model,
        };
        Self::new(code, error.to_string())
    }
}

impl From<lightbox_reading::Error> for Failure {
    fn from(error: lightbox_reading::Error) -> Self {
        use lightbox_reading::ErrorKind;
        let code = match error.kind() {
            ErrorKind::Unwritable => Code::Output,
            ErrorKind::Inputs => Code::Usage,
            // What the words hold, whatever the model.
            ErrorKind::Model(lightbox_models::ErrorKind::Request) => Code::Input,
            ErrorKind::TooLong | ErrorKind::Model(_) => Code::Model,
            _ => Code::Input,
        };
        Self::new(code, error.to_string())
    }
}

impl From<lightbox_archive::Error> for Failure {
    fn from(error: lightbox_archive::Error) -> Self {
        Self::new(archive_code(error.kind()), error.to_string())
    }
}

impl From<lightbox_records::Error> for Failure {
    fn from(error: lightbox_records::Error) -> Self {
        use lightbox_records::ErrorKind;
        let code = match error.kind() {
            ErrorKind::DiskFull | ErrorKind::Unwritable => Code::Output,
            ErrorKind::Archive(kind) => archive_code(kind),
            _ => Code::Input,
        };
        Self::new(code, error.to_string())
    }
}

/// What cannot be made or written is output; what is there and cannot be read is input.
fn archive_code(kind: lightbox_archive::ErrorKind) -> Code {
    use lightbox_archive::ErrorKind;
    match kind {
        ErrorKind::DataFolder
        | ErrorKind::DiskFull
        | ErrorKind::Io
        | ErrorKind::Exists
        | ErrorKind::TooLarge => Code::Output,
        _ => Code::Input,
    }
}
