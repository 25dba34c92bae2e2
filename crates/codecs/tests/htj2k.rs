//! HTJ2K: codestreams of OpenJPH against the samples that OpenJPEG decodes (see `reference/htj2k_files.py`).

use std::fs;
use std::path::PathBuf;

use lightbox_codecs::{ErrorKind, Outline, Picture, Samples, jpeg2000};

/// One line of the manifest, with its stream.
struct Golden {
    name: String,
    outline: Outline,
    expected: Expected,
    coded: Vec<u8>,
}

enum Expected {
    /// FNV-1a of the samples' bytes, little-endian.
    Digest(String),
    /// Samples that may be off by one: two decoders may round differently.
    Rounded(Vec<u8>),
}

fn goldens() -> Vec<Golden> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/htj2k");
    let manifest = fs::read_to_string(folder.join("MANIFEST")).expect("a manifest");
    manifest
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let number = |index: usize| fields[index].parse().expect("a number");
            let outline = Outline {
                width: number(1),
                height: number(2),
                n_components: number(3),
                bits: number(4) as u8,
                is_signed: fields[5] == "signed",
            };
            let name = fields[0].to_owned();
            let coded = fs::read(folder.join(format!("{name}.j2c"))).expect("a stream");
            let expected = match fields[6] {
                "rounded" => {
                    Expected::Rounded(fs::read(folder.join(format!("{name}.samples"))).expect("samples"))
                }
                digest => Expected::Digest(digest.to_owned()),
            };
            Golden { name, outline, expected, coded }
        })
        .collect()
}

fn bytes(picture: &Picture) -> Vec<u8> {
    match &picture.samples {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    });
    format!("{digest:016x}")
}

/// Largest difference of samples, which are unsigned.
fn difference(picture: &Picture, expected: &[u8]) -> u32 {
    let (got, width) = (bytes(picture), if picture.outline.bits > 8 { 2 } else { 1 });
    assert_eq!(got.len(), expected.len());
    let value = |bytes: &[u8]| bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
    got.chunks(width).zip(expected.chunks(width)).map(|(a, b)| value(a).abs_diff(value(b))).max().unwrap_or(0)
}

#[test]
fn every_stream_decodes_to_the_samples_of_openjpeg() {
    let goldens = goldens();
    assert!(goldens.len() > 18, "the manifest holds {} streams", goldens.len());
    for Golden { name, outline, expected, mut coded } in goldens {
        assert_eq!(jpeg2000::outline(&coded).expect(&name), outline, "{name}");
        // With and without what a file may append to make its length even.
        for _ in 0..2 {
            let picture = jpeg2000::decode(&coded).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(picture.outline, outline, "{name}");
            match &expected {
                Expected::Digest(expected) => assert_eq!(&digest(&bytes(&picture)), expected, "{name}"),
                Expected::Rounded(expected) => {
                    let off_by = difference(&picture, expected);
                    assert!(off_by <= 1, "{name}: a sample is off by {off_by}");
                }
            }
            coded.extend([0; 3]);
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_no_picture_wherever_it_ends() {
    for Golden { name, coded, .. } in goldens() {
        // The end of the codestream itself may be missing.
        for n in 0..coded.len() - 2 {
            match jpeg2000::decode(&coded[..n]) {
                Ok(_) => panic!("{name}: {n} of {} bytes are a picture", coded.len()),
                Err(error) => assert_ne!(error.kind(), ErrorKind::Unsupported, "{name} {n}: {error}"),
            }
        }
    }
}
