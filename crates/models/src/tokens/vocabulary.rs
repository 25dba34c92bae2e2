//! The vocabulary of a model, wherever it came from, and whether it can be this model's.

use std::collections::BTreeMap;
use std::fmt;

use tokenizers::Tokenizer;

use super::pieces::Pieces;
use crate::config::ModelConfig;
use crate::{Error, ErrorKind, Result};

pub use super::json::{CONFIG, FILE, load, parse, parse_specials, specials};

/// Ids and texts of a model's tokens: those of a `tokenizer.json`, or of the metadata of a GGUF file.
pub struct Vocabulary {
    source: Source,
    /// The file, and the key in it, for messages.
    place: String,
}

enum Source {
    Json(Box<Tokenizer>),
    Pieces(Box<Pieces>),
}

/// A token that is taken from a text as a whole, before the rest is cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// As it stands in a text.
    pub text: String,
    /// Whether it has no place in the text of an answer.
    pub is_special: bool,
}

impl Vocabulary {
    pub(super) fn of_json(tokenizer: Tokenizer) -> Self {
        Self { source: Source::Json(Box::new(tokenizer)), place: FILE.to_owned() }
    }

    pub(super) fn of_pieces(pieces: Pieces, place: String) -> Self {
        Self { source: Source::Pieces(Box::new(pieces)), place }
    }

    /// Where it came from, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The file that says what the model is.
    fn settings(&self) -> &str {
        match &self.source {
            Source::Json(_) => "config.json",
            Source::Pieces(_) => "the metadata",
        }
    }

    /// The file that names the special tokens.
    fn names(&self) -> &str {
        match &self.source {
            Source::Json(_) => CONFIG,
            Source::Pieces(_) => &self.place,
        }
    }

    /// The ids of a text as it stands; nothing is added.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if there is no token for a part of it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match &self.source {
            Source::Json(tokenizer) => {
                let encoding = tokenizer.encode_fast(text, false).map_err(|e| bad(&self.place, e))?;
                Ok(encoding.get_ids().to_vec())
            }
            Source::Pieces(pieces) => pieces.encode(text).map_err(|e| bad(&self.place, e)),
        }
    }

    /// The text of some ids, special tokens included; ids that have no token give nothing.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        match &self.source {
            // The decoders of this family cannot fail; a foreign one that does shows its tokens.
            Source::Json(tokenizer) => tokenizer.decode(ids, false).unwrap_or_else(|_| {
                ids.iter().filter_map(|id| tokenizer.id_to_token(*id)).collect::<Vec<_>>().concat()
            }),
            Source::Pieces(pieces) => pieces.decode(ids),
        }
    }

    /// The token with this id, `▁` for a space.
    #[must_use]
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        match &self.source {
            Source::Json(tokenizer) => tokenizer.id_to_token(id),
            Source::Pieces(pieces) => pieces.id_to_token(id).map(str::to_owned),
        }
    }

    /// The id of a token, `▁` for a space.
    #[must_use]
    pub fn token_to_id(&self, text: &str) -> Option<u32> {
        match &self.source {
            Source::Json(tokenizer) => tokenizer.token_to_id(text),
            Source::Pieces(pieces) => pieces.token_to_id(text),
        }
    }

    /// The token with this id, if it is taken from a text as a whole.
    #[must_use]
    pub fn added(&self, id: u32) -> Option<Added> {
        match &self.source {
            Source::Json(tokenizer) => {
                let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder().get(&id)?;
                Some(Added { text: added.content.clone(), is_special: added.special })
            }
            Source::Pieces(pieces) => {
                let text = pieces.id_to_token(id).filter(|_| pieces.is_marked(id))?;
                Some(Added { text: text.to_owned(), is_special: pieces.is_silent(id) })
            }
        }
    }

    /// Whether an id has no place in an answer's text: special tokens, and ids without a token.
    pub(super) fn is_silent(&self, id: u32) -> bool {
        match &self.source {
            Source::Json(tokenizer) => {
                let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
                added.get(&id).map_or_else(|| tokenizer.id_to_token(id).is_none(), |token| token.special)
            }
            Source::Pieces(pieces) => pieces.is_silent(id),
        }
    }

    /// Whether a token is a single byte.
    pub(super) fn is_byte(&self, id: u32) -> bool {
        match &self.source {
            Source::Json(tokenizer) => tokenizer.id_to_token(id).is_some_and(|token| {
                let digits = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
                digits.is_some_and(|d| d.len() == 2 && u8::from_str_radix(d, 16).is_ok())
            }),
            Source::Pieces(pieces) => pieces.is_byte(id),
        }
    }

    /// The first ordinary token whose id is `rows` or more.
    pub(super) fn first_beyond(&self, rows: usize) -> Option<(String, u32)> {
        match &self.source {
            Source::Json(tokenizer) => {
                let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
                let ordinary = tokenizer.get_vocab(false).into_iter();
                let beyond = ordinary.filter(|(_, id)| *id as usize >= rows && !added.contains_key(id));
                beyond.min_by_key(|(_, id)| *id)
            }
            Source::Pieces(pieces) => {
                let beyond = (rows..pieces.len()).filter_map(|id| u32::try_from(id).ok());
                let mut ordinary = beyond.filter(|id| !pieces.is_marked(*id));
                ordinary.find_map(|id| Some((pieces.id_to_token(id)?.to_owned(), id)))
            }
        }
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vocabulary({})", self.place)
    }
}

