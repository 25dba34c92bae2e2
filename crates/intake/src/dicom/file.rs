//! A DICOM file: preamble, meta group, transfer syntax, data set (PS3.10 section 7).

use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use super::inflate;
use super::note::{Note, Notes, Oddity};
use super::parse::{self, Notation, Until};
use super::syntax::{Framing, TransferSyntax};
use crate::Result;

/// Bytes before the prefix `DICM`.
const PREAMBLE_BYTES: usize = 128;

/// Elements and items that a deflated data set may hold, however short it is; and how many bytes each further one needs.
const ALWAYS_HEADERS: usize = 200_000;
const BYTES_PER_HEADER: usize = 8;

/// Longest value that a first element in implicit notation is believed to have: they are numbers, names and codes.
const MOST_FIRST_BYTES: u32 = 1024;

/// A DICOM file, up to its data set.
pub struct File<'a> {
    meta: Dataset<'a>,
    syntax: &'static TransferSyntax,
    body: Body<'a>,
    notes: Notes,
}

/// Where the data set is.
enum Body<'a> {
    /// In the file, from a position on.
    Plain { bytes: &'a [u8], start: usize },
    /// Deflated in the file.
    Inflated { bytes: Vec<u8>, n_deflated_bytes: usize },
}

impl<'a> File<'a> {
    /// Reads the preamble, the meta group and the transfer syntax, and inflates a deflated data set.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] or [`crate::ErrorKind::Truncated`] if the meta group cannot be read; [`crate::ErrorKind::Unsupported`]
    /// for a transfer syntax that PS3.6 does not know, and for big endian; [`crate::ErrorKind::TooLarge`] for a deflated data
    /// set that yields more than its size is believed to hold.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut notes = Notes::default();
        let has_prefix = bytes.get(PREAMBLE_BYTES..).is_some_and(|rest| rest.starts_with(b"DICM"));
        if !has_prefix {
            notes.add(Oddity::NoPreamble, None);
        }
        let start = if has_prefix { PREAMBLE_BYTES + 4 } else { 0 };
        let meta = parse::data_set(bytes, start, Notation::Explicit, Until::GroupIsNot(2), usize::MAX)?;
        if meta.notation == Notation::Implicit && !meta.dataset.is_empty() {
            notes.add(Oddity::ImplicitMeta, None);
        }
        note_meta_length(&meta.dataset, meta.end - start, &mut notes);
        let stated = meta.dataset.text(tags::TRANSFER_SYNTAX_UID)?;
        // A command set may stand before the data set, in implicit notation always (PS3.7 section 6.3).
        let command = parse::data_set(bytes, meta.end, Notation::Implicit, Until::GroupIsNot(0), usize::MAX);
        let start =
            command.map_or(meta.end, |command| if command.is_stopped { command.end } else { meta.end });
        let syntax = match stated {
            Some(uid) => TransferSyntax::of(&uid)?,
            None => {
                let guessed = guess(bytes.get(start..).unwrap_or(&[]))?;
                notes.add(Oddity::NoTransferSyntax { taken_as: guessed.name }, None);
                guessed
            }
        };
        let body = match syntax.framing {
            Framing::Deflated => {
                let deflated = bytes.get(start..).unwrap_or(&[]);
                let inflated = inflate::data_set(deflated)?;
                // One byte may fill the file to an even length.
                let n_behind = deflated.len() - inflated.n_read;
                if n_behind > 1 {
                    notes.add(Oddity::BytesBehindDeflated { n: n_behind }, None);
                }
                Body::Inflated { bytes: inflated.bytes, n_deflated_bytes: deflated.len() }
            }
            _ => Body::Plain { bytes, start },
        };
        Ok(Self { meta: meta.dataset, syntax, body, notes })
    }

    /// Whether the first bytes of a file (all, or at least 4096) are those of a DICOM file: by the prefix, or by a first
    /// element of group 0002 or 0008, big endian included, which is refused by name later.
    #[must_use]
    pub fn is_dicom(head: &[u8]) -> bool {
        if head.get(PREAMBLE_BYTES..).is_some_and(|rest| rest.starts_with(b"DICM")) {
            return true;
        }
        let Some([g, h, _, _, a, b, c, d]) = head.first_chunk() else { return false };
        let is_type = dicom_core::VR::from_binary([*a, *b]).is_some();
        let len = u32::from_le_bytes([*a, *b, *c, *d]);
        match [*g, *h] {
            [0x02 | 0x08, 0] => is_type || (len.is_multiple_of(2) && len <= MOST_FIRST_BYTES),
            [0, 0x02 | 0x08] => is_type,
            _ => false,
        }
    }

    /// How the data set and its pixels are written.
    #[must_use]
    pub fn syntax(&self) -> &'static TransferSyntax {
        self.syntax
    }

    /// The meta group (0002,xxxx); empty where the file has none.
    #[must_use]
    pub fn meta(&self) -> &Dataset<'a> {
        &self.meta
    }

    /// What was odd before the data set, and how it was taken. What was odd in it is in [`Dataset::notes`].
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.notes.as_slice()
    }

    /// Reads the data set.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] or [`crate::ErrorKind::Truncated`] if it is damaged or ends early anywhere but in its pixel data;
    /// [`crate::ErrorKind::Unsupported`] if it is in big endian or nested deeper than 64.
    pub fn dataset(&self) -> Result<Dataset<'_>> {
        self.read_until(Until::End).map(|(dataset, _)| dataset)
    }

    /// Reads the data set up to its pixel data, and tells whether these were met.
    ///
    /// # Errors
    /// As [`File::dataset`].
    pub(crate) fn read_until(&self, until: Until) -> Result<(Dataset<'_>, bool)> {
        let assumed = match (self.syntax.framing, self.syntax.coding) {
            (Framing::Implicit, _) => Notation::Implicit,
            (Framing::Explicit | Framing::Deflated, _) => Notation::Explicit,
            (Framing::BigEndian | Framing::Unreadable, super::Coding::Refused(way_out)) => {
                return Err(self.syntax.refusal(way_out));
            }
            (Framing::BigEndian | Framing::Unreadable, _) => {
                return Err(self.syntax.refusal("convert it first"));
            }
        };
        let (bytes, start, n_headers) = match &self.body {
            Body::Plain { bytes, start } => (*bytes, *start, usize::MAX),
            Body::Inflated { bytes, n_deflated_bytes } => {
                (bytes.as_slice(), 0, ALWAYS_HEADERS + n_deflated_bytes / BYTES_PER_HEADER)
            }
        };
        let mut parsed = parse::data_set(bytes, start, assumed, until, n_headers)?;
        if parsed.notation != assumed && !parsed.dataset.is_empty() {
            parsed.dataset.note(match parsed.notation {
                Notation::Implicit => Oddity::ImplicitDataSet,
                Notation::Explicit => Oddity::ExplicitDataSet,
            });
        }
        Ok((parsed.dataset, parsed.is_stopped))
    }
}

