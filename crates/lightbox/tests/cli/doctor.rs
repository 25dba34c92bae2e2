//! `doctor`: what it finds, and that it changes nothing.

use serde_json::{Value, json};

use crate::bench::Bench;

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
