//! The archive as its callers meet it: what comes back, what is refused, what lies on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use lightbox_archive::{
    Archive, BlobKind, BlobName, ErrorKind, FileLock, StudyId, StudyKey, open_blob, seal_blob,
};

const SECRET: &[u8] = b"the heart of Jane Doe is enlarged";

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("works") {
        let path = entry.expect("works").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn one_study(root: &Path) -> (Archive, StudyId, BlobName) {
    let archive = Archive::open(root).expect("works");
    let study = archive.study_for(&[[7; 32]]).expect("works");
    let name = archive.put(&study, BlobKind::RecordBody, "r1", SECRET).expect("works");
    (archive, study, name)
}

fn blob_path(root: &Path, study: &StudyId, name: &BlobName) -> PathBuf {
    root.join("studies").join(study.to_string()).join(name.to_string())
}

#[test]
fn what_is_put_comes_back_also_after_opening_again() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    assert_eq!(archive.get(&study, &name).expect("works"), SECRET);
    let empty = archive.put(&study, BlobKind::PathIndex, "r1", b"").expect("works");
    assert_eq!(archive.get(&study, &empty).expect("works"), b"");
    assert_ne!(name, empty, "the kind is part of the name");
    let again = Archive::open(root.path()).expect("works");
    assert_eq!(again.study_of(&[[7; 32]]).expect("works"), Some(study));
    assert_eq!(again.name(BlobKind::RecordBody, "r1"), name);
    assert_eq!(again.get(&study, &name).expect("works"), SECRET);
    let refused = again.put(&study, BlobKind::RecordBody, "r1", b"another").expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::Exists);
    assert_eq!(again.get(&study, &name).expect("works"), SECRET);
}

#[test]
fn the_same_inputs_are_the_same_study_as_long_as_it_is_there() {
    let (a, b) = (tempfile::tempdir().expect("works"), tempfile::tempdir().expect("works"));
    let (one, other) = (Archive::open(a.path()).expect("works"), Archive::open(b.path()).expect("works"));
    let of = |archive: &Archive, inputs: &[[u8; 32]]| archive.study_for(inputs).expect("works");
    let both = of(&one, &[[1; 32], [2; 32]]);
    assert_eq!(of(&one, &[[2; 32], [1; 32], [2; 32]]), both, "a set, in any order");
    assert_eq!(one.study_of(&[[1; 32]]).expect("works"), None);
    assert_ne!(of(&one, &[[1; 32]]), both);
    assert_ne!(of(&one, &[]), of(&one, &[]), "no inputs have nothing in common");
    assert_eq!(one.study_of(&[]).expect("works"), None);
    assert_ne!(one.name(BlobKind::RecordBody, "r"), other.name(BlobKind::RecordBody, "r"));

    let before = files(&a.path().join("studies"));
    one.erase_blobs(&both, &[]).expect("works");
    assert_eq!(one.study_of(&[[1; 32], [2; 32]]).expect("works"), None);
    assert_ne!(of(&one, &[[1; 32], [2; 32]]), both, "once it is erased its id belongs to nothing");
    assert_eq!(files(&a.path().join("studies")).len(), before.len());
}

#[test]
fn neither_id_nor_label_of_a_study_can_be_made_from_its_inputs_alone() {
    let (a, b) = (tempfile::tempdir().expect("works"), tempfile::tempdir().expect("works"));
    let names = |root: &Path| -> Vec<_> {
        let archive = Archive::open(root).expect("works");
        let study = archive.study_for(&[[1; 32]]).expect("works");
        let all = files(&root.join("studies"));
        assert_eq!(all.len(), 1, "its label: {all:?}");
        assert_eq!(fs::read(&all[0]).expect("works"), b"");
        vec![study.to_string(), all[0].file_name().expect("works").to_string_lossy().into_owned()]
    };
    let first = names(a.path());
    let second = names(b.path());
    assert!(first[0] != second[0] && first[1] != second[1], "each installation has names of its own");
    // With the install key the label can be made again, and is gone with the study; the id cannot.
    fs::remove_dir_all(a.path().join("studies")).expect("works");
    let third = names(a.path());
    assert!(first[0] != third[0] && first[1] == third[1]);
}

