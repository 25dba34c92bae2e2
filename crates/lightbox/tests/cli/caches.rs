//! Pictures that are encoded once: what the second read finds, what makes it compute again, what lies on the disk.

use std::path::PathBuf;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::bench::{Bench, Outcome, names};
use crate::checkpoint::copy;

/// The files of cached entries, in all studies.
fn entries(bench: &Bench) -> Vec<PathBuf> {
    let studies = bench.path("data/studies");
    let folders = names(&studies).into_iter().map(|study| studies.join(study));
    let files = folders.flat_map(|folder| names(&folder).into_iter().map(move |name| folder.join(name)));
    files
        .filter(|path| {
            let name = path.file_name().expect("a file").to_string_lossy();
            name.starts_with("image-") || name.starts_with("prefix-")
        })
        .collect()
}

/// Pictures of a read that were known from memory, from disk, and encoded.
fn counts(read: &Value) -> [u64; 3] {
    ["images_from_memory", "images_from_disk", "images_encoded"]
        .map(|name| read["timings"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {read}")))
}

/// What of a read must not depend on caches: text, and tokens with their log-probabilities.
fn said(read: &Value) -> [Value; 2] {
    ["text", "logprobs"].map(|name| read[name].clone())
}

fn read(bench: &Bench, line: &str) -> Outcome {
    bench.line(&format!("{line} --max-tokens 3 --logprobs 2 --json"))
}

#[test]
fn a_second_question_on_the_same_film_spends_no_time_in_the_tower() {
    let bench = Bench::new();
    bench.film("film.png");
    bench.file("other.png", lightbox_phantoms::film_of_height(2, 86).png16());
    let first = read(&bench, "findings film.png").json();
    assert_eq!(counts(&first), [0, 0, 1]);
    assert_eq!(entries(&bench).len(), 1);
    let second = read(&bench, "findings film.png --threads 1").json();
    assert_eq!(counts(&second), [0, 1, 0]);
    assert_eq!(said(&second), said(&first));
    let plain = read(&bench, "findings film.png --no-cache").json();
    assert_eq!((counts(&plain), said(&plain)), ([0, 0, 1], said(&first)));

    std::fs::copy(bench.path("film.png"), bench.path("renamed.png")).expect("our own file");
    assert_eq!(counts(&read(&bench, "differential renamed.png").json()), [0, 1, 0], "another task and name");
    assert_eq!(counts(&read(&bench, "findings other.png").json()), [0, 0, 1], "another film");
    // Two films together are a study of their own, in which neither was read before; one shown twice is known at once.
    assert_eq!(counts(&read(&bench, "findings film.png other.png film.png").json()), [1, 0, 2]);
    let replayed = bench.run(["replay", first["record"].as_str().expect("recorded")]);
    replayed.expect(0, &[]);
    let shown = bench.run(["records", "show", second["record"].as_str().expect("recorded"), "--json"]).json();
    assert_eq!(shown["reading"]["generation"]["timings"]["images_from_disk"], 1, "the record says it too");
}

#[test]
fn another_tower_is_asked_again_and_another_text_model_is_not() {
    let bench = Bench::new();
    bench.film("film.png");
    read(&bench, "findings film.png").json();
    let weights = |name: &str, tensor: &str| {
        let folder = copy(&bench, name);
        let path = folder.join(crate::checkpoint::WEIGHTS);
        let mut bytes = std::fs::read(&path).expect("our own file");
        let mut start = 0;
        crate::checkpoint::edit_header(&path, |header| {
            start = header[tensor]["data_offsets"][0].as_u64().expect("an offset") as usize;
        });
        let header = u64::from_le_bytes(*bytes.first_chunk::<8>().expect("a length")) as usize;
        bytes[8 + header + start] ^= 1;
        std::fs::write(path, bytes).expect("our own file");
    };
    let all = crate::checkpoint::tensors(&copy(&bench, "same").join(crate::checkpoint::WEIGHTS));
    let ending =
        |end: &str| all.iter().find(|name| name.ends_with(end)).unwrap_or_else(|| panic!("no {end}")).clone();
    weights("text", &ending("layers.0.mlp.down_proj.weight"));
    weights("tower", &ending("encoder.layers.0.mlp.fc1.bias"));
    for (model, expected) in [("same", [0, 1, 0]), ("text", [0, 1, 0]), ("tower", [0, 0, 1])] {
        let found = read(&bench, &format!("findings film.png --model ./{model}")).json();
        assert_eq!(counts(&found), expected, "{model}");
    }
}

#[test]
fn what_was_encoded_in_another_precision_is_not_used() {
    let bench = Bench::new();
    bench.film("film.png");
    for (precision, expected) in
        [("exact", [0, 0, 1]), ("int8", [0, 0, 1]), ("int8", [0, 1, 0]), ("exact", [0, 1, 0])]
    {
        let found = read(&bench, &format!("findings film.png --vision {precision}")).json();
        assert_eq!(counts(&found), expected, "{precision}");
    }
}

#[test]
fn a_damaged_entry_is_dropped_and_made_anew() {
    let bench = Bench::new();
    bench.film("film.png");
    let first = read(&bench, "findings film.png").json();
    let path = entries(&bench).remove(0);
    let whole = std::fs::read(&path).expect("our own file");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    for damaged in [flipped(whole.len() / 2), flipped(5), whole[..100].to_vec(), Vec::new()] {
        std::fs::write(&path, damaged).expect("our own file");
        let outcome = read(&bench, "findings film.png");
        assert_eq!(outcome.stderr.matches("warning: ").count(), 1, "{}", outcome.stderr);
        outcome.expect(5, &["cached entry", "dropped", "computed again"]);
        let again = outcome.json();
        assert_eq!((counts(&again), said(&again)), ([0, 0, 1], said(&first)));
        assert_eq!(counts(&read(&bench, "findings film.png").json()), [0, 1, 0], "rebuilt");
    }
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn pictures_of_a_request_are_known_again_too() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.png")).expect("our own file");
    let url = format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(film));
    let content =
        json!([{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What?"}]);
    let request = json!({"messages": [{"role": "user", "content": content}], "max_tokens": 2});
    bench.file("request.json", request.to_string());
    let images = |line: &str| bench.line(line).json()["lightbox"]["timings"]["images"].clone();
    let run = "run --request request.json --json";
    assert_eq!(images(run), json!({"memory": 0, "disk": 0, "encoded": 1, "prefix": 0}));
    assert_eq!(images(run), json!({"memory": 0, "disk": 1, "encoded": 0, "prefix": 0}));
    assert_eq!(
        images(&format!("{run} --no-cache")),
        json!({"memory": 0, "disk": 0, "encoded": 1, "prefix": 0})
    );
}

#[test]
fn what_is_switched_off_leaves_nothing_on_disk() {
    let mut bench = Bench::new();
    bench.film("film.png");
    for line in ["findings film.png --no-cache", "findings film.png --no-record"] {
        assert_eq!(counts(&read(&bench, line).json()), [0, 0, 1], "{line}");
        assert!(entries(&bench).is_empty(), "{line}");
    }
    read(&bench, "findings film.png").json();
    assert_eq!(entries(&bench).len(), 1);
    bench.set("LIGHTBOX_CACHE", "off");
    assert_eq!(counts(&read(&bench, "findings film.png").json()), [0, 0, 1], "nor is anything used");
    read(&bench, "findings film.png --keep-prefix").expect(2, &["--keep-prefix", "LIGHTBOX_CACHE=off"]);
    assert!(bench.line("cache show").stdout.contains("switched off"));
    bench.set("LIGHTBOX_CACHE", "sometimes");
    read(&bench, "findings film.png").expect(2, &["LIGHTBOX_CACHE", "`off` or a size", "sometimes"]);
    for line in ["--keep-prefix --no-cache", "--keep-prefix --no-record"] {
        read(&bench, &format!("findings film.png {line}")).expect(2, &["cannot be used with"]);
    }
}

#[test]
fn all_entries_together_stay_within_their_limit() {
    let mut bench = Bench::new();
    let films = [1, 2, 3].map(|seed| {
        let name = format!("{seed}.png");
        bench.file(&name, lightbox_phantoms::film_of_height(seed, 86).png16());
        name
    });
    read(&bench, &format!("findings {}", films[0])).json();
    let size = std::fs::metadata(&entries(&bench)[0]).expect("there").len();
    bench.set("LIGHTBOX_CACHE", &(2 * size).to_string());
    for film in &films[1..] {
        read(&bench, &format!("findings {film}")).json();
    }
    assert_eq!(entries(&bench).len(), 2);
    assert_eq!(counts(&read(&bench, &format!("findings {}", films[2])).json()), [0, 1, 0]);
    assert_eq!(counts(&read(&bench, &format!("findings {}", films[0])).json()), [0, 0, 1], "it went first");
    bench.set("LIGHTBOX_CACHE", "10");
    read(&bench, &format!("findings {}", films[1])).expect(5, &[]);
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn what_is_cached_is_shown_and_cleared() {
    let bench = Bench::new();
    bench.film("film.png");
    let nothing = bench.line("cache show --json").json();
    assert_eq!((&nothing["size_bytes"], &nothing["studies"]), (&json!(0), &json!([])));
    assert_eq!(bench.line("cache clear --json").json()["cached"], 0);
    assert!(!bench.path("data").exists(), "looking makes nothing");

    let id = read(&bench, "findings film.png").json()["record"].as_str().expect("recorded").to_owned();
    let shown = bench.line("cache show --json").json();
    let size = std::fs::metadata(&entries(&bench)[0]).expect("there").len();
    let study = &shown["studies"][0];
    assert_eq!((&shown["size_bytes"], &shown["images"]), (&json!(size), &json!(1)));
    assert_eq!((&study["records"], &study["images"], &study["prefixes"]), (&json!(1), &json!(1), &json!(0)));
    let told = bench.line("cache show").stdout;
    assert!(
        told.contains("1 picture") && told.contains("1 record") && told.contains("4.0 GB at most"),
        "{told}"
    );
    assert!(bench.line("doctor").stdout.contains("cached      "));

    let cleared = bench.line("cache clear --json").json();
    assert_eq!((&cleared["cached"], &cleared["key"]), (&json!(1), &json!(false)));
    assert!(entries(&bench).is_empty());
    bench.run(["records", "show", &id]).expect(0, &[]);
    bench.line("records verify").expect(0, &[]);
    assert_eq!(counts(&read(&bench, "findings film.png").json()), [0, 0, 1]);
}

#[test]
fn what_is_cached_goes_with_any_record_of_its_study() {
    let bench = Bench::new();
    bench.film("film.png");
    let ids = [0, 1]
        .map(|_| read(&bench, "findings film.png").json()["record"].as_str().expect("recorded").to_owned());
    let erased = bench.run(["records", "erase", &ids[0]]);
    erased.expect(0, &[]);
    assert!(erased.stdout.contains("2 parts, 1 cached entry"), "{}", erased.stdout);
    assert!(entries(&bench).is_empty());
    bench.run(["records", "show", &ids[1]]).expect(0, &[]);
    read(&bench, "findings film.png").json();
    assert_eq!(entries(&bench).len(), 1);
    let last = bench.line("records list --json").json();
    for record in last["records"].as_array().expect("records") {
        bench.run(["records", "erase", record["id"].as_str().expect("an id")]).expect(0, &[]);
    }
    assert!(names(&bench.path("data/studies")).is_empty(), "no study, no key, no cached entry");
}

#[test]
fn a_prompt_is_kept_where_asked_and_the_next_question_starts_from_it() {
    let bench = Bench::new();
    bench.film("film.png");
    for question in ["effusion", "fracture"] {
        // The picture comes first, so that the questions share it.
        let content = json!([{"type": "image_url", "image_url": {"url": "film.png"}}, {"type": "text", "text": question}]);
        let request =
            json!({"messages": [{"role": "user", "content": content}], "max_tokens": 3, "logprobs": true});
        bench.file(&format!("{question}.json"), request.to_string());
    }
    // Of an answer: prompt tokens that were known, pictures encoded, and what it says.
    let ask = |more: &str, question: &str| {
        let answer = bench.line(&format!("run --request {question}.json --json {more}")).json();
        let id = answer["lightbox"]["record"].as_str().expect("recorded").to_owned();
        let shown = bench.run(["records", "show", &id, "--json"]).json();
        let timings = &shown["reading"]["generation"]["timings"];
        let counts = ["prefix_tokens", "images_encoded"].map(|name| timings[name].as_u64().expect("a count"));
        (counts, answer["choices"].clone(), id)
    };
    let prefixes = || bench.line("cache show --json").json()["prefixes"].as_u64().expect("a count");
    let (_, plain, id) = ask("--no-cache", "fracture");
    assert_eq!((ask("", "effusion").0, prefixes()), ([0, 1], 0), "nobody asked");
    assert_eq!(ask("--keep-prefix", "effusion").0, [0, 0]);
    assert!(prefixes() > 0);
    let ([known, encoded], said, _) = ask("", "fracture");
    assert_eq!((known > 16, encoded, &said), (true, 0, &plain), "{known} known: the picture's 16 and more");
    for path in entries(&bench) {
        let mut bytes = std::fs::read(&path).expect("our own file");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(path, bytes).expect("our own file");
    }
    let (counts, said, _) = ask("", "fracture");
    assert_eq!((counts, &said), ([0, 1], &plain), "damaged entries are not believed");
    ask("--keep-prefix", "fracture");
    assert_eq!((ask("--no-cache", "fracture").0, prefixes() > 0), ([0, 1], true));
    bench.run(["records", "erase", &id]).expect(0, &[]);
    assert!(entries(&bench).is_empty());
}

/// As a read that is killed before its record would leave it.
fn forget_records(bench: &Bench) {
    let folder = entries(bench)[0].parent().expect("a study").to_owned();
    for name in names(&folder).iter().filter(|name| name.len() == 64) {
        std::fs::remove_file(folder.join(name)).expect("our own file");
    }
    for name in ["records.log", "records.head"] {
        std::fs::remove_file(bench.path("data").join(name)).expect("our own file");
    }
    // The head comes first in a data folder that is used.
    read(bench, "ask hello?").json();
}

#[test]
fn a_study_that_holds_cached_entries_alone_is_told_and_can_go() {
    for (clear, gone) in [("cache clear", "1 cached entry"), ("records erase --leftovers", "1 cached entry")]
    {
        let bench = Bench::new();
        bench.film("film.png");
        read(&bench, "findings film.png").json();
        forget_records(&bench);
        let verified = bench.line("records verify");
        verified.expect(0, &["lightbox cache clear"]);
        assert!(verified.stdout.contains("cached    1 study"), "{}", verified.stdout);
        assert!(!verified.stdout.contains("unnamed"), "{}", verified.stdout);
        assert!(bench.line("doctor").stdout.contains("lightbox cache clear"));
        let shown = bench.line("cache show --json").json();
        assert_eq!(shown["studies"][0]["records"], 0);
        let cleared = bench.line(clear);
        cleared.expect(0, &[]);
        assert!(cleared.stdout.contains(gone), "{clear}: {}", cleared.stdout);
        assert_eq!(names(&bench.path("data/studies")).len(), 1, "{clear}: that of the question alone");
        assert_eq!(bench.line("records verify").stderr, "");
    }
}

/// Runs the program after a mount that only it sees; `None`, said as a skipped test, where no test may mount.
#[cfg(target_os = "linux")]
fn mounted(bench: &Bench, test: &str, mount: &str, line: &str) -> Option<Outcome> {
    let run = |line: &str| {
        let program = bench.command([""]);
        let mut command = std::process::Command::new("unshare");
        command.args(["-U", "-r", "-m", "--", "sh", "-c", &format!("{mount} && {line}")]);
        command.arg(program.get_program()).env_clear().current_dir(bench.path("."));
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.output()
    };
    if !run("true").is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: {test}: this machine lets no test mount a folder");
        return None;
    }
    Some(run(&format!("\"$0\" {line}")).expect("it ran before").into())
}

const ASKED: &str = "findings film.png other.png --max-tokens 3 --logprobs 2 --json";

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_nearly_full_is_left_to_records() {
    let bench = Bench::new();
    bench.film("film.png");
    bench.file("other.png", lightbox_phantoms::film_of_height(2, 86).png16());
    let plain = bench.line(&format!("{ASKED} --no-record")).json();
    std::fs::create_dir(bench.path("data")).expect("our own folder");
    let mount = format!("mount -t tmpfs -o size=20m,mode=700 none '{}'", bench.path("data").display());
    let test = "a_disk_that_is_nearly_full_is_left_to_records";
    let Some(outcome) = mounted(&bench, test, &mount, ASKED) else { return };
    outcome.expect(5, &["nothing more of it is cached", "left to records", "record "]);
    assert_eq!(outcome.stderr.matches("warning: ").count(), 1, "{}", outcome.stderr);
    let read = outcome.json();
    assert_eq!((counts(&read), said(&read)), ([0, 0, 2], said(&plain)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_left_alone() {
    let bench = Bench::new();
    bench.film("film.png");
    bench.file("other.png", lightbox_phantoms::film_of_height(2, 86).png16());
    let first = bench.line(ASKED).json();
    let data = bench.path("data");
    let data = data.display();
    let mount = format!("mount --bind '{data}' '{data}' && mount -o remount,ro,bind '{data}'");
    let run = |line: &str| mounted(&bench, "a_folder_that_cannot_be_written_is_left_alone", &mount, line);
    let Some(refused) = run(ASKED) else { return };
    refused.expect(1, &["--no-record"]);
    let read = run(&format!("{ASKED} --no-record")).expect("it ran before");
    assert!(!read.stderr.contains("warning"), "{}", read.stderr);
    assert_eq!((counts(&read.json()), said(&read.json())), ([0, 0, 2], said(&first)));
    run("cache show").expect("it ran before").expect(0, &[]);
    run("cache clear").expect("it ran before").expect(1, &[".lock"]);
}

#[test]
fn two_processes_share_one_cache() {
    let bench = Bench::new();
    let films: Vec<String> = (1..=4).map(|seed| format!("{seed}.png")).collect();
    for (seed, name) in (1..).zip(&films) {
        bench.file(name, lightbox_phantoms::film_of_height(seed, 86).png16());
    }
    let line = format!("findings {} --max-tokens 3 --logprobs 2 --json", films.join(" "));
    let start = || {
        let mut command = bench.command(line.split_whitespace());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("the program starts")
    };
    let both = [start(), start()].map(|child| Outcome::from(child.wait_with_output().expect("it ends")));
    for outcome in &both {
        outcome.expect(5, &[]);
        assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
        assert_eq!(said(&outcome.json()), said(&both[0].json()));
        let [memory, disk, encoded] = counts(&outcome.json());
        assert_eq!((memory, disk + encoded), (0, 4));
    }
    assert_eq!(entries(&bench).len(), 4, "one entry a picture, whoever was first");
    assert_eq!(counts(&bench.line(&line).json()), [0, 4, 0]);
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn a_model_is_removed_with_what_was_made_with_it() {
    let bench = Bench::new();
    bench.film("film.png");
    let commits = ["0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef"];
    let repo = ".cache/huggingface/hub/models--test--phantom";
    for commit in commits {
        let folder = copy(&bench, &format!("{repo}/snapshots/{commit}"));
        // As the hub's own tools do it: contents once, files as links. One file is the first commit's alone.
        for name in names(&folder) {
            let is_own = commit == commits[0] && name == "config.json";
            let blob = bench.path(&format!("{repo}/blobs/{}{name}", if is_own { "own-" } else { "" }));
            std::fs::create_dir_all(blob.parent().expect("a folder")).expect("our own folder");
            std::fs::rename(folder.join(&name), &blob).expect("our own file");
            #[cfg(unix)]
            std::os::unix::fs::symlink(&blob, folder.join(&name)).expect("our own file");
        }
    }
    bench.file(&format!("{repo}/refs/main"), commits[0]);
    bench.file(&format!("{repo}/refs/v/2"), commits[1]);
    read(&bench, "findings film.png --model test/phantom").json();
    bench.file("other.png", lightbox_phantoms::film_of_height(2, 86).png16());
    // The same weights: another name does not make another model.
    let folder = copy(&bench, "own");
    crate::checkpoint::edit(&folder.join("generation_config.json"), |value| value["top_k"] = json!(7));
    read(&bench, "findings other.png --model ./own").json();
    assert_eq!(entries(&bench).len(), 2);

    for (name, words) in [
        ("phantom", "part of the program"),
        ("./own", "yours to remove"),
        ("own", "ORG/NAME"),
        ("test/../phantom", "ORG/NAME"),
        ("test/phantom", "--yes"),
    ] {
        bench.run(["models", "rm", name]).expect(2, &[words]);
    }
    bench.line("models rm test/absent --yes").expect(4, &["not in the hub's cache"]);
    bench.line("models rm test/phantom@absent --yes").expect(4, &["not in the hub's cache"]);
    assert!(folder.is_dir() && entries(&bench).len() == 2);

    // Quantized copies lie under the digest of their model; what one made is known by a digest of its own.
    let digest =
        bench.line("models check test/phantom --json").json()["digest"].as_str().expect("sound").to_owned();
    let copies = ".cache/lightbox/quantized";
    let own = bench.line("models check ./own --json").json()["digest"].as_str().expect("sound").to_owned();
    bench.file(&format!("{copies}/{digest}-q8_0/entry.json"), json!({"digest": "f".repeat(64)}).to_string());
    bench.file(&format!("{copies}/{digest}-q8_0/files/text.gguf"), [0; 1000]);
    bench.file(&format!("{copies}/{digest}-q4_0/files/text.gguf"), [0; 10]);
    bench.file(&format!("{copies}/{own}-q8_0/files/text.gguf"), [0; 10]);
    let removed = bench.line("models rm test/phantom@main --yes --json").json();
    assert_eq!(removed["cached"]["cached"], 1, "what the other model made stays");
    assert_eq!(removed["copies"], 2);
    assert_eq!(names(&bench.path(copies)), [format!("{own}-q8_0")]);
    assert_eq!(removed["size_bytes"], std::fs::metadata(folder.join("config.json")).expect("there").len());
    assert_eq!(names(&bench.path(repo).join("snapshots")), [commits[1]]);
    assert!(!bench.path(repo).join("refs/main").exists() && bench.path(repo).join("refs/v/2").exists());
    read(&bench, &format!("findings film.png --model test/phantom@{}", commits[1])).expect(5, &[]);
    let removed = bench.line("models rm test/phantom --yes");
    removed.expect(0, &[]);
    assert!(removed.stdout.contains("1 cached entry"), "{}", removed.stdout);
    assert!(!bench.path(repo).exists());
    assert_eq!(entries(&bench).len(), 1);
    bench.line("records verify").expect(0, &[]);
}

#[test]
fn what_a_fetched_model_in_gguf_cached_goes_with_it() {
    let bench = Bench::new();
    bench.film("film.png");
    let snapshot =
        ".cache/huggingface/hub/models--test--quantized/snapshots/0123456789abcdef0123456789abcdef01234567";
    std::fs::create_dir_all(bench.path(snapshot).parent().expect("a folder")).expect("our own folder");
    bench.file("other.png", lightbox_phantoms::film_of_height(2, 86).png16());
    // Both have the same tower, so an entry of one film would serve both.
    for (kind, film) in [("q8_0", "film.png"), ("q4_0", "other.png")] {
        bench.line(&format!("models quantize phantom --type {kind} {kind}")).expect(0, &[]);
        read(&bench, &format!("findings {film} --model ./{kind}/phantom-{kind}.gguf")).json();
    }
    // One of the two is fetched; what the other cached stays.
    std::fs::rename(bench.path("q8_0"), bench.path(snapshot)).expect("our own folder");
    assert_eq!(entries(&bench).len(), 2);
    let removed = bench.line("models rm test/quantized --yes --json").json();
    assert_eq!((&removed["cached"]["cached"], entries(&bench).len()), (&json!(1), 1));
    // What is damaged cannot say what is its own.
    let folder = bench.path(snapshot);
    std::fs::create_dir_all(&folder).expect("our own folder");
    std::fs::write(folder.join("model.gguf"), "GGUF").expect("our own file");
    bench.line("models rm test/quantized --yes").expect(0, &["is no whole model", "cache clear"]);
}
