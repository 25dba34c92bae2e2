//! Words and pictures become token ids, and ids become words.
//!
//! Equal to `Gemma3Processor` of transformers 5.23.0: the chat template renders the turns, each picture's begin token
//! becomes `\n\n`, the begin token, its soft tokens, the end token and `\n\n`, and the whole is tokenized without
//! adding special tokens, because the template has written them. A template that leaves out the begin of text is
//! refused: there the reference adds one for multimodal models and none for others, and this family needs it.

mod json;
mod metadata;
mod pieces;
mod python;
mod stream;
mod template;
pub mod vocabulary;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::config::{ModelConfig, generation};
use crate::files::ModelFiles;
use crate::{Content, Error, ErrorKind, Part, Prompt, Request, Result};

pub use metadata::{Words, from_gguf, template_from_gguf};
pub use stream::Detokenizer;
pub use template::ChatTemplate;
pub use vocabulary::Vocabulary;

/// Texts of the tokens around a thinking block; their ids are looked up in the vocabulary at hand.
const THINKING: [&str; 2] = ["<unused94>", "<unused95>"];

/// Tokenizer, chat template and picture expansion of one model.
pub struct Tokens {
    vocabulary: Vocabulary,
    template: ChatTemplate,
    specials: BTreeMap<String, String>,
    pictures: Option<Pictures>,
    /// What to do where the model takes no pictures.
    no_pictures: String,
    vocab_size: usize,
    stop_ids: Vec<u32>,
    thinking: Option<(u32, u32)>,
}

/// How a picture stands in the text.
#[derive(Clone, Debug)]
struct Pictures {
    begin: String,
    soft: String,
    soft_id: u32,
    per_image: usize,
    expanded: String,
}

impl Tokens {
    /// Reads the tokenizer, the template and the ids that end a turn, and checks that they fit `config`.
    ///
    /// # Errors
    /// [`ErrorKind::Files`], [`ErrorKind::Config`], [`ErrorKind::Tokenizer`] or [`ErrorKind::Template`], naming file
    /// and token.
    pub fn load(files: &ModelFiles, config: &ModelConfig) -> Result<Self> {
        if let Some(model) = files.as_gguf() {
            let Words { vocabulary, specials, stop_ids } = Words::of_gguf(model, config)?;
            return Self::new(vocabulary, specials, ChatTemplate::load(files)?, config, &stop_ids);
        }
        let stop_ids = generation::stop_ids(files, config)?;
        let vocabulary = vocabulary::load(files)?;
        let specials = vocabulary::specials(files, &vocabulary)?;
        Self::new(vocabulary, specials, ChatTemplate::load(files)?, config, &stop_ids)
    }

    /// As [`Tokens::load`], from parts; `stop_ids` end a turn.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if they do not fit `config`.
    pub fn new(
        vocabulary: Vocabulary,
        mut specials: BTreeMap<String, String>,
        template: ChatTemplate,
        config: &ModelConfig,
        stop_ids: &[u32],
    ) -> Result<Self> {
        vocabulary::check(&vocabulary, &specials, config, stop_ids)?;
        let pictures = config.images.as_ref().map(|images| {
            let text = |id| vocabulary.id_to_token(id).unwrap_or_default();
            let (begin, soft) = (text(images.begin_token), text(images.image_token));
            let inside = soft.repeat(images.tokens_per_image);
            let expanded = format!("\n\n{begin}{inside}{}\n\n", text(images.end_token));
            specials.insert("boi_token".to_owned(), begin.clone());
            specials.insert("image_token".to_owned(), soft.clone());
            Pictures {
                begin,
                soft,
                soft_id: images.image_token,
                per_image: images.tokens_per_image,
                expanded,
            }
        });
        let thinking = match THINKING.map(|text| vocabulary.token_to_id(text)) {
            [Some(open), Some(close)] => Some((open, close)),
            _ => None,
        };
        let vocab_size = config.text.vocab_size;
        Ok(Self {
            vocabulary,
            template,
            specials,
            pictures,
            no_pictures: config
                .no_images
                .clone()
                .unwrap_or("use a multimodal variant of the model".to_owned()),
            vocab_size,
            stop_ids: stop_ids.to_vec(),
            thinking,
        })
    }

    /// The template in use.
    #[must_use]
    pub fn template(&self) -> &ChatTemplate {
        &self.template
    }

    /// Ids that end a turn.
    #[must_use]
    pub fn stop_ids(&self) -> &[u32] {
        &self.stop_ids
    }

    /// Ids that open and close a thinking block, if the vocabulary has them.
    #[must_use]
    pub fn thinking(&self) -> Option<(u32, u32)> {
        self.thinking
    }

