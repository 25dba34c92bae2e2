//! What matters of a folder before a long run: what it is, what is missing, and whether this machine can hold it.
//!
//! Nothing here stops at the first problem: a broken folder gives a report of what it still shows.

mod memory;
mod terms;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::{ImageProcessor, ModelConfig, generation};
use crate::files::ModelFiles;
use crate::local::{USUAL_KV, usual_chunk_tokens};
use crate::ollama::Stored;
use crate::tokens::{ChatTemplate, Tokens, Vocabulary, Words, vocabulary};
use crate::weights::{Catalogue, expected};
use crate::{Error, Result};

pub use memory::MemoryNeed;
pub use terms::Terms;

/// Most problems of tensors that are written out.
const MAX_TENSOR_PROBLEMS: usize = 8;
/// The token that ends a turn of an instruction-tuned model.
const END_OF_TURN: &str = "<end_of_turn>";

/// Whether a part of a multimodal model is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// All of its tensors are stored.
    Present,
    /// Some of its tensors are missing.
    Incomplete,
    /// None of its tensors is stored.
    Missing,
    /// The configuration describes a text-only model.
    NotAskedFor,
    /// It would be a file of its own, which was not found; see [`ModelReport::projector_note`].
    NotHere,
    /// Settings or weights cannot be read.
    Unknown,
}

/// Numbers stored, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// Embedding table, layers and head.
    pub text: u64,
    /// Vision tower.
    pub vision: u64,
    /// From the tower's width to the text model's.
    pub projector: u64,
}

impl Parameters {
    /// All parts together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.text.saturating_add(self.vision).saturating_add(self.projector)
    }
}

/// What is known of a model's files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelReport {
    /// The name by which the caller asked for the model.
    pub name: String,
    /// The folder or file, or the name of a model that the program carries.
    pub place: String,
    /// Family, size and kind in words: `Gemma 3 4B, multimodal`.
    pub variant: Option<String>,
    /// Architecture as `config.json` says it.
    pub architecture: Option<String>,
    /// Whether it was tuned to follow instructions: it has a chat template of its own, or ends turns.
    pub instruction_tuned: Option<bool>,
    /// Where the chat template comes from.
    pub chat_template: Option<String>,
    /// The vision tower.
    pub vision_tower: Presence,
    /// The projector from the tower to the text model.
    pub projector: Presence,
    /// Of models in GGUF: why this projector was taken, or what to do where there is none.
    pub projector_note: Option<String>,
    /// Type of the weights as `config.json` states it.
    pub stated_dtype: Option<String>,
    /// How many tensors of each type are stored.
    pub dtypes: BTreeMap<String, usize>,
    /// Numbers stored, by part.
    pub parameters: Option<Parameters>,
    /// Longest sequence in tokens.
    pub context_tokens: Option<usize>,
    /// Side in pixels of the square picture that the tower takes.
    pub image_size_px: Option<usize>,
    /// Soft tokens a picture becomes.
    pub tokens_per_image: Option<usize>,
    /// Tokens that end a turn, as text.
    pub stop_tokens: Vec<String>,
    /// Whether the vocabulary has the markers of a thinking block.
    pub can_think: Option<bool>,
    /// Bytes of all weight files.
    pub bytes_on_disk: Option<u64>,
    /// Bytes in memory.
    pub memory: Option<MemoryNeed>,
    /// The most memory that this process can have on this machine.
    pub usable_memory_bytes: Option<u64>,
    /// Whether that holds the model with [`MemoryNeed::usual_bytes`].
    pub fits: Option<bool>,
    /// Terms of use that the model looks to be under.
    pub terms: Option<Terms>,
    /// The digest of the model card.
    pub digest: Option<String>,
    /// What else the place where the model was found says of it, and what becomes of that; each a sentence.
    pub notes: Vec<String>,
    /// What stands in the way of running it, each a sentence with the way out.
    pub problems: Vec<String>,
}

