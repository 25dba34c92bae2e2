//! Templates: listed, read, copied, overridden.

use crate::bench::Bench;

#[test]
fn a_copied_template_takes_the_place_of_the_built_in_one() {
    let bench = Bench::new();
    let film = bench.film("film.png");
    let list = bench.line("prompts list --json").json();
    let names: Vec<_> = list.as_array().expect("a list").iter().map(|one| one["name"].as_str()).collect();
    for name in ["ask", "findings", "differential", "labs", "compare"] {
        assert!(names.contains(&Some(name)), "{names:?}");
    }
    let built_in = bench.line("prompts show findings --json").json();
    assert_eq!(built_in["overridden_by"], serde_json::Value::Null);

    let copied = bench.line("prompts copy findings");
    copied.expect(0, &["used from now on"]);
    let path = std::path::PathBuf::from(copied.stdout.trim());
    assert_eq!(std::fs::read_to_string(&path).expect("the copy"), built_in["text"].as_str().expect("text"));
    bench.line("prompts copy findings").expect(3, &["findings.jinja", "delete it first"]);

    std::fs::write(&path, "Look.{% for picture in pictures %}{{ picture.image }}{% endfor %}")
        .expect("an edit");
    assert!(bench.line("prompts list").stdout.contains("findings.jinja"));
    let read = bench.run(["findings", film.to_str().expect("UTF-8"), "--json", "--max-tokens", "2"]).json();
    let record = bench.run(["records", "show", read["record"].as_str().expect("an id"), "--json"]).json();
    let template = &record["reading"]["templates"][0];
    assert_eq!(template["overridden"], true);
    assert_ne!(template["sha256"], built_in["sha256"]);
    assert!(record["reading"]["generation"]["prompt"]["text"].as_str().expect("text").contains("Look."));
}

#[test]
fn a_template_that_cannot_be_copied_is_output() {
    let bench = Bench::new();
    bench.file(".config/lightbox/prompts", "a file in the folder's place");
    bench.line("prompts copy ask").expect(1, &["prompts"]);
}

#[test]
fn a_template_that_cannot_be_used_is_named() {
    let bench = Bench::new();
    let film = bench.film("film.png");
    for (text, word) in [("{{ patient }}", "patient"), ("{% for", "syntax"), ("no picture", "picture")] {
        bench.file(".config/lightbox/prompts/findings.jinja", text);
        bench.run([std::ffi::OsStr::new("findings"), film.as_os_str()]).expect(3, &["findings.jinja", word]);
    }
    bench.file(".config/lightbox/prompts/ask.jinja", "Look.");
    bench.run(["ask", "Is it broken?"]).expect(3, &["ask.jinja", "question"]);
    bench.line("prompts show tea").expect(3, &["tea", "findings"]);
}
