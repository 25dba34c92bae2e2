//! What the directory says of the picture, checked against what is read.

use super::super::{exif, limits};
use super::directory::Directory;
use super::unpack::Compression;
use super::{corrupt, ended, unsupported};
use crate::{Allowance, Orientation, Result};

const TO_PNG: &str = "convert it to PNG, or to a gray or RGB TIFF of 8 or 16 bits";

/// How the picture lies in the file.
pub(super) struct Layout {
    pub width: usize,
    pub height: usize,
    /// 1 (gray) or 3 (RGB).
    pub n_colors: usize,
    /// Whether one more sample follows the colours.
    pub has_alpha: bool,
    /// Bits a sample, 8 or 16.
    pub bits: u8,
    pub little_endian: bool,
    pub white_is_zero: bool,
    pub orientation: Orientation,
    pub compression: Compression,
    /// Whether samples are differences to their left neighbours.
    pub is_differenced: bool,
    /// Whether each sample of a pixel has chunks of its own.
    pub is_planar: bool,
    /// Sides of a strip or tile in pixels.
    pub chunk_width: usize,
    pub chunk_height: usize,
    /// First byte and number of coded bytes of each chunk; row by row, plane after plane.
    pub chunks: Vec<(usize, usize)>,
    /// Tags that state a meaning of colours which is not applied.
    pub color_tags: Vec<&'static str>,
}

impl Layout {
    /// Reads the directory of `bytes`; its pixels are taken from the allowance.
    pub fn of(bytes: &[u8], allowance: &mut Allowance) -> Result<Self> {
        let directory = Directory::of(bytes)?;
        if directory.has(330) {
            return Err(unsupported(
                "expected one picture, found more in SubIFDs (a camera's raw file, or a pyramid)",
                "save the picture of interest as a TIFF or PNG of its own",
            ));
        }
        if directory.number_or(254, "NewSubfileType", 0)? & 1 == 1 {
            return Err(unsupported(
                "expected the picture, found a reduced copy of it (NewSubfileType)",
                TO_PNG,
            ));
        }
        let required = |tag, name| match directory.numbers(tag, name)?.as_deref() {
            Some([number]) => Ok(*number),
            found => {
                Err(corrupt(format!("{name}: expected one number, found {}", found.map_or(0, <[u64]>::len))))
            }
        };
        let (width, height) =
            limits::sides(required(256, "ImageWidth")?, required(257, "ImageLength")?, allowance)?;
        let n_samples = directory.number_or(277, "SamplesPerPixel", 1)?;
        let bits = bits(&directory, n_samples)?;
        let (n_colors, white_is_zero) = colors(required(262, "PhotometricInterpretation")?)?;
        let has_alpha = has_alpha(&directory, n_samples, n_colors)?;
        if directory.number_or(266, "FillOrder", 1)? != 1 {
            return Err(unsupported("FillOrder: expected 1 (high bits first), found another", TO_PNG));
        }
        let is_planar = match directory.number_or(284, "PlanarConfiguration", 1)? {
            1 => false,
            2 => n_samples > 1,
            other => return Err(corrupt(format!("PlanarConfiguration: expected 1 or 2, found {other}"))),
        };
        let orientation = directory.number_or(274, "Orientation", 1)?;
        let mut layout = Self {
            width,
            height,
            n_colors: n_colors as usize,
            has_alpha,
            bits,
            little_endian: directory.little_endian,
            white_is_zero,
            orientation: exif::from_tag(u16::try_from(orientation).unwrap_or(u16::MAX))?,
            compression: Compression::of(directory.number_or(259, "Compression", 1)?)?,
            is_differenced: match directory.number_or(317, "Predictor", 1)? {
                1 => false,
                2 => true,
                other => {
                    return Err(unsupported(format!("Predictor: expected 1 or 2, found {other}"), TO_PNG));
                }
            },
            is_planar,
            chunk_width: width,
            chunk_height: height,
            chunks: Vec::new(),
            color_tags: [
                (34675, "ICCProfile"),
                (301, "TransferFunction"),
                (318, "WhitePoint"),
                (319, "PrimaryChromaticities"),
            ]
            .into_iter()
            .filter(|(tag, _)| directory.has(*tag))
            .map(|(_, name)| name)
            .collect(),
        };
        layout.read_chunks(&directory, bytes.len())?;
        Ok(layout)
    }

