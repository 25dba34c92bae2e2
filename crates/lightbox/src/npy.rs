//! The NumPy array format, version 1.0, as `numpy.load` reads it (numpy.lib.format): a header of Python text, then the
//! values, last axis fastest.

/// The bytes before the values of an array of that shape; `descr` is the type of a value as NumPy writes it, such as
/// `<u2`.
pub fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    /// Magic, version and the length of the text.
    const FIRST: usize = 10;
    /// The values start at a multiple of it.
    const ALIGNMENT: usize = 64;
    let sides: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sides}), }}");
    let padded = (FIRST + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', padded - FIRST - text.len() - 1));
    text.push('\n');
    // A dozen sides of twenty digits are far from 65,535.
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(len.to_le_bytes());
    bytes.extend(text.into_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_one_that_numpy_reads() {
        for (descr, shape, says) in [
            ("<u2", &[1, 20, 30][..], "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 20, 30, ), }"),
            ("|u1", &[7], "{'descr': '|u1', 'fortran_order': False, 'shape': (7, ), }"),
        ] {
            let bytes = header(descr, shape);
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(&bytes[..8], b"\x93NUMPY\x01\0");
            assert_eq!(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])), bytes.len() - 10);
            let text = std::str::from_utf8(&bytes[10..]).expect("text");
            assert_eq!(text.trim_end(), says);
            assert!(text.ends_with('\n'));
        }
    }
}
