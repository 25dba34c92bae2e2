//! Several frames: where each starts, in how many pieces it comes, and what holds for one frame alone.

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};

use super::super::codes::{JpegLs, Raster, jpeg_ls, rle};
use super::super::file::{item, sequence};
use super::super::gray::{Function, Gray, Modality};
use super::super::{Case, DicomFile, Item, Layout, Truth};
use super::shot::Shot;

const GRAY: Layout =
    Layout { bits_allocated: 16, bits_stored: 12, high_bit: 11, n_frames: Some(3), ..GRAY_8 };

const GRAY_8: Layout = Layout {
    columns: 7,
    rows: 5,
    n_components: 1,
    photometric: "MONOCHROME2",
    bits_allocated: 8,
    bits_stored: 8,
    high_bit: 7,
    is_signed: false,
    planar: 0,
    n_frames: None,
};

pub(super) fn cases() -> Vec<Case> {
    [native(), tables(), pieces(), groups()].concat()
}

fn native() -> Vec<Case> {
    let shot = Shot::new(GRAY);
    let bits = Layout { n_frames: Some(3), ..Layout::gray(7, 5, 1) };
    let byte_frames = Layout { n_frames: Some(2), ..Layout::gray(8, 3, 1) };
    let odd = Layout { n_frames: Some(3), ..GRAY_8 };
    let absent = Layout { n_frames: None, ..GRAY };
    let one = Layout { n_frames: Some(1), ..GRAY };
    vec![
        shot.native("frames/three uncompressed"),
        Shot::new(bits).native("frames/three of 35 bits"),
        Shot::new(byte_frames).native("frames/two of 24 bits"),
        Shot::new(odd).native("frames/three of 35 bytes"),
        Shot::new(absent).native("frames/no Number of Frames"),
        Shot::new(one).native("frames/Number of Frames 1"),
    ]
}

/// The frames of a shot, coded.
fn coded(shot: &Shot, code: fn(Raster<'_>) -> Vec<u8>, bits: u16) -> Vec<Vec<u8>> {
    (0..shot.layout.n_frames.unwrap_or(1) as usize)
        .map(|frame| {
            code(Raster {
                width: shot.layout.columns.into(),
                height: shot.layout.rows.into(),
                n_components: shot.layout.n_components.into(),
                bits: bits as u8,
                samples: &shot.coded(frame),
            })
        })
        .collect()
}

fn rle_frames(shot: &Shot) -> Vec<Vec<u8>> {
    coded(shot, rle, shot.layout.bits_allocated)
}

fn jpeg_ls_frames(shot: &Shot) -> Vec<Vec<u8>> {
    coded(shot, |picture| jpeg_ls(picture, JpegLs::default()).0, shot.layout.bits_stored)
}

/// Basic, empty and Extended Offset Tables (PS3.5 A.4, PS3.3 C.7.6.3.1.8).
fn tables() -> Vec<Case> {
    let shot = Shot::new(GRAY);
    let frames = rle_frames(&shot);
    let file = |name: &str| shot.file(name).in_syntax(uids::RLE_LOSSLESS);
    let basic = "frames/Basic Offset Table";
    let empty = "frames/empty offset table, a fragment a frame";
    let extended = "frames/Extended Offset Table";
    let mut at = 0;
    let offsets = frames.iter().map(|frame| {
        let own = at;
        at += 8 + frame.len() as u64;
        own
    });
    let offsets = PrimitiveValue::U64(offsets.collect());
    let lengths = PrimitiveValue::U64(frames.iter().map(|frame| frame.len() as u64).collect());
    vec![
        shot.case(basic, file(basic).frames(GRAY, &frames).written()),
        shot.case(empty, file(empty).fragments(&[], &frames).written()),
        shot.case(
            extended,
            file(extended)
                .put(DataElement::new(tags::EXTENDED_OFFSET_TABLE, VR::OV, offsets))
                .put(DataElement::new(tags::EXTENDED_OFFSET_TABLE_LENGTHS, VR::OV, lengths))
                .fragments(&[], &frames)
                .written(),
        ),
    ]
}

/// A frame in two pieces of about the same, even, size.
fn halves(frame: &[u8]) -> Vec<Vec<u8>> {
    let middle = frame.len() / 4 * 2;
    vec![frame[..middle].to_vec(), frame[middle..].to_vec()]
}

/// Frames in several fragments.
fn pieces() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, syntax, code) in [
        ("RLE", uids::RLE_LOSSLESS, rle_frames as fn(&Shot) -> Vec<Vec<u8>>),
        ("JPEG-LS", uids::JPEGLS_LOSSLESS, jpeg_ls_frames),
    ] {
        let shot = Shot::new(GRAY);
        let frames = code(&shot);
        let fragments: Vec<Vec<u8>> = frames.iter().flat_map(|frame| halves(frame)).collect();
        let mut at = 0;
        let table: Vec<u32> = frames
            .iter()
            .map(|frame| {
                let own = at;
                at += 16 + frame.len().next_multiple_of(2) as u32;
                own
            })
            .collect();
        let name = format!("frames/{what}, two fragments a frame");
        let file = shot.file(&name).in_syntax(syntax).fragments(&table, &fragments);
        cases.push(shot.case(&name, file.written()));

        let single = Shot::new(Layout { n_frames: None, ..GRAY });
        let fragments = halves(&code(&single)[0]);
        let name = format!("frames/{what}, one frame in two fragments, empty offset table");
        let file = single.file(&name).in_syntax(syntax).fragments(&[], &fragments);
        cases.push(single.case(&name, file.written()));
    }
    // Without a table only the end of each coded picture tells where a frame ends.
    let shot = Shot::new(GRAY);
    let fragments: Vec<Vec<u8>> = jpeg_ls_frames(&shot).iter().flat_map(|frame| halves(frame)).collect();
    let name = "frames/JPEG-LS, two fragments a frame, empty offset table";
    let file = shot.file(name).in_syntax(uids::JPEGLS_LOSSLESS).fragments(&[], &fragments);
    cases.push(shot.case(name, file.written()));
    cases
}

