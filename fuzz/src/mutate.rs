//! From an input to another that is a little wrong.

use crate::random::Random;

/// Inputs do not grow past this: parsers' faults show in small ones.
pub const MAX_BYTES: usize = 1 << 16;

/// Numbers at which sizes and offsets go wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// The same as text, for formats that are text.
const EDGE_WORDS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "00",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e-400",
    "0.5",
    "null",
];

/// Changes `input` in one to four ways. `other` is an input to take pieces from, `words` are the target's own.
pub fn mutate(random: &mut Random, input: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    for _ in 0..1 + random.below(4) {
        once(random, input, other, words);
        input.truncate(MAX_BYTES);
    }
}

fn once(random: &mut Random, input: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    let at = random.below(input.len() + 1);
    match random.below(12) {
        0 | 1 if at < input.len() => input[at] ^= 1 << random.below(8),
        2 if at < input.len() => input[at] = random.bits() as u8,
        3 if at < input.len() => input[at] = input[at].wrapping_add((random.below(17) as u8).wrapping_sub(8)),
        4 => {
            let value = *random.choice(&EDGES);
            let width = *random.choice(&[1, 2, 4, 8]);
            let bytes = value.to_le_bytes();
            let mut bytes = bytes[..width].to_vec();
            if random.below(2) == 0 {
                bytes.reverse();
            }
            overwrite(input, at, &bytes);
        }
        5 => drop(input.drain(at..at + random.below(input.len() - at + 1).min(64))),
        6 => {
            let from = random.below(input.len() + 1);
            let piece = input[from..from + random.below(input.len() - from + 1).min(256)].to_vec();
            let times = 1 + random.below(8);
            insert(input, at, &piece.repeat(times));
        }
        7 => input.truncate(at),
        8 => {
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        9 if !words.is_empty() => {
            let word = *random.choice(words);
            if random.below(2) == 0 { insert(input, at, word) } else { overwrite(input, at, word) }
        }
        10 => replace_number(random, input, at),
        _ => {
            let byte = *random.choice(b"\0\xff{}[]\",:\\%<>'\n ");
            let times = if random.below(8) == 0 { 1 + random.below(4000) } else { 1 };
            insert(input, at, &vec![byte; times]);
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let room = MAX_BYTES.saturating_sub(input.len());
    input.splice(at..at, bytes.iter().take(room).copied());
}

fn overwrite(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in input.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// Puts another number in place of the next run of digits.
fn replace_number(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    if let Some(start) = input.iter().skip(at).position(is_digit).map(|ahead| at + ahead) {
        let length = input[start..].iter().take_while(|byte| is_digit(byte)).count();
        input.splice(start..start + length, random.choice(&EDGE_WORDS).bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_stay_small_and_follow_the_seed() {
        let run = |seed| {
            let mut random = Random::new(seed);
            let mut input = b"{\"width\": 12, \"name\": \"x\"}".to_vec();
            let mut all = Vec::new();
            for _ in 0..5000 {
                mutate(&mut random, &mut input, b"other", &[b"word"]);
                assert!(input.len() <= MAX_BYTES);
                all.push(input.clone());
            }
            all
        };
        let first = run(7);
        assert_eq!(first, run(7));
        assert_ne!(first, run(8));
        let distinct: std::collections::BTreeSet<_> = first.iter().collect();
        assert!(distinct.len() > 2500, "{}", distinct.len());
    }

    #[test]
    fn numbers_in_text_become_edge_cases() {
        let mut random = Random::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut input = b"[12]".to_vec();
            replace_number(&mut random, &mut input, 0);
            seen.insert(input);
        }
        assert_eq!(seen.len(), EDGE_WORDS.len());
    }
}
