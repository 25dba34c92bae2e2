//! The run-length coding of DICOM (PS3.5, Annex G): byte planes, each packed on its own.
//!
//! A frame starts with 16 little-endian numbers of 32 bits: how many segments there are, and where each starts. A segment
//! holds one byte of every sample of one component, the most significant byte's segment first; its bytes are packed as in
//! PackBits. Nothing in a frame states the size of the picture, so that the caller must.

mod packed;

use packed::Packed;

use crate::{Error, ErrorKind, Result, memory};

/// Most segments that the header has room for.
const MOST_SEGMENTS: usize = 15;
const N_HEADER_BYTES: usize = 64;

/// Two coded bytes yield at most 128.
const MOST_BYTES_PER_BYTE: usize = 64;

/// Pixels that are unpacked and put together at a time, so that the parts of all segments stay in the nearest cache.
const BLOCK: usize = 2048;

/// Decodes a frame to the bytes of its `n_pixels · samples_per_pixel` samples, each little-endian and of
/// `bytes_per_sample` bytes; the samples of a pixel stand side by side.
///
/// Bytes that a segment holds beyond the picture are passed over: some writers pad segments, and other readers (pydicom
/// 3.0.2) drop them too. What a segment lacks is never made up.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where the header contradicts itself or the number of segments is not
/// `samples_per_pixel · bytes_per_sample`, [`ErrorKind::Truncated`] where the header or a segment ends early, and
/// [`ErrorKind::TooLarge`] where the machine does not give the memory.
pub fn decode(
    frame: &[u8],
    n_pixels: usize,
    samples_per_pixel: usize,
    bytes_per_sample: usize,
) -> Result<Vec<u8>> {
    let segments = segments(frame, samples_per_pixel.saturating_mul(bytes_per_sample))?;
    for (index, segment) in segments.iter().enumerate() {
        if segment.len().saturating_mul(MOST_BYTES_PER_BYTE) < n_pixels {
            return Err(short(index, n_pixels));
        }
    }
    match (samples_per_pixel, bytes_per_sample) {
        (1, 1) => together::<1>(&segments, [0], n_pixels),
        (1, 2) => together::<2>(&segments, [1, 0], n_pixels),
        (3, 1) => together::<3>(&segments, [0, 1, 2], n_pixels),
        (1, 4) => together::<4>(&segments, [3, 2, 1, 0], n_pixels),
        (3, 2) => together::<6>(&segments, [1, 0, 3, 2, 5, 4], n_pixels),
        (3, 4) => together::<12>(&segments, [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8], n_pixels),
        _ => strewn(&segments, bytes_per_sample, n_pixels),
    }
}

/// The coded bytes of the `n_expected` segments.
fn segments(frame: &[u8], n_expected: usize) -> Result<Vec<&[u8]>> {
    let (header, _) = frame.split_first_chunk::<N_HEADER_BYTES>().ok_or_else(|| {
        Error::new(
            ErrorKind::Truncated,
            format!("RLE: expected a header of {N_HEADER_BYTES} bytes, found {} bytes", frame.len()),
        )
        .hint(INCOMPLETE)
    })?;
    let mut numbers = header.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize);
    let n_segments = numbers.next().unwrap_or_default();
    if n_segments != n_expected || n_segments > MOST_SEGMENTS || n_segments == 0 {
        return Err(corrupt(format!(
            "expected {n_expected} segments, one for each byte of a pixel, and at most {MOST_SEGMENTS}; the header has \
             {n_segments}"
        )));
    }
    let starts: Vec<usize> = numbers.take(n_segments).collect();
    let mut segments = Vec::with_capacity(n_segments);
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(frame.len().max(*start));
        if *start < N_HEADER_BYTES || end < *start {
            return Err(corrupt(format!(
                "expected segment {} to start after the one before it, found byte {start}",
                index + 1
            )));
        }
        segments.push(frame.get(*start..end.min(frame.len())).unwrap_or_default());
    }
    Ok(segments)
}

