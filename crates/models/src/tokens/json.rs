//! `tokenizer.json`, and the names of special tokens that stand in the file beside it.

use std::collections::BTreeMap;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::vocabulary::Vocabulary;
use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

/// The file with the vocabulary.
pub const FILE: &str = "tokenizer.json";
/// The file with the names of special tokens.
pub const CONFIG: &str = "tokenizer_config.json";

/// What the class `GemmaTokenizer` of the reference sets where the file does not.
const DEFAULTS: [(&str, &str); 5] = [
    ("bos_token", "<bos>"),
    ("eos_token", "<eos>"),
    ("mask_token", "<mask>"),
    ("pad_token", "<pad>"),
    ("unk_token", "<unk>"),
];

fn bad(file: &str, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Tokenizer, format!("{file}: {what}"))
}

/// Reads `tokenizer.json`.
///
/// # Errors
/// [`ErrorKind::Files`] if it is missing, [`ErrorKind::Tokenizer`] if it cannot be understood.
pub fn load(files: &ModelFiles) -> Result<Vocabulary> {
    let Some(bytes) = files.read(FILE)? else {
        let error = Error::new(ErrorKind::Files, format!("{files}: no {FILE}"));
        return Err(if files.len("tokenizer.model")?.is_some() {
            error.hint("tokenizer.model alone is not read; fetch tokenizer.json of the same model")
        } else {
            error.hint("fetch the model again")
        });
    };
    parse(&bytes)
}

/// The parts that the `tokenizers` crate reads with a panic where they are not JSON through and through; read here
/// first, so that such a file is an error. The vocabulary, which is long, goes through the crate's own errors.
#[derive(serde::Deserialize)]
struct Outline {
    #[serde(default, rename = "normalizer")]
    _normalizer: Value,
    #[serde(default, rename = "pre_tokenizer")]
    _pre_tokenizer: Value,
    #[serde(default, rename = "post_processor")]
    _post_processor: Value,
    #[serde(default, rename = "decoder")]
    _decoder: Value,
}

/// As [`load`], from the file's bytes.
///
/// # Errors
/// [`ErrorKind::Tokenizer`] if they cannot be understood.
pub fn parse(bytes: &[u8]) -> Result<Vocabulary> {
    serde_json::from_slice::<Outline>(bytes).map_err(|e| bad(FILE, e))?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| bad(FILE, e))?;
    // What a file says of truncation and padding is how someone once batched; the reference switches both off.
    tokenizer.with_truncation(None).map_err(|e| bad(FILE, e))?;
    tokenizer.with_padding(None);
    Ok(Vocabulary::of_json(tokenizer))
}

/// The names under which templates know special tokens (`bos_token`, `boi_token`, …) and their texts.
///
/// # Errors
/// [`ErrorKind::Tokenizer`] for a file that is not understood, disagrees with `vocabulary`, or sets what changes ids.
pub fn specials(files: &ModelFiles, vocabulary: &Vocabulary) -> Result<BTreeMap<String, String>> {
    match files.read(CONFIG)? {
        Some(bytes) => parse_specials(&bytes, vocabulary),
        None => parse_specials(b"{}", vocabulary),
    }
}

/// As [`specials`], from the bytes of `tokenizer_config.json`.
///
/// # Errors
/// As [`specials`].
pub fn parse_specials(bytes: &[u8], vocabulary: &Vocabulary) -> Result<BTreeMap<String, String>> {
    let json: Value =
        serde_json::from_slice(bytes).map_err(|e| bad(CONFIG, format!("not valid JSON: {e}")))?;
    let Some(map) = json.as_object() else {
        return Err(bad(CONFIG, format!("expected a JSON object, found {}", crate::config::shown(&json))));
    };
    for key in ["split_special_tokens", "clean_up_tokenization_spaces"] {
        if map.get(key).is_some_and(|v| *v == Value::Bool(true)) {
            return Err(bad(CONFIG, format!("{key}: expected false, found true"))
                .hint("this setting changes ids or text and is not implemented"));
        }
    }
    let mut texts: BTreeMap<String, String> =
        DEFAULTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let inner = ["extra_special_tokens", "model_specific_special_tokens"]
        .iter()
        .filter_map(|key| map.get(*key).and_then(Value::as_object))
        .flatten();
    for (name, value) in inner.chain(map) {
        if !name.ends_with("_token") || value.is_null() || value.is_boolean() {
            continue;
        }
        // Older files write an added token out in full.
        let Some(text) = value.as_str().or_else(|| value.get("content").and_then(Value::as_str)) else {
            let shown = crate::config::shown(value);
            return Err(bad(CONFIG, format!("{name}: expected a token's text, found {shown}")));
        };
        texts.insert(name.clone(), text.to_owned());
    }
    for (id, token) in map.get("added_tokens_decoder").and_then(Value::as_object).into_iter().flatten() {
        let text = token.get("content").and_then(Value::as_str);
        let there = id.parse::<u32>().ok().and_then(|id| vocabulary.added(id)).map(|added| added.text);
        let there = there.as_deref();
        if text.is_none() || text != there {
            let shown = |t: Option<&str>| t.map_or_else(|| "none".to_owned(), |t| format!("{t:?}"));
            return Err(bad(
                CONFIG,
                format!(
                    "added_tokens_decoder: {id}: expected {}, as {FILE} has it, found {}",
                    shown(there),
                    shown(text)
                ),
            )
            .hint("the two files are of different tokenizers; fetch the model again"));
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod unreadable {
    use super::*;

    #[test]
    fn json_that_the_tokenizers_crate_panics_on_is_an_error() {
        for decoder in [r#"{"type": "Fuse", "#, r#"{"type": "Fuse", "x": "\ud8"#, r#"{"type": "\ud800"}"#] {
            let file = format!(r#"{{"version": "1.0", "decoder": {decoder}, "model": {{"type": "BPE"}}}}"#);
            let error = parse(file.as_bytes()).expect_err(decoder);
            assert_eq!(error.kind(), ErrorKind::Tokenizer, "{decoder}");
        }
    }
}
