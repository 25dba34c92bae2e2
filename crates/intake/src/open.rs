//! The door: a file, or bytes, to a study.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::kind::{self, Kind};
use crate::pictures::{jpeg, png, tiff};
use crate::{Allowance, Error, ErrorKind, Format, Frame, PictureChoice, Result, SourceFile, Study, dicom};

/// Files longer than this are refused: no picture within the limit on pixels needs more, even uncompressed
/// RGBA of 16 bits.
pub(crate) const MAX_FILE_BYTES: u64 = 2 << 30;

/// Reads one file. Several files are read one by one with one [`Allowance`] and joined with [`Study::append`].
///
/// # Errors
/// As [`Allowance::open`].
pub fn open(path: impl AsRef<Path>) -> Result<Study> {
    Allowance::default().open(path)
}

/// Reads the bytes of one file that is already in memory.
///
/// # Errors
/// As [`Allowance::open`].
pub fn read(bytes: &[u8]) -> Result<Study> {
    Allowance::default().read(bytes)
}

impl Allowance {
    /// Reads one file; of several frames, all.
    ///
    /// # Errors
    /// As [`Allowance::open_chosen`].
    pub fn open(&mut self, path: impl AsRef<Path>) -> Result<Study> {
        self.open_chosen(path, &PictureChoice::default())
    }

    /// Reads the chosen frames of one file.
    ///
    /// # Errors
    /// [`ErrorKind`] says what: the file cannot be read, is of no known kind, uses what is not supported, contradicts
    /// itself, ends early, is too large, alone or for what is left, or does not have a frame or a view
    /// that was chosen. The text
    /// does not name the path.
    pub fn open_chosen(&mut self, path: impl AsRef<Path>, choice: &PictureChoice) -> Result<Study> {
        self.read_chosen(&bytes_of(path.as_ref())?.1, choice)
    }

    /// Reads the bytes of one file that is already in memory; of several frames, all.
    ///
    /// # Errors
    /// As [`Allowance::open_chosen`].
    pub fn read(&mut self, bytes: &[u8]) -> Result<Study> {
        self.read_chosen(bytes, &PictureChoice::default())
    }

    /// Reads the chosen frames of one file that is already in memory.
    ///
    /// # Errors
    /// As [`Allowance::open_chosen`].
    pub fn read_chosen(&mut self, bytes: &[u8], choice: &PictureChoice) -> Result<Study> {
        let (format, frames) = decode(bytes, choice, self)?;
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let source = SourceFile { sha256, len_bytes: bytes.len() as u64, format };
        Ok(Study { frames, sources: vec![source] })
    }
}

/// One arm a format.
fn decode(bytes: &[u8], choice: &PictureChoice, allowance: &mut Allowance) -> Result<(Format, Vec<Frame>)> {
    let kind = kind::of(bytes)?;
    if kind != Kind::Dicom {
        // Whoever names frame 2 of one picture is told before it is decoded.
        choice.check_plain()?;
    }
    Ok(match kind {
        Kind::Png => (Format::Png, vec![png::read(bytes, allowance)?]),
        Kind::Jpeg => (Format::Jpeg, vec![jpeg::read(bytes, allowance)?]),
        Kind::Tiff => (Format::Tiff, vec![tiff::read(bytes, allowance)?]),
        Kind::Dicom => (Format::Dicom, dicom::read_frames(bytes, choice, allowance)?),
    })
}

/// The bytes of a file of a kind that is read.
///
/// # Errors
/// [`ErrorKind`] says what: the file cannot be read, is of no known kind, or too long. The text does not name the path.
pub(crate) fn bytes_of(path: &Path) -> Result<(Kind, Vec<u8>)> {
    let (mut file, len_bytes) = regular_file(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(kind::HEAD_BYTES).read_to_end(&mut bytes).map_err(|error| cannot_read(&error))?;
    // The kind is judged before the rest is read, so that a slide of many gigabytes is refused by its name.
    let kind = kind::of(&bytes)?;
    if len_bytes > MAX_FILE_BYTES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("{kind}: expected at most {MAX_FILE_BYTES} bytes, found {len_bytes}"),
        )
        .hint("export the region of interest as a picture of its own"));
    }
    let rest = usize::try_from(len_bytes).unwrap_or(usize::MAX).saturating_sub(bytes.len());
    bytes
        .try_reserve_exact(rest)
        .map_err(|_| Error::new(ErrorKind::TooLarge, format!("no memory for a file of {len_bytes} bytes")))?;
    lightbox_host::prefer_huge_pages(&bytes);
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| cannot_read(&error))?;
    Ok((kind, bytes))
}

/// Opens a file, and tells how long it is. What is no file is refused.
///
/// # Errors
/// [`ErrorKind::File`]; the text does not name the path.
pub(crate) fn regular_file(path: &Path) -> Result<(File, u64)> {
    // Asked before opening: opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(|error| cannot_read(&error))?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::File, "expected a file, found a directory")
            .hint("name the picture files inside it"));
    }
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::File, "expected a regular file, found a device, pipe or socket")
            .hint("store the picture in a file first"));
    }
    let file = File::open(path).map_err(|error| cannot_read(&error))?;
    Ok((file, metadata.len()))
}

/// The system's reason without the path that some systems' messages hold.
pub(crate) fn cannot_read(error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        kind => format!("cannot read the file: {kind}"),
    };
    Error::new(ErrorKind::File, reason)
}
