//! Numbers of a TIFF's directory that decide what its samples are, changed one at a time in a file that reads.

use std::fs;
use std::path::Path;

use lightbox_intake::{ErrorKind, read};

/// A golden with another value in one of its entries, see [`set`].
fn with(name: &str, tag: u16, value: Option<u16>) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name);
    let mut bytes = fs::read(path).expect("a golden");
    set(&mut bytes, tag, value);
    bytes
}

/// Gives the entry `tag` of a little-endian TIFF one 16-bit value; without a value, makes it an entry that nobody knows.
fn set(bytes: &mut [u8], tag: u16, value: Option<u16>) {
    assert_eq!(&bytes[..4], b"II*\0");
    let directory = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    let n_entries = usize::from(u16::from_le_bytes([bytes[directory], bytes[directory + 1]]));
    let entry = (0..n_entries)
        .map(|index| directory + 2 + 12 * index)
        .find(|entry| bytes[*entry..entry + 2] == tag.to_le_bytes())
        .expect("the golden has the tag");
    match value {
        Some(value) => {
            bytes[entry + 2..entry + 4].copy_from_slice(&3_u16.to_le_bytes());
            bytes[entry + 8..entry + 12].copy_from_slice(&u32::from(value).to_le_bytes());
        }
        None => bytes[entry..entry + 2].copy_from_slice(&65_000_u16.to_le_bytes()),
    }
}

#[test]
fn a_sample_beside_the_colours_is_alpha_only_where_it_says_so() {
    for name in ["alpha-8.tif", "alpha-16.tif", "gray-alpha-8.tif"] {
        for alpha in [1, 2] {
            assert!(read(&with(name, 338, Some(alpha))).is_ok(), "{name}: {alpha}");
        }
        for (other, found) in [(Some(0), "found [0]"), (Some(3), "found [3]"), (None, "found []")] {
            let error = read(&with(name, 338, other)).expect_err("not alpha");
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
            let text = error.to_string();
            assert!(text.contains("ExtraSamples") && text.contains(found) && text.contains("; "), "{text}");
        }
    }
}

#[test]
fn a_tile_of_impossible_sides_is_named_and_not_the_picture() {
    for (tag, name) in [(322, "TileWidth"), (323, "TileLength")] {
        for side in [Some(0), None] {
            let error = read(&with("tiles-8.tif", tag, side)).expect_err("no such tile");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            let words = format!("{name}: expected 1 to 65535 pixels, found 0; ");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }
    let mut wide = with("tiles-8.tif", 322, Some(u16::MAX));
    set(&mut wide, 323, Some(u16::MAX));
    let error = read(&wide).expect_err("no such tile").to_string();
    assert!(error.contains("TileWidth and TileLength") && error.contains("65535×65535"), "{error}");
}
