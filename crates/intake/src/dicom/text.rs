//! Values that are text.

use dicom_core::{Tag, VR};

use super::dataset::{Dataset, unexpected};
use super::element::{Element, Value};
use super::{charset::Charset, describe};
use crate::{Error, ErrorKind, Result};

impl Dataset<'_> {
    /// A single text, without padding and the spaces around it; `None` where it is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is no text, or several.
    pub fn text(&self, tag: Tag) -> Result<Option<String>> {
        let mut texts = self.texts(tag)?;
        if texts.len() > 1 {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("DICOM: {}: expected one value, found {}", describe(tag), texts.len()),
            )
            .hint(
                "the element is not written as PS3.6 asks; correct it, for example with dcmodify of DCMTK",
            ));
        }
        Ok(texts.pop().filter(|text| !text.is_empty()))
    }

    /// All texts of an element, each without padding and the spaces around it; none where it is absent or empty. Types
    /// that hold prose (LT, ST, UT, UR) are one text, whatever backslashes they hold.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is no text.
    pub fn texts(&self, tag: Tag) -> Result<Vec<String>> {
        self.get(tag).map_or(Ok(Vec::new()), |element| self.texts_of(element))
    }

    /// As [`Dataset::texts`], of an element of this data set.
    ///
    /// # Errors
    /// As [`Dataset::texts`].
    pub fn texts_of(&self, element: &Element<'_>) -> Result<Vec<String>> {
        let charset = match element.vr {
            VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI | VR::UR => {
                Charset::DEFAULT
            }
            VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT => self.charset(),
            vr => return Err(unexpected(element.tag, "text", vr)),
        };
        let Value::Bytes(bytes) = element.value else {
            return Err(unexpected(element.tag, "text", element.vr));
        };
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        let text = charset.decode(bytes);
        Ok(match element.vr {
            VR::LT | VR::ST | VR::UT | VR::UR => vec![text.trim_end_matches(is_padding).to_owned()],
            _ => text.split('\\').map(|one| one.trim_matches(is_padding).to_owned()).collect(),
        })
    }
}

/// Space and NUL, with which values are filled to an even length, and line breaks around a value.
fn is_padding(c: char) -> bool {
    matches!(c, ' ' | '\0' | '\r' | '\n' | '\t')
}
