//! What records read back: lines of the log, and the parts behind them once they are decrypted.

use std::time::Duration;

use lightbox_records::{Digest, read_body, read_line, read_paths, read_view};

use super::Target;

const PART: Target = Target {
    name: "",
    run: |_| (),
    seeds: Vec::new,
    words: &[],
    repair: None,
    memory_limit_bytes: 8 << 20,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(2),
};

/// A line of the log; half of the mutants have the right hash, as somebody who rewrites a log would see to.
pub const LINE: Target = Target {
    name: "log-line",
    run: |bytes| {
        if let Err(fault) = read_line(bytes) {
            assert!(!fault.to_string().is_empty());
        }
    },
    seeds: lines,
    words: &[
        b"\"read\"",
        b"\"erased\"",
        b"\"parts\"",
        b"\"kind\"",
        b"\"record_body\"",
        b"18446744073709551615",
        b"null",
    ],
    repair: Some(right_hash),
    ..PART
};

/// The body of a record.
pub const BODY: Target = Target {
    name: "record-body",
    run: |bytes| heard(read_body(bytes).err()),
    seeds: bodies,
    words: &[b"\"format\":1", b"\"reading\"", b"null", b"[]", b"{}", b"\"complete\"", b"\"truncated\""],
    ..PART
};

/// A kept picture.
pub const VIEW: Target = Target {
    name: "kept-view",
    run: |bytes| match read_view(bytes) {
        Ok(image) => assert_eq!(image.pixels().len(), image.width() * image.height() * 3),
        Err(error) => heard(Some(error)),
    },
    seeds: || vec![[b"LBXV\x01\x02\0\0\0\x01\0\0\0".as_slice(), &[9; 6]].concat()],
    words: &[b"LBXV\x01", b"\xff\xff\xff\xff", b"\0\0\0\x80"],
    ..PART
};

/// Where the inputs of a record were.
pub const PATHS: Target = Target {
    name: "path-index",
    run: |bytes| heard(read_paths(bytes).err()),
    seeds: || vec![br#"{"format":1,"paths":[{"text":"/films/a.png"},null,{"bytes":"2fff"}]}"#.to_vec()],
    words: &[b"\"bytes\"", b"\"text\"", b"null", b"\\ud800"],
    ..PART
};

fn heard(error: Option<lightbox_records::Error>) {
    if let Some(error) = error {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
}

/// Bytes of `,"hash":"…","tag":"…"}` at the end of a line.
const SEAL_BYTES: usize = r#","hash":"","tag":""}"#.len() + 2 * 64;

fn lines() -> Vec<Vec<u8>> {
    let zeros = "0".repeat(64);
    let parts = format!(r#"[{{"kind":"record_body","digest":"{zeros}"}}]"#);
    [("read", parts.as_str()), ("erased", "[]")]
        .map(|(event, parts)| {
            let mut line = format!(
                r#"{{"format":1,"sequence":0,"event":"{event}","id":"{}","time":"2026-01-02T03:04:05Z","study":"{}","parts":{parts},"previous":"{zeros}","hash":"{zeros}","tag":"{zeros}"}}"#,
                "1".repeat(32),
                "2".repeat(32),
            )
            .into_bytes();
            right_hash(&mut line);
            line
        })
        .to_vec()
}

fn right_hash(line: &mut [u8]) {
    if let Some(sealed) = line.len().checked_sub(SEAL_BYTES) {
        let hashed = [b"lightbox records log entry v1\0".as_slice(), &line[..sealed]].concat();
        let at = sealed + r#","hash":""#.len();
        line[at..at + 64].copy_from_slice(Digest::of(&hashed).to_string().as_bytes());
    }
}

/// What a demonstration read left behind.
fn bodies() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../seeds/record-body.json").to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_seeds_are_understood() {
        for seed in lines() {
            read_line(&seed).expect("a line with its hash");
        }
        read_body(&bodies()[0]).expect("a record of this version");
        read_view(&(VIEW.seeds)()[0]).expect("two pixels");
        assert_eq!(read_paths(&(PATHS.seeds)()[0]).expect("three places").len(), 3);
    }
}
