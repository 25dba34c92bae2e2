//! What was recorded: listed, shown, checked, erased; and what damage does.

use std::path::PathBuf;

use serde_json::json;

use crate::bench::{Bench, names};

/// Records a read and gives the record's id.
pub fn recorded(bench: &Bench, line: &str) -> String {
    let outcome = bench.line(&format!("{line} --json"));
    outcome.json()["record"].as_str().unwrap_or_else(|| panic!("no record: {}", outcome.stderr)).to_owned()
}

/// Every file of every study.
fn blobs(bench: &Bench) -> Vec<PathBuf> {
    let studies = bench.path("data/studies");
    let folders = names(&studies).into_iter().map(|study| studies.join(study));
    folders.flat_map(|folder| names(&folder).into_iter().map(move |name| folder.join(name))).collect()
}

/// Those that belong to records: neither the key, nor the empty file by which a study is found, nor what is cached.
fn parts(bench: &Bench) -> Vec<PathBuf> {
    let is_part = |path: &PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy();
        name != "key" && !["inputs-", "image-", "prefix-"].iter().any(|start| name.starts_with(start))
    };
    blobs(bench).into_iter().filter(is_part).collect()
}

#[test]
fn a_record_is_found_by_the_beginning_of_its_id() {
    let bench = Bench::new();
    bench.film("film.png");
    assert!(bench.line("records list").stderr.contains("no records yet"));
    let id = recorded(&bench, "findings film.png --max-tokens 3");
    let list = bench.line("records list");
    assert!(list.stdout.starts_with(&id) && list.stdout.contains("present"), "{}", list.stdout);
    let shown = bench.run(["records", "show", &id[..6]]);
    shown.expect(0, &[]);
    for word in [&id[..], "findings@1", "phantom", "truncated, 3 tokens", "no medical knowledge"] {
        assert!(shown.stdout.contains(word), "{word}: {}", shown.stdout);
    }
    bench.line("records show ffffffffffffffffffffffffffffffff").expect(3, &["ffff"]);
}

#[test]
fn nothing_on_disk_tells_what_was_read() {
    let bench = Bench::new();
    bench.file("Jane-Doe.png", lightbox_phantoms::film_of_height(1, 86).png16());
    recorded(&bench, "findings Jane-Doe.png --context secretword --keep-views --max-tokens 4");
    let mut files = blobs(&bench);
    files.extend(["records.log", "records.head"].map(|name| bench.path("data").join(name)));
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let bytes = std::fs::read(&path).expect("a readable file");
        for word in ["Jane", "secretword", "opacity", "findings"] {
            assert!(
                !bytes.windows(word.len()).any(|window| window == word.as_bytes()),
                "{word} in {}",
                path.display()
            );
        }
        assert!(!path.to_string_lossy().contains("Jane"));
    }
}

