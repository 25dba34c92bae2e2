//! A vocabulary of pieces with scores or merges, as GGUF files carry it.
//!
//! The method is SentencePiece's byte-pair encoding as Gemma uses it, written so that ids equal those of the same
//! model's `tokenizer.json`: marked pieces are taken from the text as they stand, every space becomes `▁` and nothing
//! is put before the text, neighbours merge best first, and what has no piece becomes bytes.

mod merge;
mod table;
mod whole;

use std::collections::HashMap;

use merge::Symbol;
use table::{Refused, Table};
use whole::Whole;

use crate::{Error, ErrorKind, Result};

pub use table::Kind;

/// What stands for a space in pieces.
pub(super) const SPACE: &str = "▁";

/// Markers of the family that its own tokenizer flags special, under whatever kind a converter has put them down.
const SPECIAL: [&str; 6] = [
    "<mask>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
];

/// How neighbours come to be one piece.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rules<'a> {
    /// Two that together spell a piece, the one with the best score first.
    Scores(&'a [f32]),
    /// The pairs of a list, earlier ones first.
    Merges(&'a [&'a str]),
}

/// A list of pieces with its rules.
pub(super) struct Pieces {
    table: Table,
    ranks: Ranks,
    /// Taken from the text as it stands.
    marked: Whole,
    /// Runs of `▁` that are taken once spaces have become `▁`, and do not merge further.
    runs: Whole,
    /// Ids of the pieces for single bytes.
    bytes: Vec<Option<u32>>,
    unknown: Option<u32>,
}

enum Ranks {
    /// By id, lower first; `None` for pieces that are not reached by merging.
    Pieces(Vec<Option<u32>>),
    /// By the ids of left and right: rank and piece.
    Pairs(HashMap<(u32, u32), (u32, u32)>),
}

fn bad(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Tokenizer, what.to_string())
}

