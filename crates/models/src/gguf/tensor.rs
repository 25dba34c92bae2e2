//! Tensor infos and the numbers of their types.

use super::MAX_NAME_BYTES;
use super::bytes::Bytes;
use crate::Result;

/// Most sizes that a tensor has, as in ggml.
const MAX_SIZES: u32 = 4;

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name as stored.
    pub name: String,
    /// Type of its numbers.
    pub kind: GgmlType,
    /// Sizes, outermost first: the reverse of their order in the file.
    pub shape: Vec<usize>,
    /// Position of the first byte in the file.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Reads one tensor info; its offset is still that within the data.
pub(super) fn read(bytes: &mut Bytes<'_>, i: u64) -> Result<TensorInfo> {
    let name = bytes.name(&format!("tensor {i}"), MAX_NAME_BYTES)?;
    let at = format!("tensor {name}");
    let n_sizes = bytes.u32(&at)?;
    if !(1..=MAX_SIZES).contains(&n_sizes) {
        return Err(bytes.broken(format!("{at}: expected 1 to {MAX_SIZES} sizes, found {n_sizes}")));
    }
    let mut shape = Vec::with_capacity(n_sizes as usize);
    for _ in 0..n_sizes {
        let size = bytes.u64(&at)?;
        match usize::try_from(size) {
            Ok(size) if size > 0 => shape.push(size),
            _ => {
                return Err(
                    bytes.broken(format!("{at}: expected sizes above zero that fit memory, found {size}"))
                );
            }
        }
    }
    let code = bytes.u32(&at)?;
    let offset = bytes.u64(&at)?;
    let Some(kind) = GgmlType::of_code(code) else {
        return Err(bytes
            .broken(format!("{at}: expected a type that is known, found number {code}"))
            .hint(format!("types that are read: {}", GgmlType::readable())));
    };
    let row = shape.first().copied().unwrap_or(1);
    if !row.is_multiple_of(kind.block_values()) {
        return Err(bytes.broken(format!(
            "{at}: expected rows of whole blocks of {} {kind} numbers, found rows of {row}",
            kind.block_values()
        )));
    }
    shape.reverse();
    let n = shape.iter().try_fold(1u64, |n, size| n.checked_mul(*size as u64));
    let len = n.and_then(|n| (n / kind.block_values() as u64).checked_mul(kind.block_bytes() as u64));
    match len {
        Some(len) => Ok(TensorInfo { name, kind, shape, offset, len }),
        None => Err(bytes.broken(format!("{at}: expected a size that fits 64 bits, found {shape:?}"))),
    }
}

/// A type of stored numbers, by ggml's number: its name, the numbers of a block and the bytes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GgmlType {
    code: u32,
    name: &'static str,
    block_values: usize,
    block_bytes: usize,
}

/// Every type that files have had and whose blocks have a known size: number, name, numbers and bytes of a block. The
/// numbers between are of types that ggml has withdrawn.
const TYPES: &[(u32, &str, usize, usize)] = &[
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 40),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
    (40, "NVFP4", 64, 36),
    (41, "Q1_0", 128, 18),
];

impl GgmlType {
    /// The type of a number; `None` for numbers without a known meaning.
    #[must_use]
    pub fn of_code(code: u32) -> Option<Self> {
        Self::find(|row| row.0 == code)
    }

    /// The type of a name, such as `Q4_K`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::find(|row| row.1 == name)
    }

    fn find(is_it: impl Fn(&(u32, &'static str, usize, usize)) -> bool) -> Option<Self> {
        TYPES.iter().find(|row| is_it(row)).map(|&(code, name, block_values, block_bytes)| Self {
            code,
            name,
            block_values,
            block_bytes,
        })
    }

    /// ggml's number.
    #[must_use]
    pub fn code(self) -> u32 {
        self.code
    }

    /// Its name as ggml spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Numbers that are stored together.
    #[must_use]
    pub fn block_values(self) -> usize {
        self.block_values
    }

    /// Bytes of such a block.
    #[must_use]
    pub fn block_bytes(self) -> usize {
        self.block_bytes
    }

    /// The names of the types that weights may have here.
    #[must_use]
    pub fn readable() -> String {
        let names: Vec<_> =
            TYPES.iter().filter(|row| crate::weights::dtype(row.1).is_some()).map(|row| row.1).collect();
        names.join(", ")
    }
}

impl std::fmt::Display for GgmlType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
