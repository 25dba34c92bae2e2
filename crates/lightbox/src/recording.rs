//! How a read is recorded.

use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use lightbox_reading::{Assignment, Reading};
use lightbox_records::{Input, Provenance, Records};

use crate::arguments::DataArguments;
use crate::caching::CacheArguments;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{say, size};

/// Room that a record without pictures never needs more of.
pub const LEAST_FREE_BYTES: u64 = 4 << 20;

/// Whether and where a read is recorded.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Record")]
pub struct RecordArguments {
    /// Keep the pictures that the model is shown in the record, encrypted
    ///
    /// Without it a replay needs the input files.
    #[arg(long, conflicts_with = "no_record")]
    pub keep_views: bool,

    /// Record nothing, and keep nothing on disk
    #[arg(long)]
    pub no_record: bool,

    #[command(flatten)]
    pub cache: CacheArguments,

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
    /// [`Code::Output`] if the folder cannot be made or written or has no room, [`Code::Input`] if what is in it cannot
    /// be read.
    pub fn open(arguments: &RecordArguments, assignment: &Assignment) -> Result<Option<Self>, Failure> {
        if arguments.no_record {
            return Ok(None);
        }
        let records = usable(arguments, assignment).map_err(|failure| {
            let message =
                format!("{}; a read with --no-record does without the data folder", failure.message);
            Failure::new(failure.code, message)
        })?;
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

/// Records that can be read and added to.
fn usable(arguments: &RecordArguments, assignment: &Assignment) -> Result<Records, Failure> {
    let folder = folders::data(&arguments.data)?;
    let records = Records::open(&folder)?;
    records.ready()?;
    let views = assignment.request.images.iter().map(|image| image.pixels().len() as u64).sum();
    has_room(&folder, LEAST_FREE_BYTES.saturating_add(if arguments.keep_views { views } else { 0 }))?;
    Ok(records)
}

/// Refuses a folder that has no room for a record of `needed` bytes; where the system does not say, the writing will.
fn has_room(folder: &Path, needed: u64) -> Result<(), Failure> {
    match lightbox_host::free_disk_bytes(folder) {
        Ok(free) if free < needed => Err(Failure::new(
            Code::Output,
            format!(
                "{}: expected {} free for the record, found {}; make room, or choose another folder with LIGHTBOX_DATA",
                folder.display(),
                size(needed),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_no_disk_holds_is_refused_before_the_work() {
        let failure = has_room(Path::new("."), u64::MAX).expect_err("no disk is so large");
        assert_eq!(failure.code, Code::Output);
        assert!(failure.message.contains("LIGHTBOX_DATA"), "{}", failure.message);
        assert!(has_room(Path::new("."), 0).is_ok());
    }
}
