//! Which bytes are whose frame.

use lightbox_intake::dicom::{File, Framing, PixelBytes, Tag, TransferSyntax};
use lightbox_intake::{ErrorKind, Result};

use crate::build::{EXPLICIT, deflate, encapsulated, explicit, explicit_of_len, file, item, us};

const RLE: &str = "1.2.840.10008.1.2.5";
const JPEG: &str = "1.2.840.10008.1.2.4.50";
const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";
const NATIVE_FRAMES: &str = "1.2.840.10008.1.2.1.98";

const PIXELS: Tag = Tag(0x7fe0, 0x0010);

/// All frames of a data set, and what was noted.
fn frames(syntax: &str, data_set: &[u8], n: usize, bits: u64) -> Result<(Vec<Vec<u8>>, String)> {
    let bytes = file(syntax, data_set);
    let file = File::read(&bytes)?;
    let dataset = file.dataset()?;
    let pixels = PixelBytes::of(&dataset, file.syntax(), n, bits)?;
    let all = (0..pixels.n_frames()).map(|k| pixels.frame(k).map(|frame| frame.into_owned()));
    let notes = pixels.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Ok((all.collect::<Result<_>>()?, notes))
}

/// A codestream that ends with its marker and starts with its own.
fn jpeg(body: &[u8]) -> Vec<u8> {
    [b"\xff\xd8", body, b"\xff\xd9"].concat()
}