#[cfg(unix)]
#[test]
fn folders_and_files_are_open_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().expect("works");
    let root = parent.path().join("share").join("lightbox");
    let (_archive, study, _) = one_study(&root);
    let mode = |path: &Path| fs::metadata(path).expect("works").permissions().mode() & 0o777;
    for folder in [&root, &root.join("studies"), &root.join("studies").join(study.to_string())] {
        assert_eq!(mode(folder), 0o700, "{folder:?}");
    }
    let all = files(&root);
    assert_eq!(all.len(), 5, "install key, lock, label, study key, blob: {all:?}");
    for file in all {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }

    for wider in [0o640, 0o604, 0o644, 0o660] {
        fs::set_permissions(root.join("install.key"), fs::Permissions::from_mode(wider)).expect("works");
        let refused = Archive::open(&root).err().expect("must be refused");
        assert_eq!(refused.kind(), ErrorKind::InstallKey);
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
    fs::set_permissions(root.join("install.key"), fs::Permissions::from_mode(0o600)).expect("works");
    Archive::open(&root).expect("works");
}

#[test]
fn an_install_key_that_is_missing_or_of_wrong_length_is_never_replaced() {
    let root = tempfile::tempdir().expect("works");
    let (_, study, name) = one_study(root.path());
    let path = root.path().join("install.key");
    let key = fs::read(&path).expect("works");
    for wrong in [&key[..31], &[], &[key.as_slice(), b"\n"].concat()] {
        fs::write(&path, wrong).expect("works");
        let refused = Archive::open(root.path()).err().expect("must be refused");
        assert_eq!(refused.kind(), ErrorKind::InstallKey);
        assert!(refused.to_string().contains("32 bytes"), "{refused}");
        assert_eq!(fs::read(&path).expect("works"), wrong);
    }
    fs::remove_file(&path).expect("works");
    let refused = Archive::open(root.path()).err().expect("must be refused");
    assert_eq!(refused.kind(), ErrorKind::InstallKey);
    assert!(!path.exists(), "no new key beside old data");
    drop(fs::File::create(&path).expect("works"));
    fs::remove_file(&path).expect("works");

    // A key of another installation opens nothing, and says so.
    let other = tempfile::tempdir().expect("works");
    Archive::open(other.path()).expect("works");
    fs::copy(other.path().join("install.key"), &path).expect("works");
    let archive = Archive::open(root.path()).expect("works");
    let refused = archive.get(&study, &name).expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::StudyKey);
    assert!(refused.to_string().contains("another install key"), "{refused}");
}

#[test]
fn threads_that_start_at_once_end_with_one_install_key_and_one_study_key() {
    let root = tempfile::tempdir().expect("works");
    let ids: Vec<StudyId> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| {
                let root = root.path();
                scope.spawn(move || {
                    let archive = Archive::open(root).expect("works");
                    let study = archive.study_for(&[[3; 32]]).expect("works");
                    archive.put(&study, BlobKind::RecordBody, &format!("r{i}"), SECRET).expect("works");
                    study
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread ended well")).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let archive = Archive::open(root.path()).expect("works");
    for i in 0..8 {
        let name = archive.name(BlobKind::RecordBody, &format!("r{i}"));
        assert_eq!(archive.get(&ids[0], &name).expect("works"), SECRET);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_blob_is_an_error() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    let path = blob_path(root.path(), &study, &name);
    let whole = fs::read(&path).expect("works");
    for i in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[i] ^= 1 << bit;
            fs::write(&path, &flipped).expect("works");
            assert_eq!(
                archive.get(&study, &name).expect_err("must be refused").kind(),
                ErrorKind::Altered,
                "byte {i} bit {bit}"
            );
        }
        fs::write(&path, &whole[..i]).expect("works");
        assert_eq!(
            archive.get(&study, &name).expect_err("must be refused").kind(),
            ErrorKind::Altered,
            "cut at {i}"
        );
    }
    fs::write(&path, [whole.as_slice(), &[0]].concat()).expect("works");
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::Altered);
    fs::write(&path, &whole).expect("works");
    assert_eq!(archive.get(&study, &name).expect("works"), SECRET);
    fs::remove_file(&path).expect("works");
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::Missing);
}

