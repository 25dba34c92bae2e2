//! Cached entries beside records: what an erasure, a record that is written and a clearing do to them.

use std::fs;
use std::path::Path;

use lightbox_archive::{Archive, CachedKind};
use lightbox_records::{Digest, Records};

use crate::sample::{files, now, open, read};

/// Caches a picture of this film.
fn cache(root: &Path, contents: &[u8], model: &str) {
    let archive = Archive::open(root).expect("works");
    let digest = Digest::of(contents).bytes().try_into().expect("32 bytes");
    let kept =
        archive.keep_cached(&[digest], CachedKind::Image, "a", archive.maker(model), &[1; 50], 1 << 20);
    assert!(kept.expect("works"));
}

/// Images, records and bytes of each study with something cached, by bytes.
fn cached(records: &Records) -> Vec<(usize, usize, u64)> {
    let studies = records.cached().expect("works");
    studies.iter().map(|study| (study.images, study.records, study.size_bytes)).collect()
}

#[test]
fn cached_entries_are_no_parts_of_records_and_go_with_any_of_them() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let [first, second] = [0, 1].map(|_| read(&records, b"film").to_string());
    cache(root.path(), b"film", "a model");
    assert_eq!(cached(&records), [(1, 2, 96)]);
    read(&records, b"film");
    assert_eq!(cached(&records), [(1, 3, 96)], "a further record leaves them");
    let report = records.verify().expect("works");
    assert_eq!((report.is_sound(), report.has_unnamed(), report.cached_studies), (true, false, 0));

    let erased = records.erase(&first, now()).expect("works");
    assert_eq!((erased.blobs, erased.cached, erased.key), (2, 1, false));
    assert!(cached(&records).is_empty());
    cache(root.path(), b"film", "a model");
    assert_eq!(records.erase(&second, now()).expect("works").cached, 1);
}

#[test]
fn a_study_of_cached_entries_alone_is_counted_apart_and_can_be_cleared() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    read(&records, b"film");
    cache(root.path(), b"other", "a model");
    let report = records.verify().expect("works");
    assert_eq!((report.cached_studies, report.unnamed_studies, report.has_leftovers()), (1, 0, false));
    assert_eq!(cached(&records), [(1, 0, 96)]);
    assert_eq!(records.clear_cached(Some("another model")).expect("works").cached, 0);
    let erased = records.clear_cached(Some("a model")).expect("works");
    assert_eq!((erased.cached, erased.key), (1, true), "nothing else was in that study");
    assert_eq!(records.verify().expect("works").cached_studies, 0);

    cache(root.path(), b"other", "a model");
    let erased = records.erase_leftovers().expect("works");
    assert_eq!((erased.blobs, erased.cached, erased.key), (0, 1, true));
    assert_eq!(fs::read_dir(root.path().join("studies")).expect("works").count(), 1, "that of the record");
}

#[test]
fn clearing_keeps_the_key_that_a_lost_record_waits_for() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"film").to_string();
    let parts: Vec<_> = files(&root.path().join("studies"))
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.len() == 64))
        .map(|path| (fs::read(&path).expect("works"), path))
        .collect();
    for (_, path) in &parts {
        fs::remove_file(path).expect("works");
    }
    cache(root.path(), b"film", "a model");
    let erased = records.clear_cached(None).expect("works");
    assert_eq!((erased.cached, erased.key), (1, false));
    for (bytes, path) in parts {
        fs::write(path, bytes).expect("works");
    }
    records.get(&id).expect("a backup brings it back");
}

#[test]
fn a_broken_log_keeps_every_key_and_no_cached_entry() {
    let root = tempfile::tempdir().expect("works");
    let records = open(root.path());
    let id = read(&records, b"film").to_string();
    cache(root.path(), b"film", "a model");
    cache(root.path(), b"other", "a model");
    let log = root.path().join("records.log");
    let whole = fs::read(&log).expect("works");
    fs::write(&log, b"").expect("works");
    let erased = records.clear_cached(None).expect("works");
    assert_eq!((erased.cached, erased.key), (2, false));
    fs::write(&log, whole).expect("works");
    records.get(&id).expect("untouched");
}
