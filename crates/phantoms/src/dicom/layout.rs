//! The Image Pixel Module (DICOM PS3.3 C.7.6.3) and the bytes that it stands for.

/// How samples lie in the bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
    /// Samples per Pixel.
    pub n_components: u16,
    /// Photometric Interpretation.
    pub photometric: &'static str,
    /// Bits Allocated: 1, 8, 16 or 32.
    pub bits_allocated: u16,
    /// Bits Stored.
    pub bits_stored: u16,
    /// High Bit.
    pub high_bit: u16,
    /// Pixel Representation 1.
    pub is_signed: bool,
    /// Planar Configuration; written where there are several samples a pixel.
    pub planar: u16,
    /// Number of Frames; not written where there is none.
    pub n_frames: Option<u32>,
}

impl Layout {
    /// MONOCHROME2 with this many bits allocated and stored, unsigned.
    #[must_use]
    pub fn gray(columns: u16, rows: u16, bits: u16) -> Self {
        Self {
            columns,
            rows,
            n_components: 1,
            photometric: "MONOCHROME2",
            bits_allocated: bits,
            bits_stored: bits,
            high_bit: bits - 1,
            is_signed: false,
            planar: 0,
            n_frames: None,
        }
    }

    /// RGB with 8 bits, or another colour space of three samples.
    #[must_use]
    pub fn color(columns: u16, rows: u16, photometric: &'static str) -> Self {
        Self { n_components: 3, photometric, ..Self::gray(columns, rows, 8) }
    }

    /// The same with this many bits stored, the highest of which is the next to it.
    #[must_use]
    pub fn stored_in(self, bits_stored: u16) -> Self {
        Self { bits_stored, high_bit: bits_stored - 1, ..self }
    }

    /// Samples of a frame.
    #[must_use]
    pub fn n_values(&self) -> usize {
        usize::from(self.columns) * usize::from(self.rows) * usize::from(self.n_components)
    }

    /// The bytes of uncompressed frames one after the other, without padding at the end.
    ///
    /// `values` are those of all frames, the samples of a pixel side by side; each fits into Bits Stored.
    #[must_use]
    pub fn native(&self, values: &[i64]) -> Vec<u8> {
        let ordered: Vec<i64> =
            values.chunks(self.n_values().max(1)).flat_map(|frame| self.in_planes(frame)).collect();
        let cell = |value: i64| self.cell(value);
        match self.bits_allocated {
            1 => ordered
                .chunks(8)
                .map(|bits| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | (*bit as u8 & 1) << i))
                .collect(),
            8 => ordered.into_iter().map(|value| cell(value) as u8).collect(),
            16 => ordered.into_iter().flat_map(|value| (cell(value) as u16).to_le_bytes()).collect(),
            _ => ordered.into_iter().flat_map(|value| (cell(value) as u32).to_le_bytes()).collect(),
        }
    }

    /// A value in the low bits; those that are not used are zero.
    fn cell(&self, value: i64) -> u64 {
        value as u64 & ((1_u64 << self.bits_stored) - 1)
    }

    fn in_planes(&self, frame: &[i64]) -> Vec<i64> {
        let n = usize::from(self.n_components);
        if n == 1 || self.planar == 0 {
            return frame.to_vec();
        }
        (0..n).flat_map(|component| frame.iter().skip(component).step_by(n).copied()).collect()
    }
}