impl ModelReport {
    /// Whether the model can be loaded, memory aside.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.problems.is_empty()
    }

    /// Looks at everything in a folder; `name` is how the caller calls the model.
    #[must_use]
    pub fn of(files: &ModelFiles, name: &str) -> Self {
        let mut problems: Vec<String> = Vec::new();
        let config = note(ModelConfig::load(files), &mut problems);
        let catalogue = note(Catalogue::open(files), &mut problems);
        let words = words(files, config.as_ref(), &mut problems);
        let template = note(ChatTemplate::load(files), &mut problems);
        let mut report = Self {
            name: name.to_owned(),
            place: files.to_string(),
            variant: config.as_ref().map(variant),
            architecture: config.as_ref().map(|c| c.architecture.clone()),
            instruction_tuned: None,
            chat_template: template.as_ref().map(|t| t.origin().to_owned()),
            vision_tower: presence(config.as_ref(), catalogue.as_ref(), "vision_tower."),
            projector: presence(config.as_ref(), catalogue.as_ref(), "multi_modal_projector."),
            projector_note: config
                .as_ref()
                .and_then(|config| config.no_images.clone())
                .or_else(|| files.as_gguf().and_then(|model| model.projector_note()).map(str::to_owned)),
            stated_dtype: config.as_ref().and_then(|c| c.stated_dtype.clone()),
            dtypes: catalogue.as_ref().map(Catalogue::dtypes).unwrap_or_default(),
            parameters: catalogue.as_ref().map(parameters),
            context_tokens: config.as_ref().map(|c| c.text.max_positions),
            image_size_px: config.as_ref().and_then(|c| c.images.as_ref()).map(|i| i.vision.image_size),
            tokens_per_image: config.as_ref().and_then(|c| c.images.as_ref()).map(|i| i.tokens_per_image),
            stop_tokens: Vec::new(),
            can_think: None,
            bytes_on_disk: catalogue.as_ref().map(Catalogue::bytes_on_disk),
            memory: None,
            usable_memory_bytes: lightbox_host::memory().usable_bytes(),
            fits: None,
            terms: Terms::of(files, name),
            digest: None,
            notes: Vec::new(),
            problems,
        };
        if let (Some(config), Some(words)) = (&config, words) {
            report.look_at_words(config, words, template);
        }
        if let Some(images) = config.as_ref().and_then(|c| c.images.as_ref()) {
            note(ImageProcessor::load(files, images), &mut report.problems);
        }
        if let Some(catalogue) = &catalogue {
            report.digest = note(crate::weights::digest(files, catalogue), &mut report.problems);
            if let Some(config) = &config {
                report.look_at_tensors(config, catalogue);
            }
        }
        report
    }

    /// Adds what Ollama's store says of the model: its notes, and terms of use where nothing else told them.
    pub fn look_at_store(&mut self, stored: &Stored) {
        self.notes.extend_from_slice(&stored.notes);
        self.terms = self.terms.or_else(|| Terms::of_licences(&stored.licences));
    }

    fn look_at_words(&mut self, config: &ModelConfig, words: Known, template: Option<ChatTemplate>) {
        let Known { vocabulary, specials, stop_ids } = words;
        self.stop_tokens = stop_ids.iter().filter_map(|id| vocabulary.id_to_token(*id)).collect();
        let own_template = template.as_ref().map(|t| !t.is_built_in());
        let ends_turns = self.stop_tokens.iter().any(|token| token == END_OF_TURN);
        self.instruction_tuned = own_template.map(|own| own || ends_turns);
        let Some(specials) = specials else { return };
        let template = template.unwrap_or_else(ChatTemplate::built_in);
        let tokens = note(Tokens::new(vocabulary, specials, template, config, &stop_ids), &mut self.problems);
        self.can_think = tokens.map(|t| t.thinking().is_some());
    }

    fn look_at_tensors(&mut self, config: &ModelConfig, catalogue: &Catalogue) {
        let found = catalogue.problems(config);
        let more = found.len().saturating_sub(MAX_TENSOR_PROBLEMS);
        self.problems.extend(found.iter().take(MAX_TENSOR_PROBLEMS).map(Error::to_string));
        if more > 0 {
            self.problems.push(format!("{more} more tensors are missing, unexpected or of another shape"));
        }
        self.memory = MemoryNeed::of(config, catalogue, usual_chunk_tokens(config), USUAL_KV);
        self.fits =
            self.memory.zip(self.usable_memory_bytes).map(|(need, usable)| need.usual_bytes <= usable);
    }
}

/// What could be read of a model's words.
struct Known {
    vocabulary: Vocabulary,
    specials: Option<BTreeMap<String, String>>,
    stop_ids: Vec<u32>,
}

fn words(files: &ModelFiles, config: Option<&ModelConfig>, problems: &mut Vec<String>) -> Option<Known> {
    if let Some(model) = files.as_gguf() {
        let Words { vocabulary, specials, stop_ids } = note(Words::of_gguf(model, config?), problems)?;
        return Some(Known { vocabulary, specials: Some(specials), stop_ids });
    }
    let vocabulary = note(vocabulary::load(files), problems);
    let stop_ids = config.and_then(|config| note(generation::stop_ids(files, config), problems));
    let vocabulary = vocabulary?;
    let specials = note(vocabulary::specials(files, &vocabulary), problems);
    Some(Known { vocabulary, specials, stop_ids: stop_ids.unwrap_or_default() })
}

/// The value, or its error among the problems.
fn note<T>(result: Result<T>, problems: &mut Vec<String>) -> Option<T> {
    result
        .map_err(|e| {
            let sentence = e.to_string();
            if !problems.contains(&sentence) {
                problems.push(sentence);
            }
        })
        .ok()
}

/// Size and kind in words; sizes as the family's own files have them.
fn variant(config: &ModelConfig) -> String {
    let text = &config.text;
    let size = match (text.hidden_size, text.layers.len()) {
        (1152, 26) => "1B".to_owned(),
        (2560, 34) => "4B".to_owned(),
        (3840, 48) => "12B".to_owned(),
        (5376, 62) => "27B".to_owned(),
        (width, layers) => format!("of {layers} layers and width {width}"),
    };
    let kind = if config.images.is_some() { "multimodal" } else { "text only" };
    format!("Gemma 3 {size}, {kind}")
}

fn presence(config: Option<&ModelConfig>, catalogue: Option<&Catalogue>, prefix: &str) -> Presence {
    let (Some(config), Some(catalogue)) = (config, catalogue) else { return Presence::Unknown };
    if config.images.is_none() {
        return if config.no_images.is_some() { Presence::NotHere } else { Presence::NotAskedFor };
    }
    let wanted: Vec<_> = expected(config).into_iter().filter(|e| e.name.starts_with(prefix)).collect();
    match wanted.iter().filter(|e| catalogue.get(&e.name).is_some()).count() {
        0 => Presence::Missing,
        n if n == wanted.len() => Presence::Present,
        _ => Presence::Incomplete,
    }
}

fn parameters(catalogue: &Catalogue) -> Parameters {
    let mut count = Parameters::default();
    for (name, located) in catalogue.tensors() {
        let n = located.entry.shape.iter().fold(1u64, |product, n| product.saturating_mul(*n as u64));
        let part = if name.starts_with("vision_tower.") {
            &mut count.vision
        } else if name.starts_with("multi_modal_projector.") {
            &mut count.projector
        } else {
            &mut count.text
        };
        *part = part.saturating_add(n);
    }
    count
}

#[cfg(test)]
mod tests;
