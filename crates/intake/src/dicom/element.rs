//! One element of a data set: its tag, its type, its value as it stands in the file.

use std::fmt;

use dicom_core::{Tag, VR};

use super::dataset::Dataset;

/// A data element (PS3.5 section 7.1).
pub struct Element<'a> {
    /// Group and element number.
    pub tag: Tag,
    /// The type: as stated; by the dictionary where the file states none, or `UN` for a public element; `UN` where
    /// neither knows one.
    pub vr: VR,
    /// Whether the type may be US or SS and waits for Pixel Representation.
    pub(crate) is_by_sign: bool,
    /// The value.
    pub value: Value<'a>,
}

/// The value of an element.
pub enum Value<'a> {
    /// The bytes of a value of defined length, padding included.
    Bytes(&'a [u8]),
    /// The items of a sequence, in order.
    Items(Vec<Dataset<'a>>),
    /// Encapsulated pixel data (PS3.5 section A.4).
    Fragments(Box<Fragments<'a>>),
    /// Pixel data that the file ends within.
    Cut(Box<Cut<'a>>),
}

/// The parts of encapsulated pixel data.
#[derive(Clone, PartialEq, Eq)]
pub struct Fragments<'a> {
    /// The first item: offsets of the frames, or empty.
    pub offset_table: &'a [u8],
    /// The further items, in order.
    pub fragments: Vec<&'a [u8]>,
    /// How many bytes the last fragment states beyond the end of the file; 0 for pixel data that are whole.
    pub n_missing_bytes: usize,
}

/// A value of defined length that the file ends within.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cut<'a> {
    /// What is there.
    pub found: &'a [u8],
    /// How many bytes the element states.
    pub expected: usize,
}

impl<'a> Element<'a> {
    /// The value if it is bytes.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items if it is a sequence.
    #[must_use]
    pub fn items(&self) -> Option<&[Dataset<'a>]> {
        match &self.value {
            Value::Items(items) => Some(items),
            _ => None,
        }
    }
}

/// Shows tag, type and size only: values are a patient's.
impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", super::describe(self.tag), self.vr.to_string(), self.value)
    }
}

/// Shows sizes only: values are a patient's.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "[{} bytes]", bytes.len()),
            Self::Items(items) => f.debug_list().entries(items).finish(),
            Self::Fragments(parts) => write!(f, "[{} fragments]", parts.fragments.len()),
            Self::Cut(cut) => write!(f, "[{} of {} bytes]", cut.found.len(), cut.expected),
        }
    }
}
