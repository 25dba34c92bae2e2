//! Pictures: PNG, JPEG and TIFF through the one door of `intake`.

use std::time::Duration;

use super::Target;

/// 64 KiB of deflate can hold 66 MiB of samples, and those are held twice while they are turned upright; anything
/// beyond comes from believing a header.
const MEMORY_LIMIT_BYTES: usize = 320 << 20;

const PICTURE: Target = Target {
    name: "",
    run: read,
    seeds: Vec::new,
    words: &[],
    repair: None,
    memory_limit_bytes: MEMORY_LIMIT_BYTES,
    memory_limit_per_byte: 0,
    time_limit: Duration::from_secs(4),
};

/// Gray, RGB, palette and alpha, 1 to 16 bits, interlaced too; half of the mutants have right checksums.
pub const PNG: Target = Target {
    name: "png",
    seeds: pngs,
    words: &[
        b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"iCCP", b"gAMA", b"acTL", b"fcTL", b"fdAT",
    ],
    repair: Some(right_checksums),
    ..PICTURE
};

/// Baseline gray and colour, with EXIF orientations.
pub const JPEG: Target = Target {
    name: "jpeg",
    seeds: jpegs,
    words: &[
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
        b"\xff\xe1",
        b"\xff\xee",
        b"Exif\0\0",
        b"Adobe",
        b"II*\0",
        b"MM\0*",
        b"\x12\x01\x03\x00",
    ],
    ..PICTURE
};

/// Gray and RGB, 8 and 16 bits, both byte orders, strips.
pub const TIFF: Target = Target {
    name: "tiff",
    seeds: tiffs,
    words: &[
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"\x00\x01",
        b"\x01\x01",
        b"\x02\x01",
        b"\x03\x01",
        b"\x06\x01",
        b"\x11\x01",
        b"\x12\x01",
        b"\x15\x01",
        b"\x16\x01",
        b"\x17\x01",
        b"\x1c\x01",
        b"\x3d\x01",
        b"\x42\x01",
        b"\x53\x01",
        b"\x05\x80",
        b"\x08\x00\x00\x00",
        b"\x07\x00\x00\x00",
    ],
    ..PICTURE
};

