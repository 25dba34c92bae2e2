//! The terms under which a model may be used: shown before anything is fetched, and their acceptance written down.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lightbox_models::hub::Repo;
use serde::{Deserialize, Serialize};

use super::cache::write_whole;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::say;

const HAI_DEF: &str = "health-ai-developer-foundations";
const HAI_DEF_URL: &str = "https://developers.google.com/health-ai-developer-foundations/terms";
const HAI_DEF_PROHIBITED: &str =
    "https://developers.google.com/health-ai-developer-foundations/prohibited-use-policy";
/// The day on which the terms that are summarised here were last changed.
const HAI_DEF_VERSION: &str = "2024-11-15";

/// Terms of use of a model.
pub struct Terms {
    /// A name for the record of acceptance.
    key: String,
    version: &'static str,
    url: String,
    summary: String,
}

/// An acceptance as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Acceptance {
    format: u32,
    terms: String,
    version: String,
    url: String,
    /// Seconds since 1970 (UTC).
    accepted_at: u64,
}

impl Terms {
    /// The terms of a repository: those of Health AI Developer Foundations for models of that family and what was made
    /// from them, which names tell; for any other, those on its own page.
    pub fn of(repo: &Repo) -> Self {
        let id = repo.to_string();
        let name = id.to_ascii_lowercase();
        if ["medgemma", "medsiglip", "medasr"].iter().any(|family| name.contains(family)) {
            return Self {
                key: HAI_DEF.to_owned(),
                version: HAI_DEF_VERSION,
                url: HAI_DEF_URL.to_owned(),
                summary: format!(
                    "{id} is provided under the Health AI Developer Foundations Terms of Use of {HAI_DEF_VERSION}:\n\
                     \x20 {HAI_DEF_URL}\n\
                     and their prohibited use policy:\n\
                     \x20 {HAI_DEF_PROHIBITED}\n\
                     In short, and without replacing them: use in the diagnosis or treatment of patients, research\n\
                     studies included, needs the regulatory authorisation that applies to it; prohibited uses are\n\
                     excluded; who passes weights on, changed or not, passes these terms on; the model is provided\n\
                     as it is, and its outputs are your responsibility."
                ),
            };
        }
        let url = format!("https://huggingface.co/{id}");
        Self {
            key: id.replace('/', "--"),
            version: "as on the page",
            summary: format!("{id} is provided under the terms on its page:\n  {url}"),
            url,
        }
    }

    /// Shows the terms and makes sure that they are accepted: now by `accept`, now on the terminal, or earlier.
    ///
    /// # Errors
    /// [`Code::Policy`] if they are not, [`Code::Output`] if the acceptance cannot be written down under `data`.
    pub fn require(&self, accept: bool, data: &Path) -> Result<(), Failure> {
        say(&self.summary);
        let folder = data.join("terms");
        let path = folder.join(format!("{}.json", self.key));
        if self.is_accepted(&path) {
            say(&format!("Accepted earlier ({}).", path.display()));
            return Ok(());
        }
        if !accept && !ask()? {
            return Err(Failure::new(
                Code::Policy,
                "the terms of use are not accepted; read them and add --accept-terms, nothing was fetched",
            ));
        }
        let acceptance = Acceptance {
            format: 1,
            terms: self.key.clone(),
            version: self.version.to_owned(),
            url: self.url.clone(),
            accepted_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        };
        let mut text = serde_json::to_vec_pretty(&acceptance)
            .map_err(|error| Failure::new(Code::Output, format!("failed to write JSON: {error}")))?;
        text.push(b'\n');
        folders::make_private(&folder)?;
        write_whole(&path, &text).map_err(|error| Failure::output(path.display(), &error))?;
        say(&format!("Accepted; written down in {}.", path.display()));
        Ok(())
    }

    /// Acceptance of other terms, or of another version, does not count.
    fn is_accepted(&self, path: &Path) -> bool {
        std::fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Acceptance>(&text).ok())
            .is_some_and(|found| found.terms == self.key && found.version == self.version)
    }
}

/// Asks on the terminal; where there is none, nobody has accepted anything.
fn ask() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut stderr = io::stderr();
    let mut line = String::new();
    write!(stderr, "Do you accept them? Type yes to accept: ")
        .and_then(|()| stderr.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut line))
        .map_err(|error| Failure::output("the terminal", &error))?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
