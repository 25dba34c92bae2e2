//! Vocabulary, special tokens and chat template from the metadata of a GGUF file.
//!
//! Two forms are read. `llama` is SentencePiece: pieces, scores, kinds. `gpt2` and `gemma4` are what converters write
//! where only a `tokenizer.json` was there: pieces, kinds, merges. In both, spaces are `▁` and bytes are `<0x00>` to
//! `<0xFF>`, or the file is refused: other vocabularies cut text in other ways.

use std::collections::{BTreeMap, BTreeSet};

use super::pieces::{Kind, Pieces, Rules, SPACE};
use super::{ChatTemplate, Vocabulary};
use crate::config::ModelConfig;
use crate::gguf::{self, Gguf};
use crate::{Error, ErrorKind, Result};

const MODEL: &str = "tokenizer.ggml.model";
const TOKENS: &str = "tokenizer.ggml.tokens";
const SCORES: &str = "tokenizer.ggml.scores";
const KINDS: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const TEMPLATE: &str = "tokenizer.chat_template";
const TEMPLATES: &str = "tokenizer.chat_templates";

/// The token that stands for a part of a picture; files of the text model alone may lack it.
const SOFT_TOKEN: &str = "<image_soft_token>";
/// The token that ends a turn of the family, which not every file names.
const END_OF_TURN: &str = "<end_of_turn>";

/// Keys of special tokens, the names by which templates know them, and what the family calls them.
const SPECIALS: [(&str, &str, &str); 5] = [
    ("tokenizer.ggml.bos_token_id", "bos_token", "<bos>"),
    ("tokenizer.ggml.eos_token_id", "eos_token", "<eos>"),
    ("tokenizer.ggml.unknown_token_id", "unk_token", "<unk>"),
    ("tokenizer.ggml.padding_token_id", "pad_token", "<pad>"),
    ("tokenizer.ggml.mask_token_id", "mask_token", "<mask>"),
];

/// Keys of tokens that end an answer.
const STOPS: [&str; 3] =
    ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
/// More tokens that end an answer, as Ollama writes them.
const STOP_LIST: &str = "tokenizer.ggml.eos_token_ids";

/// Keys that do not change ids here: what is added around a text (the template writes it) and tokens of other tasks;
/// and three that are checked in their own way.
const IRRELEVANT: [&str; 19] = [
    "add_bos_token",
    "add_eos_token",
    "add_sep_token",
    "add_space_prefix",
    "cls_token_id",
    "fim_mid_token_id",
    "fim_pad_token_id",
    "fim_pre_token_id",
    "fim_rep_token_id",
    "fim_sep_token_id",
    "fim_suf_token_id",
    "middle_token_id",
    "pre",
    "prefix_token_id",
    "remove_extra_whitespaces",
    "separator_token_id",
    "seperator_token_id",
    "suffix_token_id",
    "token_type_count",
];

/// What a file says of words.
#[derive(Debug)]
pub struct Words {
    /// Ids and texts.
    pub vocabulary: Vocabulary,
    /// The names by which templates know special tokens, and their texts.
    pub specials: BTreeMap<String, String>,
    /// Ids that end a turn, sorted.
    pub stop_ids: Vec<u32>,
}

impl Words {
    /// What the files of a model say, whose settings are `config`.
    ///
    /// # Errors
    /// As [`from_gguf`].
    pub fn of_gguf(model: &gguf::Model, config: &ModelConfig) -> Result<Self> {
        let soft_token = config.images.as_ref().map(|images| images.image_token);
        from_gguf(model.text()?, config.text.vocab_size, soft_token)
    }
}

