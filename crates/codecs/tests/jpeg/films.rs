//! NEMA's compression samples, where the folder is there, against what pylibjpeg 2.1.0 (libjpeg 2.5.0) makes of them.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_codecs::jpeg::decode;
use lightbox_codecs::{Outline, Picture};

use super::numbers;

/// By picture: width, height, and the FNV-1a digest of its samples as 16-bit little-endian numbers.
const LOSSLESS: [(&str, usize, usize, u64); 9] = [
    ("CT1", 512, 512, 0x6cc3_3764_3157_547b),
    ("CT2", 512, 512, 0xea98_ba75_499b_9dc8),
    ("MR1", 512, 512, 0x545f_ad85_2079_43b7),
    ("MR2", 1024, 1024, 0x5b78_f39e_5b95_d7e0),
    ("MR3", 512, 512, 0xe6d3_b988_f5c8_1c80),
    ("MR4", 512, 512, 0x841f_a9a6_23af_2eb4),
    ("NM1", 256, 1024, 0xfb85_47fb_401a_1ab5),
    ("RG2", 1760, 2140, 0x3494_3046_81cf_847a),
    ("XA1", 1024, 1024, 0x17ea_fde1_4b18_d1ca),
];

/// By picture of 12 bits: width, height, and the sum of its samples, once their scan header states 63 where it states 0.
const LOSSY: [(&str, usize, usize, u64); 7] = [
    ("MR1", 512, 512, 126_230_244),
    ("MR2", 1024, 1024, 79_345_046),
    ("MR3", 512, 512, 86_365_387),
    ("MR4", 512, 512, 397_389_302),
    ("NM1", 256, 1024, 3_770_427),
    ("RG2", 1760, 2140, 1_698_268_331),
    ("XA1", 1024, 1024, 113_103_578),
];

/// How far the mean of our samples may be from pylibjpeg's, whose transform rounds up a little.
const MEAN_TOLERANCE: f64 = 0.04;

fn folder(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dicom/wg04");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {test}: there is no folder ../shared/data/dicom/wg04");
        return None;
    }
    Some(folder)
}

/// The picture in the item that begins as a JPEG does and the items behind it.
fn picture(path: &Path) -> Picture {
    let bytes = fs::read(path).expect("a film");
    let item = [0xFE, 0xFF, 0x00, 0xE0];
    let start = bytes.windows(10).position(|w| w.starts_with(&item) && w.ends_with(&[0xFF, 0xD8]));
    let mut rest = &bytes[start.expect("an item")..];
    let mut coded = Vec::new();
    while let Some((head, behind)) = rest.split_first_chunk::<8>().filter(|(head, _)| head.starts_with(&item))
    {
        let n_bytes = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        coded.extend_from_slice(&behind[..n_bytes]);
        rest = &behind[n_bytes..];
    }
    decode(&coded).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sides(outline: Outline) -> (usize, usize, usize) {
    (outline.width, outline.height, outline.n_components)
}

#[test]
fn lossless_films_are_what_another_decoder_makes_of_them() {
    let Some(folder) = folder("lossless_films_are_what_another_decoder_makes_of_them") else { return };
    for (name, width, height, expected) in LOSSLESS {
        let picture = picture(&folder.join(format!("JPLL/{name}_JPLL")));
        assert_eq!(sides(picture.outline), (width, height, 1), "{name}");
        let digest = numbers(&picture.samples)
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        assert_eq!(digest, expected, "{name}");
    }
}

#[test]
fn films_of_12_bits_are_close_to_what_another_decoder_makes_of_them() {
    let Some(folder) = folder("films_of_12_bits_are_close_to_what_another_decoder_makes_of_them") else {
        return;
    };
    for (name, width, height, expected) in LOSSY {
        let picture = picture(&folder.join(format!("JPLY/{name}_JPLY")));
        assert_eq!(sides(picture.outline), (width, height, 1), "{name}");
        assert_eq!(picture.outline.bits, 12, "{name}");
        let sum: u64 = numbers(&picture.samples).iter().map(|sample| u64::from(*sample)).sum();
        let mean_difference = sum.abs_diff(expected) as f64 / (width * height) as f64;
        assert!(mean_difference < MEAN_TOLERANCE, "{name}: the mean is off by {mean_difference}");
    }
}
