//! A model without its weights: enough to count tokens and to resize pictures.

use std::sync::atomic::AtomicBool;

use lightbox_models::config::ModelConfig;
use lightbox_models::images::{ImageProcessor, bilinear};
use lightbox_models::tokens::Tokens;
use lightbox_models::{
    Engine, Error, ErrorKind, Event, Generation, ModelCard, ModelFiles, Prompt, Request, Result, RgbImage,
};
use lightbox_reading::{Assignment, Budget, Profile};

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
}

impl Outline {
    /// Reads settings and tokenizer; the weights are not opened.
    ///
    /// # Errors
    /// As loading the model.
    pub fn of_files(files: &ModelFiles, name: &str) -> Result<Self> {
        let config = ModelConfig::load(files)?;
        let processor =
            config.images.as_ref().map(|images| ImageProcessor::load(files, images)).transpose()?;
        let tokens = Tokens::load(files, &config)?;
        let card = ModelCard {
            name: name.to_owned(),
            // Nothing that could be mistaken for the digest of a loaded model.
            digest: String::new(),
            architecture: config.architecture.clone(),
            context_tokens: config.text.max_positions,
            image_size_px: config.images.as_ref().map(|images| images.vision.image_size),
            tokens_per_image: config.images.as_ref().map(|images| images.tokens_per_image),
            notice: None,
            backend: "none".to_owned(),
        };
        Ok(Self::Files(Box::new(FilesOutline { card, tokens, processor })))
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

    /// How an assignment fills the context.
    ///
    /// # Errors
    /// If it does not fit the model.
    pub fn budget(&self, assignment: &mut Assignment) -> lightbox_reading::Result<Budget> {
        match self {
            Self::Files(files) => assignment.fit(files.as_ref()),
            Self::Profile(profile) => Ok(assignment.estimate(profile)),
        }
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
