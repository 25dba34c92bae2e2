//! JPEG 2000: streams of OpenJPEG against their samples (see `reference/jpeg2000_files.py`), and what is refused.

use std::fs;
use std::path::PathBuf;

use lightbox_codecs::{ErrorKind, Outline, Samples, jpeg2000};

/// One line of the manifest, with its stream.
struct Golden {
    name: String,
    outline: Outline,
    /// How far a sample may be from the expected one: single precision leaves the last digit open.
    tolerance: i32,
    expected: Vec<i32>,
    coded: Vec<u8>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/jpeg2000")
}

fn goldens() -> Vec<Golden> {
    let manifest = fs::read_to_string(folder().join("MANIFEST")).expect("a manifest");
    manifest.lines().map(golden_of).collect()
}

fn golden_of(line: &str) -> Golden {
    let fields: Vec<&str> = line.split('\t').collect();
    let number = |index: usize| fields[index].parse().expect("a number");
    let name = fields[0].to_owned();
    let outline = Outline {
        width: number(1),
        height: number(2),
        n_components: number(3),
        bits: number(4) as u8,
        is_signed: fields[5] == "s",
    };
    let expected = if fields[6] == "same" {
        picture(&outline)
    } else {
        let bytes = fs::read(folder().join(format!("{name}.samples"))).expect("samples");
        if outline.bits <= 8 {
            values(&Samples::U8(bytes), outline.is_signed)
        } else {
            let words = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
            values(&Samples::U16(words), outline.is_signed)
        }
    };
    let coded = fs::read(folder().join(format!("{name}.j2k"))).expect("a stream");
    Golden { name, outline, tolerance: i32::from(fields[6] == "near"), expected, coded }
}

fn golden(name: &str) -> Golden {
    goldens().into_iter().find(|golden| golden.name == name).expect("a golden of this name")
}

/// The picture that the script coded: a parabola that wraps round, and noise in the lower third of the bits.
fn picture(outline: &Outline) -> Vec<i32> {
    let mut samples = Vec::new();
    for y in 0..outline.height as u32 {
        for x in 0..outline.width as u32 {
            for c in 0..outline.n_components as u32 {
                let smooth = (x * x * 3 + y * y * 5 + x * y * 7 + c * 977) >> 4;
                let mut noise =
                    x.wrapping_mul(2_654_435_761).wrapping_add(y * 40503 + 12345).wrapping_add(c * 69069);
                noise ^= noise >> 15;
                noise = noise.wrapping_mul(2_246_822_519);
                noise ^= noise >> 13;
                noise &= (1 << (outline.bits / 3)) - 1;
                let sample = (smooth + noise) & ((1 << outline.bits) - 1);
                samples.push(sample as i32 - if outline.is_signed { 1 << (outline.bits - 1) } else { 0 });
            }
        }
    }
    samples
}

fn values(samples: &Samples, is_signed: bool) -> Vec<i32> {
    match (samples, is_signed) {
        (Samples::U8(v), false) => v.iter().map(|v| i32::from(*v)).collect(),
        (Samples::U8(v), true) => v.iter().map(|v| i32::from(*v as i8)).collect(),
        (Samples::U16(v), false) => v.iter().map(|v| i32::from(*v)).collect(),
        (Samples::U16(v), true) => v.iter().map(|v| i32::from(*v as i16)).collect(),
    }
}

#[test]
fn every_stream_decodes_to_the_samples_that_were_coded() {
    let goldens = goldens();
    assert!(goldens.len() > 40, "the manifest holds {} streams", goldens.len());
    for Golden { name, outline, tolerance, expected, mut coded } in goldens {
        assert_eq!(jpeg2000::outline(&coded).expect(&name), outline, "{name}");
        for _ in 0..2 {
            let picture = jpeg2000::decode(&coded).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(picture.outline, outline, "{name}");
            let values = values(&picture.samples, outline.is_signed);
            assert_eq!(values.len(), expected.len(), "{name}");
            let furthest = values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).max();
            assert!(furthest <= Some(tolerance), "{name}: off by {furthest:?}");
            // DICOM pads with zeros.
            coded.extend([0; 3]);
        }
    }
}

#[test]
fn a_stream_that_lacks_bytes_of_a_packet_is_truncated_wherever_it_ends() {
    for Golden { name, coded, .. } in goldens() {
        // Without the end marker and the padding of a header at most, the picture is whole.
        let first = if name == "boxed" { 12 } else { 2 };
        // Every place in the headers, and some in the coded bits.
        let whole = coded.len() - 6;
        for n in (first..whole.min(160)).chain((160..whole).step_by(13)) {
            match jpeg2000::decode(&coded[..n]) {
                Ok(_) => panic!("{name}: {n} of {} bytes are a picture", coded.len()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Truncated, "{name} {n}: {error}"),
            }
        }
    }
}

#[test]
fn damaged_streams_are_refused_or_decoded_but_never_a_panic() {
    for Golden { coded, .. } in goldens() {
        for at in (0..coded.len()).filter(|at| *at < 160 || at % 13 == 0) {
            let mut damaged = coded.clone();
            damaged[at] ^= [0x01, 0x80, 0xFF][at % 3];
            // Most damage to coded bits makes other pictures, which nothing can tell from the right one.
            let _ = jpeg2000::decode(&damaged);
        }
    }
}

#[test]
fn what_is_not_decoded_is_refused_by_name() {
    // SIZ starts after SOC: marker, length, Rsiz, eight numbers of four bytes, Csiz, then three bytes a component.
    let siz = |name: &str, edits: &[(usize, u8)]| {
        let mut coded = golden(name).coded;
        edits.iter().for_each(|(at, byte)| coded[2 + at] = *byte);
        coded
    };
    let cases = [
        (siz("rgb-rct", &[(44, 2)]), ErrorKind::Unsupported, "subsampled"),
        (siz("rgb-rct", &[(43, 9)]), ErrorKind::Unsupported, "differ in bits"),
        (siz("gray8s", &[(40, 23)]), ErrorKind::Unsupported, "24 bits"),
        (siz("gray8s", &[(8, 0xFF), (12, 0xFF)]), ErrorKind::TooLarge, "promises"),
        (siz("gray8s", &[(38, 2)]), ErrorKind::Unsupported, "256 components"),
        (siz("gray8s", &[(7, 2)]), ErrorKind::TooLarge, "65535 at most"),
        (b"\xFF\xD8\xFF\xE0".to_vec(), ErrorKind::Corrupt, "SOC"),
    ];
    for (coded, kind, words) in cases {
        let error = jpeg2000::decode(&coded).expect_err(words);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_damaged_segmentation_symbol_is_refused() {
    let Golden { coded, .. } = golden("style-symbols");
    let data = coded.windows(2).position(|pair| pair == [0xFF, 0x93]).expect("SOD") + 2;
    let refused = (data + 20..coded.len() - 20).step_by(3).filter(|at| {
        let mut damaged = coded.clone();
        damaged[*at] ^= 0x10;
        jpeg2000::decode(&damaged).is_err_and(|error| error.message().contains("segmentation symbol"))
    });
    assert!(refused.count() > 10);
}