/// Notes a meta group that is not as long as it states. As in pydicom, the group ends before the first element of
/// another group.
fn note_meta_length(meta: &Dataset<'_>, n_bytes: usize, notes: &mut Notes) {
    let Some(value) = meta.bytes(tags::FILE_META_INFORMATION_GROUP_LENGTH) else { return };
    let Some(stated) = value.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) else { return };
    // The element of the length itself has twelve bytes and is not counted.
    let found = n_bytes.saturating_sub(12);
    if stated as usize != found {
        notes.add(Oddity::MetaLength { stated, found }, None);
    }
}

/// The transfer syntax of a data set that states none, by its first element, as pydicom takes it.
fn guess(data_set: &[u8]) -> Result<&'static TransferSyntax> {
    let [_, high, _, _, a, b] = data_set.first_chunk().copied().unwrap_or_default();
    let uid = match dicom_core::VR::from_binary([a, b]) {
        // Group 0008 read in the wrong order is 0800.
        Some(_) if high >= 4 => "1.2.840.10008.1.2.2",
        Some(_) => "1.2.840.10008.1.2.1",
        None => "1.2.840.10008.1.2",
    };
    TransferSyntax::of(uid)
}

/// Shows the transfer syntax only: values are a patient's.
impl std::fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({})", self.syntax.name)
    }
}
