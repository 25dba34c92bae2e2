//! JPEG: pictures of known samples, and what is refused.

mod films;
mod writer;

use lightbox_codecs::jpeg::{Colors, Markers, decode, outline};
use lightbox_codecs::{ErrorKind, Samples};
use writer::{Blocks, Codes, Lossless, segment, write_12_bits};

/// Samples that use all of `bits`, smooth in places and jumping in others.
fn samples(n: usize, bits: u8) -> Vec<u16> {
    let mut state = 12345_u32;
    let mask = ((1_u32 << bits) - 1) as u16;
    (0..n)
        .map(|place| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 16) as u16;
            let value = match place / 40 % 4 {
                0 => noise,
                1 => 0,
                2 => mask,
                _ => (place as u16).wrapping_add(noise % 5),
            };
            value & mask
        })
        .collect()
}

fn numbers(samples: &Samples) -> Vec<u16> {
    match samples {
        Samples::U8(samples) => samples.iter().map(|sample| u16::from(*sample)).collect(),
        Samples::U16(samples) => samples.clone(),
    }
}

const GRAY: Lossless = Lossless {
    width: 23,
    bits: 16,
    n_components: 1,
    predictor: 1,
    shift: 0,
    restart_rows: 0,
    is_interleaved: true,
    codes: Codes::Sizes,
};

fn check(form: &Lossless, height: usize, what: &str) {
    let samples = samples(form.width * height * form.n_components, form.bits);
    let coded = form.write(&samples);
    let picture = decode(&coded).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(outline(&coded).expect("an outline"), picture.outline, "{what}");
    let found = picture.outline;
    assert_eq!((found.width, found.height, found.bits), (form.width, height, form.bits), "{what}");
    assert_eq!(found.n_components, form.n_components, "{what}");
    assert_eq!(matches!(picture.samples, Samples::U8(_)), form.bits <= 8, "{what}");
    let expected: Vec<u16> = samples.iter().map(|sample| sample >> form.shift << form.shift).collect();
    assert!(numbers(&picture.samples) == expected, "{what}: samples differ");
}

#[test]
fn lossless_pictures_come_back_as_they_were() {
    for predictor in 1..=7 {
        for bits in [2, 7, 8, 9, 12, 16] {
            for n_components in 1..=4 {
                let form = Lossless { predictor, bits, n_components, ..GRAY };
                check(&form, 17, &format!("predictor {predictor}, {bits} bits, {n_components} components"));
            }
        }
        for (shift, restart_rows, is_interleaved) in
            [(1, 0, true), (3, 1, true), (0, 2, false), (2, 5, false)]
        {
            for (bits, n_components) in [(8, 3), (16, 1), (12, 2)] {
                let form =
                    Lossless { predictor, bits, n_components, shift, restart_rows, is_interleaved, ..GRAY };
                check(&form, 17, &format!("predictor {predictor}, shift {shift}, restart {restart_rows}"));
            }
        }
    }
    for (width, height) in [(1, 1), (1, 9), (9, 1), (300, 2)] {
        check(&Lossless { width, ..GRAY }, height, &format!("{width}×{height}"));
    }
    // Codes of 16 bits, beyond what one look finds.
    check(&Lossless { bits: 15, codes: Codes::Unary, ..GRAY }, 17, "unary codes");
}

#[test]
fn the_difference_of_sixteen_bits_has_no_bits_of_its_own() {
    // From 32768, which the first sample is predicted to be, down to 0, then up and down by 32768.
    let samples = [0, 32768, 0, 32768, 32768, 0];
    let coded = Lossless { width: 3, ..GRAY }.write(&samples);
    assert_eq!(numbers(&decode(&coded).expect("it decodes").samples), samples);
}

#[test]
fn twelve_bits_lose_no_more_than_rounding() {
    for (width, height) in [(8, 8), (32, 24), (13, 19), (1, 1)] {
        let samples = samples(width * height, 12);
        for blocks in [Blocks::Extended { last: 63 }, Blocks::Extended { last: 0 }, Blocks::Progressive] {
            let coded = write_12_bits(&samples, width, blocks);
            let picture = decode(&coded).expect("it decodes");
            assert_eq!(picture.outline.bits, 12);
            let found = numbers(&picture.samples);
            assert_eq!(found.len(), samples.len());
            // 64 coefficients, each off by a half at most, rarely add up to more than two.
            for (found, expected) in found.iter().zip(&samples) {
                assert!(found.abs_diff(*expected) <= 2, "{width}×{height}: {found} where {expected} was");
            }
        }
    }
}

