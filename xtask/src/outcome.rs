//! How a step ended, in numbers that add up to the closing line.

/// What a step counted. A step that checks one thing counts one; the test steps count tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Checks that hold.
    pub passed: usize,
    /// Checks that do not.
    pub failed: usize,
    /// Checks that did not run; each has a note that says why.
    pub skipped: usize,
    /// Lines for the reader, printed under the table as well where they matter to the result.
    pub notes: Vec<String>,
}

impl Outcome {
    /// One check that holds.
    pub fn pass() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// One check that does not.
    pub fn fail(why: impl Into<String>) -> Self {
        Self { failed: 1, notes: vec![why.into()], ..Self::default() }
    }

    /// One check that did not run.
    pub fn skip(why: impl Into<String>) -> Self {
        Self { skipped: 1, notes: vec![why.into()], ..Self::default() }
    }

    /// One check over many places: it holds when nothing was found.
    pub fn of_findings(findings: Vec<String>) -> Self {
        if findings.is_empty() {
            Self::pass()
        } else {
            Self { failed: 1, notes: findings, ..Self::default() }
        }
    }

    /// One check that is a program's exit status.
    pub fn of_status(succeeded: bool, what: &str) -> Self {
        if succeeded { Self::pass() } else { Self::fail(format!("{what} failed; its output is above")) }
    }

    /// One word for the table.
    pub fn word(&self) -> &'static str {
        match (self.failed, self.passed, self.skipped) {
            (0, 0, 0) => "nothing ran",
            (0, 0, _) => "SKIPPED",
            (0, _, _) => "ok",
            _ => "FAILED",
        }
    }
}
