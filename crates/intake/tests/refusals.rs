//! What is not a picture that this version reads, and what each refusal says.

use std::fs;
use std::path::Path;

use lightbox_intake::{Allowance, ErrorKind, Study, open, read};

/// A gray PNG of one value, as the `png` crate writes it.
fn blank_png(width: u32, height: u32, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::High);
    let n_bytes = width as usize * height as usize * if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&vec![0; n_bytes]).expect("data");
    writer.finish().expect("an end");
    bytes
}

/// The PNG with other sides in its header, checksum corrected.
fn with_sides(mut bytes: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    let sum = crc.sum().to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

#[test]
fn what_is_not_read_is_named_with_a_way_out() {
    let mut nifti = vec![0; 344];
    nifti.extend_from_slice(b"n+1\0");
    for (bytes, kind, words) in [
        (&b""[..], ErrorKind::File, "zero bytes"),
        (b"hello, this is text", ErrorKind::Unknown, "no known kind"),
        (b"\x08\0\x05\0\xff\xff\0\x7f", ErrorKind::Unknown, "no known kind"),
        (b"\x09\0\x05\0CS\x0a\0", ErrorKind::Unknown, "no known kind"),
        (b"\x02\0\x10", ErrorKind::Unknown, "no known kind"),
        (b"\x28\xb5\x2f\xfd\x04\0", ErrorKind::Unknown, "Zstandard"),
        (&nifti, ErrorKind::Unknown, "NIfTI"),
        (b"%PDF-1.7\n", ErrorKind::Unknown, "PDF"),
        (b"\x1f\x8b\x08\0", ErrorKind::Unknown, "gzip"),
        (b"\0\0\0\x0cjP  \r\n", ErrorKind::Unknown, "JPEG 2000"),
        (b"\0\0\0\x18ftypheic", ErrorKind::Unknown, "HEIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", ErrorKind::Unknown, "WebP"),
        (b"RIFF\x10\0\0\0WAVEfmt ", ErrorKind::Unknown, "WAV"),
        (b"GIF89a", ErrorKind::Unknown, "GIF"),
        (b"P5\n2 2\n255\n", ErrorKind::Unknown, "netpbm"),
        (b"\x89PNG\r\n\x1a\n", ErrorKind::Truncated, "PNG: the file ends before"),
        (b"\xff\xd8\xff", ErrorKind::Truncated, "JPEG: the file ends before"),
        (b"\xff\xd8\xff\xd9", ErrorKind::Corrupt, "no frame header"),
        (b"II*\0\x08\0\0\0", ErrorKind::Truncated, "TIFF: the file ends before"),
    ] {
        let error = read(bytes).expect_err(words);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(error.to_string().contains("; "), "{error} names no way out");
    }
}

/// The content decides, not a preamble: what follows is too little for a picture, and is refused as DICOM.
#[test]
fn dicom_is_known_in_all_its_forms() {
    let with_preamble = |preamble: &[u8]| {
        let mut bytes = preamble.to_vec();
        bytes.resize(128, 0);
        bytes.extend_from_slice(b"DICM\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0");
        bytes
    };
    for bytes in [
        with_preamble(b""),
        with_preamble(b"II*\0"),
        b"\x08\0\x05\0CS\x0a\0ISO_IR 100".to_vec(),
        b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0".to_vec(),
        b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01".to_vec(),
        b"\x02\0\0\0\x04\0\0\0\x9e\0\0\0".to_vec(),
        b"\x08\0\x01\0\x04\0\0\0\x9e\0\0\0".to_vec(),
        b"\x08\0\x08\0\x16\0\0\0ORIGINAL\\PRIMARY\\AXIAL".to_vec(),
    ] {
        let error = read(&bytes).expect_err("no pixels");
        assert!(error.to_string().starts_with("DICOM: "), "{bytes:?}: {error}");
    }
}

#[test]
fn what_is_no_file_is_refused_without_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let open_name = |name: &str| open(folder.path().join(name)).expect_err(name);
    assert!(open(folder.path()).expect_err("a folder").to_string().contains("found a directory"));
    assert!(open_name("absent.png").to_string().contains("no such file"));
    fs::write(folder.path().join("empty.png"), b"").expect("written");
    assert!(open_name("empty.png").to_string().contains("zero bytes"));
    // The name does not decide.
    fs::write(folder.path().join("report.png"), b"%PDF-1.4").expect("written");
    let error = open_name("report.png");
    assert!(error.to_string().contains("PDF") && !error.to_string().contains("report"), "{error}");
    #[cfg(unix)]
    {
        let error = open("/dev/null").expect_err("a device");
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
    }
}

