//! A well-formed file, written by dicom-rs.

use dicom_core::value::{C, PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::entries;

use super::codes::deflate;
use super::identity::{self, uid};
use super::{Layout, Parts};

/// An item of a sequence.
pub type Item = InMemDicomObject;

/// A data set and the transfer syntax that it is written in.
#[derive(Clone, Debug)]
pub struct DicomFile {
    object: InMemDicomObject,
    syntax: &'static str,
    sop_class: &'static str,
    name: String,
}

impl DicomFile {
    /// A secondary capture of nobody without pixels, in explicit little endian; `name` decides its UIDs.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let file = Self {
            object: InMemDicomObject::new_empty(),
            syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN,
            sop_class: uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
            name: name.to_owned(),
        };
        file.text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192")
            .text(tags::SOP_INSTANCE_UID, VR::UI, &uid(name))
            .text(tags::STUDY_DATE, VR::DA, identity::STUDY_DATE)
            .text(tags::STUDY_TIME, VR::TM, identity::STUDY_TIME)
            .text(tags::MANUFACTURER, VR::LO, "lightbox phantoms")
            .text(tags::PATIENT_NAME, VR::PN, identity::PATIENT_NAME)
            .text(tags::PATIENT_ID, VR::LO, identity::PATIENT_ID)
            .text(tags::PATIENT_BIRTH_DATE, VR::DA, identity::BIRTH_DATE)
            .text(tags::PATIENT_SEX, VR::CS, "O")
            .text(tags::STUDY_INSTANCE_UID, VR::UI, &uid("study"))
            .text(tags::SERIES_INSTANCE_UID, VR::UI, &uid("series"))
            .text(tags::STUDY_ID, VR::SH, "PHANTOM")
            .text(tags::SERIES_NUMBER, VR::IS, "1")
            .text(tags::INSTANCE_NUMBER, VR::IS, "1")
            .of_class(uids::SECONDARY_CAPTURE_IMAGE_STORAGE, "OT")
    }

    /// Another SOP class and modality.
    #[must_use]
    pub fn of_class(mut self, sop_class: &'static str, modality: &str) -> Self {
        self.sop_class = sop_class;
        self.text(tags::SOP_CLASS_UID, VR::UI, sop_class).text(tags::MODALITY, VR::CS, modality)
    }

    /// Another transfer syntax, by its UID; frames are not coded by that.
    #[must_use]
    pub fn in_syntax(mut self, uid: &'static str) -> Self {
        self.syntax = uid;
        self
    }

    /// Puts an element of text; several values are separated by a backslash.
    #[must_use]
    pub fn text(self, tag: Tag, vr: VR, value: &str) -> Self {
        self.put(DataElement::new(tag, vr, PrimitiveValue::from(value)))
    }

    /// Puts unsigned numbers of 16 bits (US).
    #[must_use]
    pub fn numbers(self, tag: Tag, values: &[u16]) -> Self {
        self.put(numbers(tag, VR::US, values))
    }

    /// Puts bytes.
    #[must_use]
    pub fn bytes(self, tag: Tag, vr: VR, value: Vec<u8>) -> Self {
        self.put(DataElement::new(tag, vr, PrimitiveValue::from(value)))
    }

    /// Puts a sequence.
    #[must_use]
    pub fn items(self, tag: Tag, items: Vec<Item>) -> Self {
        self.put(sequence(tag, items))
    }

    /// Puts an element.
    #[must_use]
    pub fn put(mut self, element: InMemElement) -> Self {
        self.object.put(element);
        self
    }

    /// Takes an element away.
    #[must_use]
    pub fn without(mut self, tag: Tag) -> Self {
        self.object.remove_element(tag);
        self
    }

    /// Puts the Image Pixel Module without its pixels.
    #[must_use]
    pub fn layout(self, layout: Layout) -> Self {
        let mut file = self
            .numbers(tags::SAMPLES_PER_PIXEL, &[layout.n_components])
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, layout.photometric)
            .numbers(tags::ROWS, &[layout.rows])
            .numbers(tags::COLUMNS, &[layout.columns])
            .numbers(tags::BITS_ALLOCATED, &[layout.bits_allocated])
            .numbers(tags::BITS_STORED, &[layout.bits_stored])
            .numbers(tags::HIGH_BIT, &[layout.high_bit])
            .numbers(tags::PIXEL_REPRESENTATION, &[u16::from(layout.is_signed)]);
        if layout.n_components > 1 {
            file = file.numbers(tags::PLANAR_CONFIGURATION, &[layout.planar]);
        }
        if let Some(n) = layout.n_frames {
            file = file.text(tags::NUMBER_OF_FRAMES, VR::IS, &n.to_string());
        }
        file
    }

    /// Puts uncompressed pixels, padded to an even number of bytes.
    #[must_use]
    pub fn native(self, layout: Layout, values: &[i64]) -> Self {
        let mut bytes = layout.native(values);
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        let vr = if layout.bits_allocated > 8 { VR::OW } else { VR::OB };
        self.layout(layout).bytes(tags::PIXEL_DATA, vr, bytes)
    }

    /// Puts coded frames with a Basic Offset Table, a fragment each.
    #[must_use]
    pub fn frames(self, layout: Layout, frames: &[Vec<u8>]) -> Self {
        let mut offset = 0;
        let table = frames.iter().map(|frame| {
            let own = offset;
            offset += 8 + frame.len() as u32 + frame.len() as u32 % 2;
            own
        });
        let table: Vec<u32> = table.collect();
        self.layout(layout).fragments(&table, frames)
    }

    /// Puts fragments as they are behind a Basic Offset Table, which may be empty; odd ones are padded.
    #[must_use]
    pub fn fragments(self, offset_table: &[u32], fragments: &[Vec<u8>]) -> Self {
        let even = fragments.iter().map(|fragment| {
            let mut even = fragment.clone();
            even.resize(fragment.len().next_multiple_of(2), 0);
            even
        });
        let even: C<Vec<u8>> = even.collect();
        let offset_table: C<u32> = offset_table.iter().copied().collect();
        let pixels = Value::PixelSequence(PixelFragmentSequence::new(offset_table, even));
        self.put(DataElement::new(tags::PIXEL_DATA, VR::OB, pixels))
    }

    /// The file in its three parts.
    ///
    /// # Panics
    /// If dicom-rs cannot write it, which is a fault of whoever built it.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let notation = match self.syntax {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
            EXPLICIT_VR_BIG_ENDIAN => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
            _ => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
        };
        let mut data_set = Vec::new();
        self.object
            .write_dataset_with_ts(&mut data_set, &notation)
            .expect("every element has a value of its VR, and memory takes it");
        if self.syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
            data_set = deflate(&data_set);
        }
        let mut meta = Vec::new();
        FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(self.sop_class)
            .media_storage_sop_instance_uid(uid(&self.name))
            .transfer_syntax(self.syntax)
            .implementation_class_uid(uid("implementation"))
            .implementation_version_name("LIGHTBOX")
            .build()
            .expect("nothing that the meta group needs is missing")
            .write(&mut meta)
            .expect("memory takes it");
        let mut preamble = vec![0; 128];
        preamble.extend(b"DICM");
        Parts { preamble, meta, data_set }
    }

    /// The bytes of the file.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        self.parts().joined()
    }
}

/// Retired, and still met (DICOM PS3.5 A.3 of 2016 and before).
pub(crate) const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// An element of numbers of 16 bits.
pub(crate) fn numbers(tag: Tag, vr: VR, values: &[u16]) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::U16(values.iter().copied().collect()))
}

/// An element of text.
pub(crate) fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// An element of items.
pub(crate) fn sequence(tag: Tag, items: Vec<Item>) -> InMemElement {
    DataElement::new(tag, VR::SQ, Value::Sequence(items.into()))
}

/// An item of these elements.
pub(crate) fn item(elements: impl IntoIterator<Item = InMemElement>) -> Item {
    InMemDicomObject::from_element_iter(elements)
}
