//! Bytes to elements: explicit and implicit little endian (PS3.5 section 7), and what files make of them.
//!
//! Where a file strays, it is read as pydicom 3.0.2 reads it (`filereader.py`), or refused. Every length is held
//! against the bytes that are there before it is used, nesting is bounded, and what is held in memory is a few dozen
//! bytes for each element header in the file.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::charset::Charset;
use super::dataset::Dataset;
use super::describe;
use super::dictionary::{self, Known};
use super::element::{Cut, Element, Value};
use super::note::{Notes, Oddity};
use crate::{Error, ErrorKind, Result};

mod items;
mod signs;

pub(crate) use items::fragments;

/// Deepest nesting of sequences that is read. Real files nest less than ten deep.
const MAX_DEPTH: usize = 64;

/// The length that says: until the delimiter.
const UNDEFINED: u32 = u32::MAX;

const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

/// How elements are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notation {
    /// Tag and length; the type is the dictionary's.
    Implicit,
    /// Tag, type and length.
    Explicit,
}

/// Where to stop before the end of the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Read to the end.
    End,
    /// Stop before an element of another group: for the meta group.
    GroupIsNot(u16),
    /// Stop before the pixel data.
    Pixels,
}

/// A data set and where it ended.
pub(crate) struct Parsed<'a> {
    /// The elements.
    pub(crate) dataset: Dataset<'a>,
    /// The position behind the last element.
    pub(crate) end: usize,
    /// The notation that was found.
    pub(crate) notation: Notation,
    /// Whether reading stopped where [`Until`] says, rather than at the end of the bytes.
    pub(crate) is_stopped: bool,
}

/// Why an element could not be read.
enum Failure {
    /// A value that a reader may do without is damaged: it can be kept as bytes.
    Damaged(Error),
    /// Nothing behind this can be read.
    Fatal(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Damaged(error) | Failure::Fatal(error) => error,
        }
    }
}

type Parse<T> = std::result::Result<T, Failure>;

/// An element's tag, type, length and where its value starts.
struct Header {
    tag: Tag,
    /// As stated; `None` where the notation states none.
    stated: Option<VR>,
    /// Whether the type that is stated is not one of PS3.5.
    is_odd: bool,
    len: u32,
    value: usize,
}

/// What a data set inherits from where it stands.
#[derive(Clone, Copy)]
struct Place {
    notation: Notation,
    charset: Charset,
    /// How many sequences it is in.
    depth: usize,
    /// Whether a delimiter ends it.
    is_delimited: bool,
    /// Where the bytes around it end, at the latest.
    end: usize,
}

/// Reads the data set that starts at `start`. `assumed` is what the transfer syntax says; what the first element looks
/// like counts. At most `n_headers` elements and items are read, those within sequences included.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where the bytes are no elements, [`ErrorKind::Truncated`] where they end within one that is
/// not pixel data, [`ErrorKind::Unsupported`] where sequences are nested deeper than 64.
pub(crate) fn data_set<'a>(
    bytes: &'a [u8],
    start: usize,
    assumed: Notation,
    until: Until,
    n_headers: usize,
) -> Result<Parsed<'a>> {
    let mut parser = Parser::new(bytes, n_headers);
    let notation = parser.notation_at(start).unwrap_or(assumed);
    let place =
        Place { notation, charset: Charset::DEFAULT, depth: 0, is_delimited: false, end: bytes.len() };
    let (mut dataset, end, is_stopped) = parser.elements(start, place, until)?;
    if parser.is_by_sign {
        signs::settle(&mut dataset, false);
    }
    Ok(Parsed { dataset: dataset.with_notes(parser.notes), end, notation, is_stopped })
}

