//! Real DICOM files: every one is read to its end, and none makes the reader panic.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_intake::dicom::{Dataset, File, Value, read_header};

/// Every file below a folder.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Elements, those of items included.
fn n_elements(dataset: &Dataset<'_>) -> usize {
    dataset
        .iter()
        .map(|element| match &element.value {
            Value::Items(items) => 1 + items.iter().map(n_elements).sum::<usize>(),
            _ => 1,
        })
        .sum()
}

#[test]
fn real_files_are_read_to_their_end() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !shared.is_dir() {
        eprintln!("SKIPPED: real_files_are_read_to_their_end: there is no folder ../shared/data");
        return;
    }
    let mut paths = Vec::new();
    for folder in ["dicom", "ct", "mr", "slides"] {
        files_below(&shared.join(folder), &mut paths);
    }
    let mut n_read = 0;
    for path in paths {
        let bytes = fs::read(&path).expect("a file");
        if !File::is_dicom(&bytes[..bytes.len().min(4096)]) {
            continue;
        }
        let name = path.display();
        let file = match File::read(&bytes) {
            Ok(file) => file,
            Err(error) => {
                eprintln!("{name}: {error}");
                continue;
            }
        };
        match file.dataset() {
            Err(error) => eprintln!("{name}: {error}"),
            Ok(dataset) => {
                n_read += 1;
                for note in file.notes().iter().chain(dataset.notes()) {
                    eprintln!("{name}: note: {note}");
                }
                let n_headed = read_header(&path, |_, header| n_elements(header)).expect("a header");
                assert!(n_headed <= n_elements(&dataset), "{name}");
            }
        }
    }
    eprintln!("{n_read} files read");
    assert!(n_read > 500);
}
