//! Each transfer syntax with values that come back exactly, or within one level where the coding is lossy.

use dicom_dictionary_std::uids;

use super::super::codes::{
    Dct, Interleave, JpegLs, Lossless, Marks, Raster, deflate, jpeg_dct, jpeg_lossless, jpeg_ls, rle,
};
use super::super::gray::{Function, Modality};
use super::super::{Case, Layout};
use super::shot::Shot;

/// Every syntax that is read.
pub(super) fn cases() -> Vec<Case> {
    [uncompressed(), rles(), losslesses(), jpeg_lss(), dcts(), deflated_frames()].concat()
}

/// Twelve of sixteen bits with a window.
fn film() -> Shot {
    Shot::new(Layout::gray(7, 5, 16).stored_in(12)).with(|shot| {
        shot.gray.modality = Modality::Rescale("1", "-1024");
        shot.gray.windows = vec![("1024", "2048", "")];
        shot.gray.function = Function::Linear;
    })
}

/// The same with a sign.
fn signed() -> Shot {
    let layout = Layout { is_signed: true, ..Layout::gray(7, 5, 16).stored_in(12) };
    Shot::new(layout).with(|shot| {
        shot.gray.is_signed = true;
        shot.gray.windows = vec![("0", "3000", "")];
    })
}

fn small() -> Shot {
    Shot::new(Layout::gray(7, 5, 8)).with(|shot| shot.gray.windows = vec![("128", "256", "")])
}

fn rgb() -> Shot {
    Shot::new(Layout::color(7, 5, "RGB"))
}

fn shots() -> [(&'static str, Shot); 4] {
    [("12 of 16 bits", film()), ("12 of 16 bits signed", signed()), ("8 bits", small()), ("RGB", rgb())]
}

/// The one frame of a shot for a coder.
fn raster<'a>(shot: &Shot, samples: &'a [u16]) -> Raster<'a> {
    Raster {
        width: shot.layout.columns.into(),
        height: shot.layout.rows.into(),
        n_components: shot.layout.n_components.into(),
        bits: shot.layout.bits_stored as u8,
        samples,
    }
}

/// A case of one coded frame.
fn coded(name: &str, syntax: &'static str, shot: &Shot, code: impl Fn(Raster<'_>) -> Vec<u8>) -> Case {
    let frame = code(raster(shot, &shot.coded(0)));
    shot.case(name, shot.file(name).in_syntax(syntax).frames(shot.layout, &[frame]).written())
}

