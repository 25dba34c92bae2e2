//! Films that each show one rule, and what pydicom makes of them.

use crate::film::*;

/// The films, by name.
pub fn films() -> Vec<(&'static str, Film)> {
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
pub fn signed_descriptor(mut element: Vec<u8>) -> Vec<u8> {
    if element[4..6] == *b"US" {
        element[4..6].copy_from_slice(b"SS");
    }
    element
}

/// Name, frame from 0, stored values, modality values, display levels.
pub type Expected = (&'static str, usize, &'static [f64], &'static [f64], &'static [u8]);

/// Printed by pydicom, see above.
#[rustfmt::skip]
pub fn expected() -> Vec<Expected> {
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
