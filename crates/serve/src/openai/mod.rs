//! The chat-completions shapes: [`parse_request`] reads a body, [`ChatCompletion`] and [`ChatChunk`] write answers.
//!
//! A field that is not known is refused by name, because it may change the answer; fields that cannot change it stand
//! on an explicit list and are accepted. What goes beyond OpenAI's shape is kept apart in the `lightbox` object of a
//! response, and in the request fields `top_k`, `prompt_logprobs` and `max_thinking_tokens`.
//!
//! ```
//! use lightbox_serve::openai::parse_request;
//!
//! let body = br#"{"messages": [{"role": "user", "content": "What is seen?"}], "max_tokens": 64}"#;
//! assert_eq!(parse_request(body).expect("every field is known").max_tokens, Some(64));
//!
//! let body = br#"{"messages": [{"role": "user", "content": "What is seen?"}], "temprature": 0}"#;
//! assert!(parse_request(body).expect_err("a typing error").to_string().contains("temprature"));
//! ```

mod body;
mod fields;
mod message;
mod request;
mod response;
mod stream;

pub use message::{Content, ImageSource, Message, Part, Role};
pub use request::{ChatRequest, MAX_ALTERNATIVES, MAX_BODY_BYTES, parse_request};
pub use response::{
    AssistantMessage, ChatCompletion, Choice, ChoiceLogprobs, Extension, GuessCounts, ImageCounts,
    PromptTokenLogprob, TimingsMs, TokenLogprob, TopLogprob, Usage,
};
pub use stream::{ChatChunk, ChunkChoice, DONE_LINE, Delta, event_line};
