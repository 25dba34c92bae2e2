//! Everything that we build from may be passed on under permissive terms.

use std::path::Path;

use crate::metadata::Metadata;
use crate::outcome::Outcome;

/// Terms that ask for no more than their text and notices to be kept.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0", // the list of certificate authorities; data, not code
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Our own packages are Apache-2.0; every other has an expression that the list above fulfils.
pub fn run(root: &Path) -> Outcome {
    let metadata = match Metadata::read(root) {
        Ok(metadata) => metadata,
        Err(error) => return Outcome::fail(error),
    };
    let own = metadata
        .members()
        .filter(|package| package.license.as_deref() != Some("Apache-2.0"))
        .map(|package| format!("{} must be Apache-2.0: write `license.workspace = true`", package.name));
    let others = metadata.external().filter_map(|package| match package.license.as_deref() {
        None => Some(format!("{} {} states no licence", package.name, package.version)),
        Some(expression) => match is_permissive(expression) {
            Ok(true) => None,
            Ok(false) => Some(format!("{} {} is under `{expression}`", package.name, package.version)),
            Err(error) => Some(format!("{} {}: {error}", package.name, package.version)),
        },
    });
    Outcome::of_findings(own.chain(others).collect())
}

/// Whether an SPDX expression can be fulfilled by permissive licences alone.
///
/// `/` is read as `OR`, as crates.io once asked for it.
///
/// # Errors
/// An expression that is not well formed.
fn is_permissive(expression: &str) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let value = either(&words, &mut at);
    match value {
        Some(value) if at == words.len() => Ok(value),
        _ => Err(format!("`{expression}` is not an SPDX expression")),
    }
}

fn either(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut value = both(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        value |= both(words, at)?;
    }
    Some(value)
}

fn both(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut value = single(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        value &= single(words, at)?;
    }
    Some(value)
}

fn single(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let value = either(words, at)?;
        *at += 1;
        return (words.get(*at - 1) == Some(&")")).then_some(value);
    }
    if matches!(word, ")" | "OR" | "AND" | "WITH") {
        return None;
    }
    let mut name = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{word} WITH {}", words.get(*at + 1)?);
        *at += 2;
    }
    Some(PERMISSIVE.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_says() {
        let cases = [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("GPL-3.0-only AND MIT", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("(MIT OR Apache-2.0) AND MPL-2.0", Some(false)),
            ("MPL-2.0 AND MIT OR ISC", Some(true)),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", Some(true)),
            ("GPL-2.0-only WITH Classpath-exception-2.0", Some(false)),
            ("MIT Apache-2.0", None),
            ("(MIT", None),
            ("MIT OR", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(is_permissive(expression).ok(), expected, "{expression}");
        }
    }
}