    /// Samples of a pixel as they lie in the file.
    pub fn n_samples(&self) -> usize {
        self.n_colors + usize::from(self.has_alpha)
    }

    /// Samples of a pixel within one chunk.
    pub fn n_chunk_samples(&self) -> usize {
        if self.is_planar { 1 } else { self.n_samples() }
    }

    /// Chunks side by side.
    pub fn n_across(&self) -> usize {
        self.width.div_ceil(self.chunk_width)
    }

    /// Chunks above each other.
    pub fn n_down(&self) -> usize {
        self.height.div_ceil(self.chunk_height)
    }

    /// Rows that the chunks of row `down` hold: strips end with the picture, tiles are padded.
    pub fn n_chunk_rows(&self, down: usize) -> usize {
        if self.chunk_width == self.width {
            self.chunk_height.min(self.height - down * self.chunk_height)
        } else {
            self.chunk_height
        }
    }

    /// Bytes of a row of a chunk, unpacked.
    pub fn chunk_row_bytes(&self) -> usize {
        self.chunk_width * self.n_chunk_samples() * usize::from(self.bits / 8)
    }

    /// Finds the strips or tiles and checks that each lies in the file and can hold what it must.
    fn read_chunks(&mut self, directory: &Directory<'_>, file_bytes: usize) -> Result<()> {
        let (offsets, lengths) = if directory.has(322) || directory.has(324) {
            self.chunk_width = tile_side(directory, 322, "TileWidth")?;
            self.chunk_height = tile_side(directory, 323, "TileLength")?;
            // One tile is unpacked at a time, whole, also where it reaches far beyond the picture.
            if self.chunk_width as u64 * self.chunk_height as u64 > limits::MAX_PIXELS {
                return Err(corrupt(format!(
                    "TileWidth and TileLength: expected up to {} pixels in all, found {}×{}",
                    limits::MAX_PIXELS,
                    self.chunk_width,
                    self.chunk_height
                )));
            }
            ((324, "TileOffsets"), (325, "TileByteCounts"))
        } else {
            let rows = directory.number_or(278, "RowsPerStrip", u64::from(u32::MAX))?;
            if rows == 0 {
                return Err(corrupt("RowsPerStrip: expected at least 1, found 0"));
            }
            self.chunk_height = usize::try_from(rows).map_or(self.height, |rows| rows.min(self.height));
            ((273, "StripOffsets"), (279, "StripByteCounts"))
        };
        let n_chunks = self.n_across() * self.n_down() * if self.is_planar { self.n_samples() } else { 1 };
        let numbers = |(tag, name)| {
            let numbers = directory.numbers(tag, name)?.unwrap_or_default();
            if numbers.len() == n_chunks {
                Ok(numbers)
            } else {
                Err(corrupt(format!("{name}: expected {n_chunks} numbers, found {}", numbers.len())))
            }
        };
        let (offsets, lengths) = (numbers(offsets)?, numbers(lengths)?);
        for (index, (offset, len)) in offsets.into_iter().zip(lengths).enumerate() {
            if offset.checked_add(len).is_none_or(|end| end > file_bytes as u64) {
                return Err(ended(format!("the end of strip or tile {index}")));
            }
            let down = index / self.n_across() % self.n_down();
            let unpacked = self.n_chunk_rows(down) as u64 * self.chunk_row_bytes() as u64;
            limits::plausible(unpacked, len, self.compression.most_per_byte(), "bytes")?;
            self.chunks.push((offset as usize, len as usize));
        }
        // Strips that share bytes would let a small file ask for much work.
        let n_coded = self.chunks.iter().fold(0_usize, |sum, (_, len)| sum.saturating_add(*len));
        if n_coded > file_bytes {
            return Err(corrupt(format!(
                "strips or tiles: expected at most {file_bytes} bytes in all, found {n_coded}"
            )));
        }
        Ok(())
    }
}

