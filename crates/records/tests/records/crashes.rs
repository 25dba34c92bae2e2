//! Crashes, full disks and several writers at once: nothing recorded is lost, nothing half-written stays.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use crate::sample::{append, files, film, open, read};
use lightbox_models::Finish;
use lightbox_records::{ErrorKind, Records};

const WRITER: &str = "LIGHTBOX_TEST_RECORDS_WRITER";
const FULL: &str = "LIGHTBOX_TEST_RECORDS_FULL";

fn log_of(root: &Path) -> PathBuf {
    root.join("records.log")
}

/// Two records, the second of which a crash may have cut: the log, and the head as it was before the second.
fn two_records(root: &Path) -> (Records, usize, Vec<u8>) {
    let records = open(root);
    read(&records, b"a");
    let first = fs::read(log_of(root)).expect("works").len();
    let head = fs::read(root.join("records.head")).expect("works");
    read(&records, b"b");
    (records, first, head)
}

#[test]
fn an_append_that_a_crash_cut_anywhere_loses_no_earlier_record() {
    let root = tempfile::tempdir().expect("works");
    let (records, first, head) = two_records(root.path());
    let whole = fs::read(log_of(root.path())).expect("works");
    for end in (first..whole.len()).step_by(23).chain([whole.len() - 1]) {
        fs::write(log_of(root.path()), &whole[..end]).expect("works");
        fs::write(root.path().join("records.head"), &head).expect("works");
        let report = records.verify().expect("works");
        assert!(report.is_sound(), "cut at {end}: {report:?}");
        assert_eq!((report.entries, report.unfinished_bytes), (1, (end - first) as u64));
        assert_eq!(report.unnamed_parts, 2, "the parts of the lost entry");
        let list = records.list().expect("works");
        assert_eq!((list.records.len(), list.unreadable_lines), (1, 0));

        let id = read(&records, b"a");
        let report = records.verify().expect("works");
        assert!(report.is_sound() && report.entries == 2 && report.unfinished_bytes == 0, "{report:?}");
        records.get(&id.to_string()).expect("recorded after the crash");
        // Back to two records for the next cut; the parts of this one go.
        records.erase(&id.to_string(), crate::sample::now()).expect("works");
    }
}

#[test]
fn an_append_whose_head_a_crash_lost_is_adopted() {
    let root = tempfile::tempdir().expect("works");
    let (records, _, head) = two_records(root.path());
    fs::write(root.path().join("records.head"), &head).expect("works");
    fs::write(root.path().join(".tmp-0123456789abcdef"), b"half a head").expect("works");
    assert_eq!(records.list().expect("works").records.len(), 2);
    read(&records, b"c");
    let report = records.verify().expect("works");
    assert!(report.is_sound() && report.entries == 3 && report.intact == 3, "{report:?}");
    assert!(!root.path().join(".tmp-0123456789abcdef").exists(), "what a killed writer left is swept");
}

/// Appends in a process of its own.
#[test]
fn writes_five_records() {
    let Some(root) = env::var_os(WRITER).map(PathBuf::from) else { return };
    let records = open(&root);
    for _ in 0..5 {
        read(&records, b"the same film for all");
    }
}

#[test]
fn processes_and_threads_that_append_at_once_make_one_chain() {
    let root = tempfile::tempdir().expect("works");
    let children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(env::current_exe().expect("a test has a program"))
                .args(["--exact", "crashes::writes_five_records", "--nocapture"])
                .env(WRITER, root.path())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the test's own program runs")
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let records = open(root.path());
                for _ in 0..5 {
                    read(&records, b"the same film for all");
                }
            });
        }
    });
    for child in children {
        let output = child.wait_with_output().expect("the child ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let records = open(root.path());
    let report = records.verify().expect("works");
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.intact, report.unnamed_parts), (30, 30, 0));
}

/// Runs in a child whose files may have 6 KiB: room for parts, and for some lines of the log.
#[test]
fn records_until_the_disk_is_full() {
    let Some(root) = env::var_os(FULL).map(PathBuf::from) else { return };
    let records = open(&root);
    let mut recorded = 0;
    let refused = loop {
        let (log, all) = (fs::read(log_of(&root)).unwrap_or_default(), files(&root));
        match append(&records, &[film(b"film")], false, Finish::Stop) {
            Ok(_) => recorded += 1,
            Err(error) => {
                assert_eq!(fs::read(log_of(&root)).expect("works"), log, "not a byte of the entry stays");
                assert_eq!(files(&root), all, "no part of the record stays");
                break error;
            }
        }
    };
    assert_eq!(refused.kind(), ErrorKind::DiskFull, "{refused}");
    assert!(refused.to_string().contains("records.log") && refused.to_string().contains("free some space"));
    let report = records.verify().expect("works");
    assert!(report.is_sound() && recorded > 2, "{report:?}");
    assert_eq!((report.entries, report.intact, report.unnamed_parts), (recorded, recorded as usize, 0));
    fs::write(root.join("passed"), b"").expect("works");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_a_named_error_and_leaves_nothing_half_written() {
    let root = tempfile::tempdir().expect("works");
    // Blocks of 512 bytes, or of 1024 in some shells; the signal is ignored so that the write fails instead.
    let shell =
        "trap '' XFSZ; ulimit -f 12; exec \"$0\" --exact crashes::records_until_the_disk_is_full --nocapture";
    let output = Command::new("sh")
        .args(["-c", shell])
        .arg(env::current_exe().expect("a test has a program"))
        .env(FULL, root.path())
        .output()
        .expect("sh is there");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && root.path().join("passed").exists(), "{shown}");
}

#[test]
fn readiness_says_what_an_append_would_say() {
    let root = tempfile::tempdir().expect("works");
    let (log, head) = (log_of(root.path()), root.path().join("records.head"));
    let records = open(root.path());
    records.ready().expect("a new folder is ready");
    assert!(records.list().expect("works").records.is_empty());
    read(&records, b"a");
    let (short, older) = (fs::read(&log).expect("works"), fs::read(&head).expect("works"));
    read(&records, b"b");
    let (whole, newest) = (fs::read(&log).expect("works"), fs::read(&head).expect("works"));

    fs::write(&head, &older).expect("works");
    fs::write(&log, [whole.as_slice(), b"{\"format\""].concat()).expect("works");
    records.ready().expect("what a crash left is settled");
    assert_eq!(fs::read(&log).expect("works"), whole, "an unfinished line is cut off");
    assert_eq!(fs::read(&head).expect("works"), newest, "a whole one is confirmed");

    let altered = newest.iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
    for (what, log_bytes, head_bytes) in [
        ("shortened", Some(&short), Some(&newest)),
        ("without a log", None, Some(&newest)),
        ("without a head", Some(&whole), None),
        ("with an altered head", Some(&whole), Some(&altered)),
    ] {
        for (path, bytes) in [(&log, log_bytes), (&head, head_bytes)] {
            let _ = fs::remove_file(path);
            if let Some(bytes) = bytes {
                fs::write(path, bytes).expect("works");
            }
        }
        let before = files(root.path());
        let early = records.ready().expect_err(what);
        let late = append(&records, &[film(b"c")], false, Finish::Stop).expect_err(what);
        assert_eq!((early.kind(), early.to_string()), (ErrorKind::Chain, late.to_string()), "{what}");
        assert_eq!(files(root.path()), before, "{what}: evidence is left as it is");
    }
}
