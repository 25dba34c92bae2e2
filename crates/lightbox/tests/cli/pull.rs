//! `models pull` against a server of the hub's protocol: what arrives, what is resumed, what is refused.

use std::path::PathBuf;

use serde_json::json;

use crate::bench::{Bench, Outcome, names};
use crate::hub::{self, COMMIT, Kept, Reply, Seen, Server, model_files};

const REPO: &str = "google/medgemma-test";

/// A bench whose hub is `server`.
fn bench(server: &Server) -> Bench {
    let mut bench = Bench::new();
    bench.set("HF_ENDPOINT", &server.url);
    bench
}

fn pull(bench: &Bench) -> Outcome {
    bench.line(&format!("models pull {REPO} --accept-terms --json"))
}

fn cached(bench: &Bench) -> PathBuf {
    bench.path(".cache/huggingface/hub/models--google--medgemma-test")
}

fn as_sent(_: usize, _: &Seen, reply: Reply) -> Reply {
    reply
}

/// The large file, which is the one that the tests below break.
fn weights(files: &[Kept]) -> &Kept {
    files.iter().find(|file| file.large).expect("a model has weights")
}

#[test]
fn a_model_arrives_in_the_cache_of_the_hubs_own_tools() {
    let files = model_files();
    let cdn = hub::cdn(files.clone(), as_sent);
    let server = hub::hub(files.clone(), &cdn.url);
    let mut bench = bench(&server);
    bench.set("HF_TOKEN", "hf_secret");
    let outcome = pull(&bench);
    outcome.expect(0, &["Health AI Developer Foundations", "prohibited use policy", "Accepted"]);
    let folder = cached(&bench);
    let snapshot = folder.join("snapshots").join(COMMIT);
    assert_eq!(names(&snapshot), ["config.json", "model.safetensors"]);
    for name in names(&snapshot) {
        let file = files.iter().find(|file| file.name == name).expect("one of the model's");
        assert_eq!(std::fs::read(snapshot.join(&name)).expect("a link that leads somewhere"), file.bytes);
        let link = std::fs::read_link(snapshot.join(&name)).expect("a link");
        assert_eq!(link, PathBuf::from("../../blobs").join(file.etag()));
    }
    assert_eq!(std::fs::read_to_string(folder.join("refs/main")).expect("a named revision"), COMMIT);
    let answer = outcome.json();
    assert_eq!(answer["commit"], COMMIT);
    assert_eq!(answer["folder"], json!(snapshot));
    assert_eq!(answer["files"][0]["checked"], "git-sha1");
    assert_eq!(answer["files"][1]["checked"], "sha256");

    // The token goes to the hub, and to nobody else; nobody sees it.
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer hf_secret")));
    assert!(!cdn.seen().is_empty() && cdn.seen().iter().all(|seen| seen.header("authorization").is_none()));
    assert!(!outcome.stdout.contains("hf_secret") && !outcome.stderr.contains("hf_secret"));

    // A second time, nothing comes again.
    let again = pull(&bench);
    again.expect(0, &["Accepted earlier"]);
    assert!(again.json()["files"].as_array().expect("files").iter().all(|file| file["present"] == true));
    assert_eq!(again.json()["files"][0]["checked"], "git-sha1");
    assert_eq!(again.json()["files"][1]["checked"], "size");
    assert_eq!(cdn.seen().len(), 1);
    assert_eq!(server.gets("config.json").len(), 1);
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let files = model_files();
    let cdn = hub::cdn(files.clone(), |n_before, _, mut reply| {
        reply.cut = [Some(300_000), Some(1), Some(100_000)].get(n_before).copied().flatten();
        if n_before == 3 { Reply::new(503) } else { reply }
    });
    let server = hub::hub(files.clone(), &cdn.url);
    let bench = bench(&server);
    pull(&bench).expect(0, &[]);
    let starts: Vec<_> = cdn.gets("x").into_iter().map(|(from, _)| from).collect();
    assert_eq!(starts, [0, 300_000, 300_001, 400_001, 400_001]);
    let path = cached(&bench).join("snapshots").join(COMMIT).join("model.safetensors");
    assert_eq!(std::fs::read(path).expect("it arrived"), weights(&files).bytes);
}

#[test]
fn a_download_that_was_given_up_goes_on_in_the_next_run() {
    let files = model_files();
    let cdn = hub::cdn(files.clone(), |n_before, _, mut reply| {
        reply.cut = match n_before {
            0 => Some(500_000),
            1..=5 => Some(0),
            _ => None,
        };
        reply
    });
    let server = hub::hub(files.clone(), &cdn.url);
    let bench = bench(&server);
    pull(&bench).expect(4, &["model.safetensors", "gave up after 5 tries", "run the same command again"]);
    let etag = weights(&files).etag();
    let blobs = cached(&bench).join("blobs");
    assert_eq!(
        std::fs::metadata(blobs.join(format!("{etag}.incomplete"))).expect("what came").len(),
        500_000
    );
    assert!(!blobs.join(&etag).exists());
    assert!(!cached(&bench).join("refs/main").exists(), "a name promises that all files are there");
    pull(&bench).expect(0, &["going on at 500 kB"]);
    assert_eq!(cdn.gets("x").last().map(|(from, _)| *from), Some(500_000));
    assert_eq!(std::fs::read(blobs.join(&etag)).expect("it arrived"), weights(&files).bytes);
    assert!(!blobs.join(format!("{etag}.incomplete")).exists());
}

