//! JPEG lossless, Huffman coded (ITU-T T.81 Annex H; SOF3).

use super::Raster;
use super::bits::{BitWriter, Stuffing};
use super::jpeg::{DHT, DRI, EOI, FlatTable, Marks, SOI, SOS, category, marker, put_magnitude, segment};

/// How to code without loss.
#[derive(Clone, Copy, Debug)]
pub struct Lossless {
    /// The predictor of T.81 table H.1, 1 to 7.
    pub predictor: u8,
    /// Bits that are shifted away before coding (Pt); what comes back has zeros there.
    pub point_transform: u8,
    /// Rows between restart markers, or 0 for none.
    pub restart_rows: usize,
    /// What the head says of colours.
    pub marks: Marks,
}

impl Default for Lossless {
    fn default() -> Self {
        Self { predictor: 1, point_transform: 0, restart_rows: 0, marks: Marks::None }
    }
}

/// A JPEG lossless stream; all components in one scan, none subsampled.
#[must_use]
pub fn jpeg_lossless(picture: Raster<'_>, how: Lossless) -> Vec<u8> {
    let n = picture.n_components as u8;
    // Categories 0 to 16; a difference of 32768 has category 16 and no bits behind it.
    let table = FlatTable::new(0..=16);
    let mut stream = Vec::new();
    marker(&mut stream, SOI);
    how.marks.write(&mut stream);
    let mut frame = vec![picture.bits];
    frame.extend((picture.height as u16).to_be_bytes());
    frame.extend((picture.width as u16).to_be_bytes());
    frame.push(n);
    frame.extend((1..=n).flat_map(|id| [id, 0x11, 0]));
    segment(&mut stream, 0xc3, &frame);
    segment(&mut stream, DHT, &table.segment(0x00));
    if how.restart_rows > 0 {
        let interval = (how.restart_rows * picture.width) as u16;
        segment(&mut stream, DRI, &interval.to_be_bytes());
    }
    let mut scan = vec![n];
    scan.extend((1..=n).flat_map(|id| [id, 0]));
    scan.extend([how.predictor, 0, how.point_transform]);
    segment(&mut stream, SOS, &scan);

    let rows_a_part = if how.restart_rows > 0 { how.restart_rows } else { picture.height };
    for (part, first_row) in (0..picture.height).step_by(rows_a_part).enumerate() {
        if part > 0 {
            marker(&mut stream, 0xd0 + ((part - 1) % 8) as u8);
        }
        let mut bits = BitWriter::new(Stuffing::Byte);
        for row in first_row..(first_row + rows_a_part).min(picture.height) {
            for column in 0..picture.width {
                for component in 0..picture.n_components {
                    let predicted = predict(&picture, how, (column, row, component), first_row);
                    let value = picture.at(column, row, component) >> how.point_transform;
                    put_difference(&mut bits, &table, value - predicted);
                }
            }
        }
        stream.extend(bits.finish());
    }
    marker(&mut stream, EOI);
    stream
}

/// T.81 H.1.2.1: the first sample after a start is half the range, its row is predicted from the left, every other row's
/// first sample from above.
fn predict(picture: &Raster<'_>, how: Lossless, place: (usize, usize, usize), first_row: usize) -> i32 {
    let (column, row, component) = place;
    let at = |column: usize, row: usize| picture.at(column, row, component) >> how.point_transform;
    if row == first_row {
        return match column {
            0 => 1 << (picture.bits - how.point_transform - 1),
            _ => at(column - 1, row),
        };
    }
    if column == 0 {
        return at(0, row - 1);
    }
    let (a, b, c) = (at(column - 1, row), at(column, row - 1), at(column - 1, row - 1));
    match how.predictor {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    }
}

/// Differences are taken modulo 65536 (T.81 H.1.2.1).
fn put_difference(bits: &mut BitWriter, table: &FlatTable, difference: i32) {
    let difference = match difference & 0xffff {
        32_768 => 32_768,
        small => i32::from(small as u16 as i16),
    };
    let category = category(difference);
    table.put(bits, category);
    if category < 16 {
        put_magnitude(bits, difference, category);
    }
}
