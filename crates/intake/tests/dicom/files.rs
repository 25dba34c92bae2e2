//! What stands before the data set, or is missing there, and what stands behind it.

use lightbox_intake::ErrorKind;
use lightbox_intake::dicom::{File, Tag, read_header, tags};

use crate::build::{
    DEFLATED, EXPLICIT, IMPLICIT, deflate, encapsulated, explicit, explicit_of_len, file, implicit,
    implicit_of_len, meta, us,
};

const ROWS: Tag = Tag(0x0028, 0x0010);
const CHARSET: Tag = Tag(0x0008, 0x0005);

/// A data set as files have them: a character set, rows, pixels.
fn explicit_set() -> Vec<u8> {
    [explicit(CHARSET, b"CS", b"ISO_IR 100"), us(ROWS, 7), explicit(Tag(0x7fe0, 0x10), b"OW", &[1, 2])]
        .concat()
}

fn implicit_set() -> Vec<u8> {
    [implicit(CHARSET, b"ISO_IR 100"), implicit(ROWS, &[7, 0]), implicit(Tag(0x7fe0, 0x10), &[1, 2])].concat()
}

/// The same, in big endian.
fn big_endian_set() -> Vec<u8> {
    b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x28\0\x10US\0\x02\0\x07".to_vec()
}

