//! Help, and wrong usage.

use crate::bench::Bench;

const COMMANDS: [&str; 11] = [
    "demo",
    "ask",
    "findings",
    "differential",
    "prepare",
    "run",
    "replay",
    "records",
    "prompts",
    "models",
    "doctor",
];

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let bench = Bench::new();
    let help = bench.line("--help");
    help.expect(0, &[]);
    for word in COMMANDS.into_iter().chain([
        "Exit codes:",
        "130",
        "not a diagnostic device",
        "Nothing leaves the machine",
    ]) {
        assert!(help.stdout.contains(word), "{word}: {}", help.stdout);
    }
    assert!(bench.line("--version").stdout.starts_with("lightbox "));
}

#[test]
fn every_command_explains_itself_with_examples() {
    let bench = Bench::new();
    for command in COMMANDS {
        let help = bench.line(&format!("{command} --help"));
        help.expect(0, &[]);
        assert!(help.stdout.contains(&format!("Usage: lightbox {command}")), "{}", help.stdout);
        if command != "demo" {
            assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
        }
    }
}

#[test]
fn help_may_be_asked_for_in_words() {
    let bench = Bench::new();
    for (words, option) in
        [("help findings", "findings --help"), ("models help check", "models check --help")]
    {
        let help = bench.line(words);
        help.expect(0, &[]);
        assert_eq!(help.stdout, bench.line(option).stdout);
    }
}

#[test]
fn wrong_usage_ends_with_2_and_writes_no_data() {
    let bench = Bench::new();
    bench.film("film.png");
    for (line, word) in [
        ("", "Usage"),
        ("diagnose film.png", "unrecognized subcommand"),
        ("findings", "<INPUT>"),
        ("findings film.png --no-such", "unexpected argument"),
        ("findings film.png --temperature 3", "from 0 to 2"),
        ("findings film.png --temperature -1", "from 0 to 2"),
        ("findings film.png --top-p 0", "above 0"),
        ("findings film.png --top-p -0.5", "above 0"),
        ("findings film.png --top-k 0", "'--top-k <K>': expected a whole number from 1"),
        ("findings film.png --seed -1", "expected a whole number from 0"),
        ("findings film.png --threads 0", "expected a whole number from 1"),
        ("findings film.png --max-tokens -5", "expected a whole number from 1"),
        ("findings film.png --max-tokens 0", "--max-tokens"),
        ("findings film.png --max-thinking-tokens 0", "--max-thinking-tokens"),
        ("findings film.png --keep-views --no-record", "cannot be used with"),
        ("findings film.png --logprobs 3", "--json"),
        ("ask film.png", "expected a question at the end, found a file"),
        ("ask film.png missing.png", "found what looks like the path of a picture"),
        ("ask film.png ../Other/Missing.TIFF", "put the question last, in quotes"),
        ("findings film.png --data-dir film.png", "expected a folder, found a file"),
        ("run", "--request"),
        ("prepare film.png", "--out"),
        ("prepare film.png --out views --task tea", "tea"),
        ("prepare film.png --out film.png", "expected a folder, found a file"),
        ("replay", "<ID>"),
        ("models", "Usage"),
    ] {
        let outcome = bench.line(line);
        outcome.expect(2, &[word]);
        assert!(outcome.stdout.is_empty(), "{line}: {}", outcome.stdout);
    }
    assert!(!bench.path("data").exists(), "wrong usage leaves nothing behind");
}

#[test]
fn what_is_said_never_steers_a_terminal() {
    let bench = Bench::new();
    let name = "evil\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}1m.png";
    bench.file("broken.json", r#"{"messages": [], "evil\u001b[2J": 1}"#);
    let hub = format!("some/{name}");
    for (code, arguments) in [
        (3, &["findings", name][..]),
        (4, &["ask", "hello?", "--model", name]),
        (2, &["models", "pull", &hub]),
        (2, &["findings", "a.png", "--threads", name]),
        (2, &["prepare", "a.png", "--out", "views", "--task", name]),
        (3, &["run", "--request", name]),
        (3, &["run", "--request", "broken.json"]),
    ] {
        let outcome = bench.run(arguments);
        let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        outcome.expect(code, &["error: "]);
        assert!(!outcome.stderr.chars().any(steers), "{arguments:?}: {:?}", outcome.stderr);
    }
}
