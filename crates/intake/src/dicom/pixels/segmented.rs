//! Palettes that are stored as segments (PS3.3 section C.7.9.2).

use super::expected;
use crate::Result;
use crate::dicom::Tag;

/// Most entries that are expanded: those that a descriptor can state.
const MAX_ENTRIES: usize = 65536;

/// The entries that segments of `bits` (8 or 16) each stand for.
///
/// As in pydicom: a trailing byte of padding is nothing, a line of `n` entries goes from the entry before it to its end,
/// rounded half to even, and an indirect segment copies segments from an offset. Offsets count bytes, as the standard
/// says; pydicom 3.0.2 takes them for entries where those have 16 bits.
///
/// # Errors
/// [`crate::ErrorKind::Corrupt`] if a segment is cut, of an unknown type, first and not discrete, or points outside; if
/// indirect segments lead to indirect ones; if there are more entries than a palette can have.
pub(crate) fn expand(bytes: &[u8], bits: u32, tag: Tag) -> Result<Vec<u16>> {
    let units: Vec<u16> = if bits == 8 {
        bytes.iter().map(|b| u16::from(*b)).collect()
    } else {
        bytes.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b)).collect()
    };
    let mut expansion = Expansion { units: &units, bits, tag, entries: Vec::new() };
    expansion.run(0, usize::MAX, true)?;
    Ok(expansion.entries)
}

struct Expansion<'u> {
    units: &'u [u16],
    bits: u32,
    tag: Tag,
    entries: Vec<u16>,
}

