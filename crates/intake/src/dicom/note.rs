//! What a file does against the standard, and how it was taken.

use std::fmt;

use dicom_core::Tag;

use super::describe;

/// Something odd in a file that was read nevertheless, the way pydicom reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub what: Oddity,
    /// The element where it was first met; `None` where it is about the file.
    pub first: Option<Tag>,
    /// How many times it was met.
    pub n_times: usize,
}

/// What can be odd and is read nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// No preamble and no prefix `DICM`: the file starts with an element.
    NoPreamble,
    /// No meta group, or none that names the transfer syntax.
    NoTransferSyntax {
        /// What was read as, from the first element.
        taken_as: &'static str,
    },
    /// The meta group is in implicit notation; PS3.10 section 7.1 asks for explicit.
    ImplicitMeta,
    /// The length of the meta group is not what it states; it was read until its last element.
    MetaLength {
        /// (0002,0000) File Meta Information Group Length.
        stated: u32,
        /// Bytes that the group has.
        found: usize,
    },
    /// The data set is in implicit notation, its transfer syntax says explicit.
    ImplicitDataSet,
    /// The data set is in explicit notation, its transfer syntax says implicit.
    ExplicitDataSet,
    /// An item is in implicit notation within an explicit data set.
    ImplicitItem,
    /// An element without a type of two capital letters was read as implicit.
    ImplicitElement,
    /// A type that is not in PS3.5: read with a length of 16 bits, as UN.
    UnknownType,
    /// A public element of type UN: the dictionary's type was taken.
    TypeOfDictionary,
    /// A value declared a sequence cannot be read as one: kept as bytes of type UN.
    SequenceAsBytes,
    /// A tag occurs twice in one data set: the last one counts.
    Duplicate,
    /// Elements are not in the order of their tags.
    Unordered,
    /// A delimiter is missing at the end of what it should close.
    NoDelimiter,
    /// A delimiter stands where nothing is open; reading went on.
    StrayDelimiter,
    /// Bytes behind the last element that is read: not read.
    BytesBehind {
        /// How many.
        n: usize,
    },
    /// Bytes behind the end of the deflated data set: not read.
    BytesBehindDeflated {
        /// How many.
        n: usize,
    },
    /// A table of offsets does not fit the fragments or the frames: frames were found without it.
    OffsetTable,
    /// Encapsulated pixel data stand in a value of defined length.
    DefinedLength,
    /// There are more frames than Number of Frames declares.
    MoreFrames {
        /// (0028,0008) Number of Frames.
        declared: usize,
        /// Frames that are there.
        found: usize,
    },
    /// Bytes behind the last frame: not read.
    PixelPadding {
        /// How many.
        n: u64,
    },
    /// The file ends within the padding of its pixel data.
    PaddingCutOff,
    /// (0008,0005) Specific Character Set names one that is not known: text in it is shown as Latin-1.
    CharacterSet,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Oddity::NoPreamble => f.write_str("no preamble: the file starts with an element")?,
            Oddity::NoTransferSyntax { taken_as } => {
                write!(f, "no transfer syntax is stated: taken as {taken_as} by the first element")?;
            }
            Oddity::ImplicitMeta => f.write_str("the meta group is in implicit notation")?,
            Oddity::MetaLength { stated, found } => {
                write!(f, "the meta group states {stated} bytes and has {found}: read to its last element")?;
            }
            Oddity::ImplicitDataSet => {
                f.write_str("the data set is in implicit notation against its transfer syntax")?;
            }
            Oddity::ExplicitDataSet => {
                f.write_str("the data set is in explicit notation against its transfer syntax")?;
            }
            Oddity::ImplicitItem => f.write_str("items in implicit notation within an explicit data set")?,
            Oddity::ImplicitElement => f.write_str("elements without a type: read as implicit")?,
            Oddity::UnknownType => f.write_str("elements of a type that PS3.5 does not know: read as UN")?,
            Oddity::TypeOfDictionary => {
                f.write_str("public elements of type UN: the dictionary's type taken")?
            }
            Oddity::SequenceAsBytes => f.write_str("a sequence that cannot be read as one: kept as bytes")?,
            Oddity::Duplicate => f.write_str("a tag occurs twice in one data set: the last one counts")?,
            Oddity::Unordered => f.write_str("elements are not in the order of their tags")?,
            Oddity::NoDelimiter => {
                f.write_str("a delimiter is missing at the end of what it should close")?
            }
            Oddity::StrayDelimiter => f.write_str("a delimiter stands where nothing is open")?,
            Oddity::BytesBehind { n } => write!(f, "{n} bytes behind the last element: not read")?,
            Oddity::BytesBehindDeflated { n } => {
                write!(f, "{n} bytes behind the end of the deflated data set: not read")?;
            }
            Oddity::OffsetTable => {
                f.write_str("a table of offsets that does not fit: frames found without it")?
            }
            Oddity::DefinedLength => f.write_str("encapsulated pixel data in a value of defined length")?,
            Oddity::MoreFrames { declared, found } => write!(f, "{declared} frames declared, {found} found")?,
            Oddity::PixelPadding { n } => write!(f, "{n} bytes behind the last frame: not read")?,
            Oddity::PaddingCutOff => f.write_str("the file ends within the padding of its pixel data")?,
            Oddity::CharacterSet => {
                f.write_str("a character set that is not known: text shown as Latin-1")?
            }
        }
        match (self.first, self.n_times) {
            (Some(tag), 1) => write!(f, " ({})", describe(tag)),
            (Some(tag), n) => write!(f, " ({}, first of {n})", describe(tag)),
            (None, _) => Ok(()),
        }
    }
}

/// Notes as they are gathered: one of a kind, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// Adds one, or counts it where its kind is there already.
    pub(crate) fn add(&mut self, what: Oddity, first: Option<Tag>) {
        match self.0.iter_mut().find(|note| note.what == what) {
            Some(note) => note.n_times += 1,
            None => self.0.push(Note { what, first, n_times: 1 }),
        }
    }

    /// The notes, in the order in which they were first met.
    pub(crate) fn as_slice(&self) -> &[Note] {
        &self.0
    }
}
