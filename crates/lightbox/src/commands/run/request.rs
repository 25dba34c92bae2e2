//! From a chat request to turns, pictures and wishes.

use std::path::Path;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use lightbox_intake::PictureChoice;
use lightbox_models::{Content, Part, Role, Sampling, Turn};
use lightbox_reading::Wishes;
use lightbox_serve::openai::{self, ChatRequest, ImageSource, Message};

use crate::exit::{Code, Failure};
use crate::inputs::Inputs;

/// Clients differ in whether they write the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A request as the reading room takes it.
pub struct Understood {
    /// The conversation.
    pub turns: Vec<Turn>,
    /// Its pictures.
    pub inputs: Inputs,
    /// Everything else.
    pub wishes: Wishes,
}

/// Opens the pictures of a request and puts its words in place.
///
/// # Errors
/// [`Code::Input`] if a picture cannot be read, [`Code::Policy`] if it lies elsewhere.
pub fn understand(request: ChatRequest) -> Result<Understood, Failure> {
    let mut inputs = Inputs::default();
    let turns =
        request.messages.into_iter().map(|message| turn(message, &mut inputs)).collect::<Result<_, _>>()?;
    let wishes = Wishes {
        max_tokens: request.max_tokens,
        max_thinking_tokens: request.max_thinking_tokens,
        sampling: Sampling {
            temperature: request.temperature,
            top_k: request.top_k,
            top_p: request.top_p,
            seed: request.seed.unwrap_or(0),
        },
        stop: request.stop,
        logprobs: request.logprobs,
        prompt_logprobs: request.prompt_logprobs,
        ..Wishes::default()
    };
    Ok(Understood { turns, inputs, wishes })
}

fn turn(message: Message, inputs: &mut Inputs) -> Result<Turn, Failure> {
    let role = match message.role {
        openai::Role::System => Role::System,
        openai::Role::User => Role::User,
        openai::Role::Assistant => Role::Assistant,
    };
    let content = match message.content {
        openai::Content::Text(text) => Content::Text(text),
        openai::Content::Parts(parts) => {
            Content::Parts(parts.into_iter().map(|part| self::part(part, inputs)).collect::<Result<_, _>>()?)
        }
    };
    Ok(Turn { role, content })
}

fn part(part: openai::Part, inputs: &mut Inputs) -> Result<Part, Failure> {
    let source = match part {
        openai::Part::Text(text) => return Ok(Part::Text(text)),
        openai::Part::Image(source) => source,
    };
    let index = inputs.study.frames.len();
    let place = format!("picture {} of the request", index + 1);
    match source {
        ImageSource::Inline { base64, .. } => {
            let bytes = BASE64
                .decode(base64)
                .map_err(|error| Failure::new(Code::Input, format!("{place}: expected base64: {error}")))?;
            inputs.add_bytes(&bytes, &place)?;
        }
        ImageSource::Path(path) => inputs.add_file(Path::new(&path), &PictureChoice::default())?,
        ImageSource::Remote { scheme } => {
            return Err(Failure::new(
                Code::Policy,
                format!(
                    "{place}: a `{scheme}` address needs a connection, and nothing leaves this machine; \
                     use a local path or a `data:` URL"
                ),
            ));
        }
    }
    let n_frames = inputs.study.frames.len() - index;
    if n_frames != 1 {
        return Err(Failure::new(
            Code::Input,
            format!(
                "{place}: expected one picture, found a file of {n_frames} frames; take those that are wanted out of it \
                 with `lightbox dicom decode --frame`"
            ),
        ));
    }
    Ok(Part::Image(index))
}
