//! JPEG 2000 of both block coders: streams that are damaged, and headers that promise what their bytes do not hold.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use lightbox_codecs::{ErrorKind, Picture, Result, Samples, jpeg2000};

/// Streams of the other tests, by name.
fn streams() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let entries = ["htj2k", "jpeg2000"].map(|folder| fs::read_dir(root.join(folder)).expect("goldens"));
    let mut paths: Vec<_> = entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "j2c" || ending == "j2k"));
    paths.sort();
    assert!(paths.len() > 60, "{} streams", paths.len());
    paths.iter().map(|path| (path.display().to_string(), fs::read(path).expect("a stream"))).collect()
}

/// A generator of numbers below a bound, the same ones each time (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ bits >> 31) % bound.max(1) as u64) as usize
    }
}

/// Whether it is a picture, which must agree with itself and with the header; an error must have words.
fn is_picture(name: &str, coded: &[u8], decoded: Result<Picture>) -> bool {
    match decoded {
        Ok(Picture { outline, samples }) => {
            let n = outline.width * outline.height * outline.n_components;
            let (n_found, largest) = match &samples {
                Samples::U8(samples) => (samples.len(), samples.iter().max().map(|s| u32::from(*s))),
                Samples::U16(samples) => (samples.len(), samples.iter().max().map(|s| u32::from(*s))),
            };
            assert_eq!(n_found, n, "{name}: sides and samples disagree");
            assert_eq!(jpeg2000::outline(coded).expect(name), outline, "{name}");
            let is_in_range = outline.is_signed || largest.is_some_and(|sample| sample >> outline.bits == 0);
            assert!(is_in_range, "{name}: a sample of more than {} bits", outline.bits);
            true
        }
        Err(error) => {
            assert!(!error.message().is_empty(), "{name}: an error without words");
            false
        }
    }
}

#[test]
fn damaged_streams_are_refused_or_decoded() {
    let streams = streams();
    let mut random = Random(20_261_124);
    let mut n_pictures = 0;
    for round in 0..60 {
        for (name, coded) in &streams {
            let mut damaged = coded.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(damaged.len());
                let n = 1 + random.below(9);
                match random.below(7) {
                    0 | 1 => damaged[at] ^= 1 << random.below(8),
                    2 => damaged[at] = [0x00, 0x01, 0x7F, 0x80, 0x90, 0xFE, 0xFF][random.below(7)],
                    3 => drop(damaged.drain(at..(at + n).min(damaged.len()))),
                    4 => damaged.insert(at, random.below(256) as u8),
                    5 => {
                        // A piece of another stream.
                        let other = &streams[random.below(streams.len())].1;
                        let from = random.below(other.len());
                        damaged.splice(at..at, other[from..(from + 4 * n).min(other.len())].iter().copied());
                    }
                    _ => {
                        // The headers, where every byte tells.
                        let at = random.below(damaged.len().min(110));
                        damaged[at] = random.below(256) as u8;
                    }
                }
                damaged.extend(damaged.is_empty().then_some(0xFF));
            }
            let name = format!("{name}, round {round}");
            n_pictures += usize::from(is_picture(&name, &damaged, jpeg2000::decode(&damaged)));
        }
    }
    assert!(n_pictures > 100, "{n_pictures} damaged streams were pictures: too few to say anything");
}

#[test]
fn damage_to_each_byte_of_an_ht_stream_is_refused_or_decoded() {
    for (name, coded) in
        streams().iter().filter(|(name, _)| name.contains("passes-") || name.contains("gray8-"))
    {
        for at in 0..coded.len() {
            let mut damaged = coded.clone();
            damaged[at] ^= [0x01, 0x80, 0xFF, 0x10][at % 4];
            is_picture(&format!("{name}, byte {at}"), &damaged, jpeg2000::decode(&damaged));
        }
    }
}

/// A header of a picture of one tile-part a tile, each with the same bytes.
struct Promise {
    size: [u32; 2],
    tile: [u32; 2],
    n_components: u16,
    n_layers: u16,
    progression: u8,
    n_levels: u8,
    /// Exponents less 2.
    block: [u8; 2],
    style: u8,
    /// One of all resolution levels, in both directions; 15 for the largest.
    precinct: u8,
}

const GRAY: Promise = Promise {
    size: [4096; 2],
    tile: [4096; 2],
    n_components: 1,
    n_layers: 1,
    progression: 0,
    n_levels: 5,
    block: [4; 2],
    style: 0,
    precinct: 15,
};

