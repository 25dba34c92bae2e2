//! From ids to text, as they come: only what later ids cannot change.

use super::Tokens;

/// Decodes one run of ids. What it has given out, joined, is what decoding them at once gives.
///
/// Byte tokens wait for the first other token: the decoder reads a run of them as UTF-8 as a whole, and one invalid
/// byte changes the text of all. Tokens flagged special, and ids that the vocabulary does not know, give no text.
#[derive(Debug)]
pub struct Detokenizer<'a> {
    tokens: &'a Tokens,
    /// The last ids that were given out, which a decoder may need to know what stands before.
    before: Vec<u32>,
    waiting: Vec<u32>,
}

impl<'a> Detokenizer<'a> {
    pub(super) fn new(tokens: &'a Tokens) -> Self {
        Self { tokens, before: Vec::new(), waiting: Vec::new() }
    }

    /// Takes an id; gives the text that became certain with it.
    pub fn push(&mut self, id: u32) -> String {
        if self.tokens.vocabulary.is_silent(id) {
            return String::new();
        }
        self.waiting.push(id);
        if self.tokens.vocabulary.is_byte(id) { String::new() } else { self.release() }
    }

    /// The text of what still waits; afterwards a new run begins.
    pub fn flush(&mut self) -> String {
        let text = if self.waiting.is_empty() { String::new() } else { self.release() };
        self.before.clear();
        text
    }

    fn release(&mut self) -> String {
        let known = self.tokens.decode(&self.before);
        let mut both = std::mem::take(&mut self.before);
        both.append(&mut self.waiting);
        let text = self.tokens.decode(&both);
        let new = text.get(known.len()..).unwrap_or_default().to_owned();
        // From the last token that is no byte on, so that no run of bytes is cut.
        let start = both.iter().rposition(|id| !self.tokens.vocabulary.is_byte(*id)).unwrap_or(0);
        self.before = both.split_off(start);
        new
    }
}
