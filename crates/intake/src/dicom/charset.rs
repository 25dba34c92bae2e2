//! Specific Character Set (0008,0005): bytes to text (PS3.3 section C.12.1.1.2, PS3.5 section 6.1).

use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

/// Escape, which starts the switch to another character set (ISO 2022).
const ESC: u8 = 0x1b;

/// How text in a data set is coded: the first value of Specific Character Set. Further values need no memory: each text
/// that uses one names it by an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// A set that is decoded by a table of a package, under its defined term.
    Term(&'static Term),
    /// ISO 8859-9 and -15, which differ from Latin-1 in a few places: (byte, character).
    LikeLatin1(&'static [(u8, char)]),
}

/// A defined term, in every spelling that is met.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Term {
    code: &'static str,
    number: &'static str,
}

/// Terms by the number of their register entry, which `ISO_IR 100`, `ISO IR 100` and `ISO 2022 IR 100` share.
const TERMS: [Term; 19] = [
    Term { code: "ISO_IR 6", number: "6" },
    Term { code: "ISO_IR 13", number: "13" },
    Term { code: "ISO_IR 13", number: "14" },
    Term { code: "GBK", number: "58" },
    Term { code: "ISO_IR 87", number: "87" },
    Term { code: "ISO_IR 100", number: "100" },
    Term { code: "ISO_IR 101", number: "101" },
    Term { code: "ISO_IR 109", number: "109" },
    Term { code: "ISO_IR 110", number: "110" },
    Term { code: "ISO_IR 126", number: "126" },
    Term { code: "ISO_IR 127", number: "127" },
    Term { code: "ISO_IR 138", number: "138" },
    Term { code: "ISO_IR 144", number: "144" },
    Term { code: "ISO_IR 149", number: "149" },
    Term { code: "ISO_IR 166", number: "166" },
    Term { code: "ISO_IR 192", number: "192" },
    Term { code: "GB18030", number: "GB18030" },
    Term { code: "GBK", number: "GBK" },
    Term { code: "GBK", number: "GB2312" },
];

/// ISO 8859-9 against ISO 8859-1.
const LATIN_5: [(u8, char); 6] =
    [(0xd0, 'Ğ'), (0xdd, 'İ'), (0xde, 'Ş'), (0xf0, 'ğ'), (0xfd, 'ı'), (0xfe, 'ş')];

/// ISO 8859-15 against ISO 8859-1.
const LATIN_9: [(u8, char); 8] =
    [(0xa4, '€'), (0xa6, 'Š'), (0xa8, 'š'), (0xb4, 'Ž'), (0xb8, 'ž'), (0xbc, 'Œ'), (0xbd, 'œ'), (0xbe, 'Ÿ')];

/// Escape sequences behind [`ESC`] and the sets that they switch to (PS3.3 tables C.12-3 and C.12-4).
const ESCAPES: [(&[u8], &str); 19] = [
    (b"(B", "6"),
    (b")I", "13"),
    (b"(J", "14"),
    (b"-A", "100"),
    (b"-B", "101"),
    (b"-C", "109"),
    (b"-D", "110"),
    (b"-F", "126"),
    (b"-G", "127"),
    (b"-H", "138"),
    (b"-L", "144"),
    (b"-M", "148"),
    (b"-T", "166"),
    (b"-b", "203"),
    (b"$B", "87"),
    (b"$@", "87"),
    (b"$(D", "159"),
    (b"$)C", "149"),
    (b"$)A", "58"),
];

impl Charset {
    /// What applies where nothing is stated. The standard says ASCII; bytes above it are shown as Latin-1, as in pydicom.
    pub(crate) const DEFAULT: Self = Self::LikeLatin1(&[]);

    /// The set of the first of the values of Specific Character Set; `None` for one that is not known.
    pub(crate) fn of(value: &[u8]) -> Option<Self> {
        let first = value.split(|byte| *byte == b'\\').next().unwrap_or(value).trim_ascii();
        let first = std::str::from_utf8(first).ok()?.trim_end_matches('\0').to_ascii_uppercase();
        let number = first
            .strip_prefix("ISO")
            .map_or(first.as_str(), |rest| rest.trim_start_matches([' ', '_', '-']))
            .trim_start_matches("2022")
            .trim_start_matches([' ', '_', '-'])
            .trim_start_matches("IR")
            .trim_start_matches([' ', '_', '-']);
        Self::of_number(number)
    }

    /// The set of a register number.
    fn of_number(number: &str) -> Option<Self> {
        match number {
            "" | "6" => Some(Self::DEFAULT),
            "148" => Some(Self::LikeLatin1(&LATIN_5)),
            "203" => Some(Self::LikeLatin1(&LATIN_9)),
            _ => TERMS.iter().find(|term| term.number == number).map(Self::Term),
        }
    }

    /// Text of a value. What the set does not hold becomes U+FFFD, or the octal notation of its bytes.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        if bytes.is_ascii() && !bytes.contains(&ESC) {
            return bytes.iter().map(|byte| char::from(*byte)).collect();
        }
        let mut text = String::with_capacity(bytes.len());
        let mut parts = bytes.split(|byte| *byte == ESC);
        if let Some(plain) = parts.next() {
            text.push_str(&self.decode_plain(plain));
        }
        for part in parts {
            match ESCAPES.iter().find(|(escape, _)| part.starts_with(escape)) {
                Some((escape, "87")) => {
                    // The decoder of this set reads the escape sequence itself.
                    let mut coded = Vec::with_capacity(part.len() + 1);
                    coded.push(ESC);
                    coded.extend_from_slice(part);
                    text.push_str(
                        &decode_term("ISO_IR 87", &coded).unwrap_or_else(|| unknown(&part[escape.len()..])),
                    );
                }
                Some((escape, number)) => {
                    let coded = &part[escape.len()..];
                    // A delimiter between values or name components ends the switch (PS3.5 section 6.1.2.5.3).
                    let end =
                        coded.iter().position(|b| matches!(b, b'\\' | b'^' | b'=')).unwrap_or(coded.len());
                    let (switched, back) = coded.split_at(end);
                    match Self::of_number(number) {
                        Some(charset) => text.push_str(&charset.decode_plain(switched)),
                        None => text.push_str(&unknown(switched)),
                    }
                    text.push_str(&self.decode_plain(back));
                }
                None => text.push_str(&self.decode_plain(part)),
            }
        }
        text
    }

    /// Text without escape sequences.
    fn decode_plain(self, bytes: &[u8]) -> String {
        match self {
            Self::LikeLatin1(other) => bytes
                .iter()
                .map(|byte| other.iter().find(|(b, _)| b == byte).map_or(char::from(*byte), |(_, c)| *c))
                .collect(),
            // Outside an escape sequence this set is ASCII.
            Self::Term(Term { number: "87", .. }) => Self::DEFAULT.decode_plain(bytes),
            Self::Term(term) => decode_term(term.code, bytes).unwrap_or_else(|| unknown(bytes)),
        }
    }
}

/// Text in a set that the package decodes.
fn decode_term(code: &str, bytes: &[u8]) -> Option<String> {
    SpecificCharacterSet::from_code(code)?.decode(bytes).ok()
}

/// Text in a set that nothing here decodes.
fn unknown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii_graphic() { '\u{fffd}' } else { ' ' }).collect()
}
