//! Pictures for the model: what is drawn, what is recorded, and the way back.

use lightbox_intake::{Frame, Orientation, Samples, Study};
use lightbox_models::RgbImage;
use lightbox_reading::ErrorKind;
use lightbox_reading::views::{
    Mapping, Recipe, Region, Step, View, ViewStep, contact_sheet, make, make_one, thumbnail,
};

fn study(width: usize, height: usize, samples: Samples) -> Study {
    let frame = Frame {
        width,
        height,
        samples,
        source: 0,
        number: 1,
        orientation: Orientation::UPRIGHT,
        steps: Vec::new(),
    };
    Study { frames: vec![frame], sources: Vec::new() }
}

fn view(recipe: Recipe, study: &Study) -> View {
    make_one(recipe, study, 0, None).expect("a view")
}

/// The pixel of the source under a pixel of the view: a centre leads to a centre.
fn source_pixel(mapping: &Mapping, column: usize, row: usize) -> Option<(usize, usize)> {
    let (x, y) = mapping.to_source(column as f64 + 0.5, row as f64 + 0.5)?;
    assert_eq!((x.fract(), y.fract()), (0.5, 0.5));
    Some((x as usize, y as usize))
}

/// The first channel, row by row, and whether the three are equal.
fn gray(view: &View) -> (Vec<u8>, bool) {
    let pixels = view.image.pixels().chunks_exact(3);
    (pixels.clone().map(|p| p[0]).collect(), pixels.clone().all(|p| p[0] == p[1] && p[1] == p[2]))
}

#[test]
fn a_film_is_padded_with_black_half_before_and_the_rest_after() {
    // (width, height), then where the frame stands in its square.
    for ((width, height), (side, left, top)) in [
        ((2, 5), (5, 1, 0)),
        ((5, 2), (5, 0, 1)),
        ((2, 4), (4, 1, 0)),
        ((4, 3), (4, 0, 0)),
        ((3, 3), (3, 0, 0)),
    ] {
        let view = view(Recipe::Film, &study(width, height, Samples::Gray8(vec![9; width * height])));
        assert_eq!((view.image.width(), view.image.height()), (side, side));
        let (values, is_gray) = gray(&view);
        assert!(is_gray);
        for (index, value) in values.into_iter().enumerate() {
            let (x, y) = (index % side, index / side);
            let inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
            assert_eq!(value, if inside { 9 } else { 0 }, "{width}×{height} at {x},{y}");
            let source = source_pixel(&view.record.mapping, x, y);
            assert_eq!(source, inside.then(|| (x - left, y - top)));
        }
        assert_eq!(view.record.mapping.content, Region { left, top, width, height });
        let padded = Step::View(ViewStep::PadToSquare { side, left, top });
        assert_eq!(view.record.steps.contains(&padded), width != height);
    }
}

#[test]
fn each_kind_of_samples_has_its_steps() {
    let stretch = |min, max| Step::View(ViewStep::StretchRange { min, max });
    let (eight, rgb) = (Step::View(ViewStep::ToEightBits), Step::View(ViewStep::GrayToRgb));
    for (recipe, samples, expected, steps) in [
        (Recipe::Film, Samples::Gray8(vec![1, 2]), vec![1, 1, 1, 2, 2, 2], vec![rgb.clone()]),
        (Recipe::Raw, Samples::Gray8(vec![1, 2]), vec![1, 1, 1, 2, 2, 2], vec![rgb.clone()]),
        (
            Recipe::Film,
            Samples::Gray16(vec![0, 4095]),
            vec![0, 0, 0, 255, 255, 255],
            vec![stretch(0, 4095), eight.clone(), rgb.clone()],
        ),
        (Recipe::Raw, Samples::Gray16(vec![0, 4095]), vec![0, 0, 0, 16, 16, 16], vec![eight.clone(), rgb]),
        (Recipe::Film, Samples::Rgb8(vec![1, 2, 3, 4, 5, 6]), vec![1, 2, 3, 4, 5, 6], vec![]),
        (
            Recipe::Film,
            Samples::Rgb16(vec![257, 514, 0, 65535, 385, 386]),
            vec![1, 2, 0, 255, 1, 2],
            vec![eight],
        ),
    ] {
        let view = view(recipe, &study(2, 1, samples));
        let first_row: Vec<u8> = view.image.pixels().iter().take(6).copied().collect();
        assert_eq!(first_row, expected);
        let padded = Step::View(ViewStep::PadToSquare { side: 2, left: 0, top: 0 });
        let mut steps = steps;
        if recipe == Recipe::Film {
            steps.push(padded);
        }
        assert_eq!(view.record.steps, steps);
    }
}

