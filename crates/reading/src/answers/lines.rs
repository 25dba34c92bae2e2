//! Lines of an answer, freed of the Markdown that models put around them.

/// The words with which a prompt lets the model decline.
const CANNOT: &str = "cannot assess:";

/// The reason, if the whole answer is one line `Cannot assess: REASON`.
pub(super) fn refusal(text: &str) -> Option<String> {
    let line = plain(text.trim());
    if line.contains('\n') {
        return None;
    }
    let (words, reason) = line.split_at_checked(CANNOT.len())?;
    let reason = reason.trim_matches(['*', '_', ' ']);
    (words.eq_ignore_ascii_case(CANNOT) && !reason.is_empty()).then(|| reason.to_owned())
}

/// A line without emphasis at its ends.
pub(super) fn plain(line: &str) -> &str {
    line.trim().trim_matches(['*', '_']).trim()
}

/// The text of a list item: after `-`, `*`, `•` or a number with a dot or bracket.
pub(super) fn item(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(rest) = ["- ", "* ", "• ", "– "].iter().find_map(|bullet| line.strip_prefix(bullet)) {
        return Some(rest.trim());
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = rest.len() < line.len();
    rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).filter(|_| is_numbered).map(str::trim)
}
