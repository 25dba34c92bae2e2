//! How a read is recorded.

use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use lightbox_reading::{Assignment, Reading};
use lightbox_records::{Input, Provenance, Records};

use crate::arguments::DataArguments;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{say, size};

/// Room that a record without pictures never needs more of.
const LEAST_FREE_BYTES: u64 = 4 << 20;

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
    /// [`Code::Output`] if the folder cannot be made or written or has no room, [`Code::Input`] if what is in it cannot be read.
    pub fn open(arguments: &RecordArguments) -> Result<Option<Self>, Failure> {
        if arguments.no_record {
            return Ok(None);
        }
        let folder = folders::data(&arguments.data)?;
        let records = Records::open(&folder)?;
        records.ready()?;
        has_room(&folder)?;
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

/// Refuses a folder that has no room for a record; where the system does not say, the writing will.
fn has_room(folder: &Path) -> Result<(), Failure> {
    match lightbox_host::free_disk_bytes(folder) {
        Ok(free) if free < LEAST_FREE_BYTES => Err(Failure::new(
            Code::Output,
            format!(
                "{}: expected {} free for the record, found {}; make room, choose another folder with LIGHTBOX_DATA, or \
                 add --no-record",
                folder.display(),
                size(LEAST_FREE_BYTES),
                size(free)
            ),
        )),
        _ => Ok(()),
    }
}

/// Shows an answer that was recorded, or not. The id comes first, so that it is known even where nobody reads the
/// answer; an answer that could not be recorded is shown all the same, as nobody else has it.
///
/// # Errors
/// That the record could not be written, else whatever `show` says.
pub fn conclude(
    recorded: Result<Option<String>, Failure>,
    show: impl FnOnce(Option<&str>) -> Result<(), Failure>,
) -> Result<Option<String>, Failure> {
    let (record, lost) = match recorded {
        Ok(record) => (record, None),
        Err(failure) => (None, Some(failure)),
    };
    if let Some(id) = &record {
        say(&format!("record {id}"));
    }
    let shown = show(record.as_deref());
    let Some(lost) = lost else { return shown.map(|()| record) };
    if let Err(failure) = shown {
        failure.report();
    }
    Err(lost)
}
