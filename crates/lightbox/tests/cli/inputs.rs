//! Inputs that cannot be read: each with its message, none with a panic.

use crate::bench::Bench;
use crate::checkpoint;

/// A PNG whose header says sides that no memory holds.
fn bomb() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&[0])).expect("a small picture");
    bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The checksum of a PNG chunk (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn a_bad_input_is_named_and_nothing_is_recorded() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.png")).expect("the film");
    std::fs::create_dir(bench.path("folder")).expect("a folder of the test's own");
    bench.file("empty.png", b"");
    bench.file("truncated.png", &film[..film.len() / 2]);
    bench.file("bomb.png", bomb());
    bench.file("text.png", b"this is no picture");
    bench.file("slice.dcm", [&[0; 128][..], b"DICM", &[0; 64]].concat());
    let mut flipped = film.clone();
    flipped[film.len() / 2] ^= 0xff;
    bench.file("flipped.png", flipped);
    for (name, words) in [
        ("absent.png", ["absent.png", "no such file"]),
        ("empty.png", ["empty.png", "zero bytes"]),
        ("folder", ["folder", "expected a file, found a directory"]),
        ("truncated.png", ["truncated.png", "PNG"]),
        ("bomb.png", ["bomb.png", "60000"]),
        ("text.png", ["text.png", "no known kind"]),
        ("slice.dcm", ["slice.dcm", "DICOM"]),
        ("flipped.png", ["flipped.png", "PNG"]),
    ] {
        for command in ["findings", "differential", "prepare --out views"] {
            let outcome = bench.line(&format!("{command} film.png {name}"));
            outcome.expect(3, &words).expect(3, &["error: "]);
            assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
        }
    }
    assert!(!bench.path("data").exists() && !bench.path("views").exists());
}

#[test]
fn a_damaged_picture_that_decodes_is_not_our_business_but_a_panic_would_be() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.png")).expect("the film");
    for place in (8..film.len()).step_by(film.len() / 6) {
        let mut damaged = film.clone();
        damaged[place] = !damaged[place];
        bench.file("damaged.png", damaged);
        let outcome = bench.line("prepare damaged.png --out views --force");
        assert!(matches!(outcome.code, Some(0 | 3)), "byte {place}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "byte {place}: {}", outcome.stderr);
    }
}

#[test]
fn what_does_not_fit_the_context_is_said_before_any_work() {
    let bench = Bench::new();
    bench.film("a.png");
    let long = "word ".repeat(3000);
    bench.run(["ask", "a.png", &long]).expect(4, &["prompt", "context's 2048 tokens", "shorten the text"]);
    let many = vec!["a.png"; 120];
    let arguments = ["findings"].iter().chain(&many);
    bench.run(arguments).expect(4, &["context's 2048 tokens", "of pictures", "hand in fewer pictures"]);
    bench.run(["findings", "a.png", "--context-tokens", "30"]).expect(4, &["30 tokens"]);
    bench.run(["findings", "a.png", "--context-tokens", "4000"]).expect(4, &["4000", "1 to 2048"]);
    bench.run(["findings", "a.png", "--chunk", "4"]).expect(4, &["a chunk of 4 tokens", "use at least 16"]);
    assert_eq!(bench.line("records list --json").json()["records"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_does_not_fit_is_known_from_settings_and_tokenizer_alone() {
    let bench = Bench::new();
    bench.film("a.png");
    let folder = checkpoint::copy(&bench, "model");
    let id = crate::records::recorded(&bench, "ask hello? --max-tokens 2 --model ./model");
    // A weights file that would be opened would be missed first.
    std::fs::remove_file(folder.join(checkpoint::WEIGHTS)).expect("our own file");
    let long = "word ".repeat(3000);
    let pictures = "a.png ".repeat(120);
    bench.file(
        "request.json",
        format!(r#"{{"messages": [{{"role": "user", "content": "{long}"}}], "max_tokens": 2}}"#),
    );
    bench.file("limits.json", r#"{"messages": [{"role": "user", "content": "hi"}], "max_tokens": 4000}"#);
    let model = ["--model", "./model"];
    bench.run(["ask", &long].iter().chain(&model)).expect(4, &["prompt", "context's 2048 tokens"]);
    for (line, words) in [
        (format!("findings {pictures}"), ["context's 2048 tokens", "hand in fewer pictures"]),
        (format!("differential {pictures}"), ["context's 2048 tokens", "hand in fewer pictures"]),
        ("findings a.png --max-tokens 2048".to_owned(), ["limits", "2048"]),
        ("run --request request.json".to_owned(), ["prompt", "context's 2048 tokens"]),
        ("run --request limits.json --json".to_owned(), ["limits", "4000"]),
        (format!("replay {id} --context-tokens 8"), ["context's 8 tokens", "prompt"]),
    ] {
        bench.line(&format!("{line} --model ./model")).expect(4, &words);
    }
    bench.line("ask hello? --model ./model").expect(4, &[checkpoint::WEIGHTS]);
}

#[test]
fn a_text_only_model_given_pictures_is_a_matter_of_the_model_everywhere() {
    let bench = Bench::new();
    bench.film("a.png");
    let folder = checkpoint::copy(&bench, "model");
    checkpoint::edit(&folder.join("config.json"), |config| {
        let mut text = config["text_config"].take();
        text["architectures"] = serde_json::json!(["Gemma3ForCausalLM"]);
        text["model_type"] = serde_json::json!("gemma3_text");
        *config = text;
    });
    for command in ["findings a.png", "prepare a.png --out views"] {
        let outcome = bench.line(&format!("{command} --model ./model"));
        outcome.expect(4, &["no pictures for a text-only model", "use a model with a vision tower"]);
    }
    assert!(!bench.path("views").exists());
}

#[cfg(unix)]
#[test]
fn a_data_folder_that_cannot_be_used_is_refused_before_the_run_with_a_way_out() {
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    bench.line("ask hello? --max-tokens 1").expect(5, &[]);
    let key = bench.path("data/install.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("our own file");
    let refused = bench.line("ask hello? --max-tokens 1");
    refused.expect(3, &["install.key", "--no-record does without the data folder"]);
    assert!(refused.stdout.is_empty() && !refused.stderr.contains("notice"), "{}", refused.stderr);
    bench.line("ask hello? --max-tokens 1 --no-record").expect(5, &["truncated"]);
}