impl Pieces {
    /// Lays out a vocabulary; a piece's id is its place in `pieces`. `unknown` is the piece for what has none.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] naming the id, for two pieces of one text, a byte that is none, a score that is not a
    /// number, and merges of what is no piece.
    pub(super) fn new<'a>(
        pieces: impl ExactSizeIterator<Item = (&'a str, Kind)>,
        rules: Rules<'_>,
        unknown: Option<u32>,
    ) -> Result<Self> {
        let mut table = Table::with_capacity(pieces.len());
        let mut bytes = vec![None; 256];
        for (id, (text, kind)) in pieces.enumerate() {
            // Converters that take marked pieces from raw text put their spaces down as spaces.
            let respelt = match kind {
                Kind::UserDefined if text.contains(' ') => Some(text.replace(' ', SPACE)),
                _ => None,
            };
            let text = respelt.as_deref().unwrap_or(text);
            match table.push(text, kind) {
                Ok(id) => match byte_of(text) {
                    Some(byte) => bytes[usize::from(byte)] = Some(id),
                    None if kind == Kind::Byte => {
                        return Err(bad(format!(
                            "token {id}: expected a byte such as <0x0A>, found {text:?}"
                        )));
                    }
                    None => {}
                },
                Err(Refused::Twice(first)) => {
                    let is_idle = |id| table.kind(id) == Some(Kind::Unused);
                    if kind != Kind::Unused && !is_idle(first) {
                        return Err(bad(format!("tokens {first} and {id} have the same text {text:?}")));
                    }
                }
                Err(Refused::TooMany) => return Err(bad(format!("token {id}: more text than 4 GiB"))),
            }
        }
        let n = table.len();
        if let Some(id) = unknown.filter(|id| *id as usize >= n) {
            return Err(bad(format!("the unknown token has id {id}, but there are {n} tokens")));
        }
        let marked = Whole::of(&table, |id, text| match table.kind(id) {
            Some(Kind::Control | Kind::Unknown | Kind::UserDefined) => true,
            // Some converters put the family's spare markers down as unused; padding rows are no markers.
            _ => is_spare(text),
        });
        let (ranks, runs) = match rules {
            Rules::Scores(scores) => {
                let is_run = |text: &str| text.chars().all(|c| c == '▁');
                let runs =
                    Whole::of(&table, |id, text| table.kind(id) == Some(Kind::UserDefined) && is_run(text));
                (Ranks::Pieces(ranks_of_scores(&table, scores)?), runs)
            }
            Rules::Merges(merges) => {
                (Ranks::Pairs(ranks_of_merges(&table, merges)?), Whole::of(&table, |_, _| false))
            }
        };
        Ok(Self { table, ranks, marked, runs, bytes, unknown })
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn id_to_token(&self, id: u32) -> Option<&str> {
        self.table.get(id)
    }

    pub(super) fn token_to_id(&self, text: &str) -> Option<u32> {
        self.table.find(text)
    }

    /// Whether the piece is taken from a text as a whole.
    pub(super) fn is_marked(&self, id: u32) -> bool {
        self.marked.has(id)
    }

    /// Whether the piece has no place in an answer's text.
    pub(super) fn is_silent(&self, id: u32) -> bool {
        let Some(text) = self.table.get(id) else { return true };
        match self.table.kind(id) {
            Some(Kind::Unused) => !self.is_marked(id),
            // Spare markers, those of a thinking block among them, are text in the family's own tokenizer.
            Some(Kind::Control | Kind::Unknown) => !is_spare(text),
            _ => SPECIAL.contains(&text),
        }
    }

    /// Whether the piece is a single byte.
    pub(super) fn is_byte(&self, id: u32) -> bool {
        self.table.get(id).is_some_and(|text| byte_of(text).is_some())
    }

    /// Ids of a text.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        let (mut start, mut at) = (0, 0);
        while at < text.len() {
            match self.marked.at(&self.table, text, at) {
                Some((id, n_bytes)) => {
                    self.encode_plain(&text[start..at], &mut ids)?;
                    ids.push(id);
                    at += n_bytes;
                    start = at;
                }
                None => at += 1,
            }
        }
        self.encode_plain(&text[start..], &mut ids)?;
        Ok(ids)
    }

    /// Ids of a stretch without marked pieces.
    fn encode_plain(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let text = text.replace(' ', SPACE);
        u32::try_from(text.len()).map_err(|_| bad("a text of more than 4 GiB"))?;
        let symbols = merge::merge(&self.symbols(&text), |a, b| self.pair(&text, a, b));
        let mut is_after_unknown = false;
        for symbol in symbols {
            if let Some(id) = symbol.id {
                ids.push(id);
                is_after_unknown = false;
                continue;
            }
            let spelt = text.as_bytes().get(symbol.start as usize..symbol.end as usize).unwrap_or_default();
            let as_bytes: Option<Vec<u32>> =
                spelt.iter().map(|byte| self.bytes[usize::from(*byte)]).collect();
            if let Some(as_bytes) = as_bytes {
                ids.extend(as_bytes);
                is_after_unknown = false;
                continue;
            }
            let Some(unknown) = self.unknown else {
                return Err(bad("no token for a character, none for its bytes, and none for the unknown"));
            };
            // Neighbours that are unknown are one.
            if !is_after_unknown {
                ids.push(unknown);
            }
            is_after_unknown = true;
        }
        Ok(())
    }

    /// One symbol a character, and one a run that is taken as a whole.
    fn symbols(&self, text: &str) -> Vec<Symbol> {
        let mut symbols = Vec::with_capacity(text.len());
        let mut run_end = 0;
        for (start, c) in text.char_indices() {
            if start < run_end {
                continue;
            }
            if let Some((id, n_bytes)) = self.runs.at(&self.table, text, start) {
                run_end = start + n_bytes;
                symbols.push(Symbol {
                    start: start as u32,
                    end: run_end as u32,
                    id: Some(id),
                    is_free: false,
                });
                continue;
            }
            let end = start + c.len_utf8();
            let id = self.table.find(&text[start..end]).filter(|id| self.is_reached(*id));
            symbols.push(Symbol { start: start as u32, end: end as u32, id, is_free: id.is_some() });
        }
        symbols
    }

