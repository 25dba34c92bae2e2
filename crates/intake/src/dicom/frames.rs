//! The bytes of each frame, as they are coded.

use std::borrow::Cow;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use super::element::{Fragments, Value};
use super::encapsulated::{self, Place};
use super::note::{Note, Notes, Oddity};
use super::syntax::{Coding, TransferSyntax};
use super::{describe, inflate, parse};
use crate::{Error, ErrorKind, Result, memory};

const COPY_AGAIN: &str = "the file is incomplete or its header is wrong; copy or export it again";

/// The pixel data of a data set, frame by frame.
pub struct PixelBytes<'a> {
    tag: Tag,
    source: Source<'a>,
    n_frames: usize,
    /// Bits of a frame that is not compressed.
    frame_bits: u64,
    notes: Notes,
}

/// Where the frames are.
enum Source<'a> {
    /// One behind the other, without a gap.
    Native(&'a [u8]),
    /// In fragments.
    Encapsulated { fragments: Cow<'a, [&'a [u8]]>, places: Vec<Place>, coding: Coding },
}

impl<'a> PixelBytes<'a> {
    /// Finds the frames of a data set. `n_declared` is Number of Frames, at least 1; `frame_bits` are the bits of a frame
    /// that is not compressed, padding apart: rows × columns × samples × bits allocated (of native YBR_FULL_422, two
    /// thirds of it).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a transfer syntax that is not decoded, and for fragments whose frames cannot be
    /// told apart; [`ErrorKind::Truncated`], with what is missing, if there are fewer frames than declared;
    /// [`ErrorKind::Corrupt`] if there are no pixel data, two kinds of them, or pixel data that are not written as the
    /// transfer syntax says.
    pub fn of(
        dataset: &'a Dataset<'_>,
        syntax: &TransferSyntax,
        n_declared: usize,
        frame_bits: u64,
    ) -> Result<Self> {
        syntax.check_decoded()?;
        let tag = pixel_tag(dataset)?;
        let mut notes = Notes::default();
        let value = dataset.get(tag).map(|element| &element.value);
        let (source, n_frames) = match value {
            Some(Value::Fragments(parts)) if syntax.is_encapsulated() => {
                whole(parts)?;
                let places = encapsulated::places(parts, dataset, n_declared, syntax.coding, &mut notes)?;
                let n_frames = places.len();
                let fragments = Cow::Borrowed(parts.fragments.as_slice());
                (Source::Encapsulated { fragments, places, coding: syntax.coding }, n_frames)
            }
            // Items within a value of defined length, against PS3.5 section A.4; pydicom reads them too.
            Some(Value::Bytes(bytes)) if syntax.is_encapsulated() => {
                let parts =
                    parse::fragments(bytes).map_err(|_| not_as_stated(tag, syntax, "items", "none"))?;
                notes.add(Oddity::DefinedLength, Some(tag));
                let places = encapsulated::places(&parts, dataset, n_declared, syntax.coding, &mut notes)?;
                let n_frames = places.len();
                let fragments = Cow::Owned(parts.fragments);
                (Source::Encapsulated { fragments, places, coding: syntax.coding }, n_frames)
            }
            Some(Value::Cut(cut)) if syntax.is_encapsulated() => {
                return Err(cut_off(tag, &format!("{} bytes as stated", cut.expected), cut.found.len()));
            }
            Some(Value::Bytes(bytes)) => {
                let n_frames = native_frames(tag, bytes, n_declared, frame_bits, &mut notes)?;
                (Source::Native(bytes), n_frames)
            }
            Some(Value::Cut(cut)) => {
                // What is cut off may be padding.
                let n_frames = native_frames(tag, cut.found, n_declared, frame_bits, &mut notes)?;
                notes.add(Oddity::PaddingCutOff, Some(tag));
                (Source::Native(cut.found), n_frames)
            }
            Some(Value::Fragments(_)) => return Err(not_as_stated(tag, syntax, "bytes", "items")),
            Some(Value::Items(_)) | None => return Err(not_as_stated(tag, syntax, "pixels", "a sequence")),
        };
        if n_frames > n_declared {
            notes.add(Oddity::MoreFrames { declared: n_declared, found: n_frames }, Some(tag));
        }
        Ok(Self { tag, source, n_frames, frame_bits, notes })
    }

