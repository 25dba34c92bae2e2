//! Links between the pages of the repository lead somewhere.

use std::path::Path;

use crate::outcome::Outcome;
use crate::tree;

/// Checks every relative link in every Markdown file. Links out of the repository are not followed.
pub fn run(root: &Path) -> Outcome {
    let pages = match tree::texts(root, ".md") {
        Ok(pages) => pages,
        Err(error) => return Outcome::fail(error),
    };
    let mut findings = Vec::new();
    for (path, text) in &pages {
        let folder = root.join(path).parent().map(Path::to_path_buf).unwrap_or_default();
        for target in targets(text) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !folder.join(file).exists() {
                findings.push(format!("{path} links to {target}, which is not there"));
            }
        }
    }
    Outcome::of_findings(findings)
}

/// The relative targets of `[text](target)` outside of code.
fn targets(page: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second piece between back quotes is code.
        for text in line.split('`').step_by(2) {
            found.extend(text.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        }
    }
    found.retain(|target| !target.contains("://") && !target.starts_with("mailto:"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_targets_are_found_and_code_is_not_read() {
        let page = "[a](A.md) and [b](docs/b.md#part)\n```\n[no](no.md)\n```\n`[no](no.md)` [w](https://x.y) [c](#c)";
        assert_eq!(targets(page), ["A.md", "docs/b.md#part", "#c"]);
        assert_eq!(targets("[`code`](x.md)"), ["x.md"]);
    }
}
