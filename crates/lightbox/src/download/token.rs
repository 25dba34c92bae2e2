//! The token that proves to the hub who asks.

use std::fmt;
use std::path::PathBuf;

use crate::exit::{Code, Failure};

/// A token of the hub. It never appears in messages, and travels to the hub's own address only.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token to use: the one given, `HF_TOKEN`, the file `HF_TOKEN_PATH`, or `$HF_HOME/token`, as the hub's own
    /// tools look for it.
    ///
    /// # Errors
    /// [`Code::Usage`] if what was found cannot be a token.
    pub fn find(given: Option<&str>) -> Result<Option<Self>, Failure> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        if let Some(token) = given {
            return Self::parse(token, "--token").map(Some);
        }
        if let Some(token) = set("HF_TOKEN") {
            return Self::parse(&token, "HF_TOKEN").map(Some);
        }
        let path = set("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| {
            lightbox_models::hub::home_folder(|name| std::env::var_os(name)).map(|home| home.join("token"))
        });
        match path.map(|path| (std::fs::read_to_string(&path), path)) {
            Some((Ok(text), path)) if !text.trim().is_empty() => {
                Self::parse(&text, &path.display().to_string()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Such as `Bearer hf_…`.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    fn parse(text: &str, place: &str) -> Result<Self, Failure> {
        let token = text.trim();
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(token.to_owned()));
        }
        Err(Failure::new(
            Code::Usage,
            format!("{place}: expected a token of the hub, found other characters"),
        ))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
