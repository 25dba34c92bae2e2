//! What an engine is asked: turns of text and pictures, and how to choose tokens.

use serde::{Deserialize, Serialize};

/// An RGB picture: 8 bits a channel, row-major from the top left, three bytes a pixel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct RgbImage {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// A picture as it was written, sizes not yet compared.
#[derive(Deserialize)]
struct Written {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl TryFrom<Written> for RgbImage {
    type Error = crate::Error;

    fn try_from(written: Written) -> crate::Result<Self> {
        Self::new(written.width, written.height, written.pixels)
    }
}

impl RgbImage {
    /// Wraps `pixels` (`width * height * 3` bytes, RGB).
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::ErrorKind::Image) if a side is zero or the length does not match.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> crate::Result<Self> {
        let expected = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if width == 0 || height == 0 || expected != Some(pixels.len()) {
            return Err(crate::Error::new(
                crate::ErrorKind::Image,
                format!(
                    "a {width}×{height} RGB picture needs {} bytes, got {}",
                    expected.map_or_else(|| "more than memory".to_owned(), |n| n.to_string()),
                    pixels.len()
                ),
            ));
        }
        Ok(Self { width, height, pixels })
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The samples, `[height, width, 3]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl std::fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbImage({}×{})", self.width, self.height)
    }
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions; Gemma 3 templates fold them into the first user turn.
    System,
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
}

/// One piece of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture: an index into [`Request::images`].
    Image(usize),
}

/// The content of a turn. Chat templates treat a plain string and a list of parts differently, so both exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// A plain string.
    Text(String),
    /// A list of text and picture parts.
    Parts(Vec<Part>),
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said and shown.
    pub content: Content,
}

/// How the next token is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// 0 is greedy: the most likely token, the lowest id among equals.
    pub temperature: f32,
    /// Keep the `top_k` most likely tokens.
    pub top_k: Option<usize>,
    /// Keep the smallest set of most likely tokens whose probability reaches `top_p`, 0 < p ≤ 1.
    pub top_p: Option<f32>,
    /// Seed of the generator; the same request with the same seed gives the same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_k: None, top_p: None, seed: 0 }
    }
}

/// One request to an [`Engine`](crate::Engine).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The conversation; the model answers after the last turn.
    pub turns: Vec<Turn>,
    /// The pictures that the turns refer to, each shown exactly once, in this order.
    pub images: Vec<RgbImage>,
    /// Most tokens to generate (thinking included unless `max_thinking_tokens` is set); `None`: what the context leaves.
    pub max_tokens: Option<usize>,
    /// A budget of its own for the thinking block; its tokens then do not count towards `max_tokens`.
    pub max_thinking_tokens: Option<usize>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Strings that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// Report the log-probability of each generated token, with this many alternatives.
    pub logprobs: Option<usize>,
    /// Report the log-probability of each prompt token, with this many alternatives.
    pub prompt_logprobs: Option<usize>,
}

impl Request {
    /// A greedy request with `turns` and `images` and no other wish.
    #[must_use]
    pub fn new(turns: Vec<Turn>, images: Vec<RgbImage>) -> Self {
        Self {
            turns,
            images,
            max_tokens: None,
            max_thinking_tokens: None,
            sampling: Sampling::default(),
            stop: Vec::new(),
            logprobs: None,
            prompt_logprobs: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_was_written_is_read_only_if_its_samples_fit_its_sides() {
        let picture = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).expect("two pixels");
        let written = serde_json::to_string(&picture).expect("JSON");
        assert_eq!(serde_json::from_str::<RgbImage>(&written).expect("the same"), picture);
        let error = serde_json::from_str::<RgbImage>(r#"{"width":10,"height":10,"pixels":[]}"#);
        let message = error.expect_err("no samples").to_string();
        assert!(message.contains("a 10×10 RGB picture needs 300 bytes, got 0"), "{message}");
    }
}