/// Reads the vocabulary of a model whose embedding table has `rows` rows. `soft_token` is the id that stands for a part
/// of a picture, where the model takes pictures.
///
/// Tokens beyond the table are left out. The table may lack a row for the soft token, whose vectors come from pictures.
///
/// # Errors
/// [`ErrorKind::Tokenizer`] or [`ErrorKind::Config`] naming file and key: arrays that are missing, shorter than the table
/// or of different lengths, ids out of range, settings that would change ids.
pub fn from_gguf(gguf: &Gguf, rows: usize, soft_token: Option<u32>) -> Result<Words> {
    let form = form(gguf)?;
    check_settings(gguf)?;
    let tokens = gguf.texts(TOKENS)?.ok_or_else(|| gguf.bad(TOKENS, "an array of strings"))?;
    let n_tokens = tokens.len();
    if n_tokens < rows {
        return Err(bad(
            gguf,
            TOKENS,
            format!("expected {rows}, one a row of the embedding table, found {n_tokens}"),
        )
        .hint("vocabulary and weights are of different models; fetch the file again"));
    }
    let kinds = gguf.integers(KINDS)?.ok_or_else(|| gguf.bad(KINDS, "an array of whole numbers"))?;
    check_length(gguf, KINDS, kinds.len(), n_tokens)?;
    let mut pieces: Vec<(&str, Kind)> = Vec::with_capacity(rows.saturating_add(1));
    for (id, (text, number)) in tokens.into_iter().zip(kinds).take(rows).enumerate() {
        let kind = i32::try_from(number).ok().and_then(Kind::from_number);
        let kind =
            kind.ok_or_else(|| bad(gguf, KINDS, format!("token {id}: expected 1 to 6, found {number}")))?;
        pieces.push((text, kind));
    }
    let n_own = pieces.len();
    if let Some(id) = soft_token {
        place_soft_token(gguf, &mut pieces, id)?;
    }
    let rules = match form {
        Form::Scores => {
            let mut scores = gguf.floats(SCORES)?.ok_or_else(|| gguf.bad(SCORES, "an array of numbers"))?;
            check_length(gguf, SCORES, scores.len(), n_tokens)?;
            scores.resize(pieces.len(), 0.0);
            Kept::Scores(scores)
        }
        Form::Merges => {
            Kept::Merges(gguf.texts(MERGES)?.ok_or_else(|| gguf.bad(MERGES, "an array of strings"))?)
        }
    };
    let rules = match &rules {
        Kept::Scores(scores) => Rules::Scores(scores),
        Kept::Merges(merges) => Rules::Merges(merges),
    };
    let id_of = |key: &str| token_id(gguf, key, n_own);
    let unknown = id_of("tokenizer.ggml.unknown_token_id")?;
    let named = |text: &str| pieces.iter().position(|(piece, _)| *piece == text).map(|id| id as u32);
    let unknown = unknown.or_else(|| named("<unk>"));
    let text_of = |id: u32| pieces.get(id as usize).map_or("", |(text, _)| text).to_owned();
    let mut specials = BTreeMap::new();
    for (key, name, usual) in SPECIALS {
        let text = id_of(key)?.map_or_else(|| usual.to_owned(), text_of);
        specials.insert(name.to_owned(), text);
    }
    let mut stop_ids = BTreeSet::new();
    for key in STOPS {
        stop_ids.extend(id_of(key)?);
    }
    for id in gguf.integers(STOP_LIST)?.unwrap_or_default() {
        let small = u32::try_from(id).ok().filter(|id| (*id as usize) < n_own);
        stop_ids.insert(small.ok_or_else(|| out_of_range(gguf, STOP_LIST, id, n_own))?);
    }
    stop_ids.extend(named(END_OF_TURN));
    if stop_ids.is_empty() {
        return Err(gguf.bad("tokenizer.ggml.eos_token_id", "the token that ends an answer"));
    }
    let pieces = Pieces::new(pieces.into_iter(), rules, unknown)
        .map_err(|e| Error::new(e.kind(), format!("{}: {e}", gguf.file())))?;
    if pieces.token_to_id(SPACE).is_none() || pieces.token_to_id("<0x00>").is_none() {
        return Err(bad(
            gguf,
            TOKENS,
            format!("expected pieces {SPACE:?} and \"<0x00>\", as Gemma's vocabulary has"),
        )
        .hint("this vocabulary cuts text in another way, which is not implemented"));
    }
    let vocabulary = Vocabulary::of_pieces(pieces, format!("{}: {TOKENS}", gguf.file()));
    Ok(Words { vocabulary, specials, stop_ids: stop_ids.into_iter().collect() })
}

/// How the pieces of a file come to be.
enum Form {
    Scores,
    Merges,
}

/// As [`Rules`], owned.
enum Kept<'a> {
    Scores(Vec<f32>),
    Merges(Vec<&'a str>),
}

fn form(gguf: &Gguf) -> Result<Form> {
    let (form, known) = match gguf.text(MODEL)? {
        Some("llama") => (Form::Scores, &["default", ""][..]),
        Some("gpt2" | "gemma4") => (Form::Merges, &["default", "gemma", "gemma4", ""][..]),
        _ => return Err(gguf.bad(MODEL, "\"llama\", or \"gpt2\" with Gemma's pieces")),
    };
    let key = "tokenizer.ggml.pre";
    match gguf.text(key)? {
        Some(pre) if !known.contains(&pre) => Err(gguf
            .bad(key, "\"default\"")
            .hint("this way of cutting text before it is merged is another family's and is not implemented")),
        _ => Ok(form),
    }
}

