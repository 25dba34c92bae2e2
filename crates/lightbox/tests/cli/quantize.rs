//! `models quantize` and `models compare` through the real program.

use serde_json::Value;

use crate::bench::{Bench, names};
use crate::checkpoint::{WEIGHTS, copy};

const CASE: &str = r#"{"messages":[{"role":"user","content":"Is the heart large?"}],"max_tokens":6}"#;

#[test]
fn files_are_written_once_and_told() {
    let bench = Bench::new();
    let told = bench.line("models quantize phantom --type q4_k_m out --json");
    told.expect(0, &[]);
    let json: Value = serde_json::from_str(&told.stdout).expect("JSON");
    assert_eq!(json["text"]["file"], "phantom-q4_k_m.gguf");
    assert_eq!(json["projector"]["file"], "mmproj-phantom-bf16.gguf");
    for file in ["phantom-q4_k_m.gguf", "mmproj-phantom-bf16.gguf", "NOTICE"] {
        assert!(bench.path("out").join(file).is_file(), "{file}");
    }
    bench.line("models quantize phantom --type q8_0 out").expect(1, &["out: is there already", "--force"]);
    bench.line("models quantize phantom --type Q8_0 out --force").expect(0, &[]);
    assert!(!bench.path("out/phantom-q4_k_m.gguf").exists());
    // Files that were fetched are not ours to remove, whatever lies beside them.
    for (name, bytes) in [("theirs/a.gguf", "GGUF"), ("theirs/NOTICE", "words")] {
        bench.file(name, bytes);
        bench
            .line("models quantize phantom --type q8_0 theirs --force")
            .expect(1, &["theirs: expected nothing", "name another folder"]);
    }
    assert_eq!(names(&bench.path("theirs")), ["NOTICE", "a.gguf"]);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let bench = Bench::new();
    bench.file("file", "not a folder");
    for (line, code, words) in [
        (
            "models quantize phantom --type q2_k out",
            2,
            ["q8_0, q6_k, q5_k_m, q4_k_m, q4_0", "read, not written"],
        ),
        ("models quantize ./absent --type q8_0 out", 4, ["./absent", "no such model folder"]),
        (
            "models quantize phantom --type q8_0 file --force",
            1,
            ["file: expected nothing", "name another folder"],
        ),
        ("models quantize phantom --type q8_0 file/out", 1, ["cannot be written", "file"]),
        ("models compare phantom phantom --cases absent.json", 3, ["absent.json", "cannot read"]),
        ("models compare phantom phantom --cases file", 3, ["file", "JSON"]),
    ] {
        bench.line(line).expect(code, &words);
    }
}

#[test]
fn a_model_beside_itself_differs_in_nothing() {
    let bench = Bench::new();
    bench.file("cases/one.json", CASE);
    bench.file("cases/two.jsonl", format!("{CASE}\n\n{CASE}\n"));
    bench.file("cases/notes.txt", "not a case");
    let outcome = bench.line("models compare phantom phantom --cases cases --json");
    outcome.expect(0, &[]);
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(report["n_cases"], 3);
    assert!(report["places"].as_u64().is_some_and(|n| (3..=18).contains(&n)), "{report}");
    assert_eq!(report["kl"]["max"], 0.0);
    assert_eq!(report["same_top"]["share"], 1.0);
    assert_eq!(report["changed"]["n"], 0);
    assert_eq!(report["cases"][2]["case"], "cases/two.jsonl:3");
    let table = bench.line("models compare phantom phantom --cases cases/one.json").stdout;
    assert!(table.contains("changed     answers 0.0 %") && table.contains("cases/one.json"), "{table}");
}

#[test]
fn other_weights_diverge() {
    let bench = Bench::new();
    bench.file("one.json", CASE);
    let path = copy(&bench, "other").join(WEIGHTS);
    let mut bytes = std::fs::read(&path).expect("it is there");
    // Some of the numbers of a matrix of the first layer (bytes 65,664 to 82,048 of the data), turned around in sign.
    let header =
        bytes.first_chunk::<8>().map(|b| u64::from_le_bytes(*b) as usize).expect("a header has a length");
    let data = &mut bytes[8 + header..];
    data[70_000..74_096].chunks_exact_mut(2).for_each(|bf16| bf16[1] ^= 0x80);
    std::fs::write(&path, bytes).expect("a file of the test's own");
    let outcome = bench.line("models compare phantom ./other --cases one.json --json");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert!(report["kl"]["mean"].as_f64().is_some_and(|kl| kl > 0.0), "{report}");
}