#[test]
fn a_server_that_does_not_know_ranges_is_asked_for_the_whole() {
    let files = model_files();
    let whole = weights(&files).bytes.clone();
    let cdn = hub::cdn(files.clone(), move |n_before, _, mut reply| match n_before {
        0 => {
            reply.cut = Some(1000);
            reply
        }
        _ => Reply::new(200).body(whole.clone()),
    });
    let server = hub::hub(files.clone(), &cdn.url);
    let bench = bench(&server);
    pull(&bench).expect(0, &[]);
    let blob = cached(&bench).join("blobs").join(weights(&files).etag());
    assert_eq!(std::fs::read(blob).expect("it arrived"), weights(&files).bytes);
}

#[test]
fn what_is_not_what_was_announced_never_enters_the_cache() {
    type Spoil = fn(usize, &Seen, Reply) -> Reply;
    let flipped: Spoil = |_, _, mut reply| {
        reply.body[12_345] ^= 1;
        reply
    };
    let longer: Spoil = |_, _, mut reply| {
        reply.body.extend_from_slice(b"more");
        reply
    };
    let elsewhere: Spoil = |n_before, _, mut reply| {
        if n_before == 0 {
            reply.cut = Some(1000);
            return reply;
        }
        let body = reply.body;
        Reply::new(206).with("Content-Range", format!("bytes 0-{}/9", body.len() - 1)).body(body)
    };
    for (spoil, words) in [
        (flipped, ["model.safetensors", "expected sha256", "dropped"]),
        (longer, ["model.safetensors", "expected 800000 bytes", "sends more"]),
        (elsewhere, ["model.safetensors", "expected range `bytes 1000-799999/800000`", "found `bytes 0-"]),
    ] {
        let files = model_files();
        let cdn = hub::cdn(files.clone(), spoil);
        let server = hub::hub(files.clone(), &cdn.url);
        let bench = bench(&server);
        pull(&bench).expect(4, &words);
        assert!(!cached(&bench).join("blobs").join(weights(&files).etag()).exists());
        assert!(!cached(&bench).join("snapshots").join(COMMIT).join("model.safetensors").exists());
    }
}