#[test]
fn encapsulated_frames_are_found() {
    let (a, b, c) = (jpeg(b"a"), jpeg(b"bb"), jpeg(b"ccc\0"));
    let (b1, b2) = b.split_at(3);
    let extended = |offsets: &[u64], lengths: &[u64]| {
        let bytes = |values: &[u64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        [
            explicit(Tag(0x7fe0, 0x0001), b"OV", &bytes(offsets)),
            explicit(Tag(0x7fe0, 0x0002), b"OV", &bytes(lengths)),
            encapsulated(&[], &[b"ab", b"cd", b"efgh"]),
        ]
        .concat()
    };
    let abc: Vec<Vec<u8>> = vec![b"ab".to_vec(), b"cd".to_vec(), b"ef".to_vec()];
    let jpegs = vec![a.clone(), b.clone(), c.clone()];
    // (what, syntax, data set, frames declared, frames expected, words of a note or "")
    for (what, syntax, data_set, n, expected, note) in [
        ("one fragment", RLE, encapsulated(&[], &[b"ab"]), 1, vec![b"ab".to_vec()], ""),
        (
            "one frame in three fragments",
            RLE,
            encapsulated(&[], &[b"ab", b"cd", b"ef"]),
            1,
            vec![b"abcdef".to_vec()],
            "",
        ),
        ("a fragment a frame", RLE, encapsulated(&[], &[b"ab", b"cd", b"ef"]), 3, abc.clone(), ""),
        (
            "a table of one fragment each",
            RLE,
            encapsulated(&[0, 10, 20], &[b"ab", b"cd", b"ef"]),
            3,
            abc.clone(),
            "",
        ),
        (
            "a table of several fragments",
            RLE,
            encapsulated(&[0, 20], &[b"ab", b"cd", b"ef"]),
            2,
            vec![b"abcd".to_vec(), b"ef".to_vec()],
            "",
        ),
        (
            "a table beside the items",
            RLE,
            encapsulated(&[0, 9, 21], &[b"ab", b"cd", b"ef"]),
            3,
            abc.clone(),
            "does not fit",
        ),
        (
            "a table of zeros",
            RLE,
            encapsulated(&[0, 0, 0], &[b"ab", b"cd", b"ef"]),
            3,
            abc.clone(),
            "does not fit",
        ),
        (
            "a table that is too short",
            RLE,
            encapsulated(&[0], &[b"ab", b"cd", b"ef"]),
            3,
            abc.clone(),
            "does not fit",
        ),
        ("an extended table", RLE, extended(&[0, 10, 20], &[2, 2, 2]), 3, abc.clone(), ""),
        (
            "an extended table that is no table",
            RLE,
            extended(&[0, 10, 19], &[2, 2, 2]),
            3,
            vec![b"ab".to_vec(), b"cd".to_vec(), b"efgh".to_vec()],
            "(7FE0,0001)",
        ),
        ("ends of codestreams", JPEG, encapsulated(&[], &[&a, b1, b2, &c]), 3, jpegs.clone(), ""),
        (
            "more frames than declared",
            JPEG,
            encapsulated(&[], &[&a, b1, b2, &c]),
            2,
            jpegs.clone(),
            "2 frames declared, 3 found",
        ),
        (
            "a table of more frames",
            JPEG,
            encapsulated(&[0, 13, 27], &[&a, &b, &c]),
            1,
            jpegs.clone(),
            "1 frames declared, 3 found",
        ),
        (
            "items in a value of defined length",
            RLE,
            explicit(PIXELS, b"OB", &[item(b""), item(b"ab")].concat()),
            1,
            vec![b"ab".to_vec()],
            "defined length",
        ),
        ("native frames", NATIVE_FRAMES, encapsulated(&[], &[b"ab", b"cd", b"ef"]), 3, abc.clone(), ""),
    ] {
        let (found, notes) =
            frames(syntax, &data_set, n, 16).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(found, expected, "{what}");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
    }
}

#[test]
fn native_frames_are_slices() {
    // (what, value, frames declared, bits a frame, frames expected, words of a note or "")
    for (what, value, n, bits, expected, note) in [
        ("bytes", &[1, 2, 3, 4][..], 2, 16, vec![vec![1, 2], vec![3, 4]], ""),
        ("an odd length filled", &[1, 2, 3, 0], 1, 24, vec![vec![1, 2, 3]], ""),
        ("an odd length not filled", &[1, 2, 3], 1, 24, vec![vec![1, 2, 3]], ""),
        ("bytes behind", &[1, 2, 3, 4, 5, 6, 7, 8], 1, 40, vec![vec![1, 2, 3, 4, 5]], "3 bytes behind"),
        (
            "frames behind",
            &[1, 2, 3, 4, 5, 6],
            1,
            16,
            vec![vec![1, 2], vec![3, 4], vec![5, 6]],
            "1 frames declared, 3 found",
        ),
        // 1 bit a pixel: frames of three pixels are not filled to whole bytes.
        ("bits", &[0b10_101_011, 0b1], 3, 3, vec![vec![0b011], vec![0b101], vec![0b110]], ""),
        // Ten pixels a frame.
        (
            "more bits than a byte",
            &[0xff, 0b1010_1001, 0b1111],
            2,
            10,
            vec![vec![0xff, 1], vec![0b1110_1010, 0b11]],
            "",
        ),
    ] {
        let data_set = explicit(PIXELS, b"OW", value);
        let (found, notes) =
            frames(EXPLICIT, &data_set, n, bits).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(found, expected, "{what}");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
    }
}

#[test]
fn deflated_frames_are_inflated_to_their_size() {
    let (a, b) = (deflate(&[7; 100]), [deflate(&[9; 100]), vec![0]].concat());
    let data_set = encapsulated(&[], &[&a, &b]);
    let (found, _) = frames(DEFLATED_FRAMES, &data_set, 2, 800).expect("frames");
    assert_eq!(found, [vec![7; 100], vec![9; 100]]);
    // An odd size may be filled by a byte before it is deflated.
    assert_eq!(frames(DEFLATED_FRAMES, &data_set, 2, 99 * 8).expect("frames").0[0], [7; 99]);
    for (what, bits, kind) in [
        ("too little", 101 * 8, ErrorKind::Truncated),
        ("too much", 98 * 8, ErrorKind::Corrupt),
        ("far too much", 8, ErrorKind::Corrupt),
    ] {
        let error = frames(DEFLATED_FRAMES, &data_set, 2, bits).expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
    }
    for (what, fragment, kind) in [
        ("no stream", &b"\xff\xff\xff"[..], ErrorKind::Corrupt),
        ("a stream that ends early", &a[..a.len() - 1], ErrorKind::Truncated),
        ("nothing", b"", ErrorKind::Truncated),
        // An `a`, three bytes from two bytes before the end of what is there, the end.
        ("a reference to before the first byte", b"\x4b\x04\x42\0", ErrorKind::Corrupt),
    ] {
        let error = frames(DEFLATED_FRAMES, &encapsulated(&[], &[fragment]), 1, 800).expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
    }
}

#[test]
fn pixel_data_that_are_not_whole_or_not_one_are_refused() {
    let whole = encapsulated(&[], &[b"abcd", b"efgh"]);
    let cut_fragment = &whole[..whole.len() - 10];
    let cut_native = explicit_of_len(PIXELS, b"OW", 100, &[0; 40]);
    for (what, syntax, data_set, n, kind, words) in [
        ("no pixels", EXPLICIT, &us(Tag(0x28, 0x10), 1)[..], 1, ErrorKind::Unsupported, "holds no picture"),
        (
            "short",
            EXPLICIT,
            &explicit(PIXELS, b"OW", &[0; 40]),
            3,
            ErrorKind::Truncated,
            "48 bytes for 3 frames, found 40",
        ),
        ("cut", EXPLICIT, &cut_native, 3, ErrorKind::Truncated, "48 bytes for 3 frames, found 40"),
        (
            "cut in a fragment",
            RLE,
            cut_fragment,
            2,
            ErrorKind::Truncated,
            "4 bytes in the last fragment, found 2",
        ),
        ("too few fragments", RLE, &whole, 3, ErrorKind::Truncated, "expected 3 frames"),
        (
            "not to be told apart",
            RLE,
            &encapsulated(&[], &[b"a", b"b", b"c"]),
            2,
            ErrorKind::Unsupported,
            "told apart",
        ),
        (
            "too few codestreams",
            JPEG,
            &encapsulated(&[], &[b"a", b"b", b"c"]),
            2,
            ErrorKind::Truncated,
            "found 0 ends",
        ),
        (
            "native, said RLE",
            RLE,
            &explicit(PIXELS, b"OW", &[0; 40]),
            1,
            ErrorKind::Corrupt,
            "expected items",
        ),
        ("RLE, said native", EXPLICIT, &whole, 1, ErrorKind::Corrupt, "expected bytes"),
        (
            "two kinds",
            EXPLICIT,
            &[explicit(Tag(0x7fe0, 8), b"OF", &[0; 4]), explicit(PIXELS, b"OW", &[0; 4])].concat(),
            1,
            ErrorKind::Corrupt,
            "PixelData and (7FE0,0008) FloatPixelData",
        ),
    ] {
        let error = frames(syntax, data_set, n, 128).expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(error.to_string().contains("; "), "{what}: {error} names no way out");
    }
    // What is cut off may be padding.
    let (found, notes) = frames(EXPLICIT, &cut_native, 2, 128).expect("two frames");
    assert_eq!(found, vec![vec![0; 16]; 2]);
    assert!(notes.contains("padding"), "{notes}");
}

#[test]
fn a_fragment_need_not_be_followed_by_a_delimiter() {
    let whole = encapsulated(&[], &[b"abcd", b"efgh"]);
    let (found, _) = frames(RLE, &whole[..whole.len() - 8], 2, 128).expect("two frames");
    assert_eq!(found, [b"abcd".to_vec(), b"efgh".to_vec()]);
    // Unless what follows shows that the fragment's length is wrong.
    let swallowed = encapsulated(&[], &[b"abcd", b"efgh\xfe\xff\xdd\xe0\0\0\0\0"]);
    for (what, data_set) in [
        ("part of a delimiter", &whole[..whole.len() - 3]),
        ("the delimiter within the fragment", &swallowed[..swallowed.len() - 8]),
    ] {
        let error = frames(RLE, data_set, 2, 128).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
    }
}

#[test]
fn every_syntax_that_is_not_decoded_says_what_to_do() {
    let mut n_refused = 0;
    for syntax in TransferSyntax::all() {
        assert_eq!(TransferSyntax::of(syntax.uid).expect("known").name, syntax.name);
        let Err(error) = syntax.check_decoded() else { continue };
        n_refused += 1;
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(text.contains(syntax.uid) && text.contains(syntax.name) && text.contains("; "), "{text}");
        let data_set = explicit(PIXELS, b"OW", &[0; 4]);
        let data_set = if syntax.framing == Framing::Deflated { deflate(&data_set) } else { data_set };
        assert_eq!(frames(syntax.uid, &data_set, 1, 8).expect_err("refused").kind(), error.kind(), "{text}");
    }
    assert_eq!((TransferSyntax::all().len(), n_refused), (64, 44));
    for (uid, shown) in [("1.2.3", "found 1.2.3"), ("DOE^JANE", "no unique identifier")] {
        let error = TransferSyntax::of(uid).expect_err("unknown").to_string();
        assert!(error.contains(shown) && !error.contains("DOE"), "{error}");
    }
}
