//! Films as hospitals store them: through the whole way to a record, looked into, and refused.

use lightbox_phantoms::dicom::{Coding, DicomOptions, Photometric};
use lightbox_phantoms::{Film, film_of_height};
use serde_json::Value;

use crate::bench::{Bench, names};

fn film() -> Film {
    film_of_height(1, 86)
}

/// A film as DICOM under that name.
fn store(bench: &Bench, name: &str, coding: Coding, photometric: Photometric) {
    bench.file(name, film().dicom(DicomOptions { coding, photometric }));
}

/// The steps of the only picture of a report.
fn actions(report: &Value) -> Vec<String> {
    let steps = report["views"][0]["steps"].as_array().expect("steps");
    let name = |step: &Value| step["action"].as_str().or(step["name"].as_str()).expect("a name").to_owned();
    steps.iter().map(name).collect()
}

#[test]
fn a_dicom_film_goes_the_whole_way_to_a_record_that_replays() {
    let bench = Bench::new();
    let mut seen = Vec::new();
    for (name, coding, photometric, expected) in [
        ("plain", Coding::Uncompressed, Photometric::Monochrome2, &["rescale", "window"][..]),
        ("inverse", Coding::Implicit, Photometric::Monochrome1, &["rescale", "window", "invert"]),
        ("deflated", Coding::Deflated, Photometric::Monochrome2, &["rescale", "window"]),
        ("jpeg-ls", Coding::JpegLs, Photometric::Monochrome2, &["decode", "rescale", "window"]),
        ("rle", Coding::Rle, Photometric::Monochrome2, &["decode", "rescale", "window"]),
        ("lossless", Coding::JpegLossless, Photometric::Monochrome2, &["decode", "rescale", "window"]),
        ("palette", Coding::Rle, Photometric::Palette, &["decode", "apply_palette"]),
    ] {
        store(&bench, name, coding, photometric);
        let report = bench.line(&format!("findings {name} --max-tokens 2 --json")).json();
        let actions = actions(&report);
        let place = |action: &&str| actions.iter().position(|has| has == action);
        let places: Vec<_> = expected.iter().map(place).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {actions:?}");
        assert_eq!(actions[0], "dicom_frame", "{name}");
        assert_eq!(actions.last().map(String::as_str), Some("pad_to_square"), "{name}");
        let id = report["record"].as_str().expect("a record");
        bench.line(&format!("replay {id}")).expect(0, &[]);
        seen.push((name, report["views"][0]["sha256"].clone()));
    }
    // Lossless codings show the same picture. A window is not the same from both ends, and 8 bits of a palette are fewer.
    for (name, sha256) in &seen {
        let is_other = ["inverse", "palette"].contains(name);
        assert_eq!(*sha256 != seen[0].1, is_other, "{name}");
    }
}

#[test]
fn the_window_that_is_wished_is_used_and_kept_for_replay() {
    let bench = Bench::new();
    store(&bench, "film.dcm", Coding::Uncompressed, Photometric::Monochrome2);
    let read = |window: &str| {
        let line = format!("findings film.dcm --max-tokens 2 --json --window {window}");
        let report = bench.line(&line).json();
        let id = report["record"].as_str().expect("a record").to_owned();
        bench.line(&format!("replay {id}")).expect(0, &[]);
        report["views"][0]["sha256"].clone()
    };
    assert_eq!(read("1"), read("default"));
    assert_ne!(read("1"), read("30000,2000"));
    assert_ne!(read("none"), read("30000,2000"));
    for (line, code, words) in [
        ("findings film.dcm --window 2", 3, ["film.dcm", "1 (center 32768, width 65536, LINEAR)"]),
        ("findings film.dcm --frames 2", 3, ["film.dcm", "1 to 1"]),
        ("findings film.dcm --frames 0", 2, ["--frames", "1,5-9"]),
        ("findings film.dcm --window 40,0", 2, ["--window", "a width above 0"]),
        ("findings film.dcm --window 40,80,cubic", 2, ["--window", "sigmoid"]),
        ("prepare film.dcm --out views --window lung", 3, ["film.dcm", "name"]),
    ] {
        bench.line(line).expect(code, &words);
    }
    bench.film("film.png");
    bench.line("findings film.png --window 1").expect(3, &["film.png", "window", "DICOM"]);
}

