//! The repository stays small: no large file, and the goldens within their budget.

use std::path::Path;

use crate::outcome::Outcome;
use crate::tree;

const MIB: u64 = 1 << 20;

/// Largest committed file in bytes.
const FILE_LIMIT_BYTES: u64 = 4 * MIB;

/// Most bytes of all files together that a script made: goldens, wherever they lie, and the bundled model.
const MADE_LIMIT_BYTES: u64 = 4 * MIB;

fn is_made(path: &str) -> bool {
    path.contains("/goldens/") || path.starts_with("crates/models/phantom/")
}

/// Checks the sizes of all files that are committed or would be.
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
    let made: u64 = sizes.iter().filter(|(path, _)| is_made(path)).map(|(_, bytes)| bytes).sum();
    if made > MADE_LIMIT_BYTES {
        findings.push(format!(
            "goldens and the bundled model have {made} bytes together; they may have {MADE_LIMIT_BYTES}"
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
        assert!(findings(&sizes(&[("a", 4 * MIB), ("reference/goldens/b", 3 * MIB)])).is_empty());
        assert!(findings(&sizes(&[("a", 4 * MIB + 1)]))[0].starts_with("a has"));
        let grown = findings(&sizes(&[
            ("crates/intake/tests/goldens/a", 3 * MIB),
            ("crates/models/phantom/b", MIB + 1),
        ]));
        assert!(grown[0].contains("together"), "{grown:?}");
    }
}
