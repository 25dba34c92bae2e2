//! The bytes before a file's data, read as far as they are needed.

use std::ops::Range;

use super::broken;
use super::value::ValueKind;
use crate::{Error, ErrorKind, Result};

/// How much more is read at a time, at least.
const STEP_BYTES: u64 = 1 << 20;

/// A cursor over the start of a file. What has been passed stays in memory, as it stands in the file.
pub(super) struct Bytes<'a> {
    file: &'a str,
    file_len: u64,
    max_len: u64,
    read: &'a mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    head: Vec<u8>,
    position: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(
        file: &'a str,
        file_len: u64,
        max_len: u64,
        read: &'a mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
    ) -> Self {
        Self { file, file_len, max_len, read, head: Vec::new(), position: 0 }
    }

    pub(super) fn file(&self) -> &str {
        self.file
    }

    pub(super) fn broken(&self, message: String) -> Error {
        broken(self.file, message)
    }

    /// What was passed, and nothing after it.
    pub(super) fn into_head(mut self) -> Vec<u8> {
        self.head.truncate(self.position);
        self.head.shrink_to_fit();
        self.head
    }

    pub(super) fn of(&self, range: Range<usize>) -> &[u8] {
        &self.head[range]
    }

    /// The place of the next `n` bytes, which hold `what`.
    pub(super) fn take(&mut self, n: u64, what: &str) -> Result<Range<usize>> {
        let start = self.position;
        let end = (start as u64).checked_add(n).filter(|end| *end <= self.file_len);
        let Some(end) = end else {
            return Err(self.broken(format!(
                "{what}: expected {n} bytes at {start}, the file ends at {}",
                self.file_len
            )));
        };
        if end > self.max_len {
            return Err(
                self.broken(format!("{what}: metadata of more than {} bytes is not believed", self.max_len))
            );
        }
        if end > self.head.len() as u64 {
            self.grow(end)?;
        }
        self.position = end as usize;
        Ok(start..self.position)
    }

    /// Reads on, to `end` at least; the file is known to be that long.
    fn grow(&mut self, end: u64) -> Result<()> {
        let have = self.head.len();
        let wish = end.max(have as u64 + STEP_BYTES.max(have as u64 / 2));
        let to = wish.min(self.file_len).min(self.max_len) as usize;
        self.head.try_reserve_exact(to - have).map_err(|_| {
            Error::new(ErrorKind::Resources, format!("{}: no memory for {to} bytes of metadata", self.file))
        })?;
        self.head.resize(to, 0);
        (self.read)(have as u64, &mut self.head[have..])
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        let at = self.take(4, what)?;
        Ok(self.head[at].iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte)))
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64> {
        let at = self.take(8, what)?;
        Ok(self.head[at].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    pub(super) fn kind(&mut self, key: &str) -> Result<ValueKind> {
        let code = self.u32(key)?;
        ValueKind::of_code(code)
            .ok_or_else(|| self.broken(format!("{key}: expected a type from 0 to 12, found {code}")))
    }

    /// The place of a string, without the length before it.
    pub(super) fn text(&mut self, what: &str) -> Result<Range<usize>> {
        let len = self.u64(what)?;
        let at = self.take(len, what)?;
        match std::str::from_utf8(&self.head[at.clone()]) {
            Ok(_) => Ok(at),
            Err(_) => Err(self.broken(format!("{what}: expected UTF-8"))),
        }
    }

    /// The place of `n` strings, each with its length before it.
    pub(super) fn texts(&mut self, n: u64, what: &str) -> Result<Range<usize>> {
        let start = self.position;
        // Each has at least its length, so that a count beyond the file ends here.
        if n > (self.file_len - start as u64) / 8 {
            return Err(self.broken(format!("{what}: {n} strings are more than the file can hold")));
        }
        for _ in 0..n {
            self.text(what)?;
        }
        Ok(start..self.position)
    }

    /// A key or a tensor's name.
    pub(super) fn name(&mut self, what: &str, max_len: u64) -> Result<String> {
        let len = self.u64(what)?;
        if len == 0 || len > max_len {
            return Err(self.broken(format!("{what}: expected a name of 1 to {max_len} bytes, found {len}")));
        }
        let at = self.take(len, what)?;
        match std::str::from_utf8(&self.head[at]) {
            Ok(name) => Ok(name.to_owned()),
            Err(_) => Err(self.broken(format!("{what}: expected a name in UTF-8"))),
        }
    }
}
