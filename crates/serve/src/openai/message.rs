//! The messages of a request: who speaks, words and pictures.

use serde_json::{Value, json};

use super::fields::{Fields, wrong_type};
use crate::{Error, ErrorKind, Result};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions (`system`, or `developer` in newer clients).
    System,
    /// The person or program that asks.
    User,
    /// The model.
    Assistant,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said and shown.
    pub content: Content,
}

/// The content of a message. Chat templates treat the two forms differently, so both are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A plain string.
    Text(String),
    /// A list of parts, at least one.
    Parts(Vec<Part>),
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture.
    Image(ImageSource),
}

/// Where a picture is. Nothing is opened or decoded here: the caller decides what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// A `data:` URL.
    Inline {
        /// Such as `image/png`; empty if the URL says none. What the bytes really are decides.
        media_type: String,
        /// The bytes, still in base64.
        base64: String,
    },
    /// A file on this machine: a plain path or a `file://` URL.
    Path(String),
    /// A URL of another scheme, which needs a connection.
    Remote {
        /// The scheme, such as `https`.
        scheme: String,
    },
}

/// Reads the list of messages.
pub(super) fn messages(value: Value, place: &str) -> Result<Vec<Message>> {
    let Value::Array(list) = value else { return Err(wrong_type(place, "a list of messages", &value)) };
    if list.is_empty() {
        return Err(Error::new(ErrorKind::Value, place, "expected at least one message, found none"));
    }
    list.into_iter().enumerate().map(|(index, one)| message(one, format!("{place}[{index}]"))).collect()
}

fn message(value: Value, place: String) -> Result<Message> {
    let mut fields = Fields::open(value, place)?;
    let role = match fields.text("role")?.as_deref() {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => {
            return Err(fields.error(
                ErrorKind::Unsupported,
                "role",
                "tools are not supported; leave these turns out",
            ));
        }
        Some(_) => {
            let expected = "expected system, developer, user or assistant, found another word";
            return Err(fields.error(ErrorKind::Value, "role", expected));
        }
        None => return Err(fields.error(ErrorKind::Value, "role", "expected a string, found nothing")),
    };
    let place = fields.path("content");
    let content = content(fields.required("content", "a string or a list of parts")?, &place)?;
    if role == Role::Assistant {
        // What clients send back of an earlier answer. Earlier thinking is never shown to the model again.
        fields.ignore(&["reasoning_content", "refusal"]);
        fields.neutral("tool_calls", &[], "leave the tool calls out")?;
        fields.neutral("audio", &[], "leave the audio out")?;
        fields.neutral("function_call", &[], "leave the function call out")?;
        fields.neutral("annotations", &[], "leave the annotations out")?;
    }
    fields.finish()?;
    Ok(Message { role, content })
}

fn content(value: Value, place: &str) -> Result<Content> {
    match value {
        Value::String(text) => Ok(Content::Text(text)),
        Value::Array(list) if list.is_empty() => {
            Err(Error::new(ErrorKind::Value, place, "expected at least one part, found none"))
        }
        Value::Array(list) => {
            let parts =
                list.into_iter().enumerate().map(|(index, one)| part(one, format!("{place}[{index}]")));
            Ok(Content::Parts(parts.collect::<Result<_>>()?))
        }
        other => Err(wrong_type(place, "a string or a list of parts", &other)),
    }
}

fn part(value: Value, place: String) -> Result<Part> {
    let mut fields = Fields::open(value, place)?;
    let part =
        match fields.text("type")?.as_deref() {
            Some("text") => {
                let text = fields.text("text")?;
                Part::Text(text.ok_or_else(|| {
                    fields.error(ErrorKind::Value, "text", "expected a string, found nothing")
                })?)
            }
            Some("image_url") => {
                let url = fields.required("image_url", "an object with a `url`")?;
                Part::Image(image(Fields::open(url, fields.path("image_url"))?)?)
            }
            Some(_) => {
                let message = "expected `text` or `image_url`; other kinds of parts are not supported";
                return Err(fields.error(ErrorKind::Unsupported, "type", message));
            }
            None => return Err(fields.error(ErrorKind::Value, "type", "expected a string, found nothing")),
        };
    fields.finish()?;
    Ok(part)
}

fn image(mut fields: Fields) -> Result<ImageSource> {
    let url = fields
        .text("url")?
        .ok_or_else(|| fields.error(ErrorKind::Value, "url", "expected a string, found nothing"))?;
    let instead = "every picture is shown at the model's own size; leave it out or say \"auto\"";
    fields.neutral("detail", &[json!("auto")], instead)?;
    let source = source(url, &fields.path("url"))?;
    fields.finish()?;
    Ok(source)
}

fn source(url: String, place: &str) -> Result<ImageSource> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.as_deref() == Some("data") {
        return inline(&url["data:".len()..], place);
    }
    if let Some((scheme, rest)) = url.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "file" => file_url(rest, place),
            scheme => Ok(ImageSource::Remote { scheme: scheme.to_owned() }),
        };
    }
    if url.is_empty() {
        return Err(Error::new(ErrorKind::Value, place, "expected a picture, found an empty string"));
    }
    Ok(ImageSource::Path(url))
}

/// `rest` follows `data:`, as in `image/png;base64,iVBORw0…`.
fn inline(rest: &str, place: &str) -> Result<ImageSource> {
    let error = |message: &str| Error::new(ErrorKind::Value, place, message);
    let (head, body) =
        rest.split_once(',').ok_or_else(|| error("expected `data:image/…;base64,…`, found no comma"))?;
    let mut words = head.split(';');
    let media_type = words.next().unwrap_or_default().trim().to_ascii_lowercase();
    if !words.any(|word| word.trim().eq_ignore_ascii_case("base64")) {
        return Err(error("expected a data URL in base64 (`data:image/…;base64,…`)"));
    }
    let is_picture = media_type.is_empty()
        || media_type.starts_with("image/")
        || ["application/dicom", "application/octet-stream"].contains(&media_type.as_str());
    if !is_picture {
        return Err(error("expected a data URL of an image (`data:image/…;base64,…`)"));
    }
    Ok(ImageSource::Inline { media_type, base64: body.trim().to_owned() })
}

/// `rest` follows `file://`: an optional host, which must be this machine, and a path with percent escapes.
fn file_url(rest: &str, place: &str) -> Result<ImageSource> {
    let error = |message: &str| Error::new(ErrorKind::Value, place, message);
    let path = rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(error("expected `file:///path`, found a host or a relative path"));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(error("expected two hexadecimal digits after each `%`")),
        }
    }
    String::from_utf8(bytes).map(ImageSource::Path).map_err(|_| error("the path is not UTF-8"))
}
