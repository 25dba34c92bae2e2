//! Coded pictures by themselves, as they stand in the fragments of a DICOM file.

use std::time::Duration;

use lightbox_codecs::{Outline, Picture, Result, Samples, jpeg, jpeg_ls, jpeg_xl, jpeg2000, rle};
use lightbox_phantoms::dicom::codes::{self, Dct, Interleave, JpegLs, Lossless, Marks, Raster};
use lightbox_phantoms::dicom::{DicomFile, Layout};

use super::Target;

/// A coded picture may make its decoder hold 64 MiB, and twenty times its own length.
const CODEC: Target = Target {
    name: "",
    run: |_| (),
    seeds: Vec::new,
    words: &[],
    repair: None,
    memory_limit_bytes: 64 << 20,
    memory_limit_per_byte: 20,
    time_limit: Duration::from_secs(4),
};

/// The JPEG processes of DICOM: lossless with every predictor, extended with 12 bits, baseline.
pub const JPEG_12_AND_LOSSLESS: Target = Target {
    name: "codec-jpeg",
    run: |bytes| agrees(jpeg::outline(bytes), jpeg::decode(bytes)),
    seeds: jpegs,
    words: JPEG_WORDS,
    ..CODEC
};

/// JPEG-LS with and without loss, all orders of components.
pub const JPEG_LS: Target = Target {
    name: "codec-jpeg-ls",
    run: |bytes| agrees(jpeg_ls::outline(bytes), jpeg_ls::decode(bytes)),
    seeds: jpeg_lss,
    words: &[
        b"\xff\xd8",
        b"\xff\xf7",
        b"\xff\xf8",
        b"\xff\xda",
        b"\xff\xd9",
        b"\xff\xdd",
        b"\xff\xd0",
        b"\x7f\xff",
    ],
    ..CODEC
};

/// JPEG 2000: all orders of packets, styles of code-blocks, tiles.
pub const JPEG_2000: Target = Target {
    name: "codec-jpeg-2000",
    run: |bytes| agrees(jpeg2000::outline(bytes), jpeg2000::decode(bytes)),
    seeds: || from_tests("jpeg2000"),
    words: JPEG_2000_WORDS,
    ..CODEC
};

/// High-throughput JPEG 2000.
pub const HTJ2K: Target = Target {
    name: "codec-htj2k",
    run: |bytes| agrees(jpeg2000::outline(bytes), jpeg2000::decode(bytes)),
    seeds: || from_tests("htj2k"),
    words: JPEG_2000_WORDS,
    ..CODEC
};

/// JPEG XL: lossless, lossy, recompressed JPEG.
pub const JPEG_XL: Target = Target {
    name: "codec-jpeg-xl",
    run: |bytes| agrees(jpeg_xl::outline(bytes), jpeg_xl::decode(bytes)),
    seeds: || from_tests("jpeg_xl"),
    words: &[
        b"\xff\x0a",
        b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a",
        b"jxlc",
        b"jxlp",
        b"\x00\x00\x00\x00jxlp\x80\x00\x00\x00",
    ],
    ..CODEC
};

/// RLE, of which only the frame's own numbers say how it is to be read: they stand before the coded bytes here.
pub const RLE: Target =
    Target { name: "codec-rle", run: run_rle, seeds: rles, words: &[&[64, 0, 0, 0]], ..CODEC };

const JPEG_WORDS: &[&[u8]] = &[
    b"\xff\xc0",
    b"\xff\xc1",
    b"\xff\xc2",
    b"\xff\xc3",
    b"\xff\xc4",
    b"\xff\xc9",
    b"\xff\xd0",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xdb",
    b"\xff\xdd",
    b"\xff\xee",
    b"Adobe",
];

const JPEG_2000_WORDS: &[&[u8]] = &[
    b"\xff\x4f\xff\x51",
    b"\xff\x50",
    b"\xff\x52",
    b"\xff\x53",
    b"\xff\x55",
    b"\xff\x57",
    b"\xff\x5c",
    b"\xff\x5d",
    b"\xff\x5e",
    b"\xff\x5f",
    b"\xff\x60",
    b"\xff\x61",
    b"\xff\x90\x00\x0a",
    b"\xff\x91\x00\x04",
    b"\xff\x92",
    b"\xff\x93",
    b"\xff\xd9",
    b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a",
    b"jp2c",
];

