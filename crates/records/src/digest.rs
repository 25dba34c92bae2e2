//! Digests and ids: how inputs, views, parts and records are told apart.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use lightbox_archive::hex_name;
use sha2::{Digest as _, Sha256};

use crate::Result;

hex_name!(
    /// A SHA-256 digest.
    Digest,
    32
);
hex_name!(
    /// A record's id: 128 random bits, which say nothing of what was read or when.
    RecordId,
    16
);

impl Digest {
    /// What stands before the first entry of a log.
    pub(crate) const ZERO: Self = Self([0; 32]);

    /// The digest of `bytes`: what `sha256sum` prints of a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of `parts` one after another.
    pub(crate) fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The digest of a file's contents, read in pieces.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(n) => hasher.update(&piece[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl RecordId {
    pub(crate) fn random() -> Result<Self> {
        Ok(Self(lightbox_archive::random()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(Digest::of_parts(&[b"a", b"bc"]).to_string(), abc);
        let folder = tempfile::tempdir().expect("works");
        let path = folder.path().join("abc");
        std::fs::write(&path, b"abc").expect("works");
        assert_eq!(Digest::of_file(&path).expect("works").to_string(), abc);
    }
}