#[test]
fn a_small_file_is_checked_when_it_comes_and_where_it_is() {
    let files = model_files();
    let cdn = hub::cdn(files.clone(), as_sent);
    let (cdn_url, kept) = (cdn.url.clone(), files.clone());
    let flipped = Server::start(move |seen| {
        let mut reply = hub::answer(&kept, &cdn_url, seen);
        if seen.path.ends_with("config.json") {
            reply.body[3] ^= 1;
        }
        reply
    });
    let spoilt = bench(&flipped);
    pull(&spoilt).expect(4, &["config.json", "expected git-sha1", "dropped"]);
    assert!(names(&cached(&spoilt).join("blobs")).is_empty());

    let server = hub::hub(files.clone(), &cdn.url);
    let bench = bench(&server);
    pull(&bench).expect(0, &[]);
    let config = files.iter().find(|file| file.name == "config.json").expect("one of the model's");
    let blob = cached(&bench).join("blobs").join(config.etag());
    let mut bytes = config.bytes.clone();
    bytes[3] ^= 1;
    std::fs::write(&blob, bytes).expect("our own file");
    let again = pull(&bench);
    again.expect(0, &["config.json", "not what the hub has"]);
    assert_eq!(
        (&again.json()["files"][0]["present"], &again.json()["files"][1]["present"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(std::fs::read(&blob).expect("it came again"), config.bytes);
}

#[test]
fn a_commit_that_no_name_leads_to_is_listed_and_found() {
    let mut files = model_files();
    for file in &mut files {
        let path = format!("{}/../models/phantom/{}", env!("CARGO_MANIFEST_DIR"), file.name);
        if let Ok(bytes) = std::fs::read(path) {
            file.bytes = bytes;
        }
    }
    let cdn = hub::cdn(files.clone(), as_sent);
    let server = hub::hub(files, &cdn.url);
    let bench = bench(&server);
    let pinned = bench.line(&format!("models pull {REPO} --revision {COMMIT} --accept-terms"));
    pinned.expect(0, &[]);
    assert!(!cached(&bench).join("refs").exists(), "a commit is no name");
    let listed = bench.line("models list --json").json();
    let name = format!("{REPO}@{COMMIT}");
    assert!(listed.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name)), "{listed}");
    let found = bench.run(["models", "check", &name]);
    assert!(found.stdout.contains(COMMIT), "{} {}", found.stdout, found.stderr);
    // What did not come whole is no model.
    std::fs::remove_file(cached(&bench).join("snapshots").join(COMMIT).join("model.safetensors"))
        .expect("our own file");
    assert!(!bench.line("models list").stdout.contains(REPO));
}

#[test]
fn a_hub_that_contradicts_itself_is_not_believed() {
    for (header, value, words) in [
        ("X-Linked-Size", "7".to_owned(), ["model.safetensors", "lists 800000 bytes and offers 7"]),
        ("X-Linked-Etag", format!("\"{}\"", "a".repeat(64)), ["model.safetensors", "lists sha256"]),
        (
            "X-Linked-Etag",
            "\"../../../evil\"".to_owned(),
            ["model.safetensors", "40 or 64 hexadecimal digits"],
        ),
    ] {
        let files = model_files();
        let cdn = hub::cdn(files.clone(), as_sent);
        let cdn_url = cdn.url.clone();
        let server = Server::start(move |seen| {
            let mut reply = hub::answer(&files, &cdn_url, seen);
            for found in reply.headers.iter_mut().filter(|(name, _)| name == header) {
                found.1.clone_from(&value);
            }
            reply
        });
        pull(&bench(&server)).expect(4, &words);
        assert!(cdn.seen().is_empty());
    }
}

#[test]
fn a_refusal_of_the_hub_says_what_to_do() {
    for (status, code, exit, words) in [
        (401, "GatedRepo", 6, ["gated", "HF_TOKEN"]),
        (403, "GatedRepo", 6, ["gated", "accept the terms"]),
        (401, "", 4, ["no such repository", "check the name"]),
        (404, "RepoNotFound", 4, ["no such repository", "404"]),
        (404, "RevisionNotFound", 4, ["no such revision", "main"]),
        (400, "", 4, ["answers 400", "/api/models"]),
    ] {
        let server = Server::start(move |_| Reply::new(status).with("X-Error-Code", code));
        pull(&bench(&server)).expect(exit, &words);
        assert_eq!(server.seen().len(), 1, "{status} {code} is not worth another try");
    }
}

#[test]
fn a_gated_file_is_a_matter_of_policy() {
    let files = model_files();
    let server = Server::start(move |seen| {
        if seen.path.starts_with("/api/") {
            return hub::answer(&files, "", seen);
        }
        Reply::new(403).with("X-Error-Code", "GatedRepo")
    });
    pull(&bench(&server)).expect(6, &["config.json", "gated"]);
}

#[test]
fn nothing_is_asked_before_the_terms_are_accepted_or_where_connections_are_forbidden() {
    let server = hub::hub(model_files(), "http://127.0.0.1:9");
    let mut bench = bench(&server);
    bench
        .line(&format!("models pull {REPO}"))
        .expect(6, &["Terms of Use", "--accept-terms", "nothing was fetched"]);
    bench.line("models pull some/other").expect(6, &["https://huggingface.co/some/other", "--accept-terms"]);
    bench.set("HF_HUB_OFFLINE", "1");
    pull(&bench).expect(6, &["HF_HUB_OFFLINE"]);
    bench.set("HF_HUB_OFFLINE", "").set("TRANSFORMERS_OFFLINE", "yes");
    pull(&bench).expect(6, &["TRANSFORMERS_OFFLINE"]);
    assert!(server.seen().is_empty());
    assert!(!bench.path("data/terms").exists());
}

#[test]
fn a_token_never_travels_unencrypted() {
    let mut bench = Bench::new();
    bench.set("HF_ENDPOINT", "http://hub.invalid").set("HF_TOKEN", "hf_secret");
    pull(&bench).expect(6, &["not https", "token"]);
}

#[test]
fn a_token_is_found_where_the_hubs_own_tools_put_it() {
    let files = model_files();
    let cdn = hub::cdn(files.clone(), as_sent);
    let server = hub::hub(files, &cdn.url);
    let mut bench = bench(&server);
    bench.file("hf/token", "hf_from_file\n");
    bench.set("HF_HOME", bench.path("hf").to_str().expect("a plain path"));
    pull(&bench).expect(0, &[]);
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer hf_from_file")));
    assert!(bench.path("hf/hub/models--google--medgemma-test/refs/main").exists());
    bench.file("elsewhere", "hf_elsewhere\n");
    bench.set("HF_TOKEN_PATH", bench.path("elsewhere").to_str().expect("a plain path"));
    pull(&bench).expect(0, &[]);
    assert_eq!(
        server.seen().last().and_then(|seen| seen.header("authorization").map(str::to_owned)).as_deref(),
        Some("Bearer hf_elsewhere")
    );
}

#[test]
fn wrong_names_are_wrong_usage() {
    let bench = Bench::new();
    for (line, word) in [
        ("models pull medgemma --accept-terms", "ORG/NAME"),
        ("models pull ../x/y --accept-terms", "ORG/NAME"),
        ("models pull a/b --revision ../x --accept-terms", "a branch, tag or commit"),
    ] {
        bench.line(line).expect(2, &[word]);
    }
}
