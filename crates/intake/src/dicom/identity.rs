//! Which attributes may tell who a patient is.
//!
//! What is shown is listed; everything else is taken to identify: private and unknown elements, names, numbers, dates,
//! places, free text, identifiers of studies and pictures. All attributes of the Basic Application Level
//! Confidentiality Profile (PS3.15 table E.1-1) fall under it.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::dictionary::{self, Known};
use super::element::{Element, Value};

/// Groups of which numbers and codes are shown: they describe devices, acquisitions and pixels. Groups about the
/// patient (0010), trials (0012), places (0016), requests and procedures (0032 to 0040) and the like are not among them.
const TECHNICAL_GROUPS: [u16; 17] = [
    0x0002, 0x0008, 0x0018, 0x0020, 0x0022, 0x0028, 0x0048, 0x0050, 0x0052, 0x0054, 0x0060, 0x0062, 0x0068,
    0x0070, 0x2050, 0x5200, 0x7fe0,
];

/// The first groups of overlays, which are repeated (PS3.5 section 7.6).
const OVERLAY_GROUPS: std::ops::RangeInclusive<u16> = 0x6000..=0x601e;

/// Numbers and codes of these groups that are about the patient or the study after all.
const HIDDEN: [Tag; 3] = [
    // Other Study Numbers and Modifying Device ID, both retired.
    Tag(0x0020, 0x1070),
    Tag(0x0020, 0x3401),
    tags::CONTENT_LABEL,
];

/// Attributes outside these groups, or with text, that are shown.
const SHOWN: [Tag; 32] = [
    // Of which class and how it is written: no identifiers of patients, studies or pictures.
    tags::MEDIA_STORAGE_SOP_CLASS_UID,
    tags::TRANSFER_SYNTAX_UID,
    tags::IMPLEMENTATION_CLASS_UID,
    tags::IMPLEMENTATION_VERSION_NAME,
    tags::FILE_META_INFORMATION_VERSION,
    tags::SOP_CLASS_UID,
    tags::RELATED_GENERAL_SOP_CLASS_UID,
    tags::ORIGINAL_SPECIALIZED_SOP_CLASS_UID,
    tags::REFERENCED_SOP_CLASS_UID,
    // Devices, of a make and not of a place.
    tags::MANUFACTURER,
    tags::MANUFACTURER_MODEL_NAME,
    tags::SOFTWARE_VERSIONS,
    tags::SEQUENCE_NAME,
    tags::FILTER_TYPE,
    tags::CONVOLUTION_KERNEL,
    // What pixels mean and how they are shown.
    tags::RESCALE_TYPE,
    tags::MODALITY_LUT_TYPE,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
    tags::LUT_EXPLANATION,
    tags::LUT_DATA,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::EXTENDED_OFFSET_TABLE,
    tags::EXTENDED_OFFSET_TABLE_LENGTHS,
    tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED,
    tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED,
    tags::REAL_WORLD_VALUE_INTERCEPT,
    tags::REAL_WORLD_VALUE_SLOPE,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::ICC_PROFILE,
    tags::COLOR_SPACE,
];

/// Whether an element's value may tell who the patient is, and is not to be shown unless asked for. A sequence of the
/// standard does not by itself; its items are asked about element by element.
#[must_use]
pub fn is_identifying(tag: Tag, vr: VR) -> bool {
    let is_of_dictionary = match dictionary::type_of(tag) {
        // OW stands for OB or OW, and for US or OW.
        Known::As(VR::OW) => matches!(vr, VR::OB | VR::OW | VR::US),
        Known::As(known) => known == vr,
        Known::BySign => matches!(vr, VR::US | VR::SS),
        Known::No => false,
    };
    // Under a type that is not the dictionary's there may be anything.
    !is_of_dictionary || dictionary::is_private(tag) || (!SHOWN.contains(&tag) && is_telling(tag, vr))
}

/// Whether an explanation of a window or a table is a plain name such as `LUNG` or `Soft tissue 2`: it is free text of the
/// file, which PS3.15 keeps because names like these tell nothing.
#[must_use]
pub fn is_name_of_a_window(text: &str) -> bool {
    text.len() <= 16
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '+' | '/'))
}

/// As [`is_identifying`], with a look at the value: text that is no code string or
/// number, where one should be, may be anything.
#[must_use]
pub fn is_masked(element: &Element<'_>) -> bool {
    let is_odd = match (&element.value, element.vr) {
        (Value::Bytes(bytes), VR::CS) => !is_code_string(bytes),
        (Value::Bytes(bytes), VR::DS | VR::IS) => !is_number_string(bytes),
        (Value::Bytes(bytes), _)
            if [tags::WINDOW_CENTER_WIDTH_EXPLANATION, tags::LUT_EXPLANATION].contains(&element.tag) =>
        {
            let mut names = bytes.split(|byte| *byte == b'\\');
            !names.all(|name| std::str::from_utf8(name).is_ok_and(is_name_of_a_window))
        }
        _ => false,
    };
    is_odd || is_identifying(element.tag, element.vr)
}

/// Whether a value of this type, under this tag, is not among what is shown.
fn is_telling(tag: Tag, vr: VR) -> bool {
    let is_technical = TECHNICAL_GROUPS.contains(&tag.0) || OVERLAY_GROUPS.contains(&tag.0);
    match vr {
        VR::SQ => false,
        VR::US
        | VR::SS
        | VR::UL
        | VR::SL
        | VR::UV
        | VR::SV
        | VR::FL
        | VR::FD
        | VR::DS
        | VR::IS
        | VR::AT
        | VR::CS => !is_technical || HIDDEN.contains(&tag),
        // Pixels are not text; what is burned into them is another matter.
        VR::OB | VR::OW | VR::OF | VR::OD => tag.0 != 0x7fe0,
        _ => true,
    }
}

/// Whether a value is code strings: up to 16 capital letters, digits, spaces and underscores each (PS3.5 table 6.2-1).
fn is_code_string(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\\').all(|one| {
        let one = one.trim_ascii().strip_suffix(b"\0").unwrap_or(one.trim_ascii());
        one.len() <= 16
            && one
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'_'))
    })
}

/// Whether a value is numbers as text, and nothing else.
fn is_number_string(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'\\' | b' ' | b'\0')
    })
}
