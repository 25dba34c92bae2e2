//! Stop strings in a text that comes in pieces.

/// Looks for the request's stop strings and holds back what may become one.
#[derive(Debug)]
pub(super) struct Stops<'a> {
    stops: &'a [String],
    held: String,
    found: bool,
}

impl<'a> Stops<'a> {
    pub(super) fn new(stops: &'a [String]) -> Self {
        Self { stops, held: String::new(), found: false }
    }

    /// Takes a piece; gives what can be no part of a stop string. After one was found, nothing more comes.
    pub(super) fn push(&mut self, text: &str) -> String {
        if self.found {
            return String::new();
        }
        self.held.push_str(text);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            self.found = true;
            self.held.truncate(at);
            return std::mem::take(&mut self.held);
        }
        let keep_from = self
            .held
            .char_indices()
            .map(|(at, _)| at)
            .find(|&at| self.stops.iter().any(|stop| stop.starts_with(&self.held[at..])))
            .unwrap_or(self.held.len());
        let held = self.held.split_off(keep_from);
        std::mem::replace(&mut self.held, held)
    }

    /// What was held back in vain.
    pub(super) fn flush(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    pub(super) fn found(&self) -> bool {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_before_a_stop_string_is_shown_and_nothing_of_it_or_after() {
        for (stops, pieces, shown, found) in [
            (vec![], vec!["a", "b"], "ab", false),
            (vec!["END"], vec!["abc E", "N", "D x"], "abc ", true),
            (vec!["END"], vec!["abc E", "N", "T"], "abc ENT", false),
            (vec!["END"], vec!["EEN", "D"], "E", true),
            (vec!["bc", "abcd"], vec!["ab", "cd"], "", true),
            (vec!["ß"], vec!["gro", "ß"], "gro", true),
            (vec!["END"], vec!["ends in EN"], "ends in EN", false),
        ] {
            let stops: Vec<String> = stops.into_iter().map(str::to_owned).collect();
            let mut state = Stops::new(&stops);
            let mut text: String = pieces.iter().map(|piece| state.push(piece)).collect();
            text.push_str(&state.flush());
            assert_eq!((text.as_str(), state.found()), (shown, found), "{stops:?} {pieces:?}");
        }
    }

    #[test]
    fn what_cannot_become_a_stop_string_is_shown_at_once() {
        let stops = vec!["\n\n".to_owned()];
        let mut state = Stops::new(&stops);
        assert_eq!(state.push("first\n"), "first");
        assert_eq!(state.push("second"), "\nsecond");
    }
}
