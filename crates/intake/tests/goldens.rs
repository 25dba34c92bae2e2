//! Files written by other programs against the samples that went into them; see `reference/intake_files.py`.

use std::fs;
use std::path::PathBuf;

use lightbox_intake::{Samples, Step, open};

/// One line of the manifest.
struct Golden {
    name: String,
    expected: Expected,
}

enum Expected {
    Frame { width: usize, height: usize, n_channels: usize, bits: u8 },
    Refusal(String),
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn goldens() -> Vec<Golden> {
    let manifest = fs::read_to_string(folder().join("MANIFEST")).expect("a manifest");
    manifest
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let number = |index: usize| fields[index].parse::<u32>().expect("a number");
            let expected = match fields[1].strip_prefix("refuse ") {
                Some(kind) => Expected::Refusal(kind.to_owned()),
                None => Expected::Frame {
                    width: number(1) as usize,
                    height: number(2) as usize,
                    n_channels: number(3) as usize,
                    bits: number(4) as u8,
                },
            };
            Golden { name: fields[0].to_owned(), expected }
        })
        .collect()
}

/// The samples as numbers.
fn numbers(samples: &Samples) -> Vec<u32> {
    match samples {
        Samples::Gray8(v) | Samples::Rgb8(v) => v.iter().map(|v| u32::from(*v)).collect(),
        Samples::Gray16(v) | Samples::Rgb16(v) => v.iter().map(|v| u32::from(*v)).collect(),
        Samples::Values(_) => panic!("a picture file has no values of another scale"),
    }
}

fn bits_of(samples: &Samples) -> u8 {
    if matches!(samples, Samples::Gray8(_) | Samples::Rgb8(_)) { 8 } else { 16 }
}

fn expected_numbers(name: &str, bits: u8) -> Vec<u32> {
    let bytes = fs::read(folder().join(format!("{name}.samples"))).expect("samples");
    if bits == 8 {
        bytes.into_iter().map(u32::from).collect()
    } else {
        bytes.chunks_exact(2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]]))).collect()
    }
}

#[test]
fn every_file_reads_as_what_was_written_or_is_refused() {
    let goldens = goldens();
    assert!(goldens.len() > 80, "the manifest holds {} files", goldens.len());
    for Golden { name, expected } in goldens {
        let result = open(folder().join(&name));
        match expected {
            Expected::Refusal(kind) => {
                let error = result.expect_err(&name);
                assert_eq!(format!("{:?}", error.kind()), kind, "{name}: {error}");
            }
            Expected::Frame { width, height, n_channels, bits } => {
                let study = result.unwrap_or_else(|error| panic!("{name}: {error}"));
                let frame = &study.frames[0];
                assert_eq!((frame.width, frame.height), (width, height), "{name}");
                assert_eq!(
                    (frame.samples.n_channels(), bits_of(&frame.samples)),
                    (n_channels, bits),
                    "{name}"
                );
                let got = numbers(&frame.samples);
                let expected = expected_numbers(&name, bits);
                assert_eq!(got.len(), expected.len(), "{name}");
                let differing = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
                assert_eq!(differing, 0, "{name} differs in {differing} of {} samples", got.len());
            }
        }
    }
}

#[test]
fn the_steps_say_what_was_done() {
    let step = |name: &str| open(folder().join(name)).expect(name).frames.remove(0).steps;
    for (name, expected) in [
        ("c0-16.png", vec![]),
        ("gray2.png", vec![Step::ExpandBits { from_bits: 2 }]),
        ("palette4.png", vec![Step::ExpandPalette { n_colors: 16 }]),
        (
            "palette8-clear.png",
            vec![Step::ExpandPalette { n_colors: 40 }, Step::DropAlpha { translucent: true }],
        ),
        ("gray16-clear.png", vec![Step::DropAlpha { translucent: true }]),
        ("c6-8.png", vec![Step::DropAlpha { translucent: true }]),
        (
            "profile.png",
            vec![
                Step::IgnoreColorProfile { stated_by: "iCCP".to_owned() },
                Step::IgnoreColorProfile { stated_by: "gAMA".to_owned() },
            ],
        ),
        ("white-is-zero-16.tif", vec![Step::Invert]),
        ("orientation7.tif", vec![Step::Orient { exif: 7 }]),
        ("gray.jpg", vec![]),
        ("orientation6.jpg", vec![Step::YcbcrToRgb, Step::Orient { exif: 6 }]),
        ("keep-rgb.jpg", vec![]),
    ] {
        assert_eq!(step(name), expected, "{name}");
    }
}

