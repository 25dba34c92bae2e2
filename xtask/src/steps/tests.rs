//! The tests, counted one by one, those that could not run too.
//!
//! A test that lacks what it needs prints one line `SKIPPED: <test>: <why>` and returns. libtest counts it as
//! passed, so it is run with `--show-output` and such lines are moved from the passed to the skipped ones here.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::cargo;
use crate::outcome::Outcome;

/// What a test that cannot run begins its line with.
const SKIPPED: &str = "SKIPPED: ";

/// Unit and integration tests of every package.
pub fn tests(root: &Path) -> Outcome {
    run(root, &["test", "--locked", "--workspace", "--all-targets", "--no-fail-fast"])
}

/// Examples in the documentation.
pub fn doc_tests(root: &Path) -> Outcome {
    run(root, &["test", "--locked", "--workspace", "--doc", "--no-fail-fast"])
}

fn run(root: &Path, arguments: &[&str]) -> Outcome {
    let child = cargo::command(root, arguments)
        .args(["--", "--show-output"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Outcome::fail(format!("failed to run cargo test: {error}")),
    };
    // A test may write its line past libtest's capture, straight to standard error: both streams are read.
    let errors = child.stderr.take().map(|stream| {
        std::thread::spawn(move || {
            let mut skipped = Vec::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                eprintln!("{line}");
                skipped.extend(skipped_test(&line));
            }
            skipped
        })
    });
    let mut tally = Tally::default();
    if let Some(stream) = child.stdout.take() {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if tally.read(&line) {
                println!("{line}");
            }
        }
    }
    let straight = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    tally.skipped_tests.extend(straight);
    tally.outcome(child.wait().is_ok_and(|status| status.success()))
}

/// The part of a line that names a test and says why it did not run.
fn skipped_test(line: &str) -> Option<String> {
    line.find(SKIPPED).map(|at| line[at..].trim_end().to_owned())
}

/// What has been read of libtest's output.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
    skipped_tests: BTreeSet<String>,
    failed_tests: Vec<String>,
    in_output_of_passed: bool,
}

impl Tally {
    /// Takes one line and says whether a person should see it: failures, totals and skips, not the output of
    /// tests that passed.
    fn read(&mut self, line: &str) -> bool {
        if let Some(test) = skipped_test(line) {
            return self.skipped_tests.insert(test);
        }
        if line.starts_with("test ") && line.ends_with(" ... FAILED") {
            self.failed_tests.push(line.to_owned());
        }
        if line == "successes:" {
            self.in_output_of_passed = true;
        } else if line == "failures:" || line.starts_with("running ") {
            self.in_output_of_passed = false;
        } else if let Some(totals) = line.strip_prefix("test result: ") {
            self.in_output_of_passed = false;
            self.passed += number_before(totals, " passed");
            self.failed += number_before(totals, " failed");
            self.ignored += number_before(totals, " ignored");
        }
        !self.in_output_of_passed
            && !line.ends_with(" ... ok")
            && !line.is_empty()
            && !line.starts_with("running ")
    }

    fn outcome(self, succeeded: bool) -> Outcome {
        let skipped = self.skipped_tests.len();
        let mut notes = self.failed_tests;
        notes.extend(self.skipped_tests);
        if self.ignored > 0 {
            notes.push(format!("{} tests are marked #[ignore] and did not run", self.ignored));
        }
        let mut failed = self.failed;
        if !succeeded && failed == 0 {
            failed = 1;
            notes.push("cargo test failed before or outside of a test; its output is above".to_owned());
        }
        Outcome {
            passed: self.passed.saturating_sub(skipped),
            failed,
            skipped: skipped + self.ignored,
            notes,
        }
    }
}

/// The number that stands before `word` in a line of totals; 0 where there is none.
fn number_before(totals: &str, word: &str) -> usize {
    totals
        .find(word)
        .and_then(|end| totals[..end].rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn read(lines: &str, succeeded: bool) -> (Outcome, Vec<String>) {
        let mut tally = Tally::default();
        let shown = lines.lines().filter(|line| tally.read(line)).map(str::to_owned).collect();
        (tally.outcome(succeeded), shown)
    }

    #[test]
    fn skips_are_taken_from_the_passed_tests() {
        let lines = "\nrunning 3 tests\ntest a ... ok\ntest b ... ok\ntest c ... ignored\n\nsuccesses:\n\n\
            ---- b stdout ----\nnoise\nSKIPPED: b: no folder of real films\n\n\nsuccesses:\n    a\n    b\n\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        let (outcome, shown) = read(lines, true);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (1, 0, 2));
        assert!(outcome.notes[0].contains("no folder of real films"));
        assert!(!shown.iter().any(|line| line == "noise"), "{shown:?}");
        assert!(shown.iter().any(|line| line.starts_with("SKIPPED: b")), "{shown:?}");
    }

    #[test]
    fn failures_are_shown_and_counted_over_several_programs() {
        let lines = "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nleft: 1\n\n\
            test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
            test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let (outcome, shown) = read(lines, false);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (19, 1, 0));
        assert!(shown.iter().any(|line| line == "left: 1"));
        assert_eq!(outcome.notes, ["test a ... FAILED"]);
    }

    #[test]
    fn a_build_that_fails_is_a_failure_though_no_test_ran() {
        let (outcome, _) = read("", false);
        assert_eq!((outcome.passed, outcome.failed), (0, 1));
    }
}
