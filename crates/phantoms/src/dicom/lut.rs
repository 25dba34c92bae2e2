//! Lookup tables (DICOM PS3.3 C.11.1.1.1, C.11.2.1.1).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::file::{item, numbers, sequence, text};
use super::{DicomFile, Item};

/// A table of numbers: values below the first that is mapped take the first entry, those beyond the last the last.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The value that the first entry stands for.
    pub first: i32,
    /// Bits of an entry.
    pub bits: u16,
    /// 1 to 65536 entries.
    pub entries: Vec<u16>,
    /// LUT Explanation.
    pub explanation: &'static str,
}

impl Table {
    /// The entry for a value.
    pub fn at(&self, value: f64) -> u16 {
        let place = (value - f64::from(self.first)).clamp(0.0, self.entries.len() as f64 - 1.0);
        self.entries[place as usize]
    }

    /// The largest number that an entry can be.
    pub fn most(&self) -> f64 {
        f64::from((1_u32 << self.bits) - 1)
    }

    /// Number of entries (0 for 65536), first value, bits of an entry.
    pub fn descriptor(&self) -> [u16; 3] {
        [self.entries.len() as u16, self.first as i16 as u16, self.bits]
    }

    /// The item of a Modality LUT or VOI LUT Sequence; `vr` says what the two elements of ambiguous VR are written as.
    pub fn item(&self, is_signed: bool, data_vr: VR) -> Item {
        // The length of an element of numbers has 16 bits.
        let data_vr = if self.entries.len() > 0x7fff { VR::OW } else { data_vr };
        let descriptor =
            numbers(tags::LUT_DESCRIPTOR, if is_signed { VR::SS } else { VR::US }, &self.descriptor());
        let mut elements = vec![descriptor, numbers(tags::LUT_DATA, data_vr, &self.entries)];
        if !self.explanation.is_empty() {
            elements.push(text(tags::LUT_EXPLANATION, VR::LO, self.explanation));
        }
        item(elements)
    }

    /// Puts the table as a sequence of one item.
    pub fn put(&self, file: DicomFile, sequence_tag: Tag, is_signed: bool) -> DicomFile {
        file.put(sequence(sequence_tag, vec![self.item(is_signed, VR::US)]))
    }
}
