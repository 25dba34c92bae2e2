//! A model without its weights: enough to count tokens and to resize pictures. What cannot be run is known from it
//! before minutes are spent on loading.

use std::sync::atomic::AtomicBool;

use lightbox_models::config::ModelConfig;
use lightbox_models::images::{ImageProcessor, bilinear};
use lightbox_models::tokens::Tokens;
use lightbox_models::{
    Engine, Error, ErrorKind, Event, Generation, ModelCard, ModelFiles, Prompt, Request, Result, RgbImage,
};
use lightbox_reading::{Assignment, Budget, Profile};

use crate::exit::{Code, Failure};

/// What plans a read.
pub enum Outline {
    /// Settings and tokenizer of a model at hand.
    Files(Box<FilesOutline>),
    /// What is known of a model that is not.
    Profile(&'static Profile),
}

/// Settings and tokenizer of a model.
pub struct FilesOutline {
    card: ModelCard,
    tokens: Tokens,
    processor: Option<ImageProcessor>,
    /// What to do about a model that takes no pictures and might.
    no_images: Option<String>,
}

impl Outline {
    /// Reads settings and tokenizer; the weights are not opened. `context_tokens` is a wish for less than the model
    /// allows; more is what the model allows.
    ///
    /// # Errors
    /// As loading the model.
    pub fn of_files(files: &ModelFiles, name: &str, context_tokens: Option<usize>) -> Result<Self> {
        let config = ModelConfig::load(files)?;
        let processor =
            config.images.as_ref().map(|images| ImageProcessor::load(files, images)).transpose()?;
        let tokens = Tokens::load(files, &config)?;
        let most = config.text.max_positions;
        let card = ModelCard {
            name: name.to_owned(),
            // Nothing that could be mistaken for the digest of a loaded model.
            digest: String::new(),
            architecture: config.architecture.clone(),
            context_tokens: context_tokens.map_or(most, |wish| wish.min(most)),
            image_size_px: config.images.as_ref().map(|images| images.vision.image_size),
            tokens_per_image: config.images.as_ref().map(|images| images.tokens_per_image),
            notice: None,
            backend: "none".to_owned(),
        };
        Ok(Self::Files(Box::new(FilesOutline { card, tokens, processor, no_images: config.no_images })))
    }

    /// The name of the model or profile.
    pub fn name(&self) -> &str {
        match self {
            Self::Files(files) => &files.card.name,
            Self::Profile(profile) => profile.name,
        }
    }

    /// Side in pixels of the square that the model sees.
    pub fn image_size_px(&self) -> Option<usize> {
        match self {
            Self::Files(files) => files.card.image_size_px,
            Self::Profile(profile) => Some(profile.image_size_px),
        }
    }

    /// Soft tokens a picture.
    pub fn tokens_per_image(&self) -> Option<usize> {
        match self {
            Self::Files(files) => files.card.tokens_per_image,
            Self::Profile(profile) => Some(profile.tokens_per_image),
        }
    }

    /// How an assignment fills the context; its token limits are settled.
    ///
    /// # Errors
    /// [`Code::Model`] if it does not fit, or the model takes no pictures and there are some; [`Code::Input`] for words
    /// that no prompt may hold.
    pub fn budget(&self, assignment: &mut Assignment) -> std::result::Result<Budget, Failure> {
        match self {
            Self::Files(files) => {
                if let (false, Some(way_out)) = (assignment.views.is_empty(), &files.no_images) {
                    return Err(Failure::new(
                        Code::Model,
                        format!("{}: this model takes no pictures as it is; {way_out}", files.card.name),
                    ));
                }
                assignment.fit(files.as_ref()).map_err(unfit)
            }
            Self::Profile(profile) => {
                let budget = assignment.estimate(profile);
                if budget.fits() {
                    return Ok(budget);
                }
                Err(Failure::new(
                    Code::Model,
                    format!(
                        "prompt: expected fewer than the context's {} tokens, found about {} ({} of pictures); hand in \
                         fewer pictures, or shorten the text",
                        budget.context_tokens,
                        budget.prompt_tokens(),
                        budget.image_tokens
                    ),
                ))
            }
        }
    }

    /// Checks that a request whose limits are settled fits the context, as the engine will.
    ///
    /// # Errors
    /// As [`Outline::budget`].
    pub fn check(&self, request: &Request) -> std::result::Result<(), Failure> {
        let Self::Files(files) = self else { return Ok(()) };
        let n_prompt = files.prompt(request)?.ids.len();
        let thinking = request.max_thinking_tokens.unwrap_or(0);
        // Without a limit of its own an answer takes what is left: one token at least.
        let limits = request.max_tokens.map_or(1, |answer| answer.saturating_add(thinking));
        let context = files.card.context_tokens;
        if n_prompt.saturating_add(limits) <= context {
            return Ok(());
        }
        Err(Failure::new(
            Code::Model,
            format!(
                "expected at most the context's {context} tokens, found a prompt of {n_prompt} and an answer of up to \
                 {limits}; use the model of the record, with its whole context"
            ),
        ))
    }

    /// The picture as the model's own processor resizes it.
    ///
    /// # Errors
    /// If the model takes no pictures.
    pub fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        match self {
            Self::Files(files) => files.resized(image),
            Self::Profile(profile) => bilinear(image, profile.image_size_px, profile.image_size_px),
        }
    }
}

/// An assignment that does not fit a model, or a model that does not fit it: pictures for a text-only one.
pub fn unfit(error: lightbox_reading::Error) -> Failure {
    match error.kind() {
        lightbox_reading::ErrorKind::Inputs => Failure::new(Code::Model, error.to_string()),
        _ => error.into(),
    }
}

impl Engine for FilesOutline {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn prompt(&self, request: &Request) -> Result<Prompt> {
        self.tokens.prompt(request)
    }

    fn decode(&self, ids: &[u32]) -> String {
        self.tokens.decode(ids)
    }

    fn resized(&self, image: &RgbImage) -> Result<RgbImage> {
        let processor = self
            .processor
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Image, "the model takes no pictures"))?;
        processor.resized(image)
    }

    fn generate(&mut self, _: &Request, _: &AtomicBool, _: &mut dyn FnMut(Event)) -> Result<Generation> {
        Err(Error::new(ErrorKind::Request, "only the outline of the model is loaded, not its weights"))
    }
}
