//! The list of a differential: one candidate a line with its tag, and the closing line.

use serde::{Deserialize, Serialize};

use super::lines::{item, plain, refusal};
use super::{Mismatch, Reply};

/// How often a candidate is the explanation, as the model tagged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frequency {
    /// `[common]`
    #[serde(rename = "common")]
    Common,
    /// `[less common]`
    #[serde(rename = "less common")]
    LessCommon,
    /// `[rare]`
    #[serde(rename = "rare")]
    Rare,
}

/// One line of a differential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What could explain the findings.
    pub name: String,
    /// Its tag.
    pub frequency: Frequency,
    /// What speaks for it; may be empty.
    pub reason: String,
}

/// A differential in the order of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differential {
    /// At least one candidate.
    pub candidates: Vec<Candidate>,
}

/// The line that closes every differential.
const CLOSING: &str = "Not a diagnosis.";

/// What a line of the list looks like.
const FORM: &str = "expected `- NAME [TAG]: REASON` with TAG common, less common or rare";

/// Reads the form that the prompt asks for: lines `- NAME [TAG]: REASON`, then `Not a diagnosis.` alone on the last.
///
/// Lines of prose between are allowed; a list item without a tag, an unknown tag, no item, or a missing closing line
/// is not.
///
/// # Errors
/// What was expected and where the text departs from it.
pub fn parse_differential(text: &str) -> Result<Reply<Differential>, Mismatch> {
    if let Some(reason) = refusal(text) {
        return Ok(Reply::Declined(reason));
    }
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    if lines.last().is_none_or(|last| plain(last) != CLOSING) {
        return Err(Mismatch::new(format!("expected the closing line `{CLOSING}`"), "end"));
    }
    let mut candidates = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(item) = item(line) {
            candidates.push(candidate(item).ok_or_else(|| Mismatch::at_line(FORM, index))?);
        }
    }
    if candidates.is_empty() {
        return Err(Mismatch::new(FORM, "nowhere"));
    }
    Ok(Reply::Given(Differential { candidates }))
}

fn candidate(item: &str) -> Option<Candidate> {
    let (name, rest) = item.split_once('[')?;
    let (tag, reason) = rest.split_once(']')?;
    let frequency = match tag.trim().to_ascii_lowercase().as_str() {
        "common" => Frequency::Common,
        "less common" => Frequency::LessCommon,
        "rare" => Frequency::Rare,
        _ => return None,
    };
    let name = plain(name);
    if name.is_empty() {
        return None;
    }
    let reason = reason.trim_start_matches(['*', '_', ':', ' ', '-', '–']).trim();
    Some(Candidate { name: name.to_owned(), frequency, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_prompt_is_read() {
        let text = "The film shows an opacity.\n- Pneumonia [common]: right lower zone\n2. **Abscess** [Less Common] – cavity\n* Sequestration [rare]\n\n**Not a diagnosis.**\n";
        let Ok(Reply::Given(differential)) = parse_differential(text) else { panic!("it reads") };
        let got: Vec<_> = differential
            .candidates
            .iter()
            .map(|c| (c.name.as_str(), c.frequency, c.reason.as_str()))
            .collect();
        assert_eq!(
            got,
            [
                ("Pneumonia", Frequency::Common, "right lower zone"),
                ("Abscess", Frequency::LessCommon, "cavity"),
                ("Sequestration", Frequency::Rare, ""),
            ]
        );
    }

    #[test]
    fn what_departs_from_the_form_is_named() {
        for (text, place) in [
            ("- Pneumonia [common]: x", "end"),
            ("", "end"),
            ("- Pneumonia [common]: x\nNot a diagnosis.\nTreat it.", "end"),
            ("Nothing.\nNot a diagnosis.", "nowhere"),
            ("- Pneumonia [likely]: x\nNot a diagnosis.", "line 1"),
            ("prose\n- Pneumonia\nNot a diagnosis.", "line 2"),
            ("- [rare]: x\nNot a diagnosis.", "line 1"),
        ] {
            assert_eq!(parse_differential(text).map_err(|m| m.place), Err(place.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn declining_is_not_a_mismatch() {
        assert_eq!(
            parse_differential("**Cannot assess:** the film is blank."),
            Ok(Reply::Declined("the film is blank.".to_owned()))
        );
    }
}
