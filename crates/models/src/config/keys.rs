//! Reads a JSON object key by key and, at the end, refuses the keys that nobody asked for.

use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result};

/// A settings object of which every key must be taken by name or be on a list of irrelevant ones.
pub(crate) struct Keys<'a> {
    place: String,
    map: &'a Map<String, Value>,
    taken: Vec<&'a str>,
}

/// A value as it stands in an error message: short, so that a long list does not drown the sentence.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(57).collect::<String>() + "…" }
}

impl<'a> Keys<'a> {
    /// `place` names the file and the object in it, for messages: `config.json: text_config`.
    pub(crate) fn new(place: impl Into<String>, value: &'a Value) -> Result<Self> {
        let place = place.into();
        match value {
            Value::Object(map) => Ok(Self { place, map, taken: Vec::new() }),
            other => Err(Error::new(
                ErrorKind::Config,
                format!("{place}: expected a JSON object, found {}", shown(other)),
            )),
        }
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The value of `key`, which counts as understood from here on.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'a Value> {
        let (name, value) = self.map.get_key_value(key)?;
        self.taken.push(name);
        Some(value)
    }

    /// As [`Keys::take`], with `null` the same as absent.
    pub(crate) fn take_set(&mut self, key: &str) -> Option<&'a Value> {
        self.take(key).filter(|v| !v.is_null())
    }

    /// The error that names the key, what was expected and what was found.
    pub(crate) fn bad(&self, key: &str, expected: &str, found: &Value) -> Error {
        Error::new(
            ErrorKind::Config,
            format!("{}: {key}: expected {expected}, found {}", self.place, shown(found)),
        )
    }

    /// A whole number in `1..=max`; `default` where the key is absent.
    pub(crate) fn count(&mut self, key: &str, default: usize, max: usize) -> Result<usize> {
        match self.take(key) {
            None => Ok(default),
            Some(value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(n) if (1..=max).contains(&n) => Ok(n),
                _ => Err(self.bad(key, &format!("a whole number from 1 to {max}"), value)),
            },
        }
    }

    /// A finite number above zero; `default` where the key is absent.
    pub(crate) fn positive(&mut self, key: &str, default: f64) -> Result<f64> {
        match self.take(key) {
            None => Ok(default),
            Some(value) => match value.as_f64() {
                Some(x) if x > 0.0 && x.is_finite() => Ok(x),
                _ => Err(self.bad(key, "a number above zero", value)),
            },
        }
    }

    /// A token id, `None` where absent or `null`.
    pub(crate) fn token(&mut self, key: &str) -> Result<Option<u32>> {
        match self.take_set(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
                Some(id) => Ok(Some(id)),
                None => Err(self.bad(key, "a token id", value)),
            },
        }
    }

    /// A token id or a list of them; empty where absent or `null`.
    pub(crate) fn tokens(&mut self, key: &str) -> Result<Vec<u32>> {
        let Some(value) = self.take_set(key) else { return Ok(Vec::new()) };
        let one = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
        let ids = match value {
            Value::Array(list) => list.iter().map(one).collect::<Option<Vec<u32>>>(),
            single => one(single).map(|id| vec![id]),
        };
        ids.ok_or_else(|| self.bad(key, "a token id or a list of them", value))
    }

    /// A boolean, `None` where absent or `null`.
    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        match self.take_set(key) {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| self.bad(key, "true or false", value)),
        }
    }

    /// A string, `None` where absent or `null`.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<&'a str>> {
        match self.take_set(key) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| self.bad(key, "a string", value)),
        }
    }

    /// Refuses `key` unless it is absent or `null` or has one of `harmless` values. Numbers compare by value (0 = 0.0).
    pub(crate) fn only(&mut self, key: &str, harmless: &[Value]) -> Result<()> {
        let Some(value) = self.take_set(key) else { return Ok(()) };
        let same = |a: &Value, b: &Value| a == b || a.as_f64().is_some_and(|x| b.as_f64() == Some(x));
        if harmless.iter().any(|h| same(h, value)) {
            return Ok(());
        }
        let list = harmless.iter().map(Value::to_string).collect::<Vec<_>>();
        let expected = if list.is_empty() { "no such setting".to_owned() } else { list.join(" or ") };
        Err(self
            .bad(key, &expected, value)
            .hint("this setting changes what the model computes and is not implemented"))
    }

    /// Takes keys that have no influence on what is computed, whatever they say.
    pub(crate) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            let _ = self.take(key);
        }
    }

    /// Refuses the first key that nobody took.
    pub(crate) fn finish(self) -> Result<()> {
        match self.map.iter().find(|(key, _)| !self.taken.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, value)) => Err(Error::new(
                ErrorKind::Config,
                format!("{}: unknown key {key} with value {}", self.place, shown(value)),
            )
            .hint("it may change what the model computes; remove it if you know that it does not")),
        }
    }
}