#[test]
fn show_masks_who_it_is_and_tells_what_is_done() {
    let bench = Bench::new();
    store(&bench, "film.dcm", Coding::JpegLs, Photometric::Monochrome1);
    let shown = bench.line("dicom show film.dcm");
    shown.expect(0, &[]);
    for words in [
        "JPEG-LS Lossless",
        "MONOCHROME1",
        "WindowCenter = 32768",
        "PatientName  (masked)",
        "ViewPosition  PA",
    ] {
        assert!(shown.stdout.contains(words), "`{words}` is missing in {}", shown.stdout);
    }
    assert!(!shown.stdout.contains("PHANTOM"), "{}", shown.stdout);
    assert!(bench.line("dicom show film.dcm --identity").stdout.contains("PHANTOM^FILM"));
    let json = bench.line("dicom show film.dcm --json").json();
    assert_eq!(json["pixels"]["state"], "read");
    assert_eq!(json["pixels"]["image"]["photometric"], "MONOCHROME1");
    assert!(!json.to_string().contains("PHANTOM"));
    // A code string that is none, and an explanation that is more than a name.
    let whole = std::fs::read(bench.path("film.dcm")).expect("the film");
    let at = whole.windows(6).position(|bytes| bytes == b"CHEST ").expect("BodyPartExamined");
    let mut odd = whole.clone();
    odd[at..at + 6].copy_from_slice(b"Doe^Jo");
    bench.file("odd.dcm", odd);
    let shown = bench.line("dicom show odd.dcm");
    assert!(
        shown.stdout.contains("BodyPartExamined  (masked)") && !shown.stdout.contains("Doe"),
        "{}",
        shown.stdout
    );
    bench.line("dicom show film.dcm --frame 2").expect(2, &["--frame", "1 to 1"]);
    bench.film("film.png");
    bench.line("dicom show film.png").expect(3, &["film.png", "expected DICOM, found PNG"]);
}

#[test]
fn decode_writes_each_stage_as_numbers_and_pictures() {
    let bench = Bench::new();
    let film = film();
    store(&bench, "film.dcm", Coding::Rle, Photometric::Monochrome1);
    let array = |stage: &str| {
        bench.line(&format!("dicom decode film.dcm --stage {stage} --out {stage}.npy")).expect(0, &[]);
        let bytes = std::fs::read(bench.path(&format!("{stage}.npy"))).expect("it was written");
        let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        (String::from_utf8(bytes[10..end].to_vec()).expect("a header"), bytes[end..].to_vec())
    };
    let stored: Vec<u16> = film.samples.iter().map(|sample| u16::MAX - sample).collect();
    let shape = format!("(1, {}, {}, )", film.height, film.width);
    let (header, values) = array("stored");
    assert!(header.contains("'<u2'") && header.contains(&shape), "{header}");
    assert_eq!(values, stored.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
    let (header, values) = array("modality");
    assert!(header.contains("'<f8'"), "{header}");
    assert_eq!(values, stored.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect::<Vec<_>>());
    let (header, levels) = array("display");
    assert!(header.contains("'|u1'"), "{header}");
    let film_levels = film.samples.iter().map(|sample| i32::from(*sample) / 257);
    assert!(film_levels.zip(&levels).all(|(film, shown)| (film - i32::from(*shown)).abs() <= 1));
    bench.line("dicom decode film.dcm --out film.png").expect(0, &[]);
    let file = std::io::BufReader::new(std::fs::File::open(bench.path("film.png")).expect("it was written"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    reader.next_frame(&mut pixels).expect("a whole picture");
    assert_eq!(pixels, levels);
    for (line, code, words) in [
        ("dicom decode film.dcm --out film.png", 2, ["film.png", "--force"]),
        ("dicom decode film.dcm --out film.tif", 2, ["--out", ".npy"]),
        ("dicom decode film.dcm --stage modality --out hu.png", 2, ["--out", ".npy"]),
        ("dicom decode film.dcm --stage stored --window 1 --out x.npy", 2, ["--window", "display"]),
        ("dicom decode film.dcm --out no/where.npy", 2, ["--out", "no folder"]),
        ("dicom decode film.dcm --frame 3 --out x.npy", 3, ["frames", "1 to 1"]),
    ] {
        bench.line(line).expect(code, &words);
    }
    assert!(!names(&bench.path("")).iter().any(|name| name.starts_with(".tmp") || name == "x.npy"));
}

/// Two frames where the header declares one: pydicom reads both.
fn store_two_frames(bench: &Bench, name: &str) {
    use lightbox_phantoms::dicom::{DicomFile, Layout};
    let values: Vec<i64> = (0..2 * 12).collect();
    bench.file(name, DicomFile::new("two").native(Layout::gray(4, 3, 8), &values).written());
}

#[test]
fn frames_are_counted_as_in_their_file_and_what_is_odd_is_said() {
    let bench = Bench::new();
    store_two_frames(&bench, "two.dcm");
    let shown = bench.line("dicom show two.dcm");
    assert!(shown.stdout.contains("2 frames") && shown.stdout.contains("note"), "{}", shown.stdout);
    let view = bench.line("prepare two.dcm --frames 2,1 --out views --json").json();
    let frames = view["frames"].as_array().expect("frames");
    let numbers: Vec<_> = frames.iter().map(|frame| frame["source"]["frame_number"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    let notes = frames[0]["steps"][0]["notes"].as_array().expect("notes");
    assert!(!notes.is_empty());
    let written = bench.line("dicom decode two.dcm --frame 2 --stage stored --out two.npy --json").json();
    assert_eq!((&written["frames"], &written["type"]), (&serde_json::json!([2]), &serde_json::json!("|u1")));
    bench.line("dicom decode two.dcm --out two.png").expect(2, &["--out", "one frame, found 2"]);
    bench.file(
        "request.json",
        r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "two.dcm"}}]}]}"#,
    );
    bench.line("run --request request.json").expect(3, &["picture 1 of the request", "2 frames", "--frame"]);
}