/// Whether one more sample than the colours is there, and is said to be alpha: associated or not, it covers the colours.
fn has_alpha(directory: &Directory<'_>, n_samples: u64, n_colors: u64) -> Result<bool> {
    let extra = directory.numbers(338, "ExtraSamples")?.unwrap_or_default();
    match (n_samples.checked_sub(n_colors), extra.as_slice()) {
        (Some(0), []) => Ok(false),
        (Some(1), [1 | 2]) => Ok(true),
        (Some(1), _) => Err(unsupported(
            format!(
                "ExtraSamples: expected 1 or 2 (alpha) for the sample beside the colours, found {extra:?}"
            ),
            "save the picture without what is in that sample",
        )),
        (Some(0), _) => {
            Err(corrupt(format!("ExtraSamples: expected none beside the colours, found {extra:?}")))
        }
        _ => Err(unsupported(
            format!("SamplesPerPixel: expected {n_colors} or {}, found {n_samples}", n_colors + 1),
            TO_PNG,
        )),
    }
}

/// A side of a tile in pixels.
fn tile_side(directory: &Directory<'_>, tag: u16, name: &str) -> Result<usize> {
    match directory.number_or(tag, name, 0)? {
        side @ 1..=limits::MAX_SIDE_PX => Ok(side as usize),
        side => Err(corrupt(format!("{name}: expected 1 to {} pixels, found {side}", limits::MAX_SIDE_PX))),
    }
}

/// Bits a sample, the same for all `n_samples`, unsigned.
fn bits(directory: &Directory<'_>, n_samples: u64) -> Result<u8> {
    let bits = directory.numbers(258, "BitsPerSample")?.unwrap_or_else(|| vec![1]);
    if bits.len() as u64 != n_samples && bits.len() != 1 {
        return Err(corrupt(format!("BitsPerSample: expected {n_samples} numbers, found {}", bits.len())));
    }
    let formats = directory.numbers(339, "SampleFormat")?.unwrap_or_else(|| vec![1]);
    if let Some(format) = formats.iter().find(|format| **format != 1) {
        let name = match format {
            2 => "signed whole numbers",
            3 => "floating-point numbers",
            5 | 6 => "complex numbers",
            _ => "numbers of no stated kind",
        };
        return Err(unsupported(
            format!("SampleFormat: expected unsigned whole numbers, found {name}"),
            "the values have no agreed black and white; map them to unsigned 16 bits first",
        ));
    }
    match bits.first() {
        Some(first @ (8 | 16)) if bits.iter().all(|other| other == first) => Ok(*first as u8),
        _ => Err(unsupported(
            format!("BitsPerSample: expected 8 or 16 for every sample, found {bits:?}"),
            TO_PNG,
        )),
    }
}

/// The number of colours, and whether 0 is white.
fn colors(photometric: u64) -> Result<(u64, bool)> {
    let found = match photometric {
        0 => return Ok((1, true)),
        1 => return Ok((1, false)),
        2 => return Ok((3, false)),
        3 => "a palette",
        4 => "a mask",
        5 => {
            return Err(unsupported(
                "expected gray or RGB, found CMYK, whose colours depend on a printing profile",
                "convert it to RGB in a program that knows colour profiles",
            ));
        }
        6 => "YCbCr",
        8..=10 => "CIE L*a*b*",
        32803 | 34892 => "a camera's raw mosaic",
        _ => "an unknown meaning of the samples",
    };
    Err(unsupported(
        format!("PhotometricInterpretation: expected gray or RGB, found {found} ({photometric})"),
        TO_PNG,
    ))
}
