//! A file in three parts, so that each can be made wrong by itself.

use dicom_core::Tag;

use super::raw::tag_bytes;

/// Preamble with its magic word, meta group, data set: joined, they are the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// 128 bytes and `DICM`, or nothing.
    pub preamble: Vec<u8>,
    /// Group 0002 in explicit little endian, or nothing.
    pub meta: Vec<u8>,
    /// Everything else, in the notation of the transfer syntax.
    pub data_set: Vec<u8>,
}

impl Parts {
    /// The file.
    #[must_use]
    pub fn joined(&self) -> Vec<u8> {
        [&self.preamble[..], &self.meta, &self.data_set].concat()
    }

    /// Where an element of the data set starts: the first place at which its tag stands.
    ///
    /// # Panics
    /// If the tag is nowhere.
    #[must_use]
    pub(crate) fn place(&self, tag: Tag) -> usize {
        let pattern = tag_bytes(tag);
        let found = self.data_set.windows(4).position(|window| window == pattern);
        found.expect("whoever edits a file knows what is in it")
    }

    /// Puts bytes in front of an element.
    #[must_use]
    pub(crate) fn before(mut self, tag: Tag, bytes: &[u8]) -> Self {
        let at = self.place(tag);
        self.data_set.splice(at..at, bytes.iter().copied());
        self
    }

    /// The data set without its last `n` bytes.
    #[must_use]
    pub(crate) fn shortened(mut self, n: usize) -> Self {
        self.data_set.truncate(self.data_set.len() - n);
        self
    }
}
