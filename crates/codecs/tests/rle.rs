//! DICOM's run-length coding: written by the plainest encoder, by hand, and damaged.

use lightbox_codecs::{ErrorKind, rle};

/// A frame of these segments.
fn frame(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut header = vec![0_u32; 16];
    header[0] = segments.len() as u32;
    let mut at = 64;
    for (start, segment) in header[1..].iter_mut().zip(segments) {
        *start = at;
        at += segment.len() as u32;
    }
    header.into_iter().flat_map(u32::to_le_bytes).chain(segments.iter().flatten().copied()).collect()
}

/// PackBits: a run where two bytes are equal, else a literal up to the next such place.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let n_equal = rest.iter().take(128).take_while(|byte| *byte == first).count();
        if n_equal > 1 {
            out.extend([(257 - n_equal) as u8, *first]);
            rest = &rest[n_equal..];
        } else {
            let n = rest.windows(2).position(|pair| pair[0] == pair[1]).unwrap_or(rest.len()).clamp(1, 128);
            out.push(n as u8 - 1);
            out.extend(&rest[..n]);
            rest = &rest[n..];
        }
    }
    if out.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |n| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % n
    }
}

/// Runs and literals of every length.
fn plane(n: usize, seed: u64) -> Vec<u8> {
    let mut random = numbers(seed);
    let mut bytes = Vec::new();
    while bytes.len() < n {
        let n_part = 1 + random(300);
        if random(2) == 0 {
            bytes.resize(bytes.len() + n_part, random(256) as u8);
        } else {
            bytes.extend((0..n_part).map(|_| random(256) as u8));
        }
    }
    bytes.truncate(n);
    bytes
}

#[test]
fn every_kind_of_pixel_comes_back_with_its_bytes_in_place() {
    for (samples_per_pixel, bytes_per_sample) in
        [(1, 1), (1, 2), (3, 1), (1, 4), (3, 2), (3, 4), (4, 1), (2, 2), (1, 8), (1, 3), (5, 3)]
    {
        for n_pixels in [1, 2, 23, 2047, 2048, 2049, 10_001] {
            let n = samples_per_pixel * bytes_per_sample;
            let planes: Vec<_> = (0..n).map(|index| plane(n_pixels, 1 + index as u64)).collect();
            let coded = frame(&planes.iter().map(|plane| packed(plane)).collect::<Vec<_>>());
            let decoded =
                rle::decode(&coded, n_pixels, samples_per_pixel, bytes_per_sample).expect("a frame");
            assert_eq!(decoded.len(), n_pixels * n);
            for (index, byte) in decoded.iter().enumerate() {
                let (pixel, at) = (index / n, index % n);
                let (sample, byte_of_sample) = (at / bytes_per_sample, at % bytes_per_sample);
                let segment = sample * bytes_per_sample + bytes_per_sample - 1 - byte_of_sample;
                assert_eq!(*byte, planes[segment][pixel], "{samples_per_pixel} {bytes_per_sample} {index}");
            }
        }
    }
}

#[test]
fn packets_are_taken_as_the_standard_says() {
    let cases: &[(&[u8], usize, &[u8])] = &[
        (&[0, 7, 0, 8], 2, &[7, 8]),
        (&[255, 7], 2, &[7, 7]),
        (&[129, 9], 128, &[9; 128]),
        // −128 is no packet.
        (&[128, 128, 1, 3, 4, 128], 2, &[3, 4]),
        // More than the picture has: a packet that goes past it, and packets after it.
        (&[254, 5], 2, &[5, 5]),
        (&[1, 3, 4, 254, 5], 1, &[3]),
        // A literal that the segment cuts short, but only after the picture.
        (&[9, 1, 2, 3], 3, &[1, 2, 3]),
    ];
    for (segment, n_pixels, expected) in cases {
        let decoded = rle::decode(&frame(&[segment.to_vec()]), *n_pixels, 1, 1);
        assert_eq!(decoded.expect("a frame"), *expected, "{segment:?}");
    }
}

/// A frame with one number of its header replaced.
fn with_header(mut coded: Vec<u8>, index: usize, number: u32) -> Vec<u8> {
    coded[4 * index..4 * index + 4].copy_from_slice(&number.to_le_bytes());
    coded
}

#[test]
fn a_frame_that_contradicts_itself_is_refused() {
    use ErrorKind::{Corrupt, Truncated};
    let two = || frame(&[packed(&[1, 2, 3]), packed(&[4, 4, 4])]);
    let cases: &[(Vec<u8>, [usize; 3], ErrorKind, &str)] = &[
        (Vec::new(), [1, 1, 1], Truncated, "header of 64 bytes"),
        (two()[..63].to_vec(), [3, 1, 2], Truncated, "header of 64 bytes"),
        (two(), [3, 1, 1], Corrupt, "expected 1 segments"),
        (two(), [3, 3, 1], Corrupt, "expected 3 segments"),
        (two(), [3, 0, 1], Corrupt, "expected 0 segments"),
        (two(), [3, usize::MAX, usize::MAX], Corrupt, "the header has 2"),
        (with_header(two(), 0, 16), [3, 8, 2], Corrupt, "at most 15"),
        (with_header(two(), 0, 0), [3, 0, 0], Corrupt, "the header has 0"),
        (with_header(two(), 1, 63), [3, 1, 2], Corrupt, "segment 1"),
        (with_header(two(), 2, 64), [3, 1, 2], Truncated, "segment 1 ends"),
        (with_header(two(), 2, 63), [3, 1, 2], Corrupt, "segment 1"),
        (with_header(two(), 2, u32::MAX), [3, 1, 2], Truncated, "segment 2 ends"),
        (two()[..two().len() - 1].to_vec(), [3, 1, 2], Truncated, "segment 2 ends"),
        (two(), [4, 1, 2], Truncated, "segment 2 ends"),
        (two(), [usize::MAX, 1, 2], Truncated, "segment 1 ends"),
        (frame(&[vec![129]]), [1, 1, 1], Truncated, "segment 1 ends"),
        (frame(&[vec![]]), [1, 1, 1], Truncated, "segment 1 ends"),
    ];
    for (coded, [n_pixels, samples_per_pixel, bytes_per_sample], kind, word) in cases {
        let error = rle::decode(coded, *n_pixels, *samples_per_pixel, *bytes_per_sample).expect_err(word);
        assert_eq!(error.kind(), *kind, "{error}");
        assert!(error.to_string().contains(word), "expected {word:?} in {error}");
    }
}

#[test]
fn damaged_frames_never_panic() {
    let mut random = numbers(5);
    let coded = frame(&[packed(&plane(3000, 1)), packed(&plane(3000, 2))]);
    let mut n_decoded = 0;
    for _ in 0..4000 {
        let mut damaged = coded.clone();
        for _ in 0..1 + random(4) {
            let at = if random(3) == 0 { random(16) } else { random(damaged.len()) };
            match random(4) {
                0 => damaged[at] ^= 1 << random(8),
                1 => damaged[at] = random(256) as u8,
                2 => damaged.truncate(damaged.len() - random(9).min(damaged.len() - 1)),
                _ => damaged.insert(at, random(256) as u8),
            }
        }
        if let Ok(bytes) = rle::decode(&damaged, 3000, 1, 2) {
            assert_eq!(bytes.len(), 6000);
            n_decoded += 1;
        }
    }
    assert!(n_decoded > 100, "{n_decoded}");
}
