//! What the JPEG processes have in common: segments, one flat Huffman table, categories of differences (T.81).

use super::bits::BitWriter;

/// What stands between a JPEG stream's first marker and its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Nothing: the colours are whatever the file around the stream says.
    None,
    /// A JFIF segment: gray, or YCbCr.
    Jfif,
    /// An Adobe segment with this transform: 0 says RGB, 1 says YCbCr.
    Adobe(u8),
}

pub(super) const SOI: u8 = 0xd8;
pub(super) const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;
pub(super) const DQT: u8 = 0xdb;
pub(super) const DHT: u8 = 0xc4;
pub(super) const DRI: u8 = 0xdd;

pub(super) fn marker(stream: &mut Vec<u8>, code: u8) {
    stream.extend([0xff, code]);
}

/// A marker with its length and contents.
pub(super) fn segment(stream: &mut Vec<u8>, code: u8, contents: &[u8]) {
    marker(stream, code);
    stream.extend((contents.len() as u16 + 2).to_be_bytes());
    stream.extend(contents);
}

impl Marks {
    pub(super) fn write(self, stream: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Jfif => segment(stream, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            Self::Adobe(transform) => {
                let mut contents = b"Adobe\0\x64\0\0\0\0".to_vec();
                contents.push(transform);
                segment(stream, 0xee, &contents);
            }
        }
    }
}

/// A Huffman table in which every symbol has a code of the same length: the code is the symbol's place.
pub(super) struct FlatTable {
    symbols: Vec<u8>,
    n_bits: u8,
}

impl FlatTable {
    /// `symbols` are fewer than 255; the code of all ones stays free, as T.81 C.2 wants.
    pub fn new(symbols: impl IntoIterator<Item = u8>) -> Self {
        let symbols: Vec<u8> = symbols.into_iter().collect();
        let n_bits = (symbols.len() + 1).next_power_of_two().trailing_zeros() as u8;
        Self { symbols, n_bits }
    }

    /// The contents of a DHT segment; `class_and_place` is Tc and Th.
    pub fn segment(&self, class_and_place: u8) -> Vec<u8> {
        let mut contents = vec![class_and_place];
        contents.extend((1..=16).map(|n| if n == self.n_bits { self.symbols.len() as u8 } else { 0 }));
        contents.extend(&self.symbols);
        contents
    }

    pub fn put(&self, bits: &mut BitWriter, symbol: u8) {
        let code = self.symbols.iter().position(|own| *own == symbol).expect("the table has every symbol");
        bits.put(code as u32, self.n_bits);
    }
}

/// How many bits the magnitude of a difference takes (T.81 F.1.2.1, H.1.2.2).
pub(super) fn category(difference: i32) -> u8 {
    (32 - difference.unsigned_abs().leading_zeros()) as u8
}

/// The bits behind a category: the number itself, or one less than it where it is negative.
pub(super) fn put_magnitude(bits: &mut BitWriter, difference: i32, category: u8) {
    let value = if difference < 0 { difference - 1 } else { difference };
    bits.put(value as u32 & ((1_u32 << category) - 1), category);
}
