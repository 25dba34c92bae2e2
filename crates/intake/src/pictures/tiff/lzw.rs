//! LZW as TIFF uses it (TIFF 6.0, section 13): high bits first, codes grow one code early.

/// Empties the table.
const CLEAR: u16 = 256;
/// Ends the data.
const END: u16 = 257;
/// Most codes of a table.
const MAX_CODES: usize = 4096;

/// Why data cannot be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The data ends after `got` bytes.
    Short { got: usize },
    /// A code stands for nothing.
    Code,
    /// Low bits first, as some writers did before TIFF 5.
    OldStyle,
}

/// Fills `plain` from `coded`.
pub(super) fn unpack(coded: &[u8], plain: &mut [u8]) -> Result<(), Fault> {
    // High bits first, the clear code that must stand first begins with 1000_0000.
    if matches!(coded, [0, second, ..] if second & 1 == 1) {
        return Err(Fault::OldStyle);
    }
    // A string is its last byte, the code of the string before it, and its length.
    let mut last = [0_u8; MAX_CODES];
    let mut before = [0_u16; MAX_CODES];
    let mut len = [0_u16; MAX_CODES];
    for code in 0..256 {
        last[code] = code as u8;
        len[code] = 1;
    }
    let mut n_codes = 258;
    let mut width = 9;
    let mut previous: Option<u16> = None;
    let (mut bits, mut n_bits, mut at, mut got) = (0_u32, 0_u32, 0, 0);
    while got < plain.len() {
        while n_bits < width {
            let Some(byte) = coded.get(at) else { return Err(Fault::Short { got }) };
            bits = bits << 8 | u32::from(*byte);
            n_bits += 8;
            at += 1;
        }
        n_bits -= width;
        let code = (bits >> n_bits & ((1 << width) - 1)) as u16;
        match (code, previous) {
            (CLEAR, _) => {
                (n_codes, width, previous) = (258, 9, None);
                continue;
            }
            (END, _) => return Err(Fault::Short { got }),
            (code, None) => {
                if code > 255 {
                    return Err(Fault::Code);
                }
                plain[got] = code as u8;
                got += 1;
            }
            (code, Some(old)) => {
                let is_next = usize::from(code) == n_codes;
                if usize::from(code) > n_codes || (is_next && n_codes == MAX_CODES) {
                    return Err(Fault::Code);
                }
                // A code that is only just being made is the previous string and its own first byte again.
                let known = if is_next { old } else { code };
                let n = usize::from(len[usize::from(known)]);
                let end = got + n;
                let mut walk = known;
                let mut first = 0;
                for place in (got..end).rev() {
                    first = last[usize::from(walk)];
                    if let Some(slot) = plain.get_mut(place) {
                        *slot = first;
                    }
                    walk = before[usize::from(walk)];
                }
                got = end;
                if is_next {
                    if let Some(slot) = plain.get_mut(got) {
                        *slot = first;
                    }
                    got += 1;
                }
                if n_codes < MAX_CODES {
                    last[n_codes] = first;
                    before[n_codes] = old;
                    len[n_codes] = len[usize::from(old)] + 1;
                    n_codes += 1;
                }
            }
        }
        previous = Some(code);
        if n_codes + 1 >= 1 << width && width < 12 {
            width += 1;
        }
    }
    Ok(())
}
