//! Metadata by key, with errors that name file, key, what was expected and what was found.

use super::{Array, Gguf, Pair, Value, ValueKind};
use crate::{Error, ErrorKind, Result};

impl Gguf {
    fn value_of(&self, pair: &Pair) -> Option<Value<'_>> {
        let bytes = self.head.get(pair.at.clone())?;
        match pair.elements {
            Some((kind, len)) => Some(Value::Array(Array { kind, len, bytes })),
            None => Value::of(pair.kind, bytes),
        }
    }

    /// Every key with its value, in the order of the file.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.pairs.iter().filter_map(|pair| Some((pair.key.as_str(), self.value_of(pair)?)))
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.value_of(self.pairs.get(*self.by_key.get(key)?)?)
    }

    /// The error that `key` is not what was expected; says what was found, or that it is missing.
    #[must_use]
    pub fn bad(&self, key: &str, expected: &str) -> Error {
        let found = self.get(key).map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        Error::new(ErrorKind::Config, format!("{}: {key}: expected {expected}, found {found}", self.file))
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        of: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => of(value).map(Some).ok_or_else(|| self.bad(key, expected)),
        }
    }

    /// A whole number that is not negative, of whatever width; `None` where the key is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a value of another type.
    pub fn unsigned(&self, key: &str) -> Result<Option<u64>> {
        self.typed(key, "a whole number from 0", Value::unsigned)
    }

    /// A finite number; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn float(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a finite number", |value| value.float().filter(|x| x.is_finite()))
    }

    /// True or false; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", |value| match value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// A string; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        self.typed(key, "a string", |value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }

    /// An array of whatever kind; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn array(&self, key: &str) -> Result<Option<Array<'_>>> {
        self.typed(key, "an array", |value| match value {
            Value::Array(array) => Some(array),
            _ => None,
        })
    }

    /// The strings of an array, borrowed; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>> {
        self.list(
            key,
            "an array of strings",
            |kind| kind == ValueKind::Text,
            |value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            },
        )
    }

    /// The numbers of an array; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`].
    pub fn floats(&self, key: &str) -> Result<Option<Vec<f32>>> {
        let is_float = |kind| matches!(kind, ValueKind::F32 | ValueKind::F64);
        self.list(key, "an array of numbers", is_float, |value| value.float().map(|x| x as f32))
    }

    /// The whole numbers of an array; `None` where the key is absent.
    ///
    /// # Errors
    /// As [`Gguf::unsigned`], also for a number beyond 63 bits.
    pub fn integers(&self, key: &str) -> Result<Option<Vec<i64>>> {
        let is_whole =
            |kind| !matches!(kind, ValueKind::F32 | ValueKind::F64 | ValueKind::Text | ValueKind::Flag);
        self.list(key, "an array of whole numbers", is_whole, |value| match value {
            Value::Unsigned(n) => i64::try_from(n).ok(),
            Value::Signed(n) => Some(n),
            _ => None,
        })
    }

    fn list<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        is_fit: impl Fn(ValueKind) -> bool,
        of: impl Fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<Vec<T>>> {
        self.typed(key, expected, |value| match value {
            Value::Array(array) if is_fit(array.kind()) => {
                // The elements lie in memory, so that their number is believed.
                let mut list = Vec::with_capacity(array.len());
                for value in array.values() {
                    list.push(of(value)?);
                }
                Some(list)
            }
            _ => None,
        })
    }
}
