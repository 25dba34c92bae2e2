//! DICOM pixels of known values, in the three stages.
//!
//! Expected numbers are those of pydicom 3.0.2 with numpy for the same bytes, as `reference/dicom_truth.py` asks for them:
//! `stored` is `pixel_array` with `raw=True`; `modality` is `apply_modality_lut`, `apply_color_lut` or
//! `convert_color_space`; `display` is `apply_voi_lut` scaled to 0 to 255 from the ends of its output, then inverted.

use lightbox_intake::dicom::pixels::{
    Display, ModalityFrame, PixelAction, Pixels, VoiChoice, Window, WindowFunction, WindowRule,
};
use lightbox_intake::dicom::{Dataset, File};
use lightbox_intake::{ErrorKind, Result};

/// An element in explicit little endian.
fn element(tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&((tag >> 16) as u16).to_le_bytes());
    bytes.extend_from_slice(&(tag as u16).to_le_bytes());
    bytes.extend_from_slice(vr.as_bytes());
    let length = value.len() + value.len() % 2;
    if matches!(vr, "OB" | "OW" | "OF" | "OD" | "SQ" | "UN") {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
    } else {
        bytes.extend_from_slice(&(length as u16).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    if value.len() % 2 == 1 {
        bytes.push(if matches!(vr, "CS" | "DS" | "IS" | "LO") { b' ' } else { 0 });
    }
    bytes
}

fn us(tag: u32, values: &[u16]) -> Vec<u8> {
    element(tag, "US", &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

fn ss(tag: u32, values: &[i16]) -> Vec<u8> {
    element(tag, "SS", &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
}

fn text(tag: u32, vr: &str, value: &str) -> Vec<u8> {
    element(tag, vr, value.as_bytes())
}

fn ow(tag: u32, values: &[u16]) -> Vec<u8> {
    element(tag, "OW", &words(values))
}

/// A sequence of items.
fn sq(tag: u32, items: &[&[Vec<u8>]]) -> Vec<u8> {
    let mut value = Vec::new();
    for item in items {
        let body = item.concat();
        value.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
        value.extend_from_slice(&(body.len() as u32).to_le_bytes());
        value.extend(body);
    }
    element(tag, "SQ", &value)
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn signed(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What a film states; the rest of its header follows from it.
struct Film {
    photometric: &'static str,
    n_samples: u16,
    sides: [u16; 2],
    /// Bits Allocated, Bits Stored, Pixel Representation.
    bits: [u16; 3],
    more: Vec<Vec<u8>>,
    pixels: Vec<u8>,
}

impl Film {
    fn gray(bits: [u16; 3], width: u16, pixels: Vec<u8>, more: Vec<Vec<u8>>) -> Self {
        Self { photometric: "MONOCHROME2", n_samples: 1, sides: [width, 1], bits, more, pixels }
    }

    /// The film as a file in explicit little endian; elements in the order of their tags.
    fn bytes(&self) -> Vec<u8> {
        let meta = text(0x0002_0010, "UI", "1.2.840.10008.1.2.1\0");
        let mut elements = vec![
            text(0x0008_0060, "CS", "OT"),
            us(0x0028_0002, &[self.n_samples]),
            text(0x0028_0004, "CS", self.photometric),
            us(0x0028_0010, &[self.sides[1]]),
            us(0x0028_0011, &[self.sides[0]]),
            us(0x0028_0100, &[self.bits[0]]),
        ];
        let is_float = self.more.iter().any(|e| matches!(e[..4], [0xE0, 0x7F, 0x08 | 0x09, 0]));
        if !is_float {
            elements.push(us(0x0028_0101, &[self.bits[1]]));
            elements.push(us(0x0028_0102, &[self.bits[1] - 1]));
            elements.push(us(0x0028_0103, &[self.bits[2]]));
            elements.push(element(0x7FE0_0010, "OW", &self.pixels));
        }
        elements.extend(self.more.iter().cloned());
        // Of two elements of a tag, the case's own counts.
        elements.sort_by_key(|e| [e[1], e[0], e[3], e[2]]);
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        file.extend(element(0x0002_0000, "UL", &(meta.len() as u32).to_le_bytes()));
        file.extend(meta);
        let mut rest = elements.into_iter().peekable();
        while let Some(one) = rest.next() {
            if rest.peek().is_none_or(|next| next[..4] != one[..4]) {
                file.extend(one);
            }
        }
        file
    }
}

/// What came out of a frame: stored and modality values as doubles, display levels.
type Stages = (Vec<f64>, Vec<f64>, Vec<u8>);

fn stages(film: &Film, frame_idx: usize, choice: &VoiChoice, rule: WindowRule) -> Result<Stages> {
    let bytes = film.bytes();
    let file = File::read(&bytes)?;
    let dataset: Dataset<'_> = file.dataset()?;
    let pixels = Pixels::of(&dataset, file.syntax())?;
    let frame = pixels.frame(frame_idx)?;
    let modality = match frame.modality()? {
        ModalityFrame::Gray(gray) => gray.iter().collect(),
        ModalityFrame::Rgb(rgb) => rgb.values.iter().collect(),
    };
    let display = match frame.display(choice, rule)?.picture {
        Display::Gray8(levels) | Display::Rgb8(levels) => levels,
    };
    Ok((frame.values().iter().collect(), modality, display))
}

const CENTER: u32 = 0x0028_1050;
const WIDTH: u32 = 0x0028_1051;
const INTERCEPT: u32 = 0x0028_1052;
const SLOPE: u32 = 0x0028_1053;
const FUNCTION: u32 = 0x0028_1056;
const EXPLANATION: u32 = 0x0028_1055;
const MODALITY_LUT: u32 = 0x0028_3000;
const VOI_LUT: u32 = 0x0028_3010;
const DESCRIPTOR: u32 = 0x0028_3002;
const LUT_DATA: u32 = 0x0028_3006;

fn ds(tag: u32, value: &str) -> Vec<u8> {
    text(tag, "DS", value)
}

fn cs(tag: u32, value: &str) -> Vec<u8> {
    text(tag, "CS", value)
}

fn hounsfield() -> Vec<Vec<u8>> {
    vec![ds(SLOPE, "2"), ds(INTERCEPT, "-1000.5"), ds(CENTER, "40"), ds(WIDTH, "400")]
}

fn narrow() -> Vec<Vec<u8>> {
    vec![ds(SLOPE, "2"), ds(INTERCEPT, "-1000.5"), ds(CENTER, "10"), ds(WIDTH, "41")]
}

fn and(mut elements: Vec<Vec<u8>>, more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    elements.extend_from_slice(more);
    elements
}

/// The films, by name.
fn films() -> Vec<(&'static str, Film)> {
    let dirty = signed(&[0x0FFF, 0x07FF, -4096, 0x0200, 0x7800, 500]);
    let palette = |first: &[u8], bits: u16, data: &[Vec<u8>]| {
        let mut elements = data.to_vec();
        for tag in [0x0028_1101, 0x0028_1102, 0x0028_1103] {
            elements.push(element(tag, "US", &[&words(&[4]), first, &words(&[bits])].concat()));
        }
        elements
    };
    let table = |bits: u16, first: i16, data: &[u16]| {
        vec![ss(DESCRIPTOR, &[data.len() as i16, first, bits as i16]), ow(LUT_DATA, data)]
    };
    let window = |center: &str, width: &str| vec![ds(CENTER, center), ds(WIDTH, width)];
    let ramp = || words(&[0, 1, 2, 50, 100, 200, 4094, 4095]);
    let float = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let double = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let shared = sq(
        0x5200_9229,
        &[&[sq(0x0028_9145, &[&[ds(INTERCEPT, "-10"), ds(SLOPE, "0.5"), text(0x0028_1054, "LO", "US")]])]],
    );
    let per_frame = sq(
        0x5200_9230,
        &[
            &[sq(0x0028_9132, &[&window("10", "20")])],
            &[
                sq(0x0028_9132, &[&window("20", "40")]),
                sq(0x0028_9145, &[&[ds(INTERCEPT, "3"), ds(SLOPE, "1")]]),
            ],
        ],
    );
    let color = |photometric, n: u16, bits: [u16; 3], planar: u16, pixels: Vec<u8>| Film {
        photometric,
        n_samples: 3,
        sides: [n, 1],
        bits,
        more: vec![us(0x0028_0006, &[planar])],
        pixels,
    };
    let indexed = |bits: [u16; 3], pixels: Vec<u8>, more: Vec<Vec<u8>>| Film {
        photometric: "PALETTE COLOR",
        n_samples: 1,
        sides: [6, 1],
        bits,
        more,
        pixels,
    };
    let reds = [(0x0028_1201, 0), (0x0028_1202, 1), (0x0028_1203, 2)];
    let bytes8 =
        reds.map(|(tag, k)| element(tag, "OW", &[k, 10 + k, 100 + k, 255 - k].map(|v: u16| v as u8)));
    let words16 = reds.map(|(tag, k)| ow(tag, &[k, 1000 + k, 40000 + k, 65535 - k]));
    let segments = reds.map(|(tag, k)| ow(tag + 0x20, &[0, 1, k * 7, 1, 3, 60000 - k]));
    vec![
        ("signed 12 bit, linear", Film::gray([16, 12, 1], 6, dirty.clone(), hounsfield())),
        ("unsigned 12 bit", Film::gray([16, 12, 0], 6, dirty.clone(), window("1024", "2000.5"))),
        (
            "linear exact",
            Film::gray([16, 12, 1], 6, dirty.clone(), and(narrow(), &[cs(FUNCTION, "LINEAR_EXACT")])),
        ),
        ("sigmoid", Film::gray([16, 12, 1], 6, dirty.clone(), and(narrow(), &[cs(FUNCTION, "sigmoid")]))),
        ("width 1", Film::gray([16, 16, 0], 8, ramp(), window("100", "1"))),
        (
            "negative slope",
            Film::gray(
                [16, 12, 0],
                8,
                ramp(),
                and(window("-100", "201"), &[ds(SLOPE, "-1"), ds(INTERCEPT, "7")]),
            ),
        ),
        ("no window", Film::gray([16, 16, 0], 8, ramp(), vec![])),
        ("flat", Film::gray([8, 8, 0], 4, vec![7; 4], vec![])),
        ("slope alone", Film::gray([8, 8, 0], 4, vec![0, 10, 20, 30], vec![ds(SLOPE, "3")])),
        (
            "padding",
            Film::gray(
                [16, 16, 1],
                6,
                signed(&[-2000, -2000, -1000, 0, 500, 1000]),
                vec![ss(0x0028_0120, &[-2000])],
            ),
        ),
        (
            "padding of another sign, a range",
            Film::gray(
                [16, 16, 1],
                6,
                signed(&[-2000, -1990, -1980, 0, 500, 1000]),
                vec![us(0x0028_0120, &[63536]), us(0x0028_0121, &[63550])],
            ),
        ),
        (
            "modality table",
            Film::gray(
                [16, 16, 1],
                6,
                signed(&[-5, -2, -1, 0, 1, 300]),
                vec![
                    sq(MODALITY_LUT, &[&table(16, -2, &[10, 20, 40, 65535])]),
                    ds(CENTER, "30"),
                    ds(WIDTH, "41"),
                ],
            ),
        ),
        (
            "voi table after a rescale",
            Film::gray(
                [16, 16, 0],
                8,
                ramp(),
                and(
                    window("3", "4"),
                    &[
                        ds(SLOPE, "0.75"),
                        ds(INTERCEPT, "0.5"),
                        sq(VOI_LUT, &[&table(12, 0, &[0, 100, 1000, 4095])]),
                    ],
                ),
            ),
        ),
        (
            "monochrome1",
            Film { photometric: "MONOCHROME1", ..Film::gray([8, 8, 0], 4, vec![0, 10, 20, 30], vec![]) },
        ),
        (
            "monochrome1 inverse",
            Film {
                photometric: "MONOCHROME1",
                ..Film::gray([8, 8, 0], 4, vec![0, 10, 20, 30], vec![cs(0x2050_0020, "INVERSE")])
            },
        ),
        (
            "monochrome2 inverse",
            Film::gray([8, 8, 0], 4, vec![0, 10, 20, 30], vec![cs(0x2050_0020, "INVERSE")]),
        ),
        (
            "32 bit",
            Film::gray(
                [32, 32, 0],
                3,
                [0_u32, 1 << 31, u32::MAX].iter().flat_map(|v| v.to_le_bytes()).collect(),
                vec![],
            ),
        ),
        (
            "32 bit, 20 stored, signed",
            Film::gray(
                [32, 20, 1],
                3,
                [0xFFFFF_u32, 0x7FFFF, 5].iter().flat_map(|v| v.to_le_bytes()).collect(),
                window("0", "1000"),
            ),
        ),
        (
            "64 bit",
            Film::gray(
                [64, 64, 1],
                3,
                [-3_i64, 0, 1 << 40].iter().flat_map(|v| v.to_le_bytes()).collect(),
                vec![],
            ),
        ),
        ("single bits", Film::gray([1, 1, 0], 11, vec![0b1010_0110, 0b0000_0101], vec![])),
        (
            "float",
            Film::gray(
                [32, 0, 0],
                4,
                vec![],
                vec![
                    element(0x7FE0_0008, "OF", &float(&[-1.5, 0.0, 0.25, 3.0])),
                    ds(CENTER, "0.5"),
                    ds(WIDTH, "1"),
                    cs(FUNCTION, "LINEAR_EXACT"),
                ],
            ),
        ),
        (
            "double",
            Film::gray(
                [64, 0, 0],
                4,
                vec![],
                vec![
                    element(0x7FE0_0009, "OD", &double(&[-1.5, 0.0, f64::NAN, 3.0])),
                    ds(SLOPE, "2"),
                    ds(INTERCEPT, "1"),
                ],
            ),
        ),
        ("rgb", color("RGB", 2, [8, 8, 0], 0, vec![1, 2, 3, 4, 5, 6])),
        ("rgb in planes", color("RGB", 2, [8, 8, 0], 1, vec![1, 2, 3, 4, 5, 6])),
        ("rgb 12 bit", color("RGB", 2, [16, 12, 0], 0, words(&[0, 8, 9, 2048, 4094, 4095]))),
        ("ybr full", color("YBR_FULL", 3, [8, 8, 0], 0, vec![76, 85, 255, 150, 44, 21, 29, 255, 107])),
        ("ybr full 422", color("YBR_FULL_422", 4, [8, 8, 0], 0, vec![76, 150, 85, 255, 10, 200, 128, 90])),
        ("palette of bytes", indexed([8, 8, 0], vec![0, 1, 2, 3, 4, 255], palette(&words(&[1]), 8, &bytes8))),
        (
            "palette of words",
            indexed(
                [16, 16, 1],
                signed(&[-9, -2, -1, 0, 1, 300]),
                palette(&signed(&[-2]), 16, &words16).into_iter().map(signed_descriptor).collect(),
            ),
        ),
        (
            "palette of segments",
            indexed([16, 16, 0], words(&[0, 1, 2, 3, 4, 5]), palette(&words(&[0]), 16, &segments)),
        ),
        (
            "frames with groups",
            Film::gray(
                [16, 16, 0],
                4,
                words(&[0, 10, 20, 60, 0, 10, 20, 60]),
                vec![text(0x0028_0008, "IS", "2"), shared, per_frame],
            ),
        ),
    ]
}

/// The same descriptor with type SS.
fn signed_descriptor(mut element: Vec<u8>) -> Vec<u8> {
    if element[4..6] == *b"US" {
        element[4..6].copy_from_slice(b"SS");
    }
    element
}

/// Name, frame from 0, stored values, modality values, display levels.
type Expected = (&'static str, usize, &'static [f64], &'static [f64], &'static [u8]);

/// Printed by pydicom, see above.
#[rustfmt::skip]
fn expected() -> Vec<Expected> {
    vec![
        ("signed 12 bit, linear", 0, &[-1.0, 2047.0, 0.0, 512.0, -2048.0, 500.0], &[-1002.5, 3093.5, -1000.5, 23.5, -5096.5, -0.5], &[0, 255, 0, 117, 0, 102]),
        ("unsigned 12 bit", 0, &[4095.0, 2047.0, 0.0, 512.0, 2048.0, 500.0], &[4095.0, 2047.0, 0.0, 512.0, 2048.0, 500.0], &[255, 255, 0, 62, 255, 61]),
        ("linear exact", 0, &[-1.0, 2047.0, 0.0, 512.0, -2048.0, 500.0], &[-1002.5, 3093.5, -1000.5, 23.5, -5096.5, -0.5], &[0, 255, 0, 211, 0, 62]),
        ("sigmoid", 0, &[-1.0, 2047.0, 0.0, 512.0, -2048.0, 500.0], &[-1002.5, 3093.5, -1000.5, 23.5, -5096.5, -0.5], &[0, 255, 0, 201, 0, 67]),
        ("width 1", 0, &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[0, 0, 0, 0, 255, 255, 255, 255]),
        ("negative slope", 0, &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[7.0, 6.0, 5.0, -43.0, -93.0, -193.0, -4087.0, -4088.0], &[255, 255, 255, 201, 137, 10, 0, 0]),
        ("no window", 0, &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[0, 0, 0, 3, 6, 12, 255, 255]),
        ("flat", 0, &[7.0, 7.0, 7.0, 7.0], &[7.0, 7.0, 7.0, 7.0], &[0, 0, 0, 0]),
        ("slope alone", 0, &[0.0, 10.0, 20.0, 30.0], &[0.0, 10.0, 20.0, 30.0], &[0, 85, 170, 255]),
        ("padding", 0, &[-2000.0, -2000.0, -1000.0, 0.0, 500.0, 1000.0], &[-2000.0, -2000.0, -1000.0, 0.0, 500.0, 1000.0], &[0, 0, 0, 128, 191, 255]),
        ("padding of another sign, a range", 0, &[-2000.0, -1990.0, -1980.0, 0.0, 500.0, 1000.0], &[-2000.0, -1990.0, -1980.0, 0.0, 500.0, 1000.0], &[0, 0, 0, 169, 212, 255]),
        ("modality table", 0, &[-5.0, -2.0, -1.0, 0.0, 1.0, 300.0], &[10.0, 10.0, 20.0, 40.0, 65535.0, 65535.0], &[3, 3, 67, 194, 255, 255]),
        ("voi table after a rescale", 0, &[0.0, 1.0, 2.0, 50.0, 100.0, 200.0, 4094.0, 4095.0], &[0.5, 1.25, 2.0, 38.0, 75.5, 150.5, 3071.0, 3071.75], &[0, 6, 62, 255, 255, 255, 255, 255]),
        ("monochrome1", 0, &[0.0, 10.0, 20.0, 30.0], &[0.0, 10.0, 20.0, 30.0], &[255, 170, 85, 0]),
        ("monochrome1 inverse", 0, &[0.0, 10.0, 20.0, 30.0], &[0.0, 10.0, 20.0, 30.0], &[255, 170, 85, 0]),
        ("monochrome2 inverse", 0, &[0.0, 10.0, 20.0, 30.0], &[0.0, 10.0, 20.0, 30.0], &[255, 170, 85, 0]),
        ("32 bit", 0, &[0.0, 2147483648.0, 4294967295.0], &[0.0, 2147483648.0, 4294967295.0], &[0, 128, 255]),
        ("32 bit, 20 stored, signed", 0, &[-1.0, 524287.0, 5.0], &[-1.0, 524287.0, 5.0], &[127, 255, 129]),
        ("64 bit", 0, &[-3.0, 0.0, 1099511627776.0], &[-3.0, 0.0, 1099511627776.0], &[0, 0, 255]),
        ("single bits", 0, &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0], &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0], &[0, 255, 255, 0, 0, 255, 0, 255, 255, 0, 255]),
        ("float", 0, &[-1.5, 0.0, 0.25, 3.0], &[-1.5, 0.0, 0.25, 3.0], &[0, 0, 64, 255]),
        ("double", 0, &[-1.5, 0.0, f64::NAN, 3.0], &[-2.0, 1.0, f64::NAN, 7.0], &[0, 85, 0, 255]),
        ("rgb", 0, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 2, 3, 4, 5, 6]),
        ("rgb in planes", 0, &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0], &[1.0, 3.0, 5.0, 2.0, 4.0, 6.0], &[1, 3, 5, 2, 4, 6]),
        ("rgb 12 bit", 0, &[0.0, 8.0, 9.0, 2048.0, 4094.0, 4095.0], &[0.0, 8.0, 9.0, 2048.0, 4094.0, 4095.0], &[0, 0, 1, 128, 255, 255]),
        ("ybr full", 0, &[76.0, 85.0, 255.0, 150.0, 44.0, 21.0, 29.0, 255.0, 107.0], &[254.0, 0.0, 0.0, 0.0, 255.0, 1.0, 0.0, 0.0, 254.0], &[254, 0, 0, 0, 255, 1, 0, 0, 254]),
        ("ybr full 422", 0, &[76.0, 85.0, 255.0, 150.0, 85.0, 255.0, 10.0, 128.0, 90.0, 200.0, 128.0, 90.0], &[254.0, 0.0, 0.0, 255.0, 74.0, 74.0, 0.0, 37.0, 10.0, 147.0, 227.0, 200.0], &[254, 0, 0, 255, 74, 74, 0, 37, 10, 147, 227, 200]),
        ("palette of bytes", 0, &[0.0, 1.0, 2.0, 3.0, 4.0, 255.0], &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 100.0, 101.0, 102.0, 255.0, 254.0, 253.0, 255.0, 254.0, 253.0], &[0, 1, 2, 0, 1, 2, 10, 11, 12, 100, 101, 102, 255, 254, 253, 255, 254, 253]),
        ("palette of words", 0, &[-9.0, -2.0, -1.0, 0.0, 1.0, 300.0], &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1000.0, 1001.0, 1002.0, 40000.0, 40001.0, 40002.0, 65535.0, 65534.0, 65533.0, 65535.0, 65534.0, 65533.0], &[0, 0, 0, 0, 0, 0, 4, 4, 4, 156, 156, 156, 255, 255, 255, 255, 255, 255]),
        ("palette of segments", 0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[0.0, 7.0, 14.0, 20000.0, 20004.0, 20009.0, 40000.0, 40002.0, 40003.0, 60000.0, 59999.0, 59998.0, 60000.0, 59999.0, 59998.0, 60000.0, 59999.0, 59998.0], &[0, 0, 0, 78, 78, 78, 156, 156, 156, 233, 233, 233, 233, 233, 233, 233, 233, 233]),
        ("frames with groups", 0, &[0.0, 10.0, 20.0, 60.0], &[-10.0, -5.0, 0.0, 20.0], &[0, 0, 0, 255]),
        ("frames with groups", 1, &[0.0, 10.0, 20.0, 60.0], &[3.0, 13.0, 23.0, 63.0], &[20, 85, 150, 255]),
    ]
}