/// Puts the bytes of `N` segments side by side; segment `order[k]` gives the k-th byte of a pixel.
fn together<const N: usize>(segments: &[&[u8]], order: [usize; N], n_pixels: usize) -> Result<Vec<u8>> {
    let mut packed = order.map(|index| Packed::new(segments[index]));
    let mut bytes: Vec<u8> = room(n_pixels, N)?;
    for start in (0..n_pixels).step_by(BLOCK) {
        let n = BLOCK.min(n_pixels - start);
        for (packed, index) in packed.iter_mut().zip(order) {
            if !packed.unpack(n) {
                return Err(short(index, n_pixels));
            }
        }
        let planes = packed.each_ref().map(|packed| &packed.block()[..n]);
        let filled = bytes.len();
        bytes.resize(filled + n * N, 0);
        let pixels = &mut bytes[filled..];
        let n_done = if let [a, b, c] = planes[..] { three_planes(a, b, c, pixels) } else { 0 };
        for (at, pixel) in pixels.as_chunks_mut::<N>().0.iter_mut().enumerate().skip(n_done) {
            for (byte, plane) in pixel.iter_mut().zip(planes) {
                *byte = plane[at];
            }
        }
    }
    Ok(bytes)
}

/// Puts three planes together, eight pixels at a time and in whole words: three times as fast as byte by byte, which
/// matters for color pictures. Gives the number of pixels done.
fn three_planes(a: &[u8], b: &[u8], c: &[u8], pixels: &mut [u8]) -> usize {
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).zip(c.as_chunks::<8>().0);
    let mut n_done = 0;
    for (((a, b), c), pixels) in eights.zip(pixels.as_chunks_mut::<24>().0) {
        let [a, b, c] = [a, b, c].map(|eight| u64::from_le_bytes(*eight));
        // Bytes n, n + 1 and n + 2 of a plane, three bytes apart.
        let spread = |plane: u64, n: u32| {
            let plane = plane >> (8 * n);
            plane & 0xFF | (plane & 0xFF00) << 16 | (plane & 0xFF_0000) << 32
        };
        let words = [
            spread(a, 0) | spread(b, 0) << 8 | spread(c, 0) << 16,
            spread(c, 2) | spread(a, 3) << 8 | spread(b, 3) << 16,
            spread(b, 5) | spread(c, 5) << 8 | spread(a, 6) << 16,
        ];
        for (bytes, word) in pixels.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        n_done += 8;
    }
    n_done
}

/// The same for kinds of pixels that are rare.
fn strewn(segments: &[&[u8]], bytes_per_sample: usize, n_pixels: usize) -> Result<Vec<u8>> {
    let n = segments.len();
    let mut bytes: Vec<u8> = room(n_pixels, n)?;
    bytes.resize(n_pixels * n, 0);
    for (index, segment) in segments.iter().enumerate() {
        let (sample, byte) = (index / bytes_per_sample, index % bytes_per_sample);
        let at = sample * bytes_per_sample + bytes_per_sample - 1 - byte;
        let mut packed = Packed::new(segment);
        for pixels in bytes.chunks_mut(BLOCK * n) {
            let n_in_block = pixels.len() / n;
            if !packed.unpack(n_in_block) {
                return Err(short(index, n_pixels));
            }
            for (pixel, byte) in pixels.chunks_exact_mut(n).zip(packed.block()) {
                pixel[at] = *byte;
            }
        }
    }
    Ok(bytes)
}

fn room(n_pixels: usize, n_bytes: usize) -> Result<Vec<u8>> {
    memory::reserve(n_pixels.saturating_mul(n_bytes))
}

const INCOMPLETE: &str = "the file is incomplete; copy or export it again";

fn short(index: usize, n_pixels: usize) -> Error {
    Error::new(
        ErrorKind::Truncated,
        format!("RLE: segment {} ends before it has the bytes of {n_pixels} pixels", index + 1),
    )
    .hint(INCOMPLETE)
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("RLE: {reason}"))
        .hint("the file is damaged; copy or export it again")
}
