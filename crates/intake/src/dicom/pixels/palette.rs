//! Indices to colours: the Palette Color Lookup Table module (PS3.3 sections C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9).

use dicom_dictionary_std::tags;

use super::lut::Descriptor;
use super::presentation::eight_bits;
use super::steps::{PixelAction, PixelStep};
use super::stored::{AsF64, Stored, each};
use super::{expected, missing, segmented, unsupported};
use crate::Result;
use crate::dicom::{Dataset, Tag};
use crate::memory::reserve;

/// Descriptor, table and segmented table of red, green and blue.
const COLORS: [[Tag; 3]; 3] = [
    [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
];

/// A palette of up to 65536 colours.
#[derive(Clone, PartialEq, Eq)]
pub struct Palette {
    /// The stored value that the first colour is for.
    pub first: i64,
    /// Bits a colour sample as it lies in the file: 8 or 16.
    pub bits: u32,
    /// What stands for the brightest: 65535 where entries have 16 bits by their descriptor or by what they hold, else 255.
    pub max: u64,
    /// Whether it is stored as segments.
    pub is_segmented: bool,
    colors: Vec<[u16; 3]>,
}

/// Shows the shape only.
impl std::fmt::Debug for Palette {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Palette({} colours of {} bits from {})", self.colors.len(), self.bits, self.first)
    }
}

impl Palette {
    /// Reads the palette of an image. As in pydicom, the descriptor of red counts for all three.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] if an element is missing or a table shorter than described,
    /// [`crate::ErrorKind::Unsupported`] for entries that are not of 8 or 16 bits.
    pub(crate) fn of(dataset: &Dataset<'_>) -> Result<Self> {
        let Descriptor { n_entries, first, bits } = Descriptor::of(dataset, COLORS[0][0])?;
        if !matches!(bits, 8 | 16) {
            return Err(unsupported(COLORS[0][0], "8 or 16 bits an entry", &bits.to_string()));
        }
        let is_segmented = dataset.get(COLORS[0][1]).is_none() && dataset.get(COLORS[0][2]).is_some();
        let mut depth = bits;
        let mut tables = Vec::with_capacity(3);
        for [_, table, segments] in COLORS {
            let tag = if is_segmented { segments } else { table };
            let bytes = dataset.bytes(tag).ok_or_else(|| missing(tag))?;
            let (entries, bits) = if is_segmented {
                (segmented::expand(bytes, bits, tag)?, bits)
            } else {
                plain(bytes, n_entries, tag)?
            };
            if entries.len() < n_entries {
                return Err(expected(tag, &format!("{n_entries} entries"), &entries.len().to_string()));
            }
            depth = bits;
            tables.push((entries, bits));
        }
        let [(red, a), (green, b), (blue, c)] = &tables[..] else { return Err(missing(COLORS[0][1])) };
        if a != b || b != c {
            return Err(expected(COLORS[1][1], &format!("{a} bits an entry, as red has"), "another number"));
        }
        let zipped = red.iter().zip(green).zip(blue);
        let colors: Vec<_> = zipped.take(n_entries).map(|((r, g), b)| [*r, *g, *b]).collect();
        let is_wide = depth == 16 && (bits == 16 || colors.iter().flatten().any(|sample| *sample > 255));
        Ok(Self { first, bits: depth, max: if is_wide { 65535 } else { 255 }, is_segmented, colors })
    }

    /// How many colours there are, 1 to 65536.
    #[must_use]
    pub fn n_colors(&self) -> usize {
        self.colors.len()
    }

    /// The palette of a frame, and the step that it is.
    pub(crate) fn of_frame(dataset: &Dataset<'_>) -> Result<(Self, PixelStep)> {
        let palette = Self::of(dataset)?;
        let described = Descriptor::of(dataset, COLORS[0][0])?;
        let how = if palette.is_segmented { "segmented palette" } else { "palette" };
        let detail = format!("{how} of {} bits a sample", palette.bits);
        let value = format!("{}\\{}\\{}", described.n_entries, described.first, described.bits);
        Ok((palette, PixelStep::new(PixelAction::ApplyPalette, detail).by(COLORS[0][0], value)))
    }

    /// The same palette with samples of 8 bits: `round(sample × 255 / max)`.
    pub(crate) fn in_eight_bits(mut self, steps: &mut Vec<PixelStep>) -> Self {
        if self.max != 255 {
            let max = self.max;
            steps.push(PixelStep::new(PixelAction::ToEightBits, format!("sample × 255 / {max}, rounded")));
            for sample in self.colors.iter_mut().flatten() {
                *sample = u16::from(eight_bits(u64::from(*sample), max));
            }
        }
        Self { bits: 8, max: 255, ..self }
    }

    /// The colours of indices, three samples a pixel: 8 bits where the entries have 8, else 16. What is below the range
    /// has the first colour, what is above it the last.
    pub(crate) fn apply(&self, stored: &Stored) -> Result<Stored> {
        if self.bits == 8 {
            Ok(Stored::U8(each!(stored, indices => self.colors_of(indices, |sample| sample as u8))?))
        } else {
            Ok(Stored::U16(each!(stored, indices => self.colors_of(indices, |sample| sample))?))
        }
    }

    fn colors_of<I: AsF64, T>(&self, indices: &[I], sample: impl Fn(u16) -> T) -> Result<Vec<T>> {
        let last = self.colors.last().copied().unwrap_or_default();
        let first = self.first as f64;
        let mut pixels = reserve(indices.len().saturating_mul(3))?;
        for index in indices {
            let idx = (index.as_f64() - first).max(0.0) as usize;
            let color = self.colors.get(idx).copied().unwrap_or(last);
            pixels.extend(color.map(&sample));
        }
        Ok(pixels)
    }
}

/// Entries that are stored one by one, and their bits: two bytes each where there are as many, else one.
fn plain(bytes: &[u8], n_entries: usize, tag: Tag) -> Result<(Vec<u16>, u32)> {
    if bytes.len() >= 2 * n_entries && n_entries > 1 || bytes.len() == 2 * n_entries && n_entries == 1 {
        let words = bytes.as_chunks::<2>().0;
        return Ok((words.iter().take(n_entries).map(|b| u16::from_le_bytes(*b)).collect(), 16));
    }
    if bytes.len() == n_entries + n_entries % 2 {
        return Ok((bytes.iter().take(n_entries).map(|b| u16::from(*b)).collect(), 8));
    }
    Err(expected(tag, &format!("{n_entries} entries of one or two bytes"), &format!("{} bytes", bytes.len())))
}