/// Refuses settings that would change ids, and those that nobody here has heard of.
fn check_settings(gguf: &Gguf) -> Result<()> {
    for (key, value) in gguf.metadata() {
        let Some(name) = key.strip_prefix("tokenizer.") else { continue };
        if name == "chat_template" || name == "chat_templates" || name.starts_with("chat_template.") {
            continue;
        }
        // The whole tokenizer.json of the model, for tools that read that.
        if name == "huggingface.json" {
            continue;
        }
        let is_read = [MODEL, TOKENS, SCORES, KINDS, MERGES, STOP_LIST].contains(&key)
            || STOPS.contains(&key)
            || SPECIALS.iter().any(|(special, ..)| *special == key);
        let is_irrelevant = name.strip_prefix("ggml.").is_some_and(|name| IRRELEVANT.contains(&name));
        if !is_read && !is_irrelevant {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{}: unknown key {key} with value {value}", gguf.file()),
            )
            .hint("a setting of the tokenizer that is not implemented could change what the model reads"));
        }
    }
    for key in ["tokenizer.ggml.add_space_prefix", "tokenizer.ggml.remove_extra_whitespaces"] {
        if gguf.flag(key)? == Some(true) {
            return Err(gguf.bad(key, "false").hint("this setting changes ids and is not this family's"));
        }
    }
    Ok(())
}

fn check_length(gguf: &Gguf, key: &str, found: usize, n_tokens: usize) -> Result<()> {
    if found == n_tokens {
        return Ok(());
    }
    Err(bad(gguf, key, format!("expected {n_tokens}, one a token, found {found}"))
        .hint("the file is damaged or was converted wrongly; fetch it again"))
}

/// Sees to it that `id` is the soft token: by its text, in the place of padding, or past the end.
fn place_soft_token(gguf: &Gguf, pieces: &mut Vec<(&str, Kind)>, id: u32) -> Result<()> {
    let n_pieces = pieces.len();
    match pieces.get_mut(id as usize) {
        Some((SOFT_TOKEN, _)) => Ok(()),
        Some(piece @ (_, Kind::Unused)) => {
            *piece = (SOFT_TOKEN, Kind::Control);
            Ok(())
        }
        None if id as usize == n_pieces => {
            pieces.push((SOFT_TOKEN, Kind::Control));
            Ok(())
        }
        found => {
            let found = found.map_or("none", |(text, _)| text);
            Err(bad(gguf, TOKENS, format!("token {id}: expected {SOFT_TOKEN}, found {found:?}")))
        }
    }
}

fn token_id(gguf: &Gguf, key: &str, n_tokens: usize) -> Result<Option<u32>> {
    let Some(id) = gguf.unsigned(key)? else { return Ok(None) };
    let small = u32::try_from(id).ok().filter(|id| (*id as usize) < n_tokens);
    small.map(Some).ok_or_else(|| out_of_range(gguf, key, id, n_tokens))
}

fn out_of_range(gguf: &Gguf, key: &str, id: impl std::fmt::Display, n_tokens: usize) -> Error {
    bad(gguf, key, format!("expected the id of one of {n_tokens} tokens, found {id}"))
}

fn bad(gguf: &Gguf, key: &str, what: String) -> Error {
    Error::new(ErrorKind::Tokenizer, format!("{}: {key}: {what}", gguf.file()))
}

/// The template of the file; without one, the built-in one of the family.
///
/// # Errors
/// [`ErrorKind::Template`] if it cannot be used, or if the file has named templates only.
pub fn template_from_gguf(gguf: &Gguf) -> Result<ChatTemplate> {
    let default = format!("{TEMPLATE}.default");
    for key in [TEMPLATE, &default] {
        if let Some(source) = gguf.text(key)? {
            return ChatTemplate::parse(&format!("{}: {key}", gguf.file()), source.as_bytes());
        }
    }
    match gguf.texts(TEMPLATES)? {
        Some(names) if !names.is_empty() => Err(Error::new(
            ErrorKind::Template,
            format!("{}: {TEMPLATES}: expected one called default, found {}", gguf.file(), names.join(", ")),
        )),
        _ => Ok(ChatTemplate::built_in()),
    }
}

#[cfg(test)]
mod tests;
