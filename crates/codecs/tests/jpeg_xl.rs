//! JPEG XL: streams of libjxl against their samples (see `reference/jpeg_xl_files.py`), and what is refused.

use std::fs;
use std::path::PathBuf;

use lightbox_codecs::{ErrorKind, Outline, Picture, Samples, jpeg_xl};

/// A picture of the manifest.
struct Golden {
    name: String,
    coded: Vec<u8>,
    outline: Outline,
    n_levels: u32,
    samples: Vec<u32>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/jpeg_xl")
}

/// The names, and what the manifest says of each.
fn manifest() -> Vec<(String, Vec<String>)> {
    let manifest = fs::read_to_string(folder().join("MANIFEST")).expect("a manifest");
    let fields = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    manifest.lines().map(|line| (fields(line)[0].clone(), fields(line)[1..].to_vec())).collect()
}

fn coded(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.jxl"))).expect("a stream")
}

fn goldens() -> Vec<Golden> {
    let pictures = manifest().into_iter().filter(|(_, fields)| fields.len() == 5);
    pictures
        .map(|(name, fields)| {
            let number = |index: usize| fields[index].parse::<usize>().expect("a number");
            let outline = Outline {
                width: number(0),
                height: number(1),
                n_components: number(2),
                bits: number(3) as u8,
                is_signed: false,
            };
            let bytes = fs::read(folder().join(format!("{name}.samples"))).expect("samples");
            let samples = if outline.bits <= 8 {
                bytes.into_iter().map(u32::from).collect()
            } else {
                bytes.chunks_exact(2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]]))).collect()
            };
            Golden { coded: coded(&name), name, outline, n_levels: number(4) as u32, samples }
        })
        .collect()
}

fn numbers(picture: &Picture) -> Vec<u32> {
    match &picture.samples {
        Samples::U8(samples) => samples.iter().map(|sample| u32::from(*sample)).collect(),
        Samples::U16(samples) => samples.iter().map(|sample| u32::from(*sample)).collect(),
    }
}

#[test]
fn lossless_samples_are_those_that_were_coded_and_lossy_ones_within_a_level() {
    let goldens = goldens();
    assert!(goldens.len() > 15, "the manifest holds {} pictures", goldens.len());
    for Golden { name, mut coded, outline, n_levels, samples } in goldens {
        assert_eq!(jpeg_xl::outline(&coded).expect(&name), outline, "{name}");
        for _ in 0..2 {
            let picture = jpeg_xl::decode(&coded).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(picture.outline, outline, "{name}");
            let got = numbers(&picture);
            assert_eq!(got.len(), samples.len(), "{name}");
            let most = got.iter().zip(&samples).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(n_levels), "{name}: {most:?} levels");
            coded.extend([0; 3]);
        }
    }
}

#[test]
fn what_is_not_decoded_is_refused_by_name() {
    let refused = manifest().into_iter().filter_map(|(name, fields)| {
        fields[0].strip_prefix("refuse ").map(|word| (coded(&name), ErrorKind::Unsupported, word.to_owned()))
    });
    let others = [
        (Vec::new(), ErrorKind::Corrupt, "neither"),
        (b"not a JPEG XL".to_vec(), ErrorKind::Corrupt, "neither"),
        (vec![0xFF, 0x0A], ErrorKind::Truncated, "header"),
        (coded("lossless-container")[..12].to_vec(), ErrorKind::Truncated, "before its codestream"),
        (with_part(1), ErrorKind::Corrupt, "expected part 0"),
    ];
    let others = others.into_iter().map(|(coded, kind, word)| (coded, kind, word.to_owned()));
    for (coded, kind, word) in refused.chain(others) {
        let error = jpeg_xl::decode(&coded).expect_err(&word);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&word), "expected {word:?} in {error}");
        let outline = jpeg_xl::outline(&coded).expect_err(&word);
        assert_eq!(outline.to_string(), error.to_string());
    }
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32 + 8).to_be_bytes();
    [&size[..], kind, body].concat()
}

const SIGNATURE: &[u8] = &[0, 0, 0, 12, b'J', b'X', b'L', b' ', 0x0D, 0x0A, 0x87, 0x0A];

/// A file whose first part of the codestream has this number.
fn with_part(number: u32) -> Vec<u8> {
    [SIGNATURE, &boxed(b"jxlp", &number.to_be_bytes())].concat()
}

#[test]
fn a_codestream_is_put_together_from_its_boxes() {
    let whole = coded("lossless-3x12-effort3");
    let expected = jpeg_xl::decode(&whole).expect("a picture");
    let (first, second) = whole.split_at(40);
    let part = |number: u32, bytes: &[u8]| boxed(b"jxlp", &[&number.to_be_bytes()[..], bytes].concat());
    let long = [&1_u32.to_be_bytes()[..], b"jxlc", &(whole.len() as u64 + 16).to_be_bytes(), &whole].concat();
    let open = [&0_u32.to_be_bytes()[..], b"jxlc", &whole].concat();
    let text = boxed(b"xml ", b"<a/>");
    for file in [
        [SIGNATURE, &boxed(b"ftyp", b"jxl \0\0\0\0jxl "), &boxed(b"jxlc", &whole), &text].concat(),
        [SIGNATURE, &part(0, first), &text, &part(1 << 31 | 1, second)].concat(),
        [SIGNATURE, &part(0, first), &part(1, &[]), &part(1 << 31 | 2, second)].concat(),
        [SIGNATURE, &long].concat(),
        [SIGNATURE, &text, &open].concat(),
    ] {
        assert_eq!(jpeg_xl::decode(&file).expect("a picture"), expected);
    }
    let gap = [SIGNATURE, &part(0, first), &part(1 << 31 | 2, second)].concat();
    assert_eq!(jpeg_xl::decode(&gap).expect_err("a gap").kind(), ErrorKind::Corrupt);
    let cut = [SIGNATURE, &part(0, first)].concat();
    assert_eq!(jpeg_xl::decode(&cut).expect_err("a cut").kind(), ErrorKind::Truncated);
}

#[test]
fn a_stream_that_ends_early_is_no_picture() {
    for Golden { name, coded, .. } in goldens() {
        // The last byte may hold nothing but padding.
        for n in (0..coded.len() - 1).step_by(11) {
            assert!(
                jpeg_xl::decode(&coded[..n]).is_err(),
                "{name}: {n} of {} bytes are a picture",
                coded.len()
            );
        }
    }
}

#[test]
fn damaged_streams_never_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % n
    };
    let (mut n_decoded, mut n_refused) = (0, 0);
    for Golden { coded, .. } in goldens() {
        for _ in 0..50 {
            let mut damaged = coded.clone();
            for _ in 0..1 + random(3) {
                let at = random(damaged.len());
                match random(4) {
                    0 => damaged[at] ^= 1 << random(8),
                    1 => damaged[at] = random(256) as u8,
                    2 => damaged.truncate(at + 1),
                    _ => damaged.insert(at, random(256) as u8),
                }
            }
            match jpeg_xl::decode(&damaged) {
                Ok(_) => n_decoded += 1,
                Err(_) => n_refused += 1,
            }
        }
    }
    assert!(n_decoded > 5 && n_refused > 400, "{n_decoded} {n_refused}");
}
