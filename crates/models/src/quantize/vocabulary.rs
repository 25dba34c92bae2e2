//! The vocabulary as llama.cpp's SentencePiece tokenizer takes it: tokens, scores and kinds by id.
//!
//! `tokenizer.json` of the family is byte-pair encoding that was made from a SentencePiece model: merges stand in the order
//! of the scores of what they make. So a token's score is minus the number of its first merge, and the two tokenizers
//! merge in the same order.

use std::collections::HashMap;

use serde::Deserialize;

use crate::files::ModelFiles;
use crate::{Error, ErrorKind, Result};

const FILE: &str = "tokenizer.json";

/// Kinds of tokens, by llama.cpp's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// Tokens, scores and kinds, each by id.
pub(super) struct Vocabulary {
    pub tokens: Vec<String>,
    pub scores: Vec<f32>,
    pub kinds: Vec<i32>,
    ids: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Tokenizer {
    #[serde(default)]
    added_tokens: Vec<Added>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    vocab: HashMap<String, u32>,
    #[serde(default)]
    merges: Vec<Merge>,
}

/// A merge in the old spelling or in the new.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Words(String),
    Pair(String, String),
}

/// The score of what no merge makes, and of tokens that are found whole.
const LOWEST: f32 = -1e6;

impl Vocabulary {
    /// Reads `tokenizer.json`; `rows` are those of the embedding table, which may have more.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] for a file that is not of the family's kind or has more tokens than rows.
    pub(super) fn load(files: &ModelFiles, rows: usize) -> Result<Self> {
        let bytes =
            files.read(FILE)?.ok_or_else(|| Error::new(ErrorKind::Files, format!("{files}: no {FILE}")))?;
        Self::parse(&bytes, rows)
    }

    fn parse(bytes: &[u8], rows: usize) -> Result<Self> {
        let bad = |what: String| Error::new(ErrorKind::Tokenizer, format!("{FILE}: {what}"));
        let tokenizer: Tokenizer = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
        let model = tokenizer.model;
        if model.kind.as_deref().unwrap_or("BPE") != "BPE" || !model.byte_fallback {
            return Err(bad("expected byte-pair encoding with byte_fallback, as the family has".to_owned()));
        }
        let mut all = Self {
            tokens: (0..rows).map(|id| format!("[PAD{id}]")).collect(),
            scores: vec![LOWEST; rows],
            kinds: vec![Kind::Unused as i32; rows],
            ids: HashMap::new(),
        };
        for (text, id) in model.vocab {
            let kind = match text.as_str() {
                "<unk>" => Kind::Unknown,
                byte if is_byte(byte) => Kind::Byte,
                _ => Kind::Normal,
            };
            all.put(id, text, kind)?;
        }
        for (merge, rank) in model.merges.iter().zip(0u32..) {
            let made = match merge {
                Merge::Words(words) => words.replacen(' ', "", 1),
                Merge::Pair(left, right) => format!("{left}{right}"),
            };
            let id = all.ids.get(&made).ok_or_else(|| bad(format!("merge {rank} makes what is no token")))?;
            let score = &mut all.scores[*id as usize];
            *score = score.max(-(rank as f32));
        }
        for added in tokenizer.added_tokens {
            let control = added.special || added.content.starts_with("<unused");
            // Tokens that are found whole are looked for in the text as it is written.
            let text = if control { added.content } else { added.content.replace('▁', " ") };
            all.put(added.id, text, if control { Kind::Control } else { Kind::UserDefined })?;
        }
        Ok(all)
    }

    fn put(&mut self, id: u32, text: String, kind: Kind) -> Result<()> {
        let rows = self.tokens.len();
        let Some(place) = self.tokens.get_mut(id as usize) else {
            // A soft token for pictures may lie past the table: nothing is ever looked up for it.
            if kind == Kind::Control || kind == Kind::UserDefined {
                return Ok(());
            }
            return Err(Error::new(
                ErrorKind::Tokenizer,
                format!("{FILE}: token {id} lies past the {rows} rows of the embedding table"),
            ));
        };
        place.clone_from(&text);
        self.kinds[id as usize] = kind as i32;
        self.ids.insert(text, id);
        Ok(())
    }

    /// The id of a token by its text.
    pub(super) fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }
}

/// Whether a token is a single byte, such as `<0x0A>`.
fn is_byte(text: &str) -> bool {
    let hex = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    hex.is_some_and(|hex| hex.len() == 2 && u8::from_str_radix(hex, 16).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"added_tokens":[{"id":0,"content":"<bos>","special":true},{"id":7,"content":"▁▁▁"},
        {"id":6,"content":"<unused94>"}],
        "model":{"type":"BPE","byte_fallback":true,
        "vocab":{"<bos>":0,"<unk>":1,"<0x0A>":2,"a":3,"b":4,"ab":5,"<unused94>":6,"▁▁▁":7,"aba":8},
        "merges":[["a","b"],"ab a",["a","ba"]]}}"#;

    #[test]
    fn kinds_and_scores_follow_the_file() {
        // A merge of what is no token of its own still names what it makes.
        let all = Vocabulary::parse(SMALL.as_bytes(), 11).expect("understood");
        assert_eq!(all.tokens[7..], ["   ", "aba", "[PAD9]", "[PAD10]"]);
        assert_eq!(all.kinds, [3, 2, 6, 1, 1, 1, 3, 4, 1, 5, 5]);
        assert_eq!((all.scores[5], all.scores[8], all.scores[3]), (0.0, -1.0, LOWEST));
        assert_eq!(all.id("<unused94>"), Some(6));
    }

    #[test]
    fn another_tokenizer_is_refused() {
        let table = [
            (SMALL.replace("\"BPE\"", "\"Unigram\""), 11, "expected byte-pair encoding"),
            (SMALL.replace("\"byte_fallback\":true", "\"byte_fallback\":false"), 11, "byte_fallback"),
            (SMALL.replace("[\"a\",\"b\"]", "[\"a\",\"x\"]"), 11, "merge 0 makes what is no token"),
            (SMALL.to_owned(), 8, "past the 8 rows"),
            ("{}".to_owned(), 8, "tokenizer.json"),
        ];
        for (json, rows, message) in table {
            let error = Vocabulary::parse(json.as_bytes(), rows).err().expect("refused");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
