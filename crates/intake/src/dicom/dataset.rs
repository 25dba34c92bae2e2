//! A data set: elements in the order of the file, found by tag.

use std::fmt;

use dicom_core::Tag;

use super::charset::Charset;
use super::element::{Element, Value};
use super::note::{Note, Notes, Oddity};
use super::{VR, describe};
use crate::{Error, ErrorKind, Result};

/// A data set or an item of a sequence. Values are slices of the file's bytes.
pub struct Dataset<'a> {
    elements: Box<[Element<'a>]>,
    /// How text in this data set is coded: its own Specific Character Set, or that of the data set around it.
    charset: Charset,
    /// Whether tags rise strictly, so that they can be searched.
    is_sorted: bool,
    notes: Option<Box<Notes>>,
}

impl<'a> Dataset<'a> {
    /// A data set of these elements, in this order.
    pub(crate) fn new(elements: Vec<Element<'a>>, charset: Charset) -> Self {
        let is_sorted = elements.is_sorted_by(|a, b| a.tag < b.tag);
        Self { elements: elements.into_boxed_slice(), charset, is_sorted, notes: None }
    }

    /// Keeps what was odd; for the data set of a file, not for items.
    pub(crate) fn with_notes(mut self, notes: Notes) -> Self {
        self.notes = Some(Box::new(notes));
        self
    }

    /// Adds something odd that was found about the data set as a whole.
    pub(crate) fn note(&mut self, what: Oddity) {
        self.notes.get_or_insert_default().add(what, None);
    }

    /// What was odd in the data set and its items, and how it was taken; empty for an item.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.notes.as_ref().map_or(&[], |notes| notes.as_slice())
    }

    /// The elements in the order of the file, doubles included.
    pub fn iter(&self) -> std::slice::Iter<'_, Element<'a>> {
        self.elements.iter()
    }

    /// The elements, to settle their types.
    pub(crate) fn elements_mut(&mut self) -> &mut [Element<'a>] {
        &mut self.elements
    }

    /// Whether tags rise strictly.
    pub(crate) fn is_sorted(&self) -> bool {
        self.is_sorted
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element of a tag. Of doubles it is the last one, as in pydicom.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        if self.is_sorted {
            let found = self.elements.binary_search_by(|element| element.tag.cmp(&tag)).ok()?;
            self.elements.get(found)
        } else {
            self.elements.iter().rev().find(|element| element.tag == tag)
        }
    }

    /// The bytes of a value, padding included; `None` if there is no such element or it is not bytes.
    #[must_use]
    pub fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        self.get(tag).and_then(Element::bytes)
    }

    /// The items of a sequence; none where the element is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if the element is no sequence, or one that could not be read.
    pub fn items(&self, tag: Tag) -> Result<&[Dataset<'a>]> {
        match self.get(tag).map(|element| (&element.value, element.vr)) {
            None => Ok(&[]),
            Some((Value::Items(items), _)) => Ok(items),
            Some((Value::Bytes([]), _)) => Ok(&[]),
            Some((_, vr)) => Err(unexpected(tag, "a sequence of items (SQ)", vr)),
        }
    }

    /// How text in this data set is coded.
    pub(crate) fn charset(&self) -> Charset {
        self.charset
    }
}

/// An element that is not of the type that a reader needs.
pub(crate) fn unexpected(tag: Tag, expected: &str, found: VR) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("DICOM: {}: expected {expected}, found a value of type {}", describe(tag), found.to_string()),
    )
    .hint("the element is not written as PS3.6 asks; correct it, for example with dcmodify of DCMTK")
}

impl<'s, 'a> IntoIterator for &'s Dataset<'a> {
    type Item = &'s Element<'a>;
    type IntoIter = std::slice::Iter<'s, Element<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Shows tags, types and sizes only: values are a patient's.
impl fmt::Debug for Dataset<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
