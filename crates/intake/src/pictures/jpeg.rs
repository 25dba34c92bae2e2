//! JPEG files: the codec's samples as a frame, upright, with what was done to them.

use lightbox_codecs::Samples as Decoded;
use lightbox_codecs::jpeg::{Colors, MOST_PIXELS_PER_BYTE, Markers, Process};

use super::{Stored, exif, limits};
use crate::{Allowance, Error, ErrorKind, Frame, Orientation, Result, Samples, Step};

/// Reads a JPEG.
///
/// # Errors
/// See [`ErrorKind`]. CMYK, 12 bits, arithmetic, lossless and hierarchical coding are refused by name; so is a file
/// whose coded data ends early.
pub(crate) fn read(bytes: &[u8], allowance: &mut Allowance) -> Result<Frame> {
    let markers = Markers::of(bytes)?;
    let outline = markers.outline();
    match markers.process() {
        Process::Lossless => return Err(unsupported("lossless coding (SOF3)")),
        _ if outline.bits != 8 => return Err(unsupported(&format!("{} bits a sample", outline.bits))),
        _ if !markers.has_end() => {
            return Err(Error::new(
                ErrorKind::Truncated,
                "JPEG: the file ends before the end of the picture (EOI)",
            )
            .hint("the file is incomplete; copy or export it again"));
        }
        _ => {}
    }
    let said = Said::by(markers.applications())?;
    let (width, height) = limits::sides(outline.width as u64, outline.height as u64, allowance)?;
    let n_coded_bytes = markers.n_coded_bytes() as u64;
    limits::plausible((width * height) as u64, n_coded_bytes, MOST_PIXELS_PER_BYTE as u64, "pixels")?;

    let mut steps = Vec::new();
    let samples = match (markers.decode_rgb()?.samples, markers.colors()) {
        (Decoded::U8(gray), Colors::Gray) => Samples::Gray8(gray),
        (Decoded::U8(rgb), _) => Samples::Rgb8(rgb),
        (Decoded::U16(_), _) => return Err(unsupported(&format!("{} bits a sample", outline.bits))),
    };
    if markers.colors().as_libjpeg() == Colors::YCbCr {
        steps.push(Step::YcbcrToRgb);
    }
    if said.has_color_profile {
        steps.push(Step::IgnoreColorProfile { stated_by: "ICC_PROFILE".to_owned() });
    }
    if said.has_further_pictures {
        steps.push(Step::IgnoreFurtherPictures { stated_by: "MPF".to_owned() });
    }
    Stored { width, height, samples, orientation: said.orientation, steps }.upright()
}

/// What the application segments say.
struct Said {
    orientation: Orientation,
    has_color_profile: bool,
    /// Previews or other renderings of the same shot stand behind the picture, which is the main one (CIPA DC-007).
    has_further_pictures: bool,
}

impl Said {
    fn by(applications: &[(u8, &[u8])]) -> Result<Self> {
        let starting = |n: u8, start: &'static [u8]| {
            applications
                .iter()
                .find_map(move |(found, body)| body.strip_prefix(start).filter(|_| *found == n))
        };
        Ok(Self {
            orientation: starting(1, b"Exif\0\0").map_or(Ok(Orientation::UPRIGHT), exif::orientation)?,
            has_color_profile: starting(2, b"ICC_PROFILE\0").is_some(),
            has_further_pictures: starting(2, b"MPF\0").is_some(),
        })
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("JPEG: expected one picture of 8 bits in baseline, extended or progressive Huffman coding, found {what}"),
    )
    .hint("convert it to PNG (16 bit keeps more than 8 bits)")
}
