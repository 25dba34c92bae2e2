//! DICOM pixels of known values, in the three stages.
//!
//! Expected numbers are those of pydicom 3.0.2 with numpy for the same bytes, as `reference/dicom_truth.py` asks for them:
//! `stored` is `pixel_array` with `raw=True`; `modality` is `apply_modality_lut`, `apply_color_lut` or
//! `convert_color_space`; `display` is `apply_voi_lut` scaled to 0 to 255 from the ends of its output, then inverted.

mod film;
mod films;

use lightbox_intake::ErrorKind;
use lightbox_intake::dicom::File;
use lightbox_intake::dicom::pixels::{
    ModalityFrame, PixelAction, Pixels, VoiChoice, Window, WindowFunction, WindowRule,
};

use film::*;
use films::{expected, films};

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
    // Where its two ends would meet, the standard counts.
    let film = Film::gray([8, 8, 0], 2, vec![1, 2], vec![ds(CENTER, "2"), ds(WIDTH, "1")]);
    let [served, standard] = [WindowRule::Serving, WindowRule::Standard]
        .map(|rule| stages(&film, 0, &VoiChoice::Default, rule).expect("levels").2);
    assert_eq!((&served, &served[..]), (&standard, &[0, 255][..]));
    let film = Film::gray([8, 8, 0], 2, vec![1, 2], vec![ds(CENTER, "1"), ds(WIDTH, "0")]);
    let refused =
        stages(&film, 0, &VoiChoice::Default, WindowRule::Serving).expect_err("a window of nothing");
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
        ("40,400,SIGMOID", free(40.0, 400.0, WindowFunction::Sigmoid)),
        ("40,400,Linear_Exact", free(40.0, 400.0, WindowFunction::LinearExact)),
        ("40,1", free(40.0, 1.0, WindowFunction::Linear)),
        ("nan,1", None),
        ("40,0", None),
        ("40,0.5", None),
        ("40,400,cubic", None),
        ("40,400,linear,", None),
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
    assert_eq!(used(2), [("WindowCenter", "40"), ("WindowWidth", "400")]);
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

/// A table for values below 0 whose descriptor is of type US, as the pixels are.
#[test]
fn a_table_for_negative_values_is_met_whatever_the_type_of_its_descriptor() {
    let table = [us(DESCRIPTOR, &[4, 0u16.wrapping_sub(3), 8]), ow(LUT_DATA, &[0, 85, 170, 255])];
    let more = vec![ds(SLOPE, "1"), ds(INTERCEPT, "-3"), sq(VOI_LUT, &[&table])];
    let film = Film::gray([8, 8, 0], 4, vec![0, 1, 2, 3], more);
    let got = stages(&film, 0, &VoiChoice::Default, WindowRule::Standard).expect("levels");
    assert_eq!((got.1, got.2), (vec![-3.0, -2.0, -1.0, 0.0], vec![0, 85, 170, 255]));
}
