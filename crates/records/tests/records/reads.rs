//! Records as their callers meet them: what comes back, what is found, what is erased, what nobody else can read.

use std::fs;

use crate::sample::{ANSWER, QUESTION, append, files, film, now, open, read, reading, value, view};
use lightbox_models::{Finish, RgbImage, TokenLogprob};
use lightbox_records::{
    Digest, Entry, ErrorKind, Event, Input, Provenance, Records, Sources, State, read_line,
};
use serde_json::{Value, json};

#[test]
fn what_is_appended_comes_back_also_after_opening_again() {
    let root = tempfile::tempdir().expect("works");
    let id = read(&open(root.path()), b"film");
    let record = open(root.path()).get(&id.to_string()).expect("just recorded");
    assert_eq!(record.entry.id, id);
    assert_eq!((record.entry.sequence, record.entry.event), (0, Event::Read));
    let body = &record.body;
    assert_eq!((body.id, body.time.as_str()), (id, "2025-12-31T23:59:59Z"));
    assert_eq!((body.version.as_str(), body.cpu.as_str()), ("0.1.0", "portable"));
    assert_eq!(
        body.reading,
        reading(&[film(b"film")], Finish::Stop),
        "log-probabilities and times to the bit"
    );
    assert_eq!(body.interrupted_after(), None);
}

#[test]
fn an_interrupted_read_is_recorded_as_such() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = append(&records, &[film(b"film")], false, Finish::Cancelled).expect("works");
    let body = records.get(&id.to_string()).expect("just recorded").body;
    assert_eq!((body.reading.generation.finish, body.interrupted_after()), (Finish::Cancelled, Some(3)));
    assert_eq!(body.reading.answer.state(), "interrupted");
    assert_eq!(value(&body)["reading"]["generation"]["finish"], "cancelled");
}

#[test]
fn a_record_is_found_by_any_prefix_that_only_it_has() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    // With 17 records, two begin with the same digit.
    let mut ids: Vec<String> = (0..17).map(|_| read(&records, b"film").to_string()).collect();
    assert_eq!(
        records.get(&ids[3].to_uppercase()).expect("case does not matter").body.id.to_string(),
        ids[3]
    );
    ids.sort();
    let shared = ids.windows(2).find(|pair| pair[0][..1] == pair[1][..1]).expect("17 into 16")[0].clone();
    assert_eq!(records.get(&shared[..1]).expect_err("two have it").kind(), ErrorKind::Ambiguous);
    assert_eq!(records.get(&shared[..20]).expect("only one has it").body.id.to_string(), shared);
    for wrong in ["", "xyz", "../..", &"0".repeat(33), &"0".repeat(32)] {
        assert_eq!(records.get(wrong).expect_err("nobody has it").kind(), ErrorKind::NotFound, "{wrong}");
    }
    let list = records.list().expect("works");
    assert_eq!((list.records.len(), list.unreadable_lines), (17, 0));
    assert!(list.records.iter().all(|record| record.state == State::Present));
}

#[test]
fn the_same_inputs_are_one_study_and_no_inputs_one_each() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let study = |inputs: &[Input]| {
        let id = append(&records, inputs, false, Finish::Stop).expect("works");
        records.get(&id.to_string()).expect("just recorded").entry.study
    };
    assert_eq!(study(&[film(b"a"), film(b"b")]), study(&[film(b"b"), film(b"a")]));
    assert_ne!(study(&[film(b"a")]), study(&[film(b"b")]));
    assert_ne!(study(&[]), study(&[]));
}

