//! The word that begins a thinking block of this family, which is no part of the thought.

/// After the marker that opens the block.
const HEADER: &str = "thought\n";

/// Takes the header away from a block that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Header {
    held: String,
    passed: bool,
}

impl Header {
    /// Takes a piece; gives what can be no part of the header.
    pub(super) fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        if !self.passed && HEADER.len() > self.held.len() && HEADER.starts_with(&self.held) {
            return String::new();
        }
        let all = std::mem::take(&mut self.held);
        if std::mem::replace(&mut self.passed, true) {
            return all;
        }
        all.strip_prefix(HEADER).map(str::to_owned).unwrap_or(all)
    }

    /// What was held back in vain.
    pub(super) fn flush(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_goes_and_nothing_else_does() {
        for (pieces, shown) in [
            (vec!["thought\n", "a"], "a"),
            (vec!["tho", "ught", "\na\nthought\nb"], "a\nthought\nb"),
            (vec!["thought", " a"], "thought a"),
            (vec!["though"], "though"),
            (vec!["", "a", "thought\n"], "athought\n"),
            (vec![], ""),
        ] {
            let mut header = Header::default();
            let mut text: String = pieces.iter().map(|piece| header.push(piece)).collect();
            text.push_str(&header.flush());
            assert_eq!(text, shown, "{pieces:?}");
        }
    }
}
