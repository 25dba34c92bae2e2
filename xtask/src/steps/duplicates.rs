//! No package is built in two versions, except where someone wrote down why.

use std::path::Path;

use crate::metadata::Metadata;
use crate::outcome::Outcome;

/// Packages that may appear in several versions, and who brings the older one.
const ALLOWED: &[(&str, &str)] = &[
    ("base64", "tokenizers' spm_precompiled still uses 0.13; ours is the current one"),
    ("getrandom", "ring uses 0.2 and rand (through tokenizers) 0.3; ours is the current one"),
    ("itertools", "tokenizers uses 0.14; dicom-core has moved on"),
    ("miniz_oxide", "png asks for 0.8 itself and for flate2, which has moved to 0.9"),
    ("rand_core", "rand (through tokenizers) uses 0.9; the cipher has moved on"),
    ("syn", "build time only: derive macros are moving from 2 to 3"),
];

/// Fails on a duplicate that is not on the list, and on a line of the list that has become untrue.
pub fn run(root: &Path) -> Outcome {
    match Metadata::read(root) {
        Ok(metadata) => Outcome::of_findings(findings(&metadata)),
        Err(error) => Outcome::fail(error),
    }
}

fn findings(metadata: &Metadata) -> Vec<String> {
    let versions = metadata.versions();
    let several = |name: &str| versions.get(name).is_some_and(|versions| versions.len() > 1);
    let unexplained = versions
        .iter()
        .filter(|(name, _)| several(name) && !ALLOWED.iter().any(|(allowed, _)| allowed == *name))
        .map(|(name, versions)| {
            format!(
                "{name} is built in versions {}; find who brings them with `cargo tree -i {name}@VERSION`, then \
                 align them or give the reason in xtask/src/steps/duplicates.rs",
                versions.join(", ")
            )
        });
    let outdated = ALLOWED.iter().filter(|(name, _)| !several(name)).map(|(name, _)| {
        format!("{name} is no longer a duplicate: take it off xtask/src/steps/duplicates.rs")
    });
    unexplained.chain(outdated).collect()
}