/// The map that views build on, checked on real files: where a pixel of the upright picture came from.
#[test]
fn an_orientation_leads_back_to_the_stored_pixel() {
    let stored = open(folder().join("orientation2.tif")).expect("upright").frames.remove(0);
    let Samples::Gray8(mirrored) = &stored.samples else { panic!("gray") };
    let (width, height) = (stored.width, stored.height);
    let original = |x: usize, y: usize| mirrored[y * width + (width - 1 - x)];
    for exif in 2..=8 {
        let frame = open(folder().join(format!("orientation{exif}.tif"))).expect("it reads").frames.remove(0);
        let Samples::Gray8(samples) = &frame.samples else { panic!("gray") };
        let [[a, b, c], [d, e, f]] = frame.orientation.to_stored(width, height);
        for y in 0..frame.height {
            for x in 0..frame.width {
                let (cx, cy) = (x as f64 + 0.5, y as f64 + 0.5);
                let (sx, sy) = ((a * cx + b * cy + c) as usize, (d * cx + e * cy + f) as usize);
                assert!(sx < width && sy < height);
                assert_eq!(samples[y * frame.width + x], original(sx, sy), "orientation {exif} at {x},{y}");
            }
        }
    }
}

/// A file that ends early is never a picture that is partly black or gray.
#[test]
fn a_file_cut_anywhere_is_refused() {
    let mut n_cuts = 0;
    for Golden { name, expected } in goldens() {
        if matches!(expected, Expected::Refusal(_)) {
            continue;
        }
        let bytes = fs::read(folder().join(&name)).expect("a golden");
        let whole = lightbox_intake::read(&bytes).expect("it reads").frames.remove(0);
        // Every place of small files, some of large ones, always the last bytes.
        let stride = (bytes.len() / 150).max(1);
        for end in (0..bytes.len()).step_by(stride).chain(bytes.len().saturating_sub(24)..bytes.len()) {
            if let Ok(study) = lightbox_intake::read(&bytes[..end]) {
                // What may be missing is what carries no picture: a directory's padding, an unused description.
                assert_eq!(
                    study.frames[0],
                    whole,
                    "{name} cut to {end} of {} bytes reads as another picture",
                    bytes.len()
                );
                assert!(name.ends_with(".tif"), "{name} cut to {end} of {} bytes is read", bytes.len());
            }
            n_cuts += 1;
        }
    }
    assert!(n_cuts > 5000, "{n_cuts} cuts");
}

/// Damage is found or harmless; it never panics and never asks for more memory than the picture needs.
#[test]
fn a_flipped_byte_never_panics() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for Golden { name, .. } in goldens() {
        let bytes = fs::read(folder().join(&name)).expect("a golden");
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=random() % 3 {
                let at = random() as usize % damaged.len();
                damaged[at] = random() as u8;
            }
            // PNG and Deflate have checksums; the others may read as another picture. Either is fine here.
            drop(lightbox_intake::read(&damaged));
        }
    }
}

/// Coded data that ends early behind a well-formed end: the file is whole, the picture is not.
#[test]
fn a_scan_that_ends_early_is_refused() {
    for Golden { name, expected } in goldens() {
        if matches!(expected, Expected::Refusal(_)) || !name.ends_with(".jpg") {
            continue;
        }
        let bytes = fs::read(folder().join(&name)).expect("a golden");
        for n_missing in [1, 2, 3, 5, 8, 13, 40, 100] {
            let mut cut = bytes[..bytes.len() - 2 - n_missing].to_vec();
            cut.extend_from_slice(b"\xff\xd9");
            let result = lightbox_intake::read(&cut);
            assert!(result.is_err(), "{name} without the last {n_missing} bytes of its scan is read");
        }
    }
}