#[test]
fn files_are_read_in_all_their_forms() {
    let prefix = [vec![0; 128], b"DICM".to_vec()].concat();
    let tiff = [b"II*\0".to_vec(), vec![0; 124], b"DICM".to_vec()].concat();
    let uid = |syntax: &str| explicit(Tag(2, 0x10), b"UI", syntax.as_bytes());
    let with_length =
        |len: u32| [prefix.clone(), explicit(Tag(2, 0), b"UL", &len.to_le_bytes()), uid(EXPLICIT)].concat();
    let implicit_meta = implicit(Tag(2, 0x10), b"1.2.840.10008.1.2\0");
    let command = implicit(Tag(0, 0x100), &[1, 0]);
    let join = |parts: &[&[u8]]| parts.concat();
    // (what, bytes, name of the syntax, words of a note or "")
    for (what, bytes, name, note) in [
        ("as it should be", file(EXPLICIT, &explicit_set()), "Explicit VR Little Endian", ""),
        ("implicit", file(IMPLICIT, &implicit_set()), "Implicit VR Little Endian", ""),
        ("deflated", file(DEFLATED, &deflate(&explicit_set())), "Deflated Explicit VR Little Endian", ""),
        (
            "deflated, filled to an even length",
            file(DEFLATED, &join(&[&deflate(&explicit_set()), &[0]])),
            "Deflated Explicit VR Little Endian",
            "",
        ),
        (
            "deflated, with bytes behind",
            file(DEFLATED, &join(&[&deflate(&explicit_set()), b"12345678"])),
            "Deflated Explicit VR Little Endian",
            "8 bytes behind the end of the deflated",
        ),
        (
            "a TIFF in the preamble",
            join(&[&tiff, &meta(EXPLICIT), &explicit_set()]),
            "Explicit VR Little Endian",
            "",
        ),
        (
            "no preamble",
            join(&[&meta(EXPLICIT), &explicit_set()]),
            "Explicit VR Little Endian",
            "no preamble",
        ),
        (
            "no meta group",
            join(&[&prefix, &explicit_set()]),
            "Explicit VR Little Endian",
            "no transfer syntax",
        ),
        (
            "no meta group, implicit",
            join(&[&prefix, &implicit_set()]),
            "Implicit VR Little Endian",
            "no transfer syntax",
        ),
        ("nothing but the data set", explicit_set(), "Explicit VR Little Endian", "no transfer syntax"),
        (
            "nothing but the data set, implicit",
            implicit_set(),
            "Implicit VR Little Endian",
            "no transfer syntax",
        ),
        (
            "a meta group without the syntax",
            join(&[&prefix, &explicit(Tag(2, 2), b"UI", b"1.2\0"), &explicit_set()]),
            "Explicit VR Little Endian",
            "no transfer syntax",
        ),
        (
            "no length of the meta group",
            join(&[&prefix, &uid(EXPLICIT), &explicit_set()]),
            "Explicit VR Little Endian",
            "",
        ),
        (
            "too long a length",
            join(&[&with_length(400), &explicit_set()]),
            "Explicit VR Little Endian",
            "states 400 bytes and has 27",
        ),
        (
            "too short a length",
            join(&[&with_length(8), &explicit_set()]),
            "Explicit VR Little Endian",
            "states 8 bytes and has 27",
        ),
        (
            "an implicit meta group",
            join(&[&prefix, &implicit_meta, &implicit_set()]),
            "Implicit VR Little Endian",
            "implicit notation",
        ),
        (
            "a command set",
            join(&[&prefix, &meta(IMPLICIT), &command, &implicit_set()]),
            "Implicit VR Little Endian",
            "",
        ),
        (
            "explicit, said implicit",
            file(IMPLICIT, &explicit_set()),
            "Implicit VR Little Endian",
            "explicit notation against",
        ),
        (
            "implicit, said explicit",
            file(EXPLICIT, &implicit_set()),
            "Explicit VR Little Endian",
            "implicit notation against",
        ),
    ] {
        assert!(File::is_dicom(&bytes), "{what}");
        let read = File::read(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(read.syntax().name, name, "{what}");
        let dataset = read.dataset().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(dataset.uint(ROWS).expect("a number"), Some(7), "{what}");
        assert_eq!(dataset.bytes(tags::PIXEL_DATA), Some(&[1, 2][..]), "{what}");
        let notes: Vec<String> =
            read.notes().iter().chain(dataset.notes()).map(ToString::to_string).collect();
        let notes = notes.join("\n");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
    }
}

#[test]
fn what_stands_behind_the_data_set_is_left_out() {
    let zero_tail = vec![0; 1000];
    let open = explicit_of_len(Tag(0x7fe1, 0x10), b"SQ", u32::MAX, b"12345678");
    // (what, bytes behind, words of a note or "")
    for (what, tail, note) in [
        ("nothing", &b""[..], ""),
        ("the padding element", &explicit(Tag(0xfffc, 0xfffc), b"OB", &[0; 6]), ""),
        ("zeros", &zero_tail, "1000 bytes behind"),
        ("a few bytes", b"12345", "5 bytes behind"),
        ("text", b"the end of the file, and of the story", "37 bytes behind"),
        ("a sequence that does not end", &open, "20 bytes behind"),
        ("a delimiter", &implicit(Tag(0xfffe, 0xe00d), b""), "nothing is open"),
        ("the other delimiter", &implicit(Tag(0xfffe, 0xe0dd), b""), "8 bytes behind"),
    ] {
        let bytes = file(EXPLICIT, &[&explicit_set(), tail].concat());
        let read = File::read(&bytes).expect("a file");
        let dataset = read.dataset().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(dataset.bytes(tags::PIXEL_DATA), Some(&[1, 2][..]), "{what}");
        let notes = dataset.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
    }
}

#[test]
fn files_that_cannot_be_read_are_refused_by_name() {
    let big = "1.2.840.10008.1.2.2";
    let cut = |bytes: Vec<u8>, n: usize| bytes[..bytes.len() - n].to_vec();
    let no_pixels = [explicit(CHARSET, b"CS", b"ISO_IR 100"), explicit(ROWS, b"US", &[7, 0])].concat();
    // (what, bytes, kind, words)
    for (what, bytes, kind, words) in [
        ("big endian", file(big, &big_endian_set()), ErrorKind::Unsupported, "Explicit VR Big Endian"),
        ("big endian, not said", big_endian_set(), ErrorKind::Unsupported, "dcmconv +te"),
        (
            "cut in an element",
            file(EXPLICIT, &cut(no_pixels.clone(), 1)),
            ErrorKind::Truncated,
            "(0028,0010) Rows",
        ),
        (
            "cut in the meta group",
            cut(meta(EXPLICIT), 1),
            ErrorKind::Truncated,
            "(0002,0010) TransferSyntaxUID",
        ),
        (
            "three gigabytes claimed",
            file(EXPLICIT, &explicit_of_len(Tag(0x42, 0x11), b"OB", 3_000_000_000, &[0; 8])),
            ErrorKind::Truncated,
            "3000000000 bytes, found 8",
        ),
        ("a syntax of nobody", file("1.2.3.4", &explicit_set()), ErrorKind::Unsupported, "found 1.2.3.4"),
        ("no deflated data", file(DEFLATED, b"\xff\xff\xff\xff"), ErrorKind::Corrupt, "RFC 1951"),
        (
            "deflated data cut off",
            file(DEFLATED, &cut(deflate(&explicit_set()), 3)),
            ErrorKind::Truncated,
            "end before their stream",
        ),
        ("two syntaxes", join_uids(), ErrorKind::Corrupt, "expected one value, found 2"),
        (
            "a stray item",
            file(EXPLICIT, &[no_pixels, implicit(Tag(0xfffe, 0xe000), b"")].concat()),
            ErrorKind::Corrupt,
            "no sequence is open",
        ),
    ] {
        let read = File::read(&bytes);
        let error = match &read {
            Err(error) => error,
            Ok(file) => &file.dataset().map(|_| ()).expect_err(what),
        };
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(error.to_string().contains("; "), "{what}: {error} names no way out");
    }
}

fn join_uids() -> Vec<u8> {
    let uids = explicit(Tag(2, 0x10), b"UI", b"1.2.840.10008.1.2\\1.2.840.10008.1.2\0");
    [vec![0; 128], b"DICM".to_vec(), uids, explicit_set()].concat()
}

#[test]
fn elements_are_read_whatever_their_type_looks_like() {
    let behind = us(Tag(0x28, 0x11), 9);
    // (what, an element of Rows, its type as taken, its value, words of a note or "")
    for (what, element, vr, value, note) in [
        ("in order", us(ROWS, 7), "US", &[7, 0][..], ""),
        ("UN", explicit(ROWS, b"UN", &[7, 0]), "US", &[7, 0], "dictionary's type"),
        ("lower case", implicit(ROWS, &[7, 0]), "US", &[7, 0], "read as implicit"),
        ("spaces", implicit_of_len(ROWS, 0x2020, &[7; 0x2020]), "US", &[7; 0x2020], "read as implicit"),
        ("a type of nobody", explicit(ROWS, b"ZX", &[7, 0]), "UN", &[7, 0], "PS3.5 does not know"),
    ] {
        let bytes =
            file(EXPLICIT, &[explicit(CHARSET, b"CS", b"ISO_IR 100"), element, behind.clone()].concat());
        let read = File::read(&bytes).expect("a file");
        let dataset = read.dataset().unwrap_or_else(|error| panic!("{what}: {error}"));
        let rows = dataset.get(ROWS).expect("an element");
        assert_eq!((rows.vr.to_string(), rows.bytes()), (vr, Some(value)), "{what}");
        assert_eq!(dataset.uint(Tag(0x28, 0x11)).expect("a number"), Some(9), "{what}");
        let notes = dataset.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
    }
}

#[test]
fn of_doubles_the_last_one_counts() {
    let data_set = [us(ROWS, 1), us(Tag(0x28, 0x11), 2), us(ROWS, 3), us(Tag(0x28, 0x2), 4)].concat();
    let bytes = file(EXPLICIT, &data_set);
    let read = File::read(&bytes).expect("a file");
    let dataset = read.dataset().expect("a data set");
    assert_eq!(dataset.uint(ROWS).expect("a number"), Some(3));
    assert_eq!(dataset.uint(Tag(0x28, 0x2)).expect("a number"), Some(4));
    assert_eq!(dataset.len(), 4);
    let notes = dataset.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(notes.contains("twice") && notes.contains("not in the order"), "{notes}");
}

#[test]
fn a_header_is_read_without_the_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    let private = |n: usize| explicit(Tag(0x29, 0x1010), b"OB", &vec![1; n]);
    let pixels = explicit(Tag(0x7fe0, 0x10), b"OW", &[3; 100_000]);
    let fragments = encapsulated(&[], &[&[3; 100_000]]);
    for (what, data_set, syntax) in [
        ("short", [us(ROWS, 7), pixels.clone()].concat(), EXPLICIT),
        (
            "longer than what is read first",
            [us(ROWS, 7), private(100_000), pixels.clone()].concat(),
            EXPLICIT,
        ),
        ("encapsulated", [us(ROWS, 7), fragments].concat(), "1.2.840.10008.1.2.5"),
        ("cut in the pixels", [us(ROWS, 7), pixels[..50_000].to_vec()].concat(), EXPLICIT),
        ("no pixels", [us(ROWS, 7), private(5)].concat(), EXPLICIT),
        ("deflated", deflate(&[us(ROWS, 7), pixels.clone()].concat()), DEFLATED),
    ] {
        let path = folder.path().join(what);
        std::fs::write(&path, file(syntax, &data_set)).expect("a file");
        let (rows, n_elements, has_pixels) = read_header(&path, |_, dataset| {
            (dataset.uint(ROWS).expect("a number"), dataset.len(), dataset.get(tags::PIXEL_DATA).is_some())
        })
        .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((rows, has_pixels), (Some(7), false), "{what}");
        assert!((1..=2).contains(&n_elements), "{what}");
    }
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        read_header(&path, |_, _| ()).expect_err(name)
    };
    assert_eq!(refused("text", b"hello, this is text").kind(), ErrorKind::Unknown);
    assert_eq!(refused("nothing", b"").kind(), ErrorKind::Unknown);
    let cut = file(EXPLICIT, &[us(ROWS, 7), private(100_000)].concat());
    assert_eq!(refused("cut", &cut[..90_000]).kind(), ErrorKind::Truncated);
    assert_eq!(
        read_header(folder.path().join("absent"), |_, _| ()).expect_err("absent").kind(),
        ErrorKind::File
    );
    assert_eq!(read_header(folder.path(), |_, _| ()).expect_err("a folder").kind(), ErrorKind::File);
}
