//! What was done between the bytes of a file and the samples of a frame.

use serde::{Deserialize, Serialize};

use crate::dicom::pixels::PixelStep;

/// One thing that was done, or knowingly left undone, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Step {
    /// Palette indices were replaced by the colours that they stand for.
    ExpandPalette {
        /// Entries of the palette.
        n_colors: usize,
    },
    /// Samples of less than 8 bits were stretched: `v * (255 / (2^from_bits - 1))`, exact for 1, 2 and 4 bits.
    ExpandBits {
        /// Bits a sample in the file: 1, 2 or 4.
        from_bits: u8,
    },
    /// Samples stood for darkness (TIFF WhiteIsZero): each was replaced by the largest value minus itself.
    Invert,
    /// Luma and chroma were turned into RGB by the JPEG decoder (JFIF, ITU-R BT.601 full range).
    YcbcrToRgb,
    /// An alpha channel, or a colour declared transparent, was left out; the colours beneath are kept as stored.
    DropAlpha {
        /// Whether any pixel was less than opaque.
        translucent: bool,
    },
    /// A colour profile, gamma or chromaticity is stated and not applied: samples are kept as stored.
    IgnoreColorProfile {
        /// The chunk or tag that states it, such as `iCCP`.
        stated_by: String,
    },
    /// The file goes on with further renderings of the same shot (a camera's preview or gain map), which were left out.
    IgnoreFurtherPictures {
        /// The segment that states it, such as `MPF`.
        stated_by: String,
    },
    /// A frame was taken out of a DICOM file.
    DicomFrame {
        /// Which, from 1.
        number: usize,
        /// How many frames the file has.
        n_frames: usize,
        /// Transfer Syntax UID.
        transfer_syntax_uid: String,
        /// What the file does against the standard, and how it was taken. Names elements, never values.
        notes: Vec<String>,
    },
    /// Something was done to the pixels of a DICOM frame, or knowingly left undone.
    Dicom(PixelStep),
    /// Rows and columns were turned as the file's orientation says.
    Orient {
        /// The EXIF orientation, 2 to 8.
        exif: u8,
    },
}
