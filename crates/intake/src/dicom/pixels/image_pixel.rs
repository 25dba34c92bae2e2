//! The Image Pixel Module (PS3.3 section C.7.6.3), checked before anything is decoded.

use dicom_dictionary_std::tags;
use serde::{Serialize, Serializer};

use super::steps::shown;
use super::{expected, missing, unsupported};
use crate::dicom::{Dataset, Tag, pixel_tag};
use crate::{ErrorKind, Result};

/// What the header states of the samples of every frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImagePixel {
    /// Rows, 1 to 65535.
    pub height: usize,
    /// Columns, 1 to 65535.
    pub width: usize,
    /// Samples per Pixel: 1 or 3.
    pub n_samples: usize,
    /// Photometric Interpretation.
    pub photometric: Photometric,
    /// Planar Configuration 1: a plane a colour. False where there is one sample a pixel.
    pub is_planar: bool,
    /// Which element holds the samples.
    pub source: PixelSource,
    /// Bits Allocated: 1, 8, 16, 32 or 64.
    pub bits_allocated: u32,
    /// Bits Stored, 1 to Bits Allocated; Bits Allocated where samples are floating point.
    pub bits_stored: u32,
    /// Pixel Representation 1: two's complement. False where samples are floating point.
    pub is_signed: bool,
    /// Number of Frames as stated, at least 1; absent, empty and 0 count as 1, as in pydicom.
    pub n_frames: usize,
}

/// The element that samples are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelSource {
    /// (7FE0,0010) Pixel Data: whole numbers.
    Integers,
    /// (7FE0,0008) Float Pixel Data.
    Floats,
    /// (7FE0,0009) Double Float Pixel Data.
    Doubles,
}

impl PixelSource {
    /// The tag of the element.
    #[must_use]
    pub fn tag(self) -> Tag {
        match self {
            Self::Integers => tags::PIXEL_DATA,
            Self::Floats => tags::FLOAT_PIXEL_DATA,
            Self::Doubles => tags::DOUBLE_FLOAT_PIXEL_DATA,
        }
    }
}

/// The values of Photometric Interpretation that are read (PS3.3 section C.7.6.3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    /// Gray, the smallest value is white.
    Monochrome1,
    /// Gray, the smallest value is black.
    Monochrome2,
    /// Indices into a palette.
    PaletteColor,
    /// Red, green, blue.
    Rgb,
    /// Luma and chroma, full range.
    YbrFull,
    /// The same, chroma stored for every second pixel of a row.
    YbrFull422,
    /// The irreversible colour transform of JPEG 2000.
    YbrIct,
    /// The reversible colour transform of JPEG 2000.
    YbrRct,
    /// The colours that lossy JPEG XL is coded in.
    Xyb,
}

/// The defined term.
impl Serialize for Photometric {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.term())
    }
}

impl Photometric {
    /// The defined term.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::Monochrome1 => "MONOCHROME1",
            Self::Monochrome2 => "MONOCHROME2",
            Self::PaletteColor => "PALETTE COLOR",
            Self::Rgb => "RGB",
            Self::YbrFull => "YBR_FULL",
            Self::YbrFull422 => "YBR_FULL_422",
            Self::YbrIct => "YBR_ICT",
            Self::YbrRct => "YBR_RCT",
            Self::Xyb => "XYB",
        }
    }

    /// Whether a pixel is one gray value.
    #[must_use]
    pub fn is_gray(self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }

    /// Samples a pixel.
    #[must_use]
    pub fn n_samples(self) -> usize {
        match self {
            Self::Monochrome1 | Self::Monochrome2 | Self::PaletteColor => 1,
            Self::Rgb | Self::YbrFull | Self::YbrFull422 | Self::YbrIct | Self::YbrRct | Self::Xyb => 3,
        }
    }

    fn of(term: &str) -> Result<Self> {
        Ok(match term {
            "MONOCHROME1" => Self::Monochrome1,
            "MONOCHROME2" => Self::Monochrome2,
            "PALETTE COLOR" => Self::PaletteColor,
            "RGB" => Self::Rgb,
            "YBR_FULL" => Self::YbrFull,
            "YBR_FULL_422" => Self::YbrFull422,
            "YBR_ICT" => Self::YbrIct,
            "YBR_RCT" => Self::YbrRct,
            "XYB" => Self::Xyb,
            other => {
                return Err(unsupported(
                    tags::PHOTOMETRIC_INTERPRETATION,
                    "MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB, YBR_FULL, YBR_FULL_422, YBR_ICT, YBR_RCT or XYB",
                    &shown(other),
                )
                .hint("convert the colours first, for example with dcmj2pnm of DCMTK or gdcmconv --photometric-interpretation"));
            }
        })
    }
}

