//! Lookup tables of the Modality LUT and VOI LUT modules (PS3.3 sections C.11.1 and C.11.2).

use dicom_dictionary_std::tags;

use super::{expected, missing};
use crate::Result;
use crate::dicom::{Dataset, Tag, VR};

/// A table from a range of values to whole numbers of up to 16 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Lut {
    /// The value that the first entry is for.
    pub first: i64,
    /// Bits an entry: 8 to 16.
    pub bits: u32,
    entries: Vec<u16>,
}

/// Shows the shape only.
impl std::fmt::Debug for Lut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lut({} entries of {} bits from {})", self.entries.len(), self.bits, self.first)
    }
}

/// The three values of a LUT Descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Entries, 1 to 65536.
    pub n_entries: usize,
    /// The value that the first entry is for.
    pub first: i64,
    /// Bits an entry.
    pub bits: u32,
}

impl Descriptor {
    /// Reads a descriptor: US or SS, of which the first and the last value are unsigned whatever the type.
    pub fn of(dataset: &Dataset<'_>, tag: Tag) -> Result<Self> {
        let words = dataset.words(tag)?.ok_or_else(|| missing(tag))?;
        let [n_entries, first, bits] = words[..] else {
            return Err(expected(tag, "three values", &words.len().to_string()));
        };
        let is_signed = dataset.get(tag).is_some_and(|element| element.vr == VR::SS);
        Ok(Self {
            n_entries: if n_entries == 0 { 65536 } else { usize::from(n_entries) },
            first: if is_signed { i64::from(first as i16) } else { i64::from(first) },
            bits: u32::from(bits),
        })
    }
}

impl Lut {
    /// Reads LUT Descriptor and LUT Data of an item.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] if one is missing, there are fewer entries than described, or an entry has more
    /// bits than described.
    pub(crate) fn of(item: &Dataset<'_>) -> Result<Self> {
        let Descriptor { n_entries, first, bits } = Descriptor::of(item, tags::LUT_DESCRIPTOR)?;
        if !(8..=16).contains(&bits) {
            return Err(expected(tags::LUT_DESCRIPTOR, "8 to 16 bits an entry", &bits.to_string()));
        }
        let bytes = item.bytes(tags::LUT_DATA).ok_or_else(|| missing(tags::LUT_DATA))?;
        let entries: Vec<u16> = if bytes.len() >= 2 * n_entries {
            bytes.as_chunks::<2>().0.iter().take(n_entries).map(|b| u16::from_le_bytes(*b)).collect()
        } else if bits == 8 && bytes.len() == n_entries + n_entries % 2 {
            // Some writers pack 8-bit entries into the words.
            bytes.iter().take(n_entries).map(|b| u16::from(*b)).collect()
        } else {
            return Err(expected(
                tags::LUT_DATA,
                &format!("{n_entries} entries in {} bytes", 2 * n_entries),
                &format!("{} bytes", bytes.len()),
            ));
        };
        let largest = u32::from(entries.iter().copied().max().unwrap_or(0));
        if largest >= 1 << bits {
            return Err(expected(
                tags::LUT_DATA,
                &format!("entries of {bits} bits, as (0028,3002) LUTDescriptor says"),
                &format!("one of {largest}"),
            ));
        }
        Ok(Self { first, bits, entries })
    }

    /// Reads the value of the first entry with a sign. A VOI LUT is for modality values: where these can be negative, so
    /// can be its first value (PS3.3 section C.11.2.1.1), whatever type the element has; US is what the pixels have.
    pub(crate) fn take_first_as_signed(&mut self) {
        if let Ok(word) = u16::try_from(self.first) {
            self.first = i64::from(word as i16);
        }
    }

    /// How many entries there are, 1 to 65536.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.entries.len()
    }

    /// The entry for a value: the first below the range, the last above it; a fraction is cut off, as in pydicom.
    #[must_use]
    pub fn entry(&self, value: f64) -> u16 {
        let first = self.first as f64;
        let idx = if value >= first { (value - first) as usize } else { 0 };
        self.entries.get(idx).or(self.entries.last()).copied().unwrap_or(0)
    }

    /// The largest number that an entry may be.
    #[must_use]
    pub fn max(&self) -> u32 {
        (1 << self.bits) - 1
    }
}
