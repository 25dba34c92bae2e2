//! Which fragments make which frame (PS3.5 section A.4).

use std::ops::Range;

use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use super::element::Fragments;
use super::note::{Notes, Oddity};
use super::syntax::Coding;
use crate::{Error, ErrorKind, Result, memory};

/// An item's tag and length stand before each fragment.
const ITEM_HEADER_BYTES: u64 = 8;

/// How many bytes before the end of a fragment the end of a codestream is looked for, as in pydicom.
const TAIL_BYTES: usize = 10;

/// Where a frame is among the fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The fragments, in order.
    pub(crate) fragments: Range<usize>,
    /// Bytes of the frame, where a table states them; padding is behind.
    pub(crate) n_bytes: Option<usize>,
}

impl Place {
    fn of(fragments: Range<usize>) -> Self {
        Self { fragments, n_bytes: None }
    }
}

/// Finds the frames among the fragments: by the extended offset table, else by the basic one, else by counting, else by
/// the ends of codestreams. A table that does not fit the fragments is not used, and noted.
///
/// There may be more frames than `n_declared`, as pydicom finds them.
///
/// # Errors
/// [`ErrorKind::Truncated`] if there are fewer; [`ErrorKind::Unsupported`] if they cannot be told apart.
pub(crate) fn places(
    parts: &Fragments<'_>,
    dataset: &Dataset<'_>,
    n_declared: usize,
    coding: Coding,
    notes: &mut Notes,
) -> Result<Vec<Place>> {
    let n_fragments = parts.fragments.len();
    let table = match extended(parts, dataset) {
        Table::Fits(places) if places.len() >= n_declared => Some(places),
        Table::Fits(_) | Table::DoesNotFit => {
            notes.add(Oddity::OffsetTable, Some(tags::EXTENDED_OFFSET_TABLE));
            None
        }
        Table::Absent => None,
    };
    if let Some(places) = table {
        return Ok(places);
    }
    match basic(parts) {
        Table::Fits(places) if places.len() >= n_declared => return Ok(places),
        Table::Fits(_) | Table::DoesNotFit => notes.add(Oddity::OffsetTable, Some(tags::PIXEL_DATA)),
        Table::Absent => {}
    }
    if n_fragments < n_declared {
        return Err(too_few(n_declared, "fragments", n_fragments));
    }
    if n_declared == 1 {
        return one_by_one(1, |_| 0..n_fragments);
    }
    if n_fragments == n_declared {
        return one_by_one(n_declared, |k| k..k + 1);
    }
    if !ends_with_marker(coding) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "DICOM: (7FE0,0010) PixelData: expected a table of offsets or a fragment for each of {n_declared} \
                 frames, found {n_fragments} fragments that cannot be told apart"
            ),
        )
        .hint("convert it first: `gdcmconv --raw IN OUT`, or have it sent again with a basic offset table"));
    }
    let places = by_markers(parts);
    if places.len() < n_declared {
        return Err(too_few(n_declared, "ends of codestreams", places.len()));
    }
    Ok(places)
}

/// What a table says.
enum Table {
    Absent,
    DoesNotFit,
    Fits(Vec<Place>),
}

/// Frames of the same shape.
fn one_by_one(n: usize, fragments: impl Fn(usize) -> Range<usize>) -> Result<Vec<Place>> {
    let mut places = memory::reserve(n)?;
    places.extend((0..n).map(|k| Place::of(fragments(k))));
    Ok(places)
}

/// Where each fragment's item starts, from the first one on.
fn starts(parts: &Fragments<'_>) -> Vec<u64> {
    let mut at = 0;
    parts
        .fragments
        .iter()
        .map(|fragment| {
            let start = at;
            at += ITEM_HEADER_BYTES + fragment.len() as u64;
            start
        })
        .collect()
}

