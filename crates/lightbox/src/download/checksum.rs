//! What the hub's tag of a file says of its bytes.

use std::fmt::Write as _;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How a tag names contents, and the running hash to compare with it.
///
/// A tag of 64 digits is the SHA-256 of the bytes: large files. One of 40 is the name that git gives a file: the SHA-1
/// of `blob LENGTH`, a zero byte and the bytes.
#[derive(Clone)]
pub enum Checksum {
    /// SHA-256 of the bytes.
    Sha256(Sha256),
    /// The id of a git blob.
    GitBlob(Sha1),
}

impl Checksum {
    /// The hash that `etag` asks for, of a file that will have `size_bytes`.
    pub fn of_tag(etag: &str, size_bytes: u64) -> Self {
        if etag.len() == 64 {
            return Self::Sha256(Sha256::new());
        }
        Self::GitBlob(Sha1::new_with_prefix(format!("blob {size_bytes}\0")))
    }

    /// Its name, as reports have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::GitBlob(_) => "git-sha1",
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::GitBlob(hash) => hash.update(bytes),
        }
    }

    /// The hash of what was taken, in lowercase hexadecimal digits.
    pub fn finish(self) -> String {
        match self {
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::GitBlob(hash) => hex(&hash.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_40_digits_is_gits_name_of_the_bytes() {
        // As `printf hello | git hash-object --stdin` says.
        let expected = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0";
        let mut sum = Checksum::of_tag(expected, 5);
        assert_eq!(sum.name(), "git-sha1");
        sum.update(b"he");
        sum.update(b"llo");
        assert_eq!(sum.finish(), expected);
    }

    #[test]
    fn a_tag_of_64_digits_is_the_sha256_of_the_bytes() {
        // FIPS 180-2, the message `abc`.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut sum = Checksum::of_tag(expected, 3);
        sum.update(b"abc");
        assert_eq!((sum.name(), sum.finish().as_str()), ("sha256", expected));
    }
}