    /// Whether a text may come to be this piece otherwise than as a whole.
    fn is_reached(&self, id: u32) -> bool {
        matches!(self.ranks, Ranks::Pairs(_))
            || matches!(self.table.kind(id), Some(Kind::Normal | Kind::UserDefined))
    }

    fn pair(&self, text: &str, left: &Symbol, right: &Symbol) -> Option<(u32, u32)> {
        match &self.ranks {
            Ranks::Pieces(ranks) => {
                let id = self.table.find(text.get(left.start as usize..right.end as usize)?)?;
                ranks.get(id as usize).copied().flatten().map(|rank| (rank, id))
            }
            Ranks::Pairs(pairs) => pairs.get(&(left.id?, right.id?)).copied(),
        }
    }

    /// The text of ids, marked pieces included; ids without a piece give nothing.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        let release = |bytes: &mut Vec<u8>, text: &mut String| {
            match std::str::from_utf8(bytes) {
                Ok(spelt) => text.push_str(spelt),
                // As the reference's decoder: one bad byte spoils the run.
                Err(_) => text.extend(bytes.iter().map(|_| char::REPLACEMENT_CHARACTER)),
            }
            bytes.clear();
        };
        for piece in ids.iter().filter_map(|id| self.table.get(*id)) {
            if let Some(byte) = byte_of(piece) {
                bytes.push(byte);
                continue;
            }
            release(&mut bytes, &mut text);
            text.extend(piece.chars().map(|c| if c == '▁' { ' ' } else { c }));
        }
        release(&mut bytes, &mut text);
        text
    }
}

/// The byte that a piece such as `<0x0A>` stands for.
fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Whether this is one of the family's markers `<unused0>`, `<unused1>`, ….
fn is_spare(text: &str) -> bool {
    let number = text.strip_prefix("<unused").and_then(|rest| rest.strip_suffix('>'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Scores as ranks: the higher the score, the lower the rank; equal scores have equal ranks.
fn ranks_of_scores(table: &Table, scores: &[f32]) -> Result<Vec<Option<u32>>> {
    if scores.len() != table.len() {
        return Err(bad(format!("expected {} scores, one a token, found {}", table.len(), scores.len())));
    }
    let rank = |(id, score): (usize, &f32)| {
        if !score.is_finite() {
            return Err(bad(format!("token {id}: expected a finite score, found {score}")));
        }
        // The order of floats as whole numbers, downwards; adding zero makes -0 and 0 one.
        let bits = (score + 0.0).to_bits();
        let ascending = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
        Ok(matches!(table.kind(id as u32), Some(Kind::Normal)).then_some(!ascending))
    };
    scores.iter().enumerate().map(rank).collect()
}

/// Merges as ranks of pairs.
fn ranks_of_merges(table: &Table, merges: &[&str]) -> Result<HashMap<(u32, u32), (u32, u32)>> {
    let mut pairs = HashMap::with_capacity(merges.len());
    let mut both = String::new();
    for (rank, merge) in (0u32..).zip(merges) {
        let wrong = |what: &str| bad(format!("merge {rank}: {what}, found {merge:?}"));
        let (left, right) = merge
            .split_once(' ')
            .filter(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains(' '))
            .ok_or_else(|| wrong("expected two pieces with a space between"))?;
        both.clear();
        both.push_str(left);
        both.push_str(right);
        let id = |text: &str| table.find(text).ok_or_else(|| wrong(&format!("no token {text:?}")));
        pairs.insert((id(left)?, id(right)?), (rank, id(&both)?));
    }
    Ok(pairs)
}
