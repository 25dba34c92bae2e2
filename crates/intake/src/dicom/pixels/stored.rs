//! Stored values: the samples of a frame as the file has them, in the type that its header states.

use crate::memory::{filled, reserve};
use crate::{Error, ErrorKind, Result};

/// Samples of a frame, the samples of a pixel side by side, row-major from the top left.
#[derive(Clone, PartialEq)]
pub enum Stored {
    /// Unsigned, up to 8 bits.
    U8(Vec<u8>),
    /// Signed, up to 8 bits.
    I8(Vec<i8>),
    /// Unsigned, up to 16 bits.
    U16(Vec<u16>),
    /// Signed, up to 16 bits.
    I16(Vec<i16>),
    /// Unsigned, up to 32 bits.
    U32(Vec<u32>),
    /// Signed, up to 32 bits.
    I32(Vec<i32>),
    /// Unsigned, up to 64 bits.
    U64(Vec<u64>),
    /// Signed, up to 64 bits.
    I64(Vec<i64>),
    /// Float Pixel Data.
    F32(Vec<f32>),
    /// Double Float Pixel Data.
    F64(Vec<f64>),
}

/// Shows the shape only: samples are a patient's picture.
impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stored({} × {})", self.type_name(), self.len())
    }
}

/// Evaluates an expression for the vector of whatever type.
macro_rules! each {
    ($stored:expr, $values:ident => $body:expr) => {
        match $stored {
            $crate::dicom::pixels::stored::Stored::U8($values) => $body,
            $crate::dicom::pixels::stored::Stored::I8($values) => $body,
            $crate::dicom::pixels::stored::Stored::U16($values) => $body,
            $crate::dicom::pixels::stored::Stored::I16($values) => $body,
            $crate::dicom::pixels::stored::Stored::U32($values) => $body,
            $crate::dicom::pixels::stored::Stored::I32($values) => $body,
            $crate::dicom::pixels::stored::Stored::U64($values) => $body,
            $crate::dicom::pixels::stored::Stored::I64($values) => $body,
            $crate::dicom::pixels::stored::Stored::F32($values) => $body,
            $crate::dicom::pixels::stored::Stored::F64($values) => $body,
        }
    };
}

impl Stored {
    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// Whether there are none; a frame always has some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type as numpy names it, such as `<u2`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::U8(_) => "|u1",
            Self::I8(_) => "|i1",
            Self::U16(_) => "<u2",
            Self::I16(_) => "<i2",
            Self::U32(_) => "<u4",
            Self::I32(_) => "<i4",
            Self::U64(_) => "<u8",
            Self::I64(_) => "<i8",
            Self::F32(_) => "<f4",
            Self::F64(_) => "<f8",
        }
    }

    /// A sample as the nearest double; `None` beyond the end.
    #[must_use]
    pub fn get(&self, idx: usize) -> Option<f64> {
        each!(self, values => values.get(idx).map(|v| AsF64::as_f64(*v)))
    }

    /// All samples as the nearest doubles.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).filter_map(|idx| self.get(idx))
    }

    /// All samples in little-endian bytes.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] where the machine has no memory for them.
    pub fn to_le_bytes(&self) -> Result<Vec<u8>> {
        if let Self::U8(samples) = self {
            let mut bytes = reserve(samples.len())?;
            bytes.extend_from_slice(samples);
            return Ok(bytes);
        }
        each!(self, values => {
            let mut bytes = filled(size_of_val(values.as_slice()))?;
            for (to, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                *to = value.to_le_bytes();
            }
            Ok(bytes)
        })
    }

    /// Keeps the low `bits` of each whole number: those above are cleared, or filled with the sign.
    ///
    /// Shifting left and right again in the type of the sample is what pydicom does (`_correct_unused_bits`).
    pub(crate) fn keep_bits(&mut self, bits: u32) {
        match self {
            Self::U8(v) => keep(v, bits, u8::BITS, |v, n| v << n >> n),
            Self::I8(v) => keep(v, bits, i8::BITS, |v, n| v << n >> n),
            Self::U16(v) => keep(v, bits, u16::BITS, |v, n| v << n >> n),
            Self::I16(v) => keep(v, bits, i16::BITS, |v, n| v << n >> n),
            Self::U32(v) => keep(v, bits, u32::BITS, |v, n| v << n >> n),
            Self::I32(v) => keep(v, bits, i32::BITS, |v, n| v << n >> n),
            Self::U64(v) => keep(v, bits, u64::BITS, |v, n| v << n >> n),
            Self::I64(v) => keep(v, bits, i64::BITS, |v, n| v << n >> n),
            Self::F32(_) | Self::F64(_) => {}
        }
    }

    /// Puts planes of one colour each side by side: `[3, pixels]` becomes `[pixels, 3]`.
    pub(crate) fn interleaved(self) -> Result<Self> {
        Ok(match self {
            Self::U8(v) => Self::U8(interleave(&v)?),
            Self::I8(v) => Self::I8(interleave(&v)?),
            Self::U16(v) => Self::U16(interleave(&v)?),
            Self::I16(v) => Self::I16(interleave(&v)?),
            Self::U32(v) => Self::U32(interleave(&v)?),
            Self::I32(v) => Self::I32(interleave(&v)?),
            Self::U64(v) => Self::U64(interleave(&v)?),
            Self::I64(v) => Self::I64(interleave(&v)?),
            Self::F32(v) => Self::F32(interleave(&v)?),
            Self::F64(v) => Self::F64(interleave(&v)?),
        })
    }
}