/// Frames by the extended offset table (PS3.3 section C.7.6.3.1.8): one fragment each, with its length.
fn extended(parts: &Fragments<'_>, dataset: &Dataset<'_>) -> Table {
    let offsets = dataset.bytes(tags::EXTENDED_OFFSET_TABLE).unwrap_or(&[]);
    if offsets.is_empty() {
        return Table::Absent;
    }
    let lengths = dataset.bytes(tags::EXTENDED_OFFSET_TABLE_LENGTHS).unwrap_or(&[]);
    let ((offsets, []), (lengths, [])) = (offsets.as_chunks::<8>(), lengths.as_chunks::<8>()) else {
        return Table::DoesNotFit;
    };
    if offsets.len() != lengths.len() {
        return Table::DoesNotFit;
    }
    let starts = starts(parts);
    let places = offsets.iter().zip(lengths).map(|(offset, length)| {
        let fragment = starts.binary_search(&u64::from_le_bytes(*offset)).ok()?;
        let n_bytes = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let is_within = parts.fragments.get(fragment).is_some_and(|bytes| n_bytes <= bytes.len());
        is_within.then_some(Place { fragments: fragment..fragment + 1, n_bytes: Some(n_bytes) })
    });
    places.collect::<Option<Vec<_>>>().map_or(Table::DoesNotFit, Table::Fits)
}

/// Frames by the basic offset table: from one offset to the next.
fn basic(parts: &Fragments<'_>) -> Table {
    if parts.offset_table.is_empty() {
        return Table::Absent;
    }
    let (offsets, rest) = parts.offset_table.as_chunks::<4>();
    let starts = starts(parts);
    let firsts: Option<Vec<usize>> = offsets
        .iter()
        .map(|offset| starts.binary_search(&u64::from(u32::from_le_bytes(*offset))).ok())
        .collect();
    match firsts {
        Some(firsts)
            if rest.is_empty() && firsts.first() == Some(&0) && firsts.is_sorted_by(|a, b| a < b) =>
        {
            let ends = firsts.iter().skip(1).copied().chain([parts.fragments.len()]);
            Table::Fits(firsts.iter().zip(ends).map(|(first, end)| Place::of(*first..end)).collect())
        }
        _ => Table::DoesNotFit,
    }
}

/// Whether the codestreams of a coding end with the marker FFD9 and start with FFD8 or FF4F, as all of JPEG, JPEG-LS and
/// JPEG 2000 do.
fn ends_with_marker(coding: Coding) -> bool {
    matches!(
        coding,
        Coding::JpegBaseline
            | Coding::JpegExtended
            | Coding::JpegLossless
            | Coding::JpegLosslessSv1
            | Coding::JpegLs
            | Coding::JpegLsNear
            | Coding::Jpeg2000Lossless
            | Coding::Jpeg2000
            | Coding::HtJ2kLossless
            | Coding::HtJ2kLosslessRpcl
            | Coding::HtJ2k
    )
}

/// Frames by the ends of their codestreams. A fragment ends a frame if the end marker is among its last bytes and what
/// follows, if anything, starts a codestream.
fn by_markers(parts: &Fragments<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    let mut first = 0;
    for (idx, fragment) in parts.fragments.iter().enumerate() {
        let tail = fragment.get(fragment.len().saturating_sub(TAIL_BYTES)..).unwrap_or(&[]);
        let is_end = tail.windows(2).any(|pair| pair == [0xff, 0xd9]);
        let next = parts.fragments.get(idx + 1);
        let starts_next =
            next.is_none_or(|next| next.starts_with(&[0xff, 0xd8]) || next.starts_with(&[0xff, 0x4f]));
        if is_end && starts_next {
            places.push(Place::of(first..idx + 1));
            first = idx + 1;
        }
    }
    places
}

/// Fewer frames than the file declares.
fn too_few(n_declared: usize, of_what: &str, n_found: usize) -> Error {
    Error::new(
        ErrorKind::Truncated,
        format!(
            "DICOM: (7FE0,0010) PixelData: expected {n_declared} frames as (0028,0008) NumberOfFrames states, found \
             {n_found} {of_what}"
        ),
    )
    .hint("the file is incomplete; copy or export it again")
}
