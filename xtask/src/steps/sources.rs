//! What the sources must not contain.

use std::path::Path;

use crate::outcome::Outcome;
use crate::{rust_text, tree};

/// Past this a file is asked whether it is two.
const LIMIT_LINES: usize = 600;

/// Longer files, and why each is one.
const LONGER: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside, so that everything ends up there.
const VAGUE: &[&str] = &["core", "common", "util", "utils", "types", "helper", "helpers", "shared", "misc"];

/// Code that is not finished or hides that it is not used.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!", "allow(dead_code)"];

/// Checks every Rust file of the repository.
pub fn run(root: &Path) -> Outcome {
    let sources = match tree::texts(root, ".rs") {
        Ok(sources) => sources,
        Err(error) => return Outcome::fail(error),
    };
    let mut findings: Vec<String> = sources.iter().flat_map(|(path, text)| about(path, text)).collect();
    for (path, _) in LONGER {
        if !sources.iter().any(|(found, text)| found == path && text.lines().count() > LIMIT_LINES) {
            findings.push(format!(
                "{path} is not longer than {LIMIT_LINES} lines: take it off the list in sources.rs"
            ));
        }
    }
    findings.extend(native_builds(root));
    Outcome::of_findings(findings)
}

fn about(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > LIMIT_LINES && !LONGER.iter().any(|(longer, _)| *longer == path) {
        findings.push(format!(
            "{path} has {lines} lines; past {LIMIT_LINES} split it, or give the reason in xtask/src/steps/sources.rs"
        ));
    }
    for name in path.split('/') {
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        if VAGUE.contains(&stem) {
            findings.push(format!("{path}: `{stem}` says nothing; name the file after what it holds"));
        }
    }
    let code = rust_text::code_of(text);
    for word in UNFINISHED {
        for line in rust_text::lines_with(&code, word) {
            findings.push(format!("{path}:{line} has `{word}`"));
        }
    }
    findings
}

/// One build serves every machine: no file that cargo reads may ask for the CPU at hand.
fn native_builds(root: &Path) -> Vec<String> {
    let read = |ending| tree::texts(root, ending).unwrap_or_default();
    read(".toml")
        .into_iter()
        .filter(|(_, text)| text.contains("target-cpu"))
        .map(|(path, _)| format!("{path} sets target-cpu; CPU features are found at run time"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vague_and_unfinished_files_are_named() {
        let long = "x\n".repeat(LIMIT_LINES + 1);
        for (path, text, says) in [
            ("crates/a/src/b.rs", long.as_str(), "601 lines"),
            ("crates/a/src/utils/b.rs", "", "`utils`"),
            ("crates/a/src/types.rs", "", "`types`"),
            ("crates/a/src/b.rs", "fn f() {\n    todo!()\n}", "b.rs:2 has `todo!`"),
            ("crates/a/src/b.rs", "#[allow(dead_code)]\nfn f() {}", "b.rs:1"),
        ] {
            let findings = about(path, text);
            assert!(findings.len() == 1 && findings[0].contains(says), "{path}: {findings:?}");
        }
        assert!(about("crates/a/src/tokens.rs", "// todo!() in words\nfn f() {}\n").is_empty());
    }
}