/// Every orientation and padding of a picture whose pixels name their place in the file.
#[test]
fn a_pixel_leads_back_to_the_file_through_orientation_and_padding() {
    let (stored_width, stored_height) = (5, 3);
    for exif in 1..=8 {
        let orientation = Orientation::try_from(exif).expect("an orientation");
        let (width, height) = if orientation.swaps_sides() { (3, 5) } else { (5, 3) };
        // Values are `1 + 10·row + column` of the file, found by the map that intake's own test proves.
        let [[a, b, c], [d, e, f]] = orientation.to_stored(stored_width, stored_height);
        let samples = (0..width * height)
            .map(|index| {
                let (x, y) = ((index % width) as f64 + 0.5, (index / width) as f64 + 0.5);
                let (column, row) = ((a * x + b * y + c) as usize, (d * x + e * y + f) as usize);
                (1 + 10 * row + column) as u8
            })
            .collect();
        let mut study = study(width, height, Samples::Gray8(samples));
        study.frames[0].orientation = orientation;
        let view = view(Recipe::Film, &study);
        let mapping = &view.record.mapping;
        assert_eq!((mapping.source_width, mapping.source_height), (stored_width, stored_height));
        let (values, _) = gray(&view);
        let mut n_seen = 0;
        for (index, value) in values.into_iter().enumerate() {
            let (x, y) = (index % 5, index / 5);
            match source_pixel(mapping, x, y) {
                None => assert_eq!(value, 0),
                Some((column, row)) => {
                    assert_eq!(value, (1 + 10 * row + column) as u8, "orientation {exif} at {x},{y}");
                    n_seen += 1;
                }
            }
        }
        assert_eq!(n_seen, 15);
    }
}

#[test]
fn labels_and_numbers_of_several_pictures() {
    let mut study = study(2, 2, Samples::Gray8(vec![1; 4]));
    assert_eq!(make(Recipe::Film, &study).expect("a view")[0].record.label, None);
    let mut second = study.frames[0].clone();
    second.source = 1;
    study.frames.push(second);
    let views = make(Recipe::Film, &study).expect("views");
    let told: Vec<_> = views
        .iter()
        .map(|view| (view.record.label.as_deref(), view.record.frame, view.record.source))
        .collect();
    assert_eq!(told, [(Some("IMAGE 1"), 0, 0), (Some("IMAGE 2"), 1, 1)]);
    assert!(make(Recipe::Raw, &study).expect("views").iter().all(|view| view.record.label.is_none()));
}

#[test]
fn a_strip_does_not_become_an_enormous_square() {
    let strip = study(40_000, 1, Samples::Gray8(vec![0; 40_000]));
    let error = make_one(Recipe::Film, &strip, 0, None).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::View);
    assert!(error.to_string().contains("40000×40000"), "{error}");
    assert!(make_one(Recipe::Raw, &strip, 0, None).is_ok());
}

#[test]
fn strips_do_not_become_many_large_squares() {
    // Each alone would do: 12000² is half of what is allowed.
    let mut strips = study(12_000, 1, Samples::Gray8(vec![0; 12_000]));
    let strip = strips.frames[0].clone();
    strips.frames.push(strip);
    let error = make(Recipe::Film, &strips).expect_err("too large together");
    assert_eq!(error.kind(), ErrorKind::View);
    assert!(error.to_string().contains("268435456 pixels in all, found more in 2 pictures; "), "{error}");
    assert_eq!(make(Recipe::Raw, &strips).expect("small as they are").len(), 2);
}

fn plain(width: usize, height: usize, value: u8) -> RgbImage {
    RgbImage::new(width, height, vec![value; width * height * 3]).expect("sides and samples agree")
}

#[test]
fn thumbnails_keep_their_proportions() {
    for (width, height, expected) in [(896, 896, (224, 224)), (100, 400, (56, 224)), (5000, 1, (224, 1))] {
        let small = thumbnail(&plain(width, height, 7)).expect("a small picture");
        assert_eq!((small.width(), small.height()), expected);
        assert!(small.pixels().iter().all(|sample| *sample == 7));
    }
}

#[test]
fn a_contact_sheet_shows_every_picture_in_its_place_with_its_caption() {
    let pictures: Vec<_> = (0..12).map(|index| (plain(224, 224, 100 + index), String::new())).collect();
    let sheet = contact_sheet(&pictures).expect("a sheet");
    assert_eq!((sheet.width(), sheet.height()), (10 * 228 + 4, 2 * 242 + 4));
    for index in 0..12 {
        let (x, y) = (4 + index % 10 * 228 + 100, 4 + index / 10 * 242 + 100);
        assert_eq!(usize::from(sheet.pixels()[(y * sheet.width() + x) * 3]), 100 + index);
    }
    // The letters of a caption, as dots of two pixels.
    let sheet = contact_sheet(&[(plain(224, 224, 0), "T1".to_owned())]).expect("a sheet");
    let dot = |column: usize, row: usize| {
        let (x, y) = (4 + 2 * column, 4 + 224 + 4 + 2 * row);
        if sheet.pixels()[(y * sheet.width() + x) * 3] == 240 { '#' } else { '.' }
    };
    let drawn: Vec<String> = (0..5).map(|row| (0..7).map(|column| dot(column, row)).collect()).collect();
    assert_eq!(drawn, ["###..#.", ".#..##.", ".#...#.", ".#...#.", ".#..###"]);

    assert!(contact_sheet(&[]).is_err());
    assert!(
        contact_sheet(&[(plain(225, 10, 0), String::new())])
            .expect_err("large")
            .to_string()
            .contains("225×10")
    );
    let long = contact_sheet(&[(plain(10, 10, 0), "8".repeat(500))]).expect("a sheet");
    assert_eq!(long.width(), 232);
}