    /// Rows of the model's embedding table: the ids that can be scored.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The text of some ids, special tokens included; ids that the vocabulary does not know give nothing.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        self.vocabulary.decode(ids)
    }

    /// The ids of a text as it stands; nothing is added.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if the tokenizer has no token for a part of it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.vocabulary.encode(text)
    }

    /// A decoder for one run of generated ids.
    #[must_use]
    pub fn detokenizer(&self) -> Detokenizer<'_> {
        Detokenizer::new(self)
    }

    /// Renders, expands and tokenizes a request.
    ///
    /// As in the reference, special tokens written out in words become those tokens, and what a template leaves out
    /// (Gemma's: all but the first part of a system turn) is left out; only pictures are guarded.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for turns and pictures that do not belong together, or text that would be taken for a
    /// picture; [`ErrorKind::Image`] for pictures to a text-only model; [`ErrorKind::Template`] if the template refuses
    /// the turns or loses a picture; [`ErrorKind::Tokenizer`] for tokens past the model's table.
    pub fn prompt(&self, request: &Request) -> Result<Prompt> {
        self.check_turns(request)?;
        let rendered = self.template.render(&request.turns, &self.specials)?;
        self.check_rendered(request, &rendered)?;
        let text = match &self.pictures {
            Some(pictures) => rendered.replace(&pictures.begin, &pictures.expanded),
            None => rendered,
        };
        let ids = self.encode(&text)?;
        if ids.is_empty() {
            return Err(self.template_error("the turns render to nothing".to_owned()));
        }
        let image_spans = self.spans(&ids, request.images.len())?;
        let soft = self.pictures.as_ref().map(|p| p.soft_id);
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.vocab_size && Some(**id) != soft) {
            return Err(Error::new(
                ErrorKind::Tokenizer,
                format!(
                    "the prompt holds token {id} ({:?}), but the model knows {} tokens",
                    self.vocabulary.id_to_token(*id).unwrap_or_default(),
                    self.vocab_size
                ),
            ));
        }
        Ok(Prompt { text, ids, image_spans })
    }

    /// Every picture shown once and in order; no words that read as one.
    fn check_turns(&self, request: &Request) -> Result<()> {
        let bad = |what: String| Err(Error::new(ErrorKind::Request, what));
        if request.turns.is_empty() {
            return bad("the conversation has no turn".to_owned());
        }
        let mut shown = 0;
        for (t, turn) in request.turns.iter().enumerate() {
            let parts = match &turn.content {
                Content::Text(text) => &[Part::Text(text.clone())][..],
                Content::Parts(parts) => parts,
            };
            for part in parts {
                match part {
                    Part::Image(i) if *i != shown || *i >= request.images.len() => {
                        return bad(format!(
                            "turn {t} shows picture {i}; expected picture {shown} of {}: each once, in order",
                            request.images.len()
                        ));
                    }
                    Part::Image(_) => shown += 1,
                    Part::Text(text) => {
                        let Some(p) = &self.pictures else { continue };
                        if let Some(token) =
                            [&p.begin, &p.soft].into_iter().find(|t| text.contains(t.as_str()))
                        {
                            return Err(Error::new(
                                ErrorKind::Request,
                                format!(
                                    "the words of turn {t} hold {token}, which would stand for a picture"
                                ),
                            )
                            .hint("remove it from the text"));
                        }
                    }
                }
            }
        }
        if shown != request.images.len() {
            return bad(format!(
                "the turns show {shown} pictures of the {} that were given",
                request.images.len()
            ));
        }
        if shown > 0 && self.pictures.is_none() {
            return Err(Error::new(
                ErrorKind::Image,
                format!("{shown} pictures for a model that takes text only"),
            )
            .hint(self.no_pictures.clone()));
        }
        Ok(())
    }

    fn template_error(&self, what: String) -> Error {
        Error::new(ErrorKind::Template, format!("{}: {what}", self.template.origin()))
    }

    /// The template must begin the text and show every picture.
    fn check_rendered(&self, request: &Request, rendered: &str) -> Result<()> {
        if let Some(begin) = self.specials.get("bos_token")
            && !rendered.starts_with(begin.as_str())
        {
            return Err(self
                .template_error(format!("the rendered turns do not begin with {begin}"))
                .hint("begin the template with {{ bos_token }}"));
        }
        if let Some(pictures) = &self.pictures {
            let found = rendered.matches(&pictures.begin).count();
            if found != request.images.len() {
                return Err(self.template_error(format!(
                    "the rendered turns hold {found} {}, expected {}, one a picture",
                    pictures.begin,
                    request.images.len()
                )));
            }
        }
        Ok(())
    }

    /// Where the soft tokens of each picture lie.
    fn spans(&self, ids: &[u32], n_images: usize) -> Result<Vec<Range<usize>>> {
        let Some(pictures) = &self.pictures else { return Ok(Vec::new()) };
        let mut spans: Vec<Range<usize>> = Vec::with_capacity(n_images);
        for (i, _) in ids.iter().enumerate().filter(|(_, id)| **id == pictures.soft_id) {
            match spans.last_mut().filter(|span| span.end == i) {
                Some(span) => span.end = i + 1,
                None => spans.push(i..i + 1),
            }
        }
        if spans.len() != n_images || spans.iter().any(|span| span.len() != pictures.per_image) {
            return Err(Error::new(
                ErrorKind::Tokenizer,
                format!(
                    "{}: expected {n_images} pictures of {} {} tokens, found runs of {:?}",
                    self.vocabulary.place(),
                    pictures.per_image,
                    pictures.soft,
                    spans.iter().map(ExactSizeIterator::len).collect::<Vec<_>>()
                ),
            ));
        }
        Ok(spans)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({} rows, {})", self.vocab_size, self.template.origin())
    }
}

#[cfg(test)]
mod tests;
