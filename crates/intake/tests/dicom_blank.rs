//! Legitimate extremes: a blank film of 4096 × 4096 pixels in a few hundred bytes is a film.

use lightbox_intake::ErrorKind;
use lightbox_intake::dicom::File;
use lightbox_intake::dicom::pixels::{Display, Pixels, VoiChoice, WindowRule};
use lightbox_phantoms::dicom::codes::{self, JpegLs, Raster, jpeg_ls, rle};
use lightbox_phantoms::dicom::{DicomFile, Layout};

const SIDE: usize = 4096;

#[test]
fn a_blank_film_may_be_hundreds_of_times_smaller_than_its_pixels() {
    let samples = vec![40_000; SIDE * SIDE];
    let picture = Raster { width: SIDE, height: SIDE, n_components: 1, bits: 16, samples: &samples };
    for (name, syntax, frame, least_ratio) in [
        ("JPEG-LS", "1.2.840.10008.1.2.4.80", jpeg_ls(picture, JpegLs::default()).0, 10_000),
        ("RLE", "1.2.840.10008.1.2.5", rle(picture), 60),
    ] {
        assert!(2 * SIDE * SIDE / frame.len() > least_ratio, "{name}: {} bytes", frame.len());
        let layout = Layout::gray(SIDE as u16, SIDE as u16, 16);
        let bytes = DicomFile::new(name).in_syntax(syntax).frames(layout, &[frame]).written();
        let file = File::read(&bytes).expect("a file");
        let dataset = file.dataset().expect("a data set");
        let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
        let frame = pixels.frame(0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(frame.values().len(), SIDE * SIDE, "{name}");
        assert!(frame.values().iter().all(|value| value == 40_000.0), "{name}");
        let shown = frame.display(&VoiChoice::None, WindowRule::Standard).expect("a picture");
        assert!(matches!(shown.picture, Display::Gray8(levels) if levels.iter().all(|level| *level == 0)));
    }
}

#[test]
fn samples_of_64_bits_need_coded_bytes_to_be_believed() {
    // Just above 32 MiB of 64-bit samples.
    const SIDE: usize = 2200;
    let samples = vec![40; SIDE * SIDE];
    let picture = Raster { width: SIDE, height: SIDE, n_components: 1, bits: 16, samples: &samples };
    let wide = Layout { bits_allocated: 64, ..Layout::gray(SIDE as u16, SIDE as u16, 16) };
    let deflated = codes::deflate(&vec![0; SIDE * SIDE * 8]);
    for (syntax, frame) in [
        ("1.2.840.10008.1.2.4.80", jpeg_ls(picture, JpegLs::default()).0),
        ("1.2.840.10008.1.2.8.1", deflated),
    ] {
        let bytes = DicomFile::new("wide").in_syntax(syntax).frames(wide, &[frame]).written();
        let file = File::read(&bytes).expect("a file");
        let dataset = file.dataset().expect("a data set");
        let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
        let refused = pixels.frame(0).expect_err("38 MB of some hundred bytes");
        assert_eq!(refused.kind(), ErrorKind::TooLarge, "{refused}");
        assert!(refused.to_string().contains("38720000"), "{refused}");
    }
}
