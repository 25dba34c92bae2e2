//! Cached entries as their keepers meet them: what comes back, what makes room, what damage and erasure do.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use lightbox_archive::{Archive, BlobKind, CachedKind, ErrorKind, StudyId};

const FILM: [[u8; 32]; 1] = [[1; 32]];
const OTHER: [[u8; 32]; 1] = [[2; 32]];
const LIMIT: u64 = 1 << 20;
/// What sealing adds.
const OVERHEAD: u64 = 46;

fn keep(archive: &Archive, inputs: &[[u8; 32]], purpose: &str, bytes: &[u8], limit: u64) -> bool {
    let maker = archive.maker("model one");
    archive.keep_cached(inputs, CachedKind::Image, purpose, maker, bytes, limit).expect("room")
}

fn study(archive: &Archive, inputs: &[[u8; 32]]) -> StudyId {
    archive.study_of(inputs).expect("readable").expect("there is one")
}

fn found(archive: &Archive, inputs: &[[u8; 32]], purpose: &str) -> Option<Vec<u8>> {
    archive.cached(&study(archive, inputs), CachedKind::Image, purpose).expect("readable")
}

/// The files of cached entries, with the time of their last use set to so many seconds ago.
fn entries(root: &Path) -> Vec<PathBuf> {
    let studies = fs::read_dir(root.join("studies")).expect("there are some");
    let files = studies.flat_map(|study| fs::read_dir(study.expect("readable").path()).expect("a folder"));
    let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
    let is_entry = |path: &PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        name.starts_with("image-") || name.starts_with("prefix-")
    };
    paths.retain(is_entry);
    paths.sort();
    paths
}

#[test]
fn what_is_kept_comes_back_for_the_same_inputs_kind_and_purpose() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    assert!(keep(&archive, &FILM, "a", b"soft tokens", LIMIT));
    assert_eq!(found(&archive, &FILM, "a").as_deref(), Some(b"soft tokens".as_slice()));
    assert_eq!(found(&archive, &FILM, "b"), None);
    let film = study(&archive, &FILM);
    assert_eq!(archive.cached(&film, CachedKind::Prefix, "a").expect("works"), None);
    assert!(keep(&archive, &FILM, "a", b"again", LIMIT), "an entry may be replaced");
    assert_eq!(found(&archive, &FILM, "a").as_deref(), Some(b"again".as_slice()));
    assert_eq!(entries(root.path()).len(), 1);

    let again = Archive::open_to_read(root.path()).expect("works").expect("there is one");
    assert_eq!(found(&again, &FILM, "a").as_deref(), Some(b"again".as_slice()));
    let listed = again.study(&film).expect("works");
    assert!(listed.blobs.is_empty(), "no part of any record");
    assert_eq!((listed.cached[0].kind, listed.cached[0].size_bytes), (CachedKind::Image, 5 + OVERHEAD));
    assert_eq!(listed.cached[0].maker, again.maker("model one"));
    assert_ne!(listed.cached[0].maker, again.maker("model two"));

    archive.drop_cached(&film, CachedKind::Image, "a").expect("works");
    archive.drop_cached(&film, CachedKind::Image, "a").expect("what is not there is no error");
    assert_eq!(found(&archive, &FILM, "a"), None);
    assert!(!keep(&archive, &[], "a", b"of nothing", LIMIT), "without inputs there is no study");
}

#[test]
fn nothing_on_disk_tells_what_is_kept() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    keep(&archive, &FILM, "a purpose", b"the heart of Jane Doe", LIMIT);
    let path = &entries(root.path())[0];
    let bytes = fs::read(path).expect("readable");
    assert!(!bytes.windows(4).any(|window| window == b"Jane"));
    assert!(!path.to_string_lossy().contains("purpose") && !path.to_string_lossy().contains("model"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    let size = 100 + OVERHEAD;
    for (purpose, inputs) in [("a", &FILM), ("b", &OTHER), ("c", &FILM)] {
        assert!(keep(&archive, inputs, purpose, &[7; 100], 3 * size));
    }
    for (i, path) in entries(root.path()).iter().enumerate() {
        let past = SystemTime::now() - Duration::from_secs(1000 + i as u64);
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(past)).expect("ours");
    }
    // Used now, so they stay.
    assert!(found(&archive, &FILM, "a").is_some() && found(&archive, &OTHER, "b").is_some());
    assert!(keep(&archive, &FILM, "d", &[7; 100], 3 * size));
    assert_eq!(found(&archive, &FILM, "c"), None);
    assert!(found(&archive, &FILM, "a").is_some() && found(&archive, &OTHER, "b").is_some());
    assert!(!keep(&archive, &FILM, "large", &[7; 401], 3 * size), "more than all may take");
    assert_eq!(entries(root.path()).len(), 3);
    assert!(keep(&archive, &FILM, "small", &[7; 1], 1 + OVERHEAD), "a smaller limit holds at once");
    assert_eq!(entries(root.path()).len(), 1);
    assert!(archive.study_of(&OTHER).expect("works").is_some(), "whether a study goes is not decided here");
}

