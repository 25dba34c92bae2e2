//! `demo`: from nothing to a record.

use crate::bench::{Bench, names};

#[test]
fn the_demonstration_ends_in_a_record_that_replays() {
    let bench = Bench::new();
    let outcome = bench.line("demo");
    outcome.expect(
        0,
        &["truth: ", "cut at 48 tokens on purpose", "That text is noise", "lightbox replay ", "models pull"],
    );
    assert!(!outcome.stdout.trim().is_empty(), "a draft streams");
    assert!(!outcome.stderr.contains("error"), "noise that is cut off is no failure: {}", outcome.stderr);
    assert_eq!(names(&bench.path("data/demo")), ["phantom-film.png"]);
    let id = outcome
        .stderr
        .split("record ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("an id");
    let replay = bench.run(["replay", id]);
    replay.expect(0, &[]);
    assert!(replay.stdout.starts_with("identical: "), "{}", replay.stdout);
}

#[test]
fn the_film_goes_where_it_is_wanted() {
    let bench = Bench::new();
    let outcome = bench.line("demo --out here --json");
    outcome.expect(0, &[]);
    assert_eq!(outcome.json()["task"], "findings@1");
    assert_eq!(names(&bench.path("here")), ["phantom-film.png"]);
    bench.line("demo --out here").expect(0, &[]);
    bench.file("here/phantom-film.png", "mine");
    bench.line("demo --out here").expect(2, &["here/phantom-film.png", "found another", "--out"]);
    assert_eq!(std::fs::read(bench.path("here/phantom-film.png")).expect("untouched"), b"mine");
}
