//! The types that keys and values are kept in.

use std::fmt;
use std::str::FromStr;

/// How the numbers of a [`KvCache`](crate::KvCache) are stored. Attention widens them to f32, which is exact for the
/// first three; its sums are the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KvDtype {
    /// IEEE 754 binary32: as they were computed.
    F32,
    /// The upper half of a binary32, rounded to nearest even: every magnitude, 8 significant bits.
    Bf16,
    /// IEEE 754 binary16, rounded to nearest even: 11 significant bits, magnitudes of up to 65504; larger ones are
    /// refused when they are stored.
    F16,
    /// Whole numbers from -127 to 127 times one f32 scale for each position and head: the largest magnitude over 127.
    Q8,
}

impl KvDtype {
    /// All of them, from the most to the least precise for values of ordinary size.
    pub const ALL: [Self; 4] = [Self::F32, Self::F16, Self::Bf16, Self::Q8];

    /// Bytes of one number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
            Self::Q8 => 1,
        }
    }
}

impl fmt::Display for KvDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
            Self::Q8 => "q8",
        })
    }
}

impl FromStr for KvDtype {
    type Err = String;

    /// The names that `Display` writes.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|dtype| dtype.to_string() == name).ok_or_else(|| {
            format!("{name:?} is no type of keys and values; expected \"f32\", \"f16\", \"bf16\" or \"q8\"")
        })
    }
}
