//! The sealed form of a blob, and the names by which studies and blobs are known.
//!
//! A sealed blob is `LBXB`, format (1 byte), kind (1 byte), nonce (24 bytes), ciphertext and its 16-byte tag.
//! Study, kind, name and format are bound as associated data: a blob that is moved, renamed or relabelled does
//! not open.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, disk, hex_name};

/// The version of the sealed form.
pub const BLOB_FORMAT: u8 = 1;
/// Most bytes that a blob may hold.
pub const MAX_BLOB_BYTES: usize = 512 << 20;

const MAGIC: &[u8; 4] = b"LBXB";
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Bytes that sealing adds.
pub(crate) const OVERHEAD_BYTES: usize = MAGIC.len() + 2 + NONCE_BYTES + TAG_BYTES;

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobKind {
    /// What a record says.
    RecordBody,
    /// A picture as it was handed to the model, kept because somebody asked.
    KeptView,
    /// Where a record's inputs were, for replay.
    PathIndex,
}

impl BlobKind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::RecordBody => 1,
            Self::KeptView => 2,
            Self::PathIndex => 3,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::RecordBody, Self::KeptView, Self::PathIndex].into_iter().find(|kind| kind.code() == code)
    }
}

hex_name!(
    /// A study: random, so that it says nothing of its inputs, not even to who has them and the install key.
    StudyId,
    16
);
hex_name!(
    /// A blob's name: a hash of its kind and purpose, keyed so that it says nothing of them without the install key.
    BlobName,
    32
);

/// The random key of one study; wiped when dropped.
pub struct StudyKey(Zeroizing<[u8; 32]>);

impl StudyKey {
    /// Wraps a key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn random() -> Result<Self> {
        Ok(Self::from_bytes(disk::random()?))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes().try_into().expect("a key has 32 bytes"))
    }
}

fn context(study: &StudyId, kind: u8, name: &BlobName) -> Vec<u8> {
    [b"lightbox blob".as_slice(), &[BLOB_FORMAT, kind], study.bytes(), name.bytes()].concat()
}

/// Seals `bytes` under a fresh random nonce.
///
/// # Errors
/// [`ErrorKind::TooLarge`] beyond [`MAX_BLOB_BYTES`]; [`ErrorKind::Io`] if there are no random bytes.
pub fn seal_blob(
    key: &StudyKey,
    study: &StudyId,
    kind: BlobKind,
    name: &BlobName,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    seal(key, study, kind.code(), name, bytes)
}

/// As [`seal_blob`], for any kind of thing that is sealed.
pub(crate) fn seal(
    key: &StudyKey,
    study: &StudyId,
    kind: u8,
    name: &BlobName,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    if bytes.len() > MAX_BLOB_BYTES {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("a blob of {} bytes is more than the {MAX_BLOB_BYTES} that one may have", bytes.len()),
        ));
    }
    let nonce: [u8; NONCE_BYTES] = disk::random()?;
    let aad = context(study, kind, name);
    let ciphertext = key
        .cipher()
        .encrypt(&XNonce::from(nonce), Payload { msg: bytes, aad: &aad })
        .map_err(|_| Error::new(ErrorKind::TooLarge, "a blob is too long for its cipher"))?;
    let mut sealed = Vec::with_capacity(ciphertext.len() + OVERHEAD_BYTES - TAG_BYTES);
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&[BLOB_FORMAT, kind]);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens a sealed blob; never panics, whatever the bytes.
///
/// # Errors
/// [`ErrorKind::Altered`] if a single bit differs from what was sealed, or study, name or key are not those that
/// it was sealed with; [`ErrorKind::TooLarge`] beyond [`MAX_BLOB_BYTES`].
pub fn open_blob(
    sealed: &[u8],
    key: &StudyKey,
    study: &StudyId,
    name: &BlobName,
) -> Result<(BlobKind, Vec<u8>)> {
    let (code, bytes) = open(sealed, key, study, name)?;
    let kind = BlobKind::from_code(code)
        .ok_or_else(|| altered(study, name, &format!("its kind {code} is not known")))?;
    Ok((kind, bytes))
}

fn altered(study: &StudyId, name: &BlobName, what: &str) -> Error {
    Error::new(ErrorKind::Altered, format!("blob {name} of study {study} cannot be opened: {what}"))
        .hint("restore it from a backup, or erase the record")
}

/// As [`open_blob`], for any kind of thing that is sealed; gives its kind's code.
pub(crate) fn open(sealed: &[u8], key: &StudyKey, study: &StudyId, name: &BlobName) -> Result<(u8, Vec<u8>)> {
    let altered = |what: String| altered(study, name, &what);
    if sealed.len() > MAX_BLOB_BYTES + OVERHEAD_BYTES {
        return Err(Error::new(ErrorKind::TooLarge, format!("blob {name} is larger than a blob may be")));
    }
    if sealed.len() < OVERHEAD_BYTES {
        return Err(altered(format!("it has {} bytes, at least {OVERHEAD_BYTES} expected", sealed.len())));
    }
    let kind = parse_header(sealed).map_err(altered)?;
    let body = &sealed[MAGIC.len() + 2..];
    let (nonce, ciphertext) =
        body.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| altered("it is cut short".to_owned()))?;
    let aad = context(study, kind, name);
    let plain = key
        .cipher()
        .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad })
        .map_err(|_| altered("it was altered or cut short, or belongs elsewhere".to_owned()))?;
    Ok((kind, plain))
}

/// The kind that a sealed blob claims; only opening it proves the claim.
fn parse_header(sealed: &[u8]) -> std::result::Result<u8, String> {
    let rest = sealed.strip_prefix(MAGIC).ok_or("it does not begin as a blob does")?;
    match rest {
        [BLOB_FORMAT, kind, ..] => Ok(*kind),
        [format, ..] => Err(format!("its format is {format}, this lightbox reads {BLOB_FORMAT}")),
        [] => Err("it is cut short".to_owned()),
    }
}
