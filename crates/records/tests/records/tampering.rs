//! Whatever is changed in log, head or parts is noticed, and told apart from what was erased.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sample::{append, film, now, open, read, value};
use lightbox_archive::{Archive, BlobKind, BlobName, StudyId};
use lightbox_records::{ErrorKind, Records, Report, State, read_body, read_line, read_paths, read_view};

/// Two reads, the first erased: a log of three entries.
fn three_entries(root: &Path) -> Records {
    let records = open(root);
    let first = read(&records, b"a");
    append(&records, &[film(b"b")], true, lightbox_models::Finish::Stop).expect("works");
    records.erase(&first.to_string(), now()).expect("works");
    records
}

fn report(records: &Records) -> Report {
    records.verify().expect("what is wrong is in the report")
}

fn log_of(root: &Path) -> PathBuf {
    root.join("records.log")
}

#[test]
fn every_flipped_byte_of_the_log_breaks_the_chain_at_its_line() {
    let root = tempfile::tempdir().expect("works");
    let records = three_entries(root.path());
    assert!(report(&records).is_sound());
    // The chain does not depend on parts; without them a check is quick.
    fs::remove_dir_all(root.path().join("studies")).expect("works");
    let whole = fs::read(log_of(root.path())).expect("works");
    let mut line = 1;
    for i in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[i] ^= 1 << (i % 8);
        fs::write(log_of(root.path()), &flipped).expect("works");
        let broken = report(&records).broken.unwrap_or_else(|| panic!("byte {i} of line {line}"));
        // A flipped end joins a line with the next; that of the last leaves it unfinished.
        assert_eq!(broken.line, line, "byte {i}: {}", broken.why);
        line += u64::from(whole[i] == b'\n');
    }
    assert_eq!(line, 4);
}

#[test]
fn every_shortening_of_the_log_is_noticed_and_nothing_is_appended_to_it() {
    let root = tempfile::tempdir().expect("works");
    let records = three_entries(root.path());
    let whole = fs::read(log_of(root.path())).expect("works");
    for end in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(log_of(root.path()), &whole[..end]).expect("works");
        let found = report(&records);
        assert!(found.broken.is_some(), "cut at {end}: {found:?}");
        let refused =
            append(&records, &[film(b"c")], false, lightbox_models::Finish::Stop).expect_err("broken");
        assert_eq!(refused.kind(), ErrorKind::Chain, "cut at {end}: {refused}");
        assert_eq!(fs::read(log_of(root.path())).expect("works").len(), end, "evidence is left as it is");
    }
    fs::remove_file(log_of(root.path())).expect("works");
    assert!(report(&records).broken.is_some());
    let refused = append(&records, &[film(b"c")], false, lightbox_models::Finish::Stop).expect_err("broken");
    assert!(refused.to_string().contains("is missing, 3 entries expected"), "{refused}");
    assert!(!log_of(root.path()).exists());
}

#[test]
fn removed_exchanged_doubled_and_foreign_lines_break_the_chain() {
    let root = tempfile::tempdir().expect("works");
    let records = three_entries(root.path());
    let other_root = tempfile::tempdir().expect("works");
    three_entries(other_root.path());
    let text = fs::read_to_string(log_of(root.path())).expect("works");
    let foreign = fs::read_to_string(log_of(other_root.path())).expect("works");
    let lines: Vec<&str> = text.lines().collect();
    let first_foreign = foreign.lines().next().expect("three lines");
    for (what, tampered, at, why) in [
        ("first removed", vec![lines[1], lines[2]], 1, "missing or exchanged"),
        ("one removed", vec![lines[0], lines[2]], 2, "missing or exchanged"),
        ("last removed", vec![lines[0], lines[1]], 3, "the last were removed"),
        ("all removed", vec![], 1, "the last were removed"),
        ("exchanged", vec![lines[1], lines[0], lines[2]], 1, "missing or exchanged"),
        ("doubled", vec![lines[0], lines[1], lines[1], lines[2]], 3, "missing or exchanged"),
        ("foreign", vec![first_foreign, lines[1], lines[2]], 1, "another install key"),
        ("blank line", vec![lines[0], "", lines[1], lines[2]], 2, "not an entry"),
        ("spelled otherwise", vec![&text[..1], lines[1], lines[2]], 1, "not an entry"),
    ] {
        let tampered: String = tampered.iter().map(|line| format!("{line}\n")).collect();
        fs::write(log_of(root.path()), tampered).expect("works");
        let broken = report(&records).broken.unwrap_or_else(|| panic!("{what}"));
        assert_eq!(broken.line, at, "{what}: {}", broken.why);
        assert!(broken.why.contains(why), "{what}: {}", broken.why);
        assert_eq!(records.list().expect("works").broken, Some(broken), "{what}: the list tells it too");
    }
    fs::write(log_of(root.path()), text).expect("works");
    assert_eq!(records.list().expect("works").broken, None);
}

