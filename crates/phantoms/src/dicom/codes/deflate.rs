//! Deflate, of a whole data set or of a frame.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Deflate without a head (RFC 1951), as DICOM PS3.5 A.5 and A.4.14 have it, padded to an even number of bytes.
///
/// # Panics
/// If memory does not take what comes out.
#[must_use]
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    let mut packed = encoder.finish().expect("memory takes it");
    packed.resize(packed.len().next_multiple_of(2), 0);
    packed
}