/// What comes in must be refused with words or be a study that agrees with itself.
fn read(bytes: &[u8]) {
    match lightbox_intake::read(bytes) {
        Ok(study) => {
            assert!(!study.frames.is_empty(), "a study without frames");
            for frame in &study.frames {
                let n_values = frame.width * frame.height * frame.samples.n_channels();
                assert!(n_values > 0, "an empty frame");
                assert_eq!(frame.samples.len(), n_values, "sides and samples disagree");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

/// The files that intake's own tests read, with one of these endings: every coding that is understood is among them.
fn from_tests(endings: &[&str]) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/intake/tests/goldens");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.retain(|path| path.extension().is_some_and(|found| endings.iter().any(|ending| found == *ending)));
    paths.sort();
    let mut files: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    files.retain(|file| file.len() <= crate::mutate::MAX_BYTES);
    files
}

fn pngs() -> Vec<Vec<u8>> {
    let mut files = from_tests(&["png"]);
    for (color, depth, bits_per_pixel) in [
        (0, 1, 1),
        (0, 8, 8),
        (0, 16, 16),
        (2, 8, 24),
        (2, 16, 48),
        (3, 4, 4),
        (4, 8, 16),
        (6, 8, 32),
        (6, 16, 64),
    ] {
        for interlace in [0, 1] {
            files.push(png(13, 9, color, depth, bits_per_pixel, interlace));
        }
    }
    files
}

fn png(width: u32, height: u32, color: u8, depth: u8, bits_per_pixel: usize, interlace: u8) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([depth, color, 0, 0, interlace]);
    // Seven passes of Adam7 have more row starts than a plain picture; spare bytes at the end do no harm.
    let row_bytes = 1 + (width as usize * bits_per_pixel).div_ceil(8);
    let n_bytes = if interlace == 0 { row_bytes * height as usize } else { 2 * row_bytes * height as usize };
    let rows: Vec<u8> =
        (0..n_bytes).map(|i| if i % row_bytes == 0 { 0 } else { (i * 37) as u8 & 0x7f }).collect();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    if color == 3 {
        chunk(&mut file, b"PLTE", &[0x55; 48]);
    }
    chunk(&mut file, b"IDAT", &stored(if interlace == 0 { &rows } else { &[0; 2048] }));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// A zlib stream of one block that is stored, not packed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(bytes);
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// Writes the right checksum behind every chunk that is whole.
fn right_checksums(file: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = file.get(at..at + 4) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(end) = at.checked_add(8).and_then(|start| start.checked_add(length)) else { return };
        if file.len() < end + 4 {
            return;
        }
        let sum = crc32(&file[at + 4..end]);
        file[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}

fn jpegs() -> Vec<Vec<u8>> {
    let mut files = from_tests(&["jpg", "jpeg"]);
    files.extend([jpeg(1, None, false), jpeg(3, None, false), jpeg(3, None, true), jpeg(4, None, false)]);
    files.extend((1..=8).map(|orientation| jpeg(1, Some(orientation), false)));
    files
}

/// A flat 16 × 8 picture. Both Huffman tables have one code of one bit: "no difference" and "nothing follows".
fn jpeg(n_components: u8, orientation: Option<u8>, restarts: bool) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    if let Some(orientation) = orientation {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        segment(&mut file, 0xe1, &exif);
    }
    let mut quantization = vec![0];
    quantization.extend([1; 64]);
    segment(&mut file, 0xdb, &quantization);
    let mut frame = vec![8, 0, 8, 0, 16, n_components];
    frame.extend((1..=n_components).flat_map(|id| [id, 0x11, 0]));
    segment(&mut file, 0xc0, &frame);
    for class in [0x00, 0x10] {
        let mut table = vec![class, 1];
        table.extend([0; 16]);
        segment(&mut file, 0xc4, &table);
    }
    if restarts {
        segment(&mut file, 0xdd, &[0, 1]);
    }
    let mut scan = vec![n_components];
    scan.extend((1..=n_components).flat_map(|id| [id, 0]));
    scan.extend([0, 63, 0]);
    segment(&mut file, 0xda, &scan);
    // Two bits a block, all zero; the rest of a byte is ones.
    let bits = 2 * usize::from(n_components);
    if restarts {
        file.extend([0xff_u8 >> bits, 0xff, 0xd0, 0xff_u8 >> bits]);
    } else {
        let zeros = 2 * bits;
        file.extend(std::iter::repeat_n(0, zeros / 8));
        if zeros % 8 > 0 {
            file.push(0xff >> (zeros % 8));
        }
    }
    file.extend([0xff, 0xd9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, data: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((data.len() as u16 + 2).to_be_bytes());
    file.extend(data);
}

fn tiffs() -> Vec<Vec<u8>> {
    let mut files = from_tests(&["tif", "tiff"]);
    for big_endian in [false, true] {
        for (n_channels, bits) in [(1, 8), (1, 16), (3, 8), (3, 16)] {
            for orientation in [1, 6] {
                files.push(tiff(big_endian, n_channels, bits, orientation));
            }
        }
    }
    files
}

/// A 7 × 5 picture in two strips.
fn tiff(big_endian: bool, n_channels: u32, bits: u32, orientation: u32) -> Vec<u8> {
    let short = |value: u32| {
        let bytes = value as u16;
        if big_endian { bytes.to_be_bytes() } else { bytes.to_le_bytes() }
    };
    let long = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let row_bytes = 7 * n_channels * bits / 8;
    let (n_entries, head) = (11, 8);
    let outside = head + 2 + n_entries * 12 + 4;
    let pixels = outside + 6 + 8 + 8;
    let mut file = if big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    file.extend(long(head));
    file.extend(short(n_entries));
    let mut entry = |tag: u32, kind: u32, count: u32, value: [u8; 4]| {
        file.extend(short(tag));
        file.extend(short(kind));
        file.extend(long(count));
        file.extend(value);
    };
    let inline = |value: u32| {
        let [a, b] = short(value);
        [a, b, 0, 0]
    };
    entry(256, 3, 1, inline(7));
    entry(257, 3, 1, inline(5));
    entry(258, 3, n_channels, if n_channels == 1 { inline(bits) } else { long(outside) });
    entry(259, 3, 1, inline(1));
    entry(262, 3, 1, inline(if n_channels == 1 { 1 } else { 2 }));
    entry(273, 4, 2, long(outside + 6));
    entry(274, 3, 1, inline(orientation));
    entry(277, 3, 1, inline(n_channels));
    entry(278, 3, 1, inline(3));
    entry(279, 4, 2, long(outside + 14));
    entry(284, 3, 1, inline(1));
    file.extend(long(0));
    file.extend([bits, bits, bits].into_iter().flat_map(short));
    file.extend([pixels, pixels + 3 * row_bytes, 3 * row_bytes, 2 * row_bytes].into_iter().flat_map(long));
    file.extend((0..5 * row_bytes).map(|i| (i * 37) as u8));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_seeds_are_pictures_that_intake_reads() {
        for (seeds, made) in [(pngs(), 18), (jpegs(), 12), (tiffs(), 16)] {
            assert!(seeds.len() > made, "intake's own files are not found");
            // Some of intake's files are there to be refused, and so is a JPEG of four components.
            let refusals: Vec<String> = seeds
                .iter()
                .enumerate()
                .filter_map(|(i, seed)| {
                    lightbox_intake::read(seed).err().map(|error| format!("{i}: {error}"))
                })
                .collect();
            assert!(refusals.len() * 4 < seeds.len(), "{refusals:#?}");
        }
    }

    #[test]
    fn checksums_are_made_right_again() {
        let seed = png(13, 9, 0, 8, 8, 0);
        let mut file = seed.clone();
        file[30] ^= 1; // inside the header's checksum
        assert_ne!(file, seed);
        right_checksums(&mut file);
        assert_eq!(file, seed);
    }
}
