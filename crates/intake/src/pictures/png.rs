//! PNG (ISO/IEC 15948): all colour types and depths, interlaced or not, one picture.

use std::io::Cursor;

use ::png::{ColorType, DecodeOptions, Decoder, DecodingError, Limits};

use super::{Stored, exif, limits, without_alpha};
use crate::{Allowance, Error, ErrorKind, Frame, Orientation, Result, Samples, Step};

/// Deflate yields at most this many bytes from one (258 bytes from the shortest code for a match: 1032).
const DEFLATE_MOST: u64 = 1032;

/// What the decoder may hold beside the picture: rows, palette, profile.
const WORK_BYTES: usize = 64 << 20;

/// Reads a PNG.
///
/// # Errors
/// See [`ErrorKind`]. Animations are refused; a checksum that does not match is an error.
pub(crate) fn read(bytes: &[u8], allowance: &mut Allowance) -> Result<Frame> {
    let outline = Outline::of(bytes)?;
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(false);
    options.set_skip_ancillary_crc_failures(false);
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(Limits { bytes: WORK_BYTES });
    let mut reader = decoder.read_info().map_err(failed)?;

    let info = reader.info();
    let (width, height) = limits::sides(u64::from(info.width), u64::from(info.height), allowance)?;
    let (color, depth) = (info.color_type, info.bit_depth as u8);
    let palette = info.palette.as_deref().map(<[u8]>::to_vec);
    let transparency = info.trns.as_deref().map(<[u8]>::to_vec);
    let orientation = outline.exif.map_or(Ok(Orientation::UPRIGHT), exif::orientation)?;
    let n_bytes =
        reader.output_buffer_size().ok_or_else(|| Error::new(ErrorKind::TooLarge, "the picture"))?;
    limits::plausible(n_bytes as u64, outline.n_coded_bytes, DEFLATE_MOST, "bytes")?;

    let mut rows = crate::memory::filled::<u8>(n_bytes)?;
    reader.next_frame(&mut rows).map_err(failed)?;
    reader.finish().map_err(failed)?;

    let row_bytes = n_bytes / height;
    let mut steps = Vec::new();
    let samples = match (color, depth) {
        (ColorType::Indexed, depth) => {
            let indices = unpack(&rows, row_bytes, width, height, depth)?;
            palette_colors(
                &indices,
                palette.as_deref().unwrap_or_default(),
                transparency.as_deref(),
                &mut steps,
            )?
        }
        (ColorType::Grayscale, 8) => gray8(rows, transparency.as_deref(), &mut steps),
        (ColorType::Grayscale, 16) => {
            let gray = wide(&rows)?;
            note_transparent(transparency.as_deref(), gray.iter().map(|v| [*v]), &mut steps);
            Samples::Gray16(gray)
        }
        (ColorType::Grayscale, depth) => {
            let levels = unpack(&rows, row_bytes, width, height, depth)?;
            note_transparent(transparency.as_deref(), levels.iter().map(|v| [u16::from(*v)]), &mut steps);
            steps.push(Step::ExpandBits { from_bits: depth });
            let factor = 255 / ((1u16 << depth) - 1) as u8;
            Samples::Gray8(levels.into_iter().map(|level| level * factor).collect())
        }
        (ColorType::Rgb, 16) => {
            let rgb = wide(&rows)?;
            let pixels = rgb.chunks_exact(3).map(|p| [p[0], p[1], p[2]]);
            note_transparent(transparency.as_deref(), pixels, &mut steps);
            Samples::Rgb16(rgb)
        }
        (ColorType::Rgb, _) => {
            let pixels = rows.chunks_exact(3).map(|p| [u16::from(p[0]), u16::from(p[1]), u16::from(p[2])]);
            note_transparent(transparency.as_deref(), pixels, &mut steps);
            Samples::Rgb8(rows)
        }
        (ColorType::GrayscaleAlpha | ColorType::Rgba, depth) => {
            let channels = if color == ColorType::Rgba { 4 } else { 2 };
            let (samples, translucent) = if depth == 16 {
                let (kept, translucent) = without_alpha(&wide(&rows)?, channels, u16::MAX)?;
                (if channels == 4 { Samples::Rgb16(kept) } else { Samples::Gray16(kept) }, translucent)
            } else {
                let (kept, translucent) = without_alpha(&rows, channels, u8::MAX)?;
                (if channels == 4 { Samples::Rgb8(kept) } else { Samples::Gray8(kept) }, translucent)
            };
            steps.push(Step::DropAlpha { translucent });
            samples
        }
    };
    steps.extend(outline.color_chunks.into_iter().map(|stated_by| Step::IgnoreColorProfile { stated_by }));
    Stored { width, height, samples, orientation, steps }.upright()
}

/// What the chunks of a file say before anything is unpacked.
struct Outline<'a> {
    /// Bytes of coded picture data.
    n_coded_bytes: u64,
    /// The EXIF block, which may stand anywhere before the end (11.3.4.5), behind the picture data too.
    exif: Option<&'a [u8]>,
    /// Chunks that state a meaning of colours which is not applied.
    color_chunks: Vec<String>,
}

