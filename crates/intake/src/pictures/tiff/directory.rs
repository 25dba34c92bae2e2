//! The first directory of a TIFF: tags and their numbers.

use super::{corrupt, ended, unsupported};
use crate::Result;

/// Where the numbers of a tag lie.
struct Entry {
    tag: u16,
    field_type: u16,
    count: u64,
    offset: u64,
}

/// The directory of the only page.
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    pub little_endian: bool,
    entries: Vec<Entry>,
}

/// Bytes a value of a field type (TIFF 6.0, section 2; BigTIFF adds 16 to 18), `None` for unknown types.
fn value_bytes(field_type: u16) -> Option<u64> {
    Some(match field_type {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}

impl<'a> Directory<'a> {
    /// Reads the directory of a file of one page.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        let little_endian = bytes.first() == Some(&b'I');
        let mut directory = Self { bytes, little_endian, entries: Vec::new() };
        let big = directory.number(2, 2)? == 43;
        if big && (directory.number(4, 2)?, directory.number(6, 2)?) != (8, 0) {
            return Err(corrupt("BigTIFF header: expected offsets of 8 bytes"));
        }
        let first = if big { directory.number(8, 8)? } else { directory.number(4, 4)? };
        let next = directory.read_entries(first, big)?;
        if next != 0 {
            return Err(unsupported(
                if directory.says_slide() {
                    "expected one page, found a pyramid of pages (a whole-slide picture, which is not yet read by this version)"
                } else {
                    "expected one page, found several"
                },
                "save the page of interest as a TIFF or PNG of its own",
            ));
        }
        Ok(directory)
    }

    /// Fills `entries` from the directory at `offset`; returns the offset of the next one, 0 if there is none.
    fn read_entries(&mut self, offset: u64, big: bool) -> Result<u64> {
        // Widths of the entry count, of a value count and of an offset.
        let (n_width, width) = if big { (8, 8) } else { (2, 4) };
        let n_entries = self.number(offset, n_width)?;
        let entry_bytes = 4 + 2 * width;
        for index in 0..n_entries {
            let at = index
                .checked_mul(entry_bytes)
                .and_then(|skip| skip.checked_add(offset)?.checked_add(n_width))
                .ok_or_else(|| corrupt("the directory lies outside of the file"))?;
            let field_type = self.number(at + 2, 2)? as u16;
            let count = self.number(at + 4, width)?;
            let in_place = at + 4 + width;
            let n_bytes = value_bytes(field_type).map(|size| size.saturating_mul(count));
            let offset =
                if n_bytes.is_some_and(|n| n > width) { self.number(in_place, width)? } else { in_place };
            self.entries.push(Entry { tag: self.number(at, 2)? as u16, field_type, count, offset });
        }
        self.number(offset + n_width + n_entries * entry_bytes, width)
    }

    /// Whether the description is that of a slide scanner's file.
    fn says_slide(&self) -> bool {
        const IMAGE_DESCRIPTION: u16 = 270;
        self.entries.iter().filter(|entry| entry.tag == IMAGE_DESCRIPTION).any(|entry| {
            let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
            self.bytes.get(start..).is_some_and(|rest| rest.starts_with(b"Aperio"))
        })
    }

    /// Whether the directory has the tag.
    pub fn has(&self, tag: u16) -> bool {
        self.entries.iter().any(|entry| entry.tag == tag)
    }

    /// The numbers of a tag, `None` where the directory does not have it. `name` is for the error.
    ///
    /// # Errors
    /// If they are not whole numbers or lie outside of the file.
    pub fn numbers(&self, tag: u16, name: &str) -> Result<Option<Vec<u64>>> {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag) else { return Ok(None) };
        let size = match entry.field_type {
            1 | 3 | 4 | 13 | 16 | 18 => value_bytes(entry.field_type).unwrap_or(1),
            other => {
                return Err(corrupt(format!("{name}: expected whole numbers, found field type {other}")));
            }
        };
        let end = entry.count.checked_mul(size).and_then(|n| n.checked_add(entry.offset));
        if end.is_none_or(|end| end > self.bytes.len() as u64) {
            return Err(ended(format!("the {} numbers of {name}", entry.count)));
        }
        let mut numbers = crate::memory::reserve(entry.count as usize)?;
        for index in 0..entry.count {
            numbers.push(self.number(entry.offset + index * size, size)?);
        }
        Ok(Some(numbers))
    }

    /// The one number of a tag, `default` where the directory does not have it.
    ///
    /// # Errors
    /// As [`Directory::numbers`]; also if there is not exactly one.
    pub fn number_or(&self, tag: u16, name: &str, default: u64) -> Result<u64> {
        match self.numbers(tag, name)?.as_deref() {
            None => Ok(default),
            Some([number]) => Ok(*number),
            Some(numbers) => Err(corrupt(format!("{name}: expected one number, found {}", numbers.len()))),
        }
    }

    /// The number of `width` (1, 2, 4 or 8) bytes at `offset`.
    fn number(&self, offset: u64, width: u64) -> Result<u64> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = start
            .checked_add(width as usize)
            .and_then(|end| self.bytes.get(start..end))
            .ok_or_else(|| ended(format!("its directory (byte {offset})")))?;
        let shift_in = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.little_endian {
            bytes.iter().rev().fold(0, shift_in)
        } else {
            bytes.iter().fold(0, shift_in)
        })
    }
}
