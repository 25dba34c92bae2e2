//! The encrypted parts of a record: their salt, and the written forms of kept views and of the path index.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lightbox_archive::{BlobKind, hex};
use lightbox_models::RgbImage;
use serde::{Deserialize, Serialize};

use crate::entry::Part;
use crate::{Digest, Error, ErrorKind, RecordId, Result};

const SALT_BYTES: usize = 32;
const VIEW_MAGIC: &[u8; 5] = b"LBXV\x01";
const INDEX_FORMAT: u32 = 1;

/// What a blob of this kind holds is known by its record and, of several views, its number.
pub(crate) fn purpose(id: &RecordId, kind: BlobKind, number: usize) -> String {
    match kind {
        BlobKind::KeptView => format!("{id}/{number}"),
        BlobKind::RecordBody | BlobKind::PathIndex => id.to_string(),
    }
}

/// Puts fresh salt before the contents.
pub(crate) fn salted(contents: &[u8]) -> Result<Vec<u8>> {
    let salt: [u8; SALT_BYTES] = lightbox_archive::random()?;
    Ok([salt.as_slice(), contents].concat())
}

/// The part as the log names it; `salted` is salt and contents.
pub(crate) fn part(kind: BlobKind, salted: &[u8]) -> Part {
    let code = match kind {
        BlobKind::RecordBody => b'r',
        BlobKind::KeptView => b'v',
        BlobKind::PathIndex => b'p',
    };
    Part { kind, digest: Digest::of_parts(&[b"lightbox record part v1\0", &[code], salted]) }
}

/// The contents of a part, if they are what the log says.
pub(crate) fn contents(expected: &Part, mut salted: Vec<u8>) -> Option<Vec<u8>> {
    if part(expected.kind, &salted) != *expected || salted.len() < SALT_BYTES {
        return None;
    }
    salted.drain(..SALT_BYTES);
    Some(salted)
}

/// A kept view: magic and version, width and height as little-endian u32, RGB samples `[height, width, 3]`.
pub(crate) fn write_view(image: &RgbImage) -> Result<Vec<u8>> {
    let side = |n: usize| {
        u32::try_from(n).map(u32::to_le_bytes).map_err(|_| {
            Error::new(ErrorKind::Unwritable, format!("a view with a side of {n} pixels cannot be kept"))
        })
    };
    Ok([VIEW_MAGIC.as_slice(), &side(image.width())?, &side(image.height())?, image.pixels()].concat())
}

/// Reads a kept view; never panics, whatever the bytes.
///
/// # Errors
/// [`ErrorKind::Altered`] if it is not one, or of another version.
pub fn read_view(bytes: &[u8]) -> Result<RgbImage> {
    let refused = |why: &str| Error::new(ErrorKind::Altered, format!("a kept view cannot be read: {why}"));
    let rest = bytes.strip_prefix(VIEW_MAGIC).ok_or_else(|| refused("it is not a view of format 1"))?;
    let (width, rest) = rest.split_first_chunk::<4>().ok_or_else(|| refused("it is cut short"))?;
    let (height, samples) = rest.split_first_chunk::<4>().ok_or_else(|| refused("it is cut short"))?;
    let side = |bytes: &[u8; 4]| {
        usize::try_from(u32::from_le_bytes(*bytes)).map_err(|_| refused("it does not fit into memory"))
    };
    RgbImage::new(side(width)?, side(height)?, samples.to_vec()).map_err(|error| refused(&error.to_string()))
}

/// Where the inputs of a record were.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathIndex {
    format: u32,
    /// One entry an input; `null` where it came from no file, or has a name that only this system can spell.
    paths: Vec<Option<Spelled>>,
}

/// A path; what is not UTF-8 is written as its bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spelled {
    Text(String),
    Bytes(String),
}

