//! What the archive reads back from the disk.

use std::time::Duration;

use lightbox_archive::{BlobKind, BlobName, StudyId, StudyKey, open_blob, seal_blob};

use super::Target;

/// Contents that the seeds are sealed from.
const CONTENTS: [&[u8]; 3] = [b"", b"{\"answer\": \"a draft\"}", &[7; 300]];

/// A sealed blob, opened with the key, study and name that it was sealed with.
pub const BLOB: Target = Target {
    name: "blob",
    run: open,
    seeds: sealed,
    words: &[],
    repair: None,
    memory_limit_bytes: 1 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(2),
};

fn place() -> (StudyKey, StudyId, BlobName) {
    (StudyKey::from_bytes([1; 32]), StudyId::from_bytes([2; 16]), BlobName::from_bytes([3; 32]))
}

fn sealed() -> Vec<Vec<u8>> {
    let (key, study, name) = place();
    CONTENTS
        .iter()
        .map(|contents| {
            seal_blob(&key, &study, BlobKind::RecordBody, &name, contents).expect("contents are short")
        })
        .collect()
}

/// Either it is refused, or it is bit for bit what was sealed: an altered blob never opens.
fn open(bytes: &[u8]) {
    let (key, study, name) = place();
    match open_blob(bytes, &key, &study, &name) {
        Ok((kind, contents)) => {
            assert_eq!(kind, BlobKind::RecordBody);
            assert!(CONTENTS.contains(&contents.as_slice()), "an altered blob opened");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