#[test]
fn what_is_erased_is_gone_and_the_log_still_holds() {
    let bench = Bench::new();
    bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 2");
    let kept = recorded(&bench, "ask hello? --max-tokens 2");
    bench.run(["records", "erase", &id]).expect(0, &[]);
    bench.run(["records", "show", &id]).expect(3, &["erased"]);
    bench.run(["replay", &id]).expect(3, &["erased"]);
    bench.run(["records", "show", &kept]).expect(0, &[]);
    let report = bench.line("records verify --json");
    report.expect(0, &[]);
    assert_eq!((&report.json()["intact"], &report.json()["erased"]), (&1.into(), &1.into()));
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let bench = Bench::new();
    bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 2 --keep-views");
    bench.line("records verify").expect(0, &[]);
    let files = parts(&bench);
    assert_eq!(files.len(), 3, "body, path index and one view: {files:?}");
    for path in &files {
        let whole = std::fs::read(path).expect("a readable file");
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        std::fs::write(path, flipped).expect("our own file");
        let verified = bench.line("records verify");
        verified.expect(3, &["not as they were written", "backup"]);
        assert!(verified.stdout.contains("unsound") && verified.stdout.contains(&id), "{}", verified.stdout);
        std::fs::write(path, whole).expect("our own file");
    }
    let log = bench.path("data/records.log");
    let whole = std::fs::read_to_string(&log).expect("a readable file");
    std::fs::write(&log, whole.replacen("\"read\"", "\"raed\"", 1)).expect("our own file");
    let verified = bench.line("records verify");
    verified.expect(3, &["error: "]);
    assert!(verified.stdout.contains("broken    line 1"), "{}", verified.stdout);
    std::fs::write(&log, whole).expect("our own file");
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn a_record_whose_body_was_altered_is_not_shown() {
    let bench = Bench::new();
    let id = recorded(&bench, "ask hello? --max-tokens 2");
    for path in parts(&bench) {
        let mut bytes = std::fs::read(&path).expect("a readable file");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(path, bytes).expect("our own file");
    }
    for command in ["records show", "replay"] {
        let outcome = bench.line(&format!("{command} {id}"));
        outcome.expect(3, &["error: "]);
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains("altered"), "{}", outcome.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_the_earlier_records_whole() {
    let bench = Bench::new();
    bench.film("film.png");
    recorded(&bench, "ask hello? --max-tokens 2");
    let outcome = bench.line_on_a_full_disk(16, "findings film.png --max-tokens 4 --keep-views");
    outcome.expect(1, &["error: the read was not recorded", "no room", "LIGHTBOX_DATA"]);
    assert!(!outcome.stdout.trim().is_empty(), "the draft was shown before");
    let report = bench.line("records verify --json");
    report.expect(0, &[]);
    assert_eq!(report.json()["intact"], 1);
}

#[cfg(unix)]
#[test]
fn an_answer_that_cannot_be_recorded_is_printed_all_the_same() {
    let bench = Bench::new();
    bench.film("film.png");
    let parts =
        r#"[{"type": "image_url", "image_url": {"url": "film.png"}}, {"type": "text", "text": "What?"}]"#;
    for (name, more) in [("whole.json", ""), ("stream.json", r#", "stream": true"#)] {
        let messages = format!(r#"[{{"role": "user", "content": {parts}}}]"#);
        bench.file(name, format!(r#"{{"messages": {messages}, "max_tokens": 4{more}}}"#));
    }
    let lost = ["error: the read was not recorded", "no room"];

    let read = bench.line_on_a_full_disk(16, "findings film.png --max-tokens 4 --keep-views --json");
    read.expect(1, &lost);
    assert_eq!((read.json()["completion_tokens"].as_u64(), &read.json()["record"]), (Some(4), &json!(null)));

    let run = bench.line_on_a_full_disk(16, "run --request whole.json --keep-views --json");
    run.expect(1, &lost);
    assert_eq!(run.json()["usage"]["completion_tokens"], 4);
    assert_eq!(run.json()["lightbox"].get("record"), Some(&json!(null)));

    let stream = bench.line_on_a_full_disk(16, "run --request stream.json --keep-views --json");
    stream.expect(1, &lost);
    assert!(stream.stdout.contains("\"finish_reason\":\"length\""), "{}", stream.stdout);
    assert!(stream.stdout.contains("\"record\":null"), "{}", stream.stdout);
    assert!(stream.stdout.ends_with("data: [DONE]\n\n"), "{}", stream.stdout);
}

#[cfg(unix)]
#[test]
fn a_data_folder_that_cannot_be_used_is_said_before_the_work() {
    let bench = Bench::new();
    let folder = crate::checkpoint::copy(&bench, "model");
    std::fs::remove_file(folder.join(crate::checkpoint::WEIGHTS)).expect("our own file");
    bench.file("blocked", "a file where the folder should be");
    let outcome = bench.line("ask hello? --model ./model --data-dir blocked/data");
    outcome.expect(1, &["blocked/data", "LIGHTBOX_DATA"]);
    assert!(outcome.stdout.is_empty());
    recorded(&bench, "ask hello? --max-tokens 1");
    // A log that cannot be appended to is a folder that cannot be used.
    let log = bench.path("data/records.log");
    std::fs::rename(&log, bench.path("log")).expect("our own file");
    std::fs::create_dir(&log).expect("our own folder");
    let outcome = bench.line("ask hello? --model ./model");
    assert!(matches!(outcome.code, Some(1 | 3)), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("records.log"), "{}", outcome.stderr);
    std::fs::remove_dir(&log).expect("our own folder");
    std::fs::rename(bench.path("log"), &log).expect("our own file");
    std::fs::remove_dir_all(bench.path("data")).expect("our own folder");
    recorded(&bench, "ask hello? --max-tokens 1 --data-dir elsewhere");
    assert!(bench.path("elsewhere/records.log").exists() && !bench.path("data").exists());
}

#[test]
fn reading_where_nothing_was_recorded_makes_nothing() {
    let bench = Bench::new();
    for folder in ["data", "made"] {
        let told = |command: &str| bench.line(&format!("{command} --data-dir {folder}"));
        told("records list").expect(0, &["no records yet"]);
        assert_eq!(told("records list --json").json()["records"], json!([]));
        told("records verify").expect(0, &[]);
        told("records show 3f9a").expect(3, &["there are no records in"]);
        told("replay 3f9a").expect(3, &["there are no records in"]);
        assert!(names(&bench.path(folder)).is_empty() && !bench.path("data").exists());
        std::fs::create_dir_all(bench.path("made")).expect("our own folder");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_can_be_read() {
    let bench = Bench::new();
    bench.film("film.png");
    let id = recorded(&bench, "findings film.png --max-tokens 2 --keep-views");
    let data = bench.path("data");
    let data = data.display();
    let mount = format!("mount --bind '{data}' '{data}' && mount -o remount,ro,bind '{data}'");
    let run = |line: &str| {
        let program = bench.command([""]);
        let mut command = std::process::Command::new("unshare");
        command.args(["-U", "-r", "-m", "--", "sh", "-c", &format!("{mount} && {line}")]);
        command.arg(program.get_program()).env_clear().current_dir(bench.path("."));
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.output()
    };
    if !run("true").is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: a_folder_that_cannot_be_written_can_be_read: this machine lets no test mount a folder"
        );
        return;
    }
    let outcome = |line: String| crate::bench::Outcome::from(run(&line).expect("it ran before"));
    for command in ["records list", "records verify", "doctor"] {
        outcome(format!("\"$0\" {command}")).expect(0, &[]);
    }
    for command in ["records show", "replay"] {
        outcome(format!("\"$0\" {command} {id}")).expect(0, &[]);
    }
    outcome(format!("\"$0\" records erase {id}")).expect(1, &["archive.lock"]);
}

#[test]
fn a_list_says_that_records_may_be_missing_from_it() {
    let bench = Bench::new();
    let ids = [0, 1, 2].map(|_| recorded(&bench, "ask hello? --max-tokens 1"));
    let intact = bench.line("records list");
    assert_eq!((intact.stdout.lines().count(), intact.stderr.as_str()), (3, ""));
    let log = bench.path("data/records.log");
    let whole = std::fs::read_to_string(&log).expect("our own file");
    let lines: Vec<&str> = whole.lines().collect();
    let warned = ["warning: ", "may be missing", "`lightbox records verify`"];
    for (kept, at) in [([0, 2].as_slice(), 2), (&[0], 2), (&[], 1)] {
        let damaged: String = kept.iter().map(|&i| format!("{}\n", lines[i])).collect();
        std::fs::write(&log, damaged).expect("our own file");
        let list = bench.line("records list");
        list.expect(0, &warned).expect(0, &[&format!("line {at}")]);
        assert!(!list.stderr.contains("no records yet"), "{}", list.stderr);
        let listed: Vec<&str> = list.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(listed, kept.iter().map(|&i| ids[i].as_str()).collect::<Vec<_>>());
        let json = bench.line("records list --json");
        json.expect(0, &warned);
        assert_eq!(json.json()["broken"]["line"], at);
    }
}

#[test]
fn a_record_is_shown_with_all_that_decided_the_answer() {
    use sha2::{Digest as _, Sha256};

    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.png")).expect("the film");
    bench.line("prompts copy ask").expect(0, &[]);
    let read = bench.run([
        "ask",
        "film.png",
        "Is it Jane?",
        "--max-tokens",
        "1",
        "--json",
        "--temperature",
        "0.5",
        "--seed",
        "9",
    ]);
    let id = read.json()["record"].as_str().expect("an id").to_owned();
    let shown = bench.run(["records", "show", &id]);
    shown.expect(0, &[]);
    let digest: String = Sha256::digest(&film).iter().map(|byte| format!("{byte:02x}")).collect();
    for words in [
        &format!("program   lightbox {}", env!("CARGO_PKG_VERSION")),
        &format!("1  sha256 {digest}"),
        "question  given",
        "context   none",
        "template  ask was overridden",
        "sampling  temperature 0.5, seed 9",
        "truncated, 1 token\n",
        "notice    a draft for review by people, not a diagnosis",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
    assert!(!shown.stdout.contains("Jane"), "{}", shown.stdout);
    bench.run(["records", "show", &id, "--json"]).expect(0, &["notice: a draft for review"]);
    let greedy = recorded(&bench, "findings film.png --max-tokens 1 --context fever");
    let shown = bench.run(["records", "show", &greedy]).stdout;
    for words in ["question  none", "context   given", "sampling  the most likely token each time"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("overridden"), "{shown}");
    bench.file("chat.json", r#"{"messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}"#);
    let chat = recorded_by_run(&bench, "chat.json");
    let shown = bench.run(["records", "show", &chat]).stdout;
    assert!(shown.contains("turns     1\n") && !shown.contains("question"), "{shown}");
}

/// Runs a request and gives the record's id.
fn recorded_by_run(bench: &Bench, request: &str) -> String {
    let outcome = bench.run(["run", "--request", request, "--json"]);
    outcome.json()["lightbox"]["record"].as_str().expect("an id").to_owned()
}

#[test]
fn an_erasure_that_names_nothing_says_what_may_be_named() {
    Bench::new().line("records erase").expect(2, &["<ID|--leftovers>"]);
}
