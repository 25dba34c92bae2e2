//! Recording a read: its parts first, then the entry that names them.

use std::path::PathBuf;
use std::time::SystemTime;

use lightbox_archive::{BlobKind, BlobName, StudyId};
use lightbox_models::RgbImage;
use lightbox_reading::Reading;
use lightbox_reading::views::ViewRecord;

use crate::body::{BODY_FORMAT, Body};
use crate::entry::{Entry, Event, Part};
use crate::log::Log;
use crate::store::Records;
use crate::{Digest, Error, ErrorKind, RecordId, Result, parts, time};

/// Where a read came from.
pub struct Provenance<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// The processor and what of it was used.
    pub cpu: &'a str,
    /// The inputs, in the order of the reading.
    pub inputs: &'a [Input],
    /// The pictures that the model was handed, in its order, to be kept; only ever because somebody asked.
    pub keep_views: Option<&'a [RgbImage]>,
    /// When.
    pub time: SystemTime,
}

/// An input of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Where it was; `None` where it came from no file.
    pub path: Option<PathBuf>,
}

impl Records {
    /// Records a read, run to its end or interrupted. All of it is on disk when this returns; on failure nothing is.
    ///
    /// # Errors
    /// [`ErrorKind::DiskFull`]; [`ErrorKind::Unwritable`] if the reading holds what could not be read back, or inputs
    /// or views are not those of the reading;
    /// [`ErrorKind::Chain`] if the log cannot be continued; [`ErrorKind::Archive`].
    pub fn append(&self, reading: &Reading, from: &Provenance<'_>) -> Result<RecordId> {
        let id = RecordId::random()?;
        let time = time::rfc3339(from.time);
        let contents = written_parts(id, &time, reading, from)?;
        // Reads without inputs have nothing in common: each is a study of its own.
        let inputs: Vec<[u8; 32]> = from.inputs.iter().map(|input| bytes_of(&input.digest)).collect();

        let log = Log::hold(&self.archive)?;
        // A log that cannot be continued is known before anything is written.
        log.settle()?;
        if let Some(study) = self.archive.study_of(&inputs)? {
            self.sweep(&log, &study)?;
        }
        let study = self.archive.study_for(&inputs)?;
        let mut stored = Vec::new();
        let appended = self.store(&study, &id, contents, &mut stored).and_then(|parts| {
            log.append(|sequence, previous| {
                Entry::new((sequence, previous), Event::Read, id, &time, study, parts)
            })
        });
        if let Err(error) = appended {
            // The first error is the one to tell. Parts that cannot be removed stay encrypted and unnamed.
            let _ = self.archive.erase_blobs(&study, &stored);
            return Err(error);
        }
        Ok(id)
    }

    fn store(
        &self,
        study: &StudyId,
        id: &RecordId,
        contents: Vec<(BlobKind, Vec<u8>)>,
        stored: &mut Vec<BlobName>,
    ) -> Result<Vec<Part>> {
        let mut named = Vec::new();
        let mut view_idx = 0;
        for (kind, bytes) in contents {
            let salted = parts::salted(&bytes)?;
            let purpose = parts::purpose(id, kind, view_idx);
            view_idx += usize::from(kind == BlobKind::KeptView);
            stored.push(self.archive.put(study, kind, &purpose, &salted)?);
            named.push(parts::part(kind, &salted));
        }
        Ok(named)
    }
}

/// The parts of a new record in their written form.
fn written_parts(
    id: RecordId,
    time: &str,
    reading: &Reading,
    from: &Provenance<'_>,
) -> Result<Vec<(BlobKind, Vec<u8>)>> {
    let differs = |what: &str| {
        Error::new(ErrorKind::Unwritable, format!("the {what} given are not those of the reading"))
    };
    let digests = from.inputs.iter().map(|input| input.digest.to_string());
    if !digests.eq(reading.inputs.iter().map(|input| input.sha256.clone())) {
        return Err(differs("inputs"));
    }
    let is_view = |(view, image): (&ViewRecord, &RgbImage)| {
        (view.width, view.height) == (image.width(), image.height())
            && view.sha256 == Digest::of(image.pixels()).to_string()
    };
    let kept = from.keep_views.unwrap_or_default();
    if from.keep_views.is_some()
        && !(kept.len() == reading.views.len() && reading.views.iter().zip(kept).all(is_view))
    {
        return Err(differs("views"));
    }
    let body = Body {
        format: BODY_FORMAT,
        id,
        time: time.to_owned(),
        version: from.version.to_owned(),
        cpu: from.cpu.to_owned(),
        reading: reading.clone(),
    };
    let paths: Vec<_> = from.inputs.iter().map(|input| input.path.clone()).collect();
    let mut written =
        vec![(BlobKind::RecordBody, body.to_bytes()?), (BlobKind::PathIndex, parts::write_paths(&paths)?)];
    for image in kept {
        written.push((BlobKind::KeptView, parts::write_view(image)?));
    }
    Ok(written)
}

fn bytes_of(digest: &Digest) -> [u8; 32] {
    digest.bytes().try_into().expect("a digest has 32 bytes")
}