    /// Which element holds the pixels: Pixel Data, Float Pixel Data or Double Float Pixel Data.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// How many frames there are: as declared, or more.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// What was odd, and how it was taken.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.notes.as_slice()
    }

    /// The bytes of frame `k`, from 0: as coded, fragments joined; of native pixels, exactly its own, the first bit of the
    /// frame in the lowest bit of the first byte; of deflated frames, inflated.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if there is no such frame; [`ErrorKind::Truncated`] or [`ErrorKind::Corrupt`] if a frame that
    /// is not compressed, or deflated, has not the size that it should have.
    pub fn frame(&self, k: usize) -> Result<Cow<'_, [u8]>> {
        match &self.source {
            Source::Native(bytes) if k < self.n_frames => native_frame(bytes, k as u64, self.frame_bits),
            Source::Encapsulated { fragments, places, coding } if k < self.n_frames => {
                let coded =
                    places.get(k).map_or(Ok(Cow::Borrowed(&[][..])), |place| joined(fragments, place))?;
                let n_bytes = usize::try_from(self.frame_bits.div_ceil(8)).unwrap_or(usize::MAX);
                match coding {
                    Coding::DeflatedFrames => {
                        exactly(self.tag, inflate::frame(&coded, n_bytes)?.into(), n_bytes)
                    }
                    Coding::NativeFrames => exactly(self.tag, coded, n_bytes),
                    _ => Ok(coded),
                }
            }
            _ => Err(Error::new(
                ErrorKind::File,
                format!("DICOM: there is no frame {}, the file has {}", k.saturating_add(1), self.n_frames),
            )),
        }
    }
}

/// The elements of pixels that a data set has: one, or none; more only where it is broken.
pub(crate) fn pixel_tags(dataset: &Dataset<'_>) -> impl Iterator<Item = Tag> {
    [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA]
        .into_iter()
        .filter(|tag| dataset.get(*tag).is_some())
}

/// The one element that holds pixels (PS3.3 section C.7.6.3, C.7.6.24, C.7.6.25).
pub(crate) fn pixel_tag(dataset: &Dataset<'_>) -> Result<Tag> {
    let present: Vec<Tag> = pixel_tags(dataset).collect();
    match present.as_slice() {
        [tag] => Ok(*tag),
        [] => Err(Error::new(
            ErrorKind::Unsupported,
            "DICOM: expected (7FE0,0010) PixelData, found none: the file holds no picture",
        )
        .hint("reports, plans and presentation states have no pixels, and a file that was cut before them has none either; `lightbox dicom show` tells what it is")),
        [first, second, ..] => Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "DICOM: expected one kind of pixel data, found {} and {}",
                describe(*first),
                describe(*second)
            ),
        )
        .hint("have it sent again by the system that it came from")),
    }
}

/// How many frames native pixel data hold, which must not be fewer than declared.
fn native_frames(
    tag: Tag,
    bytes: &[u8],
    n_declared: usize,
    frame_bits: u64,
    notes: &mut Notes,
) -> Result<usize> {
    let n_needed = frame_bits.checked_mul(n_declared as u64).map(|bits| bits.div_ceil(8));
    let n_found = bytes.len() as u64;
    let Some(n_needed) = n_needed.filter(|n_needed| *n_needed <= n_found) else {
        let needed = n_needed.map_or("more bytes than can be counted".to_owned(), |n| format!("{n} bytes"));
        return Err(cut_off(tag, &format!("{needed} for {n_declared} frames"), bytes.len()));
    };
    let n_excess = n_found - n_needed;
    // A value of odd length is filled with one byte.
    if n_excess <= n_needed % 2 {
        return Ok(n_declared);
    }
    let n_whole = n_found.saturating_mul(8).checked_div(frame_bits).unwrap_or(0);
    let n_frames = usize::try_from(n_whole).unwrap_or(usize::MAX).max(n_declared);
    if n_frames == n_declared {
        notes.add(Oddity::PixelPadding { n: n_excess }, Some(tag));
    }
    Ok(n_frames)
}

