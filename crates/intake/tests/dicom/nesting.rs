//! Sequences: items in items, with and without lengths, in both notations.

use lightbox_intake::ErrorKind;
use lightbox_intake::dicom::{Dataset, File, Tag, Value, describe};

use crate::build::{
    DEFLATED, EXPLICIT, IMPLICIT, UNDEFINED, deflate, explicit, explicit_of_len, file, implicit,
    implicit_of_len, item, open_item, sequence_end, us,
};

/// (0008,1140) ReferencedImageSequence: a sequence of the dictionary.
const SEQUENCE: Tag = Tag(0x0008, 0x1140);
/// A private element.
const PRIVATE: Tag = Tag(0x0009, 0x1001);
const ROWS: Tag = Tag(0x0028, 0x0010);
const BEHIND: Tag = Tag(0x0028, 0x0011);

/// A data set as text: tags without commas, `[` items `]`, lengths of other values.
fn shape(dataset: &Dataset<'_>) -> String {
    let parts = dataset.iter().map(|element| {
        let value = match &element.value {
            Value::Bytes(bytes) => bytes.len().to_string(),
            Value::Items(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join("|")),
            Value::Fragments(parts) => format!("{} fragments", parts.fragments.len()),
            Value::Cut(cut) => format!("{} of {}", cut.found.len(), cut.expected),
        };
        format!("{}{}={value}", element.vr.to_string(), &describe(element.tag)[1..10].replace(',', ""))
    });
    parts.collect::<Vec<_>>().join(" ")
}

#[test]
fn sequences_are_read_in_all_their_forms() {
    let inner = us(ROWS, 7);
    let implicit_inner = implicit(ROWS, &[7, 0]);
    let behind = us(BEHIND, 9);
    let implicit_behind = implicit(BEHIND, &[9, 0]);
    let sequence = |vr: &[u8; 2], items: &[u8]| [explicit(SEQUENCE, vr, items), behind.clone()].concat();
    let open = |vr: &[u8; 2], items: &[u8]| {
        [explicit_of_len(SEQUENCE, vr, UNDEFINED, items), sequence_end(), behind.clone()].concat()
    };
    let implicit_open = |tag: Tag, items: &[u8]| {
        [implicit_of_len(tag, UNDEFINED, items), sequence_end(), implicit_behind.clone()].concat()
    };
    let one = "SQ00081140=[US00280010=2] US00280011=2";
    // (what, syntax, data set, shape, words of a note or "")
    for (what, syntax, data_set, expected, note) in [
        ("no items", EXPLICIT, sequence(b"SQ", b""), "SQ00081140=[] US00280011=2", ""),
        ("defined in defined", EXPLICIT, sequence(b"SQ", &item(&inner)), one, ""),
        ("undefined in defined", EXPLICIT, sequence(b"SQ", &open_item(&inner)), one, ""),
        ("defined in undefined", EXPLICIT, open(b"SQ", &item(&inner)), one, ""),
        ("undefined in undefined", EXPLICIT, open(b"SQ", &open_item(&inner)), one, ""),
        (
            "an empty item and another",
            EXPLICIT,
            open(b"SQ", &[item(b""), open_item(b""), open_item(&inner)].concat()),
            "SQ00081140=[||US00280010=2] US00280011=2",
            "",
        ),
        (
            "deep",
            EXPLICIT,
            open(b"SQ", &open_item(&explicit(SEQUENCE, b"SQ", &item(&open(b"SQ", &open_item(&inner)))))),
            "SQ00081140=[SQ00081140=[SQ00081140=[US00280010=2] US00280011=2]] US00280011=2",
            "",
        ),
        ("implicit", IMPLICIT, implicit_open(SEQUENCE, &open_item(&implicit_inner)), one, ""),
        (
            "implicit, defined",
            IMPLICIT,
            [implicit(SEQUENCE, &item(&implicit_inner)), implicit_behind.clone()].concat(),
            one,
            "",
        ),
        (
            "implicit and private",
            IMPLICIT,
            implicit_open(PRIVATE, &open_item(&implicit_inner)),
            "SQ00091001=[US00280010=2] US00280011=2",
            "",
        ),
        (
            "UN of undefined length",
            EXPLICIT,
            open(b"UN", &open_item(&implicit_inner)),
            one,
            "implicit notation",
        ),
        ("UN of undefined length, explicit", EXPLICIT, open(b"UN", &open_item(&inner)), one, ""),
        (
            "private UN of undefined length",
            EXPLICIT,
            [
                explicit_of_len(PRIVATE, b"UN", UNDEFINED, &[item(&implicit_inner), sequence_end()].concat()),
                behind.clone(),
            ]
            .concat(),
            "SQ00091001=[US00280010=2] US00280011=2",
            "implicit notation",
        ),
        ("UN of defined length", EXPLICIT, sequence(b"UN", &item(&implicit_inner)), one, "dictionary's type"),
        (
            "a private UN of defined length stays bytes",
            EXPLICIT,
            [explicit(PRIVATE, b"UN", &item(&implicit_inner)), behind.clone()].concat(),
            "UN00091001=18 US00280011=2",
            "",
        ),
        (
            "implicit items in an explicit data set",
            EXPLICIT,
            open(b"SQ", &open_item(&implicit_inner)),
            one,
            "implicit",
        ),
        (
            "no delimiter before the end",
            EXPLICIT,
            sequence(b"SQ", &implicit_of_len(Tag(0xfffe, 0xe000), UNDEFINED, &inner)),
            one,
            "missing",
        ),
        (
            "a delimiter in a sequence of defined length",
            EXPLICIT,
            sequence(b"SQ", &[item(&inner), sequence_end()].concat()),
            one,
            "nothing is open",
        ),
        (
            "a delimiter in an item of defined length",
            EXPLICIT,
            sequence(b"SQ", &item(&[inner.clone(), implicit(Tag(0xfffe, 0xe00d), b"")].concat())),
            one,
            "nothing is open",
        ),
        // What a reader does not need must not hinder it.
        (
            "no sequence at all",
            EXPLICIT,
            sequence(b"SQ", b"12345678"),
            "UN00081140=8 US00280011=2",
            "kept as bytes",
        ),
        (
            "an item longer than its sequence",
            EXPLICIT,
            sequence(b"SQ", &implicit_of_len(Tag(0xfffe, 0xe000), 100, &inner)),
            "UN00081140=18 US00280011=2",
            "kept as bytes",
        ),
        (
            "an element longer than its item",
            EXPLICIT,
            sequence(b"SQ", &item(&explicit_of_len(ROWS, b"US", 4, &[7, 0]))),
            "UN00081140=18 US00280011=2",
            "kept as bytes",
        ),
    ] {
        let bytes = file(syntax, &data_set);
        let read = File::read(&bytes).expect("a file");
        let dataset = read.dataset().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(shape(&dataset), expected, "{what}");
        let notes = dataset.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(if note.is_empty() { notes.is_empty() } else { notes.contains(note) }, "{what}: {notes}");
        if expected.starts_with("UN0008") {
            assert_eq!(dataset.items(SEQUENCE).expect_err("no items").kind(), ErrorKind::Corrupt, "{what}");
        } else if expected.starts_with("SQ0008") && what != "no items" {
            assert!(!dataset.items(SEQUENCE).expect("items").is_empty(), "{what}");
        }
    }
}

