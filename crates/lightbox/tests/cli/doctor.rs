//! `doctor`: what it finds, and that it changes nothing.

use serde_json::{Value, json};

use crate::bench::{Bench, Outcome, names};

#[test]
fn a_fresh_machine_is_described_and_left_as_it_is() {
    let bench = Bench::new();
    let text = bench.line("doctor");
    text.expect(0, &[]);
    for word in ["cpu", "memory", "gpu", "hub cache", "not made yet", "missing", "models pull"] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
    let found = bench.line("doctor --json").json();
    assert!(found["cpu"]["threads"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(found["data"]["exists"], false);
    assert_eq!(found["data"]["records"], Value::Null);
    assert_eq!(found["caches"]["hub"], json!(bench.path(".cache/huggingface/hub")));
    assert!(!bench.path("data").exists() && !bench.path(".cache").exists());
}

#[cfg(unix)]
#[test]
fn folders_that_others_may_enter_and_records_that_were_altered_are_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    bench.line("ask hello? --max-tokens 1").expect(5, &[]);
    let found = bench.line("doctor --json");
    found.expect(0, &[]);
    assert_eq!(found.json()["data"]["open_to_others"], false);
    assert_eq!(found.json()["data"]["records"], 1);

    let data = bench.path("data");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("our own folder");
    assert!(bench.line("doctor").stdout.contains("chmod 700"));
    std::fs::write(data.join("records.log"), "{}\n").expect("our own file");
    let found = bench.line("doctor");
    found.expect(3, &[]);
    assert!(found.stdout.contains("sound records: line 1"), "{}", found.stdout);
}

#[cfg(unix)]
#[test]
fn records_that_cannot_be_looked_into_are_not_called_absent() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    bench.line("ask hello? --max-tokens 1").expect(5, &[]);
    assert!(bench.line("doctor").stdout.contains("free: 1 record, all as written"));
    let key = bench.path("data/install.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("our own file");
    let found = bench.line("doctor");
    found.expect(3, &[]);
    assert!(!found.stdout.contains("no records yet"), "{}", found.stdout);
    for words in ["free: cannot be read", "missing     records that can be read: ", "install.key"] {
        assert!(found.stdout.contains(words), "{words}: {}", found.stdout);
    }
    assert_eq!(bench.line("doctor --json").json()["data"]["readable"], false);
}

#[test]
fn without_a_data_folder_the_machine_is_described_all_the_same() {
    let bench = Bench::new();
    let homeless = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        Outcome::from(command.env_remove("HOME").env_remove("LIGHTBOX_DATA").output().expect("it starts"))
    };
    let found = homeless(&["doctor", "--json"]);
    found.expect(0, &[]);
    assert!(found.json()["cpu"]["threads"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(found.json()["data"], Value::Null);
    let found = homeless(&["doctor"]);
    for words in ["cpu", "memory", "data        none", "missing     a data folder: ", "--data-dir"] {
        assert!(found.stdout.contains(words), "{words}: {}", found.stdout);
    }
    bench.file("file", "");
    let found = bench.line("doctor --data-dir file");
    found.expect(0, &[]);
    assert!(found.stdout.contains("expected a folder, found a file"), "{}", found.stdout);
}

#[test]
fn whether_records_could_be_written_is_tried_and_leaves_nothing() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("data")).expect("our own folder");
    assert_eq!(bench.line("doctor --json").json()["data"]["writable"], true);
    assert!(names(&bench.path("data")).is_empty());
    // A kernel's own folder, where nobody may make files.
    if std::path::Path::new("/proc/self").is_dir() {
        let found = bench.line("doctor --data-dir /proc/self/lightbox");
        assert!(found.stdout.contains("a data folder that can be written"), "{}", found.stdout);
    }
}
