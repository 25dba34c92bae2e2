//! Elements that are US or SS, as the pixels are unsigned or signed.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::dicom::dataset::Dataset;
use crate::dicom::element::{Element, Value};

/// Gives the elements that are US or SS their type: SS where Pixel Representation, of their own data set or the nearest
/// around it, is 1, as pydicom settles it (`correct_ambiguous_vr`).
pub(super) fn settle(dataset: &mut Dataset<'_>, around: bool) {
    let own = dataset
        .get(tags::PIXEL_REPRESENTATION)
        .and_then(Element::bytes)
        .map(|value| value.starts_with(&[1, 0]));
    let is_signed = own.unwrap_or(around);
    for element in dataset.elements_mut() {
        if element.is_by_sign && is_signed {
            element.vr = VR::SS;
        }
        if let Value::Items(items) = &mut element.value {
            for item in items {
                settle(item, is_signed);
            }
        }
    }
}
