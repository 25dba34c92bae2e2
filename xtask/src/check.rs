//! The steps of `cargo xtask check`, their order, and the table at the end.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::outcome::Outcome;
use crate::steps;

/// One thing that must hold.
pub struct Step {
    /// As typed after `--only` and `--skip`.
    pub name: &'static str,
    run: fn(&Path) -> Outcome,
}

/// Every step: those that answer in a second first, those that share compiled code beside each other.
pub const STEPS: &[Step] = &[
    Step { name: "format", run: steps::compiler::format },
    Step { name: "sources", run: steps::sources::run },
    Step { name: "walls", run: steps::walls::run },
    Step { name: "licences", run: steps::licences::run },
    Step { name: "duplicates", run: steps::duplicates::run },
    Step { name: "hygiene", run: steps::hygiene::run },
    Step { name: "links", run: steps::links::run },
    Step { name: "clippy", run: steps::compiler::clippy },
    Step { name: "offline-build", run: steps::compiler::offline_build },
    Step { name: "tests", run: steps::tests::tests },
    Step { name: "doc-tests", run: steps::tests::doc_tests },
    Step { name: "docs", run: steps::compiler::docs },
    Step { name: "fuzz", run: steps::fuzz::run },
    Step { name: "deny", run: steps::deny::run },
];

/// Runs the chosen steps, prints the table and the closing line, and says whether nothing failed.
///
/// A step left out with `skip` is the caller's wish and is not counted; a step that could not run is.
pub fn run(root: &Path, only: &[String], skip: &[String]) -> bool {
    let chosen = STEPS.iter().filter(|step| {
        (only.is_empty() || only.iter().any(|name| name == step.name))
            && !skip.iter().any(|name| name == step.name)
    });
    let mut rows = Vec::new();
    for step in chosen {
        eprintln!("── {}", step.name);
        let start = Instant::now();
        let outcome = (step.run)(root);
        for note in &outcome.notes {
            eprintln!("   {note}");
        }
        rows.push((step.name, outcome, start.elapsed()));
    }
    print!("{}", table(&rows));
    rows.iter().all(|(_, outcome, _)| outcome.failed == 0)
}

/// The table, what is left to look at, and the closing line `N passed, N failed, N skipped`.
fn table(rows: &[(&str, Outcome, Duration)]) -> String {
    let mut text = format!("\n{:<15} {:<11} {:>8}\n", "step", "result", "seconds");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, outcome, time) in rows {
        text += &format!("{name:<15} {:<11} {:>8.1}\n", outcome.word(), time.as_secs_f64());
        passed += outcome.passed;
        failed += outcome.failed;
        skipped += outcome.skipped;
    }
    for (name, outcome, _) in rows.iter().filter(|(_, outcome, _)| outcome.failed + outcome.skipped > 0) {
        for note in &outcome.notes {
            text += &format!("{name}: {note}\n");
        }
    }
    text + &format!("{passed} passed, {failed} failed, {skipped} skipped\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_adds_up_and_names_what_did_not_run() {
        let second = Duration::from_secs(1);
        let tests = Outcome {
            passed: 40,
            skipped: 2,
            notes: vec!["SKIPPED: a: no data".into()],
            ..Outcome::default()
        };
        let text = table(&[
            ("walls", Outcome::pass(), second),
            ("tests", tests, second),
            ("deny", Outcome::skip("cargo-deny is not installed"), second),
            ("docs", Outcome::fail("broken link"), second),
        ]);
        assert!(text.ends_with("\n41 passed, 1 failed, 3 skipped\n"), "{text}");
        for line in ["tests: SKIPPED: a: no data", "deny: cargo-deny is not installed", "docs: broken link"] {
            assert!(text.lines().any(|found| found == line), "{text}");
        }
    }
}
