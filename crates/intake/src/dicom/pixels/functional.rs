//! Functional groups: what is stated for each frame, or for all of them (PS3.3 section C.7.6.16).

use dicom_dictionary_std::tags;

use super::expected;
use crate::Result;
use crate::dicom::{Dataset, Tag};

/// The item of a functional group for a frame: of the frame itself where it is there, else of all frames.
///
/// # Errors
/// [`crate::ErrorKind::Corrupt`] if the frames have groups, but this one has none.
pub(crate) fn group<'d, 'a>(
    dataset: &'d Dataset<'a>,
    frame_idx: usize,
    group: Tag,
) -> Result<Option<&'d Dataset<'a>>> {
    let frames = dataset.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)?;
    if !frames.is_empty() {
        let frame = frames.get(frame_idx).ok_or_else(|| {
            expected(
                tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
                &format!("an item for frame {}", frame_idx + 1),
                &format!("{} items", frames.len()),
            )
        })?;
        if let Some(item) = frame.items(group)?.first() {
            return Ok(Some(item));
        }
    }
    match dataset.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)?.first() {
        Some(shared) => Ok(shared.items(group)?.first()),
        None => Ok(None),
    }
}

/// The data set that states the modality rule of a frame: its Pixel Value Transformation, or the image itself.
pub(crate) fn of_modality<'d, 'a>(dataset: &'d Dataset<'a>, frame_idx: usize) -> Result<&'d Dataset<'a>> {
    Ok(group(dataset, frame_idx, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE)?.unwrap_or(dataset))
}

/// The data set that states the windows of a frame: its Frame VOI LUT, or the image itself.
pub(crate) fn of_voi<'d, 'a>(dataset: &'d Dataset<'a>, frame_idx: usize) -> Result<&'d Dataset<'a>> {
    Ok(group(dataset, frame_idx, tags::FRAME_VOILUT_SEQUENCE)?.unwrap_or(dataset))
}