#[test]
fn what_is_no_sequence_to_the_end_is_refused() {
    let open = |items: &[u8]| explicit_of_len(SEQUENCE, b"SQ", UNDEFINED, items);
    for (what, data_set, words) in [
        ("no delimiter", open(&item(&us(ROWS, 7))), "the end of the sequence, found the end"),
        ("no item", open(&us(ROWS, 7)), "an item, found something else"),
        (
            "another sequence's end",
            open(&implicit_of_len(Tag(0xfffe, 0xe000), UNDEFINED, &sequence_end())),
            "no sequence is open",
        ),
        (
            "an undefined length of text",
            explicit_of_len(Tag(0x10, 0x4000), b"UT", UNDEFINED, b"abcd"),
            "type UT has not",
        ),
        (
            "fragments that are none",
            explicit_of_len(Tag(0x7fe0, 0x10), b"OB", UNDEFINED, b"12345678"),
            "something else",
        ),
        ("a delimiter where nothing is open", sequence_end(), "no sequence is open"),
    ] {
        let bytes = file(EXPLICIT, &data_set);
        let error = File::read(&bytes).expect("a file").dataset().expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
    }
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let one_level = [
        explicit_of_len(SEQUENCE, b"SQ", UNDEFINED, b""),
        implicit_of_len(Tag(0xfffe, 0xe000), UNDEFINED, b""),
    ]
    .concat();
    let error = |data_set: &[u8]| {
        let bytes = file(EXPLICIT, data_set);
        File::read(&bytes).expect("a file").dataset().expect_err("too deep").to_string()
    };
    assert!(error(&one_level.repeat(200_000)).contains("nested deeper than 64"));
    // With lengths, from the inside out.
    let mut data_set = us(ROWS, 7);
    for _ in 0..65 {
        data_set = explicit(SEQUENCE, b"SQ", &item(&data_set));
    }
    assert!(error(&data_set).contains("nested deeper than 64"));
    let allowed = data_set.get(20..).expect("one level less");
    let bytes = file(EXPLICIT, allowed);
    File::read(&bytes).expect("a file").dataset().expect("64 levels");
}

#[test]
fn a_deflated_data_set_does_not_hold_more_than_its_size_can() {
    // Elements without a value, as small as they come: a million of them in a few kilobytes.
    let many = deflate(&explicit(Tag(0x0009, 0x1001), b"LO", b"").repeat(1_000_000));
    let bytes = file(DEFLATED, &many);
    let error = File::read(&bytes).expect("a file").dataset().expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    // Sixty megabytes of zeros.
    let long = deflate(&explicit(Tag(0x7fe0, 0x10), b"OW", &vec![0; 60 << 20]));
    let error = File::read(&file(DEFLATED, &long)).expect_err("too long").to_string();
    assert!(error.contains("believed") && error.contains("dcmconv"), "{error}");
    // A blank film of 4096 × 4096 pixels is honest.
    let blank = deflate(&explicit(Tag(0x7fe0, 0x10), b"OW", &vec![0; 32 << 20]));
    let bytes = file(DEFLATED, &blank);
    assert!(bytes.len() < 40_000);
    assert_eq!(
        shape(&File::read(&bytes).expect("a file").dataset().expect("a data set")),
        "OW7FE00010=33554432"
    );
}
