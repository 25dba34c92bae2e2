//! A full disk while a blob is written: a named error, nothing half-written, earlier data intact.
//!
//! The tests run themselves again under a limit that only a child process can have.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use lightbox_archive::{Archive, BlobKind, CachedKind, ErrorKind};

const CHILD: &str = "LIGHTBOX_TEST_FULL_DISK";

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> =
        fs::read_dir(folder).expect("works").map(|entry| entry.expect("works").path()).collect();
    all.sort();
    all
}

/// Runs in a child whose files, or whose disk, hold some 300 KiB.
#[test]
fn writes_into_a_disk_that_fills_up() {
    let Some(root) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let archive = Archive::open(&root).expect("works");
    let study = archive.study_for(&[[1; 32]]).expect("works");
    let first = archive.put(&study, BlobKind::RecordBody, "first", &[1; 10_000]).expect("works");
    let folder = root.join("studies").join(study.to_string());
    let before = files_of(&folder);

    let refused =
        archive.put(&study, BlobKind::KeptView, "large", &vec![2; 2 << 20]).expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::DiskFull, "{refused}");
    assert!(refused.to_string().contains("free some space"), "{refused}");
    assert_eq!(files_of(&folder), before, "nothing half-written");

    let other = archive.study_for(&[[2; 32]]).expect("works");
    let refused =
        archive.put(&other, BlobKind::RecordBody, "large", &vec![2; 2 << 20]).expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::DiskFull, "{refused}");
    assert!(!root.join("studies").join(other.to_string()).exists(), "no trace of a study without a blob");

    let maker = archive.maker("a model");
    let keep = |inputs: [u8; 32], bytes: &[u8]| {
        archive.keep_cached(&[inputs], CachedKind::Image, "a", maker, bytes, u64::MAX)
    };
    let refused = keep([3; 32], &vec![2; 2 << 20]).expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::DiskFull, "{refused}");
    assert!(archive.study_of(&[[3; 32]]).expect("works").is_none(), "no trace of a study without an entry");
    assert!(keep([1; 32], &[4; 1000]).expect("room"));
    assert_eq!(keep([1; 32], &vec![2; 2 << 20]).expect_err("must be refused").kind(), ErrorKind::DiskFull);

    assert_eq!(archive.get(&study, &first).expect("works"), [1; 10_000]);
    archive.put(&study, BlobKind::RecordBody, "second", &[3; 10_000]).expect("works");
    fs::write(root.join("passed"), b"").expect("works");
}

fn child(root: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    let run = "exec \"$0\" --exact writes_into_a_disk_that_fills_up --nocapture";
    command.args(["-c", &format!("{shell} {run}")]).arg(env::current_exe().expect("works")).env(CHILD, root);
    command
}

#[test]
fn a_file_size_limit_is_a_named_error() {
    let root = tempfile::tempdir().expect("works");
    // 512 or 1024 bytes a block, as the shell has it; the signal is ignored so that the write fails instead.
    let output = child(root.path(), "trap '' XFSZ; ulimit -f 500;").output().expect("works");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(root.path().join("passed").exists(), "the child tested nothing");
}

#[test]
fn a_full_disk_is_a_named_error() {
    let root = tempfile::tempdir().expect("works");
    let mount = format!("mount -t tmpfs -o size=300k none '{}'", root.path().display());
    let namespace = ["-U", "-r", "-m", "--", "sh", "-c"];
    let possible = Command::new("unshare").args(namespace).arg(&mount).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a_full_disk_is_a_named_error: this machine lets no test mount a small disk");
        return;
    }
    // The disk is gone with the child's namespace, so the child's own marker is looked for inside.
    let run = "\"$0\" --exact writes_into_a_disk_that_fills_up --nocapture && test -e \"$1/passed\"";
    let output = Command::new("unshare")
        .args(namespace)
        .arg(format!("{mount} && {run}"))
        .arg(env::current_exe().expect("works"))
        .arg(root.path())
        .env(CHILD, root.path())
        .output()
        .expect("works");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
