//! `prepare`: the pictures for the model, the way back, the budget.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::{Bench, names};

fn sides(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).expect("it was written"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    let info = reader.next_frame(&mut pixels).expect("a whole picture");
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width, info.height, pixels)
}

fn view(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("view.json")).expect("it was written")).expect("JSON")
}

#[test]
fn a_film_is_prepared_without_any_model() {
    let bench = Bench::new();
    bench.film("film.png");
    let outcome = bench.line("prepare film.png --out views --json");
    outcome.expect(0, &[]);
    let folder = bench.path("views");
    assert_eq!(names(&folder), ["contact-sheet.png", "frame-0001-model.png", "frame-0001.png", "view.json"]);
    let view = view(&folder);
    assert_eq!(view, outcome.json());
    assert_eq!(
        view["model"],
        json!({"name": "medgemma-1.5-4b", "image_size_px": 896, "tokens_per_image": 256})
    );
    let frame = &view["frames"][0];
    assert_eq!(
        (&frame["file"], &frame["model_file"]),
        (&json!("frame-0001.png"), &json!("frame-0001-model.png"))
    );
    // 70 × 86 pixels, padded to a square with 8 columns before and 8 behind.
    let (width, height, pixels) = sides(&folder.join("frame-0001.png"));
    assert_eq!((width, height), (86, 86));
    assert!(pixels.chunks_exact(86 * 3).all(|row| row[..8 * 3].iter().all(|&sample| sample == 0)));
    assert_eq!(frame["mapping"]["view_to_source"], json!([[1.0, 0.0, -8.0], [0.0, 1.0, 0.0]]));
    assert_eq!(
        (&frame["mapping"]["source_width"], &frame["mapping"]["source_height"]),
        (&json!(70), &json!(86))
    );
    let steps: Vec<_> = frame["steps"].as_array().expect("steps").iter().map(|step| &step["name"]).collect();
    assert_eq!(steps, ["stretch_range", "to_eight_bits", "gray_to_rgb", "pad_to_square"]);
    assert_eq!(
        (sides(&folder.join("frame-0001-model.png")).0, view["budget"]["image_tokens"].clone()),
        (896, json!(256))
    );
    assert_eq!(view["budget"]["estimated"], true);
    assert_eq!(view["budget"]["context_tokens"], 131_072);
    assert!(view["budget"]["room_for_answer"].as_u64().is_some_and(|room| room > 100_000));
    // Neither names nor places of the inputs are written down.
    assert!(!view.to_string().contains("film.png"));
}

#[test]
fn a_model_at_hand_says_its_own_sizes_and_counts_exactly() {
    let bench = Bench::new();
    bench.film("a.png");
    bench.file("b.png", lightbox_phantoms::film_of_height(2, 100).png8());
    let folder = crate::checkpoint::copy(&bench, "model");
    // The weights are not opened.
    std::fs::remove_file(folder.join("model.safetensors")).expect("our own file");
    let prepared = bench.line("prepare a.png b.png --out views --model ./model --json").json();
    assert_eq!(
        (&prepared["model"]["image_size_px"], &prepared["budget"]["image_tokens"]),
        (&json!(112), &json!(32))
    );
    assert_eq!(prepared["budget"]["estimated"], false);
    assert_eq!(prepared["frames"][1]["label"], "IMAGE 2");
    assert_eq!(sides(&bench.path("views/frame-0002-model.png")).0, 112);
    let read = bench.line("findings a.png b.png --max-tokens 1 --json").json();
    assert_eq!(read["budget"]["text_tokens"], prepared["budget"]["text_tokens"]);
    assert_eq!(read["views"][1]["sha256"], prepared["frames"][1]["sha256"]);
}

#[test]
fn only_its_own_earlier_files_are_replaced() {
    let bench = Bench::new();
    bench.film("a.png");
    bench.line("prepare a.png a.png --out views").expect(0, &[]);
    bench.file("views/note.txt", "mine");
    // Fewer pictures than before: what `view.json` no longer names is gone, what is not its own stays.
    bench.line("prepare a.png --out views").expect(0, &[]);
    let folder = bench.path("views");
    assert_eq!(
        names(&folder),
        ["contact-sheet.png", "frame-0001-model.png", "frame-0001.png", "note.txt", "view.json"]
    );
    bench.file("other/frame-0001.png", "mine");
    bench.line("prepare a.png --out other").expect(2, &["other/frame-0001.png", "--force"]);
    assert_eq!(names(&bench.path("other")), ["frame-0001.png"]);
    assert_eq!(std::fs::read(bench.path("other/frame-0001.png")).expect("untouched"), b"mine");
    bench.line("prepare a.png --out other --force").expect(0, &[]);
    // A file that names files elsewhere does not make them its own.
    bench.file(
        "evil/view.json",
        r#"{"format":1,"frames":[{"file":"../a.png","model_file":"x"}],"contact_sheet":"y"}"#,
    );
    bench.line("prepare a.png --out evil").expect(0, &[]);
    assert!(bench.path("a.png").exists());
}

#[test]
fn a_prompt_that_does_not_fit_is_an_error_and_writes_nothing() {
    let bench = Bench::new();
    bench.film("a.png");
    let pictures = "a.png ".repeat(520);
    // By the built-in profile, and by a model's own tokenizer.
    for (model, n_tokens) in [("", "131072"), ("--model phantom", "2048")] {
        let outcome = bench.line(&format!("prepare {pictures} --out views {model}"));
        outcome.expect(4, &["prompt: expected fewer than the context's", n_tokens, "hand in fewer pictures"]);
        assert!(outcome.stdout.is_empty() && !bench.path("views").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_died_is_finished_by_the_next() {
    let bench = Bench::new();
    bench.film("a.png");
    let died = bench.line_on_a_full_disk(32, "prepare a.png a.png --out views");
    died.expect(1, &["error: ", "views", "no room", "with --out"]);
    assert!(!died.stderr.contains("LIGHTBOX_DATA"), "nothing goes to the data folder: {}", died.stderr);
    let folder = bench.path("views");
    let left = names(&folder);
    assert!(
        left.contains(&"frame-0001.png".to_owned()) && !left.contains(&"view.json".to_owned()),
        "{left:?}"
    );
    // What somebody else put beside it is still not touched.
    bench.file("views/contact-sheet.txt", "mine");
    bench.line("prepare a.png --out views").expect(0, &[]);
    assert_eq!(
        names(&folder),
        ["contact-sheet.png", "contact-sheet.txt", "frame-0001-model.png", "frame-0001.png", "view.json"]
    );
    // Nor does a list of somebody else make files elsewhere our own.
    let list = r#"{"format":1,"frames":[{"file":"../a.png","model_file":"x"}],"contact_sheet":"y"}"#;
    bench.file("evil/unfinished.json", list);
    bench.line("prepare a.png --out evil").expect(0, &[]);
    assert!(bench.path("a.png").exists());
}

#[test]
fn the_budget_of_a_question_counts_its_words() {
    let bench = Bench::new();
    bench.film("a.png");
    let tokens = |question: &str| {
        let arguments =
            ["prepare", "a.png", "--out", "views", "--task", "ask", "--question", question, "--json"];
        let prepared = bench.run(arguments.iter().chain(&["--model", "phantom"])).json();
        prepared["budget"]["text_tokens"].as_u64().expect("a count")
    };
    assert!(tokens("Is there a fracture of any rib on the left side?") > tokens("Why?"));
}