struct Parser<'a> {
    bytes: &'a [u8],
    notes: Notes,
    n_headers_left: usize,
    /// Whether an element waits for Pixel Representation.
    is_by_sign: bool,
    /// From where on there are only zeros, once it was looked for.
    zeros: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8], n_headers_left: usize) -> Self {
        Self { bytes, notes: Notes::default(), n_headers_left, is_by_sign: false, zeros: None }
    }

    /// The notation of the element at `at`, by whether two capital letters stand where a type would; `None` at the end.
    fn notation_at(&self, at: usize) -> Option<Notation> {
        let vr = self.bytes.get(at.checked_add(4)?..)?.first_chunk::<2>()?;
        Some(if vr.iter().all(u8::is_ascii_uppercase) { Notation::Explicit } else { Notation::Implicit })
    }

    /// A tag and the four bytes behind it.
    fn tag_at(&self, at: usize, end: usize) -> Option<(Tag, [u8; 4])> {
        let [a, b, c, d, rest @ ..] = *self.bytes.get(at..end)?.first_chunk::<8>()?;
        Some((Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])), rest))
    }

    /// Whether there are only zeros from `at` to the end.
    fn is_zeros_from(&mut self, at: usize) -> bool {
        let bytes = self.bytes;
        let zeros = self
            .zeros
            .get_or_insert_with(|| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        at >= *zeros
    }

    /// Reads elements from `at` on. Gives the data set, the position behind it, and whether it stopped early.
    fn elements(&mut self, mut at: usize, place: Place, until: Until) -> Parse<(Dataset<'a>, usize, bool)> {
        let mut elements: Vec<Element<'a>> = Vec::new();
        let mut charset = place.charset;
        let mut is_stopped = false;
        let mut has_pixels = false;
        while at < place.end {
            let Some((tag, _)) = self.tag_at(at, place.end) else {
                // Fewer than eight bytes: no element.
                if place.depth > 0 {
                    return Err(damaged(at, "an element or the end of its item", "a few bytes more"));
                }
                self.notes.add(Oddity::BytesBehind { n: place.end - at }, None);
                break;
            };
            if tag == ITEM_END {
                if place.depth > 0 {
                    at += 8;
                    if !place.is_delimited {
                        if at != place.end {
                            return Err(damaged(at, "the end of its item", "a delimiter before it"));
                        }
                        self.notes.add(Oddity::StrayDelimiter, Some(tag));
                    }
                    return Ok((Dataset::new(elements, charset), at, false));
                }
                // pydicom ends the data set here.
                self.notes.add(Oddity::StrayDelimiter, Some(tag));
                if at + 8 < place.end {
                    self.notes.add(Oddity::BytesBehind { n: place.end - at - 8 }, None);
                }
                break;
            }
            if is_at_end_of(until, tag) && place.depth == 0 {
                is_stopped = true;
                break;
            }
            if place.depth == 0 && tag == Tag(0, 0) && self.is_zeros_from(at) {
                self.notes.add(Oddity::BytesBehind { n: place.end - at }, None);
                break;
            }
            let here = Place { charset, ..place };
            match self.header(at, here).and_then(|header| self.element(&header, here)) {
                Ok((element, next)) => {
                    if element.tag == tags::SPECIFIC_CHARACTER_SET {
                        charset = self.charset(&element, place.charset);
                    }
                    has_pixels |= is_pixel_data(element.tag);
                    self.is_by_sign |= element.is_by_sign;
                    elements.push(element);
                    at = next;
                }
                // What cannot be read behind the pixels has no say in them.
                Err(Failure::Damaged(_)) if has_pixels && place.depth == 0 => {
                    self.notes.add(Oddity::BytesBehind { n: place.end - at }, None);
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        if place.is_delimited && !is_stopped {
            self.notes.add(Oddity::NoDelimiter, Some(ITEM_END));
        }
        let dataset = Dataset::new(elements, charset);
        self.note_order(&dataset);
        Ok((dataset, at, is_stopped))
    }

    /// Notes doubles and disorder.
    fn note_order(&mut self, dataset: &Dataset<'a>) {
        if dataset.is_sorted() {
            return;
        }
        let mut tags: Vec<Tag> = dataset.iter().map(|element| element.tag).collect();
        if !tags.is_sorted() {
            self.notes
                .add(Oddity::Unordered, tags.windows(2).find(|pair| pair[0] > pair[1]).map(|pair| pair[1]));
        }
        tags.sort_unstable();
        if let Some(double) = tags.windows(2).find(|pair| pair[0] == pair[1]) {
            self.notes.add(Oddity::Duplicate, Some(double[0]));
        }
    }

    /// The character set that an element states.
    fn charset(&mut self, element: &Element<'_>, around: Charset) -> Charset {
        let Some(value) = element.bytes() else { return around };
        Charset::of(value).unwrap_or_else(|| {
            self.notes.add(Oddity::CharacterSet, Some(element.tag));
            Charset::DEFAULT
        })
    }

    /// Tag, type and length of the element at `at`.
    fn header(&mut self, at: usize, place: Place) -> Parse<Header> {
        let Some((tag, [a, b, c, d])) = self.tag_at(at, place.end) else {
            return Err(damaged(at, "an element", "a few bytes more"));
        };
        if tag.0 == 0xfffe {
            return Err(damaged(at, "an element", "an item or delimiter where no sequence is open"));
        }
        let implicit =
            Header { tag, stated: None, is_odd: false, len: u32::from_le_bytes([a, b, c, d]), value: at + 8 };
        if place.notation == Notation::Implicit {
            return Ok(implicit);
        }
        match VR::from_binary([a, b]) {
            Some(vr) if has_long_length(vr) => {
                let len = self.bytes.get(at + 8..place.end).and_then(|rest| rest.first_chunk::<4>());
                let Some(len) = len else {
                    return Err(damaged(at, &format!("{}: a length", describe(tag)), "the end"));
                };
                Ok(Header {
                    tag,
                    stated: Some(vr),
                    is_odd: false,
                    len: u32::from_le_bytes(*len),
                    value: at + 12,
                })
            }
            Some(vr) => Ok(Header {
                tag,
                stated: Some(vr),
                is_odd: false,
                len: u32::from(u16::from_le_bytes([c, d])),
                value: at + 8,
            }),
            None if [a, b] < *b"AA" || [a, b] > *b"ZZ" => {
                self.notes.add(Oddity::ImplicitElement, Some(tag));
                Ok(implicit)
            }
            None => {
                self.notes.add(Oddity::UnknownType, Some(tag));
                let len = u32::from(u16::from_le_bytes([c, d]));
                Ok(Header { tag, stated: Some(VR::UN), is_odd: true, len, value: at + 8 })
            }
        }
    }

    /// The element of a header, and the position behind it.
    fn element(&mut self, header: &Header, place: Place) -> Parse<(Element<'a>, usize)> {
        let Header { tag, stated, is_odd, len, value: at } = *header;
        self.count(tag)?;
        let known = match stated {
            None => dictionary::type_of(tag),
            Some(_) if is_odd => Known::As(VR::UN),
            Some(VR::UN) if !dictionary::is_private(tag) && len < 0xffff => dictionary::type_of(tag),
            Some(VR::UN) if is_private_creator(tag) => Known::As(VR::LO),
            Some(vr) => Known::As(vr),
        };
        if stated == Some(VR::UN)
            && !is_odd
            && !dictionary::is_private(tag)
            && !matches!(known, Known::No | Known::As(VR::UN))
        {
            self.notes.add(Oddity::TypeOfDictionary, Some(tag));
        }
        let (vr, is_by_sign) = match known {
            Known::As(vr) => (vr, false),
            Known::BySign => (VR::US, true),
            Known::No => (VR::UN, false),
        };
        if len == UNDEFINED {
            let (vr, value, next) = self.undefined(tag, vr, at, place)?;
            return Ok((Element { tag, vr, is_by_sign: false, value }, next));
        }
        let Some(end) = at.checked_add(len as usize).filter(|end| *end <= place.end) else {
            return self.beyond(tag, vr, at, len as usize, place);
        };
        let bytes = self.bytes.get(at..end).unwrap_or(&[]);
        if vr == VR::SQ {
            return match self.items(tag, at, Place { is_delimited: false, end, ..place }) {
                Ok((items, _)) => Ok((Element { tag, vr, is_by_sign, value: Value::Items(items) }, end)),
                Err(Failure::Damaged(_)) => {
                    self.notes.add(Oddity::SequenceAsBytes, Some(tag));
                    Ok((Element { tag, vr: VR::UN, is_by_sign, value: Value::Bytes(bytes) }, end))
                }
                Err(failure) => Err(failure),
            };
        }
        Ok((Element { tag, vr, is_by_sign, value: Value::Bytes(bytes) }, end))
    }

    /// Counts an element or item against what is believed.
    fn count(&mut self, tag: Tag) -> Parse<()> {
        self.n_headers_left = self.n_headers_left.checked_sub(1).ok_or_else(|| {
            let message = format!(
                "DICOM: {}: more elements than its deflated bytes are believed to hold",
                describe(tag)
            );
            Failure::Fatal(Error::new(ErrorKind::TooLarge, message).hint(
                "convert it first: `dcmconv +te IN OUT` of DCMTK writes it in Explicit VR Little Endian",
            ))
        })?;
        Ok(())
    }

    /// An element whose value is longer than what is left.
    fn beyond(
        &mut self,
        tag: Tag,
        vr: VR,
        at: usize,
        len: usize,
        place: Place,
    ) -> Parse<(Element<'a>, usize)> {
        let found = self.bytes.get(at..place.end).unwrap_or(&[]);
        if place.depth == 0 && is_pixel_data(tag) {
            let value = Value::Cut(Box::new(Cut { found, expected: len }));
            return Ok((Element { tag, vr, is_by_sign: false, value }, place.end));
        }
        Err(Failure::Damaged(
            Error::new(
                if place.depth == 0 { ErrorKind::Truncated } else { ErrorKind::Corrupt },
                format!(
                    "DICOM: {} at byte {at}: expected a value of {len} bytes, found {} before the end of {}",
                    describe(tag),
                    found.len(),
                    if place.depth == 0 { "the file" } else { "its item" }
                ),
            )
            .hint("the file is incomplete or damaged; copy or export it again"),
        ))
    }
}

/// Whether reading is to stop before an element.
fn is_at_end_of(until: Until, tag: Tag) -> bool {
    match until {
        Until::End => false,
        Until::GroupIsNot(group) => tag.0 != group,
        Until::Pixels => is_pixel_data(tag),
    }
}

/// Whether an element holds the pixels of the file.
fn is_pixel_data(tag: Tag) -> bool {
    matches!(tag, tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA)
}

/// Whether an element names whose private elements follow (PS3.5 section 7.8.1).
fn is_private_creator(tag: Tag) -> bool {
    dictionary::is_private(tag) && (0x10..=0xff).contains(&tag.1)
}

/// Types whose length has 32 bits, behind two bytes that are reserved (PS3.5 table 7.1-1).
fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

/// Bytes that are not what they should be.
fn damaged(at: usize, expected: &str, found: &str) -> Failure {
    Failure::Damaged(
        Error::new(ErrorKind::Corrupt, format!("DICOM: at byte {at}: expected {expected}, found {found}"))
            .hint("the file is damaged; copy or export it again"),
    )
}
