//! Tokens guessed from what was said before, so that one pass over the weights can check several.
//!
//! Prompt lookup (Saxena, "Prompt Lookup Decoding", 2023; Yang et al., "Inference with Reference", 2023): where the
//! last tokens stood before, the tokens that followed them there are a good guess. A guess is fed beside the token
//! that was chosen, as further rows of the same step, and taken only where the model chooses the same: a row's bits
//! depend on that row alone, so the tokens are those of a run without guesses, sampled ones included.

/// Tokens guessed at most: with the chosen one, as many rows as a product streams through the weights once.
pub const MAX_DRAFT: usize = 3;

/// Shortest run of tokens that must have stood before.
const SHORTEST_MATCH: usize = 2;
/// Longest run that is asked for, after guesses that failed.
const LONGEST_MATCH: usize = 8;

/// What was said so far, and how well guesses went.
pub struct Speculation {
    ids: Vec<u32>,
    /// Ids from here on cannot be fed as tokens, nor can `never`: a picture's soft tokens.
    vocab_size: usize,
    never: Option<u32>,
    /// Run that must match: longer after a guess that failed at once, shorter after one that held.
    wanted_match: usize,
}

impl Speculation {
    /// Begins after a prompt; ids that are not below `vocab_size`, and `soft`, are never guessed.
    #[must_use]
    pub fn new(prompt: &[u32], vocab_size: usize, soft: Option<u32>) -> Self {
        Self { ids: prompt.to_vec(), vocab_size, never: soft, wanted_match: SHORTEST_MATCH }
    }

    /// Takes note of a token that was chosen.
    pub fn push(&mut self, id: u32) {
        self.ids.push(id);
    }

    /// Guesses what follows, at most `most` tokens; nothing where nothing stood before.
    #[must_use]
    pub fn draft(&self, most: usize) -> &[u32] {
        let n = self.ids.len();
        let Some(earlier) = n.checked_sub(self.wanted_match) else { return &[] };
        let tail = &self.ids[earlier..];
        // The latest place: what was said last is likelier to be said again.
        let found = (0..earlier).rev().find(|&at| self.ids[at..at + tail.len()] == *tail);
        let Some(at) = found else { return &[] };
        let follows = &self.ids[at + tail.len()..];
        let fits = follows.iter().take(most.min(MAX_DRAFT)).take_while(|id| self.can_be_fed(**id)).count();
        &follows[..fits]
    }

    /// Learns that `accepted` of `drafted` tokens were chosen.
    pub fn heard(&mut self, drafted: usize, accepted: usize) {
        self.wanted_match = match (drafted, accepted) {
            (0, _) => self.wanted_match,
            (_, 0) => (self.wanted_match + 1).min(LONGEST_MATCH),
            _ => (self.wanted_match - 1).max(SHORTEST_MATCH),
        };
    }

    fn can_be_fed(&self, id: u32) -> bool {
        (id as usize) < self.vocab_size && Some(id) != self.never
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_followed_the_same_words_is_guessed() {
        let table: [(&[u32], usize, &[u32]); 8] = [
            (&[1, 2, 3, 4, 1, 2], 5, &[3, 4, 1]), // as many as a step takes
            (&[1, 2, 3, 4, 1, 2], 2, &[3, 4]),
            (&[1, 2, 3, 1, 2, 4, 1, 2], 1, &[4]), // the latest place
            (&[7, 7, 7], 5, &[7]),                // overlapping itself
            (&[1, 2, 90, 5, 1, 2], 5, &[]),       // a picture's token
            (&[1, 2, 3, 100, 5, 1, 2], 5, &[3]),  // a row that the table lacks
            (&[1, 2, 3, 4, 5], 5, &[]),           // nothing stood before
            (&[1], 5, &[]),
        ];
        for (ids, most, expected) in table {
            assert_eq!(Speculation::new(ids, 100, Some(90)).draft(most), expected, "{ids:?}");
        }
    }

    #[test]
    fn guesses_that_fail_ask_for_longer_matches() {
        let mut speculation = Speculation::new(&[9, 1, 2, 3, 8, 1, 2], 100, None);
        assert_eq!(speculation.draft(1), [3]);
        speculation.heard(1, 0);
        assert!(speculation.draft(1).is_empty(), "three in a row did not stand before");
        speculation.heard(0, 0);
        assert!(speculation.draft(1).is_empty(), "no guess teaches nothing");
        speculation.heard(1, 1);
        speculation.push(3);
        assert_eq!(speculation.draft(1), [8]);
        for _ in 0..20 {
            speculation.heard(5, 0);
        }
        assert_eq!(speculation.wanted_match, LONGEST_MATCH);
    }
}