impl Expansion<'_> {
    /// Expands up to `n_segments` from a position.
    fn run(&mut self, start: usize, n_segments: usize, may_be_indirect: bool) -> Result<()> {
        let mut at = start;
        for _ in 0..n_segments {
            // A single unit at the end is padding: every segment has more.
            let Some([kind, length]) = self.units.get(at..).and_then(|rest| rest.first_chunk::<2>()) else {
                break;
            };
            let (kind, length) = (*kind, usize::from(*length));
            at += 2;
            match kind {
                0 => {
                    let values = self.units.get(at..at + length).ok_or_else(|| self.cut())?;
                    self.make_room(length)?;
                    self.entries.extend_from_slice(values);
                    at += length;
                }
                1 => {
                    let end = *self.units.get(at).ok_or_else(|| self.cut())?;
                    at += 1;
                    self.line(end, length)?;
                }
                2 if may_be_indirect => {
                    let (offset, n_units) = self.offset(at)?;
                    at += n_units;
                    if offset >= self.units.len() {
                        return Err(expected(
                            self.tag,
                            "an indirect segment within the data",
                            "an offset beyond it",
                        ));
                    }
                    self.run(offset, length, false)?;
                }
                2 => {
                    return Err(expected(
                        self.tag,
                        "discrete and linear segments behind an indirect one",
                        "another",
                    ));
                }
                other => {
                    return Err(expected(self.tag, "segments of type 0, 1 or 2", &format!("type {other}")));
                }
            }
        }
        Ok(())
    }

    /// `length` entries from the last one (excluded) to `end` (included): numpy's
    /// `around(linspace(last + step, end, length))`, in its order of operations.
    fn line(&mut self, end: u16, length: usize) -> Result<()> {
        let Some(last) = self.entries.last().copied() else {
            return Err(expected(self.tag, "a discrete segment first", "a linear one"));
        };
        if length == 0 {
            return Err(expected(self.tag, "a linear segment of at least 1 entry", "one of 0"));
        }
        self.make_room(length)?;
        let (from, to) = (f64::from(last), f64::from(end));
        let start = from + (to - from) / length as f64;
        let step = (to - start) / (length.max(2) - 1) as f64;
        for idx in 0..length {
            let is_end = idx + 1 == length;
            let value = if is_end { to } else { idx as f64 * step + start };
            self.entries.push(value.round_ties_even() as u16);
        }
        Ok(())
    }

    /// The position that an indirect segment at `at` points to, and the units that say so: four bytes, the less
    /// significant word first.
    fn offset(&self, at: usize) -> Result<(usize, usize)> {
        let units = self.units.get(at..).unwrap_or_default();
        if self.bits == 8 {
            let bytes = units.first_chunk::<4>().ok_or_else(|| self.cut())?.map(usize::from);
            return Ok((bytes[3] << 24 | bytes[2] << 16 | bytes[1] << 8 | bytes[0], 4));
        }
        let words = units.first_chunk::<2>().ok_or_else(|| self.cut())?.map(usize::from);
        let bytes = words[1] << 16 | words[0];
        if bytes % 2 == 1 {
            return Err(expected(self.tag, "an even offset into 16-bit segments", "an odd one"));
        }
        Ok((bytes / 2, 2))
    }

    fn make_room(&self, n: usize) -> Result<()> {
        if self.entries.len() + n > MAX_ENTRIES {
            return Err(expected(self.tag, &format!("segments of up to {MAX_ENTRIES} entries"), "more"));
        }
        Ok(())
    }

    fn cut(&self) -> crate::Error {
        expected(self.tag, "whole segments", "one that the data end within")
    }
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::*;

    const TAG: Tag = tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA;

    /// `pydicom.pixels.processing._expand_segmented_lut(data, "<…B")`
    #[test]
    fn segments_of_bytes_expand_as_in_pydicom() {
        for (data, expected) in [
            (&[0, 3, 10, 20, 30][..], &[10_u16, 20, 30][..]),
            (&[0, 1, 0, 1, 5, 10], &[0, 2, 4, 6, 8, 10]),
            (&[0, 1, 0, 1, 4, 9, 0], &[0, 2, 4, 7, 9]),
            (&[0, 1, 255, 1, 3, 0], &[255, 170, 85, 0]),
            (&[0, 1, 7, 1, 3, 7], &[7, 7, 7, 7]),
            (
                &[0, 2, 0, 112, 1, 5, 0, 2, 2, 0, 0, 0, 0],
                &[0, 112, 90, 67, 45, 22, 0, 0, 112, 90, 67, 45, 22, 0],
            ),
            (&[0, 1, 10, 1, 3, 40, 2, 1, 3, 0, 0, 0], &[10, 20, 30, 40, 40, 40, 40]),
        ] {
            assert_eq!(expand(data, 8, TAG).ok().as_deref(), Some(expected), "{data:?}");
        }
    }

    /// The same with `"<…H"`; the last one points to byte 6, entry 3, as the standard counts.
    #[test]
    fn segments_of_words_expand_as_in_pydicom() {
        for (data, expected) in [
            (&[0_u16, 1, 0, 1, 4, 65535][..], &[0_u16, 16384, 32768, 49151, 65535][..]),
            (&[0, 1, 100, 1, 6, 0], &[100, 83, 67, 50, 33, 17, 0]),
            (&[0, 1, 0, 1, 7, 1000, 0, 1, 3], &[0, 143, 286, 429, 571, 714, 857, 1000, 3]),
            (&[0, 1, 10, 1, 3, 40, 2, 1, 6, 0], &[10, 20, 30, 40, 40, 40, 40]),
        ] {
            let bytes: Vec<u8> = data.iter().flat_map(|v| v.to_le_bytes()).collect();
            assert_eq!(expand(&bytes, 16, TAG).ok().as_deref(), Some(expected), "{data:?}");
        }
    }

    #[test]
    fn what_is_no_segment_is_refused() {
        let bomb: Vec<u8> = [0, 1, 9].into_iter().chain([1, 255, 3].repeat(300)).collect();
        for data in [
            &[1, 3, 10][..],
            &[0, 4, 1, 2, 3],
            &[0, 1, 5, 1, 3],
            &[0, 1, 5, 1, 0, 9],
            &[7, 1, 5],
            &[0, 1, 5, 2, 1, 200, 0, 0, 0],
            &[0, 1, 5, 2, 1, 0],
            &[0, 1, 5, 2, 1, 3, 0, 0, 0],
            &bomb,
        ] {
            assert!(expand(data, 8, TAG).is_err(), "{data:?}");
        }
    }
}