#[test]
fn a_header_cannot_ask_for_more_than_the_file_can_hold() {
    let small = blank_png(64, 64, png::BitDepth::Eight);
    for (width, height, kind) in [
        (60_000, 60_000, ErrorKind::TooLarge),
        (u32::MAX >> 1, 1, ErrorKind::TooLarge),
        (10_000, 10_000, ErrorKind::Truncated),
        (2_000, 2_000, ErrorKind::Truncated),
        (64, 65, ErrorKind::Corrupt),
        (0, 64, ErrorKind::Corrupt),
    ] {
        let error = read(&with_sides(small.clone(), width, height)).expect_err("a bomb");
        assert_eq!(error.kind(), kind, "{width}×{height}: {error}");
    }
    // The same in a JPEG's and a TIFF's header.
    let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\x07\xff\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\0\0\xff\xd9";
    assert_eq!(read(jpeg).expect_err("a bomb").kind(), ErrorKind::Truncated);
}

/// The sides are known before anything is decoded: damaged data behind them is not reached.
#[test]
fn files_read_together_share_an_allowance() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    for (name, n_pixels) in [("c2-8.png", 23 * 17), ("gray.jpg", 45 * 37), ("lzw-8.tif", 23 * 17)] {
        let path = goldens.join(name);
        let mut allowance = Allowance::new(2 * n_pixels);
        allowance.open(&path).expect("the first fits");
        let mut bytes = fs::read(&path).expect("a golden");
        allowance.read(&bytes).expect("the second fits exactly");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 9].fill(0x5a);
        let error = allowance.read(&bytes).expect_err("the third does not");
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(&format!("up to {} pixels in all", 2 * n_pixels)), "{text}");
        assert!(text.contains(&format!("after {}; read fewer", 2 * n_pixels)), "{text}");
        assert!(allowance.open(goldens.join("small-1x1.jpg")).is_err(), "nothing is left");
        // One that does not fit takes nothing.
        let mut little = Allowance::new(1);
        assert!(little.open(&path).is_err());
        assert!(little.open(goldens.join("small-1x1.jpg")).is_ok());
    }
}

#[test]
fn a_blank_film_that_compresses_a_thousandfold_is_read() {
    for depth in [png::BitDepth::Eight, png::BitDepth::Sixteen] {
        let bytes = blank_png(4096, 4096, depth);
        let ratio = 4096 * 4096 * depth as usize / 8 / bytes.len();
        assert!(ratio > 500, "the test wants a strong compression, found {ratio}");
        let study = read(&bytes).expect("it reads");
        assert_eq!((study.frames[0].width, study.frames[0].height), (4096, 4096));
    }
}

#[test]
fn a_source_is_known_by_its_bytes() {
    let bytes = blank_png(3, 2, png::BitDepth::Eight);
    let mut study = Study::default();
    study.append(read(&bytes).expect("it reads"));
    study.append(read(&bytes).expect("it reads"));
    assert_eq!(study.sources.len(), 2);
    assert_eq!(study.frames[1].source, 1);
    let source = &study.sources[1];
    assert_eq!((source.len_bytes, source.sha256.len()), (bytes.len() as u64, 64));
    assert_eq!(study.sources[0], *source);
}

/// Real files that nobody here wrote, where the folder is there.
#[test]
fn files_of_kinds_that_come_later_are_named() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("SKIPPED: files_of_kinds_that_come_later_are_named: no ../shared/data");
        return;
    }
    for (path, words) in [("slides/CMU-1-Small-Region.svs", "whole-slide"), ("audio/jfk.wav", "WAV")] {
        let error = open(data.join(path)).expect_err(path);
        assert!(error.to_string().contains(words), "{path}: {error}");
    }
}
