//! Files that are read, and files in every way that they must not be.

use super::super::*;

/// A file in the making, so that each part can be wrong on its own.
struct Raw {
    magic: [u8; 4],
    version: u32,
    pairs: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    n_pairs: Option<u64>,
    n_tensors: Option<u64>,
    data: usize,
}

impl Default for Raw {
    fn default() -> Self {
        let none = Vec::new;
        Self {
            magic: MAGIC,
            version: 3,
            pairs: none(),
            tensors: none(),
            n_pairs: None,
            n_tensors: None,
            data: 64,
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

fn pair(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&text(key), &kind.to_le_bytes()[..], value].concat()
}

fn array(key: &str, kind: u32, n: u64, values: &[u8]) -> Vec<u8> {
    pair(key, 9, &[&kind.to_le_bytes()[..], &n.to_le_bytes(), values].concat())
}

/// `sizes` innermost first, as in the file.
fn tensor(name: &str, sizes: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let sizes_le: Vec<u8> = sizes.iter().flat_map(|n| n.to_le_bytes()).collect();
    let n_sizes = (sizes.len() as u32).to_le_bytes();
    [&text(name), &n_sizes[..], &sizes_le, &kind.to_le_bytes(), &offset.to_le_bytes()].concat()
}

impl Raw {
    fn bytes(&self) -> Vec<u8> {
        let n_pairs = self.n_pairs.unwrap_or(self.pairs.len() as u64);
        let n_tensors = self.n_tensors.unwrap_or(self.tensors.len() as u64);
        let mut bytes = [&self.magic[..], &self.version.to_le_bytes()].concat();
        bytes.extend(n_tensors.to_le_bytes());
        bytes.extend(n_pairs.to_le_bytes());
        bytes.extend(self.pairs.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32) + self.data, 7);
        bytes
    }

    fn read(&self) -> Result<Gguf> {
        let bytes = self.bytes();
        Gguf::parse("m.gguf", &bytes, bytes.len() as u64)
    }
}

fn every_kind() -> Raw {
    Raw {
        pairs: vec![
            pair("u8", 0, &[200]),
            pair("i8", 1, &[0xFE]),
            pair("u16", 2, &60_000u16.to_le_bytes()),
            pair("i16", 3, &(-3i16).to_le_bytes()),
            pair("u32", 4, &u32::MAX.to_le_bytes()),
            pair("i32", 5, &(-4i32).to_le_bytes()),
            pair("f32", 6, &0.5f32.to_le_bytes()),
            pair("bool", 7, &[1]),
            pair("string", 8, &text("Überblick")),
            array("strings", 8, 3, &[text("a"), text(""), text("ß")].concat()),
            pair("u64", 10, &u64::MAX.to_le_bytes()),
            pair("i64", 11, &i64::MIN.to_le_bytes()),
            pair("f64", 12, &0.1f64.to_le_bytes()),
            array("floats", 6, 2, &[1.5f32.to_le_bytes(), (-2f32).to_le_bytes()].concat()),
            array("ints", 5, 2, &[7i32.to_le_bytes(), (-8i32).to_le_bytes()].concat()),
            array("none", 4, 0, &[]),
        ],
        tensors: vec![tensor("m", &[32, 2], 8, 128), tensor("v", &[3], 0, 0)],
        data: 128 + 68,
        ..Raw::default()
    }
}

#[test]
fn values_of_every_kind_are_read_in_both_versions() {
    for version in [2, 3] {
        let gguf = Raw { version, ..every_kind() }.read().expect("sound");
        assert_eq!((gguf.version(), gguf.metadata().count()), (version, 16));
        let table = [
            ("u8", Value::Unsigned(200)),
            ("i8", Value::Signed(-2)),
            ("u16", Value::Unsigned(60_000)),
            ("i16", Value::Signed(-3)),
            ("u32", Value::Unsigned(u64::from(u32::MAX))),
            ("i32", Value::Signed(-4)),
            ("f32", Value::Float(0.5)),
            ("bool", Value::Flag(true)),
            ("string", Value::Text("Überblick")),
            ("u64", Value::Unsigned(u64::MAX)),
            ("i64", Value::Signed(i64::MIN)),
            ("f64", Value::Float(0.1)),
        ];
        for (key, value) in table {
            assert_eq!(gguf.get(key), Some(value), "{key}");
        }
        assert_eq!(gguf.texts("strings").expect("strings"), Some(vec!["a", "", "ß"]));
        assert_eq!(gguf.floats("floats").expect("numbers"), Some(vec![1.5, -2.0]));
        assert_eq!(gguf.integers("ints").expect("numbers"), Some(vec![7, -8]));
        assert!(gguf.array("none").expect("an array").is_some_and(Array::is_empty));
        assert_eq!(gguf.unsigned("absent").expect("no error"), None);
    }
}

#[test]
fn tensors_have_their_sizes_outermost_first_and_lie_in_the_file() {
    let raw = every_kind();
    let gguf = raw.read().expect("sound");
    let start = raw.bytes().len() as u64 - 196;
    assert_eq!((gguf.data_start(), gguf.alignment()), (start, 32));
    let m = gguf.tensor("m").expect("it is there");
    assert_eq!((m.shape.as_slice(), m.kind.name(), m.offset, m.len), (&[2, 32][..], "Q8_0", start + 128, 68));
    assert_eq!(gguf.tensors()[1].offset, start);
    assert_eq!(gguf.tensor("n"), None);
    assert_eq!(gguf.head().len() as u64, raw.bytes().len() as u64 - 196 - (start - gguf.head().len() as u64));
}

#[test]
fn a_value_of_another_type_names_file_key_and_both() {
    let gguf = every_kind().read().expect("sound");
    let table: [(Result<()>, &str); 9] = [
        (gguf.unsigned("i8").map(|_| ()), "m.gguf: i8: expected a whole number from 0, found -2"),
        (gguf.unsigned("f32").map(|_| ()), "f32: expected a whole number from 0, found 0.5"),
        (gguf.float("string").map(|_| ()), "string: expected a finite number, found \"Überblick\""),
        (gguf.flag("u8").map(|_| ()), "u8: expected true or false, found 200"),
        (gguf.text("strings").map(|_| ()), "strings: expected a string, found [\"a\", \"\", \"ß\"]"),
        (gguf.texts("ints").map(|_| ()), "ints: expected an array of strings, found [7, -8]"),
        (gguf.floats("ints").map(|_| ()), "ints: expected an array of numbers, found [7, -8]"),
        (gguf.integers("floats").map(|_| ()), "floats: expected an array of whole numbers, found [1.5, -2]"),
        (gguf.array("u64").map(|_| ()), "u64: expected an array, found 18446744073709551615"),
    ];
    for (result, message) in table {
        let error = result.expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let whole = every_kind().bytes();
    for len in 0..whole.len() {
        let error = Gguf::parse("m.gguf", &whole[..len], len as u64).expect_err("it was cut");
        assert!(error.to_string().starts_with("m.gguf: "), "{len}: {error}");
    }
}

#[test]
fn what_does_not_hold_is_refused_by_name() {
    let with_pair = |pair: Vec<u8>| Raw { pairs: vec![pair], ..Raw::default() };
    let with = |tensors: Vec<Vec<u8>>| Raw { tensors, ..Raw::default() };
    let aligned = |alignment: u32| with_pair(pair("general.alignment", 4, &alignment.to_le_bytes()));
    let huge = u64::MAX / 2;
    let table = [
        (Raw { magic: *b"GGML", ..Raw::default() }, "expected a file that begins with GGUF, found \"GGML\""),
        (Raw { version: 1, ..Raw::default() }, "GGUF version 1 is not read, expected 2 or 3"),
        (Raw { version: 4, ..Raw::default() }, "GGUF version 4 is not known"),
        (Raw { version: 3u32.swap_bytes(), ..Raw::default() }, "a big-endian GGUF is not read"),
        (Raw { n_pairs: Some(huge), ..Raw::default() }, "metadata key "),
        (Raw { n_tensors: Some(huge), ..Raw::default() }, "tensor "),
        (with_pair(pair("k", 13, &[])), "k: expected a type from 0 to 12, found 13"),
        (with_pair(pair("k", 7, &[2])), "k: expected a bool as 0 or 1, found 2"),
        (with_pair(array("k", 7, 2, &[1, 3])), "k: expected a bool as 0 or 1, found 3"),
        (with_pair(pair("k", 8, &huge.to_le_bytes())), &format!("k: expected {huge} bytes at")),
        (with_pair(pair("k", 8, &[&2u64.to_le_bytes()[..], &[0xFF, 0xFE]].concat())), "k: expected UTF-8"),
        (with_pair(array("k", 8, huge, &[])), "strings are more than the file can hold"),
        (with_pair(array("k", 10, huge, &[])), "elements are too many"),
        (with_pair(array("k", 0, huge, &[])), &format!("k: expected {huge} bytes at")),
        (with_pair(array("k", 9, 1, &[0; 12])), "k: arrays of arrays are not read"),
        (with_pair(pair("", 0, &[1])), "metadata key 0: expected a name of 1 to 65535 bytes, found 0"),
        (with_pair(pair(&"k".repeat(70_000), 0, &[1])), "found 70000"),
        (
            Raw { pairs: vec![pair("k", 0, &[1]), pair("k", 0, &[2])], ..Raw::default() },
            "metadata key k stands twice",
        ),
        (aligned(0), "general.alignment: expected a power of two from 8 to 1048576, found 0"),
        (aligned(48), "general.alignment: expected a power of two"),
        (aligned(1 << 30), "general.alignment: expected a power of two"),
        (with_pair(pair("general.alignment", 8, &text("32"))), "general.alignment: expected a whole number"),
        (with(vec![tensor("a", &[1], 0, 8)]), "a multiple of the alignment 32, found 8"),
        (with(vec![tensor("a", &[17], 0, 0)]), "tensor a: expected its 68 bytes at offset 0"),
        (with(vec![tensor("a", &[1], 0, 64)]), "tensor a: expected its 4 bytes at offset 64"),
        (with(vec![tensor("a", &[1], 0, u64::MAX - 31)]), "within the file"),
        (with(vec![tensor("a", &[1 << 40, 1 << 40], 0, 0)]), "expected a size that fits 64 bits"),
        (with(vec![tensor("a", &[1 << 62], 0, 0)]), "expected a size that fits 64 bits"),
        (with(vec![tensor("a", &[0], 0, 0)]), "tensor a: expected sizes above zero"),
        (with(vec![tensor("a", &[], 0, 0)]), "tensor a: expected 1 to 4 sizes, found 0"),
        (with(vec![tensor("a", &[1; 5], 0, 0)]), "tensor a: expected 1 to 4 sizes, found 5"),
        (with(vec![tensor("a", &[16], 8, 0)]), "whole blocks of 32 Q8_0 numbers, found rows of 16"),
        (with(vec![tensor("a", &[1], 4, 0)]), "tensor a: expected a type that is known, found number 4"),
        (with(vec![tensor("a", &[1], 99, 0)]), "types that are read: F32, F16,"),
        (with(vec![tensor("a", &[4], 0, 0), tensor("a", &[4], 0, 32)]), "tensor a stands twice"),
        (with(vec![tensor("b", &[9], 0, 0), tensor("a", &[4], 0, 32)]), "inside tensor b, which ends at "),
        (with(vec![tensor("b", &[4], 0, 0), tensor("a", &[4], 0, 0)]), "tensor a begins at byte"),
    ];
    for (raw, message) in table {
        let error = raw.read().expect_err(message);
        assert!(error.to_string().contains(message), "expected {message:?}, found {error}");
        assert!(error.to_string().starts_with("m.gguf: "), "{error}");
    }
}

#[test]
fn a_file_is_read_by_position_and_only_as_far_as_its_metadata() {
    let raw = every_kind();
    let bytes = raw.bytes();
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("m.gguf"), &bytes).expect("a small file");
    let files = ModelFiles::folder(dir.path()).expect("it was just made");
    let gguf = Gguf::read(&files, "m.gguf").expect("sound");
    assert_eq!(gguf.tensors(), raw.read().expect("sound").tensors());
    assert!(Gguf::read(&files, "n.gguf").expect_err("absent").to_string().contains("no n.gguf"));
    // The data of a long file need not be there.
    let head = gguf.head().len();
    let alone = Gguf::from_source("m.gguf", 1 << 40, &mut |offset, into| {
        assert!(offset < 4 << 20, "{offset} is beyond the metadata");
        for (at, byte) in (offset as usize..).zip(into) {
            *byte = bytes.get(at).filter(|_| at < head).copied().unwrap_or(0);
        }
        Ok(())
    });
    assert_eq!(alone.expect("sound").metadata().count(), 16);
}

#[test]
fn the_family_s_vocabulary_takes_no_time() {
    let words: Vec<u8> = (0..262_145u32).flat_map(|i| text(&format!("▁word{i}"))).collect();
    let scores: Vec<u8> = (0..262_145u32).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let raw = Raw {
        pairs: vec![array("tokens", 8, 262_145, &words), array("scores", 6, 262_145, &scores)],
        ..Raw::default()
    };
    let bytes = raw.bytes();
    let started = std::time::Instant::now();
    let gguf = Gguf::parse("m.gguf", &bytes, bytes.len() as u64).expect("sound");
    let tokens = gguf.texts("tokens").expect("strings").expect("there");
    let took = started.elapsed();
    assert_eq!((tokens.len(), tokens[262_144]), (262_145, "▁word262144"));
    assert_eq!(gguf.floats("scores").expect("numbers").expect("there")[9], 9.0);
    // Some tens of milliseconds; a loop that copies what was read before takes seconds.
    assert!(took.as_millis() < 2000, "{took:?}");
}
