//! Values that are numbers: read as their type says, refused by tag where they are none.

use dicom_core::{Tag, VR};

use super::dataset::{Dataset, unexpected};
use super::describe;
use super::element::{Element, Value};
use crate::{Error, ErrorKind, Result};

/// The types whose values are whole numbers.
const WHOLE: &str = "whole numbers (US, SS, UL, SL, UV, SV, IS)";

impl Dataset<'_> {
    /// A single whole number from 0 to 2³² - 1; `None` where the element is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is no such number, or several.
    pub fn uint(&self, tag: Tag) -> Result<Option<u32>> {
        match self.int(tag)? {
            None => Ok(None),
            Some(value) => u32::try_from(value)
                .map(Some)
                .map_err(|_| nonsense(tag, "a whole number from 0 to 4294967295", "one outside")),
        }
    }

    /// A single whole number; `None` where the element is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is no whole number, or several.
    pub fn int(&self, tag: Tag) -> Result<Option<i64>> {
        match self.ints(tag)?.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(*value)),
            many => Err(nonsense(tag, "one value", &many.len().to_string())),
        }
    }

    /// All whole numbers of an element (US, SS, UL, SL, UV, SV, IS); none where it is absent or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is of another type, or its bytes are no such numbers.
    pub fn ints(&self, tag: Tag) -> Result<Vec<i64>> {
        let Some(element) = self.get(tag) else { return Ok(Vec::new()) };
        let bytes = element_bytes(element, WHOLE)?;
        match element.vr {
            VR::US => fixed(tag, bytes, |b| i64::from(u16::from_le_bytes(b))),
            VR::SS => fixed(tag, bytes, |b| i64::from(i16::from_le_bytes(b))),
            VR::UL => fixed(tag, bytes, |b| i64::from(u32::from_le_bytes(b))),
            VR::SL => fixed(tag, bytes, |b| i64::from(i32::from_le_bytes(b))),
            VR::SV => fixed(tag, bytes, i64::from_le_bytes),
            VR::UV => fixed(tag, bytes, u64::from_le_bytes)?
                .into_iter()
                .map(|value| {
                    i64::try_from(value).map_err(|_| nonsense(tag, "numbers below 2^63", "a larger one"))
                })
                .collect(),
            VR::IS => strings(tag, bytes, whole),
            vr => Err(unexpected(tag, WHOLE, vr)),
        }
    }

    /// All numbers of an element (DS, FL, FD, OF, OD and the types of [`Dataset::ints`]); none where it is absent or
    /// empty. Text gives the nearest double; numbers are finite except where FL, FD, OF or OD hold others.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is of another type, or its bytes are no such numbers.
    pub fn decimals(&self, tag: Tag) -> Result<Vec<f64>> {
        let Some(element) = self.get(tag) else { return Ok(Vec::new()) };
        let bytes = element_bytes(element, "numbers")?;
        match element.vr {
            VR::DS => strings(tag, bytes, decimal),
            VR::FL | VR::OF => fixed(tag, bytes, |b| f64::from(f32::from_le_bytes(b))),
            VR::FD | VR::OD => fixed(tag, bytes, f64::from_le_bytes),
            VR::US | VR::SS | VR::UL | VR::SL | VR::UV | VR::SV | VR::IS => {
                Ok(self.ints(tag)?.into_iter().map(|value| value as f64).collect())
            }
            vr => Err(unexpected(tag, "numbers", vr)),
        }
    }

    /// The value of an element as 16-bit words (US, SS, OW, OB); `None` where it is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is of another type, or of an odd length.
    pub fn words(&self, tag: Tag) -> Result<Option<Vec<u16>>> {
        let Some(element) = self.get(tag) else { return Ok(None) };
        let bytes = element_bytes(element, "16-bit words (OW, US)")?;
        match element.vr {
            VR::US | VR::SS | VR::OW | VR::OB => fixed(tag, bytes, u16::from_le_bytes).map(Some),
            vr => Err(unexpected(tag, "16-bit words (OW, US)", vr)),
        }
    }
}

/// The bytes of an element that is to hold numbers.
fn element_bytes<'a>(element: &Element<'a>, expected: &str) -> Result<&'a [u8]> {
    match element.value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(unexpected(element.tag, expected, element.vr)),
    }
}

/// Numbers of `N` bytes each, little endian.
fn fixed<const N: usize, T>(tag: Tag, bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(nonsense(tag, &format!("a multiple of {N} bytes"), &format!("{} bytes", bytes.len())));
    }
    Ok(numbers.iter().map(|bytes| value(*bytes)).collect())
}

/// Numbers as text, separated by backslashes.
fn strings<T>(tag: Tag, bytes: &[u8], value: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    let is_padding = |c: char| c.is_ascii_whitespace() || c == '\0';
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(nonsense(tag, "numbers as text", "bytes that are no text"));
    };
    let text = text.trim_matches(is_padding);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split('\\')
        .map(|one| {
            value(one.trim_matches(is_padding))
                .ok_or_else(|| nonsense(tag, "numbers as text", "text that is none"))
        })
        .collect()
}

/// A Decimal String: digits, sign, point, exponent (PS3.5 table 6.2-1), never `inf` or `nan`.
fn decimal(text: &str) -> Option<f64> {
    let is_decimal =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|value: &f64| is_decimal && value.is_finite())
}

/// An Integer String; `12.0` is taken as 12, as in pydicom.
fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let value = decimal(text)?;
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    })
}

/// A value that is not what its element is for. The value itself is not named: it may tell who the patient is.
fn nonsense(tag: Tag, expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("DICOM: {}: expected {expected}, found {found}", describe(tag)))
        .hint("the element is damaged or not written as PS3.6 asks; correct it, for example with dcmodify of DCMTK")
}
