//! What PS3.6 says of a tag: its keyword and its type.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// The keyword of a tag, such as `PatientName`; `None` for private and unknown ones.
#[must_use]
pub fn keyword(tag: Tag) -> Option<&'static str> {
    StandardDataDictionary.by_tag(tag).map(|entry| entry.alias)
}

/// A tag with its keyword, as messages name it: `(0028,0010) Rows`.
#[must_use]
pub fn describe(tag: Tag) -> String {
    let keyword = match keyword(tag) {
        Some(keyword) => keyword,
        None if is_private(tag) => "private element",
        None => "unknown element",
    };
    format!("({:04X},{:04X}) {keyword}", tag.0, tag.1)
}

/// Whether a tag is of an odd group, which the standard leaves to manufacturers.
pub(crate) fn is_private(tag: Tag) -> bool {
    tag.0 % 2 == 1
}

/// The type of an element whose file does not state it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// One type.
    As(VR),
    /// US or SS, as Pixel Representation says.
    BySign,
    /// Not in the dictionary.
    No,
}

/// The type of a tag by the dictionary. What may be OB or OW is OW, as it is in implicit notation (PS3.5 A.1).
pub(crate) fn type_of(tag: Tag) -> Known {
    match StandardDataDictionary.by_tag(tag).map(|entry| entry.vr()) {
        Some(VirtualVr::Exact(vr)) => Known::As(vr),
        Some(VirtualVr::Xs) => Known::BySign,
        Some(VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt) => Known::As(VR::OW),
        Some(_) | None => Known::No,
    }
}