/// Shared and Per-Frame Functional Groups (PS3.3 C.7.6.16): rescale and window of one frame alone.
fn groups() -> Vec<Case> {
    let group = |gray: &Gray| {
        let mut elements = Vec::new();
        if let Modality::Rescale(..) = gray.modality {
            elements.push(sequence(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, vec![gray.rescale_item()]));
        }
        if !gray.windows.is_empty() {
            elements.push(sequence(tags::FRAME_VOILUT_SEQUENCE, vec![gray.window_item()]));
        }
        item(elements)
    };
    let rescaled = |slope, intercept| Gray { modality: Modality::Rescale(slope, intercept), ..Gray::new() };
    let windowed = |gray: Gray, window| Gray { windows: vec![window], function: Function::Linear, ..gray };

    // Each frame has its own of both.
    let each = [
        windowed(rescaled("1", "0"), ("1000", "2000", "")),
        windowed(rescaled("2", "-100"), ("40", "400", "SOFT")),
        windowed(rescaled("0.5", "-1024"), ("-600", "1500", "LUNG")),
    ];
    // All frames share the window, each has its rescale.
    let shared = windowed(Gray::new(), ("500", "3000", ""));
    let own = [rescaled("1", "0"), rescaled("3", "7"), rescaled("0.25", "0")];
    let both: Vec<Gray> = own
        .iter()
        .map(|gray| Gray { windows: shared.windows.clone(), function: shared.function, ..gray.clone() })
        .collect();
    vec![
        enhanced("frames/rescale and window for each frame", &item([]), &each.each_ref().map(group), &each),
        enhanced(
            "frames/window shared, rescale for each frame",
            &group(&shared),
            &own.each_ref().map(group),
            &both,
        ),
        enhanced(
            "frames/rescale and window shared",
            &group(&each[1]),
            &[(); 3].map(|()| item([])),
            &vec![each[1].clone(); 3],
        ),
    ]
}

/// An enhanced CT: what its shared and per-frame items say, and what is true of each frame.
fn enhanced(name: &str, shared: &Item, items: &[Item], truths: &[Gray]) -> Case {
    let shot = Shot::new(GRAY);
    let file = DicomFile::new(name)
        .of_class(uids::ENHANCED_CT_IMAGE_STORAGE, "CT")
        .items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared.clone()])
        .items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items.to_vec())
        .native(GRAY, &shot.values);
    let mut known = shot.known();
    for (frame, gray) in known.frames.iter_mut().zip(truths) {
        let alone = Shot { gray: gray.clone(), ..shot.clone() };
        *frame = alone.frame(&frame.stored);
    }
    Case { name: name.to_owned(), bytes: file.written(), truth: Truth::Known(known) }
}
