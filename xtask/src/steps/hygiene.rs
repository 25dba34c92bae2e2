//! The repository stays small: no large file, and the goldens within their budget.

use std::path::Path;

use crate::outcome::Outcome;
use crate::tree;

const MIB: u64 = 1 << 20;

/// Largest committed file in bytes.
const FILE_LIMIT_BYTES: u64 = 4 * MIB;

/// Folders whose files are made by a script and kept, and how many bytes they may take together.
const MADE: [&str; 2] = ["reference/", "crates/models/phantom/"];
const MADE_LIMIT_BYTES: u64 = 4 * MIB;

/// Checks sizes, and that nothing that belongs to one machine is committed.
pub fn run(root: &Path) -> Outcome {
    match tree::files(root) {
        Ok(files) => {
            let sizes: Vec<(String, u64)> = files
                .into_iter()
                .map(|path| {
                    let bytes = root.join(&path).metadata().map_or(0, |metadata| metadata.len());
                    (path, bytes)
                })
                .collect();
            Outcome::of_findings(findings(&sizes))
        }
        Err(error) => Outcome::fail(error),
    }
}

fn findings(sizes: &[(String, u64)]) -> Vec<String> {
    let mut findings: Vec<String> = sizes
        .iter()
        .filter(|(_, bytes)| *bytes > FILE_LIMIT_BYTES)
        .map(|(path, bytes)| format!("{path} has {bytes} bytes; a file may have {FILE_LIMIT_BYTES}"))
        .collect();
    let made: u64 = sizes
        .iter()
        .filter(|(path, _)| MADE.iter().any(|folder| path.starts_with(folder)))
        .map(|(_, bytes)| bytes)
        .sum();
    if made > MADE_LIMIT_BYTES {
        findings.push(format!(
            "{} have {made} bytes together; they may have {MADE_LIMIT_BYTES}",
            MADE.join(" and ")
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_and_a_grown_budget_are_named() {
        let sizes = |list: &[(&str, u64)]| {
            list.iter().map(|&(path, bytes)| (path.to_owned(), bytes)).collect::<Vec<_>>()
        };
        assert!(findings(&sizes(&[("a", 4 * MIB), ("reference/b", 3 * MIB)])).is_empty());
        assert!(findings(&sizes(&[("a", 4 * MIB + 1)]))[0].starts_with("a has"));
        let grown = findings(&sizes(&[("reference/a", 3 * MIB), ("crates/models/phantom/b", MIB + 1)]));
        assert!(grown[0].contains("together"), "{grown:?}");
    }
}