/// The written form of the path index. Relative paths are made absolute.
pub(crate) fn write_paths(paths: &[Option<PathBuf>]) -> Result<Vec<u8>> {
    let spelled = |path: &PathBuf| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        match path.to_str() {
            Some(text) => Some(Spelled::Text(text.to_owned())),
            None => path_bytes(&path).map(|bytes| Spelled::Bytes(hex::encode(bytes))),
        }
    };
    let paths = paths.iter().map(|path| path.as_ref().and_then(spelled)).collect();
    serde_json::to_vec(&PathIndex { format: INDEX_FORMAT, paths }).map_err(|error| {
        Error::new(ErrorKind::Unwritable, format!("the paths cannot be written down: {error}"))
    })
}

/// Reads a path index; never panics, whatever the bytes.
///
/// # Errors
/// [`ErrorKind::Version`] for another format; [`ErrorKind::Altered`] if it is none.
pub fn read_paths(bytes: &[u8]) -> Result<Vec<Option<PathBuf>>> {
    let index: PathIndex = serde_json::from_slice(bytes)
        .map_err(|_| Error::new(ErrorKind::Altered, "the path index of a record cannot be read"))?;
    if index.format != INDEX_FORMAT {
        return Err(Error::new(
            ErrorKind::Version,
            format!("the path index has format {}, this version reads {INDEX_FORMAT}", index.format),
        ));
    }
    let path = |spelled: Spelled| match spelled {
        Spelled::Text(text) => Some(PathBuf::from(text)),
        Spelled::Bytes(digits) => hex::decode(&digits).and_then(bytes_path).map(PathBuf::from),
    };
    Ok(index.paths.into_iter().map(|spelled| spelled.and_then(path)).collect())
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Option<&[u8]> {
    Some(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
}

#[cfg(unix)]
fn bytes_path(bytes: Vec<u8>) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_bytes(_path: &Path) -> Option<&[u8]> {
    None
}

#[cfg(not(unix))]
fn bytes_path(_bytes: Vec<u8>) -> Option<OsString> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_was_written_or_nothing() {
        let whole = salted(b"contents").expect("there are random bytes");
        let named = part(BlobKind::RecordBody, &whole);
        assert_eq!(contents(&named, whole.clone()).as_deref(), Some(b"contents".as_slice()));
        for i in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[i] ^= 1;
            assert_eq!(contents(&named, flipped), None, "byte {i}");
        }
        assert_eq!(contents(&Part { kind: BlobKind::PathIndex, ..named }, whole.clone()), None);
        assert_ne!(part(BlobKind::RecordBody, &salted(b"contents").expect("as above")), named, "salted");
        let short = part(BlobKind::RecordBody, b"short");
        assert_eq!(contents(&short, b"short".to_vec()), None);
    }

    #[test]
    fn views_come_back_and_cut_ones_do_not() {
        let image = RgbImage::new(2, 3, (0..18).collect()).expect("fits");
        let bytes = write_view(&image).expect("fits");
        assert_eq!(read_view(&bytes).expect("whole"), image);
        for end in 0..bytes.len() {
            assert_eq!(read_view(&bytes[..end]).expect_err("cut").kind(), ErrorKind::Altered, "cut at {end}");
        }
        let mut vast = bytes;
        vast[5..13].fill(0xff);
        assert_eq!(read_view(&vast).expect_err("too large").kind(), ErrorKind::Altered);
    }

    #[test]
    fn paths_come_back_absolute_also_those_that_are_not_text() {
        let mut paths = vec![Some(PathBuf::from("/films/ä.png")), None];
        #[cfg(unix)]
        paths.push(bytes_path(b"/films/\xff.png".to_vec()).map(PathBuf::from));
        assert_eq!(read_paths(&write_paths(&paths).expect("works")).expect("works"), paths);
        let relative = write_paths(&[Some(PathBuf::from("film.png"))]).expect("works");
        let read = read_paths(&relative).expect("works");
        assert!(read[0].as_ref().is_some_and(|path| path.is_absolute() && path.ends_with("film.png")));
        for wrong in [b"".as_slice(), b"{}", b"{\"format\":1,\"paths\":[3]}"] {
            assert_eq!(read_paths(wrong).expect_err("no index").kind(), ErrorKind::Altered);
        }
        let newer = read_paths(b"{\"format\":7,\"paths\":[]}").expect_err("another format");
        assert!(newer.kind() == ErrorKind::Version && newer.to_string().contains('7'), "{newer}");
    }
}
