//! Values that consist of items: sequences (PS3.5 section 7.5) and encapsulated pixel data (section A.4).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{
    Failure, ITEM, ITEM_END, MAX_DEPTH, Notation, Parse, Parser, Place, SEQUENCE_END, UNDEFINED, Until,
    damaged,
};
use crate::dicom::charset::Charset;
use crate::dicom::dataset::Dataset;
use crate::dicom::describe;
use crate::dicom::element::{Fragments, Value};
use crate::dicom::note::Oddity;
use crate::{Error, ErrorKind, Result};

/// The end of a sequence, as it is written.
const DELIMITER: [u8; 8] = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];

/// The items of encapsulated pixel data that stand in a value of defined length.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if there are no items, or not only items.
pub(crate) fn fragments(bytes: &[u8]) -> Result<Fragments<'_>> {
    let mut parser = Parser::new(bytes, usize::MAX);
    let place = Place {
        notation: Notation::Explicit,
        charset: Charset::DEFAULT,
        depth: 0,
        is_delimited: true,
        end: bytes.len(),
    };
    match parser.fragments(tags::PIXEL_DATA, 0, place)? {
        (fragments, _) if fragments.fragments.is_empty() || fragments.n_missing_bytes > 0 => {
            Err(damaged(0, "fragments", "none that are whole").into())
        }
        (fragments, _) => Ok(fragments),
    }
}

impl<'a> Parser<'a> {
    /// A value that goes on until its delimiter.
    pub(super) fn undefined(
        &mut self,
        tag: Tag,
        vr: VR,
        at: usize,
        place: Place,
    ) -> Parse<(VR, Value<'a>, usize)> {
        // UN of undefined length is a sequence (PS3.5 section 6.2.2, note 7), in implicit notation as a rule.
        let is_sequence = match vr {
            VR::SQ => true,
            VR::UN => {
                place.notation == Notation::Explicit
                    || self.tag_at(at, place.end).is_some_and(|(t, _)| t == ITEM)
            }
            _ => false,
        };
        if is_sequence {
            let (items, next) = self.items(tag, at, Place { is_delimited: true, ..place })?;
            return Ok((VR::SQ, Value::Items(items), next));
        }
        if !matches!(vr, VR::OB | VR::OW | VR::UN | VR::OF | VR::OD | VR::OL | VR::OV) {
            return Err(Failure::Damaged(
                Error::new(
                    ErrorKind::Corrupt,
                    format!(
                        "DICOM: {}: expected a length, found an undefined one, which type {} has not",
                        describe(tag),
                        vr.to_string()
                    ),
                )
                .hint("copy or export it again"),
            ));
        }
        let (fragments, next) = self.fragments(tag, at, place)?;
        Ok((vr, Value::Fragments(Box::new(fragments)), next))
    }

    /// The items of encapsulated pixel data, of which the first is the table of offsets (PS3.5 section A.4).
    fn fragments(&mut self, tag: Tag, mut at: usize, place: Place) -> Parse<(Fragments<'a>, usize)> {
        let mut parts = Vec::new();
        let mut n_missing_bytes = 0;
        loop {
            match self.tag_at(at, place.end) {
                Some((ITEM, len)) => {
                    self.count(tag)?;
                    let len = u32::from_le_bytes(len) as usize;
                    let start = at + 8;
                    let end = start.saturating_add(len).min(place.end);
                    n_missing_bytes = len - (end - start);
                    parts.push(self.bytes.get(start..end).unwrap_or(&[]));
                    at = end;
                    if n_missing_bytes > 0 {
                        if place.depth > 0 {
                            return Err(damaged(at, "a fragment within its item", "a longer one"));
                        }
                        break;
                    }
                }
                Some((SEQUENCE_END, _)) => {
                    at += 8;
                    break;
                }
                // The file ends with a fragment, which has not swallowed the delimiter.
                None if place.depth == 0
                    && at == place.end
                    && !parts.last().is_some_and(|part| part.ends_with(&DELIMITER)) =>
                {
                    self.notes.add(Oddity::NoDelimiter, Some(tag));
                    break;
                }
                _ => {
                    let expected = format!("{}: an item or the end of the items", describe(tag));
                    return Err(damaged(at, &expected, "something else"));
                }
            }
        }
        let mut parts = parts.into_iter();
        let offset_table = parts.next().unwrap_or(&[]);
        let fragments = parts.collect();
        Ok((Fragments { offset_table, fragments, n_missing_bytes }, at))
    }

    /// The items of a sequence from `at` on, and the position behind them.
    pub(super) fn items(
        &mut self,
        tag: Tag,
        mut at: usize,
        place: Place,
    ) -> Parse<(Vec<Dataset<'a>>, usize)> {
        if place.depth >= MAX_DEPTH {
            return Err(Failure::Fatal(
                Error::new(
                    ErrorKind::Unsupported,
                    format!("DICOM: {}: sequences are nested deeper than {MAX_DEPTH}", describe(tag)),
                )
                .hint("no film is written like this; the file is damaged or made to do harm"),
            ));
        }
        let mut items = Vec::new();
        while place.is_delimited || at < place.end {
            let Some((item, len)) = self.tag_at(at, place.end) else {
                return Err(damaged(
                    at,
                    &format!("{}: an item or the end of the sequence", describe(tag)),
                    "the end",
                ));
            };
            let len = u32::from_le_bytes(len);
            at += 8;
            match item {
                SEQUENCE_END if place.is_delimited => return Ok((items, at)),
                SEQUENCE_END
                    if self.bytes.get(at..place.end).is_some_and(|rest| rest.iter().all(|b| *b == 0)) =>
                {
                    self.notes.add(Oddity::StrayDelimiter, Some(tag));
                    return Ok((items, place.end));
                }
                ITEM => {}
                _ => return Err(damaged(at - 8, &format!("{}: an item", describe(tag)), "something else")),
            }
            self.count(tag)?;
            let is_delimited = len == UNDEFINED;
            let end = if is_delimited { place.end } else { at.saturating_add(len as usize) };
            if end > place.end {
                return Err(damaged(
                    at,
                    &format!("{}: an item within its sequence", describe(tag)),
                    "a longer one",
                ));
            }
            let notation = self.notation_of_item(at, end, place.notation);
            let inner = Place { notation, depth: place.depth + 1, is_delimited, end, ..place };
            let (dataset, next, _) = self.elements(at, inner, Until::End)?;
            items.push(dataset);
            at = next;
        }
        Ok((items, at))
    }

    /// The notation of an item. Implicit ones stand in explicit data sets (PS3.5 section 6.2.2); the contrary is not read.
    fn notation_of_item(&mut self, at: usize, end: usize, around: Notation) -> Notation {
        let has_elements = self.tag_at(at, end).is_some_and(|(tag, _)| tag != ITEM_END);
        if around == Notation::Explicit && has_elements && self.notation_at(at) == Some(Notation::Implicit) {
            self.notes.add(Oddity::ImplicitItem, None);
            return Notation::Implicit;
        }
        around
    }
}