impl Promise {
    fn stream(&self, n_tiles: u16, body: &[u8]) -> Vec<u8> {
        let mut stream = vec![0xFF, 0x4F];
        let mut marker = |code: u8, parts: &[&[u8]]| {
            let payload = parts.concat();
            stream.extend([0xFF, code]);
            stream.extend((payload.len() as u16 + 2).to_be_bytes());
            stream.extend(payload);
        };
        let mut size = vec![if self.style & 0x40 != 0 { 0x40 } else { 0 }, 0];
        for number in [self.size, [0; 2], self.tile, [0; 2]].concat() {
            size.extend(number.to_be_bytes());
        }
        size.extend(self.n_components.to_be_bytes());
        marker(0x51, &[&size, &[7, 1, 1].repeat(usize::from(self.n_components))]);
        if self.style & 0x40 != 0 {
            marker(0x50, &[&[0, 2, 0, 0, 0, 0]]);
        }
        let [high, low] = self.n_layers.to_be_bytes();
        let coding =
            [1, self.progression, high, low, 0, self.n_levels, self.block[0], self.block[1], self.style, 1];
        marker(0x52, &[&coding, &[self.precinct * 0x11].repeat(usize::from(self.n_levels) + 1)]);
        marker(0x5C, &[&[0x40], &[0x50].repeat(3 * usize::from(self.n_levels) + 1)]);
        for tile in 0..n_tiles {
            let [high, low] = tile.to_be_bytes();
            stream.extend([0xFF, 0x90, 0, 10, high, low]);
            stream.extend((body.len() as u32 + 14).to_be_bytes());
            stream.extend([0, 1, 0xFF, 0x93]);
            stream.extend(body);
        }
        stream.extend([0xFF, 0xD9]);
        stream
    }
}

#[test]
fn headers_that_promise_too_much_are_refused_at_once() {
    use ErrorKind::{Corrupt, TooLarge, Truncated, Unsupported};
    let tiny = 1;
    let cases: &[(&str, Promise, u16, usize, ErrorKind)] = &[
        ("no bytes", GRAY, 1, 0, Truncated),
        ("a byte for six packets", GRAY, 1, 1, Truncated),
        ("65535 × 65535", Promise { size: [65_535; 2], tile: [65_535; 2], ..GRAY }, 1, 6, TooLarge),
        ("2³² − 1 squared", Promise { size: [u32::MAX; 2], tile: [u32::MAX; 2], ..GRAY }, 1, 6, TooLarge),
        ("65535 tiles", Promise { size: [255, 257], tile: [1; 2], n_levels: 0, ..GRAY }, 9, 1, Truncated),
        ("more tiles than there may be", Promise { tile: [15; 2], ..GRAY }, 1, 6, Corrupt),
        ("tiles without a side", Promise { tile: [0; 2], ..GRAY }, 1, 6, Corrupt),
        ("16 million precincts", Promise { precinct: tiny, n_levels: 5, ..GRAY }, 1, 60_000, Truncated),
        ("the same by position", Promise { precinct: tiny, progression: 3, ..GRAY }, 1, 60_000, Truncated),
        ("65535 layers", Promise { n_layers: 65_535, ..GRAY }, 1, 60_000, Truncated),
        (
            "components without packets",
            Promise { n_components: 256, size: [32; 2], ..GRAY },
            1,
            99,
            Truncated,
        ),
        ("more components", Promise { n_components: 16_384, size: [32; 2], ..GRAY }, 1, 99, Unsupported),
        (
            "a row of 2²⁴",
            Promise { size: [1 << 24, 1], tile: [1 << 24, 1], precinct: 3, ..GRAY },
            1,
            40,
            TooLarge,
        ),
    ];
    for (name, promise, n_tiles, n_bytes, kind) in cases {
        let stream = promise.stream(*n_tiles, &vec![0; *n_bytes]);
        let start = Instant::now();
        let error = jpeg2000::decode(&stream).map(|_| ()).expect_err(name);
        assert_eq!(error.kind(), *kind, "{name}: {error}");
        assert!(start.elapsed() < Duration::from_secs(2), "{name}: refused after {:?}", start.elapsed());
    }
}

#[test]
fn a_blank_film_passes_however_small_it_is_coded() {
    for style in [0, 0x40] {
        // One empty packet for each resolution level.
        let stream = Promise { style, ..GRAY }.stream(1, &[0; 6]);
        assert!(stream.len() < 130, "{} bytes", stream.len());
        let picture = jpeg2000::decode(&stream).expect("a blank film");
        match picture.samples {
            Samples::U8(samples) => assert!(samples.iter().all(|sample| *sample == 128), "mid-gray"),
            Samples::U16(_) => panic!("8 bits were coded"),
        }
    }
}