#[test]
fn every_flipped_byte_and_every_cut_of_a_study_key_is_an_error() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    let path = root.path().join("studies").join(study.to_string()).join("key");
    let whole = fs::read(&path).expect("works");
    for i in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[i] ^= 0x10;
        for wrong in [flipped.as_slice(), &whole[..i]] {
            fs::write(&path, wrong).expect("works");
            assert_eq!(
                archive.get(&study, &name).expect_err("must be refused").kind(),
                ErrorKind::StudyKey,
                "byte {i}"
            );
            let refused = archive.put(&study, BlobKind::RecordBody, "r2", b"x").expect_err("must be refused");
            assert_eq!(refused.kind(), ErrorKind::StudyKey, "a broken key is never replaced");
        }
    }
    fs::remove_file(&path).expect("works");
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::StudyKey);
    assert_eq!(
        archive.put(&study, BlobKind::RecordBody, "r2", b"x").expect_err("must be refused").kind(),
        ErrorKind::StudyKey
    );
}

#[test]
fn a_blob_does_not_open_elsewhere() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    let other_name = archive.put(&study, BlobKind::RecordBody, "r2", b"another").expect("works");
    let other_study = archive.study_for(&[[8; 32]]).expect("works");
    archive.put(&other_study, BlobKind::RecordBody, "r3", b"third").expect("works");
    let sealed = blob_path(root.path(), &study, &name);
    fs::copy(&sealed, blob_path(root.path(), &study, &other_name)).expect("works");
    assert_eq!(archive.get(&study, &other_name).expect_err("must be refused").kind(), ErrorKind::Altered);
    fs::copy(&sealed, blob_path(root.path(), &other_study, &name)).expect("works");
    assert_eq!(archive.get(&other_study, &name).expect_err("must be refused").kind(), ErrorKind::Altered);
    // Not even with the study's own key: the key is bound to its study as well.
    let keys = |study: &StudyId| root.path().join("studies").join(study.to_string()).join("key");
    fs::copy(keys(&study), keys(&other_study)).expect("works");
    assert_eq!(archive.get(&other_study, &name).expect_err("must be refused").kind(), ErrorKind::StudyKey);
}

#[test]
fn sealed_bytes_bind_study_kind_and_name_and_differ_each_time() {
    let key = StudyKey::from_bytes([1; 32]);
    let (study, name) = (StudyId::from_bytes([2; 16]), BlobName::from_bytes([3; 32]));
    let sealed = seal_blob(&key, &study, BlobKind::KeptView, &name, SECRET).expect("works");
    assert_ne!(sealed, seal_blob(&key, &study, BlobKind::KeptView, &name, SECRET).expect("works"));
    assert_eq!(
        open_blob(&sealed, &key, &study, &name).expect("works"),
        (BlobKind::KeptView, SECRET.to_vec())
    );
    let elsewhere = [
        open_blob(&sealed, &StudyKey::from_bytes([0; 32]), &study, &name),
        open_blob(&sealed, &key, &StudyId::from_bytes([0; 16]), &name),
        open_blob(&sealed, &key, &study, &BlobName::from_bytes([0; 32])),
    ];
    for opened in elsewhere {
        assert_eq!(opened.expect_err("must be refused").kind(), ErrorKind::Altered);
    }
}