/// Applies `shift` where there are bits above those kept.
fn keep<T: Copy>(values: &mut [T], bits: u32, of_type: u32, shift: impl Fn(T, u32) -> T) {
    let n = of_type.saturating_sub(bits);
    // A sample of no bits is refused long before; a shift by the whole width would panic.
    if n == 0 || n >= of_type {
        return;
    }
    for value in values {
        *value = shift(*value, n);
    }
}

fn interleave<T: Copy>(planes: &[T]) -> Result<Vec<T>> {
    let n = planes.len() / 3;
    if n == 0 || n * 3 != planes.len() {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!("DICOM: expected three planes of equal size, found {} samples", planes.len()),
        ));
    }
    let (red, rest) = planes.split_at(n);
    let (green, blue) = rest.split_at(n);
    let mut pixels = reserve(planes.len())?;
    for ((r, g), b) in red.iter().zip(green).zip(blue) {
        pixels.extend_from_slice(&[*r, *g, *b]);
    }
    Ok(pixels)
}

/// The nearest double of a sample, as numpy's `astype(float64)` gives it.
pub(crate) trait AsF64: Copy {
    fn as_f64(self) -> f64;
}

macro_rules! as_f64 {
    ($($t:ty),*) => { $(impl AsF64 for $t { fn as_f64(self) -> f64 { self as f64 } })* };
}

as_f64!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

pub(crate) use each;

#[cfg(test)]
mod tests {
    use super::*;

    /// `np.right_shift(np.left_shift(a, 16 - bits), 16 - bits)` in the type of `a`.
    #[test]
    fn bits_above_those_stored_are_cleared_or_filled_with_the_sign() {
        for (bits, stored, expected) in [
            (12, Stored::U16(vec![0xF123, 0x0FFF]), Stored::U16(vec![0x0123, 0x0FFF])),
            (12, Stored::I16(vec![0x0FFF, 0x07FF, -4096]), Stored::I16(vec![-1, 2047, 0])),
            (5, Stored::I8(vec![0b0001_1001]), Stored::I8(vec![-7])),
            (16, Stored::U16(vec![65535]), Stored::U16(vec![65535])),
            (24, Stored::I32(vec![0x00FF_FFFF]), Stored::I32(vec![-1])),
            (1, Stored::U8(vec![255, 2]), Stored::U8(vec![1, 0])),
        ] {
            let mut got = stored.clone();
            got.keep_bits(bits);
            assert_eq!(got, expected, "{bits} {stored:?}");
        }
    }

    #[test]
    fn planes_become_pixels() {
        let planes = Stored::U8(vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(planes.interleaved().expect("three planes of two"), Stored::U8(vec![1, 3, 5, 2, 4, 6]));
        assert!(Stored::U8(vec![1, 2]).interleaved().is_err());
    }

    #[test]
    fn bytes_are_little_endian() {
        let bytes = Stored::I16(vec![-2, 258]).to_le_bytes().expect("four bytes");
        assert_eq!(bytes, [0xFE, 0xFF, 0x02, 0x01]);
    }
}
