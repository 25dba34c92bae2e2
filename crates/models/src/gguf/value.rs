//! Metadata values.

use std::fmt;

/// The types a metadata value can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// IEEE 754 binary32.
    F32,
    /// One byte, 0 or 1.
    Flag,
    /// UTF-8.
    Text,
    /// Values of one kind.
    Array,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// IEEE 754 binary64.
    F64,
}

/// By code, from 0 on.
const KINDS: [ValueKind; 13] = [
    ValueKind::U8,
    ValueKind::I8,
    ValueKind::U16,
    ValueKind::I16,
    ValueKind::U32,
    ValueKind::I32,
    ValueKind::F32,
    ValueKind::Flag,
    ValueKind::Text,
    ValueKind::Array,
    ValueKind::U64,
    ValueKind::I64,
    ValueKind::F64,
];

impl ValueKind {
    pub(super) fn of_code(code: u32) -> Option<Self> {
        usize::try_from(code).ok().and_then(|code| KINDS.get(code)).copied()
    }

    /// The code in a file.
    #[must_use]
    pub fn code(self) -> u32 {
        self as u32
    }

    /// Bytes of one value; `None` for strings and arrays, which differ.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 | Self::Flag => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Text | Self::Array => None,
        }
    }
}

/// A metadata value; strings and arrays are borrowed from the file's bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A whole number without sign.
    Unsigned(u64),
    /// A whole number with sign.
    Signed(i64),
    /// A number with a fraction; binary32 is widened.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// A string.
    Text(&'a str),
    /// Values of one kind.
    Array(Array<'a>),
}

/// An array as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a> {
    pub(super) kind: ValueKind,
    pub(super) len: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// A value of a kind that is no array from exactly its bytes.
    pub(super) fn of(kind: ValueKind, bytes: &'a [u8]) -> Option<Self> {
        Some(match kind {
            ValueKind::U8 => Self::Unsigned(u64::from(*bytes.first()?)),
            ValueKind::I8 => Self::Signed(i64::from(i8::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::U16 => Self::Unsigned(u64::from(u16::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::I16 => Self::Signed(i64::from(i16::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::U32 => Self::Unsigned(u64::from(u32::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::I32 => Self::Signed(i64::from(i32::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::U64 => Self::Unsigned(u64::from_le_bytes(*bytes.first_chunk()?)),
            ValueKind::I64 => Self::Signed(i64::from_le_bytes(*bytes.first_chunk()?)),
            ValueKind::F32 => Self::Float(f64::from(f32::from_le_bytes(*bytes.first_chunk()?))),
            ValueKind::F64 => Self::Float(f64::from_le_bytes(*bytes.first_chunk()?)),
            ValueKind::Flag => Self::Flag(*bytes.first()? != 0),
            ValueKind::Text => Self::Text(std::str::from_utf8(bytes).ok()?),
            ValueKind::Array => return None,
        })
    }

    /// A whole number that is not negative, of whatever width.
    #[must_use]
    pub fn unsigned(self) -> Option<u64> {
        match self {
            Self::Unsigned(n) => Some(n),
            Self::Signed(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    /// A number, whole or not.
    #[must_use]
    pub fn float(self) -> Option<f64> {
        match self {
            Self::Unsigned(n) => Some(n as f64),
            Self::Signed(n) => Some(n as f64),
            Self::Float(x) => Some(x),
            _ => None,
        }
    }
}

impl<'a> Array<'a> {
    /// The kind of its elements.
    #[must_use]
    pub fn kind(self) -> ValueKind {
        self.kind
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Its elements in order.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (bytes, after) = match self.kind.size() {
                Some(size) => rest.split_at_checked(size)?,
                None => {
                    let (len, after) = rest.split_first_chunk::<8>()?;
                    after.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?
                }
            };
            rest = after;
            Value::of(self.kind, bytes)
        })
    }
}

/// A value as it stands in an error message: short, so that a long one does not drown the sentence.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(n) => n.fmt(f),
            Self::Signed(n) => n.fmt(f),
            Self::Float(x) => x.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) if text.chars().count() <= 60 => write!(f, "{text:?}"),
            Self::Text(text) => write!(f, "{:?}…", text.chars().take(57).collect::<String>()),
            Self::Array(array) if array.len <= 4 => {
                let words: Vec<_> = array.values().map(|value| value.to_string()).collect();
                write!(f, "[{}]", words.join(", "))
            }
            Self::Array(array) => write!(f, "an array of {} {:?}", array.len, array.kind),
        }
    }
}
