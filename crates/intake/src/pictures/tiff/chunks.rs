//! Strips and tiles to the samples of the whole picture.

use super::layout::Layout;
use crate::Result;

/// An unsigned sample of 8 or 16 bits.
pub(super) trait Sample: Copy + Default + PartialEq {
    /// Bytes a sample.
    const BYTES: usize;
    /// White, and opaque.
    const MAX: Self;
    /// From its bytes in the order of the file.
    fn from_bytes(bytes: &[u8], little_endian: bool) -> Self;
    /// Modulo the range.
    fn plus(self, other: Self) -> Self;
    /// White minus itself.
    fn inverted(self) -> Self;
}

impl Sample for u8 {
    const BYTES: usize = 1;
    const MAX: Self = Self::MAX;
    fn from_bytes(bytes: &[u8], _: bool) -> Self {
        bytes[0]
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn inverted(self) -> Self {
        Self::MAX - self
    }
}

impl Sample for u16 {
    const BYTES: usize = 2;
    const MAX: Self = Self::MAX;
    fn from_bytes(bytes: &[u8], little_endian: bool) -> Self {
        let pair = [bytes[0], bytes[1]];
        if little_endian { Self::from_le_bytes(pair) } else { Self::from_be_bytes(pair) }
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn inverted(self) -> Self {
        Self::MAX - self
    }
}

/// The colours of the picture, `[height, width, n_colors]`, and whether alpha was anywhere less than opaque.
pub(super) fn read<T: Sample>(bytes: &[u8], layout: &Layout) -> Result<(Vec<T>, bool)> {
    let Layout { width, height, n_colors, chunk_width, chunk_height, .. } = *layout;
    let mut picture = crate::memory::filled::<T>(width * height * n_colors)?;
    let mut translucent = false;
    let n_inside = layout.n_chunk_samples();
    let row_bytes = layout.chunk_row_bytes();
    let mut plain = crate::memory::filled::<u8>(row_bytes * chunk_height)?;
    let mut row = crate::memory::filled::<T>(chunk_width * n_inside)?;
    let n_per_plane = layout.n_across() * layout.n_down();

    for (index, (offset, len)) in layout.chunks.iter().enumerate() {
        let plane = index / n_per_plane;
        let (down, across) = (index % n_per_plane / layout.n_across(), index % layout.n_across());
        let plain = &mut plain[..layout.n_chunk_rows(down) * row_bytes];
        layout.compression.unpack(&bytes[*offset..*offset + *len], plain, index)?;

        let (first_x, first_y) = (across * chunk_width, down * chunk_height);
        let n_columns = chunk_width.min(width - first_x);
        for (y, coded_row) in (first_y..height).zip(plain.chunks_exact(row_bytes)) {
            for (sample, coded) in row.iter_mut().zip(coded_row.chunks_exact(T::BYTES)) {
                *sample = T::from_bytes(coded, layout.little_endian);
            }
            if layout.is_differenced {
                for place in n_inside..row.len() {
                    row[place] = row[place].plus(row[place - n_inside]);
                }
            }
            let first = (y * width + first_x) * n_colors;
            let pixels = picture[first..first + n_columns * n_colors].chunks_exact_mut(n_colors);
            for (pixel, samples) in pixels.zip(row.chunks_exact(n_inside)) {
                // Plane `n_colors`, or what follows the colours of a pixel, is alpha.
                if layout.is_planar && plane < n_colors {
                    pixel[plane] = samples[0];
                } else if layout.is_planar {
                    translucent |= samples[0] != T::MAX;
                } else {
                    pixel.copy_from_slice(&samples[..n_colors]);
                    translucent |= samples.get(n_colors).is_some_and(|alpha| *alpha != T::MAX);
                }
            }
        }
    }
    Ok((picture, translucent))
}