#[test]
fn a_missing_end_marker_is_accepted_and_a_missing_sample_is_not() {
    let samples = samples(23 * 17, 12);
    let lossless = Lossless { bits: 12, restart_rows: 4, ..GRAY }.write(&samples);
    let progressive = write_12_bits(&samples, 23, Blocks::Progressive);
    for coded in [lossless, progressive] {
        let whole = decode(&coded).expect("it decodes");
        assert!(Markers::of(&coded).expect("markers").has_end());
        // With padding behind it, or without its end marker, padded or not.
        let mut padded = coded.clone();
        padded.extend([0; 5]);
        assert_eq!(decode(&padded).expect("padded"), whole);
        let bare = &coded[..coded.len() - 2];
        assert!(!Markers::of(bare).expect("markers").has_end());
        assert_eq!(decode(bare).expect("no end marker"), whole);
        assert_eq!(decode(&coded[..coded.len() - 1]).expect("half an end marker"), whole);
        assert_eq!(decode(&[bare, &[0; 5]].concat()).expect("no end marker, padded"), whole);
        for n in 0..coded.len() - 3 {
            let error = decode(&coded[..n]).expect_err("a part is missing");
            assert!(matches!(error.kind(), ErrorKind::Truncated | ErrorKind::Corrupt), "{n}: {error}");
        }
        // Without its last bytes the last row is short.
        assert_eq!(decode(&coded[..coded.len() - 4]).expect_err("short").kind(), ErrorKind::Truncated);
    }
}

/// pylibjpeg clamps such samples and libjpeg-turbo gives them as they are: nobody knows what was meant.
#[test]
fn a_sample_beyond_the_stated_bits_is_refused() {
    for (samples, is_right) in [([5, 4095, 0, 9], true), ([5, 4096, 0, 9], false), ([5, 65535, 0, 9], false)]
    {
        let coded = Lossless { width: 4, bits: 12, ..GRAY }.write(&samples);
        match decode(&coded) {
            Ok(picture) => assert!(is_right && numbers(&picture.samples) == samples),
            Err(error) => {
                assert!(!is_right && error.kind() == ErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("12 bits"), "{error}");
            }
        }
    }
}

/// A change of bytes, the kind of the error, and words in it.
type Refusal = (&'static str, fn(&mut Vec<u8>), ErrorKind, &'static str);

#[test]
fn what_is_not_decoded_is_named() {
    let form = Lossless { width: 4, bits: 12, n_components: 3, ..GRAY };
    let good = form.write(&samples(4 * 4 * 3, 12));
    // SOI, then the frame header: its marker at 2, bits at 6, height at 7, components at 12.
    let refusals: [Refusal; 15] = [
        ("no start", |b| b[0] = 0, ErrorKind::Corrupt, "SOI"),
        ("arithmetic", |b| b[3] = 0xC9, ErrorKind::Unsupported, "arithmetic"),
        ("hierarchical", |b| b[3] = 0xC5, ErrorKind::Unsupported, "hierarchical"),
        ("baseline of 12 bits", |b| b[3] = 0xC0, ErrorKind::Unsupported, "12 bits"),
        ("17 bits", |b| b[6] = 17, ErrorKind::Unsupported, "17 bits"),
        ("1 bit", |b| b[6] = 1, ErrorKind::Unsupported, "1 bits"),
        ("no height", |b| b[8] = 0, ErrorKind::Unsupported, "DNL"),
        ("no width", |b| b[10] = 0, ErrorKind::Corrupt, "4"),
        ("subsampled", |b| b[13] = 0x21, ErrorKind::Unsupported, "1×1 samples where another has 2×1"),
        (
            "2×2 samples",
            |b| (b[13], b[16], b[19]) = (0x22, 0x22, 0x22),
            ErrorKind::Unsupported,
            "interleaved",
        ),
        ("predictor 0", |b| scan(b, 7, 0), ErrorKind::Corrupt, "predictor of 1 to 7, found 0"),
        ("predictor 8", |b| scan(b, 7, 8), ErrorKind::Corrupt, "predictor of 1 to 7, found 8"),
        ("shift", |b| scan(b, 9, 12), ErrorKind::Corrupt, "point transform of 12"),
        ("an unknown component", |b| scan(b, 3, 9), ErrorKind::Corrupt, "component 9"),
        (
            "a restart inside of a row",
            |b| {
                let restart = segment(0xDD, &[0, 3]);
                b.splice(2..2, restart);
            },
            ErrorKind::Corrupt,
            "whole rows of 4",
        ),
    ];
    decode(&good).expect("it decodes before it is changed");
    for (what, change, kind, words) in refusals {
        let mut coded = good.clone();
        change(&mut coded);
        let error = decode(&coded).expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(error.way_out().is_some(), "{what}: {error} names no way out");
    }
}

