//! The sections of a findings summary.

use serde::{Deserialize, Serialize};

use super::lines::{item, refusal};
use super::{Mismatch, Reply};

/// A findings summary in the model's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// One entry a finding, the model's order; at least one.
    pub findings: Vec<String>,
    /// What the model says it cannot assess; empty if it names nothing, which is not the same as nothing.
    pub not_assessed: Vec<String>,
    /// The closing sentences.
    pub summary: String,
}

/// The headings of the form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Findings,
    NotAssessed,
    Summary,
}

/// Reads the form that the prompt asks for: the headings `FINDINGS`, `NOT ASSESSED` and `SUMMARY`, each followed by
/// lines.
///
/// Markdown, a colon behind a heading, text on the line of a heading, and prose instead of list items are allowed.
/// Lines before the first heading are left out of the value; they remain in the text of the generation.
///
/// # Errors
/// If `FINDINGS` or `SUMMARY` is missing or empty, or a heading stands twice.
pub fn parse_findings(text: &str) -> Result<Reply<Findings>, Mismatch> {
    if let Some(reason) = refusal(text) {
        return Ok(Reply::Declined(reason));
    }
    let mut seen: Vec<Section> = Vec::new();
    let mut value = Findings::default();
    let mut summary: Vec<&str> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut line = line.trim();
        if let Some((section, rest)) = heading(line) {
            if seen.contains(&section) {
                return Err(Mismatch::at_line("expected each heading once", index));
            }
            seen.push(section);
            line = rest;
        }
        if line.is_empty() {
            continue;
        }
        let entry = item(line).unwrap_or(line);
        match seen.last() {
            Some(Section::Findings) => value.findings.push(entry.to_owned()),
            // "None" under this heading says that nothing is withheld.
            Some(Section::NotAssessed) if is_none(entry) => {}
            Some(Section::NotAssessed) => value.not_assessed.push(entry.to_owned()),
            Some(Section::Summary) => summary.push(entry),
            None => {}
        }
    }
    value.summary = summary.join(" ");
    for (is_there, name) in [(!value.findings.is_empty(), "FINDINGS"), (!value.summary.is_empty(), "SUMMARY")]
    {
        if !is_there {
            return Err(Mismatch::new(
                format!("expected the heading `{name}` with text under it"),
                "nowhere",
            ));
        }
    }
    Ok(Reply::Given(value))
}

/// The section that a line opens, and what follows on the same line.
fn heading(line: &str) -> Option<(Section, &str)> {
    let bare = line.trim_start_matches(['#', '*', '_', ' ']);
    [("findings", Section::Findings), ("not assessed", Section::NotAssessed), ("summary", Section::Summary)]
        .into_iter()
        .find_map(|(name, section)| {
            let (words, rest) = bare.split_at_checked(name.len())?;
            if !words.eq_ignore_ascii_case(name) {
                return None;
            }
            // `Summary of findings` is prose; `SUMMARY`, `Summary:` and `**Summary:** text` are headings.
            let rest = rest.trim_start_matches(['*', '_', ' ']);
            let is_heading = rest.is_empty() || rest.starts_with(':');
            is_heading.then(|| (section, rest.trim_start_matches([':', '*', '_', ' ']).trim()))
        })
}

fn is_none(entry: &str) -> bool {
    ["none", "nothing", "n/a"].contains(&entry.trim_end_matches('.').to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Findings {
        match parse_findings(text) {
            Ok(Reply::Given(findings)) => findings,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn the_form_of_the_prompt_is_read_in_plain_text_and_in_markdown() {
        let expected = Findings {
            findings: vec!["Opacity, right lower zone.".to_owned(), "Heart of normal size.".to_owned()],
            not_assessed: vec!["Apices".to_owned()],
            summary: "One opacity. Compare with priors.".to_owned(),
        };
        for text in [
            "FINDINGS\n- Opacity, right lower zone.\n- Heart of normal size.\nNOT ASSESSED\n- Apices\nSUMMARY\nOne opacity. Compare with priors.",
            "Here is a draft.\n\n## Findings:\n* Opacity, right lower zone.\n* Heart of normal size.\n\n**Not assessed:** Apices\n\n**Summary:**\nOne opacity.\nCompare with priors.\n",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn none_under_not_assessed_is_an_empty_list() {
        let findings = read("FINDINGS\nClear.\nNOT ASSESSED\n- None.\nSUMMARY\nSummary of findings: normal.");
        assert_eq!(findings.not_assessed, Vec::<String>::new());
        assert_eq!(findings.summary, "Summary of findings: normal.");
    }

    #[test]
    fn what_departs_from_the_form_is_named() {
        for (text, expected, place) in [
            ("The lungs are clear.", "`FINDINGS`", "nowhere"),
            ("FINDINGS\nSUMMARY\nx", "`FINDINGS`", "nowhere"),
            ("FINDINGS\n- x", "`SUMMARY`", "nowhere"),
            ("FINDINGS\n- x\nSUMMARY\ny\nFindings:\n- z", "once", "line 5"),
        ] {
            let mismatch = parse_findings(text).expect_err(text);
            assert!(
                mismatch.expected.contains(expected) && mismatch.place == place,
                "{text:?}: {mismatch:?}"
            );
        }
    }
}
