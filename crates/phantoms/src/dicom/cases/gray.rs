//! From stored to displayed gray: Modality LUT, windows, VOI LUT, presentation, and what lies over a picture.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use super::super::file::{item, numbers, sequence, text};
use super::super::gray::{Function, Modality};
use super::super::lut::Table;
use super::super::{Case, Layout};
use super::shot::Shot;

pub(super) fn cases() -> Vec<Case> {
    [modalities(), windows(), tables(), presentations(), notices()].concat()
}

fn base() -> Shot {
    Shot::new(Layout::gray(7, 5, 16).stored_in(12))
}

fn signed() -> Shot {
    let layout = Layout { is_signed: true, ..Layout::gray(7, 5, 16).stored_in(12) };
    Shot::new(layout).with(|shot| shot.gray.is_signed = true)
}

/// A table of `n` entries that neither rises evenly nor is the identity.
fn curve(first: i32, bits: u16, n: usize, explanation: &'static str) -> Table {
    let most = f64::from((1_u32 << bits) - 1);
    let share = |i: usize| i as f64 / (n - 1).max(1) as f64;
    let entries = (0..n).map(|i| (most * share(i) * share(i)).round() as u16).collect();
    Table { first, bits, entries, explanation }
}

fn modalities() -> Vec<Case> {
    let wide = |shot: &mut Shot| shot.gray.windows = vec![("1000", "3000", "")];
    let mut cases = Vec::new();
    for (slope, intercept) in
        [("1", "-1024"), ("0.75", "12.5"), ("-1", "4095"), ("2.5e-1", "0"), (" 3 ", " -7 ")]
    {
        let shot = base().with(wide).with(|shot| shot.gray.modality = Modality::Rescale(slope, intercept));
        cases.push(shot.native(&format!("gray/rescale {}, {}", slope.trim(), intercept.trim())));
    }
    for (what, shot, table) in [
        ("16 bits", base(), curve(0, 16, 4096, "")),
        ("first value 100, shorter than the range", base(), curve(100, 16, 1000, "")),
        ("8 bits in words", base(), curve(0, 8, 4096, "")),
        ("first value negative", signed(), curve(-2048, 16, 4096, "")),
    ] {
        let shot = shot.with(wide).with(|shot| shot.gray.modality = Modality::Lut(table));
        cases.push(shot.native(&format!("gray/Modality LUT Sequence, {what}")));
    }
    cases
}

fn windows() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, function) in [
        ("no function", Function::Absent),
        ("LINEAR", Function::Linear),
        ("LINEAR_EXACT", Function::LinearExact),
        ("SIGMOID", Function::Sigmoid),
    ] {
        let shot = base().with(|shot| {
            shot.gray.function = function;
            shot.gray.windows = vec![("1500", "1000", "")];
        });
        cases.push(shot.native(&format!("gray/window, {what}")));
    }
    let several = base().with(|shot| {
        shot.gray.windows =
            vec![("2000", "3000", "NORMAL"), ("1000", "500", "HARDER"), ("300.5", "99.5", "SOFTER")];
    });
    cases.push(several.native("gray/three windows with explanations"));
    let unnamed = base().with(|shot| shot.gray.windows = vec![("2000", "3000", ""), ("1000", "500", "")]);
    cases.push(unnamed.native("gray/two windows"));
    let narrow = base().with(|shot| shot.gray.windows = vec![("1365", "1", "")]);
    cases.push(narrow.native("gray/window of width 1"));
    let fraction = base().with(|shot| {
        shot.gray.function = Function::LinearExact;
        shot.gray.modality = Modality::Rescale("0.0001", "0");
        shot.gray.windows = vec![("0.2", "0.3", "")];
    });
    cases.push(fraction.native("gray/window narrower than 1, LINEAR_EXACT"));
    cases
}