fn bad(place: &str, what: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Tokenizer, format!("{place}: {what}"))
}

/// Checks that the tokenizer can be this model's.
///
/// # Errors
/// [`ErrorKind::Tokenizer`] naming the token and both files.
pub fn check(
    vocabulary: &Vocabulary,
    specials: &BTreeMap<String, String>,
    config: &ModelConfig,
    stop_ids: &[u32],
) -> Result<()> {
    let rows = config.text.vocab_size;
    let (place, settings) = (&vocabulary.place, vocabulary.settings());
    // Added tokens past the table are never looked up (as the image token of the text-only models) or refused in a
    // prompt; plain ones past it mean another model's vocabulary.
    if let Some((text, id)) = vocabulary.first_beyond(rows) {
        return Err(bad(place, format!("token {text:?} has id {id}, but {settings} says vocab_size {rows}"))
            .hint("this is another model's tokenizer"));
    }
    let bos = specials.get("bos_token").map_or("<bos>", String::as_str);
    if vocabulary.token_to_id(bos).is_none() {
        return Err(bad(place, format!("no token {bos:?}, the bos_token of {}", vocabulary.names())));
    }
    for id in stop_ids {
        if vocabulary.id_to_token(*id).is_none() {
            let by = match vocabulary.source {
                Source::Json(_) => "generation_config.json or config.json",
                Source::Pieces(_) => settings,
            };
            return Err(bad(place, format!("no token has id {id}, which ends a turn by {by}"))
                .hint("this is another model's tokenizer"));
        }
    }
    let Some(images) = &config.images else { return Ok(()) };
    for (key, name, id) in [
        ("boi_token_index", "boi_token", images.begin_token),
        ("eoi_token_index", "eoi_token", images.end_token),
        ("image_token_index", "image_token", images.image_token),
    ] {
        let Some(added) = vocabulary.added(id) else {
            return Err(bad(place, format!("no added token has id {id}, the {key} of {settings}"))
                .hint("this is another model's tokenizer"));
        };
        if let Some(text) = specials.get(name).filter(|text| **text != added.text) {
            return Err(bad(
                vocabulary.names(),
                format!(
                    "{name}: expected {:?}, which has id {id}, the {key} of {settings}, found {text:?}",
                    added.text
                ),
            ));
        }
    }
    Ok(())
}
