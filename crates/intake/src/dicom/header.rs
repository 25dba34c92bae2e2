//! The attributes of a file, without its pixels: for looking at many files.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::dataset::Dataset;
use super::file::File;
use super::parse::Until;
use crate::{Error, ErrorKind, Result, open};

/// Bytes that are read first. Most headers are shorter; where one is not, four times as many are read.
const FIRST_BYTES: u64 = 16 << 10;
const GROWTH: u64 = 4;

/// Reads a file up to its pixel data, and no further than needed, and hands what was found to `look`. The data set has
/// every element before the pixel data; where there are none, every element.
///
/// # Errors
/// [`ErrorKind::File`] if the file cannot be read, [`ErrorKind::Unknown`] if it is not DICOM; else as [`File::read`] and
/// [`File::dataset`]. The text does not name the path.
pub fn read_header<T>(path: impl AsRef<Path>, look: impl FnOnce(&File<'_>, &Dataset<'_>) -> T) -> Result<T> {
    let (mut file, len_bytes) = open::regular_file(path.as_ref())?;
    let mut bytes = Vec::new();
    let mut n_wanted = FIRST_BYTES;
    loop {
        let n_more = n_wanted.min(len_bytes).saturating_sub(bytes.len() as u64);
        read_more(&mut file, &mut bytes, n_more)?;
        let is_whole = bytes.len() as u64 >= len_bytes || (bytes.len() as u64) < n_wanted;
        if !File::is_dicom(&bytes) {
            return Err(Error::new(ErrorKind::Unknown, "expected DICOM, found bytes of another kind"));
        }
        // What is cut off by the end of what was read looks like a damaged file: only the whole file tells.
        match File::read(&bytes) {
            Ok(dicom) => match dicom.read_until(Until::Pixels) {
                Ok((dataset, is_stopped)) if is_stopped || is_whole => return Ok(look(&dicom, &dataset)),
                Err(error) if is_whole => return Err(error),
                _ => {}
            },
            Err(error) if is_whole => return Err(error),
            Err(_) => {}
        }
        n_wanted = n_wanted.saturating_mul(GROWTH);
    }
}

/// Reads `n` more bytes, or as many as there are.
fn read_more(file: &mut fs::File, bytes: &mut Vec<u8>, n: u64) -> Result<()> {
    let room = usize::try_from(n).unwrap_or(usize::MAX);
    bytes
        .try_reserve_exact(room)
        .map_err(|_| Error::new(ErrorKind::TooLarge, format!("no memory for {n} more bytes of the file")))?;
    file.take(n).read_to_end(bytes).map_err(|error| open::cannot_read(&error))?;
    Ok(())
}
