//! Which terms of use a folder looks to be under.

use serde::Serialize;

use crate::files::ModelFiles;
use crate::gguf::{Gguf, Model};

/// Longest part of a model's README that is looked at.
const README_BYTES: u64 = 4096;

/// Terms of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// Their name.
    pub name: &'static str,
    /// Where they stand.
    pub url: &'static str,
    /// What they forbid in particular.
    pub prohibited_use_url: &'static str,
}

/// Health AI Developer Foundations: MedGemma and its relatives, and what is derived from them.
const HAI_DEF: Terms = Terms {
    name: "Health AI Developer Foundations Terms of Use",
    url: "https://developers.google.com/health-ai-developer-foundations/terms",
    prohibited_use_url: "https://developers.google.com/health-ai-developer-foundations/prohibited-use-policy",
};

/// Gemma.
const GEMMA: Terms = Terms {
    name: "Gemma Terms of Use",
    url: "https://ai.google.dev/gemma/terms",
    prohibited_use_url: "https://ai.google.dev/gemma/prohibited_use_policy",
};

impl Terms {
    /// By the name the model goes by, the one its settings were saved under, the licence of its README, or what a GGUF
    /// file says of its origin.
    pub(crate) fn of(files: &ModelFiles, name: &str) -> Option<Self> {
        let readme_bytes = files.len("README.md").ok().flatten().unwrap_or(0).min(README_BYTES);
        let readme = files.read_range("README.md", 0, readme_bytes as usize).unwrap_or_default();
        let settings = files.read("config.json").ok().flatten().unwrap_or_default();
        let saved_as = serde_json::from_slice::<serde_json::Value>(&settings).ok();
        let saved_as = saved_as.as_ref().and_then(|v| v.get("_name_or_path")).and_then(|v| v.as_str());
        let place = files.to_string();
        let licence = licence(&String::from_utf8_lossy(&readme));
        let metadata = files.as_gguf().map(metadata).unwrap_or_default();
        let signs = [
            last(name),
            last(saved_as.unwrap_or_default()),
            &cached_as(&place),
            last(&place),
            &licence,
            &metadata,
        ];
        let signs = signs.map(str::to_lowercase);
        let any = |words: &[&str]| signs.iter().any(|sign| words.iter().any(|word| sign.contains(word)));
        if any(&["medgemma", "medsiglip", "health-ai-developer-foundations"]) {
            Some(HAI_DEF)
        } else if any(&["gemma"]) {
            Some(GEMMA)
        } else {
            None
        }
    }
}

/// What the metadata of a GGUF file says of where the model comes from.
fn metadata(model: &Model) -> String {
    const KEYS: [&str; 8] = [
        "general.name",
        "general.basename",
        "general.license",
        "general.license.name",
        "general.license.link",
        "general.base_model.0.name",
        "general.base_model.0.repo_url",
        "general.source.huggingface.repository",
    ];
    let texts = |gguf: &Gguf| KEYS.map(|key| gguf.text(key).ok().flatten().unwrap_or_default()).join("\n");
    model.parts().first().map(texts).unwrap_or_default()
}

impl Terms {
    /// By the texts of licences.
    pub(super) fn of_licences(texts: &[String]) -> Option<Self> {
        let any = |words: &str| texts.iter().any(|text| text.to_lowercase().contains(words));
        if any("health ai developer foundations") {
            Some(HAI_DEF)
        } else if any("gemma terms of use") {
            Some(GEMMA)
        } else {
            None
        }
    }
}

/// The last part of a path or hub id, so that a folder somewhere above it does not speak for a model.
fn last(name: &str) -> &str {
    name.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default()
}

/// The part of a path by which the hub's cache knows a model.
fn cached_as(place: &str) -> String {
    place.split(['/', '\\']).filter(|part| part.starts_with("models--")).collect()
}

/// The lines of a README's front matter that speak of its licence.
fn licence(readme: &str) -> String {
    let mut lines = readme.lines();
    if lines.next() != Some("---") {
        return String::new();
    }
    let front = lines.take_while(|line| *line != "---");
    front
        .filter(|line| line.starts_with("license") || line.starts_with("base_model"))
        .collect::<Vec<_>>()
        .join("\n")
}
