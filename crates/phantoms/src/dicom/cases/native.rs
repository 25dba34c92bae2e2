//! Uncompressed pixels: bits, signs, planes, padding, fractions.

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};

use super::super::gray::Function;
use super::super::truth::Tolerances;
use super::super::{Case, DicomFile, FrameTruth, Known, Layout, Truth};
use super::shot::Shot;

pub(super) fn cases() -> Vec<Case> {
    [bits(), places(), paddings(), fractions()].concat()
}

/// Each number of bits, with and without a sign.
fn bits() -> Vec<Case> {
    let mut cases = Vec::new();
    for (allocated, stored) in
        [(8, 8), (8, 5), (16, 16), (16, 10), (16, 12), (16, 8), (32, 32), (32, 24), (32, 16)]
    {
        for is_signed in [false, true] {
            let layout = Layout { is_signed, ..Layout::gray(7, 5, allocated).stored_in(stored) };
            let sign = if is_signed { "signed" } else { "unsigned" };
            let shot = Shot::new(layout).with(|shot| {
                shot.gray.is_signed = is_signed;
                shot.gray.windows = vec![("20", "100", "")];
            });
            cases.push(shot.native(&format!("native/{stored} of {allocated} bits, {sign}")));
        }
    }
    for (columns, rows) in [(7, 5), (8, 4), (1, 1)] {
        let shot = Shot::new(Layout::gray(columns, rows, 1));
        cases.push(shot.native(&format!("native/1 bit, {columns} by {rows}")));
    }
    cases
}

/// Samples that do not lie where most files have them.
fn places() -> Vec<Case> {
    let mut cases = Vec::new();
    // An overlay in the four upper bits, as older equipment stores it: no part of the samples.
    let shot = Shot::new(Layout::gray(7, 5, 16).stored_in(12));
    let name = "native/other bits above High Bit";
    let mut bytes = shot.layout.native(&shot.values);
    bytes.iter_mut().skip(1).step_by(4).for_each(|upper| *upper |= 0x90);
    let file = shot.file(name).bytes(tags::PIXEL_DATA, VR::OW, bytes);
    cases.push(shot.case(name, file.written()));
    for planar in [0, 1] {
        let shot = Shot::new(Layout { planar, ..Layout::color(7, 5, "RGB") });
        cases.push(shot.native(&format!("native/RGB, Planar Configuration {planar}")));
    }
    let wide = Layout { bits_allocated: 16, planar: 1, n_frames: Some(2), ..Layout::color(7, 5, "RGB") };
    cases.push(Shot::new(wide.stored_in(12)).native("native/RGB, 12 of 16 bits, two frames of planes"));
    let byte_words = Shot::new(Layout::gray(7, 5, 8));
    let name = "native/8 bits as OW";
    let mut bytes = byte_words.layout.native(&byte_words.values);
    bytes.push(0);
    let file = byte_words.file(name).bytes(tags::PIXEL_DATA, VR::OW, bytes);
    cases.push(byte_words.case(name, file.written()));
    cases
}

/// Bytes behind the last sample, and samples that stand for nothing.
fn paddings() -> Vec<Case> {
    let shot = Shot::new(Layout::gray(7, 5, 16).stored_in(12))
        .with(|shot| shot.gray.windows = vec![("2048", "4096", "")]);
    let name = "native/ten bytes behind the last frame";
    let mut bytes = shot.layout.native(&shot.values);
    bytes.extend([0; 10]);
    let longer = shot.case(name, shot.file(name).bytes(tags::PIXEL_DATA, VR::OW, bytes).written());

    let name = "native/Pixel Padding Value";
    let file = shot.file(name).numbers(tags::PIXEL_PADDING_VALUE, &[0]).native(shot.layout, &shot.values);
    let value = shot.with(|shot| shot.gray.padding = Some((0.0, 0.0))).case(name, file.written());

    let layout = Layout { is_signed: true, ..Layout::gray(7, 5, 16) };
    let signed = Shot::new(layout).with(|shot| {
        shot.gray.is_signed = true;
        shot.gray.windows = vec![("0", "4096", "")];
        shot.gray.padding = Some((-2000.0, -1990.0));
        shot.values.iter_mut().for_each(|value| *value = (*value / 20).max(-1980));
        shot.values.iter_mut().step_by(6).for_each(|value| *value = -2000);
    });
    let name = "native/Pixel Padding Range, signed";
    let number = |value: i16| PrimitiveValue::I16([value].as_slice().into());
    let file = signed
        .file(name)
        .put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::SS, number(-2000)))
        .put(DataElement::new(tags::PIXEL_PADDING_RANGE_LIMIT, VR::SS, number(-1990)))
        .native(layout, &signed.values);
    vec![longer, value, signed.case(name, file.written())]
}

/// Float Pixel Data and Double Float Pixel Data (PS3.3 C.7.6.24 and C.7.6.25).
fn fractions() -> Vec<Case> {
    let values: Vec<f64> = (0..35).map(|i| f64::from(i * i) / 8.0 - 40.25).collect();
    let window = Shot::new(Layout::gray(7, 5, 8)).with(|shot| {
        shot.gray.function = Function::LinearExact;
        shot.gray.windows = vec![("30", "140.5", "")];
    });
    let floats = PrimitiveValue::F32(values.iter().map(|value| *value as f32).collect());
    let doubles = PrimitiveValue::F64(values.iter().copied().collect());
    [
        ("native/float", 32, tags::FLOAT_PIXEL_DATA, VR::OF, floats),
        ("native/double", 64, tags::DOUBLE_FLOAT_PIXEL_DATA, VR::OD, doubles),
    ]
    .into_iter()
    .map(|(name, bits, tag, vr, value)| {
        let file = DicomFile::new(name)
            .layout(Layout::gray(7, 5, 16))
            .of_class(uids::PARAMETRIC_MAP_STORAGE, "OT")
            .numbers(tags::BITS_ALLOCATED, &[bits])
            .without(tags::BITS_STORED)
            .without(tags::HIGH_BIT)
            .without(tags::PIXEL_REPRESENTATION)
            .put(DataElement::new(tag, vr, value));
        let frame = FrameTruth {
            stored: values.clone(),
            modality: values.clone(),
            displays: window.gray.displays(&values, &values),
        };
        let known = Known {
            columns: 7,
            rows: 5,
            frames: vec![frame],
            tolerances: Tolerances::of_stored(0.0),
            says: Vec::new(),
        };
        Case { name: name.to_owned(), bytes: window.gray.put(file).written(), truth: Truth::Known(known) }
    })
    .collect()
}