#[test]
fn a_damaged_entry_is_dropped_and_never_given() {
    type Damage = fn(&Path, Vec<u8>);
    let table: [(&str, Damage); 5] = [
        ("a flipped bit", |path, mut bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(path, bytes).expect("ours");
        }),
        ("cut", |path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).expect("ours")),
        ("empty", |path, _| fs::write(path, b"").expect("ours")),
        ("another kind", |path, mut bytes| {
            bytes[5] = 5;
            fs::write(path, bytes).expect("ours");
        }),
        ("without the key", |path, _| {
            fs::remove_file(path.parent().expect("a folder").join("key")).expect("ours");
        }),
    ];
    for (what, damage) in table {
        let root = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(root.path()).expect("works");
        keep(&archive, &FILM, "a", b"soft tokens", LIMIT);
        let path = entries(root.path()).remove(0);
        damage(&path, fs::read(&path).expect("readable"));
        let film = study(&archive, &FILM);
        let refused = archive.cached(&film, CachedKind::Image, "a").expect_err(what);
        assert_eq!(refused.kind(), ErrorKind::Altered, "{what}: {refused}");
        assert!(!path.exists(), "{what}: it stays");
        assert!(keep(&archive, &FILM, "a", b"rebuilt", LIMIT), "{what}");
        assert_eq!(found(&archive, &FILM, "a").as_deref(), Some(b"rebuilt".as_slice()), "{what}");
    }
}

#[test]
fn an_entry_of_one_study_does_not_open_in_another() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    keep(&archive, &FILM, "a", b"of the film", LIMIT);
    keep(&archive, &OTHER, "b", b"of the other", LIMIT);
    let folder = |inputs| root.path().join("studies").join(study(&archive, inputs).to_string());
    let (from, to) = (folder(&FILM), folder(&OTHER));
    let path = entries(root.path()).into_iter().find(|path| path.starts_with(&from)).expect("one");
    fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("ours");
    archive.cached(&study(&archive, &OTHER), CachedKind::Image, "a").expect_err("moved");
}

#[test]
fn cached_entries_go_with_the_last_blob_of_their_study_and_when_asked() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    keep(&archive, &FILM, "a", b"soft tokens", LIMIT);
    let film = study(&archive, &FILM);
    let part = archive.put(&film, BlobKind::RecordBody, "r1", b"a record").expect("the same study and key");
    let other = archive.put(&film, BlobKind::RecordBody, "r2", b"another").expect("works");
    let erased = archive.erase_blobs(&film, &[part]).expect("works");
    assert_eq!((erased.blobs, erased.cached), (1, 0));
    assert!(found(&archive, &FILM, "a").is_some());
    let erased = archive.erase_blobs(&film, &[other]).expect("works");
    assert_eq!((erased.blobs, erased.cached, erased.key), (1, 1, true));
    assert!(entries(root.path()).is_empty() && archive.study_of(&FILM).expect("works").is_none());

    keep(&archive, &FILM, "a", b"soft tokens", LIMIT);
    let two = archive.maker("model two");
    archive.keep_cached(&FILM, CachedKind::Prefix, "p", two, b"keys", LIMIT).expect("works");
    let film = study(&archive, &FILM);
    let erased = archive.erase_cached(&film, Some(two)).expect("works");
    assert_eq!((erased.cached, erased.size_bytes, erased.key), (1, 4 + OVERHEAD, false));
    assert!(found(&archive, &FILM, "a").is_some());
    assert_eq!(archive.erase_cached(&film, None).expect("works").cached, 1);
    assert!(archive.is_of(&film, &FILM).expect("works") && !archive.is_of(&film, &OTHER).expect("works"));
}

#[test]
fn of_a_prompt_the_end_goes_before_the_beginning() {
    let root = tempfile::tempdir().expect("a folder");
    let archive = Archive::open(root.path()).expect("works");
    let maker = archive.maker("model");
    let limit = 4 * (100 + OVERHEAD);
    let put = |kind, purpose: &str| {
        // File systems count time in ticks of some milliseconds.
        thread::sleep(Duration::from_millis(15));
        assert!(archive.keep_cached(&FILM, kind, purpose, maker, &[7; 100], limit).expect("room"));
    };
    put(CachedKind::Image, "film");
    for block in ["first", "second", "third"] {
        put(CachedKind::Prefix, block);
    }
    let study = study(&archive, &FILM);
    let holds = |kind, purpose: &str| archive.cached(&study, kind, purpose).expect("readable").is_some();
    put(CachedKind::Image, "other");
    assert!(!holds(CachedKind::Image, "film"), "what was not used for longest goes first");
    put(CachedKind::Image, "another");
    put(CachedKind::Image, "one more");
    let held = ["first", "second", "third"].map(|block| holds(CachedKind::Prefix, block));
    assert_eq!(held, [true, false, false]);
}

#[test]
fn several_writers_keep_within_the_limit_and_read_whole_entries() {
    let root = tempfile::tempdir().expect("a folder");
    let limit = 6 * (1000 + OVERHEAD);
    let run = |seed: u8| {
        let archive = Archive::open(root.path()).expect("works");
        for n in 0..20u8 {
            let purpose = format!("{}", n % 8);
            if let Some(study) = archive.study_of(&FILM).expect("works")
                && let Some(bytes) = archive.cached(&study, CachedKind::Image, &purpose).expect("whole")
            {
                assert_eq!(bytes, vec![n % 8; 1000]);
            }
            let inputs = if seed == 0 { &FILM } else { &OTHER };
            keep(&archive, inputs, &purpose, &[n % 8; 1000], limit);
            keep(&archive, &FILM, &purpose, &[n % 8; 1000], limit);
        }
    };
    thread::scope(|scope| {
        for seed in 0..2 {
            scope.spawn(move || run(seed));
        }
    });
    let total: u64 = entries(root.path()).iter().map(|path| fs::metadata(path).expect("there").len()).sum();
    assert!(total <= limit, "{total} of {limit}");
    let archive = Archive::open(root.path()).expect("works");
    assert_eq!(archive.studies().expect("works").len(), 2, "one study a film");
}
