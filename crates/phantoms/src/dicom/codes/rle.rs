//! RLE as DICOM PS3.5 Annex G has it: planes of bytes, each packed by itself.

use super::Raster;

/// One frame: a header of 64 bytes, then a segment for each byte of each component, the most significant byte first.
/// `bytes_per_sample` is 1, 2 or 4.
#[must_use]
pub fn rle(picture: Raster<'_>) -> Vec<u8> {
    let bytes: Vec<u8> = if picture.bits > 8 {
        picture.samples.iter().flat_map(|value| value.to_le_bytes()).collect()
    } else {
        picture.samples.iter().map(|value| *value as u8).collect()
    };
    rle_bytes(&bytes, picture.width, picture.n_components, if picture.bits > 8 { 2 } else { 1 })
}

/// The same from little-endian bytes of samples.
pub(crate) fn rle_bytes(bytes: &[u8], width: usize, n_components: usize, bytes_per_sample: usize) -> Vec<u8> {
    let pixel = n_components * bytes_per_sample;
    let mut segments = Vec::new();
    for component in 0..n_components {
        for significance in (0..bytes_per_sample).rev() {
            let plane: Vec<u8> = bytes
                .iter()
                .skip(component * bytes_per_sample + significance)
                .step_by(pixel)
                .copied()
                .collect();
            // Runs do not cross rows (G.3.1).
            let mut segment: Vec<u8> = plane.chunks(width).flat_map(pack).collect();
            if segment.len() % 2 == 1 {
                segment.push(0);
            }
            segments.push(segment);
        }
    }
    let mut frame = (segments.len() as u32).to_le_bytes().to_vec();
    let mut offset = 64_u32;
    for segment in &segments {
        frame.extend(offset.to_le_bytes());
        offset += segment.len() as u32;
    }
    frame.resize(64, 0);
    frame.extend(segments.concat());
    frame
}

/// PackBits: a run of two or more as its count and the byte, anything else literally, 128 bytes at most.
fn pack(row: &[u8]) -> Vec<u8> {
    let run = |at: usize| row[at..].iter().take(128).take_while(|byte| **byte == row[at]).count();
    let mut packed = Vec::new();
    let mut at = 0;
    while at < row.len() {
        let n = run(at);
        if n >= 2 {
            packed.extend([(257 - n) as u8, row[at]]);
            at += n;
            continue;
        }
        let start = at;
        while at < row.len() && at - start < 128 && run(at) < 2 {
            at += 1;
        }
        packed.push((at - start - 1) as u8);
        packed.extend(&row[start..at]);
    }
    packed
}
