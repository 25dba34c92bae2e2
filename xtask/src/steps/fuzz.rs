//! The fuzz program: a short run with a fixed seed as a step of the check, any run as a command of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::metadata::Metadata;
use crate::outcome::Outcome;

/// Seconds for each target in the check.
const SECONDS: &str = "3";

/// The same sequence of mutations on every run; how far it gets depends on the machine.
const SEED: &str = "1";

/// The step of the check.
pub fn run(root: &Path) -> Outcome {
    run_with(root, &["--seconds".to_owned(), SECONDS.to_owned(), "--seed".to_owned(), SEED.to_owned()])
}

/// Typed for long runs: the program is optimised and still panics where arithmetic overflows.
const RELEASE: &str = "--release";

/// The profile of Cargo.toml that `--release` stands for; its name is also that of its folder.
const CHECKED: &str = "checked";

/// Builds the program and runs it with `arguments`; each target counts as one check.
pub fn run_with(root: &Path, arguments: &[String]) -> Outcome {
    let is_release = arguments.iter().any(|argument| argument == RELEASE);
    let arguments: Vec<&String> = arguments.iter().filter(|argument| *argument != RELEASE).collect();
    let (profile, folder) = if is_release { (CHECKED, CHECKED) } else { ("dev", "debug") };
    // As part of the workspace: built alone, its dependencies would get other features than for the tests and be
    // compiled once more.
    let build =
        ["build", "--quiet", "--locked", "--workspace", "--bin", "lightbox-fuzz", "--profile", profile];
    if !cargo::succeeds(root, &build, &[]) {
        return Outcome::fail("the fuzz program does not build; cargo's output is above");
    }
    let program = match Metadata::read(root) {
        Ok(metadata) => metadata.target_directory.join(folder).join("lightbox-fuzz"),
        Err(error) => return Outcome::fail(error),
    };
    let child = Command::new(&program).args(arguments).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Outcome::fail(format!("failed to run {}: {error}", program.display())),
    };
    let mut outcome = Outcome::default();
    if let Some(stream) = child.stdout.take() {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            println!("{line}");
            match line.split_whitespace().next() {
                Some("ok") => outcome.passed += 1,
                Some("FAILED") => {
                    outcome.failed += 1;
                    outcome.notes.push(line);
                }
                _ => {}
            }
        }
    }
    if !child.wait().is_ok_and(|status| status.success()) && outcome.failed == 0 {
        outcome.failed = 1;
        outcome.notes.push("the fuzz program ended early; its output is above".to_owned());
    }
    outcome
}
