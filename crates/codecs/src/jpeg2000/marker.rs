//! Markers of the codestream (T.800, table A.2; T.814 and T.801 for the rest).

use super::bytes::Segment;
use super::fault::{corrupt, truncated, unsupported};
use crate::Result;

/// Start of codestream.
pub(super) const SOC: u16 = 0xFF4F;
/// Extended capabilities.
pub(super) const CAP: u16 = 0xFF50;
/// Image and tile size.
pub(super) const SIZ: u16 = 0xFF51;
/// Coding style default.
pub(super) const COD: u16 = 0xFF52;
/// Coding style component.
pub(super) const COC: u16 = 0xFF53;
/// Region of interest.
pub(super) const RGN: u16 = 0xFF5E;
/// Quantization default.
pub(super) const QCD: u16 = 0xFF5C;
/// Quantization component.
pub(super) const QCC: u16 = 0xFF5D;
/// Progression order change.
pub(super) const POC: u16 = 0xFF5F;
/// Packed packet headers, main header.
pub(super) const PPM: u16 = 0xFF60;
/// Packed packet headers, tile-part header.
pub(super) const PPT: u16 = 0xFF61;
/// Start of tile-part.
pub(super) const SOT: u16 = 0xFF90;
/// Start of packet.
pub(super) const SOP: u16 = 0xFF91;
/// End of packet header.
pub(super) const EPH: u16 = 0xFF92;
/// Start of data.
pub(super) const SOD: u16 = 0xFF93;
/// End of codestream.
pub(super) const EOC: u16 = 0xFFD9;

/// How a marker is called, for errors.
pub(super) fn name(marker: u16) -> Option<&'static str> {
    Some(match marker {
        SOC => "SOC",
        CAP => "CAP",
        SIZ => "SIZ",
        COD => "COD",
        COC => "COC",
        RGN => "RGN",
        QCD => "QCD",
        QCC => "QCC",
        POC => "POC",
        PPM => "PPM",
        PPT => "PPT",
        SOT => "SOT",
        SOD => "SOD",
        EOC => "EOC",
        _ => return None,
    })
}

/// A marker segment that says nothing about samples: lengths of tile-parts and packets (TLM, PLM, PLT), component
/// registration (CRG), comment (COM), corresponding profile (CPF).
fn is_passed_over(marker: u16) -> bool {
    matches!(marker, 0xFF55 | 0xFF57 | 0xFF58 | 0xFF63 | 0xFF64 | 0xFF59)
}

/// The marker at the start of `bytes`.
pub(super) fn at(bytes: &[u8]) -> Result<u16> {
    let code = bytes.first_chunk::<2>().map(|b| u16::from_be_bytes(*b));
    code.ok_or_else(|| truncated("JPEG 2000: the stream ends where a marker is expected"))
}

/// The parameters of the marker segment at the start of `bytes`, and what follows it. `None` in place of the parameters
/// for a segment that says nothing about samples.
pub(super) fn segment(bytes: &[u8]) -> Result<(u16, Option<Segment<'_>>, &[u8])> {
    let marker = at(bytes)?;
    let name = match name(marker) {
        Some(name) => name,
        None if is_passed_over(marker) => "",
        None if marker >= 0xFF30 => {
            return Err(unsupported(format!(
                "JPEG 2000: marker {marker:04X}, which T.800 and T.814 do not define"
            )));
        }
        None => return Err(corrupt(format!("JPEG 2000: expected a marker, found {marker:04X}"))),
    };
    let rest = &bytes[2..];
    let Some(length) = rest.first_chunk::<2>().map(|b| usize::from(u16::from_be_bytes(*b))) else {
        return Err(truncated(format!("JPEG 2000: the stream ends within the marker segment {name}")));
    };
    if length < 2 {
        return Err(corrupt(format!("marker {name}: expected a length of at least 2, found {length}")));
    }
    let Some((head, after)) = rest.split_at_checked(length) else {
        return Err(truncated(format!("JPEG 2000: the stream ends within the marker segment {name}")));
    };
    Ok((marker, (!name.is_empty()).then(|| Segment::new(name, &head[2..])), after))
}
