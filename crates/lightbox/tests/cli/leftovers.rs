//! What a crash left of a read that was never recorded: reported, and erased with its study or when asked.

use crate::bench::{Bench, names};
use crate::records::recorded;

/// Reads the film with its views kept, and loses the log's entry as a crash before it would.
fn crash_in_a_read(bench: &Bench, film: &str) {
    let files = ["data/records.log", "data/records.head"].map(|name| bench.path(name));
    let before = files.clone().map(|path| std::fs::read(path).expect("there was a record before"));
    recorded(bench, &format!("findings {film} --max-tokens 2 --keep-views"));
    for (path, bytes) in files.iter().zip(before) {
        std::fs::write(path, bytes).expect("our own file");
    }
}

#[test]
fn what_a_crash_left_is_reported_and_goes_with_its_study() {
    let bench = Bench::new();
    bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 2");
    crash_in_a_read(&bench, "film.png");
    let verified = bench.line("records verify");
    verified.expect(0, &["records erase --leftovers"]);
    assert!(verified.stdout.contains("unnamed   3 parts"), "{}", verified.stdout);
    let doctor = bench.line("doctor");
    doctor.expect(0, &[]);
    let told = ["leftovers of a crash", "records erase --leftovers"];
    assert!(told.iter().all(|words| doctor.stdout.contains(words)), "{}", doctor.stdout);

    let erased = bench.run(["records", "erase", &id]);
    erased.expect(0, &[]);
    assert!(erased.stdout.contains("erased 5 parts") && erased.stdout.contains("the key of its study"));
    assert!(names(&bench.path("data/studies")).is_empty(), "no key, no part, no name");
    assert_eq!(bench.line("records verify").stderr, "");
    assert!(!bench.line("doctor").stdout.contains("leftovers"));
}

#[test]
fn what_belongs_to_no_record_goes_when_asked() {
    let bench = Bench::new();
    bench.film("film.png");
    let kept = recorded(&bench, "ask hello? --max-tokens 2");
    crash_in_a_read(&bench, "film.png");
    assert_eq!(names(&bench.path("data/studies")).len(), 2);
    let erased = bench.line("records erase --leftovers");
    erased.expect(0, &[]);
    assert!(erased.stdout.contains("erased 3 parts") && erased.stdout.contains("the keys of their studies"));
    assert_eq!(names(&bench.path("data/studies")).len(), 1);
    bench.run(["records", "show", &kept]).expect(0, &[]);
    bench.line("records erase --leftovers").expect(0, &[]);
    bench.line("records erase").expect(2, &["ID"]);
    bench.run(["records", "erase", &kept, "--leftovers"]).expect(2, &["--leftovers"]);
}

#[test]
fn nothing_is_called_a_leftover_while_the_log_is_broken() {
    let bench = Bench::new();
    bench.film("film.png");
    recorded(&bench, "ask hello? --max-tokens 1");
    recorded(&bench, "findings film.png --max-tokens 1");
    let log = bench.path("data/records.log");
    let whole = std::fs::read_to_string(&log).expect("our own file");
    let end = whole.find('\n').expect("two lines") + 1;
    for damaged in [&whole[..end], &whole[end..]] {
        std::fs::write(&log, damaged).expect("our own file");
        let verified = bench.line("records verify");
        verified.expect(3, &["may belong to a record whose entry was removed", "from a backup"]);
        assert!(verified.stdout.contains("unnamed   2 parts that no entry"), "{}", verified.stdout);
        let doctor = bench.line("doctor");
        doctor.expect(3, &[]);
        for told in [verified.stderr, doctor.stdout] {
            assert!(!told.contains("crash") && !told.contains("--leftovers"), "{told}");
        }
        bench.line("records erase --leftovers").expect(3, &["nothing was erased", "restore"]);
    }
    std::fs::write(&log, whole).expect("our own file");
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn what_a_crash_in_the_first_read_left_is_told_too() {
    let bench = Bench::new();
    let model = crate::checkpoint::copy(&bench, "model");
    std::fs::remove_file(model.join(crate::checkpoint::WEIGHTS)).expect("our own file");
    // A read that fails after the data folder was prepared: a head, and no log yet.
    bench.line("ask hello? --model ./model").expect(4, &[]);
    let (head, log) = (bench.path("data/records.head"), bench.path("data/records.log"));
    let empty = std::fs::read(&head).expect("the head comes first");
    assert!(!log.exists());
    recorded(&bench, "ask hello? --max-tokens 2");
    std::fs::write(&head, empty).expect("our own file");
    std::fs::remove_file(&log).expect("our own file");
    let doctor = bench.line("doctor");
    doctor.expect(0, &[]);
    assert!(doctor.stdout.contains("leftovers of a crash"), "{}", doctor.stdout);
    bench.line("records erase --leftovers").expect(0, &[]);
    assert!(names(&bench.path("data/studies")).is_empty());
}

#[test]
fn a_log_that_cannot_be_continued_is_said_before_the_work() {
    let bench = Bench::new();
    recorded(&bench, "ask hello? --max-tokens 2");
    std::fs::remove_file(bench.path("data/records.head")).expect("our own file");
    let refused = bench.line("ask hello? --max-tokens 2");
    refused.expect(3, &["records.head", "restore"]);
    assert!(refused.stdout.is_empty(), "nothing was computed: {}", refused.stdout);
    bench.line("ask hello? --max-tokens 2 --no-record").expect(5, &["truncated"]);
}