#[test]
fn nothing_of_a_patient_can_be_read_from_names_log_or_parts() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    append(&records, &[film(b"film")], true, Finish::Stop).expect("works");
    let digests = [Digest::of(b"film"), Digest::of(view().pixels())].map(|digest| digest.to_string());
    let pixels = &view().pixels().to_vec();
    let mut secrets: Vec<&[u8]> = vec![QUESTION.as_bytes(), ANSWER.as_bytes(), b"Jane", b"doe-jane", pixels];
    secrets.extend(digests.iter().map(String::as_bytes));
    for path in files(root.path()) {
        let bytes = fs::read(&path).expect("works");
        let name = path.to_string_lossy().into_owned();
        for secret in &secrets {
            let shown = String::from_utf8_lossy(secret);
            assert!(!bytes.windows(secret.len()).any(|window| window == *secret), "{shown} in {name}");
            assert!(!name.contains(&*shown), "{shown} is a name");
        }
    }
    let log = fs::read_to_string(root.path().join("records.log")).expect("works");
    let line: Value = serde_json::from_str(log.trim_end()).expect("JSON");
    let keys: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["format", "sequence", "event", "id", "time", "study", "parts", "previous", "hash", "tag"];
    assert_eq!(keys, expected);
}

#[cfg(unix)]
#[test]
fn log_and_head_are_open_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().expect("works");
    read(&open(root.path()), b"film");
    for path in files(root.path()) {
        let mode = fs::metadata(&path).expect("works").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

#[test]
fn views_are_kept_only_where_asked() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let kept = append(&records, &[film(b"film")], true, Finish::Stop).expect("works");
    let kept = records.get(&kept.to_string()).expect("works");
    assert_eq!(records.kept_views(&kept).expect("works"), Some(vec![view()]));
    let plain = read(&records, b"film");
    let plain = records.get(&plain.to_string()).expect("works");
    assert_eq!(records.kept_views(&plain).expect("works"), None);
}

#[test]
fn inputs_are_found_where_they_were_among_files_given_or_as_kept_views() {
    let folder = tempfile::tempdir().expect("works");
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.png"), b"film a").expect("works");
    fs::write(path("b.png"), b"film b").expect("works");
    let inputs = ["a", "b"].map(|name| Input {
        digest: Digest::of(format!("film {name}").as_bytes()),
        path: Some(path(&format!("{name}.png"))),
    });
    let of = |keep| {
        let id = append(&records, &inputs, keep, Finish::Stop).expect("works");
        records.get(&id.to_string()).expect("just recorded")
    };
    let (plain, kept) = (of(false), of(true));
    let found = |record, given: &[_]| records.sources(record, given);
    match found(&plain, &[]).expect("they are where they were") {
        Sources::Files(paths) => assert_eq!(paths, [path("a.png"), path("b.png")]),
        Sources::Views(_) => panic!("files come first"),
    }

    // Moved and renamed files are found by their contents, in the order of the record.
    fs::rename(path("a.png"), path("moved.png")).expect("works");
    let given = [path("b.png"), path("moved.png")];
    match found(&plain, &given).expect("both are given") {
        Sources::Files(paths) => assert_eq!(paths, [path("moved.png"), path("b.png")]),
        Sources::Views(_) => panic!("files were given"),
    }
    let missing = found(&plain, &[]).expect_err("one was moved");
    assert_eq!(missing.kind(), ErrorKind::Inputs);
    assert!(
        missing.to_string().contains("input 1 of 2") && missing.to_string().contains("--input"),
        "{missing}"
    );
    assert!(!missing.to_string().contains("a.png"), "a recorded path is no part of a message: {missing}");
    match found(&kept, &[]).expect("views were kept") {
        Sources::Views(views) => assert_eq!(views, [view()]),
        Sources::Files(_) => panic!("one file is gone"),
    }

    // The same name with other contents is another input.
    fs::write(path("a.png"), b"another film").expect("works");
    let changed = found(&plain, &[]).expect_err("changed");
    assert!(changed.to_string().contains("was changed"), "{changed}");
    let wrong = found(&kept, &[path("a.png"), path("b.png")]).expect_err("what is given must fit");
    assert!(wrong.to_string().contains("none of the files given"), "{wrong}");
    let absent = found(&plain, &[path("absent.png")]).expect_err("not there");
    assert!(absent.to_string().contains("absent.png"), "a path just typed may be named: {absent}");
}

#[test]
fn an_input_that_came_from_no_file_must_be_given() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let input = Input { digest: Digest::of(b"from a data URL"), path: None };
    let id = append(&records, &[input], false, Finish::Stop).expect("works");
    let record = records.get(&id.to_string()).expect("works");
    let missing = records.sources(&record, &[]).expect_err("it has no path");
    assert!(missing.to_string().contains("came from no file"), "{missing}");
}

