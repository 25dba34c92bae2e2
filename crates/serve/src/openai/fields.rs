//! Reading a JSON object so that nothing in it goes unseen.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result};

/// A JSON object being read. Fields are taken out one by one; [`Fields::finish`] refuses whatever is left.
///
/// `null` counts as absent everywhere, as in OpenAI's API.
pub(super) struct Fields {
    place: String,
    rest: Map<String, Value>,
}

impl Fields {
    /// Opens `value`, which stands at `place` (empty for the body itself).
    pub fn open(value: Value, place: impl Into<String>) -> Result<Self> {
        let place = place.into();
        match value {
            Value::Object(rest) => Ok(Self { place, rest }),
            other => Err(wrong_type(place, "an object", &other)),
        }
    }

    /// The path of a field of this object.
    pub fn path(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Takes a field of any type.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.rest.remove(name).filter(|value| !value.is_null())
    }

    /// An error about a field.
    pub fn error(&self, kind: ErrorKind, name: &str, message: impl Into<String>) -> Error {
        Error::new(kind, self.path(name), message)
    }

    /// Takes a field that must be there.
    pub fn required(&mut self, name: &str, expected: &str) -> Result<Value> {
        self.take(name)
            .ok_or_else(|| self.error(ErrorKind::Value, name, format!("expected {expected}, found nothing")))
    }

    /// Takes a string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(self.path(name), "a string", &other)),
        }
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong_type(self.path(name), "true or false", &other)),
        }
    }

    /// Takes a whole number of `range`.
    pub fn whole(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_u64().filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            wrong_type(self.path(name), &expected, &value)
        })
    }

    /// Takes a number of `range`.
    pub fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_f64().filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            let expected = format!("a number from {} to {}", range.start(), range.end());
            wrong_type(self.path(name), &expected, &value)
        })
    }

    /// Takes a field that is understood only where it asks for nothing: one of `neutral`, or an empty list or object.
    pub fn neutral(&mut self, name: &str, neutral: &[Value], instead: &str) -> Result<()> {
        let Some(value) = self.take(name) else { return Ok(()) };
        let is_empty = match &value {
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            // 0 and 0.0 are the same wish.
            Value::Number(number) => neutral.iter().any(|one| one.as_f64() == number.as_f64()),
            _ => false,
        };
        if is_empty || neutral.contains(&value) {
            return Ok(());
        }
        Err(self.error(ErrorKind::Unsupported, name, format!("not supported; {instead}")))
    }

    /// Drops fields that cannot change an answer.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.rest.remove(*name);
        }
    }

    /// Refuses the first field that nobody took, in the order of the body.
    pub fn finish(self) -> Result<()> {
        match self.rest.iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => Err(Error::new(
                ErrorKind::Unsupported,
                self.path(name),
                "unknown, and it might change the answer; leave it out",
            )),
        }
    }
}

/// An error about a value that is not what it should be; says its type, and the value itself where that is a number.
pub(super) fn wrong_type(place: impl Into<String>, expected: &str, found: &Value) -> Error {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    Error::new(ErrorKind::Value, place, format!("expected {expected}, found {found}"))
}
