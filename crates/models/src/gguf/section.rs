//! The keys of one part of the metadata, read one by one; at the end, those that nobody asked for are refused.

use std::collections::HashSet;

use super::{Gguf, Value};
use crate::config::MAX_COUNT;
use crate::{Error, ErrorKind, Result};

/// Keys that begin alike, of which each must be understood.
pub(super) struct Section<'a> {
    gguf: &'a Gguf,
    prefix: &'static str,
    taken: HashSet<String>,
}

impl<'a> Section<'a> {
    /// The keys of `gguf` that begin with `prefix`, its dot included.
    pub(super) fn new(gguf: &'a Gguf, prefix: &'static str) -> Self {
        Self { gguf, prefix, taken: HashSet::new() }
    }

    /// The whole of a key; it counts as understood from here on.
    fn take(&mut self, key: &str) -> String {
        let key = format!("{}{key}", self.prefix);
        self.taken.insert(key.clone());
        key
    }

    pub(super) fn get(&mut self, key: &str) -> Option<Value<'a>> {
        let key = self.take(key);
        self.gguf.get(&key)
    }

    pub(super) fn bad(&self, key: &str, expected: &str) -> Error {
        self.gguf.bad(&format!("{}{key}", self.prefix), expected)
    }

    /// A whole number in `1..=max`, `None` where the key is absent.
    pub(super) fn count(&mut self, key: &str, max: usize) -> Result<Option<usize>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.unsigned().and_then(|n| usize::try_from(n).ok()) {
                Some(n) if (1..=max).contains(&n) => Ok(Some(n)),
                _ => Err(self.bad(key, &format!("a whole number from 1 to {max}"))),
            },
        }
    }

    /// As [`Section::count`], of a key that must be there.
    pub(super) fn size(&mut self, key: &str, max: usize) -> Result<usize> {
        let found = self.count(key, max)?;
        found.ok_or_else(|| self.bad(key, &format!("a whole number from 1 to {max}")))
    }

    /// `block_count`. A layer has tensors, so that there are no more layers than the `n_tensors` of the files: what is
    /// listed for each layer is no longer than the files are.
    pub(super) fn layers(&mut self, n_tensors: usize) -> Result<usize> {
        let n = self.size("block_count", MAX_COUNT)?;
        if n > n_tensors {
            return Err(
                self.bad("block_count", &format!("at most {n_tensors}, as many tensors as there are"))
            );
        }
        Ok(n)
    }

    /// A finite number above zero, `None` where the key is absent.
    pub(super) fn positive(&mut self, key: &str) -> Result<Option<f64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.float() {
                Some(x) if x > 0.0 && x.is_finite() => Ok(Some(x)),
                _ => Err(self.bad(key, "a number above zero")),
            },
        }
    }

    /// A string, `None` where the key is absent.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<&'a str>> {
        let key = self.take(key);
        self.gguf.text(&key)
    }

    /// Refuses `key` unless it is absent or one of `harmless`; numbers compare by value.
    pub(super) fn only(&mut self, key: &str, harmless: &[Value<'_>]) -> Result<()> {
        let Some(value) = self.get(key) else { return Ok(()) };
        let same = |a: &Value<'_>| *a == value || a.float().is_some_and(|x| value.float() == Some(x));
        if harmless.iter().any(same) {
            return Ok(());
        }
        let list: Vec<_> = harmless.iter().map(ToString::to_string).collect();
        Err(self
            .bad(key, &list.join(" or "))
            .hint("this setting changes what the model computes and is not implemented"))
    }

    /// Takes keys that have no influence on what is computed, whatever they say.
    pub(super) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// Takes every key that begins like this; another section reads them.
    pub(super) fn leave(&mut self, start: &str) {
        let start = format!("{}{start}", self.prefix);
        let keys = self.gguf.metadata().map(|(key, _)| key).filter(|key| key.starts_with(&start));
        self.taken.extend(keys.map(str::to_owned));
    }

    /// Refuses the first key that nobody took.
    pub(super) fn finish(self) -> Result<()> {
        let unknown =
            self.gguf.metadata().find(|(key, _)| key.starts_with(self.prefix) && !self.taken.contains(*key));
        match unknown {
            None => Ok(()),
            Some((key, value)) => Err(Error::new(
                ErrorKind::Config,
                format!("{}: unknown key {key} with value {value}", self.gguf.file()),
            )
            .hint("it may change what the model computes, and is not understood")),
        }
    }
}
