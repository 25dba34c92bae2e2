//! A chest film as a hospital would store it.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::codes::{JpegLs, Lossless, Raster, jpeg_lossless, jpeg_ls, rle};
use super::file::numbers;
use super::{DicomFile, Layout};
use crate::Film;

/// Digital X-Ray Image Storage - For Presentation (DICOM PS3.4 B.5).
const DIGITAL_X_RAY: &str = "1.2.840.10008.5.1.4.1.1.1.1";

/// How a film is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DicomOptions {
    /// How its pixels are coded.
    pub coding: Coding,
    /// What its stored values stand for.
    pub photometric: Photometric,
}

impl Default for DicomOptions {
    fn default() -> Self {
        Self { coding: Coding::Uncompressed, photometric: Photometric::Monochrome2 }
    }
}

/// How pixels are coded; all of them give back what was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Explicit VR Little Endian.
    Uncompressed,
    /// Implicit VR Little Endian.
    Implicit,
    /// Deflated Explicit VR Little Endian.
    Deflated,
    /// RLE Lossless.
    Rle,
    /// JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1).
    JpegLossless,
    /// JPEG-LS Lossless.
    JpegLs,
}

/// What stored values stand for; the displayed film is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    /// The lowest is white: 65535 less the sample, 16 bits, with Presentation LUT Shape INVERSE as this class wants.
    Monochrome1,
    /// The lowest is black: the sample, 16 bits.
    Monochrome2,
    /// The upper byte of the sample as an index into a palette of 256 grays of 16 bits; a secondary capture.
    Palette,
}

impl Film {
    /// The film as a DICOM file, 16 bits with a window over all of them, or with a palette.
    #[must_use]
    pub fn dicom(&self, options: DicomOptions) -> Vec<u8> {
        let bits = if options.photometric == Photometric::Palette { 8 } else { 16 };
        let samples: Vec<u16> = match options.photometric {
            Photometric::Monochrome1 => self.samples.iter().map(|sample| u16::MAX - sample).collect(),
            Photometric::Monochrome2 => self.samples.clone(),
            Photometric::Palette => self.samples.iter().map(|sample| sample >> 8).collect(),
        };
        let layout = Layout {
            photometric: match options.photometric {
                Photometric::Monochrome1 => "MONOCHROME1",
                Photometric::Monochrome2 => "MONOCHROME2",
                Photometric::Palette => "PALETTE COLOR",
            },
            ..Layout::gray(self.width as u16, self.height as u16, bits)
        };
        let file = described(DicomFile::new("film"), options.photometric).in_syntax(match options.coding {
            Coding::Uncompressed => uids::EXPLICIT_VR_LITTLE_ENDIAN,
            Coding::Implicit => uids::IMPLICIT_VR_LITTLE_ENDIAN,
            Coding::Deflated => uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
            Coding::Rle => uids::RLE_LOSSLESS,
            Coding::JpegLossless => uids::JPEG_LOSSLESS_SV1,
            Coding::JpegLs => uids::JPEGLS_LOSSLESS,
        });
        let picture = Raster {
            width: self.width,
            height: self.height,
            n_components: 1,
            bits: bits as u8,
            samples: &samples,
        };
        let frame = match options.coding {
            Coding::Uncompressed | Coding::Implicit | Coding::Deflated => {
                let values: Vec<i64> = samples.iter().map(|sample| i64::from(*sample)).collect();
                return file.native(layout, &values).written();
            }
            Coding::Rle => rle(picture),
            Coding::JpegLossless => jpeg_lossless(picture, Lossless::default()),
            Coding::JpegLs => jpeg_ls(picture, JpegLs::default()).0,
        };
        file.frames(layout, &[frame]).written()
    }
}

/// What a film's file says besides its pixels.
fn described(file: DicomFile, photometric: Photometric) -> DicomFile {
    let file = file
        .text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST")
        .text(tags::VIEW_POSITION, VR::CS, "PA")
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    if photometric == Photometric::Palette {
        return palette(file);
    }
    let shape = if photometric == Photometric::Monochrome1 { "INVERSE" } else { "IDENTITY" };
    file.of_class(DIGITAL_X_RAY, "DX")
        .text(tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PRESENTATION")
        .text(tags::PATIENT_ORIENTATION, VR::CS, "L\\F")
        .text(tags::RESCALE_INTERCEPT, VR::DS, "0")
        .text(tags::RESCALE_SLOPE, VR::DS, "1")
        .text(tags::RESCALE_TYPE, VR::LO, "US")
        .text(tags::WINDOW_CENTER, VR::DS, "32768")
        .text(tags::WINDOW_WIDTH, VR::DS, "65536")
        .text(tags::PRESENTATION_LUT_SHAPE, VR::CS, shape)
}

/// 256 grays: red, green and blue are the same.
fn palette(file: DicomFile) -> DicomFile {
    let grays: Vec<u16> = (0..256).map(|index| index * 257).collect();
    [
        (tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA),
        (tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA),
        (tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA),
    ]
    .into_iter()
    .fold(file, |file, (descriptor, data)| {
        file.numbers(descriptor, &[256, 0, 16]).put(numbers(data, VR::OW, &grays))
    })
}