/// Sets byte `n` of the body of the last scan header.
fn scan(bytes: &mut [u8], n: usize, value: u8) {
    let at = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).expect("a scan");
    bytes[at + 4 + n] = value;
}

#[test]
fn a_header_cannot_ask_for_more_than_its_coded_bytes_hold() {
    let coded = GRAY.write(&samples(23 * 17, 16));
    for height in [700_u16, 60_000] {
        let mut coded = coded.clone();
        coded[7..9].copy_from_slice(&height.to_be_bytes());
        let error = decode(&coded).expect_err("too high");
        assert!(matches!(error.kind(), ErrorKind::Truncated | ErrorKind::TooLarge), "{error}");
        assert!(error.to_string().contains(&format!("23×{height}")), "{error}");
        // The outline says what the header says; the caller compares.
        assert_eq!(outline(&coded).expect("an outline").height, usize::from(height));
    }
}

#[test]
fn markers_say_what_they_know_of_colours() {
    let jfif = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    let adobe = |transform: u8| segment(0xEE, &[b"Adobe\0\x64\0\0\0\0", &[transform][..]].concat());
    let form = Lossless { width: 3, bits: 8, n_components: 3, ..GRAY };
    let plain = form.write(&samples(27, 8));
    let mut spelled = plain.clone();
    for (n, id) in b"RGB".iter().enumerate() {
        spelled[12 + 3 * n] = *id;
        let scan = spelled.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).expect("a scan");
        spelled[scan + 5 + 2 * n] = *id;
    }
    let gray = Lossless { n_components: 1, ..form.clone() }.write(&samples(9, 8));
    for (what, coded, segments, expected) in [
        ("nothing", &plain, vec![], Colors::Unknown),
        ("JFIF", &plain, jfif.clone(), Colors::YCbCr),
        ("Adobe 0", &plain, adobe(0), Colors::Rgb),
        ("Adobe 1", &plain, adobe(1), Colors::YCbCr),
        ("Adobe's marker, too short", &plain, segment(0xEE, b"Adobe\0\0\0\0\0"), Colors::Unknown),
        ("JFIF and Adobe 0", &plain, [jfif, adobe(0)].concat(), Colors::YCbCr),
        ("identifiers", &spelled, vec![], Colors::Rgb),
        ("identifiers and Adobe 1", &spelled, adobe(1), Colors::YCbCr),
        ("one component", &gray, adobe(1), Colors::Gray),
    ] {
        let coded = [&coded[..2], &segments, &coded[2..]].concat();
        let markers = Markers::of(&coded).expect(what);
        assert_eq!(markers.colors(), expected, "{what}");
        assert_eq!(markers.applications().is_empty(), segments.is_empty(), "{what}");
        // Components are as coded whatever is said of them; only decode_rgb converts.
        let picture = markers.decode().expect(what);
        let n = picture.outline.n_components;
        assert_eq!(numbers(&picture.samples), samples(9 * n, 8), "{what}");
        let is_changed = n == 3 && expected.as_libjpeg() == Colors::YCbCr;
        assert_eq!(markers.decode_rgb().expect(what).samples != picture.samples, is_changed, "{what}");
    }
}
