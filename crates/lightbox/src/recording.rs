//! How a read is recorded.

use std::time::SystemTime;

use clap::Args;
use lightbox_reading::{Assignment, Reading};
use lightbox_records::{Input, Provenance, Records};

use crate::arguments::DataArguments;
use crate::exit::{Code, Failure};
use crate::folders;

/// Whether and where a read is recorded.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Record")]
pub struct RecordArguments {
    /// Keep the pictures that the model is shown in the record, encrypted
    ///
    /// Without it a replay needs the input files.
    #[arg(long, conflicts_with = "no_record")]
    pub keep_views: bool,

    /// Record nothing
    #[arg(long)]
    pub no_record: bool,

    #[command(flatten)]
    pub data: DataArguments,
}

/// The place where a read will be recorded.
pub struct Recorder {
    records: Records,
    keep_views: bool,
}

impl Recorder {
    /// Opens the records before the work begins, so that a folder that cannot be used is known before minutes of
    /// computing; `None` where nothing is to be recorded.
    ///
    /// # Errors
    /// [`Code::Output`] if the folder cannot be made or written, [`Code::Input`] if what is in it cannot be read.
    pub fn open(arguments: &RecordArguments) -> Result<Option<Self>, Failure> {
        if arguments.no_record {
            return Ok(None);
        }
        let records = Records::open(&folders::data(&arguments.data)?)?;
        Ok(Some(Self { records, keep_views: arguments.keep_views }))
    }

    /// Records a reading and gives the record's id.
    ///
    /// # Errors
    /// [`Code::Output`] if it cannot be written; nothing is recorded then.
    pub fn append(
        &self,
        assignment: &Assignment,
        reading: &Reading,
        inputs: &[Input],
    ) -> Result<String, Failure> {
        let images = &assignment.request.images;
        let from = Provenance {
            version: env!("CARGO_PKG_VERSION"),
            cpu: &lightbox_host::cpu_description(),
            inputs,
            keep_views: self.keep_views.then_some(images.as_slice()),
            time: SystemTime::now(),
        };
        let id = self
            .records
            .append(reading, &from)
            .map_err(|error| Failure::new(Code::Output, format!("the read was not recorded: {error}")))?;
        Ok(id.to_string())
    }
}