#[test]
fn an_erased_record_is_gone_is_known_as_erased_and_leaves_the_chain_whole() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let [first, second, third] = [b"a", b"a", b"b"].map(|film| read(&records, film).to_string());
    let erased = records.erase(&first, now()).expect("works");
    assert_eq!((erased.blobs, erased.key), (2, false), "another record of the study remains");
    assert_eq!(records.get(&first).expect_err("gone").kind(), ErrorKind::Erased);
    assert_eq!(records.get(&second).expect("stays").body.id.to_string(), second);
    let report = records.verify().expect("works");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.intact, report.erased), (4, 2, 1));

    let erased = records.erase(&second, now()).expect("works");
    assert!(erased.key, "the last record takes the study's key with it");
    let again = records.erase(&second, now()).expect("no error");
    assert_eq!((again.blobs, again.key), (0, false));
    let report = records.verify().expect("works");
    assert_eq!((report.entries, report.intact, report.erased), (5, 1, 2), "noted once");
    let states: Vec<_> =
        records.list().expect("works").records.into_iter().map(|record| record.state).collect();
    assert_eq!(states, [State::Erased, State::Erased, State::Present]);
    assert!(records.get(&third).is_ok());
}

#[test]
fn after_an_erasure_not_even_key_and_film_tell_that_the_film_was_read() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"film").to_string();
    read(&records, b"another");
    let study = records.get(&id).expect("works").entry.study;
    let other = tempfile::tempdir().expect("works");
    fs::copy(root.path().join("install.key"), other.path().join("install.key")).expect("works");
    let elsewhere = open(other.path());
    let tried = read(&elsewhere, b"film").to_string();
    assert_ne!(elsewhere.get(&tried).expect("works").entry.study, study, "an id cannot be made again");
    let known: Vec<_> = files(&other.path().join("studies"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.strip_prefix("inputs-").map(str::to_owned))
        .collect();
    assert_eq!(known.len(), 1, "what key and film make: {known:?}");
    let shows = || {
        files(root.path()).iter().any(|path| {
            let bytes = fs::read(path).expect("works");
            let (name, label) = (path.to_string_lossy(), known[0].as_bytes());
            name.contains(&known[0]) || bytes.windows(label.len()).any(|window| window == label)
        })
    };
    assert!(shows(), "while the study is there it is found");
    records.erase(&id, now()).expect("works");
    assert!(!shows());
    let again = read(&records, b"film").to_string();
    assert_ne!(records.get(&again).expect("works").entry.study, study, "a new read is another study");
}

#[test]
fn parts_that_are_gone_without_an_erasure_are_missing_and_an_erasure_can_note_that() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"film");
    let study = records.get(&id.to_string()).expect("works").entry.study;
    fs::remove_dir_all(root.path().join("studies").join(study.to_string())).expect("works");
    assert_eq!(records.get(&id.to_string()).expect_err("gone").kind(), ErrorKind::Missing);
    let report = records.verify().expect("works");
    assert_eq!((report.broken.is_none(), report.unsound.len()), (true, 1));
    assert_eq!((report.unsound[0].id, &report.unsound[0].state), (id, &State::Missing));
    records.erase(&id.to_string(), now()).expect("works");
    assert!(records.verify().expect("works").is_sound());
}

