//! PALETTE COLOR: tables of 8 and 16 bits, segmented ones, indices that lie beside them (PS3.3 C.7.6.3.1.5, C.7.9).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::super::codes::{JpegLs, Raster, jpeg_ls};
use super::super::file::numbers;
use super::super::lut::Table;
use super::super::truth::Tolerances;
use super::super::{Case, DicomFile, Display, FrameTruth, Known, Layout, Truth};
use super::shot::Shot;

/// Descriptor, data and segmented data of each colour.
const TAGS: [[Tag; 3]; 3] = [
    [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
];

pub(super) fn cases() -> Vec<Case> {
    let bytes = Layout { photometric: "PALETTE COLOR", ..Layout::gray(7, 5, 8) };
    let words = Layout { photometric: "PALETTE COLOR", ..Layout::gray(7, 5, 16).stored_in(10) };
    let signed = Layout { is_signed: true, ..bytes };
    vec![
        case("palette/16 bits, 8-bit indices", bytes, Packing::Words, &colors(0, 16, 256)),
        case("palette/8 bits, 8-bit indices", bytes, Packing::Bytes, &colors(0, 8, 256)),
        case("palette/8 bits in words", bytes, Packing::Words, &colors(0, 8, 256)),
        case("palette/16 bits, 16-bit indices", words, Packing::Words, &colors(0, 16, 1024)),
        case("palette/8 bits, 16-bit indices", words, Packing::Bytes, &colors(0, 8, 1024)),
        case("palette/first index 40, shorter than the range", bytes, Packing::Words, &colors(40, 16, 100)),
        case("palette/first index negative", signed, Packing::Words, &colors(-128, 16, 256)),
        case(
            "palette/two frames",
            Layout { n_frames: Some(2), ..bytes },
            Packing::Words,
            &colors(0, 16, 256),
        ),
        jpeg_ls_case(bytes),
        segmented("palette/segmented 16 bits", bytes, 16),
        segmented("palette/segmented 8 bits", bytes, 8),
    ]
}

/// How entries lie in the table's data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// A word each.
    Words,
    /// Two in a word.
    Bytes,
}

/// Three tables that differ from each other.
fn colors(first: i32, bits: u16, n: usize) -> [Table; 3] {
    let most = (1_usize << bits) - 1;
    let table = |color: fn(usize, usize) -> usize| Table {
        first,
        bits,
        entries: (0..n).map(|i| (color(i, n) * most / n) as u16).collect(),
        explanation: "",
    };
    [table(|i, _| i), table(|i, n| n - 1 - i), table(|i, n| (i * 5) % n)]
}

fn with_tables(file: DicomFile, packing: Packing, tables: &[Table; 3]) -> DicomFile {
    TAGS.iter().zip(tables).fold(file, |file, ([descriptor, data, _], table)| {
        let vr = if table.first < 0 { VR::SS } else { VR::US };
        let file = file.put(numbers(*descriptor, vr, &table.descriptor()));
        match packing {
            Packing::Words => file.put(numbers(*data, VR::OW, &table.entries)),
            Packing::Bytes => {
                file.bytes(*data, VR::OW, table.entries.iter().map(|entry| *entry as u8).collect())
            }
        }
    })
}

/// What the tables make of a picture of indices.
fn truth(shot: &Shot, tables: &[Table; 3]) -> Truth {
    let stored: Vec<f64> = shot.values.iter().map(|value| *value as f64).collect();
    let frames = stored.chunks(shot.layout.n_values()).map(|frame| {
        let color = |index: &f64| tables.each_ref().map(|table| f64::from(table.at(*index)));
        let modality: Vec<f64> = frame.iter().flat_map(color).collect();
        let most = tables[0].most();
        let levels = modality.iter().map(|entry| entry / most * 255.0).collect();
        FrameTruth {
            stored: frame.to_vec(),
            modality,
            displays: vec![Display { choice: 0, explanation: None, levels }],
        }
    });
    Truth::Known(Known {
        columns: shot.layout.columns.into(),
        rows: shot.layout.rows.into(),
        frames: frames.collect(),
        tolerances: Tolerances::of_stored(0.0),
        says: Vec::new(),
    })
}

fn case(name: &str, layout: Layout, packing: Packing, tables: &[Table; 3]) -> Case {
    let shot = Shot::new(layout);
    let file = with_tables(shot.file(name), packing, tables).native(layout, &shot.values);
    Case { name: name.to_owned(), bytes: file.written(), truth: truth(&shot, tables) }
}

fn jpeg_ls_case(layout: Layout) -> Case {
    let name = "palette/JPEG-LS";
    let (shot, tables) = (Shot::new(layout), colors(0, 16, 256));
    let picture = Raster { width: 7, height: 5, n_components: 1, bits: 8, samples: &shot.coded(0) };
    let frame = jpeg_ls(picture, JpegLs::default()).0;
    let file = with_tables(shot.file(name), Packing::Words, &tables);
    let file = file.in_syntax(uids::JPEGLS_LOSSLESS).frames(layout, &[frame]);
    Case { name: name.to_owned(), bytes: file.written(), truth: truth(&shot, &tables) }
}

/// Tables in segments: discrete, then linear; with 8 bits also a copy of both (PS3.3 C.7.9.2).
fn segmented(name: &str, layout: Layout, bits: u16) -> Case {
    let shot = Shot::new(layout);
    let most = ((1_u32 << bits) - 1) as u16;
    let (mut tables, mut segments) = (Vec::new(), Vec::new());
    for color in 0..3_u16 {
        let start = [color, most / 2, most / 5 * (color + 1)];
        let end = most / 4 * (color + 1);
        // Discrete: three entries as they are. Linear: 125 entries up to the last, each the nearest whole number.
        let step = (f64::from(end) - f64::from(start[2])) / 125.0;
        let line = (1..=125).map(|i| (f64::from(start[2]) + step * f64::from(i)).round() as u16);
        let mut entries: Vec<u16> = start.into_iter().chain(line).collect();
        let mut segment = vec![0, 3, start[0], start[1], start[2], 1, 125, end];
        if bits == 8 {
            // Indirect: the two segments from byte 0 once more.
            segment.extend([2, 2, 0, 0, 0, 0]);
            entries.extend_from_within(..);
        } else {
            segment.extend([1, 128, 7]);
            let step = (7.0 - f64::from(end)) / 128.0;
            entries.extend((1..=128).map(|i| (f64::from(end) + step * f64::from(i)).round() as u16));
        }
        tables.push(Table { first: 0, bits, entries, explanation: "" });
        segments.push(segment);
    }
    let tables: [Table; 3] = tables.try_into().expect("three colours make three tables");
    let file = TAGS.iter().zip(&tables).zip(segments).fold(
        shot.file(name),
        |file, (([descriptor, _, data], table), segment)| {
            let file = file.numbers(*descriptor, &table.descriptor());
            if bits == 8 {
                file.bytes(*data, VR::OW, segment.iter().map(|part| *part as u8).collect())
            } else {
                file.put(numbers(*data, VR::OW, &segment))
            }
        },
    );
    let file = file.native(layout, &shot.values);
    Case { name: name.to_owned(), bytes: file.written(), truth: truth(&shot, &tables) }
}