/// What is decoded is what the header states, and an error has words.
fn agrees(outline: Result<Outline>, picture: Result<Picture>) {
    match (outline, picture) {
        (Ok(outline), Ok(picture)) => {
            assert_eq!(outline, picture.outline, "the header and the picture disagree");
            let n = outline.width * outline.height * outline.n_components;
            match picture.samples {
                Samples::U8(samples) => assert_eq!(samples.len(), n, "sides and samples disagree"),
                Samples::U16(samples) => assert_eq!(samples.len(), n, "sides and samples disagree"),
            }
        }
        (Err(error), Ok(_)) => panic!("a picture whose header is refused: {error}"),
        (_, Err(error)) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

/// The inputs of RLE: pixels as a number of 24 bits, samples a pixel, bytes a sample, then the frame.
fn run_rle(bytes: &[u8]) {
    let Some(([a, b, c, samples, width], frame)) = bytes.split_first_chunk() else { return };
    let n_pixels = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
    let (samples, width) = (usize::from(*samples), usize::from(*width));
    match rle::decode(frame, n_pixels, samples, width) {
        Ok(decoded) => assert_eq!(decoded.len(), n_pixels * samples * width),
        Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

/// Gray of 8, 12 and 16 bits and RGB, with runs, slopes and jumps.
fn pictures() -> Vec<(u8, usize, Vec<u16>)> {
    [(8, 1), (12, 1), (16, 1), (8, 3)]
        .into_iter()
        .map(|(bits, n_components)| {
            let most = (1_usize << bits) - 1;
            let value = |i: usize| if i % 11 < 4 { most / 3 } else { i * i * 7 % (most + 1) };
            (bits, n_components, (0..WIDTH * HEIGHT * n_components).map(|i| value(i) as u16).collect())
        })
        .collect()
}

const WIDTH: usize = 19;
const HEIGHT: usize = 11;

fn raster((bits, n_components, samples): &(u8, usize, Vec<u16>)) -> Raster<'_> {
    Raster { width: WIDTH, height: HEIGHT, n_components: *n_components, bits: *bits, samples }
}

fn jpegs() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for picture in &pictures() {
        for predictor in 1..=7 {
            let restart_rows = usize::from(predictor % 3) * 2;
            let how = Lossless { predictor, restart_rows, ..Lossless::default() };
            files.push(codes::jpeg_lossless(raster(picture), how));
        }
        if picture.0 <= 12 {
            files.push(codes::jpeg_dct(raster(picture), Dct::default()));
            files.push(codes::jpeg_dct(
                raster(picture),
                Dct { marks: Marks::Adobe(0), halves_chroma: picture.1 == 3 },
            ));
        }
    }
    files
}

fn jpeg_lss() -> Vec<Vec<u8>> {
    let mut files = from_tests("jpeg_ls");
    for picture in &pictures() {
        for (near, interleave) in [(0, Interleave::None), (2, Interleave::Line), (0, Interleave::Sample)] {
            if picture.1 == 3 || interleave == Interleave::None {
                files.push(codes::jpeg_ls(raster(picture), JpegLs { near, interleave }).0);
            }
        }
    }
    files
}

fn rles() -> Vec<Vec<u8>> {
    pictures()
        .iter()
        .map(|picture| {
            let mut input = ((WIDTH * HEIGHT) as u32).to_le_bytes()[..3].to_vec();
            input.extend([picture.1 as u8, if picture.0 > 8 { 2 } else { 1 }]);
            input.extend(codes::rle(raster(picture)));
            input
        })
        .collect()
}

/// DICOM files of one frame around the streams of JPEG 2000 and JPEG XL that the codecs' own tests read.
pub fn wrapped_files() -> Vec<Vec<u8>> {
    [
        ("jpeg2000", "1.2.840.10008.1.2.4.91", "YBR_RCT"),
        ("htj2k", "1.2.840.10008.1.2.4.203", "YBR_RCT"),
        ("jpeg_xl", "1.2.840.10008.1.2.4.112", "RGB"),
    ]
    .into_iter()
    .flat_map(|(folder, syntax, colors)| {
        from_tests(folder).into_iter().filter_map(move |stream| wrapped(&stream, syntax, colors))
    })
    .collect()
}

/// A file around a stream, as its own header has it.
fn wrapped(stream: &[u8], syntax: &'static str, colors: &'static str) -> Option<Vec<u8>> {
    let outline = jpeg2000::outline(stream).or_else(|_| jpeg_xl::outline(stream)).ok()?;
    let allocated = if outline.bits > 8 { 16 } else { 8 };
    let (columns, rows) = (outline.width as u16, outline.height as u16);
    let gray = Layout { is_signed: outline.is_signed, ..Layout::gray(columns, rows, allocated) };
    let layout = match outline.n_components {
        1 => gray,
        3 => Layout { n_components: 3, photometric: colors, ..gray },
        _ => return None,
    };
    let layout = layout.stored_in(outline.bits.into());
    Some(DicomFile::new("wrapped").in_syntax(syntax).frames(layout, &[stream.to_vec()]).written())
}

/// The streams that the codecs' own tests read.
fn from_tests(folder: &str) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/codecs/tests/goldens/").to_owned() + folder;
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.retain(|path| path.extension().is_some_and(|ending| ending != "samples"));
    paths.sort();
    let mut files: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    files.retain(|file| file.len() <= crate::mutate::MAX_BYTES);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_seeds_are_pictures_that_are_decoded() {
        for folder in ["jpeg_ls", "jpeg2000", "htj2k", "jpeg_xl"] {
            assert!(from_tests(folder).len() > 15, "the codecs' own files are not found");
        }
        for (name, seeds, decode) in [
            ("jpeg", jpegs(), jpeg::decode as fn(&[u8]) -> Result<Picture>),
            ("jpeg-ls", jpeg_lss(), jpeg_ls::decode),
            ("jpeg-2000", from_tests("jpeg2000"), jpeg2000::decode),
            ("htj2k", from_tests("htj2k"), jpeg2000::decode),
            ("jpeg-xl", from_tests("jpeg_xl"), jpeg_xl::decode),
        ] {
            let refusals: Vec<String> = seeds
                .iter()
                .enumerate()
                .filter_map(|(i, seed)| decode(seed).err().map(|error| format!("{i}: {error}")))
                .collect();
            assert!(refusals.len() * 4 < seeds.len(), "{name}: {refusals:#?}");
        }
        for seed in rles() {
            let width = usize::from(seed[4]);
            assert!(rle::decode(&seed[5..], WIDTH * HEIGHT, usize::from(seed[3]), width).is_ok());
        }
    }
}
