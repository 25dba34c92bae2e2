//! What a crash between the parts of a record and its entry leaves: counted, and gone when it should be.

use std::fs;
use std::path::Path;

use crate::sample::{append, files, film, now, open, read};
use lightbox_models::Finish;
use lightbox_records::{ErrorKind, Records};

/// Reads this film with its view kept, and loses the entry as a crash before it would.
fn lost_read(records: &Records, root: &Path, contents: &[u8]) {
    let [log, head] = ["records.log", "records.head"].map(|name| root.join(name));
    let before = [&log, &head].map(|path| fs::read(path).ok());
    append(records, &[film(contents)], true, Finish::Stop).expect("works");
    for (path, bytes) in [log, head].iter().zip(before) {
        match bytes {
            Some(bytes) => fs::write(path, bytes).expect("works"),
            None => fs::remove_file(path).expect("works"),
        }
    }
}

/// Parts and studies that no entry names.
fn unnamed(records: &Records) -> (usize, usize) {
    let report = records.verify().expect("works");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.has_leftovers(), (report.unnamed_parts, report.unnamed_studies) != (0, 0));
    (report.unnamed_parts, report.unnamed_studies)
}

#[test]
fn erasing_a_record_takes_what_a_crash_left_in_its_study_and_the_key() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let [first, second] = [0, 1].map(|_| read(&records, b"film").to_string());
    lost_read(&records, root.path(), b"film");
    assert_eq!(unnamed(&records), (3, 0), "body, path index and kept view");
    let erased = records.erase(&first, now()).expect("works");
    assert_eq!((erased.blobs, erased.key), (2 + 3, false), "another record of the study remains");
    assert_eq!(unnamed(&records), (0, 0));
    lost_read(&records, root.path(), b"film");
    let erased = records.erase(&second, now()).expect("works");
    assert_eq!((erased.blobs, erased.key), (2 + 3, true));
    assert_eq!(unnamed(&records), (0, 0));
    assert!(files(&root.path().join("studies")).is_empty(), "neither key nor part nor name stays");
}

#[test]
fn the_next_record_of_a_study_takes_what_a_crash_left_in_it() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    // Before there is a log at all, and after; in a study with records, and in one without.
    lost_read(&records, root.path(), b"a");
    assert_eq!(unnamed(&records), (3, 1));
    let kept = read(&records, b"a").to_string();
    assert_eq!(unnamed(&records), (0, 0));
    lost_read(&records, root.path(), b"a");
    lost_read(&records, root.path(), b"b");
    read(&records, b"a");
    assert_eq!(unnamed(&records), (3, 1), "those of another study stay");
    read(&records, b"b");
    assert_eq!(unnamed(&records), (0, 0));
    records.get(&kept).expect("what is named stays");
}

#[test]
fn leftovers_of_studies_without_a_record_go_when_asked() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let kept = append(&records, &[film(b"a")], true, Finish::Stop).expect("works").to_string();
    let erased = read(&records, b"erased").to_string();
    records.erase(&erased, now()).expect("works");
    let before = files(&root.path().join("studies"));
    for contents in [b"a", b"b", b"c"] {
        lost_read(&records, root.path(), contents);
    }
    // A crash between a study's key and its first part.
    let study = "0123456789abcdef0123456789abcdef";
    fs::create_dir(root.path().join("studies").join(study)).expect("works");
    fs::write(root.path().join("studies").join(study).join("key"), b"key").expect("works");
    assert_eq!(unnamed(&records), (9, 3));
    let log = fs::read(root.path().join("records.log")).expect("works");
    let gone = records.erase_leftovers().expect("works");
    assert_eq!((gone.blobs, gone.key), (9, true));
    assert_eq!(unnamed(&records), (0, 0));
    assert_eq!(files(&root.path().join("studies")), before);
    assert_eq!(fs::read(root.path().join("records.log")).expect("works"), log);
    records.get(&kept).expect("what is named stays");
    assert_eq!(records.erase_leftovers().expect("nothing is left"), lightbox_archive::Erased::default());
}

#[test]
fn where_the_log_is_broken_nothing_counts_as_a_leftover() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let [first, second] = [0, 1].map(|_| read(&records, b"film").to_string());
    let log = root.path().join("records.log");
    let whole = fs::read_to_string(&log).expect("works");
    fs::write(&log, whole.replacen("\"read\"", "\"raed\"", 1)).expect("works");
    let report = records.verify().expect("works");
    assert!(report.has_unnamed() && !report.has_leftovers(), "{report:?}");
    let refused = records.erase_leftovers().expect_err("line 1 names parts");
    assert_eq!(refused.kind(), ErrorKind::Chain);
    assert!(refused.to_string().contains("nothing was erased") && !refused.to_string().contains("by id"));
    let third = read(&records, b"film").to_string();
    let erased = records.erase(&second, now()).expect("a record can be erased by id");
    assert_eq!((erased.blobs, erased.key), (2, false), "the first record's parts and key stay");
    // Whoever has the line can put it back: nothing of the record was lost.
    let damaged = fs::read_to_string(&log).expect("works");
    fs::write(&log, damaged.replacen("\"raed\"", "\"read\"", 1)).expect("works");
    records.get(&first).expect("restored");
    records.get(&third).expect("recorded");
    assert_eq!(unnamed(&records), (0, 0));
}

#[test]
fn where_the_end_of_the_log_was_cut_an_erasure_says_that_it_was_not_noted() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let [first, _, _] = [b"a", b"b", b"c"].map(|film| read(&records, film).to_string());
    let log = root.path().join("records.log");
    let whole = fs::read_to_string(&log).expect("works");
    let end = whole.find('\n').expect("three lines") + 1;
    fs::write(&log, &whole[..end]).expect("works");
    let report = records.verify().expect("works");
    assert_eq!((report.unnamed_parts, report.unnamed_studies), (4, 2));
    assert!(!report.has_leftovers(), "their entries were cut off");
    assert_eq!(records.erase_leftovers().expect_err("broken").kind(), ErrorKind::Chain);
    let refused = records.erase(&first, now()).expect_err("cannot be noted");
    assert_eq!(refused.kind(), ErrorKind::Chain);
    let told = [first.as_str(), "was erased, which could not be noted", "erase it again"];
    assert!(told.iter().all(|words| refused.to_string().contains(words)), "{refused}");
    fs::write(&log, &whole).expect("works");
    assert!(!records.erase(&first, now()).expect("noted now").key, "the parts were gone before");
    assert!(records.verify().expect("works").is_sound());
}

#[test]
fn a_record_whose_parts_are_lost_keeps_its_key_for_their_backup() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"film").to_string();
    let study = records.get(&id).expect("works").entry.study;
    let folder = root.path().join("studies").join(study.to_string());
    let parts: Vec<_> = files(&folder).into_iter().filter(|path| !path.ends_with("key")).collect();
    let backup: Vec<_> = parts.iter().map(|path| fs::read(path).expect("works")).collect();
    parts.iter().for_each(|path| fs::remove_file(path).expect("works"));
    assert!(!records.erase_leftovers().expect("works").key);
    parts.iter().zip(&backup).for_each(|(path, bytes)| fs::write(path, bytes).expect("works"));
    records.get(&id).expect("restored");
}
