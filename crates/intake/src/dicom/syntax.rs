//! The transfer syntaxes of PS3.6 table A-1: how a data set is written, and how its pixels are coded.

use crate::{Error, ErrorKind, Result};

/// A transfer syntax: its name and what it means for reading.
#[derive(Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    /// The unique identifier.
    pub uid: &'static str,
    /// The name in PS3.6 table A-1.
    pub name: &'static str,
    /// How the data set is written.
    pub framing: Framing,
    /// How pixels are coded.
    pub coding: Coding,
}

/// How a data set is written (PS3.5 sections 7 and A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Little endian, types by the dictionary.
    Implicit,
    /// Little endian, types stated.
    Explicit,
    /// As [`Framing::Explicit`], the data set deflated as a whole (RFC 1951).
    Deflated,
    /// Big endian, types stated; retired, and refused.
    BigEndian,
    /// Not elements at all; retired, and refused.
    Unreadable,
}

/// How pixels are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As they are, one frame behind the other.
    Native,
    /// As they are, each frame a fragment.
    NativeFrames,
    /// Each frame deflated (RFC 1951).
    DeflatedFrames,
    /// Run lengths (PS3.5 annex G).
    Rle,
    /// JPEG process 1: 8 bit.
    JpegBaseline,
    /// JPEG processes 2 and 4: 8 or 12 bit.
    JpegExtended,
    /// JPEG process 14: lossless, any predictor.
    JpegLossless,
    /// JPEG process 14, selection value 1: lossless, first-order prediction.
    JpegLosslessSv1,
    /// JPEG-LS, lossless.
    JpegLs,
    /// JPEG-LS, lossless or near-lossless.
    JpegLsNear,
    /// JPEG 2000, lossless.
    Jpeg2000Lossless,
    /// JPEG 2000, lossless or not.
    Jpeg2000,
    /// High-throughput JPEG 2000, lossless.
    HtJ2kLossless,
    /// High-throughput JPEG 2000, lossless, in the order of resolutions.
    HtJ2kLosslessRpcl,
    /// High-throughput JPEG 2000, lossless or not.
    HtJ2k,
    /// JPEG XL, lossless.
    JpegXlLossless,
    /// A JPEG file, coded again as JPEG XL without loss.
    JpegXlRecompressed,
    /// JPEG XL, lossless or not.
    JpegXl,
    /// Not decoded; what one may do instead.
    Refused(&'static str),
}

const BIG_ENDIAN: &str =
    "convert it first: `dcmconv +te IN OUT` of DCMTK, or gdcmconv, write it in Explicit VR Little Endian";
const DCMDJPEG: &str = "convert it first: `dcmdjpeg IN OUT` of DCMTK writes it in Explicit VR Little Endian";
const VIDEO: &str =
    "it is a video: take the frames of interest out as PNG, for example with ffmpeg, and read those";
const SOUND: &str = "it is sound, there are no pictures in it";
const ELSEWHERE: &str = "its pixels are on a server and not in the file: have it sent with its pixels";
const SEND_AGAIN: &str =
    "have it sent again in Explicit VR Little Endian (1.2.840.10008.1.2.1) by the system that it came from";
const GE_PRIVATE: &str = "convert it first: gdcmconv writes it in Explicit VR Little Endian";

/// Implicit little endian with pixels in big endian, as a manufacturer defined it for itself.
const GE_PRIVATE_UID: &str = "1.2.840.113619.5.2";

impl TransferSyntax {
    /// The transfer syntax of a unique identifier.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if PS3.6 does not know it.
    pub fn of(uid: &str) -> Result<&'static Self> {
        let uid = uid.trim_end_matches([' ', '\0']);
        TABLE.iter().find(|syntax| syntax.uid == uid).ok_or_else(|| {
            // An element may hold anything; only what is a UID is repeated.
            let is_uid = uid.len() <= 64 && uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "DICOM: (0002,0010) TransferSyntaxUID: expected one of PS3.6, found {}",
                    if is_uid { uid } else { "text that is no unique identifier" }
                ),
            )
            .hint(SEND_AGAIN)
        })
    }

    /// Every transfer syntax that is known by name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &TABLE
    }

    /// Whether pixel data are items, and each frame one or more of them (PS3.5 section A.4).
    #[must_use]
    pub fn is_encapsulated(&self) -> bool {
        !matches!(self.coding, Coding::Native | Coding::Refused(_))
    }

    /// Refuses what is not decoded.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`], with the name of the syntax and the way out.
    pub fn check_decoded(&self) -> Result<()> {
        match self.coding {
            Coding::Refused(way_out) => Err(self.refusal(way_out)),
            _ => Ok(()),
        }
    }

    /// That this syntax is not read.
    pub(crate) fn refusal(&self, way_out: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "DICOM: (0002,0010) TransferSyntaxUID: {} ({}) is not read by this version",
                self.name, self.uid
            ),
        )
        .hint(way_out)
    }
}

