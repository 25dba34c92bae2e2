//! The types that numbers are stored in.

use std::fmt;

/// A type of stored numbers, little-endian; quantized types are blocks as GGUF defines them (see [`crate::blocks`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dtype {
    /// IEEE 754 binary32.
    F32,
    /// The upper half of a binary32.
    Bf16,
    /// IEEE 754 binary16.
    F16,
    /// 8 bits and a scale for 32 values.
    Q8_0,
    /// 4 bits and a scale for 32 values.
    Q4_0,
    /// 4 bits, a scale and a minimum for 32 values.
    Q4_1,
    /// 5 bits and a scale for 32 values.
    Q5_0,
    /// 5 bits, a scale and a minimum for 32 values.
    Q5_1,
    /// 2 bits; scales and minima of 4 bits for 16 values, under two for 256.
    Q2K,
    /// 3 bits; scales of 6 bits for 16 values, under one for 256.
    Q3K,
    /// 4 bits; scales and minima of 6 bits for 32 values, under two for 256.
    Q4K,
    /// 5 bits; scales and minima of 6 bits for 32 values, under two for 256.
    Q5K,
    /// 6 bits; scales of 8 bits for 16 values, under one for 256.
    Q6K,
    /// 4 bits that choose among sixteen values, and a scale for 32 values.
    Iq4Nl,
    /// 4 bits that choose among sixteen values; scales of 6 bits for 32 values, under one for 256.
    Iq4Xs,
}

impl Dtype {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::F32,
        Self::Bf16,
        Self::F16,
        Self::Q8_0,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q2K,
        Self::Q3K,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
        Self::Iq4Nl,
        Self::Iq4Xs,
    ];

    /// Values of one block and its bytes; `(1, 4)` for [`Dtype::F32`].
    #[must_use]
    pub const fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q8_0 => (32, 34),
            Self::Q4_0 | Self::Iq4Nl => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q2K => (256, 84),
            Self::Q3K => (256, 110),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
            Self::Iq4Xs => (256, 136),
        }
    }

    /// Bytes of a row of `n_in` values; `None` where that is not whole blocks, or more than memory can hold.
    #[must_use]
    pub fn row_bytes(self, n_in: usize) -> Option<usize> {
        let (values, bytes) = self.block();
        n_in.is_multiple_of(values).then(|| (n_in / values).checked_mul(bytes)).flatten()
    }

    /// Whether numbers share scales.
    #[must_use]
    pub fn is_quantized(self) -> bool {
        self.block().0 > 1
    }

    /// Bits that a value takes, scales included.
    #[must_use]
    pub fn bits_per_value(self) -> f64 {
        let (values, bytes) = self.block();
        8.0 * bytes as f64 / values as f64
    }
}

impl Dtype {
    /// As GGUF's own tools spell it, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::Q4_1 => "q4_1",
            Self::Q5_0 => "q5_0",
            Self::Q5_1 => "q5_1",
            Self::Q2K => "q2_k",
            Self::Q3K => "q3_k",
            Self::Q4K => "q4_k",
            Self::Q5K => "q5_k",
            Self::Q6K => "q6_k",
            Self::Iq4Nl => "iq4_nl",
            Self::Iq4Xs => "iq4_xs",
        }
    }

    /// The type of that name, in letters of any size.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
