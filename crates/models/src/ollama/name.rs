//! Names of models as Ollama's tools take them.

use std::fmt;
use std::path::{Path, PathBuf};

/// What stands in front of a name where other kinds of names are possible.
const PREFIX: &str = "ollama:";
const HOST: &str = "registry.ollama.ai";
const NAMESPACE: &str = "library";
const TAG: &str = "latest";
/// Longest word of a name.
const MAX_WORD: usize = 80;
/// Longest host.
const MAX_HOST: usize = 350;

/// `[HOST/][NAMESPACE/]MODEL[:TAG]`, filled in where parts are left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    host: String,
    namespace: String,
    model: String,
    tag: String,
}

impl Name {
    /// Reads a name, with or without `ollama:` in front; `None` if it is none. Its words become parts of paths, so
    /// nothing but plain words passes.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        let words: Vec<&str> = name.split('/').collect();
        let (host, namespace, last) = match words[..] {
            [last] => (HOST, NAMESPACE, last),
            [namespace, last] => (HOST, namespace, last),
            [host, namespace, last] => (host, namespace, last),
            _ => return None,
        };
        let (model, tag) = last.split_once(':').unwrap_or((last, TAG));
        let is_name = is_host(host) && [namespace, model, tag].iter().all(|word| is_plain(word, MAX_WORD));
        is_name.then(|| Self {
            host: host.to_owned(),
            namespace: namespace.to_owned(),
            model: model.to_owned(),
            tag: tag.to_owned(),
        })
    }

    /// Where its manifest is, in the store at `folder`.
    pub(super) fn manifest(&self, folder: &Path) -> PathBuf {
        let words = [&self.host, &self.namespace, &self.model, &self.tag];
        words.iter().fold(folder.join("manifests"), |path, word| path.join(word))
    }
}

impl fmt::Display for Name {
    /// With `ollama:` in front and without what goes without saying.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        if self.host != HOST {
            write!(f, "{}/", self.host)?;
        }
        if self.host != HOST || self.namespace != NAMESPACE {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.model)?;
        if self.tag != TAG {
            write!(f, ":{}", self.tag)?;
        }
        Ok(())
    }
}

fn is_plain(word: &str, max_bytes: usize) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = word.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    begins && word.len() <= max_bytes && !word.contains("..") && word.bytes().all(is_plain)
}

/// A host, with a port or without.
fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    is_plain(name, MAX_HOST)
        && !port.is_empty()
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_shown_short() {
        let table = [
            ("ollama:medgemma1.5", "registry.ollama.ai/library/medgemma1.5/latest", "ollama:medgemma1.5"),
            ("medgemma:4b", "registry.ollama.ai/library/medgemma/4b", "ollama:medgemma:4b"),
            ("ollama:a_b/medgemma:4b-it-q4_K_M", "registry.ollama.ai/a_b/medgemma/4b-it-q4_K_M", ""),
            ("ollama:hf.co/unsloth/m-GGUF:Q4_K_M", "hf.co/unsloth/m-GGUF/Q4_K_M", ""),
            (
                "localhost:5000/library/m:latest",
                "localhost:5000/library/m/latest",
                "ollama:localhost:5000/library/m",
            ),
        ];
        for (name, path, shown) in table {
            let parsed = Name::parse(name).expect(name);
            assert_eq!(parsed.manifest(Path::new("s")), Path::new("s/manifests").join(path), "{name}");
            assert_eq!(parsed.to_string(), if shown.is_empty() { name } else { shown });
            assert_eq!(Name::parse(&parsed.to_string()), Some(parsed));
        }
    }

    #[test]
    fn only_plain_words_become_paths() {
        for name in [
            "",
            "ollama:",
            "ollama:..",
            "../x",
            "a/..",
            "a/../b",
            "a:..",
            "a:",
            ":4b",
            "/a",
            "a/",
            "a//b",
            "a/b/c/d",
            "a b",
            "a:b:c",
            ".a",
            "-a",
            "a/.b",
            "a\\b",
            "h:x/n/m",
            "h:/n/m",
            "h:123456/n/m",
            "a%2f",
            "m:t/..",
            "C:/x/y",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
    }
}
