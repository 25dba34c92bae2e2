//! Looks up code words of significance and exponents: which samples of a quad are not zero, and what is known of their
//! exponents (T.814, 7.3.5 and annex C).

use super::code_words::{FIRST_ROW, OTHER_ROWS};

/// Bits of the longest code word.
const LONGEST: u32 = 7;

/// Entries of one table: eight contexts of 2⁷ bit strings.
pub(super) const N_ENTRIES: usize = 8 << LONGEST;

/// A table by context (upper bits) and by the next seven bits of the VLC string (lower bits).
pub(super) type Table = [u16; N_ENTRIES];

/// Quads of the first row.
pub(super) static FIRST: Table = expand(&FIRST_ROW);

/// Quads of the other rows.
pub(super) static OTHER: Table = expand(&OTHER_ROWS);

/// The entry that begins the bits of `peeked`, in context 0 to 7.
#[inline]
pub(super) fn look_up(table: &Table, context: u32, peeked: u32) -> u16 {
    table[(context << LONGEST | peeked & ((1 << LONGEST) - 1)) as usize % N_ENTRIES]
}

/// Length in bits of an entry's code word.
#[inline]
pub(super) fn length(entry: u16) -> u32 {
    u32::from(entry & 7)
}

/// Gives every code word all the entries that begin with it.
const fn expand(contexts: &[&[u16]; 8]) -> Table {
    let mut table = [0; N_ENTRIES];
    let mut context = 0;
    while context < 8 {
        let words = contexts[context];
        // Bits as they are read, the first one on top: the code words follow each other in this order.
        let mut first: u32 = 0;
        let mut word = 0;
        while word < words.len() {
            let n_entries = 1 << (LONGEST - (words[word] & 7) as u32);
            let mut entry = first;
            while entry < first + n_entries {
                // The bits as they are held, the first one at the bottom.
                let held = (entry as u8).reverse_bits() >> (8 - LONGEST);
                table[context << LONGEST | held as usize] = words[word];
                entry += 1;
            }
            first += n_entries;
            word += 1;
        }
        assert!(first == 1 << LONGEST, "the code words of a context are complete");
        context += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_words_of_a_context_are_complete_and_tell_apart() {
        for (name, contexts) in [("first row", FIRST_ROW), ("other rows", OTHER_ROWS)] {
            for (context, words) in contexts.iter().enumerate() {
                let space: u32 = words.iter().map(|word| 128 >> (word & 7)).sum();
                assert_eq!(space, 128, "{name}, context {context}: the code is complete");
                let mut meanings: Vec<u16> = words.iter().map(|word| word >> 3).collect();
                meanings.sort_unstable();
                meanings.dedup();
                assert_eq!(
                    meanings.len(),
                    words.len(),
                    "{name}, context {context}: each meaning has one word"
                );
                for word in *words {
                    let (rho, known, one) = (word >> 4 & 15, word >> 12, word >> 8 & 15);
                    assert_eq!(
                        known & !rho,
                        0,
                        "{name}, {word:04x}: exponents are of samples that are not zero"
                    );
                    assert_eq!(
                        one & !known,
                        0,
                        "{name}, {word:04x}: a bit of an exponent is one that is known"
                    );
                    assert!(
                        word & 8 != 0 || known == 0,
                        "{name}, {word:04x}: without an offset nothing is known"
                    );
                    assert!(context != 0 || rho != 0, "{name}: context 0 leaves empty quads to the MEL code");
                }
            }
        }
    }
}