#[test]
fn a_reading_that_could_not_be_read_back_is_refused_and_leaves_nothing() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let right = reading(&[film(b"film")], Finish::Stop);
    let mut endless = right.clone();
    endless.generation.logprobs =
        Some(vec![TokenLogprob { id: 1, logprob: f32::NEG_INFINITY, top: Vec::new() }]);
    let mut newer = right.clone();
    newer.format += 1;
    let (film_a, film_b) = ([film(b"film")], [film(b"another")]);
    let (view, other) = ([view()], [RgbImage::new(2, 3, (0..18).collect()).expect("fits")]);
    for (what, reading, inputs, keep_views) in [
        ("cannot be written down", &endless, &film_a, None),
        ("cannot be written down", &newer, &film_a, None),
        ("inputs given", &right, &film_b, None),
        ("views given", &right, &film_a, Some(other.as_slice())),
        ("views given", &right, &film_a, Some(&view[..0])),
    ] {
        let from = Provenance { version: "0", cpu: "", inputs, keep_views, time: now() };
        let refused = records.append(reading, &from).expect_err("must be refused");
        assert_eq!(refused.kind(), ErrorKind::Unwritable);
        assert!(refused.to_string().contains(what), "{refused}");
    }
    assert!(records.list().expect("works").records.is_empty());
    assert!(files(&root.path().join("studies")).is_empty());
}

#[test]
fn formats_of_another_version_are_refused_by_number() {
    let root = tempfile::tempdir().expect("works");
    let records: Records = open(root.path());
    let id = read(&records, b"film");
    let record = records.get(&id.to_string()).expect("works");
    let mut body = value(&record.body);
    body["format"] = json!(7);
    let refused = lightbox_records::read_body(body.to_string().as_bytes()).expect_err("another format");
    assert!(refused.kind() == ErrorKind::Version && refused.to_string().contains("format 7"), "{refused}");
    let mut body = value(&record.body);
    body["reading"]["format"] = json!(8);
    let refused = lightbox_records::read_body(body.to_string().as_bytes()).expect_err("another format");
    assert!(refused.kind() == ErrorKind::Version && refused.to_string().contains("format 8"), "{refused}");
    let later = Entry { format: 7, ..record.entry };
    let line = serde_json::to_vec(&later).expect("works");
    let fault = read_line(&line).expect_err("another format").to_string();
    assert!(fault.contains("format is 7"), "{fault}");

    // Unknown fields are refused too: they would be lost when the record is read.
    let mut body = value(&record.body);
    body["added"] = json!(true);
    assert_eq!(
        lightbox_records::read_body(body.to_string().as_bytes()).expect_err("unknown field").kind(),
        ErrorKind::Altered
    );
}

#[test]
fn what_is_opened_to_be_read_is_left_as_it_is() {
    let root = tempfile::tempdir().expect("works");
    assert!(Records::open_to_read(&root.path().join("not")).expect("works").is_none());
    assert!(Records::open_to_read(root.path()).expect("works").is_none());
    assert!(files(root.path()).is_empty() && !root.path().join("not").exists());

    let records = open(root.path());
    let id = append(&records, &[film(b"a")], true, Finish::Stop).expect("works").to_string();
    // As a copy may be: without locks, and with what a killed writer left.
    for lock in ["archive.lock", "records.lock"] {
        fs::remove_file(root.path().join(lock)).expect("works");
    }
    fs::write(root.path().join(".tmp-0123456789abcdef"), b"half a head").expect("works");
    let before = files(root.path());
    let reader = Records::open_to_read(root.path()).expect("works").expect("there is a record");
    assert_eq!(reader.list().expect("works").records.len(), 1);
    assert_eq!(reader.verify().expect("works").intact, 1);
    let record = reader.get(&id).expect("works");
    assert!(reader.kept_views(&record).expect("works").is_some());
    assert_eq!(reader.paths(&record).expect("works").len(), 1);
    assert_eq!(files(root.path()), before);

    fs::remove_dir_all(root.path().join("studies")).expect("works");
    fs::remove_file(root.path().join("install.key")).expect("works");
    let refused = Records::open_to_read(root.path()).err().expect("a log without a key");
    assert!(refused.to_string().contains("install.key"), "{refused}");
}

#[test]
fn readers_beside_a_writer_always_find_a_whole_log() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    read(&records, b"a");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..12 {
                read(&records, &[n]);
            }
        });
        while !writer.is_finished() {
            let reader = Records::open_to_read(root.path()).expect("works").expect("there is a record");
            let report = reader.verify().expect("works");
            assert!(report.is_sound() && !report.has_unnamed(), "{report:?}");
        }
        writer.join().expect("works");
    });
}