impl ImagePixel {
    /// Reads and checks the module; nothing is decoded.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if an element is missing or contradicts another, [`ErrorKind::Unsupported`] if the values
    /// are of a kind that is not read. Each names the element, what was expected and what was found.
    pub fn of(dataset: &Dataset<'_>) -> Result<Self> {
        let source = source(dataset)?;
        let height = side(dataset, tags::ROWS)?;
        let width = side(dataset, tags::COLUMNS)?;
        let n_samples = match number(dataset, tags::SAMPLES_PER_PIXEL)? {
            1 => 1,
            3 => 3,
            n => return Err(unsupported(tags::SAMPLES_PER_PIXEL, "1 or 3", &n.to_string())),
        };
        let term = dataset
            .text(tags::PHOTOMETRIC_INTERPRETATION)?
            .ok_or_else(|| missing(tags::PHOTOMETRIC_INTERPRETATION))?;
        let photometric = Photometric::of(&term)?;
        if photometric.n_samples() != n_samples {
            return Err(expected(
                tags::SAMPLES_PER_PIXEL,
                &format!("{} for Photometric Interpretation {}", photometric.n_samples(), photometric.term()),
                &n_samples.to_string(),
            ));
        }
        let is_planar = n_samples == 3 && planar(dataset)?;
        let (bits_allocated, bits_stored, is_signed) = bits(dataset, source)?;
        if source != PixelSource::Integers && !photometric.is_gray() {
            return Err(expected(
                tags::PHOTOMETRIC_INTERPRETATION,
                "MONOCHROME1 or MONOCHROME2 for floating point samples",
                photometric.term(),
            ));
        }
        if bits_allocated == 1 && n_samples != 1 {
            return Err(unsupported(
                tags::SAMPLES_PER_PIXEL,
                "1 for samples of a single bit",
                &n_samples.to_string(),
            ));
        }
        let n_frames = n_frames(dataset)?;
        Ok(Self {
            height,
            width,
            n_samples,
            photometric,
            is_planar,
            source,
            bits_allocated,
            bits_stored,
            is_signed,
            n_frames,
        })
    }

    /// Pixels of a frame.
    #[must_use]
    pub fn n_pixels(&self) -> usize {
        self.width * self.height
    }

    /// Samples of a frame as they are decoded: chroma of every pixel.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.n_pixels() * self.n_samples
    }

    /// Bits of a frame in native coding, padding at its end not counted.
    #[must_use]
    pub fn n_native_bits(&self) -> u64 {
        let n_values = self.n_values() as u64;
        let n_stored = match self.photometric {
            Photometric::YbrFull422 => n_values / 3 * 2,
            _ => n_values,
        };
        n_stored * u64::from(self.bits_allocated)
    }
}

/// What the samples are, by the element that holds them.
fn source(dataset: &Dataset<'_>) -> Result<PixelSource> {
    let tag = pixel_tag(dataset)?;
    let all = [PixelSource::Integers, PixelSource::Floats, PixelSource::Doubles];
    all.into_iter().find(|source| source.tag() == tag).ok_or_else(|| missing(tag))
}

fn number(dataset: &Dataset<'_>, tag: Tag) -> Result<u32> {
    dataset.uint(tag)?.ok_or_else(|| missing(tag))
}

fn side(dataset: &Dataset<'_>, tag: Tag) -> Result<usize> {
    match number(dataset, tag)? {
        n @ 1..=65535 => Ok(n as usize),
        n => Err(expected(tag, "1 to 65535", &n.to_string())),
    }
}

/// Planar Configuration. pydicom asks for it with three samples whatever the coding.
fn planar(dataset: &Dataset<'_>) -> Result<bool> {
    match number(dataset, tags::PLANAR_CONFIGURATION)? {
        0 => Ok(false),
        1 => Ok(true),
        n => Err(expected(tags::PLANAR_CONFIGURATION, "0 or 1", &n.to_string())),
    }
}

/// Bits Allocated, Bits Stored and whether samples are signed.
fn bits(dataset: &Dataset<'_>, source: PixelSource) -> Result<(u32, u32, bool)> {
    let allocated = number(dataset, tags::BITS_ALLOCATED)?;
    let of_float = match source {
        PixelSource::Integers => None,
        PixelSource::Floats => Some(32),
        PixelSource::Doubles => Some(64),
    };
    if let Some(bits) = of_float {
        if allocated != bits {
            return Err(expected(
                tags::BITS_ALLOCATED,
                &format!("{bits} for {}", crate::dicom::describe(source.tag())),
                &allocated.to_string(),
            ));
        }
        return Ok((bits, bits, false));
    }
    if !matches!(allocated, 1 | 8 | 16 | 32 | 64) {
        return Err(unsupported(tags::BITS_ALLOCATED, "1, 8, 16, 32 or 64", &allocated.to_string()));
    }
    let stored = number(dataset, tags::BITS_STORED)?;
    if stored == 0 || stored > allocated {
        return Err(expected(
            tags::BITS_STORED,
            &format!("1 to {allocated} (Bits Allocated)"),
            &stored.to_string(),
        ));
    }
    // pydicom takes the low bits whatever High Bit says. Where it says otherwise, one of the two is wrong.
    if let Some(high) = dataset.uint(tags::HIGH_BIT)?
        && high != stored - 1
    {
        return Err(expected(
            tags::HIGH_BIT,
            &format!("{} (Bits Stored - 1)", stored - 1),
            &high.to_string(),
        )
        .hint("correct the element if the values lie in the low bits, for example with dcmodify of DCMTK"));
    }
    let is_signed = match number(dataset, tags::PIXEL_REPRESENTATION)? {
        0 => false,
        1 => true,
        n => return Err(expected(tags::PIXEL_REPRESENTATION, "0 or 1", &n.to_string())),
    };
    Ok((allocated, stored, is_signed && allocated != 1))
}

/// Number of Frames; absent, empty and 0 count as 1, as in pydicom.
fn n_frames(dataset: &Dataset<'_>) -> Result<usize> {
    match dataset.int(tags::NUMBER_OF_FRAMES)?.unwrap_or(0) {
        0 => Ok(1),
        n => usize::try_from(n).ok().filter(|n| *n <= i32::MAX as usize).ok_or_else(|| {
            super::error(
                ErrorKind::Corrupt,
                tags::NUMBER_OF_FRAMES,
                "a number of frames from 1 to 2147483647",
                "one outside",
            )
        }),
    }
}
