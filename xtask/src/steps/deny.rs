//! `cargo deny`, where it is installed: advisories and sources on top of our own checks of licences and duplicates.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::outcome::Outcome;

/// Runs it as `deny.toml` says; where it is missing the step counts as skipped, never as passed.
pub fn run(root: &Path) -> Outcome {
    let installed = Command::new(cargo::program())
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        return Outcome::skip(
            "cargo-deny is not installed, so advisories were NOT checked (licences and duplicates were, by our own \
             steps); `cargo install cargo-deny --locked` gets it",
        );
    }
    Outcome::of_status(cargo::succeeds(root, &["deny", "--all-features", "check"], &[]), "cargo deny")
}
