//! Colour: RGB and the YBR spaces, uncompressed and coded.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::super::codes::{Dct, Lossless, Marks, Raster, jpeg_dct, jpeg_lossless, rle};
use super::super::truth::Tolerances;
use super::super::{Case, Display, FrameTruth, Known, Layout, Truth};
use super::shot::Shot;

pub(super) fn cases() -> Vec<Case> {
    [native(), coded()].concat()
}

/// YBR as 8-bit samples to RGB (PS3.3 C.7.6.3.1.2; ITU-T T.871 section 7), neither rounded nor with less than exact factors.
fn rgb_of(ybr: &[f64]) -> Vec<f64> {
    let pixel = |pixel: &[f64]| {
        let (y, blue, red) = (pixel[0], pixel[1] - 128.0, pixel[2] - 128.0);
        let green = -0.114 * 1.772 / 0.587 * blue - 0.299 * 1.402 / 0.587 * red;
        [y + 1.402 * red, y + green, y + 1.772 * blue].map(|level| level.clamp(0.0, 255.0))
    };
    ybr.chunks(3).flat_map(pixel).collect()
}

/// The case of a picture in a YBR space; `tolerance` is that of a stored sample.
fn ybr_case(name: &str, shot: &Shot, bytes: Vec<u8>) -> Case {
    let stored: Vec<f64> = shot.values.iter().map(|value| *value as f64).collect();
    let frames = stored.chunks(shot.layout.n_values()).map(|frame| {
        let rgb = rgb_of(frame);
        let displays = vec![Display { choice: 0, explanation: None, levels: rgb.clone() }];
        FrameTruth { stored: frame.to_vec(), modality: rgb, displays }
    });
    let known = Known {
        columns: shot.layout.columns.into(),
        rows: shot.layout.rows.into(),
        frames: frames.collect(),
        tolerances: Tolerances::of_ybr(shot.tolerance),
        says: Vec::new(),
    };
    Case { name: name.to_owned(), bytes, truth: Truth::Known(known) }
}

fn native() -> Vec<Case> {
    let mut cases = Vec::new();
    for planar in [0, 1] {
        let shot = Shot::new(Layout { planar, n_frames: Some(2), ..Layout::color(7, 5, "YBR_FULL") });
        let name = format!("color/YBR_FULL, Planar Configuration {planar}");
        let file = shot.file(&name).native(shot.layout, &shot.values);
        cases.push(ybr_case(&name, &shot, file.written()));
    }
    // Two samples of luma, then the chroma that both pixels share.
    let shot = halved(Shot::new(Layout { n_frames: Some(2), ..Layout::color(8, 5, "YBR_FULL_422") }));
    let name = "color/YBR_FULL_422, uncompressed";
    let pairs = shot.values.chunks(6).flat_map(|pair| [pair[0], pair[3], pair[1], pair[2]].map(|v| v as u8));
    let file = shot.file(name).bytes(tags::PIXEL_DATA, VR::OB, pairs.collect());
    cases.push(ybr_case(name, &shot, file.written()));
    cases
}

/// The same picture with the chroma of each pair of pixels alike.
fn halved(shot: Shot) -> Shot {
    shot.with(|shot| {
        for pair in shot.values.chunks_mut(6) {
            (pair[4], pair[5]) = (pair[1], pair[2]);
        }
    })
}

/// A picture that changes slowly, for codings that lose a little, within the colours that both spaces have. Chroma is
/// the same along a row, so that no way of doubling its columns changes it.
fn smooth(photometric: &'static str) -> Shot {
    Shot::new(Layout::color(20, 12, photometric)).with(|shot| {
        let columns = usize::from(shot.layout.columns);
        for (i, pixel) in shot.values.chunks_mut(3).enumerate() {
            let (column, row) = ((i % columns) as i64, (i / columns) as i64);
            pixel.copy_from_slice(&[60 + 5 * column, 100 + 5 * row, 150 - 3 * row]);
        }
        shot.tolerance = 1.0;
    })
}

fn raster<'a>(shot: &Shot, samples: &'a [u16]) -> Raster<'a> {
    Raster {
        width: shot.layout.columns.into(),
        height: shot.layout.rows.into(),
        n_components: 3,
        bits: 8,
        samples,
    }
}

fn coded() -> Vec<Case> {
    let mut cases = Vec::new();
    let frame = |shot: &Shot, code: &dyn Fn(Raster<'_>) -> Vec<u8>| code(raster(shot, &shot.coded(0)));
    let dct =
        |marks, halves_chroma| move |picture: Raster<'_>| jpeg_dct(picture, Dct { marks, halves_chroma });

    // The colours are what the file says. A decoder that knows only the stream takes three components for YCbCr.
    for (what, marks) in [("without Adobe marker", Marks::None), ("with Adobe marker", Marks::Adobe(0))] {
        let shot = smooth("RGB");
        let name = format!("color/JPEG baseline RGB {what}");
        let frame = frame(&shot, &dct(marks, false));
        let file = shot.file(&name).in_syntax(uids::JPEG_BASELINE8_BIT).frames(shot.layout, &[frame]);
        cases.push(shot.case(&name, file.written()));
    }
    for (photometric, what, marks, halves_chroma) in [
        ("YBR_FULL", "with JFIF", Marks::Jfif, false),
        ("YBR_FULL", "without marker", Marks::None, false),
        ("YBR_FULL_422", "without marker", Marks::None, true),
        ("YBR_FULL_422", "with Adobe marker", Marks::Adobe(1), true),
        ("YBR_FULL_422", "not subsampled", Marks::Jfif, false),
    ] {
        let shot = smooth(photometric);
        let name = format!("color/JPEG baseline {photometric} {what}");
        let frame = frame(&shot, &dct(marks, halves_chroma));
        let file = shot.file(&name).in_syntax(uids::JPEG_BASELINE8_BIT).frames(shot.layout, &[frame]);
        cases.push(ybr_case(&name, &shot, file.written()));
    }
    // A JFIF marker says YCbCr, and is believed.
    let named = smooth("RGB");
    let name = "color/JPEG baseline YCbCr with JFIF, named RGB";
    let stream = frame(&named, &dct(Marks::Jfif, false));
    let file = named.file(name).in_syntax(uids::JPEG_BASELINE8_BIT).frames(named.layout, &[stream]);
    cases.push(ybr_case(name, &named, file.written()));
    // Coded planes and coded pixels come out side by side, whatever Planar Configuration says.
    let planes = Shot::new(Layout { planar: 1, ..Layout::color(7, 5, "RGB") });
    let name = "color/RLE RGB, Planar Configuration 1";
    let file = planes.file(name).in_syntax(uids::RLE_LOSSLESS).frames(planes.layout, &[frame(&planes, &rle)]);
    cases.push(planes.case(name, file.written()));
    let exact = Shot::new(Layout::color(7, 5, "YBR_FULL"));
    for (what, syntax, code) in [
        ("RLE", uids::RLE_LOSSLESS, rle as fn(Raster<'_>) -> Vec<u8>),
        ("JPEG lossless", uids::JPEG_LOSSLESS_SV1, |picture| jpeg_lossless(picture, Lossless::default())),
    ] {
        let name = format!("color/{what} YBR_FULL");
        let file = exact.file(&name).in_syntax(syntax).frames(exact.layout, &[frame(&exact, &code)]);
        cases.push(ybr_case(&name, &exact, file.written()));
    }
    cases
}
