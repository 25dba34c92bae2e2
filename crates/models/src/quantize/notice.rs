//! Names, terms and what is said of the change.

use super::QuantizeKind;
use crate::Terms;
use crate::files::ModelFiles;
use crate::gguf::Head;

/// The sentence that the Health AI Developer Foundations terms ask for, word by word (section 3.1).
const HAI_DEF: &str = "HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found \
                       at https://developers.google.com/health-ai-developer-foundations/terms";

/// What files are named after: the last part of the model's name or folder, in letters that every system takes.
pub(super) fn short(name: &str, files: &ModelFiles) -> String {
    let last = |text: &str| -> String {
        let text = text.split('@').next().unwrap_or_default().trim_end_matches(['/', '\\']);
        let part = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain: String = part
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        plain.trim_start_matches(['.', '-']).to_owned()
    };
    let named = [last(name), files.path().map(|path| last(&path.to_string_lossy())).unwrap_or_default()];
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "model".to_owned())
}

/// What was changed, in a sentence.
pub(super) fn sentence(name: &str, kind: QuantizeKind) -> String {
    format!(
        "Modified from {name} by lightbox {}: the weights of the text model were quantized to {} and the files \
         rewritten as GGUF; they are not those that were published.",
        env!("CARGO_PKG_VERSION"),
        kind.name().to_uppercase()
    )
}

/// What every file says of itself.
pub(super) fn metadata(
    head: &mut Head,
    architecture: &str,
    file: &str,
    name: &str,
    terms: Option<&Terms>,
    modified: &str,
) {
    head.text("general.architecture", architecture);
    head.text("general.type", file);
    head.text("general.name", name);
    if let Some(terms) = terms {
        head.text("general.license", "other");
        head.text("general.license.name", terms.name);
        head.text("general.license.link", terms.url);
        head.text("lightbox.prohibited_use", terms.prohibited_use_url);
    }
    head.text(super::MODIFIED, modified);
}

/// The text of the NOTICE.
pub(super) fn text(modified: &str, terms: Option<&Terms>) -> String {
    let mut text = format!("{modified}\n");
    match terms {
        None => text.push_str(
            "\nThe terms of use of the model are not known to lightbox; those of its source apply to these files too.\n",
        ),
        Some(terms) => {
            if terms.url.contains("health-ai-developer-foundations") {
                text.push_str(&format!("\n{HAI_DEF}\n"));
            }
            text.push_str(&format!(
                "\nThese files are a derivative under the {}:\n  {}\nwith the prohibited use policy:\n  {}\nWho passes them \
                 on passes on those terms, a copy of them, the restrictions of use and this notice.\n",
                terms.name, terms.url, terms.prohibited_use_url
            ));
        }
    }
    text
}
