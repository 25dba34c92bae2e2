//! The head of a GGUF file: metadata and tensor infos, version 3, little-endian.
//!
//! Values are written in the order in which they were given, tensors one after the other at multiples of the default
//! alignment; their data follows the head in the same order, each padded to the next multiple.

use super::{DEFAULT_ALIGNMENT, GgmlType, MAGIC, ValueKind};
use crate::{Error, ErrorKind, Result};

const VERSION: u32 = 3;

/// A tensor that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Name in the file.
    pub name: String,
    /// Type of its numbers.
    pub kind: GgmlType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Position of the first byte after the head.
    pub offset: u64,
    /// Number of bytes, without the padding that follows.
    pub len: u64,
}

/// Collects metadata and tensors and gives the bytes that stand before the data.
#[derive(Clone, Debug, Default)]
pub struct Head {
    metadata: Vec<u8>,
    n_pairs: u64,
    tensors: Vec<PlannedTensor>,
    data_len: u64,
}

impl Head {
    /// Bytes of zeros that follow `len` bytes of data.
    #[must_use]
    pub fn padding(len: u64) -> usize {
        (len.next_multiple_of(DEFAULT_ALIGNMENT) - len) as usize
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) {
        self.pair(key, ValueKind::Text);
        string(&mut self.metadata, value);
    }

    /// Adds a whole number.
    pub fn number(&mut self, key: &str, value: u32) {
        self.pair(key, ValueKind::U32);
        self.metadata.extend(value.to_le_bytes());
    }

    /// Adds a number with a fraction.
    pub fn float(&mut self, key: &str, value: f32) {
        self.pair(key, ValueKind::F32);
        self.metadata.extend(value.to_le_bytes());
    }

    /// Adds true or false.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.pair(key, ValueKind::Flag);
        self.metadata.push(u8::from(value));
    }

    /// Adds an array of strings.
    pub fn texts<'a>(&mut self, key: &str, values: impl ExactSizeIterator<Item = &'a str>) {
        self.array(key, ValueKind::Text, values.len());
        values.for_each(|value| string(&mut self.metadata, value));
    }

    /// Adds an array of numbers with fractions.
    pub fn floats(&mut self, key: &str, values: &[f32]) {
        self.array(key, ValueKind::F32, values.len());
        self.metadata.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Adds an array of whole numbers.
    pub fn numbers(&mut self, key: &str, values: &[i32]) {
        self.array(key, ValueKind::I32, values.len());
        self.metadata.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn array(&mut self, key: &str, kind: ValueKind, len: usize) {
        self.pair(key, ValueKind::Array);
        self.metadata.extend(kind.code().to_le_bytes());
        self.metadata.extend((len as u64).to_le_bytes());
    }

    fn pair(&mut self, key: &str, kind: ValueKind) {
        self.n_pairs += 1;
        string(&mut self.metadata, key);
        self.metadata.extend(kind.code().to_le_bytes());
    }

    /// Adds a tensor; `shape` is outermost first.
    ///
    /// # Errors
    /// [`ErrorKind::Weights`] for rows that are not whole blocks, or sizes that do not fit 64 bits.
    pub fn tensor(&mut self, name: &str, kind: GgmlType, shape: &[usize]) -> Result<()> {
        let n = shape.iter().try_fold(1u64, |n, size| n.checked_mul(*size as u64));
        let whole = shape.last().is_some_and(|row| row.is_multiple_of(kind.block_values()));
        let len = n
            .filter(|n| *n > 0 && whole)
            .and_then(|n| (n / kind.block_values() as u64).checked_mul(kind.block_bytes() as u64));
        let end =
            len.and_then(|len| self.data_len.checked_add(len)?.checked_next_multiple_of(DEFAULT_ALIGNMENT));
        let (Some(len), Some(end)) = (len, end) else {
            return Err(Error::new(
                ErrorKind::Weights,
                format!("tensor {name}: {shape:?} cannot be written as {kind}"),
            ));
        };
        let shape = shape.to_vec();
        self.tensors.push(PlannedTensor { name: name.to_owned(), kind, shape, offset: self.data_len, len });
        self.data_len = end;
        Ok(())
    }

    /// The tensors in the order in which their data follows.
    #[must_use]
    pub fn tensors(&self) -> &[PlannedTensor] {
        &self.tensors
    }

    /// Bytes of the data, padding included.
    #[must_use]
    pub fn data_len(&self) -> u64 {
        self.data_len
    }

    /// Everything that stands before the data, padded to where it begins.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_pairs.to_le_bytes());
        bytes.extend(&self.metadata);
        for tensor in &self.tensors {
            string(&mut bytes, &tensor.name);
            bytes.extend((tensor.shape.len() as u32).to_le_bytes());
            tensor.shape.iter().rev().for_each(|size| bytes.extend((*size as u64).to_le_bytes()));
            bytes.extend(tensor.kind.code().to_le_bytes());
            bytes.extend(tensor.offset.to_le_bytes());
        }
        bytes.resize(bytes.len() + Self::padding(bytes.len() as u64), 0);
        bytes
    }
}

fn string(to: &mut Vec<u8>, value: &str) {
    to.extend((value.len() as u64).to_le_bytes());
    to.extend(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{Gguf, Value};
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let kind = |name| GgmlType::of_name(name).expect("a known type");
        let mut head = Head::default();
        head.text("general.architecture", "gemma3");
        head.number("n", 7);
        head.float("x", 0.5);
        head.flag("yes", true);
        head.texts("words", ["a", "", "ü"].into_iter());
        head.floats("scores", &[-1.0, 2.5]);
        head.numbers("kinds", &[1, -2]);
        head.tensor("norm", kind("F32"), &[3]).expect("small");
        head.tensor("w", kind("Q4_K"), &[2, 256]).expect("small");
        let mut bytes = head.bytes();
        let start = bytes.len() as u64;
        bytes.resize(bytes.len() + head.data_len() as usize, 0);
        assert_eq!((head.data_len(), head.tensors()[1].offset), (32 + 288, 32));
        let gguf = Gguf::parse("x.gguf", &bytes, bytes.len() as u64).expect("read again");
        assert_eq!(gguf.text("general.architecture").expect("text"), Some("gemma3"));
        assert_eq!(gguf.get("n"), Some(Value::Unsigned(7)));
        assert_eq!(gguf.get("x"), Some(Value::Float(0.5)));
        assert_eq!(gguf.flag("yes").expect("flag"), Some(true));
        assert_eq!(gguf.texts("words").expect("texts"), Some(vec!["a", "", "ü"]));
        assert_eq!(gguf.floats("scores").expect("floats"), Some(vec![-1.0, 2.5]));
        assert_eq!(gguf.integers("kinds").expect("integers"), Some(vec![1, -2]));
        let w = gguf.tensor("w").expect("listed");
        assert_eq!((w.shape.as_slice(), w.len, w.offset), ([2, 256].as_slice(), 288, start + 32));
    }

    #[test]
    fn parts_of_blocks_are_refused() {
        let q8 = GgmlType::of_name("Q8_0").expect("a known type");
        for shape in [&[2, 33][..], &[0, 32], &[], &[usize::MAX, 1 << 40]] {
            let error = Head::default().tensor("w", q8, shape).expect_err("no whole blocks");
            assert!(error.to_string().contains("tensor w"), "{error}");
        }
    }
}
