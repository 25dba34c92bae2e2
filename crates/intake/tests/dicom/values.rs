//! Values as their types say, and refused where they are none.

use lightbox_intake::dicom::{File, Tag, VR, describe, keyword};
use lightbox_intake::{ErrorKind, Result};

use crate::build::{EXPLICIT, IMPLICIT, explicit, file, implicit, implicit_of_len, item};

/// An element of no particular meaning.
const ANY: Tag = Tag(0x0018, 0x1100);
const CHARSET: Tag = Tag(0x0008, 0x0005);
const NAME: Tag = Tag(0x0010, 0x0010);

/// What a reader gives for one element.
fn read<T>(
    vr: &[u8; 2],
    value: &[u8],
    reader: impl Fn(&lightbox_intake::dicom::Dataset<'_>) -> Result<T>,
) -> Result<T> {
    let bytes = file(EXPLICIT, &explicit(ANY, vr, value));
    let file = File::read(&bytes)?;
    let dataset = file.dataset()?;
    reader(&dataset)
}

#[test]
fn numbers_are_what_their_type_says() {
    // (type, bytes, whole numbers or none, all numbers or none)
    for (vr, value, whole, all) in [
        (b"US", &[7, 0, 0xff, 0xff][..], Some(vec![7, 65535]), Some(vec![7.0, 65535.0])),
        (b"SS", &[7, 0, 0xff, 0xff], Some(vec![7, -1]), Some(vec![7.0, -1.0])),
        (b"UL", &[0xff; 4], Some(vec![4_294_967_295_i64]), Some(vec![4_294_967_295.0])),
        (b"SL", &[0xff; 4], Some(vec![-1]), Some(vec![-1.0])),
        (b"SV", &[0xff; 8], Some(vec![-1]), Some(vec![-1.0])),
        (b"UV", &[7, 0, 0, 0, 0, 0, 0, 0], Some(vec![7]), Some(vec![7.0])),
        (b"UV", &[0xff; 8], None, None),
        (b"FL", &[0, 0, 0x20, 0x40], None, Some(vec![2.5])),
        (b"FD", &[0, 0, 0, 0, 0, 0, 4, 0x40], None, Some(vec![2.5])),
        (b"IS", b"7\\-8 \\+9", Some(vec![7, -8, 9]), Some(vec![7.0, -8.0, 9.0])),
        (b"IS", b"7.0 ", Some(vec![7]), Some(vec![7.0])),
        (b"IS", b"7.5 ", None, None),
        (b"IS", b"1A", None, None),
        (b"DS", b" 1.5\\-2e2\\ .5 \0", None, Some(vec![1.5, -200.0, 0.5])),
        (b"DS", b"0.1 ", None, Some(vec![0.1])),
        (b"DS", b"1,5 ", None, None),
        (b"DS", b"1\\\\2", None, None),
        (b"DS", b"nan ", None, None),
        (b"DS", b"inf ", None, None),
        (b"DS", b"1e999 ", None, None),
        (b"DS", b"\xff\xff", None, None),
        (b"DS", b"  ", None, Some(vec![])),
        (b"US", b"", Some(vec![]), Some(vec![])),
        (b"US", &[7, 0, 1], None, None),
        (b"LO", b"7 ", None, None),
        (b"OB", &[7, 0], None, None),
    ] {
        let what = format!("{} {value:?}", String::from_utf8_lossy(vr));
        for (found, expected) in [
            (
                read(vr, value, |d| d.ints(ANY)).map(|v| v.iter().map(ToString::to_string).collect()),
                whole.map(strings),
            ),
            (read(vr, value, |d| d.decimals(ANY)).map(strings), all.map(strings)),
        ] {
            match (found, expected) {
                (Ok::<Vec<String>, _>(found), Some(expected)) => assert_eq!(found, expected, "{what}"),
                (Err(error), None) => {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
                    let text = error.to_string();
                    assert!(
                        text.contains("(0018,1100) ReconstructionDiameter") && text.contains("; "),
                        "{what}: {text}"
                    );
                }
                (found, expected) => panic!("{what}: {found:?} for {expected:?}"),
            }
        }
    }
}

fn strings<T: ToString>(values: Vec<T>) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn a_single_number_is_one_and_fits() {
    assert_eq!(read(b"US", &[7, 0], |d| d.uint(ANY)).expect("a number"), Some(7));
    assert_eq!(read(b"US", b"", |d| d.uint(ANY)).expect("nothing"), None);
    assert_eq!(read(b"US", &[7, 0], |d| d.uint(NAME)).expect("nothing"), None);
    for (vr, value, words) in [
        (b"US", &[7, 0, 8, 0][..], "expected one value, found 2"),
        (b"SS", &[0xff, 0xff], "from 0 to 4294967295"),
        (b"SV", &[0, 0, 0, 0, 1, 0, 0, 0], "from 0 to 4294967295"),
    ] {
        let error = read(vr, value, |d| d.uint(ANY)).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(read(b"OW", &[1, 2, 3, 4], |d| d.words(ANY)).expect("words"), Some(vec![0x201, 0x403]));
    assert!(read(b"OW", &[1, 2, 3], |d| d.words(ANY)).is_err());
    assert!(read(b"UL", &[1, 2, 3, 4], |d| d.words(ANY)).is_err());
}

#[test]
fn text_is_trimmed_and_split_where_its_type_has_several_values() {
    for (vr, value, expected) in [
        (b"CS", &b"A \\ B\\C\0"[..], Some(vec!["A", "B", "C"])),
        (b"LO", b"one \\two", Some(vec!["one", "two"])),
        (b"LT", b" one\\two ", Some(vec![" one\\two"])),
        (b"UI", b"1.2\0", Some(vec!["1.2"])),
        (b"SH", b"", Some(vec![])),
        (b"LO", b"Gr\xf6\xdfe", Some(vec!["Größe"])),
        (b"US", b"ab", None),
        (b"OB", b"ab", None),
    ] {
        let found = read(vr, value, |d| d.texts(ANY));
        match expected {
            Some(expected) => assert_eq!(found.expect("text"), expected),
            None => assert_eq!(found.expect_err("no text").kind(), ErrorKind::Corrupt),
        }
    }
    assert_eq!(read(b"CS", b"A\\B ", |d| d.text(ANY)).expect_err("two").kind(), ErrorKind::Corrupt);
    assert_eq!(read(b"CS", b"  ", |d| d.text(ANY)).expect("nothing"), None);
}

/// The examples of PS3.5 annexes H to K and PS3.3 C.12.1.1.2, and the sets that need no escape sequences.
#[test]
fn text_is_read_in_its_character_set() {
    // (specific character set, bytes of a name, the name)
    for (charset, value, expected) in [
        ("", &b"Adams^John"[..], "Adams^John"),
        ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        ("ISO_IR 192", b"Buc^J\xc3\xa9r\xc3\xb4me", "Buc^Jérôme"),
        ("ISO_IR 101", b"W\xb3odzimierz", "Włodzimierz"),
        // The standard's example has two Latin letters.
        ("ISO_IR 144", b"\xbb\xee\xdace\xdc\xd1\xe3\xe0\xd3", "Люкceмбург"),
        ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
        ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
        ("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
        ("ISO_IR 148", b"\xd0\xfd\xfe", "Ğış"),
        ("ISO_IR 203", b"\xa4\xbd", "€œ"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        (
            "\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (
            "\\ISO 2022 IR 149",
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            "Hong^Gildong=洪^吉洞=홍^길동",
        ),
        ("\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1", "Zhang=张^小"),
        ("ISO 2022 IR 6\\ISO 2022 IR 100", b"Dionysios=\x1b-F\xc4\xe9\xef=\x1b-A\xe9", "Dionysios=Διο=é"),
        ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
        ("GBK", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 166", b"\xca\xc1\xaa\xd2\xc2", "สมชาย"),
        // What is not known is shown as Latin-1.
        ("ISO_IR 999", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        // JIS X 0212 is not decoded: each byte of it is shown to be missing.
        ("\\ISO 2022 IR 159", b"A\x1b$(D0!\x1b(BB", "A\u{fffd}\u{fffd}B"),
    ] {
        let mut charset_bytes = charset.as_bytes().to_vec();
        charset_bytes.resize(charset_bytes.len().next_multiple_of(2), b' ');
        let data_set = [explicit(CHARSET, b"CS", &charset_bytes), explicit(NAME, b"PN", value)].concat();
        let bytes = file(EXPLICIT, &data_set);
        let read = File::read(&bytes).expect("a file");
        let dataset = read.dataset().expect("a data set");
        assert_eq!(dataset.text(NAME).expect("text").as_deref(), Some(expected), "{charset}");
        assert_eq!(!dataset.notes().is_empty(), charset == "ISO_IR 999", "{charset}");
    }
}

#[test]
fn items_inherit_a_character_set_unless_they_have_their_own() {
    let sequence = Tag(0x0008, 0x1120);
    let name = explicit(NAME, b"PN", b"J\xc3\xa9r\xc3\xb4me ");
    let own = [explicit(CHARSET, b"CS", b"ISO_IR 100"), name.clone()].concat();
    let data_set = [
        explicit(CHARSET, b"CS", b"ISO_IR 192"),
        explicit(sequence, b"SQ", &[item(&name), item(&own)].concat()),
        name,
    ]
    .concat();
    let bytes = file(EXPLICIT, &data_set);
    let read = File::read(&bytes).expect("a file");
    let dataset = read.dataset().expect("a data set");
    let items = dataset.items(sequence).expect("items");
    let names: Vec<_> =
        [&items[0], &items[1], &dataset].iter().map(|d| d.text(NAME).expect("text")).collect();
    assert_eq!(names, [Some("Jérôme"), Some("JÃ©rÃ´me"), Some("Jérôme")].map(|name| name.map(str::to_owned)));
}

#[test]
fn implicit_types_are_the_dictionarys_and_follow_the_sign_of_the_pixels() {
    let sequence = Tag(0x0028, 0x3010);
    let sign = |value: u8| implicit(Tag(0x0028, 0x0103), &[value, 0]);
    let smallest = implicit(Tag(0x0028, 0x0106), &[0xff, 0xff]);
    let lut = |own: Vec<u8>| {
        implicit(sequence, &item(&[own, implicit(Tag(0x0028, 0x3002), &[0, 1, 0xff, 0xff, 16, 0])].concat()))
    };
    // (data set, smallest pixel value, second value of the table's descriptor)
    for (data_set, expected) in [
        ([sign(0), smallest.clone(), lut(vec![])], [65535, 65535]),
        ([sign(1), smallest.clone(), lut(vec![])], [-1, -1]),
        ([smallest.clone(), vec![], lut(vec![])], [65535, 65535]),
        ([sign(0), smallest.clone(), lut(sign(1))], [65535, -1]),
    ] {
        let bytes = file(IMPLICIT, &data_set.concat());
        let read = File::read(&bytes).expect("a file");
        let dataset = read.dataset().expect("a data set");
        let smallest = dataset.int(Tag(0x0028, 0x0106)).expect("a number").expect("one");
        let descriptor =
            dataset.items(sequence).expect("items")[0].ints(Tag(0x0028, 0x3002)).expect("numbers");
        assert_eq!([smallest, descriptor[1]], expected);
    }
    for (tag, vr) in [
        (Tag(0x0010, 0x0010), VR::PN),
        (Tag(0x7fe0, 0x0010), VR::OW),
        (Tag(0x6002, 0x3000), VR::OW),
        (Tag(0x0028, 0x3006), VR::OW),
        (Tag(0x0028, 0x0000), VR::UL),
        (Tag(0x0009, 0x0010), VR::LO),
        (Tag(0x0009, 0x1010), VR::UN),
        (Tag(0x0018, 0xfff0), VR::UN),
    ] {
        let bytes =
            file(IMPLICIT, &[implicit(Tag(8, 8), b"A "), implicit_of_len(tag, 4, &[0, 1, 2, 3])].concat());
        let read = File::read(&bytes).expect("a file");
        assert_eq!(
            read.dataset().expect("a data set").get(tag).expect("an element").vr,
            vr,
            "{}",
            describe(tag)
        );
    }
    assert_eq!(keyword(Tag(0x0028, 0x0010)), Some("Rows"));
    assert_eq!(keyword(Tag(0x0009, 0x1010)), None);
}

/// What a developer prints while looking for a fault goes into logs, and names do not.
#[test]
fn debug_shows_no_values() {
    let data_set = [explicit(CHARSET, b"CS", b"ISO_IR 100"), explicit(NAME, b"PN", b"Doe^Jane")].concat();
    let bytes = file(EXPLICIT, &data_set);
    let read = File::read(&bytes).expect("a file");
    let text = format!("{read:?} {:?}", read.dataset().expect("a data set"));
    assert!(text.contains("PatientName PN [8 bytes]") && !text.contains("Doe"), "{text}");
}