#[test]
fn a_tower_in_whole_numbers_is_compared_with_the_exact_one() {
    let bench = Bench::new();
    let film = bench.film("film.png");
    let parts = serde_json::json!([
        {"type": "image_url", "image_url": {"url": film}},
        {"type": "text", "text": "What is it?"}
    ]);
    let case = serde_json::json!({"messages": [{"role": "user", "content": parts}], "max_tokens": 4});
    bench.file("film.json", case.to_string());
    let outcome = bench.line("models compare phantom phantom --vision-b int8 --cases film.json --json");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!((&report["a"]["vision"], &report["b"]["vision"]), (&"exact".into(), &"int8".into()));
    assert!(report["kl"]["mean"].as_f64().is_some_and(|kl| kl > 0.0 && kl < 0.5), "{report}");
}

#[test]
fn narrower_keys_and_values_are_compared_with_those_as_computed() {
    let bench = Bench::new();
    bench.file("case.json", CASE);
    let kl = |kv: &str| {
        let outcome = bench
            .line(&format!("models compare phantom phantom --kv-a f32 --kv-b {kv} --cases case.json --json"));
        let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        assert_eq!((&report["a"]["kv"], &report["b"]["kv"]), (&"f32".into(), &kv.into()));
        report["kl"]["mean"].as_f64().expect("a number")
    };
    assert_eq!(kl("f32"), 0.0);
    let [f16, q8] = ["f16", "q8"].map(kl);
    assert!(0.0 < f16 && f16 < q8 && q8 < 0.5, "{f16} {q8}");
    bench.line("models compare phantom phantom --kv-b q4 --cases case.json").expect(2, &["q4", "q8"]);
}

#[test]
fn a_quantized_copy_is_kept_and_made_again_where_it_is_damaged() {
    let mut bench = Bench::new();
    copy(&bench, "model");
    bench.file("case.json", CASE);
    let cache = bench.path("cache");
    bench.set("XDG_CACHE_HOME", &cache.display().to_string());
    let run = |line: &str| bench.line(&format!("run --request case.json --no-record --quantize {line}"));
    let first = run("q8_0 --model ./model --json");
    first.expect(0, &["kept the quantized copy"]);
    let again = run("q8_0 --model ./model");
    again.expect(0, &[]);
    assert!(!again.stderr.contains("quantized copy"), "{}", again.stderr);
    let copies: Vec<_> = names(&cache.join("lightbox/quantized"));
    let [entry] = copies.as_slice() else { panic!("expected one copy, found {copies:?}") };
    let file = cache.join("lightbox/quantized").join(entry).join("files/model-q8_0.gguf");
    let whole = std::fs::read(&file).expect("it is there");
    let mut flipped = whole.clone();
    flipped[whole.len() * 2 / 3] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped] {
        std::fs::write(&file, damaged).expect("a file of the test's own");
        let mended = run("q8_0 --model ./model");
        mended.expect(0, &["is damaged; it is made again", "kept the quantized copy"]);
        assert_eq!(mended.stdout, again.stdout);
        assert!(std::fs::read(&file).expect("it is there") == whole, "the same bytes");
    }
    run(&format!("q8_0 --model {}", file.display())).expect(2, &["is GGUF already"]);
    // A file where the folder would be.
    bench.set(
        "XDG_CACHE_HOME",
        &bench.file("taken/lightbox", "").parent().expect("a folder").display().to_string(),
    );
    bench
        .line("run --request case.json --no-record --quantize q8_0 --model ./model")
        .expect(1, &["the quantized copy cannot be kept", "set XDG_CACHE_HOME"]);
}

#[test]
fn a_full_disk_leaves_nothing() {
    let bench = Bench::new();
    bench
        .line_on_a_full_disk(100, "models quantize phantom --type q8_0 out")
        .expect(1, &["cannot be written", "out"]);
    assert!(names(&bench.path("")).iter().all(|name| !name.contains("out")), "nothing is left over");
}