fn tables() -> Vec<Case> {
    let one = |table: Table| base().with(|shot| shot.gray.tables = vec![table]);
    let both = base().with(|shot| {
        shot.gray.windows = vec![("2000", "3000", "WINDOW")];
        shot.gray.tables = vec![curve(0, 12, 4096, "CURVE"), curve(500, 16, 1000, "STEEP")];
    });
    let rescaled = base().with(|shot| {
        shot.gray.modality = Modality::Rescale("1", "-1024");
        shot.gray.tables = vec![curve(-1024, 12, 4096, "")];
    });
    vec![
        one(curve(0, 16, 4096, "")).native("gray/VOI LUT Sequence, 16 bits"),
        one(curve(0, 12, 4096, "")).native("gray/VOI LUT Sequence, 12 bits"),
        one(curve(0, 8, 4096, "")).native("gray/VOI LUT Sequence, 8 bits in words"),
        one(curve(0, 16, 65_536, "")).native("gray/VOI LUT Sequence, 65536 entries"),
        one(curve(700, 10, 256, "SHORT")).native("gray/VOI LUT Sequence, first value 700"),
        rescaled.native("gray/VOI LUT Sequence, first value negative after rescale"),
        both.native("gray/a window and two VOI LUTs"),
        words(),
    ]
}

/// LUT Data as OW, as many writers have it.
fn words() -> Case {
    let shot = base().with(|shot| shot.gray.tables = vec![curve(0, 16, 4096, "")]);
    let name = "gray/VOI LUT Sequence, OW";
    let file = shot
        .file(name)
        .put(sequence(tags::VOILUT_SEQUENCE, vec![shot.gray.tables[0].item(false, VR::OW)]))
        .native(shot.layout, &shot.values);
    shot.case(name, file.written())
}

fn presentations() -> Vec<Case> {
    let windowed = |photometric, is_inverted| {
        base().with(|shot| {
            shot.layout.photometric = photometric;
            shot.gray.windows = vec![("2000", "3000", "")];
            shot.gray.is_inverted = is_inverted;
        })
    };
    let mut cases = vec![
        windowed("MONOCHROME1", true).native("gray/MONOCHROME1"),
        windowed("MONOCHROME2", false).native("gray/MONOCHROME2"),
    ];
    for (photometric, shape, is_inverted) in [
        ("MONOCHROME2", "IDENTITY", false),
        ("MONOCHROME2", "INVERSE", true),
        // INVERSE says the same as MONOCHROME1 once more (PS3.3 C.8.11.3.1.2); it does not turn the picture back.
        ("MONOCHROME1", "INVERSE", true),
    ] {
        let shot = windowed(photometric, is_inverted);
        let name = format!("gray/{photometric} with Presentation LUT Shape {shape}");
        let file = shot
            .file(&name)
            .text(tags::PRESENTATION_LUT_SHAPE, VR::CS, shape)
            .native(shot.layout, &shot.values);
        cases.push(shot.case(&name, file.written()));
    }
    let curved = base().with(|shot| {
        shot.layout.photometric = "MONOCHROME1";
        shot.gray.is_inverted = true;
        shot.gray.tables = vec![curve(0, 12, 4096, "")];
    });
    cases.push(curved.native("gray/MONOCHROME1 with VOI LUT Sequence"));
    cases
}

/// What is reported and not drawn: the samples are the same with and without.
fn notices() -> Vec<Case> {
    let shot = base().with(|shot| shot.gray.windows = vec![("2000", "3000", "")]);
    let name = "gray/overlay of its own";
    let group = |element| dicom_core::Tag(0x6000, element);
    let overlay = shot.case(
        name,
        shot.file(name)
            .put(numbers(group(0x0010), VR::US, &[5]))
            .put(numbers(group(0x0011), VR::US, &[7]))
            .put(text(group(0x0040), VR::CS, "G"))
            .bytes(group(0x0050), VR::SS, vec![1, 0, 1, 0])
            .put(numbers(group(0x0100), VR::US, &[1]))
            .put(numbers(group(0x0102), VR::US, &[0]))
            .bytes(group(0x3000), VR::OW, vec![0xff, 0x0f, 0xf0, 0x55, 0x03, 0])
            .native(shot.layout, &shot.values)
            .written(),
    );
    let name = "gray/burned-in annotation";
    let burned = shot.case(
        name,
        shot.file(name)
            .text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES")
            .native(shot.layout, &shot.values)
            .written(),
    );
    // A window that belongs to another picture must not be taken for this one's.
    let name = "gray/window inside another sequence";
    let other = item([text(tags::WINDOW_CENTER, VR::DS, "1"), text(tags::WINDOW_WIDTH, VR::DS, "2")]);
    let inner = shot.case(
        name,
        shot.file(name)
            .items(tags::ICON_IMAGE_SEQUENCE, vec![other])
            .native(shot.layout, &shot.values)
            .written(),
    );
    vec![overlay.saying("overlay"), burned.saying("burned"), inner]
}