fn uncompressed() -> Vec<Case> {
    let mut cases = Vec::new();
    for (syntax, uid) in [
        ("implicit little endian", uids::IMPLICIT_VR_LITTLE_ENDIAN),
        ("explicit little endian", uids::EXPLICIT_VR_LITTLE_ENDIAN),
        ("deflated", uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
    ] {
        for (what, shot) in shots() {
            let name = format!("syntax/{syntax}, {what}");
            let file = shot.file(&name).in_syntax(uid).native(shot.layout, &shot.values);
            cases.push(shot.case(&name, file.written()));
        }
    }
    let name = "syntax/encapsulated uncompressed";
    let shot = film();
    let frames = [shot.layout.native(&shot.values)];
    let file = shot
        .file(name)
        .in_syntax(uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN)
        .frames(shot.layout, &frames);
    cases.push(shot.case(name, file.written()));
    cases
}

fn rles() -> Vec<Case> {
    let mut cases: Vec<Case> = shots()
        .iter()
        .map(|(what, shot)| {
            let name = format!("syntax/RLE, {what}");
            // The bytes of a sample are all coded, the unused bits of the highest too.
            let wide =
                |picture: Raster<'_>| rle(Raster { bits: shot.layout.bits_allocated as u8, ..picture });
            coded(&name, uids::RLE_LOSSLESS, shot, wide)
        })
        .collect();
    // A blank picture: one run after the other, each of the greatest length.
    let blank = Shot::new(Layout::gray(300, 9, 16)).with(|shot| shot.values.fill(40_000));
    cases.push(coded("syntax/RLE, blank", uids::RLE_LOSSLESS, &blank, rle));
    cases
}

fn losslesses() -> Vec<Case> {
    let mut cases = Vec::new();
    for predictor in 1..=7 {
        let name = format!("syntax/JPEG lossless, predictor {predictor}");
        let how = Lossless { predictor, ..Lossless::default() };
        cases.push(coded(&name, uids::JPEG_LOSSLESS, &film(), |picture| jpeg_lossless(picture, how)));
    }
    for (what, shot) in shots() {
        let name = format!("syntax/JPEG lossless SV1, {what}");
        let code = |picture: Raster<'_>| jpeg_lossless(picture, Lossless::default());
        cases.push(coded(&name, uids::JPEG_LOSSLESS_SV1, &shot, code));
    }
    let full = Shot::new(Layout::gray(7, 5, 16));
    let code = |picture: Raster<'_>| jpeg_lossless(picture, Lossless::default());
    cases.push(coded("syntax/JPEG lossless SV1, 16 bits", uids::JPEG_LOSSLESS_SV1, &full, code));
    let restarts = Lossless { restart_rows: 2, predictor: 4, ..Lossless::default() };
    let code = |picture: Raster<'_>| jpeg_lossless(picture, restarts);
    cases.push(coded("syntax/JPEG lossless, restart markers", uids::JPEG_LOSSLESS, &film(), code));
    // What a point transform shifts away comes back as zeros.
    let shifted = film().with(|shot| shot.values.iter_mut().for_each(|value| *value &= !3));
    let how = Lossless { point_transform: 2, ..Lossless::default() };
    let code = |picture: Raster<'_>| jpeg_lossless(picture, how);
    cases.push(coded("syntax/JPEG lossless, point transform 2", uids::JPEG_LOSSLESS, &shifted, code));
    cases
}

fn jpeg_lss() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, shot) in shots() {
        let name = format!("syntax/JPEG-LS, {what}");
        let code = |picture: Raster<'_>| jpeg_ls(picture, JpegLs::default()).0;
        cases.push(coded(&name, uids::JPEGLS_LOSSLESS, &shot, code));
    }
    let full = Shot::new(Layout::gray(40, 30, 16));
    let code = |picture: Raster<'_>| jpeg_ls(picture, JpegLs::default()).0;
    cases.push(coded("syntax/JPEG-LS, 16 bits", uids::JPEGLS_LOSSLESS, &full, code));
    // The coded data have more bits than Bits Stored says: they are what was coded.
    let twelve = film();
    let narrow = film().with(|shot| shot.layout = shot.layout.stored_in(10));
    let (frame, _) = jpeg_ls(raster(&twelve, &twelve.coded(0)), JpegLs::default());
    let name = "syntax/JPEG-LS, more bits coded than stored";
    let file = narrow.file(name).in_syntax(uids::JPEGLS_LOSSLESS).frames(narrow.layout, &[frame]);
    cases.push(narrow.case(name, file.written()));
    for (what, interleave) in [("by line", Interleave::Line), ("by sample", Interleave::Sample)] {
        let name = format!("syntax/JPEG-LS, RGB {what}");
        let how = JpegLs { interleave, ..JpegLs::default() };
        cases.push(coded(&name, uids::JPEGLS_LOSSLESS, &rgb(), |picture| jpeg_ls(picture, how).0));
    }
    for (what, shot) in [("12 of 16 bits", film()), ("8 bits", small())] {
        let name = format!("syntax/JPEG-LS near-lossless, {what}");
        let (frame, rebuilt) =
            jpeg_ls(raster(&shot, &shot.coded(0)), JpegLs { near: 2, interleave: Interleave::None });
        let shot = shot.with(|shot| shot.values = rebuilt.into_iter().map(i64::from).collect());
        let file = shot.file(&name).in_syntax(uids::JPEGLS_NEAR_LOSSLESS).frames(shot.layout, &[frame]);
        cases.push(shot.case(&name, file.written()));
    }
    cases
}

fn dcts() -> Vec<Case> {
    // Twelve bits have more room for what inverse transforms differ in.
    let lossy =
        |shot: Shot| shot.with(|shot| shot.tolerance = if shot.layout.bits_stored > 8 { 2.0 } else { 1.0 });
    let gray = lossy(Shot::new(Layout::gray(19, 13, 8)));
    let deep = lossy(Shot::new(Layout::gray(19, 13, 16).stored_in(12)));
    let plain = |picture: Raster<'_>| jpeg_dct(picture, Dct::default());
    let jfif = |picture: Raster<'_>| jpeg_dct(picture, Dct { marks: Marks::Jfif, ..Dct::default() });
    vec![
        coded("syntax/JPEG baseline, 8 bits", uids::JPEG_BASELINE8_BIT, &gray, plain),
        coded("syntax/JPEG baseline, 8 bits with JFIF", uids::JPEG_BASELINE8_BIT, &gray, jfif),
        coded("syntax/JPEG extended, 8 bits", uids::JPEG_EXTENDED12_BIT, &gray, plain),
        coded("syntax/JPEG extended, 12 bits", uids::JPEG_EXTENDED12_BIT, &deep, plain),
    ]
}

fn deflated_frames() -> Vec<Case> {
    let layout = Layout { n_frames: Some(3), ..Layout::gray(7, 5, 16).stored_in(12) };
    let shot = Shot::new(layout);
    let frames: Vec<Vec<u8>> =
        shot.values.chunks(layout.n_values()).map(|frame| deflate(&layout.native(frame))).collect();
    let name = "syntax/deflated image frames";
    let file = shot.file(name).in_syntax(uids::DEFLATED_IMAGE_FRAME_COMPRESSION).frames(layout, &frames);
    vec![shot.case(name, file.written())]
}