#[test]
fn nothing_on_disk_reads_as_what_was_stored() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, _) = one_study(root.path());
    archive.put(&study, BlobKind::PathIndex, "purpose-of-Jane", b"/films/doe-jane.png").expect("works");
    for file in files(root.path()) {
        let shown = file.strip_prefix(root.path()).expect("works").to_string_lossy().to_lowercase();
        let bytes = fs::read(&file).expect("works");
        for secret in [SECRET, b"Jane", b"doe-jane", b"/films", b"purpose"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{shown}");
        }
        assert!(!shown.contains("jane") && !shown.contains("07070707"), "{shown}");
    }
}

#[test]
fn erasing_a_study_removes_all_of_it_and_nothing_else() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    archive.put(&study, BlobKind::KeptView, "r1", &[9; 1000]).expect("works");
    let other = archive.study_for(&[[8; 32]]).expect("works");
    let kept = archive.put(&other, BlobKind::RecordBody, "r2", b"stays").expect("works");
    let listed = archive.studies().expect("works");
    assert_eq!(listed.len(), 2);
    let entry = listed.iter().find(|entry| entry.id == study).expect("works");
    let names: Vec<_> = entry.blobs.iter().map(|blob| blob.name).collect();
    let mut expected = [name, archive.name(BlobKind::KeptView, "r1")];
    expected.sort();
    assert_eq!(names, expected);

    let erased = archive.erase_blobs(&study, &names).expect("works");
    assert!(erased.key);
    assert_eq!(erased.blobs, 2);
    assert_eq!(erased.size_bytes, entry.blobs.iter().map(|blob| blob.size_bytes).sum::<u64>());
    assert!(erased.size_bytes > 1000);
    assert!(!root.path().join("studies").join(study.to_string()).exists());
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::Missing);
    assert_eq!(archive.get(&other, &kept).expect("works"), b"stays");
    let again = archive.erase_blobs(&study, &names).expect("works");
    assert_eq!((again.key, again.blobs), (false, 0));
}

#[test]
fn an_interrupted_erasure_leaves_nothing_readable_and_can_be_finished() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    // What a crash after the first step leaves: the key is gone, the blob is there.
    fs::remove_file(root.path().join("studies").join(study.to_string()).join("key")).expect("works");
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::StudyKey);
    let erased = archive.erase_blobs(&study, &[name]).expect("works");
    assert_eq!((erased.key, erased.blobs), (false, 1));
    assert!(archive.studies().expect("works").is_empty());
}

#[test]
fn erasing_the_last_blob_takes_the_study_with_it() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, first) = one_study(root.path());
    let second = archive.put(&study, BlobKind::RecordBody, "r2", b"second").expect("works");
    let erased = archive.erase_blobs(&study, &[first]).expect("works");
    assert_eq!((erased.key, erased.blobs), (false, 1));
    assert_eq!(archive.get(&study, &second).expect("works"), b"second");
    let erased = archive.erase_blobs(&study, &[first, second]).expect("works");
    assert_eq!((erased.key, erased.blobs), (true, 1));
    assert!(archive.studies().expect("works").is_empty());
}

#[test]
fn what_a_killed_writer_left_is_swept_and_never_listed() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, _) = one_study(root.path());
    let leftover = root.path().join("studies").join(study.to_string()).join(".tmp-0123456789abcdef");
    fs::write(&leftover, b"half").expect("works");
    assert_eq!(archive.studies().expect("works")[0].blobs.len(), 1);
    archive.put(&study, BlobKind::RecordBody, "r2", b"x").expect("works");
    assert!(!leftover.exists());
}

#[test]
fn a_blob_larger_than_the_limit_on_disk_is_refused_unread() {
    let root = tempfile::tempdir().expect("works");
    let (archive, study, name) = one_study(root.path());
    let file = fs::OpenOptions::new().write(true).open(blob_path(root.path(), &study, &name)).expect("works");
    // A sparse file: large in name only.
    file.set_len(lightbox_archive::MAX_BLOB_BYTES as u64 + 4096).expect("works");
    assert_eq!(archive.get(&study, &name).expect_err("must be refused").kind(), ErrorKind::TooLarge);
}