impl<'a> Outline<'a> {
    /// Walks the chunks to the end of the picture. Their checksums are the decoder's work.
    fn of(bytes: &'a [u8]) -> Result<Self> {
        let mut outline = Self { n_coded_bytes: 0, exif: None, color_chunks: Vec::new() };
        let mut rest = &bytes[8..];
        loop {
            let Some((head, body)) = rest.split_at_checked(8) else {
                return Err(ended("its last chunk (IEND)"));
            };
            let len = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
            let name = &head[4..8];
            if name == b"acTL" {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "PNG: expected one picture, found an animation (acTL)",
                )
                .hint("export the frame of interest as a picture of its own"));
            }
            // The checksum follows the body.
            let Some(after) = body.get(len.saturating_add(4)..) else {
                return Err(ended(&format!("chunk {}", name.escape_ascii())));
            };
            match name {
                b"IDAT" => outline.n_coded_bytes += len as u64,
                b"eXIf" => outline.take_exif(&body[..len])?,
                b"tEXt" | b"zTXt" | b"iTXt" => refuse_exif_in_text(name, &body[..len])?,
                b"iCCP" | b"gAMA" | b"cHRM" | b"cICP" => {
                    outline.color_chunks.push(name.escape_ascii().to_string())
                }
                b"IEND" => return Ok(outline),
                _ => {}
            }
            rest = after;
        }
    }

    fn take_exif(&mut self, block: &'a [u8]) -> Result<()> {
        if self.exif.replace(block).is_some() {
            return Err(Error::new(ErrorKind::Corrupt, "PNG: expected at most one eXIf chunk, found two")
                .hint("they state which side is up; check the picture and save it again without EXIF"));
        }
        Ok(())
    }
}

/// Refuses a text chunk that holds an EXIF block, as programs wrote it before there was eXIf: some turn the picture by
/// it and some do not, so nobody can say which side the picture's maker saw on top.
fn refuse_exif_in_text(name: &[u8], body: &[u8]) -> Result<()> {
    let keyword = body.split(|byte| *byte == 0).next().unwrap_or_default();
    if [&b"Raw profile type exif"[..], b"Raw profile type APP1"]
        .iter()
        .any(|k| keyword.eq_ignore_ascii_case(k))
    {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "PNG: expected EXIF in an eXIf chunk, found it as text ({}: {})",
                name.escape_ascii(),
                keyword.escape_ascii()
            ),
        )
        .hint("it may state which side is up; check the picture and save it again without metadata"));
    }
    Ok(())
}

/// Samples of `depth` bits (1, 2, 4 or 8), one a byte.
fn unpack(rows: &[u8], row_bytes: usize, width: usize, height: usize, depth: u8) -> Result<Vec<u8>> {
    let mut samples = crate::memory::reserve(width * height)?;
    let per_byte = usize::from(8 / depth);
    let mask = ((1u16 << depth) - 1) as u8;
    for row in rows.chunks_exact(row_bytes) {
        samples.extend((0..width).map(|x| {
            let shift = 8 - depth * (x % per_byte + 1) as u8;
            (row[x / per_byte] >> shift) & mask
        }));
    }
    Ok(samples)
}

/// Big-endian samples of 16 bits.
fn wide(rows: &[u8]) -> Result<Vec<u16>> {
    let mut samples = crate::memory::reserve(rows.len() / 2)?;
    samples.extend(rows.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
    Ok(samples)
}

fn gray8(rows: Vec<u8>, transparency: Option<&[u8]>, steps: &mut Vec<Step>) -> Samples {
    note_transparent(transparency, rows.iter().map(|v| [u16::from(*v)]), steps);
    Samples::Gray8(rows)
}

/// Notes a colour that tRNS declares transparent, and whether any pixel has it.
fn note_transparent<const C: usize>(
    transparency: Option<&[u8]>,
    mut pixels: impl Iterator<Item = [u16; C]>,
    steps: &mut Vec<Step>,
) {
    if let Some(entry) = transparency {
        let is_clear =
            |pixel: [u16; C]| pixel.iter().zip(entry.chunks_exact(2)).all(|(v, e)| v.to_be_bytes() == e);
        steps.push(Step::DropAlpha { translucent: pixels.any(is_clear) });
    }
}

/// The colours that `indices` stand for.
fn palette_colors(
    indices: &[u8],
    palette: &[u8],
    transparency: Option<&[u8]>,
    steps: &mut Vec<Step>,
) -> Result<Samples> {
    let n_colors = palette.len() / 3;
    steps.push(Step::ExpandPalette { n_colors });
    if let Some(alphas) = transparency {
        let translucent =
            indices.iter().any(|index| alphas.get(usize::from(*index)).is_some_and(|a| *a != 255));
        steps.push(Step::DropAlpha { translucent });
    }
    let mut rgb = crate::memory::reserve(indices.len() * 3)?;
    for (place, index) in indices.iter().enumerate() {
        let first = usize::from(*index) * 3;
        let color = palette.get(first..first + 3).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                format!("PNG: pixel {place}: expected an index below {n_colors} (PLTE), found {index}"),
            )
            .hint("the file is damaged; export it again")
        })?;
        rgb.extend_from_slice(color);
    }
    Ok(Samples::Rgb8(rgb))
}

fn ended(place: &str) -> Error {
    Error::new(ErrorKind::Truncated, format!("PNG: the file ends before {place}"))
        .hint("copy or export it again")
}

/// The decoder's reason in this room's words.
fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ended("the end of the picture data")
        }
        DecodingError::LimitsExceeded => Error::new(
            ErrorKind::TooLarge,
            format!("PNG: expected at most {WORK_BYTES} bytes beside the picture, found more"),
        )
        .hint("crop the picture, or save it again without its metadata"),
        error => Error::new(ErrorKind::Corrupt, format!("PNG: {error}"))
            .hint("the file is damaged; copy or export it again"),
    }
}