#[test]
fn an_entry_rewritten_with_a_fitting_hash_still_lacks_the_tag() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"a");
    let line = fs::read_to_string(log_of(root.path())).expect("works");
    let forged = line.replace("2025-12-31", "2024-12-31");
    let seal = forged.find(",\"hash\"").expect("an entry");
    let message = [b"lightbox records log entry v1\0", &forged.as_bytes()[..seal]].concat();
    let hash = lightbox_records::Digest::of(&message);
    let tag = &line[line.find(",\"tag\"").expect("an entry")..];
    fs::write(log_of(root.path()), format!("{},\"hash\":\"{hash}\"{tag}", &forged[..seal])).expect("works");
    let broken = report(&records).broken.expect("forged");
    assert!(broken.why.contains("its tag does not fit"), "{}", broken.why);
    assert_eq!(records.get(&id.to_string()).expect_err("forged").kind(), ErrorKind::Altered);
}

#[test]
fn a_head_that_is_missing_altered_or_older_is_noticed_or_harmless() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let head = root.path().join("records.head");
    read(&records, b"a");
    let older = fs::read(&head).expect("works");
    let older_log = fs::read(log_of(root.path())).expect("works");
    read(&records, b"b");
    let newest = fs::read(&head).expect("works");
    let append = || append(&records, &[film(b"c")], false, lightbox_models::Finish::Stop);

    // Removing the last entry and putting the old log beside the new head: noticed.
    let whole = fs::read(log_of(root.path())).expect("works");
    fs::write(log_of(root.path()), &older_log).expect("works");
    assert!(report(&records).broken.expect("shortened").why.contains("the last were removed"));
    fs::write(log_of(root.path()), &whole).expect("works");

    fs::remove_file(&head).expect("works");
    assert!(report(&records).broken.expect("no head").why.contains("is missing"));
    assert_eq!(append().expect_err("no head").kind(), ErrorKind::Chain);
    for i in 0..newest.len() - 1 {
        let mut flipped = newest.clone();
        flipped[i] ^= 1;
        fs::write(&head, &flipped).expect("works");
        assert!(report(&records).broken.is_some(), "byte {i}");
        let refused = append().expect_err("altered").kind();
        assert!(matches!(refused, ErrorKind::Chain | ErrorKind::Version), "byte {i}: {refused:?}");
    }

    // An older head is what a crash before its replacement leaves: the entries beyond it are adopted.
    fs::write(&head, &older).expect("works");
    assert!(report(&records).is_sound());
    append().expect("adopted");
    let after = report(&records);
    assert!(after.is_sound() && after.entries == 3, "{after:?}");
}