#[test]
fn a_tag_depends_on_installation_purpose_and_message() {
    let (a, b) = (tempfile::tempdir().expect("works"), tempfile::tempdir().expect("works"));
    let (one, other) = (Archive::open(a.path()).expect("works"), Archive::open(b.path()).expect("works"));
    let tag = one.authenticate("log", b"entry");
    assert_eq!(Archive::open(a.path()).expect("works").authenticate("log", b"entry"), tag);
    for different in [
        other.authenticate("log", b"entry"),
        one.authenticate("head", b"entry"),
        one.authenticate("log", b"e"),
    ] {
        assert_ne!(different, tag);
    }
}

#[cfg(unix)]
#[test]
fn a_write_that_cannot_be_finished_leaves_nothing_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().expect("works");
    // A folder in the way of the name: the rename fails after everything else went well.
    fs::create_dir_all(root.path().join("name").join("inside")).expect("works");
    let refused =
        lightbox_archive::write_whole(root.path(), "name", &[b"bytes"]).expect_err("must be refused");
    assert_eq!(refused.kind(), ErrorKind::Io);
    let left: Vec<_> =
        fs::read_dir(root.path()).expect("works").map(|entry| entry.expect("works").file_name()).collect();
    assert_eq!(left, ["name"]);

    lightbox_archive::write_whole(root.path(), "other", &[b"by", b"tes"]).expect("works");
    lightbox_archive::write_whole(root.path(), "other", &[b"replaced"]).expect("works");
    assert_eq!(fs::read(root.path().join("other")).expect("works"), b"replaced");
    let mode = fs::metadata(root.path().join("other")).expect("works").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_lock_is_held_by_one_at_a_time() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let root = tempfile::tempdir().expect("works");
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let _lock = FileLock::take(root.path(), "lock").expect("works");
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
}

#[test]
fn opening_to_read_makes_nothing() {
    let root = tempfile::tempdir().expect("works");
    for folder in [root.path().to_owned(), root.path().join("not/there")] {
        assert!(Archive::open_to_read(&folder).expect("nothing there is no error").is_none());
        assert!(files(root.path()).is_empty() && !root.path().join("not").exists());
    }
    let (_, study, name) = one_study(root.path());
    fs::remove_file(root.path().join("archive.lock")).expect("works");
    let before = files(root.path());
    let archive = Archive::open_to_read(root.path()).expect("works").expect("there is a study");
    assert_eq!(archive.get(&study, &name).expect("works"), SECRET);
    assert_eq!(files(root.path()), before);
    fs::remove_file(root.path().join("install.key")).expect("works");
    let refused = Archive::open_to_read(root.path()).err().expect("a study without a key");
    assert_eq!(refused.kind(), ErrorKind::InstallKey, "{refused}");
    assert!(!root.path().join("install.key").exists());
}

#[test]
fn readers_share_a_lock_and_a_writer_waits_for_them() {
    let root = tempfile::tempdir().expect("works");
    assert!(FileLock::take_to_read(root.path(), "lock").expect("works").is_none(), "no file, no lock");
    assert!(files(root.path()).is_empty(), "none is made");
    drop(FileLock::take(root.path(), "lock").expect("works"));
    let readers = [0, 1].map(|_| FileLock::take_to_read(root.path(), "lock").expect("works"));
    assert!(readers.iter().all(Option::is_some));
    thread::scope(|scope| {
        let writer = scope.spawn(|| FileLock::take(root.path(), "lock").expect("works"));
        thread::sleep(std::time::Duration::from_millis(50));
        assert!(!writer.is_finished(), "two readers hold it");
        drop(readers);
        let _written = writer.join().expect("works");
    });
}