/// Equal, with what is no number equal to itself.
fn are_same(got: &[f64], expected: &[f64]) -> bool {
    got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

#[test]
fn values_are_those_of_pydicom_in_all_stages() {
    let films = films();
    for (name, frame_idx, stored, modality, display) in expected() {
        let (_, film) = films.iter().find(|(of, _)| *of == name).expect("a film of each name");
        let got = stages(film, frame_idx, &VoiChoice::Default, WindowRule::Standard).expect(name);
        assert!(are_same(&got.0, stored), "{name}, stored: {:?}", got.0);
        assert!(are_same(&got.1, modality), "{name}, modality: {:?}", got.1);
        assert_eq!(got.2, display, "{name}, display");
    }
    assert_eq!(expected().len(), films.len() + 1, "one film has two frames");
}

/// Made with numpy 2.4 from the definition of `window_accurate` (Google-Health/medgemma, January 2026):
/// `np.round(np.interp(x.clip(c - w // 2, c + w // 2), (c - w // 2, c + w // 2), (0, 255)), 0).astype(np.uint8)`.
#[test]
fn the_serving_rule_is_that_of_the_models_code() {
    for (center, width, levels) in [
        ("100", "200", [0, 1, 3, 64, 127, 255, 255, 255]),
        ("1024.5", "2049", [0, 0, 0, 6, 12, 25, 255, 255]),
        ("50", "3", [0, 0, 0, 128, 255, 255, 255, 255]),
        ("2000", "4096", [3, 3, 3, 6, 9, 15, 255, 255]),
        ("100", "2", [0, 0, 0, 0, 128, 255, 255, 255]),
    ] {
        let pixels = words(&[0, 1, 2, 50, 100, 200, 4094, 4095]);
        let film = Film::gray([16, 16, 0], 8, pixels, vec![ds(CENTER, center), ds(WIDTH, width)]);
        let got = stages(&film, 0, &VoiChoice::Default, WindowRule::Serving).expect("levels");
        assert_eq!(got.2, levels, "{center} {width}");
    }
    let film = Film::gray([8, 8, 0], 2, vec![1, 2], vec![ds(CENTER, "1"), ds(WIDTH, "1")]);
    let refused =
        stages(&film, 0, &VoiChoice::Default, WindowRule::Serving).expect_err("a window of one value");
    assert!(refused.to_string().contains("(0028,1051) WindowWidth"), "{refused}");
}

/// A film with a table and two windows.
fn film_of_views() -> Film {
    let table = [ss(DESCRIPTOR, &[2, 0, 8]), text(0x0028_3003, "LO", "Contrast"), ow(LUT_DATA, &[9, 200])];
    let more = vec![
        sq(VOI_LUT, &[&table]),
        ds(CENTER, "10\\20"),
        ds(WIDTH, "5\\10"),
        text(EXPLANATION, "LO", "Bone\\Soft tissue"),
    ];
    Film::gray([8, 8, 0], 4, vec![0, 10, 20, 30], more)
}

#[test]
fn a_view_is_chosen_by_number_by_name_or_freely() {
    let free = |center, width, function| VoiChoice::Free(Window { center, width, function });
    for (choice, levels) in [
        (VoiChoice::Default, Some([9, 200, 200, 200])),
        (VoiChoice::Number(1), Some([9, 200, 200, 200])),
        // np.rint(apply_windowing(x, ds, index=0)), then index=1
        (VoiChoice::Number(2), Some([0, 159, 255, 255])),
        (VoiChoice::Number(3), Some([0, 0, 142, 255])),
        (VoiChoice::Number(0), None),
        (VoiChoice::Number(4), None),
        (VoiChoice::Name("bone".into()), Some([0, 159, 255, 255])),
        (VoiChoice::Name("SOFT".into()), Some([0, 0, 142, 255])),
        (VoiChoice::Name("contrast".into()), Some([9, 200, 200, 200])),
        (VoiChoice::Name("lung".into()), None),
        (VoiChoice::Name(String::new()), None),
        (VoiChoice::None, Some([0, 85, 170, 255])),
        (free(10.0, 20.0, WindowFunction::LinearExact), Some([0, 128, 255, 255])),
        (free(10.0, 0.5, WindowFunction::Linear), None),
    ] {
        let got = stages(&film_of_views(), 0, &choice, WindowRule::Standard);
        match (got, levels) {
            (Ok(got), Some(levels)) => assert_eq!(got.2, levels, "{choice:?}"),
            (Err(refused), None) => assert!(refused.to_string().contains("Window"), "{choice:?} {refused}"),
            (got, _) => panic!("{choice:?}: {got:?}"),
        }
    }
    let refused =
        stages(&film_of_views(), 0, &VoiChoice::Number(7), WindowRule::Standard).expect_err("no view 7");
    let listed = "1 (table), 2 (center 10, width 5, LINEAR), 3 (center 20, width 10, LINEAR)";
    assert!(refused.to_string().contains(listed), "{refused}");
    assert!(!refused.to_string().contains("Bone"), "free text of the file stays in the file: {refused}");
}

#[test]
fn choices_are_read_from_text() {
    let free = |center, width, function| Some(VoiChoice::Free(Window { center, width, function }));
    for (text, expected) in [
        ("default", Some(VoiChoice::Default)),
        ("None", Some(VoiChoice::None)),
        ("2", Some(VoiChoice::Number(2))),
        ("-600, 1500", free(-600.0, 1500.0, WindowFunction::Linear)),
        ("0.2,0.5,exact", free(0.2, 0.5, WindowFunction::LinearExact)),
        ("40,400,sigmoid", free(40.0, 400.0, WindowFunction::Sigmoid)),
        ("soft tissue", Some(VoiChoice::Name("soft tissue".into()))),
        ("nan,1", Some(VoiChoice::Name("nan,1".into()))),
        ("  ", None),
    ] {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }
}

#[test]
fn headers_that_contradict_themselves_are_refused_by_tag() {
    let gray = |more| Film::gray([16, 16, 0], 2, words(&[1, 2]), more);
    let three = |photometric| Film {
        photometric,
        n_samples: 3,
        sides: [2, 1],
        bits: [8, 8, 0],
        more: vec![us(0x0028_0006, &[0])],
        pixels: vec![0; 6],
    };
    use ErrorKind::{Corrupt, Truncated, Unsupported};
    for (film, kind, named) in [
        (gray(vec![us(0x0028_0101, &[17])]), Corrupt, "(0028,0101) BitsStored: expected 1 to 16"),
        (gray(vec![us(0x0028_0101, &[12])]), Corrupt, "(0028,0102) HighBit: expected 11"),
        (gray(vec![us(0x0028_0100, &[24])]), Unsupported, "(0028,0100) BitsAllocated"),
        (gray(vec![us(0x0028_0103, &[2])]), Corrupt, "(0028,0103) PixelRepresentation"),
        (gray(vec![us(0x0028_0010, &[0])]), Corrupt, "(0028,0010) Rows"),
        (gray(vec![us(0x0028_0011, &[3])]), Truncated, "expected 6 bytes"),
        (
            gray(vec![us(0x0028_0002, &[4])]),
            Unsupported,
            "(0028,0002) SamplesPerPixel: expected 1 or 3, found 4",
        ),
        (gray(vec![us(0x0028_0002, &[3])]), Corrupt, "(0028,0002) SamplesPerPixel: expected 1 for"),
        (gray(vec![text(0x0028_0008, "IS", "-1")]), Corrupt, "(0028,0008) NumberOfFrames"),
        (gray(vec![text(0x0028_0008, "IS", "2")]), Truncated, "expected 8 bytes for 2 frames"),
        (gray(vec![cs(0x0028_0004, "YBR_PARTIAL_420")]), Unsupported, "found YBR_PARTIAL_420"),
        (gray(vec![cs(0x0028_0004, "Doe^John")]), Unsupported, "no code string"),
        (gray(vec![element(0x7FE0_0008, "OF", &[0; 8])]), Corrupt, "(0028,0100) BitsAllocated: expected 32"),
        (gray(vec![sq(0x2050_0010, &[&[ss(DESCRIPTOR, &[2, 0, 8])]])]), Unsupported, "(2050,0010)"),
        (gray(vec![cs(0x2050_0020, "LIN OD")]), Unsupported, "(2050,0020) PresentationLUTShape"),
        (
            gray(vec![ds(CENTER, "1"), ds(WIDTH, "0.5")]),
            Corrupt,
            "(0028,1051) WindowWidth: expected at least 1",
        ),
        (
            gray(vec![ds(CENTER, "1\\2"), ds(WIDTH, "5")]),
            Corrupt,
            "(0028,1051) WindowWidth: expected as many",
        ),
        (gray(vec![ds(CENTER, "1"), ds(WIDTH, "5"), cs(FUNCTION, "CUBIC")]), Unsupported, "(0028,1056)"),
        (
            gray(vec![ds(SLOPE, "1\\2"), ds(INTERCEPT, "0")]),
            Corrupt,
            "(0028,1053) RescaleSlope: expected one",
        ),
        (
            gray(vec![sq(MODALITY_LUT, &[&[ss(DESCRIPTOR, &[3, 0, 16]), ow(LUT_DATA, &[1, 2])]])]),
            Corrupt,
            "expected 3 entries",
        ),
        (
            gray(vec![sq(VOI_LUT, &[&[ss(DESCRIPTOR, &[2, 0, 8]), ow(LUT_DATA, &[1, 256])]])]),
            Corrupt,
            "found one of 256",
        ),
        (three("YBR_RCT"), Corrupt, "(0028,0004) PhotometricInterpretation"),
        (three("YBR_FULL_422"), Corrupt, "expected RGB or YBR_FULL"),
        (three("CMYK"), Unsupported, "found CMYK"),
        (Film { photometric: "PALETTE COLOR", ..gray(vec![]) }, Corrupt, "(0028,1101)"),
    ] {
        let refused = stages(&film, 0, &VoiChoice::Default, WindowRule::Standard).expect_err(named);
        assert_eq!(refused.kind(), kind, "{refused}");
        assert!(refused.to_string().contains(named), "expected {named}, found {refused}");
        assert!(!refused.to_string().contains("John"), "{refused}");
    }
}

#[test]
fn more_frames_than_declared_are_there_and_fewer_bytes_are_not_made_up() {
    let film = Film::gray([16, 16, 0], 2, words(&[1, 2, 3, 4, 5]), vec![]);
    let bytes = film.bytes();
    let file = File::read(&bytes).expect("a file");
    let dataset = file.dataset().expect("a data set");
    let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
    assert_eq!(pixels.n_frames(), 2);
    assert_eq!(pixels.frame(1).expect("the second").values().iter().collect::<Vec<_>>(), [3.0, 4.0]);
    assert!(pixels.frame(2).is_err());
}

#[test]
fn steps_name_the_elements_and_what_is_left_undone() {
    let mut film = Film::gray([16, 12, 1], 2, signed(&[1, 2]), hounsfield());
    film.photometric = "MONOCHROME1";
    film.more.extend([
        cs(0x0028_0301, "YES"),
        us(0x6000_0010, &[1]),
        us(0x6000_0011, &[2]),
        ss(0x6000_0050, &[1, 1]),
        element(0x6000_3000, "OW", &[3, 0]),
    ]);
    let bytes = film.bytes();
    let file = File::read(&bytes).expect("a file");
    let dataset = file.dataset().expect("a data set");
    let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
    let facts = pixels.facts();
    assert_eq!(facts.burned_in_annotation.as_deref(), Some("YES"));
    assert_eq!(
        (facts.overlays.len(), facts.overlays[0].group, facts.overlays[0].origin),
        (1, 0x6000, Some([1, 1]))
    );

    let frame = pixels.frame(0).expect("a frame");
    let shown = frame.display(&VoiChoice::Default, WindowRule::Standard).expect("a picture");
    let actions: Vec<PixelAction> = shown.steps.iter().map(|step| step.action).collect();
    use PixelAction::{Invert, KeepStoredBits, LeaveUndone, Rescale, Window as Windowed};
    assert_eq!(actions, [KeepStoredBits, Rescale, Windowed, Invert, LeaveUndone, LeaveUndone]);
    let used = |idx: usize| -> Vec<(&str, &str)> {
        shown.steps[idx].elements.iter().map(|e| (e.keyword.as_str(), e.value.as_str())).collect()
    };
    assert_eq!(used(1), [("RescaleSlope", "2"), ("RescaleIntercept", "-1000.5")]);
    assert_eq!(used(2), [("WindowCenter", "40"), ("WindowWidth", "400"), ("VOILUTFunction", "LINEAR")]);
    assert_eq!(used(3), [("PhotometricInterpretation", "MONOCHROME1")]);
}

#[test]
fn gray_values_are_mapped_and_their_range_is_found() {
    let bytes =
        Film::gray([16, 16, 1], 6, signed(&[-2000, -1000, 0, 1, 500, 1000]), vec![ss(0x0028_0120, &[-2000])])
            .bytes();
    let file = File::read(&bytes).expect("a file");
    let dataset = file.dataset().expect("a data set");
    let pixels = Pixels::of(&dataset, file.syntax()).expect("pixels");
    let frame = pixels.frame(0).expect("a frame");
    let ModalityFrame::Gray(gray) = frame.modality().expect("gray") else { panic!("expected gray") };
    assert_eq!(gray.range(), Some((-1000.0, 1000.0)));
    assert_eq!(gray.map(|v| v * 2.0).expect("values"), [-4000.0, -2000.0, 0.0, 2.0, 1000.0, 2000.0]);
}
