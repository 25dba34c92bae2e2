//! The files of one model: the text model in one file or several, and where its vision tower lies.

use super::Gguf;
use crate::{Error, ErrorKind, Result};

/// The architecture of the text models that are read.
pub const ARCHITECTURE: &str = "gemma3";
/// The architecture under which projector files go.
pub const PROJECTOR_ARCHITECTURE: &str = "clip";

/// Metadata and tensor infos of a model's files.
#[derive(Clone, Debug)]
pub struct Model {
    /// The parts of the text model; the first holds the metadata.
    parts: Vec<Gguf>,
    projector: Option<Gguf>,
    /// Why this projector was taken, or why there is none.
    projector_note: Option<String>,
}

/// Where a model's vision tower and projector lie.
#[derive(Clone, Copy, Debug)]
pub enum Vision<'a> {
    /// Nowhere: the model answers to text alone.
    None,
    /// In the text model's own file, as Ollama's converter writes it.
    Inside(&'a Gguf),
    /// In a file of their own, as llama.cpp's converter writes it.
    Beside(&'a Gguf),
}

impl Model {
    /// Puts files together that have been read.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] for files in exchanged roles; [`ErrorKind::Config`] for a model of another architecture, or a
    /// projector where there is one already or that is not for this model.
    pub(super) fn new(
        parts: Vec<Gguf>,
        projector: Option<Gguf>,
        projector_note: Option<String>,
    ) -> Result<Self> {
        let model = Self { parts, projector, projector_note };
        let text = model.text()?;
        check_text(text)?;
        if let Some(projector) = &model.projector {
            if has_vision_inside(text) {
                return Err(Error::new(
                    ErrorKind::Files,
                    format!(
                        "{} has a vision tower of its own, so {} cannot be its projector",
                        text.file(),
                        projector.file()
                    ),
                )
                .hint("leave the projector out"));
            }
            check_projector(projector, text)?;
        }
        Ok(model)
    }

    /// The file with the text model's metadata: the only one, or the first of several.
    ///
    /// # Errors
    /// [`ErrorKind::Files`] if there is none.
    pub fn text(&self) -> Result<&Gguf> {
        self.parts.first().ok_or_else(|| Error::new(ErrorKind::Files, "a model without files"))
    }

    /// The files of the text model.
    #[must_use]
    pub fn parts(&self) -> &[Gguf] {
        &self.parts
    }

    /// The projector's file, where there is one.
    #[must_use]
    pub fn projector(&self) -> Option<&Gguf> {
        self.projector.as_ref()
    }

    /// Why this projector was taken, or why there is none; a lowercase fragment.
    #[must_use]
    pub fn projector_note(&self) -> Option<&str> {
        self.projector_note.as_deref()
    }

    /// Every file: the text model's, then the projector's.
    pub fn files(&self) -> impl Iterator<Item = &Gguf> {
        self.parts.iter().chain(&self.projector)
    }

    /// Where the vision tower lies.
    #[must_use]
    pub fn vision(&self) -> Vision<'_> {
        match (&self.projector, self.parts.first()) {
            (Some(projector), _) => Vision::Beside(projector),
            (None, Some(text)) if has_vision_inside(text) => Vision::Inside(text),
            _ => Vision::None,
        }
    }
}

/// Whether a text file has the vision tower in it.
pub(super) fn has_vision_inside(text: &Gguf) -> bool {
    text.get("gemma3.vision.block_count").is_some() || text.tensors().iter().any(|t| t.name.starts_with("v."))
}

/// Whether a file looks to be written by Ollama's converter, whose keys differ in places.
pub(super) fn is_ollama(text: &Gguf) -> bool {
    let marks = [
        "gemma3.mm.tokens_per_image",
        "gemma3.vision.block_count",
        "gemma3.rope.global.freq_base",
        "gemma3.rope.local.freq_base",
    ];
    marks.iter().any(|key| text.get(key).is_some())
        || text.get("gemma3.attention.layer_norm_rms_epsilon").is_none()
}

/// Refuses files that are no text model of the family.
fn check_text(text: &Gguf) -> Result<()> {
    let file = text.file();
    let kind = text.text("general.type")?.unwrap_or("model");
    let architecture = text.text("general.architecture")?;
    if architecture == Some(PROJECTOR_ARCHITECTURE) || kind == "mmproj" {
        return Err(Error::new(
            ErrorKind::Files,
            format!("{file}: expected a text model, found a projector, which is the part that sees pictures"),
        )
        .hint("name the text model's file of the same repository; the projector beside it is found, or name it with --projector"));
    }
    if kind != "model" {
        return Err(Error::new(
            ErrorKind::Files,
            format!("{file}: general.type: expected model, found {kind:?}"),
        )
        .hint("name the file with the whole model"));
    }
    match architecture {
        Some(ARCHITECTURE) => Ok(()),
        _ => Err(text
            .bad("general.architecture", &format!("{ARCHITECTURE:?}"))
            .hint("models of the MedGemma family have it")),
    }
}

/// Refuses a file that is no projector, or another model's.
pub(super) fn check_projector(projector: &Gguf, text: &Gguf) -> Result<()> {
    if projector.text("general.architecture")? != Some(PROJECTOR_ARCHITECTURE) {
        return Err(projector
            .bad("general.architecture", &format!("{PROJECTOR_ARCHITECTURE:?}, a projector"))
            .hint("a projector's file is usually called mmproj-….gguf"));
    }
    if projector_kind(projector)? != Some("gemma3") {
        let key = if projector.get("clip.projector_type").is_some() {
            "clip.projector_type"
        } else {
            "clip.vision.projector_type"
        };
        return Err(projector.bad(key, "\"gemma3\"").hint("this projector is of another family of models"));
    }
    let width = text.unsigned("gemma3.embedding_length")?;
    let fits = projector.unsigned("clip.vision.projection_dim")?;
    if fits.is_none() || fits != width {
        let expected = format!(
            "{}, the embedding_length of {}",
            width.map_or_else(|| "what is not known".to_owned(), |n| n.to_string()),
            text.file()
        );
        return Err(projector
            .bad("clip.vision.projection_dim", &expected)
            .hint("this is the projector of a model of another size"));
    }
    Ok(())
}

/// The family that a projector says it is for.
fn projector_kind(projector: &Gguf) -> Result<Option<&str>> {
    Ok(projector.text("clip.projector_type")?.or(projector.text("clip.vision.projector_type")?))
}
