//! What is known of a picture and not applied to it: overlays, annotations, profiles, compression.

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::steps::{PixelAction, PixelStep, shown};
use crate::dicom::{Dataset, Tag};

/// What a data set states besides its pixels. What cannot be read is taken as not stated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Burned In Annotation: `YES` or `NO`.
    pub burned_in_annotation: Option<String>,
    /// Recognizable Visual Features: `YES` or `NO`.
    pub recognizable_visual_features: Option<String>,
    /// Lossy Image Compression: `00` never, `01` at least once.
    pub lossy_image_compression: Option<String>,
    /// Lossy Image Compression Ratio, one for each time.
    pub lossy_image_compression_ratios: Vec<f64>,
    /// Lossy Image Compression Method, one for each time.
    pub lossy_image_compression_methods: Vec<String>,
    /// Pixel Aspect Ratio: height and width of a pixel as whole numbers.
    pub pixel_aspect_ratio: Option<[i64; 2]>,
    /// Pixel Spacing in mm: between rows, between columns.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Imager Pixel Spacing in mm, at the detector: between rows, between columns.
    pub imager_pixel_spacing_mm: Option<[f64; 2]>,
    /// Bytes of the ICC Profile.
    pub icc_profile_bytes: Option<usize>,
    /// Items of the Real World Value Mapping Sequence of the image.
    pub n_real_world_value_maps: usize,
    /// Whether a gray image comes with a palette for some of its values (PS3.3 section C.7.6.19).
    pub has_supplemental_palette: bool,
    /// Whether the palette has an alpha table.
    pub has_alpha_palette: bool,
    /// Overlays, of which none is drawn.
    pub overlays: Vec<Overlay>,
}

/// An overlay plane (PS3.3 section C.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The group: 0x6000, 0x6002, …
    pub group: u16,
    /// Overlay Rows.
    pub height: Option<u32>,
    /// Overlay Columns.
    pub width: Option<u32>,
    /// Overlay Origin: row and column of the picture, from 1.
    pub origin: Option<[i64; 2]>,
    /// Overlay Type: `G` graphics, `R` region of interest.
    pub kind: Option<String>,
    /// Whether it is in unused bits of the pixels (retired).
    pub is_embedded: bool,
}

impl Facts {
    /// Reads what is stated.
    pub(crate) fn of(dataset: &Dataset<'_>, is_gray: bool) -> Self {
        let palette = tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR;
        let alpha = [
            tags::ALPHA_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            tags::SEGMENTED_ALPHA_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ];
        let texts = dataset.texts(tags::LOSSY_IMAGE_COMPRESSION_METHOD).unwrap_or_default();
        let maps = dataset.items(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE);
        Self {
            burned_in_annotation: code(dataset, tags::BURNED_IN_ANNOTATION),
            recognizable_visual_features: code(dataset, tags::RECOGNIZABLE_VISUAL_FEATURES),
            lossy_image_compression: code(dataset, tags::LOSSY_IMAGE_COMPRESSION),
            lossy_image_compression_ratios: decimals(dataset, tags::LOSSY_IMAGE_COMPRESSION_RATIO),
            lossy_image_compression_methods: texts.iter().map(|text| shown(text)).collect(),
            pixel_aspect_ratio: pair(&dataset.ints(tags::PIXEL_ASPECT_RATIO).unwrap_or_default()),
            pixel_spacing_mm: pair(&decimals(dataset, tags::PIXEL_SPACING)),
            imager_pixel_spacing_mm: pair(&decimals(dataset, tags::IMAGER_PIXEL_SPACING)),
            icc_profile_bytes: dataset.bytes(tags::ICC_PROFILE).map(<[u8]>::len),
            n_real_world_value_maps: maps.map_or(0, <[_]>::len),
            has_supplemental_palette: is_gray && dataset.get(palette).is_some(),
            has_alpha_palette: alpha.into_iter().any(|tag| dataset.get(tag).is_some()),
            overlays: overlays(dataset),
        }
    }

    /// What is left undone on the way to a picture, for its record.
    pub(crate) fn left_undone(&self) -> Vec<PixelStep> {
        let undone = |what: &str| PixelStep::new(PixelAction::LeaveUndone, what);
        let mut steps = Vec::new();
        for overlay in &self.overlays {
            let sides = |n: Option<u32>| n.map_or("none".to_owned(), |n| n.to_string());
            steps.push(
                undone("an overlay is not drawn")
                    .by(Tag(overlay.group, 0x0010), sides(overlay.height))
                    .by(Tag(overlay.group, 0x0011), sides(overlay.width)),
            );
        }
        if let Some(n_bytes) = self.icc_profile_bytes {
            steps.push(
                undone("the colour profile is not applied").by(tags::ICC_PROFILE, format!("{n_bytes} bytes")),
            );
        }
        if self.n_real_world_value_maps > 0 {
            steps.push(undone("real world values are not computed").by(
                tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
                format!("{} items", self.n_real_world_value_maps),
            ));
        }
        if self.has_supplemental_palette {
            steps.push(
                undone("the supplemental palette is not applied")
                    .by(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, "stated"),
            );
        }
        if self.has_alpha_palette {
            steps.push(
                undone("the transparency of the palette is not applied")
                    .by(tags::ALPHA_PALETTE_COLOR_LOOKUP_TABLE_DATA, "stated"),
            );
        }
        if let Some(ratio) = self.pixel_aspect_ratio.filter(|[height, width]| height != width) {
            steps.push(
                undone("pixels that are not square are not stretched")
                    .by(tags::PIXEL_ASPECT_RATIO, format!("{}\\{}", ratio[0], ratio[1])),
            );
        }
        if self.burned_in_annotation.as_deref() == Some("YES") {
            steps.push(
                undone("text that is burned into the picture is not removed")
                    .by(tags::BURNED_IN_ANNOTATION, "YES"),
            );
        }
        steps
    }
}

fn code(dataset: &Dataset<'_>, tag: Tag) -> Option<String> {
    dataset.texts(tag).ok()?.into_iter().next().filter(|text| !text.is_empty()).map(|text| shown(&text))
}

fn decimals(dataset: &Dataset<'_>, tag: Tag) -> Vec<f64> {
    dataset.decimals(tag).unwrap_or_default()
}

fn pair<T: Copy>(values: &[T]) -> Option<[T; 2]> {
    match *values {
        [first, second] => Some([first, second]),
        _ => None,
    }
}

/// The overlays of groups 6000 to 60FE, in the order of their groups.
fn overlays(dataset: &Dataset<'_>) -> Vec<Overlay> {
    let is_overlay = |group: u16| group & 0xFF01 == 0x6000;
    let mut groups: Vec<u16> = dataset.iter().map(|e| e.tag.0).filter(|group| is_overlay(*group)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
        .into_iter()
        .map(|group| {
            let number = |element| dataset.uint(Tag(group, element)).ok().flatten();
            Overlay {
                group,
                height: number(0x0010),
                width: number(0x0011),
                origin: pair(&dataset.ints(Tag(group, 0x0050)).unwrap_or_default()),
                kind: code(dataset, Tag(group, 0x0040)),
                is_embedded: number(0x0102).is_some_and(|bit| bit != 0),
            }
        })
        .collect()
}
