//! The install key and what is derived from it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::blob::{BlobKind, BlobName, StudyId, StudyKey};
use crate::{Error, ErrorKind, Result, disk};

const INSTALL_KEY_FILE: &str = "install.key";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const WRAPPED_MAGIC: &[u8; 5] = b"LBXK\x01";
/// Size in bytes of a study's key file: magic and version, nonce, encrypted key with its tag.
pub(crate) const WRAPPED_BYTES: usize = WRAPPED_MAGIC.len() + NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// The keys of an installation, one a purpose, all derived from `install.key`; wiped when dropped.
pub(crate) struct InstallKeys {
    wrapping: Zeroizing<[u8; KEY_BYTES]>,
    naming: Zeroizing<[u8; KEY_BYTES]>,
    studies: Zeroizing<[u8; KEY_BYTES]>,
    tags: Zeroizing<[u8; KEY_BYTES]>,
}

impl InstallKeys {
    /// Reads the install key, or makes it where there is neither key nor data. The caller holds the lock.
    pub(crate) fn load_or_make(root: &Path, has_studies: bool) -> Result<Self> {
        if let Some(keys) = Self::load(root, has_studies)? {
            return Ok(keys);
        }
        // Only here: once there is a key, other rooms may be writing beside it under locks of their own.
        disk::sweep(root);
        let mut key: [u8; KEY_BYTES] = disk::random()?;
        let written = disk::write_whole(root, INSTALL_KEY_FILE, &[&key]);
        key.zeroize();
        written?;
        Self::read(&root.join(INSTALL_KEY_FILE))
    }

    /// Reads the install key; `None` where there is neither key nor data. Without the lock, `has_studies` must have
    /// been found before: a key that is made in between is there before its first study.
    pub(crate) fn load(root: &Path, has_studies: bool) -> Result<Option<Self>> {
        let path = root.join(INSTALL_KEY_FILE);
        if !fs::exists(&path).map_err(|error| disk::full_or_io(&error, "looking for", &path))? {
            if has_studies {
                return Err(Error::new(
                    ErrorKind::InstallKey,
                    format!(
                        "the install key {} is missing, and the studies beside it cannot be read without it",
                        path.display()
                    ),
                )
                .hint(
                    "restore the key from a backup; without one, remove the folder `studies` to start anew",
                ));
            }
            return Ok(None);
        }
        Self::read(&path).map(Some)
    }

    fn read(path: &Path) -> Result<Self> {
        let key = read_install_key(path)?;
        Ok(Self {
            wrapping: mac(&key, &[b"lightbox wrapping key v1"]),
            naming: mac(&key, &[b"lightbox naming key v1"]),
            studies: mac(&key, &[b"lightbox study key v1"]),
            tags: mac(&key, &[b"lightbox tag key v1"]),
        })
    }

    /// What these inputs are known by among the studies: the same set gives the same label, in any order.
    pub(crate) fn label(&self, digests: &[[u8; 32]]) -> [u8; 32] {
        let mut sorted = digests.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let parts: Vec<&[u8]> = sorted.iter().map(<[u8; 32]>::as_slice).collect();
        *mac(&self.studies, &parts)
    }

    pub(crate) fn blob_name(&self, kind: BlobKind, purpose: &str) -> BlobName {
        self.name(kind.code(), purpose)
    }

    /// As [`InstallKeys::blob_name`], by the code of a kind.
    pub(crate) fn name(&self, kind: u8, purpose: &str) -> BlobName {
        BlobName::from_bytes(*mac(&self.naming, &[&[kind], purpose.as_bytes()]))
    }

    /// A tag over `message`, under a key of its own for each purpose.
    pub(crate) fn authenticate(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        *mac(&mac(&self.tags, &[purpose.as_bytes()]), &[message])
    }

    /// Encrypts a study's key for its file.
    pub(crate) fn wrap(&self, study: &StudyId, key: &StudyKey) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = disk::random()?;
        let aad = wrap_context(study);
        let sealed = XChaCha20Poly1305::new(self.wrapping.as_slice().try_into().expect("a key has 32 bytes"))
            .encrypt(&XNonce::from(nonce), Payload { msg: key.bytes(), aad: &aad })
            .map_err(|_| Error::new(ErrorKind::StudyKey, "a study's key cannot be encrypted"))?;
        Ok([WRAPPED_MAGIC.as_slice(), &nonce, &sealed].concat())
    }

    /// Decrypts a study's key file; never panics, whatever the bytes.
    pub(crate) fn unwrap(&self, study: &StudyId, file: &[u8]) -> Result<StudyKey> {
        let refused = |what: &str| {
            Error::new(ErrorKind::StudyKey, format!("the key of study {study} cannot be used: {what}"))
                .hint("restore `install.key` and the study's `key` from one backup, or erase its records")
        };
        let rest =
            file.strip_prefix(WRAPPED_MAGIC).ok_or_else(|| refused("its file is not a key of format 1"))?;
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .filter(|(_, sealed)| sealed.len() == KEY_BYTES + TAG_BYTES)
            .ok_or_else(|| {
                refused(&format!("its file has {} bytes, expected {WRAPPED_BYTES}", file.len()))
            })?;
        let aad = wrap_context(study);
        let plain = XChaCha20Poly1305::new(self.wrapping.as_slice().try_into().expect("a key has 32 bytes"))
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| refused("it was altered, or made under another install key"))?;
        StudyKey::from_slice(&plain).ok_or_else(|| refused("it does not hold 32 bytes"))
    }
}

fn wrap_context(study: &StudyId) -> Vec<u8> {
    [b"lightbox wrapped study key".as_slice(), WRAPPED_MAGIC, study.bytes()].concat()
}

fn mac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        hmac.update(part);
    }
    Zeroizing::new(hmac.finalize().into_bytes().into())
}

fn read_install_key(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let io = |error| disk::full_or_io(&error, "reading", path);
    let file = File::open(path).map_err(io)?;
    let facts = file.metadata().map_err(io)?;
    // The open file is asked, not the path, so that it cannot be exchanged in between.
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&facts) & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::new(
                ErrorKind::InstallKey,
                format!(
                    "the install key {} has mode {mode:04o}, expected 0600: others may have read it",
                    path.display()
                ),
            )
            .hint(format!("run `chmod 600 {}` if nobody else uses this machine", path.display())));
        }
    }
    if !facts.is_file() || facts.len() != KEY_BYTES as u64 {
        return Err(Error::new(
            ErrorKind::InstallKey,
            format!(
                "the install key {} is {}, expected a file of {KEY_BYTES} bytes",
                path.display(),
                if facts.is_file() {
                    format!("a file of {} bytes", facts.len())
                } else {
                    "no file".to_owned()
                },
            ),
        )
        .hint("restore it from a backup; without one, remove it and the folder `studies` to start anew"));
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    (&file).read_exact(key.as_mut_slice()).map_err(io)?;
    Ok(key)
}
