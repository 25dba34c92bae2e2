//! Steps that are one run of a tool that comes with Rust.

use std::path::Path;

use crate::cargo;
use crate::outcome::Outcome;

/// `cargo fmt` changes nothing.
pub fn format(root: &Path) -> Outcome {
    Outcome::of_status(cargo::succeeds(root, &["fmt", "--all", "--check"], &[]), "cargo fmt --check")
}

/// Clippy and the workspace's lints have nothing to say about any target. The flag comes after `--`, so that it
/// holds for our packages only and leaves what cargo has compiled of the others valid.
pub fn clippy(root: &Path) -> Outcome {
    let arguments = [
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    Outcome::of_status(cargo::succeeds(root, &arguments, &[]), "clippy")
}

/// The program builds, without a warning, with no code that could open a connection.
pub fn offline_build(root: &Path) -> Outcome {
    let arguments = [
        "clippy",
        "--quiet",
        "--locked",
        "--package",
        "lightbox",
        "--no-default-features",
        "--",
        "-D",
        "warnings",
    ];
    Outcome::of_status(cargo::succeeds(root, &arguments, &[]), "the build without the download feature")
}

/// The documentation of every item, private ones too, has no broken link.
pub fn docs(root: &Path) -> Outcome {
    let arguments = [
        "doc",
        "--quiet",
        "--locked",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--document-private-items",
    ];
    // Public pages may link to private items: with `--document-private-items` those links work.
    let flags = [("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")];
    Outcome::of_status(cargo::succeeds(root, &arguments, &flags), "cargo doc")
}