#[test]
fn a_small_file_of_very_many_frames_is_refused_before_they_are_made() {
    use lightbox_phantoms::dicom::{DicomFile, Layout};
    let bench = Bench::new();
    let values = vec![1_i64; 5000];
    bench.file("many.dcm", DicomFile::new("many").native(Layout::gray(1, 1, 8), &values).written());
    bench.line("findings many.dcm").expect(3, &["many.dcm", "4096 frames", "--frames"]);
    bench.line("dicom decode many.dcm --stage stored --out many.npy").expect(0, &[]);
}

#[test]
fn a_film_in_a_request_may_be_named_by_its_media_type() {
    use base64::Engine as _;
    let bench = Bench::new();
    let film = film().dicom(DicomOptions::default());
    let url = format!("data:application/dicom;base64,{}", base64::prelude::BASE64_STANDARD.encode(film));
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}],
        "max_tokens": 2,
    });
    bench.file("request.json", body.to_string());
    bench.line("run --request request.json").expect(0, &[]);
}

#[test]
fn what_cannot_be_trusted_is_refused_with_the_way_out() {
    let bench = Bench::new();
    store(&bench, "film.dcm", Coding::Uncompressed, Photometric::Monochrome2);
    let whole = std::fs::read(bench.path("film.dcm")).expect("the film");
    bench.file("cut.dcm", &whole[..whole.len() - 100]);
    let mut mpeg = whole.clone();
    let syntax = b"1.2.840.10008.1.2.1\0";
    let at = mpeg.windows(syntax.len()).position(|window| window == syntax).expect("a transfer syntax");
    mpeg[at..at + syntax.len()].copy_from_slice(b"1.2.840.10008.1.2.2\0");
    bench.file("big-endian.dcm", mpeg);
    for (name, words) in
        [("cut.dcm", ["cut.dcm", "PixelData"]), ("big-endian.dcm", ["Big Endian", "dcmconv"])]
    {
        for command in ["findings", "dicom decode --out x.png"] {
            bench.line(&format!("{command} {name}")).expect(3, &words).expect(3, &["error: "]);
        }
    }
    // That is when one wants to look.
    let shown = bench.line("dicom show cut.dcm");
    shown.expect(0, &[]);
    assert!(shown.stdout.contains("refused: ") && shown.stdout.contains("Rows"), "{}", shown.stdout);
}
