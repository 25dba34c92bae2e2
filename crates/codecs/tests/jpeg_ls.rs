//! JPEG-LS: streams of CharLS and of a plain encoder against their samples (see `reference/jpeg_ls_files.py`), and what
//! is refused.

use std::fs;
use std::path::PathBuf;

use lightbox_codecs::{ErrorKind, Outline, Picture, Samples, jpeg_ls};

/// One line of the manifest, with its stream.
struct Golden {
    name: String,
    outline: Outline,
    digest: String,
    coded: Vec<u8>,
}

fn goldens() -> Vec<Golden> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/jpeg_ls");
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
                is_signed: false,
            };
            let coded = fs::read(folder.join(format!("{}.jls", fields[0]))).expect("a stream");
            Golden { name: fields[0].to_owned(), outline, digest: fields[5].to_owned(), coded }
        })
        .collect()
}

fn golden(name: &str) -> Vec<u8> {
    goldens().into_iter().find(|golden| golden.name == name).expect("a golden of this name").coded
}

/// FNV-1a of the samples' bytes, little-endian.
fn digest(picture: &Picture) -> String {
    let bytes = match &picture.samples {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    };
    let digest = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    });
    format!("{digest:016x}")
}

#[test]
fn every_stream_decodes_to_the_samples_that_were_coded() {
    let goldens = goldens();
    assert!(goldens.len() > 40, "the manifest holds {} streams", goldens.len());
    for Golden { name, outline, digest: expected, mut coded } in goldens {
        assert_eq!(jpeg_ls::outline(&coded).expect(&name), outline, "{name}");
        for _ in 0..2 {
            let picture = jpeg_ls::decode(&coded).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(picture.outline, outline, "{name}");
            assert_eq!(digest(&picture), expected, "{name}");
            coded.extend([0; 3]);
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_truncated_wherever_it_ends() {
    for Golden { name, coded, .. } in goldens() {
        let end = coded.iter().rposition(|byte| *byte == 0xD9).expect("EOI") - 1;
        // The last bytes of the coded data may hold nothing but padding.
        for n in 0..end - 3 {
            match jpeg_ls::decode(&coded[..n]) {
                Ok(_) => panic!("{name}: {n} of {} bytes are a picture", coded.len()),
                Err(error) if n >= 2 => assert_eq!(error.kind(), ErrorKind::Truncated, "{name} {n}: {error}"),
                Err(_) => {}
            }
        }
        jpeg_ls::decode(&coded[..end]).unwrap_or_else(|error| panic!("{name} without EOI: {error}"));
    }
}

/// The golden with bytes at some place replaced, counted from the marker.
fn edited(name: &str, marker: u8, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut coded = golden(name);
    let start = coded.windows(2).position(|pair| pair == [0xFF, marker]).expect("a marker") + at;
    coded[start..start + bytes.len()].copy_from_slice(bytes);
    coded
}

/// The golden with a segment before the scan.
fn with_segment(name: &str, marker: u8, body: &[u8]) -> Vec<u8> {
    let mut coded = golden(name);
    let scan = coded.windows(2).position(|pair| pair == [0xFF, 0xDA]).expect("a scan");
    let mut segment = vec![0xFF, marker, 0, body.len() as u8 + 2];
    segment.extend(body);
    coded.splice(scan..scan, segment);
    coded
}

#[test]
fn what_is_not_decoded_is_refused_by_name() {
    use ErrorKind::{Corrupt, TooLarge, Truncated, Unsupported};
    const GRAY: &str = "charls-gray8";
    const RGB: &str = "charls-rgb8-ilv2";
    let cases: &[(Vec<u8>, ErrorKind, &str)] = &[
        (Vec::new(), Corrupt, "SOI"),
        (b"not a JPEG".to_vec(), Corrupt, "SOI"),
        (edited(GRAY, 0xF7, 1, &[0xC0]), Corrupt, "SOF0"),
        (edited(GRAY, 0xF7, 1, &[0xC3]), Corrupt, "SOF3"),
        (edited(GRAY, 0xF7, 4, &[1]), Corrupt, "expected 2 to 16 bits"),
        (edited(GRAY, 0xF7, 4, &[17]), Corrupt, "expected 2 to 16 bits"),
        (edited(GRAY, 0xF7, 5, &[0, 0]), Unsupported, "DNL"),
        (edited(GRAY, 0xF7, 7, &[0, 0]), Corrupt, "width"),
        (edited(GRAY, 0xF7, 5, &[0xFF, 0xFF, 0xFF, 0xFF]), TooLarge, "promises"),
        (edited(GRAY, 0xF7, 9, &[2]), Corrupt, "components"),
        (edited(RGB, 0xF7, 14, &[0x21]), Unsupported, "subsampled"),
        (edited(RGB, 0xF7, 13, &[1]), Corrupt, "same identifier"),
        (edited(GRAY, 0xDA, 6, &[1]), Unsupported, "mapping table"),
        (edited(GRAY, 0xDA, 5, &[9]), Corrupt, "the frame has not"),
        (edited(GRAY, 0xDA, 7, &[128]), Corrupt, "NEAR"),
        (edited(GRAY, 0xDA, 8, &[2]), Corrupt, "interleave mode 2"),
        (edited(RGB, 0xDA, 12, &[0]), Corrupt, "interleave mode 0"),
        (edited(GRAY, 0xDA, 9, &[1]), Unsupported, "point transform"),
        (with_segment(GRAY, 0xF8, &[2, 1, 1, 0]), Unsupported, "mapping table"),
        (with_segment(GRAY, 0xF8, &[9]), Unsupported, "unknown type"),
        (with_segment(GRAY, 0xF8, &[1, 0, 0]), Corrupt, "11 bytes"),
        (with_segment(GRAY, 0xF8, &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Corrupt, "MAXVAL"),
        (with_segment(GRAY, 0xF8, &[1, 0, 0, 0, 9, 0, 5, 0, 0, 0, 0]), Corrupt, "threshold"),
        (with_segment(GRAY, 0xF8, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]), Corrupt, "RESET"),
        (with_segment(RGB, 0xE8, b"mrfx\x02"), Unsupported, "mrfx"),
        (with_segment(GRAY, 0xDC, &[0, 13]), Unsupported, "DNL"),
        (with_segment(GRAY, 0xDD, &[0]), Corrupt, "restart interval"),
        (edited("restarts", 0xD2, 1, &[0xD3]), Corrupt, "FFD2, found FFD3"),
        (edited("restarts", 0xD2, 1, &[0xD9]), Truncated, "restart interval"),
        (edited("restarts-rgb-ilv0", 0xDD, 4, &[0, 6]), Truncated, "line 6 of 9"),
    ];
    for (coded, kind, word) in cases {
        let error = jpeg_ls::decode(coded).expect_err(word);
        assert_eq!(error.kind(), *kind, "{word}: {error}");
        assert!(error.to_string().contains(word), "expected {word:?} in {error}");
    }
}

#[test]
fn segments_that_say_nothing_about_samples_are_passed() {
    for (marker, body) in
        [(0xE8, &b"mrfx\0"[..]), (0xE8, b"SPIFF\0"), (0xE0, b"JFIF\0"), (0xFE, b"text"), (0xDD, &[0, 0])]
    {
        let picture = jpeg_ls::decode(&with_segment("charls-gray8", marker, body)).expect("a picture");
        assert_eq!(picture, jpeg_ls::decode(&golden("charls-gray8")).expect("a picture"), "{marker:02X}");
    }
}

#[test]
fn coded_bytes_that_are_left_over_are_noticed() {
    let mut coded = golden("charls-gray12");
    let end = coded.len() - 2;
    coded.splice(end..end, [0x12, 0x34]);
    assert_eq!(jpeg_ls::decode(&coded).expect_err("left over").kind(), ErrorKind::Corrupt);
}

/// A picture of zeros: each line is a run, of which each bit stands for twice, four times, … as many samples.
fn blank(width: usize, height: usize) -> Vec<u8> {
    const RUN_LOG: [u32; 32] = [
        0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];
    let mut n_ones = 0;
    let mut run_index = 0;
    for _ in 0..height {
        let mut left = width;
        while left > 0 {
            n_ones += 1;
            let whole = 1 << RUN_LOG[run_index];
            if left >= whole {
                run_index = (run_index + 1).min(31);
            }
            left = left.saturating_sub(whole);
        }
    }
    let [h1, h0, w1, w0] = [height >> 8, height & 255, width >> 8, width & 255].map(|byte| byte as u8);
    let mut coded = vec![0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 16, h1, h0, w1, w0, 1, 1, 0x11, 0];
    coded.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0]);
    // Eight ones, a stuffed zero and seven ones, and so on.
    while n_ones >= 15 {
        coded.extend([0xFF, 0x7F]);
        n_ones -= 15;
    }
    if n_ones >= 8 {
        coded.extend([0xFF, (0x7F_u8 << (15 - n_ones)) & 0x7F]);
    } else if n_ones > 0 {
        coded.push(0xFF << (8 - n_ones));
    }
    coded.extend([0xFF, 0xD9]);
    coded
}

#[test]
fn a_blank_film_of_a_few_hundred_bytes_is_decoded() {
    let coded = blank(4096, 4096);
    assert!(coded.len() < 700, "{}", coded.len());
    let picture = jpeg_ls::decode(&coded).expect("a picture");
    assert_eq!(picture.outline.width * picture.outline.height, 1 << 24);
    let Samples::U16(samples) = picture.samples else { panic!("16 bits") };
    assert!(samples.len() == 1 << 24 && samples.iter().all(|sample| *sample == 0));
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
        for _ in 0..100 {
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
            match jpeg_ls::decode(&damaged) {
                Ok(picture) => {
                    let n = picture.outline.width * picture.outline.height * picture.outline.n_components;
                    let n_samples = match &picture.samples {
                        Samples::U8(samples) => samples.len(),
                        Samples::U16(samples) => samples.len(),
                    };
                    assert_eq!(n_samples, n);
                    n_decoded += 1;
                }
                Err(_) => n_refused += 1,
            }
        }
    }
    assert!(n_decoded > 100 && n_refused > 1000, "{n_decoded} {n_refused}");
}
