//! The fuzz program: a short run with a fixed seed as a step of the check, any run as a command of its own.

use std::path::Path;
use std::process::Stdio;

use crate::cargo;
use crate::outcome::Outcome;

/// Seconds for each target in the check.
const SECONDS: &str = "3";

/// Same inputs on every run, so that a failure on the build machine is a failure here.
const SEED: &str = "1";

/// The step of the check.
pub fn run(root: &Path) -> Outcome {
    run_with(root, &["--seconds".to_owned(), SECONDS.to_owned(), "--seed".to_owned(), SEED.to_owned()])
}

/// Builds the program and runs it with `arguments`; each target counts as one check.
pub fn run_with(root: &Path, arguments: &[String]) -> Outcome {
    let output = cargo::command(root, &["run", "--quiet", "--locked", "--package", "lightbox-fuzz", "--"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => return Outcome::fail(format!("failed to run cargo: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    let mut outcome = Outcome::default();
    for line in text.lines() {
        match line.split_whitespace().next() {
            Some("ok") => outcome.passed += 1,
            Some("FAILED") => {
                outcome.failed += 1;
                outcome.notes.push(line.to_owned());
            }
            _ => {}
        }
    }
    if !output.status.success() && outcome.failed == 0 {
        outcome.failed = 1;
        outcome.notes.push("the fuzz program ended early; its output is above".to_owned());
    }
    outcome
}
