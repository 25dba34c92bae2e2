//! Where a PNG may state which side is up, and where it may not.

use lightbox_intake::{Error, ErrorKind, Frame, read};

/// A PNG of 17 × 23 pixels that states orientation 6 in a chunk before its picture data.
const TURNED: &[u8] = include_bytes!("goldens/exif6.png");

/// The chunks of a PNG, each whole: length, name, body, checksum.
fn chunks(png: &[u8]) -> Vec<&[u8]> {
    let mut rest = &png[8..];
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let (chunk, after) = rest.split_at(len + 12);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

fn is(chunk: &[u8], name: &[u8; 4]) -> bool {
    &chunk[4..8] == name
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = (body.len() as u32).to_be_bytes().to_vec();
    chunk.extend_from_slice(name);
    chunk.extend_from_slice(body);
    let mut crc = flate2::Crc::new();
    crc.update(&chunk[4..]);
    chunk.extend_from_slice(&crc.sum().to_be_bytes());
    chunk
}

/// The picture with `before` in front of its picture data and `after` behind it, without its own EXIF.
fn with(before: &[&[u8]], after: &[&[u8]]) -> Vec<u8> {
    let own = chunks(TURNED);
    let place = |wanted: fn(&[u8]) -> bool| own.iter().copied().filter(move |chunk| wanted(chunk));
    let head = place(|chunk| !is(chunk, b"IDAT") && !is(chunk, b"IEND") && !is(chunk, b"eXIf"));
    let data = place(|chunk| is(chunk, b"IDAT"));
    let end = place(|chunk| is(chunk, b"IEND"));
    let all = head.chain(before.iter().copied()).chain(data).chain(after.iter().copied()).chain(end);
    TURNED[..8].iter().copied().chain(all.flatten().copied()).collect()
}

fn frame(png: &[u8]) -> Result<Frame, Error> {
    read(png).map(|mut study| study.frames.remove(0))
}

#[test]
fn exif_counts_in_front_of_the_picture_data_and_behind_it() {
    let chunks = chunks(TURNED);
    let exif = *chunks.iter().find(|chunk| is(chunk, b"eXIf")).expect("the golden has one");
    let expected = frame(TURNED).expect("a picture");
    assert_eq!((expected.width, expected.height, expected.orientation.exif()), (17, 23, 6));
    assert_eq!(frame(&with(&[exif], &[])).expect("in front"), expected);
    assert_eq!(frame(&with(&[], &[exif])).expect("behind"), expected);
    let plain = frame(&with(&[], &[])).expect("without");
    assert_eq!((plain.width, plain.height, plain.orientation.exif()), (23, 17, 1));

    for png in [with(&[exif, exif], &[]), with(&[exif], &[exif]), with(&[], &[exif, exif])] {
        let error = frame(&png).expect_err("which of them?");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("eXIf chunk, found two; "), "{error}");
    }
    // Behind the picture data as in front of it, a damaged one is not passed over.
    let mut damaged = exif.to_vec();
    damaged[8] ^= 1;
    assert!(frame(&with(&[], &[&damaged])).is_err());
    assert!(frame(&with(&[], &[&chunk(b"eXIf", b"nothing")])).is_err());
}

#[test]
fn exif_in_a_text_chunk_is_refused_by_name() {
    for (name, keyword) in [
        (b"tEXt", "Raw profile type exif"),
        (b"zTXt", "Raw profile type APP1"),
        (b"iTXt", "raw profile type EXIF"),
    ] {
        let text = chunk(name, format!("{keyword}\0\0\nexif\n  8\n49492a0008000000").as_bytes());
        for png in [with(&[&text], &[]), with(&[], &[&text])] {
            let error = frame(&png).expect_err(keyword);
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains(keyword) && error.to_string().contains("; "), "{error}");
        }
    }
    let other = chunk(b"tEXt", b"Comment\0Raw profile type exif");
    assert_eq!(frame(&with(&[&other], &[])).expect("a comment is a comment").orientation.exif(), 1);
}
