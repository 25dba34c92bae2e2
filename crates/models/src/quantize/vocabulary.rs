//! The vocabulary as llama.cpp's SentencePiece tokenizer takes it: tokens, scores and kinds by id.
//!
//! `tokenizer.json` of the family is byte-pair encoding that was made from a SentencePiece model: merges stand in the order
//! of the scores of what they make. So a token's score is minus the number of its first merge, and the two tokenizers
//! merge in the same order, as long as the file has a merge for every two tokens that make a third: SentencePiece merges
//! any such two. Tokens of which that is not so are counted.

use std::collections::{HashMap, HashSet};

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
    /// Tokens that SentencePiece may make where the file's merges do not, or in another order.
    pub made_otherwise: usize,
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
            made_otherwise: 0,
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
        // Of each token that merges make: its first merge and its last, and where they cut it.
        let mut made_by: HashMap<u32, (u32, u32, Vec<usize>)> = HashMap::new();
        for (merge, rank) in model.merges.iter().zip(0u32..) {
            let (left, right) = match merge {
                Merge::Words(words) => words.split_once(' ').unwrap_or((words, "")),
                Merge::Pair(left, right) => (left.as_str(), right.as_str()),
            };
            let id = all.ids.get(&format!("{left}{right}"));
            let id = *id.ok_or_else(|| bad(format!("merge {rank} makes what is no token")))?;
            let score = &mut all.scores[id as usize];
            *score = score.max(-(rank as f32));
            let (_, last, cuts) = made_by.entry(id).or_insert((rank, rank, Vec::new()));
            *last = rank;
            cuts.push(left.len());
        }
        all.made_otherwise = all.count_made_otherwise(&made_by);
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

    /// Tokens with a cut into two tokens that no merge has, and tokens between whose merges another token's lie.
    fn count_made_otherwise(&self, made_by: &HashMap<u32, (u32, u32, Vec<usize>)>) -> usize {
        let has_other_cut = |id: u32| {
            let text = self.tokens[id as usize].as_str();
            let cuts = made_by.get(&id).map_or(&[][..], |(_, _, cuts)| cuts);
            let is_token = |part: &str| {
                self.ids.get(part).is_some_and(|id| self.kinds[*id as usize] == Kind::Normal as i32)
            };
            let mut all_cuts = text.char_indices().skip(1).map(|(at, _)| at);
            all_cuts.any(|at| !cuts.contains(&at) && is_token(&text[..at]) && is_token(&text[at..]))
        };
        let normal = self.kinds.iter().zip(0u32..).filter(|(kind, _)| **kind == Kind::Normal as i32);
        let mut odd: HashSet<u32> = normal.map(|(_, id)| id).filter(|id| has_other_cut(*id)).collect();
        let mut in_order: Vec<(u32, u32, u32)> =
            made_by.iter().map(|(id, (first, last, _))| (*first, *last, *id)).collect();
        in_order.sort_unstable();
        odd.extend(in_order.windows(2).filter(|two| two[0].1 > two[1].0).map(|two| two[0].2));
        odd.len()
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
    fn tokens_that_sentencepiece_would_make_otherwise_are_counted() {
        let of = |vocabulary: &str, merges: &str| {
            let json = format!(
                r#"{{"model":{{"type":"BPE","byte_fallback":true,"vocab":{{{vocabulary}}},"merges":[{merges}]}}}}"#
            );
            Vocabulary::parse(json.as_bytes(), 8).expect("understood").made_otherwise
        };
        let six = r#""a":0,"b":1,"c":2,"ab":3,"bc":4,"abc":5"#;
        let all = r#"["a","b"],["b","c"],["ab","c"],["a","bc"]"#;
        assert_eq!(of(six, all), 0, "every cut of every token is a merge");
        assert_eq!(of(six, r#"["a","b"],["b","c"],["ab","c"]"#), 1, "a + bc makes abc too");
        assert_eq!(of(six, r#"["b","c"],["ab","c"],["a","bc"]"#), 1, "ab is never made");
        assert_eq!(
            of(six, r#"["a","b"],["ab","c"],["b","c"],["a","bc"]"#),
            1,
            "bc comes between the two of abc"
        );
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
