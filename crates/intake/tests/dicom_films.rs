//! DICOM files as they are found: whatever they hold, a frame is read or refused by name.

use std::path::{Path, PathBuf};

use lightbox_intake::dicom::File;
use lightbox_intake::dicom::pixels::{Display, ModalityFrame, Pixels, VoiChoice, WindowRule};
use lightbox_intake::{Error, ErrorKind};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/dicom");

/// Larger files are left to `reference/compare_dicom.py`, which takes its time.
const MOST_BYTES: u64 = 1 << 19;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if entry.metadata().is_ok_and(|metadata| metadata.len() <= MOST_BYTES) {
            found.push(path);
        }
    }
}

/// The first and the last frame through all stages; how many values there were.
fn read(bytes: &[u8]) -> Result<usize, Error> {
    let file = File::read(bytes)?;
    let dataset = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let mut n_values = 0;
    for frame_idx in [0, pixels.n_frames() - 1] {
        let frame = pixels.frame(frame_idx)?;
        let shown = frame.display(&VoiChoice::Default, WindowRule::Standard)?;
        let (Display::Gray8(levels) | Display::Rgb8(levels)) = shown.picture;
        let n_modality = match frame.modality()? {
            ModalityFrame::Gray(gray) => gray.iter().count(),
            ModalityFrame::Rgb(rgb) => rgb.values.len(),
        };
        assert_eq!(levels.len(), n_modality);
        assert_eq!(shown.width * shown.height * frame.n_samples(), frame.values().len());
        n_values += frame.values().len();
    }
    Ok(n_values)
}

#[test]
fn real_films_are_read_or_refused_by_name() {
    let mut paths = Vec::new();
    files(Path::new(DATA), &mut paths);
    if paths.is_empty() {
        eprintln!("SKIPPED: real_films_are_read_or_refused_by_name: there is no folder ../shared/data/dicom");
        return;
    }
    let (mut n_read, mut n_refused) = (0, 0);
    for path in &paths {
        let bytes = std::fs::read(path).expect("a file that was listed");
        match read(&bytes) {
            Ok(n_values) => {
                assert!(n_values > 0, "{}", path.display());
                n_read += 1;
            }
            Err(refused) => {
                assert!(refused.to_string().starts_with("DICOM: "), "{}: {refused}", path.display());
                // What is no picture, big endian or damaged; never for want of memory.
                assert_ne!(refused.kind(), ErrorKind::TooLarge, "{}: {refused}", path.display());
                n_refused += 1;
            }
        }
    }
    assert!(n_read > 5 * n_refused, "{n_read} read, {n_refused} refused");
}
