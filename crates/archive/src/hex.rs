//! Lowercase hexadecimal, the written form of every digest, id and name on disk.

use std::fmt::Write as _;

/// Two lowercase digits a byte.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of `text`; `None` if it is not made of pairs of lowercase digits, so that each value has one spelling.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// As [`decode`], where exactly `N` bytes are expected.
#[must_use]
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_and_has_one_spelling() {
        let all: Vec<u8> = (0..=255).collect();
        let text = encode(&all);
        assert_eq!(decode(&text), Some(all));
        assert_eq!(decode("0A"), None, "upper case would be a second spelling");
        assert_eq!(decode("0"), None);
        assert_eq!(decode("é"), None);
        assert_eq!(decode_array::<2>("0aff"), Some([10, 255]));
        assert_eq!(decode_array::<3>("0aff"), None);
    }
}