/// A row of the table.
const fn row(uid: &'static str, name: &'static str, framing: Framing, coding: Coding) -> TransferSyntax {
    TransferSyntax { uid, name, framing, coding }
}

/// PS3.6 table A-1, retired ones included, and a private one that is met.
#[rustfmt::skip]
const TABLE: [TransferSyntax; 64] = [
    row("1.2.840.10008.1.2", "Implicit VR Little Endian", Framing::Implicit, Coding::Native),
    row("1.2.840.10008.1.2.1", "Explicit VR Little Endian", Framing::Explicit, Coding::Native),
    row("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", Framing::Explicit, Coding::NativeFrames),
    row("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Framing::Deflated, Coding::Native),
    row("1.2.840.10008.1.2.2", "Explicit VR Big Endian", Framing::BigEndian, Coding::Refused(BIG_ENDIAN)),
    row("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Framing::Explicit, Coding::JpegBaseline),
    row("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", Framing::Explicit, Coding::JpegExtended),
    row("1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 & 5)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", Framing::Explicit, Coding::Refused(DCMDJPEG)),
    row("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", Framing::Explicit, Coding::Refused(DCMDJPEG)),
    row("1.2.840.10008.1.2.4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 & 13)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", Framing::Explicit, Coding::JpegLossless),
    row("1.2.840.10008.1.2.4.58", "JPEG Lossless, Non-Hierarchical (Process 15)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.59", "JPEG Extended, Hierarchical (Process 16 & 18)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.60", "JPEG Extended, Hierarchical (Process 17 & 19)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Hierarchical (Process 20 & 22)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Hierarchical (Process 21 & 23)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical (Process 24 & 26)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.64", "JPEG Full Progression, Hierarchical (Process 25 & 27)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.65", "JPEG Lossless, Hierarchical (Process 28)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.66", "JPEG Lossless, Hierarchical (Process 29)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])", Framing::Explicit, Coding::JpegLosslessSv1),
    row("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless Image Compression", Framing::Explicit, Coding::JpegLs),
    row("1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", Framing::Explicit, Coding::JpegLsNear),
    row("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)", Framing::Explicit, Coding::Jpeg2000Lossless),
    row("1.2.840.10008.1.2.4.91", "JPEG 2000 Image Compression", Framing::Explicit, Coding::Jpeg2000),
    row("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression", Framing::Explicit, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.4.94", "JPIP Referenced", Framing::Explicit, Coding::Refused(ELSEWHERE)),
    row("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Framing::Deflated, Coding::Refused(ELSEWHERE)),
    row("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile / High Level", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", Framing::Explicit, Coding::JpegXlLossless),
    row("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", Framing::Explicit, Coding::JpegXlRecompressed),
    row("1.2.840.10008.1.2.4.112", "JPEG XL", Framing::Explicit, Coding::JpegXl),
    row("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", Framing::Explicit, Coding::HtJ2kLossless),
    row("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", Framing::Explicit, Coding::HtJ2kLosslessRpcl),
    row("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", Framing::Explicit, Coding::HtJ2k),
    row("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Framing::Explicit, Coding::Refused(ELSEWHERE)),
    row("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Framing::Deflated, Coding::Refused(ELSEWHERE)),
    row("1.2.840.10008.1.2.5", "RLE Lossless", Framing::Explicit, Coding::Rle),
    row("1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation", Framing::Unreadable, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.6.2", "XML Encoding", Framing::Unreadable, Coding::Refused(SEND_AGAIN)),
    row("1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", Framing::Explicit, Coding::Refused(VIDEO)),
    row("1.2.840.10008.1.2.7.3", "SMPTE ST 2110-30 PCM Digital Audio", Framing::Explicit, Coding::Refused(SOUND)),
    row("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", Framing::Explicit, Coding::DeflatedFrames),
    row("1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian", Framing::Implicit, Coding::Refused(SEND_AGAIN)),
    row(GE_PRIVATE_UID, "GE private: Implicit VR Little Endian with big endian pixels", Framing::Implicit, Coding::Refused(GE_PRIVATE)),
];