#[test]
fn every_flipped_byte_of_every_part_is_told_apart_from_an_erasure() {
    let root = tempfile::tempdir().expect("works");
    let records = three_entries(root.path());
    let id = records.list().expect("works").records[1].id;
    let archive = Archive::open(root.path()).expect("works");
    let studies = archive.studies().expect("works");
    let body = archive.name(BlobKind::RecordBody, &id.to_string());
    assert_eq!((studies.len(), studies[0].blobs.len()), (1, 3));
    let path = |study: &StudyId, name: &BlobName| {
        root.path().join("studies").join(study.to_string()).join(name.to_string())
    };
    for blob in &studies[0].blobs {
        let path = path(&studies[0].id, &blob.name);
        let whole = fs::read(&path).expect("works");
        // A record's body is long: all bytes of its header and nonce, some of its ciphertext, its tag.
        let is_tried =
            |i: usize| blob.name != body || i < 48 || i.is_multiple_of(13) || i + 16 >= whole.len();
        for i in (0..whole.len()).filter(|&i| is_tried(i)) {
            let mut flipped = whole.clone();
            flipped[i] ^= 1 << (i % 8);
            fs::write(&path, &flipped).expect("works");
            let found = report(&records);
            assert!(found.broken.is_none(), "the chain does not depend on parts");
            assert_eq!((found.erased, found.unsound.len()), (1, 1), "byte {i} of {}", blob.name);
            assert_eq!(found.unsound[0].id, id);
            assert!(matches!(found.unsound[0].state, State::Altered { .. }), "byte {i}: {found:?}");
        }
        if blob.name == body {
            assert_eq!(records.get(&id.to_string()).expect_err("altered").kind(), ErrorKind::Altered);
        }
        fs::write(&path, &whole).expect("works");
    }
    assert!(report(&records).is_sound());
}

#[test]
fn a_part_exchanged_by_somebody_with_the_key_is_not_the_one_that_the_log_names() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"a");
    let study = records.get(&id.to_string()).expect("works").entry.study;
    let archive = Archive::open(root.path()).expect("works");
    let name = archive.name(BlobKind::RecordBody, &id.to_string());
    let body = archive.get(&study, &name).expect("works");
    archive.erase_blobs(&study, &[name]).expect("works");
    let mut other = body;
    let at = other.windows(3).position(|window| window == b"Yes").expect("the answer is there");
    other[at..at + 3].copy_from_slice(b"Noo");
    archive.put(&study, BlobKind::RecordBody, &id.to_string(), &other).expect("works");
    let refused = records.get(&id.to_string()).expect_err("exchanged");
    assert_eq!(refused.kind(), ErrorKind::Altered);
    assert!(refused.to_string().contains("not the one that the log names"), "{refused}");
    assert!(!report(&records).is_sound());
}

#[test]
fn no_bytes_make_the_readers_panic() {
    let root = tempfile::tempdir().expect("works");
    let records = three_entries(root.path());
    let line = fs::read(log_of(root.path())).expect("works");
    let id = records.list().expect("works").records[1].id;
    let body = value(&records.get(&id.to_string()).expect("works").body).to_string().into_bytes();
    let view = [b"LBXV\x01".as_slice(), &[1, 0, 0, 0, 1, 0, 0, 0, 7, 7, 7]].concat();
    let paths = br#"{"format":1,"paths":[{"text":"/a"},{"bytes":"2f"},null]}"#.to_vec();
    assert!(read_view(&view).is_ok() && read_paths(&paths).is_ok() && read_body(&body).is_ok());
    // xorshift64, from a fixed seed.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (1 << 31)).expect("31 bits fit")
    };
    let mut refused = 0;
    for _ in 0..1500 {
        for seed in [&line, &body, &view, &paths] {
            let mut bytes = seed.clone();
            for _ in 0..=random() % 4 {
                let at = random() % bytes.len();
                match random() % 4 {
                    0 => bytes[at] = u8::try_from(random() % 256).expect("below 256"),
                    1 => bytes.truncate(at + 1),
                    2 => bytes.extend_from_within(at..),
                    _ => bytes[at] ^= 1 << (random() % 8),
                }
            }
            refused += usize::from(read_line(&bytes).is_err());
            let _ = (read_body(&bytes).is_ok(), read_view(&bytes).is_ok(), read_paths(&bytes).is_ok());
        }
    }
    assert_eq!(refused, 4 * 1500, "not one mutation of a log is a line of it");
}
