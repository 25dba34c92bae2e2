//! Ids from metadata beside the ids of the same vocabulary's `tokenizer.json`, and files that are refused.

use serde_json::{Value, json};

use super::*;
use crate::sampling::Generator;
use crate::tokens::vocabulary;

const PHANTOM: &str = include_str!("../../../phantom/tokenizer.json");
const CORPUS: &str = include_str!("../../../../../reference/corpus.txt");

/// Metadata in the making.
#[derive(Clone, Default)]
struct File {
    pairs: Vec<(String, Vec<u8>)>,
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl File {
    /// Sets a key; `kind` and the value's bytes as the format numbers and writes them.
    fn set(&mut self, key: &str, kind: u32, value: &[u8]) {
        let value = [&kind.to_le_bytes()[..], value].concat();
        match self.pairs.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((key.to_owned(), value)),
        }
    }

    fn string(&mut self, key: &str, value: &str) {
        self.set(key, 8, &text(value));
    }

    fn number(&mut self, key: &str, value: u32) {
        self.set(key, 4, &value.to_le_bytes());
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.set(key, 7, &[u8::from(value)]);
    }

    fn list(&mut self, key: &str, kind: u32, values: impl IntoIterator<Item = Vec<u8>>) {
        let values: Vec<Vec<u8>> = values.into_iter().collect();
        let head = [&kind.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
        self.set(key, 9, &[head, values.concat()].concat());
    }

    fn texts(&mut self, key: &str, values: &[String]) {
        self.list(key, 8, values.iter().map(|value| text(value)));
    }

    fn without(mut self, key: &str) -> Self {
        self.pairs.retain(|(known, _)| known != key);
        self
    }

    fn read(&self) -> Gguf {
        let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
        bytes.extend((self.pairs.len() as u64).to_le_bytes());
        for (key, value) in &self.pairs {
            bytes.extend(text(key));
            bytes.extend(value);
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        Gguf::parse("m.gguf", &bytes, bytes.len() as u64).expect("sound metadata")
    }
}

/// A vocabulary as a converter has it.
struct Made {
    texts: Vec<String>,
    scores: Vec<f32>,
    kinds: Vec<Kind>,
}

impl Made {
    fn push(&mut self, text: &str, score: f32, kind: Kind) {
        self.texts.push(text.to_owned());
        self.scores.push(score);
        self.kinds.push(kind);
    }

    /// As converters write it: marked pieces have their spaces as spaces.
    fn file(&self, model: &str) -> File {
        let mut file = File::default();
        file.string(MODEL, model);
        file.string("tokenizer.ggml.pre", "default");
        let respelt = self.texts.iter().zip(&self.kinds).map(|(text, kind)| match kind {
            Kind::UserDefined => text.replace('▁', " "),
            _ => text.clone(),
        });
        file.texts(TOKENS, &respelt.collect::<Vec<_>>());
        file.list(SCORES, 6, self.scores.iter().map(|score| score.to_le_bytes().to_vec()));
        file.list(KINDS, 5, self.kinds.iter().map(|kind| kind.number().to_le_bytes().to_vec()));
        for (key, _, usual) in SPECIALS {
            if let Some(id) = self.texts.iter().position(|text| text == usual) {
                file.number(key, id as u32);
            }
        }
        file.flag("tokenizer.ggml.add_space_prefix", false);
        file.flag("tokenizer.ggml.add_bos_token", true);
        file
    }

    fn words(&self, file: &File) -> Result<Words> {
        from_gguf(&file.read(), self.texts.len(), None)
    }
}

fn phantom() -> Value {
    serde_json::from_str(PHANTOM).expect("the bundled tokenizer")
}

/// The pieces of a `tokenizer.json`, kinds as a converter that has only this file gives them.
fn made_from(json: &Value) -> Made {
    let vocab = json["model"]["vocab"].as_object().expect("a vocabulary");
    let mut ids: Vec<(&str, u64)> =
        vocab.iter().map(|(text, id)| (text.as_str(), id.as_u64().expect("an id"))).collect();
    let added = json["added_tokens"].as_array().expect("added tokens");
    ids.extend(
        added
            .iter()
            .map(|token| (token["content"].as_str().expect("text"), token["id"].as_u64().expect("an id"))),
    );
    ids.sort_by_key(|(_, id)| *id);
    ids.dedup();
    let mut made = Made { texts: vec![], scores: vec![], kinds: vec![] };
    for (i, (text, id)) in ids.into_iter().enumerate() {
        assert_eq!(i as u64, id, "ids without a gap");
        let kind = match added.iter().find(|token| token["id"] == json!(id)) {
            Some(token) if token["special"] == json!(true) => Kind::Control,
            Some(_) => Kind::UserDefined,
            None => Kind::Normal,
        };
        made.push(text, -1000.0, kind);
    }
    made
}

/// The family's vocabulary in small: marks, runs, bytes, and pieces that the corpus is full of, scored by `score`.
fn gemma_like(score: impl Fn(usize) -> f32) -> Made {
    let mut made = Made { texts: vec![], scores: vec![], kinds: vec![] };
    for mark in ["<pad>", "<eos>", "<bos>"] {
        made.push(mark, 0.0, Kind::Control);
    }
    made.push("<unk>", 0.0, Kind::Unknown);
    for mark in ["<unused94>", "<unused95>", "<start_of_turn>", "<end_of_turn>", "<td>", "</td>"] {
        made.push(mark, 0.0, Kind::UserDefined);
    }
    for (unit, from) in [("\n", 1), ("▁", 2), ("\t", 2)] {
        for n in from..=31 {
            made.push(&unit.repeat(n), 0.0, Kind::UserDefined);
        }
    }
    for byte in 0..=255u8 {
        made.push(&format!("<0x{byte:02X}>"), 0.0, Kind::Byte);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let spelt: Vec<char> = CORPUS.replace(' ', "▁").chars().collect();
    for n in 1..=6 {
        for window in spelt.windows(n).filter(|window| !window.contains(&'\n')) {
            // A space begins a piece or is all of it.
            if !window[1..].contains(&'▁') {
                *counts.entry(window.iter().collect()).or_default() += 1;
            }
        }
    }
    let mut pieces: Vec<(String, usize)> = counts.into_iter().collect();
    pieces.sort_by_key(|(piece, count)| (std::cmp::Reverse(*count), piece.chars().count()));
    let is_long = |piece: &str| piece.chars().count() > 1;
    let (long, single): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|(piece, _)| is_long(piece));
    for (i, (piece, _)) in long.iter().take(700).enumerate() {
        made.push(piece, score(i), Kind::Normal);
    }
    for (i, (piece, _)) in single.iter().enumerate() {
        made.push(piece, -(10_000.0 + i as f32), Kind::Normal);
    }
    // Letters that only runs of their own are made of: where several ways lead to one piece.
    for (i, n) in (1..=7).chain([9, 12]).enumerate() {
        made.push(&"=".repeat(n), if n == 1 { -20_000.0 } else { score(i * 50) - 0.5 }, Kind::Normal);
    }
    made
}

/// The `tokenizer.json` of such a vocabulary, merges ordered as transformers' `generate_merges` orders them: by score,
/// then the longer left part, then the longer right part, first to last; ties as the vocabulary lists them.
fn json_of(made: &Made) -> Value {
    let ids: BTreeMap<&str, usize> =
        made.texts.iter().enumerate().map(|(id, text)| (text.as_str(), id)).collect();
    let mut merges: Vec<(f32, usize, usize, &str, &str)> = Vec::new();
    for (text, score) in made.texts.iter().zip(&made.scores) {
        for (at, _) in text.char_indices().skip(1) {
            let (left, right) = text.split_at(at);
            if ids.contains_key(left) && ids.contains_key(right) {
                merges.push((*score, left.chars().count(), right.chars().count(), left, right));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)));
    let marked = |kind: &Kind| matches!(kind, Kind::Control | Kind::Unknown | Kind::UserDefined);
    let added: Vec<Value> = made
        .texts
        .iter()
        .zip(&made.kinds)
        .enumerate()
        .filter(|(_, (_, kind))| marked(kind))
        .map(|(id, (text, kind))| {
            json!({"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": *kind != Kind::UserDefined || text.contains("_of_turn")})
        })
        .collect();
    let mut json = phantom();
    json["model"]["vocab"] = json!(ids);
    json["model"]["merges"] = merges.iter().map(|(.., left, right)| json!([left, right])).collect();
    json["added_tokens"] = json!(added);
    json
}

/// Texts that have everything in them that can go wrong, other ones for each seed.
fn texts(seed: u64, n: usize) -> Vec<String> {
    const PARTS: [&str; 44] = [
        " ",
        "  ",
        "   ",
        "\n",
        "\n\n",
        "\t",
        "\t\t",
        "▁",
        "▁▁",
        "\r\n",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "a",
        "an",
        "the",
        "The ",
        " of",
        "lung",
        "heart",
        " is",
        "0",
        "12",
        "3.5",
        ",",
        ".",
        "=",
        "==",
        "é",
        "e\u{301}",
        "\u{301}",
        "👩‍⚕️",
        "🫁",
        "肺",
        "العربية",
        "हिन्दी",
        "<",
        "<0x41>",
        "</td>",
        "<td",
        "<start_of_turn>",
        "<end_of_turn>",
        "<bos>",
        "<unused94>",
    ];
    let mut generator = Generator::new(seed);
    let mut draw = |n: usize| (generator.next_u64() % n as u64) as usize;
    let lines: Vec<&str> = CORPUS.lines().collect();
    (0..n)
        .map(|_| {
            let mut text = String::new();
            for _ in 0..draw(24) {
                match draw(12) {
                    0 => text.push_str(lines[draw(lines.len())]),
                    1 => text.push_str(&PARTS[draw(PARTS.len())].repeat(1 + draw(40))),
                    2 => text.extend(char::from_u32(draw(0x11_0000) as u32)),
                    3 => text.extend((0..draw(60)).map(|_| (b'a' + draw(26) as u8) as char)),
                    _ => text.push_str(PARTS[draw(PARTS.len())]),
                }
            }
            text
        })
        .chain(lines.iter().map(|line| (*line).to_owned()))
        .chain([CORPUS.to_owned(), "=".repeat(1000), " ".repeat(333), "lung".repeat(500)])
        .collect()
}

/// Everything that one vocabulary answers, the other answers too.
fn assert_same(theirs: &Vocabulary, ours: &Vocabulary, n_ids: u32, seed: u64) {
    for id in 0..n_ids + 2 {
        assert_eq!(ours.id_to_token(id), theirs.id_to_token(id), "{id}");
        assert_eq!(ours.is_silent(id), theirs.is_silent(id), "{id}: {:?}", theirs.id_to_token(id));
        assert_eq!(ours.is_byte(id), theirs.is_byte(id), "{id}: {:?}", theirs.id_to_token(id));
        assert_eq!(ours.added(id), theirs.added(id), "{id}");
        if let Some(token) = theirs.id_to_token(id) {
            assert_eq!(ours.token_to_id(&token), Some(id));
        }
    }
    for text in texts(seed, 400) {
        let ids = theirs.encode(&text).expect("bytes for everything");
        assert_eq!(ours.encode(&text).expect("bytes for everything"), ids, "{text:?}");
        assert_eq!(ours.decode(&ids), theirs.decode(&ids), "{text:?}");
    }
    let mut generator = Generator::new(seed);
    for _ in 0..400 {
        let n = generator.next_u64() % 20;
        let ids: Vec<u32> = (0..n).map(|_| (generator.next_u64() % u64::from(n_ids + 3)) as u32).collect();
        assert_eq!(ours.decode(&ids), theirs.decode(&ids), "{ids:?}");
    }
}

#[test]
fn scores_give_the_ids_of_the_merges_that_are_made_from_them() {
    let shuffled = |i: usize| -(((i * 7919 + 13) % 1009) as f32);
    for (seed, made) in [(1, gemma_like(|i| -(i as f32))), (2, gemma_like(shuffled))] {
        let theirs = vocabulary::parse(json_of(&made).to_string().as_bytes()).expect("a tokenizer");
        let words = made.words(&made.file("llama")).expect("sound metadata");
        assert_same(&theirs, &words.vocabulary, made.texts.len() as u32, seed);
        // Pieces that keep `▁` for their spaces, as Ollama's converter leaves them, are the same.
        let mut file = made.file("llama");
        file.texts(TOKENS, &made.texts);
        let words = made.words(&file).expect("sound metadata");
        assert_same(&theirs, &words.vocabulary, made.texts.len() as u32, seed + 10);
    }
}

#[test]
fn merges_give_the_ids_of_their_tokenizer_json() {
    for (seed, json) in [(3, phantom()), (4, json_of(&gemma_like(|i| -(i as f32))))] {
        let made = made_from(&json);
        let mut file = made.file("gpt2");
        let merge = |pair: &Value| {
            let part = |i: usize| pair[i].as_str().expect("a part").to_owned();
            format!("{} {}", part(0), part(1))
        };
        let merges: Vec<String> =
            json["model"]["merges"].as_array().expect("merges").iter().map(merge).collect();
        file.texts(MERGES, &merges);
        let theirs = vocabulary::parse(json.to_string().as_bytes()).expect("a tokenizer");
        for model in ["gpt2", "gemma4"] {
            file.string(MODEL, model);
            let words = made.words(&file).expect("sound metadata");
            assert_same(&theirs, &words.vocabulary, made.texts.len() as u32, seed);
        }
    }
}

/// A small vocabulary that is read, to be made unreadable.
fn sound() -> (Made, File) {
    let mut made = gemma_like(|i| -(i as f32));
    for mark in ["<start_of_image>", "<end_of_image>"] {
        made.push(mark, 0.0, Kind::UserDefined);
    }
    let mut file = made.file("llama");
    file.string(TEMPLATE, "{{ bos_token }}{{ messages[0]['content'] }}");
    (made, file)
}

#[test]
fn special_tokens_are_found_by_key_and_by_text() {
    let (made, file) = sound();
    let id = |text: &str| made.texts.iter().position(|t| t == text).expect(text) as u32;
    let words = made.words(&file).expect("sound");
    assert_eq!(words.stop_ids, [id("<eos>"), id("<end_of_turn>")]);
    assert_eq!(words.specials["bos_token"], "<bos>");
    let mut other = file.clone();
    other.number("tokenizer.ggml.bos_token_id", id("<pad>"));
    other.number("tokenizer.ggml.eot_token_id", id("</td>"));
    other.list(STOP_LIST, 5, [id("<eos>"), id("<td>")].map(|id| id.to_le_bytes().to_vec()));
    let words = made.words(&other).expect("sound");
    assert_eq!(words.stop_ids, [id("<eos>"), id("<end_of_turn>"), id("<td>"), id("</td>")]);
    assert_eq!(words.specials["bos_token"], "<pad>");
    // The markers of a thinking block are text whatever their kind, the others are not.
    for kind in [Kind::UserDefined, Kind::Control, Kind::Unused, Kind::Normal] {
        let mut changed = sound().0;
        changed.kinds[id("<unused94>") as usize] = kind;
        let words = changed.words(&changed.file("llama")).expect("sound");
        let ids = words.vocabulary.encode("a<unused94>b<end_of_turn>").expect("tokens");
        assert_eq!(ids, [id("a"), id("<unused94>"), id("b"), id("<end_of_turn>")], "{kind:?}");
        let silent: Vec<bool> = ids.iter().map(|id| words.vocabulary.is_silent(*id)).collect();
        assert_eq!(silent, [false, false, false, true], "{kind:?}");
    }
}

#[test]
fn arrays_may_be_longer_than_the_table_and_the_soft_token_may_have_no_row() {
    let soft = |mut made: Made, padding: usize, rows: usize, soft_token: u32| {
        for i in 0..padding {
            made.push(&format!("[PAD{i}]"), -10000.0, Kind::Unused);
        }
        let words =
            from_gguf(&made.file("llama").read(), rows, Some(soft_token)).map(|words| words.vocabulary);
        words.map(|vocabulary| (vocabulary.encode("a<image_soft_token>"), vocabulary.first_beyond(rows)))
    };
    let (made, _) = sound();
    let n = made.texts.len();
    let a = made.texts.iter().position(|t| t == "a").expect("a letter") as u32;
    // Past the table, in the place of padding, and with padding past the table, as Ollama has it.
    for (padding, rows) in [(0, n), (64, n + 64), (64, n)] {
        let (ids, beyond) = soft(sound().0, padding, rows, n as u32).expect("sound");
        assert_eq!(ids.expect("tokens"), [a, n as u32], "{padding} {rows}");
        assert_eq!(beyond, None);
    }
    let named = {
        let mut made = sound().0;
        made.push(SOFT_TOKEN, 0.0, Kind::UserDefined);
        made
    };
    assert!(soft(named, 0, n + 1, n as u32).is_ok());
    for (padding, rows, soft_token, message) in [
        (0, n, a, "expected <image_soft_token>, found \"a\""),
        (0, n, n as u32 + 1, "expected <image_soft_token>, found \"none\""),
        (0, n + 1, n as u32, "one a row of the embedding table, found"),
    ] {
        let error = soft(sound().0, padding, rows, soft_token).expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Tokenizer);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn what_would_change_ids_is_refused_by_name() {
    let (made, file) = sound();
    let n = made.texts.len();
    type Change = fn(&mut File, &Made);
    let table: [(Change, &str); 24] = [
        (|f, _| f.string(MODEL, "bert"), "tokenizer.ggml.model: expected"),
        (|f, _| *f = f.clone().without(MODEL), "tokenizer.ggml.model: expected"),
        (|f, _| f.string("tokenizer.ggml.pre", "llama-bpe"), "tokenizer.ggml.pre: expected"),
        (|f, _| f.flag("tokenizer.ggml.add_space_prefix", true), "add_space_prefix: expected false"),
        (|f, _| f.flag("tokenizer.ggml.remove_extra_whitespaces", true), "whitespaces: expected false"),
        (
            |f, _| f.string("tokenizer.ggml.precompiled_charsmap", "x"),
            "unknown key tokenizer.ggml.precompiled",
        ),
        (
            |f, _| f.number("tokenizer.ggml.eos_token_id", 9_999_999),
            "eos_token_id: expected the id of one of",
        ),
        (
            |f, _| f.number("tokenizer.ggml.bos_token_id", 9_999_999),
            "bos_token_id: expected the id of one of",
        ),
        (|f, _| f.string("tokenizer.ggml.eos_token_id", "1"), "eos_token_id: expected a whole number"),
        (|f, _| f.list(STOP_LIST, 5, [(-1i32).to_le_bytes().to_vec()]), "eos_token_ids: expected the id of"),
        (|f, m| f.texts(TOKENS, &m.texts[1..]), "tokens: expected"),
        (|f, _| *f = f.clone().without(TOKENS), "tokens: expected an array of strings, found nothing"),
        (|f, _| *f = f.clone().without(SCORES), "scores: expected an array of numbers, found nothing"),
        (
            |f, _| *f = f.clone().without(KINDS),
            "token_type: expected an array of whole numbers, found nothing",
        ),
        (|f, _| f.list(SCORES, 6, [vec![0; 4]]), "scores: expected"),
        (|f, _| f.list(KINDS, 5, [vec![0; 4]]), "token_type: expected"),
        (
            |f, m| f.list(KINDS, 5, m.texts.iter().map(|_| vec![7, 0, 0, 0])),
            "token 0: expected 1 to 6, found 7",
        ),
        (
            |f, m| f.list(KINDS, 5, m.texts.iter().map(|_| vec![6, 0, 0, 0])),
            "token 0: expected a byte such as",
        ),
        (
            |f, m| f.list(SCORES, 6, m.texts.iter().map(|_| f32::NAN.to_le_bytes().to_vec())),
            "token 0: expected a finite score, found NaN",
        ),
        (
            |f, m| {
                let mut texts = m.texts.clone();
                let last = texts.len() - 1;
                texts[last] = "a".to_owned();
                f.texts(TOKENS, &texts);
            },
            "have the same text \"a\"",
        ),
        (
            |f, m| f.texts(TOKENS, &m.texts.iter().map(|t| t.replace('▁', "Ġ")).collect::<Vec<_>>()),
            "expected pieces \"▁\"",
        ),
        (|f, _| f.string(MODEL, "gpt2"), "merges: expected an array of strings, found nothing"),
        (
            |f, _| {
                f.string(MODEL, "gpt2");
                f.texts(MERGES, &["a b c".to_owned()]);
            },
            "merge 0: expected two pieces with a space between, found \"a b c\"",
        ),
        (
            |f, _| {
                f.string(MODEL, "gpt2");
                f.texts(MERGES, &["a Q?".to_owned()]);
            },
            "merge 0: no token \"Q?\"",
        ),
    ];
    for (change, message) in table {
        let mut changed = file.clone();
        change(&mut changed, &made);
        let error = from_gguf(&changed.read(), n, None).map(|_| ()).expect_err(message);
        assert!(matches!(error.kind(), ErrorKind::Tokenizer | ErrorKind::Config), "{error}");
        assert!(error.to_string().starts_with("m.gguf: "), "{error}");
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
}

#[test]
fn the_template_of_the_file_is_used_and_the_family_s_where_there_is_none() {
    let (_, file) = sound();
    assert_eq!(template_from_gguf(&file.read()).expect("sound").origin(), "m.gguf: tokenizer.chat_template");
    let mut named = file.clone().without(TEMPLATE);
    assert!(template_from_gguf(&named.read()).expect("sound").is_built_in());
    named.string("tokenizer.chat_template.tool_use", "t");
    named.texts(TEMPLATES, &["tool_use".to_owned()]);
    let error = template_from_gguf(&named.read()).expect_err("none of them is for chats");
    assert!(error.to_string().contains("expected one called default, found tool_use"), "{error}");
    named.string("tokenizer.chat_template.default", "d");
    let origin = template_from_gguf(&named.read()).expect("sound").origin().to_owned();
    assert_eq!(origin, "m.gguf: tokenizer.chat_template.default");
    named.string(TEMPLATE, "{% for x in %}");
    let error = template_from_gguf(&named.read()).expect_err("no template");
    assert!(error.to_string().contains("tokenizer.chat_template: syntax error"), "{error}");
}

/// The family's own size: needs `LIGHTBOX_VOCABULARY`, a GGUF file with a vocabulary of Gemma's kind that has merges.
#[test]
fn a_vocabulary_of_full_size_is_ready_at_once_and_has_the_ids_of_its_merges() {
    let Some(path) = std::env::var_os("LIGHTBOX_VOCABULARY") else {
        eprintln!(
            "SKIPPED: a_vocabulary_of_full_size_is_ready_at_once_and_has_the_ids_of_its_merges: LIGHTBOX_VOCABULARY \
             names no file"
        );
        return;
    };
    let bytes = std::fs::read(&path).expect("the file that the variable names");
    let gguf = Gguf::parse("v.gguf", &bytes, bytes.len() as u64).expect("a GGUF file");
    let texts = gguf.texts(TOKENS).expect("texts").expect("tokens");
    let merges = gguf.texts(MERGES).expect("texts").expect("merges");
    let mut made = Made { texts: vec![], scores: vec![], kinds: vec![] };
    let ranks: std::collections::HashMap<String, usize> =
        merges.iter().enumerate().rev().map(|(rank, merge)| (merge.replace(' ', ""), rank)).collect();
    // Scores as whole steps that 32 bits hold: the place among the pieces that are merged.
    let mut order: Vec<usize> = ranks.values().copied().collect();
    order.sort_unstable();
    for text in &texts {
        let is_run = ["\n", "▁", "\t"]
            .iter()
            .any(|unit| text.chars().count() > 1 && text.replace(unit, "").is_empty());
        let kind = match text {
            text if text.starts_with("<0x") && text.len() == 6 => Kind::Byte,
            text if is_run || text.starts_with("<unused") || *text == "\n" => Kind::UserDefined,
            text if text.starts_with('<') && text.ends_with('>') && text.len() > 3 => Kind::Control,
            _ => Kind::Normal,
        };
        let place = ranks.get(*text).map(|rank| order.partition_point(|other| other < rank));
        made.push(text, -(place.unwrap_or(order.len()) as f32), kind);
    }
    let mut json = phantom();
    json["model"]["vocab"] = made
        .texts
        .iter()
        .enumerate()
        .map(|(id, text)| (text.clone(), json!(id)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json["model"]["merges"] = json!(merges);
    let added: Vec<Value> = (0..made.texts.len())
        .filter(|id| matches!(made.kinds[*id], Kind::Control | Kind::UserDefined))
        .map(|id| {
            json!({"id": id, "content": made.texts[id], "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": made.kinds[id] == Kind::Control})
        })
        .collect();
    json["added_tokens"] = json!(added);
    let theirs = vocabulary::parse(json.to_string().as_bytes()).expect("a tokenizer");
    let file = made.file("llama").read();
    let mut best = std::time::Duration::MAX;
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let words = from_gguf(&file, made.texts.len(), None).expect("sound");
        best = best.min(start.elapsed());
        drop(words);
    }
    eprintln!("{} pieces laid out in {best:?}", made.texts.len());
    let words = made.words(&made.file("llama")).expect("sound");
    for text in texts_of_every_kind() {
        let ids = theirs.encode(&text).expect("bytes for everything");
        assert_eq!(words.vocabulary.encode(&text).expect("bytes"), ids, "{text:?}");
        assert_eq!(words.vocabulary.decode(&ids), theirs.decode(&ids), "{text:?}");
    }
    assert!(best < std::time::Duration::from_secs(2), "{best:?}");
}

fn texts_of_every_kind() -> Vec<String> {
    (20..25).flat_map(|seed| texts(seed, 1000)).collect()
}