/// Frame `k` of native pixels. Frames of 1 bit a pixel may start within a byte (PS3.5 section 8.2, annex D).
fn native_frame(bytes: &[u8], k: u64, frame_bits: u64) -> Result<Cow<'_, [u8]>> {
    let missing =
        || Error::new(ErrorKind::Truncated, "DICOM: the pixel data end before the frame").hint(COPY_AGAIN);
    let first_bit = k.checked_mul(frame_bits).ok_or_else(missing)?;
    let end_bit = first_bit.checked_add(frame_bits).ok_or_else(missing)?;
    let first = usize::try_from(first_bit / 8).map_err(|_| missing())?;
    let end = usize::try_from(end_bit.div_ceil(8)).map_err(|_| missing())?;
    let touched = bytes.get(first..end).ok_or_else(missing)?;
    let (shift, n_last_bits) = (first_bit % 8, frame_bits % 8);
    if shift == 0 && n_last_bits == 0 {
        return Ok(Cow::Borrowed(touched));
    }
    let n_bytes = usize::try_from(frame_bits.div_ceil(8)).map_err(|_| missing())?;
    let mut frame = memory::reserve(n_bytes)?;
    frame.extend((0..n_bytes).map(|idx| {
        let pair = [touched.get(idx).copied().unwrap_or(0), touched.get(idx + 1).copied().unwrap_or(0)];
        (u16::from_le_bytes(pair) >> shift).to_le_bytes()[0]
    }));
    // Bits behind the frame belong to the next one.
    if let Some(last) = frame.last_mut().filter(|_| n_last_bits > 0) {
        *last &= (1 << n_last_bits) - 1;
    }
    Ok(Cow::Owned(frame))
}

/// The fragments of a frame, as one.
fn joined<'f>(fragments: &'f [&[u8]], place: &Place) -> Result<Cow<'f, [u8]>> {
    let parts = fragments.get(place.fragments.clone()).unwrap_or(&[]);
    if let [one] = parts {
        let n_bytes = place.n_bytes.unwrap_or(one.len());
        return Ok(Cow::Borrowed(one.get(..n_bytes).unwrap_or(one)));
    }
    let mut bytes = memory::reserve(parts.iter().map(|part| part.len()).sum())?;
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Ok(Cow::Owned(bytes))
}

/// A frame of a size that is known; a byte more may fill it to an even length.
fn exactly(tag: Tag, mut bytes: Cow<'_, [u8]>, n_bytes: usize) -> Result<Cow<'_, [u8]>> {
    if bytes.len() < n_bytes {
        return Err(cut_off(tag, &format!("{n_bytes} bytes in a frame"), bytes.len()));
    }
    if bytes.len() > n_bytes + n_bytes % 2 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!("DICOM: {}: expected {n_bytes} bytes in a frame, found {}", describe(tag), bytes.len()),
        )
        .hint(COPY_AGAIN));
    }
    match &mut bytes {
        Cow::Borrowed(slice) => *slice = slice.get(..n_bytes).unwrap_or(slice),
        Cow::Owned(vector) => vector.truncate(n_bytes),
    }
    Ok(bytes)
}

/// Refuses fragments of which the last is cut off by the end of the file.
fn whole(parts: &Fragments<'_>) -> Result<()> {
    if parts.n_missing_bytes == 0 {
        return Ok(());
    }
    let n_found = parts.fragments.last().map_or(0, |fragment| fragment.len());
    let expected = format!("{} bytes in the last fragment", n_found.saturating_add(parts.n_missing_bytes));
    Err(cut_off(tags::PIXEL_DATA, &expected, n_found))
}

/// Pixel data that are shorter than they should be.
fn cut_off(tag: Tag, expected: &str, n_found: usize) -> Error {
    Error::new(
        ErrorKind::Truncated,
        format!("DICOM: {}: expected {expected}, found {n_found}", describe(tag)),
    )
    .hint(COPY_AGAIN)
}

/// Pixel data that are not written as the transfer syntax says.
fn not_as_stated(tag: Tag, syntax: &TransferSyntax, expected: &str, found: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("DICOM: {}: expected {expected}, as {} asks, found {found}", describe(tag), syntax.name),
    )
    .hint("(0002,0010) TransferSyntaxUID is not that of the pixels; have it sent again by the system that it came from")
}
