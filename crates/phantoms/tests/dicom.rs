//! The catalogue of DICOM files must be what it says: whole, small, the same every time, of nobody.

use std::collections::BTreeSet;

use lightbox_phantoms::dicom::codes::{JpegLs, Raster, jpeg_ls};
use lightbox_phantoms::dicom::{Coding, DicomOptions, Photometric, Truth, cases};
use lightbox_phantoms::film_of_height;

#[test]
fn every_case_has_a_name_of_its_own_and_a_whole_truth() {
    let all = cases();
    let names: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "two cases have the same name");
    for topic in ["syntax", "native", "frames", "gray", "color", "palette", "misleading", "refused"] {
        assert!(names.iter().any(|name| name.starts_with(&format!("{topic}/"))), "no case is about {topic}");
    }
    let (mut n_displays, mut n_refused) = (0, 0);
    for case in &all {
        let known = match &case.truth {
            Truth::Known(known) => known,
            Truth::Refused(_) => {
                n_refused += 1;
                continue;
            }
        };
        assert!(!known.frames.is_empty(), "{}", case.name);
        let n_pixels = known.columns * known.rows;
        for frame in &known.frames {
            let n_stored = frame.stored.len() / n_pixels;
            let n_shown = frame.modality.len() / n_pixels;
            assert!(matches!((n_stored, n_shown), (1, 1 | 3) | (3, 3)), "{}", case.name);
            for display in &frame.displays {
                assert_eq!(display.levels.len(), frame.modality.len(), "{}", case.name);
                assert!(display.levels.iter().all(|level| (0.0..=255.0).contains(level)), "{}", case.name);
                n_displays += 1;
            }
        }
    }
    assert!(n_displays > 100 && n_refused > 30, "{n_displays} pictures, {n_refused} refusals");
}

#[test]
fn files_are_small_and_the_same_every_time() {
    let (first, second) = (cases(), cases());
    for (case, again) in first.iter().zip(&second) {
        assert_eq!(case.bytes, again.bytes, "{}", case.name);
        assert!(case.bytes.len() < 140_000, "{} has {} bytes", case.name, case.bytes.len());
    }
}

#[test]
fn a_film_is_stored_as_it_is() {
    let film = film_of_height(7, 86);
    let samples: Vec<u8> = film.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let plain = film.dicom(DicomOptions::default());
    assert!(plain.ends_with(&samples), "the last element of the file is not the film");
    assert!(plain.windows(12).any(|window| window == b"PHANTOM^FILM"));

    let inverted: Vec<u8> = samples.iter().map(|byte| !byte).collect();
    let dark =
        film.dicom(DicomOptions { photometric: Photometric::Monochrome1, coding: Coding::Uncompressed });
    assert!(dark.ends_with(&inverted), "MONOCHROME1 is not stored the other way round");

    let picture =
        Raster { width: film.width, height: film.height, n_components: 1, bits: 16, samples: &film.samples };
    let (coded, rebuilt) = jpeg_ls(picture, JpegLs::default());
    assert_eq!(rebuilt, film.samples);
    let packed = film.dicom(DicomOptions { coding: Coding::JpegLs, ..DicomOptions::default() });
    assert!(packed.windows(coded.len()).any(|window| window == coded));
    assert!(packed.len() < plain.len() && packed.len() > coded.len());
}
