//! `prompts`: the templates that word the tasks; to be listed, read, copied and overridden.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lightbox_reading::prompts::{Prompts, Template};
use serde::Serialize;

use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, print_json, say};

/// List, show and copy the prompt templates
///
/// A template is a text file that words a task. A file NAME.jinja in the folder of overrides
/// ($XDG_CONFIG_HOME/lightbox/prompts) takes the place of the built-in one; records say which text was used.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox prompts list
  lightbox prompts show findings
  lightbox prompts copy findings          then edit the copy; it is used from now on")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// The templates, and which of them are overridden
    List(OutputArguments),
    /// The text of a template, as it would be used
    Show {
        /// Name of the template
        name: String,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Copy a built-in template to the folder of overrides, to be edited there
    Copy {
        /// Name of the template
        name: String,
    },
}

/// The templates as this user has them.
pub fn prompts() -> Prompts {
    folders::prompt_overrides().map_or_else(Prompts::default, Prompts::new)
}

#[derive(Serialize)]
struct Shown {
    name: String,
    sha256: String,
    overridden_by: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Shown {
    fn of(template: Template, with_text: bool) -> Self {
        Self {
            sha256: template.digest(),
            text: with_text.then_some(template.text),
            overridden_by: template.overridden_by,
            name: template.name,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    match &arguments.action {
        Action::List(output) => list(output.json)?,
        Action::Show { name, output } => show(name, output.json)?,
        Action::Copy { name } => copy(name)?,
    }
    Ok(Code::Done)
}

fn list(json: bool) -> Result<(), Failure> {
    let prompts = prompts();
    let templates = Prompts::names().map(|name| prompts.get(name)).collect::<Result<Vec<_>, _>>()?;
    if json {
        return print_json(&templates.into_iter().map(|one| Shown::of(one, false)).collect::<Vec<_>>());
    }
    let mut out = Output::new();
    for template in templates {
        let place = match &template.overridden_by {
            Some(path) => path.display().to_string(),
            None => "built in".to_owned(),
        };
        out.write(&format!("{:<14} {place}\n", template.name))?;
    }
    Ok(())
}

fn show(name: &str, json: bool) -> Result<(), Failure> {
    let template = prompts().get(name)?;
    if json {
        return print_json(&Shown::of(template, true));
    }
    Output::new().write(&template.text)
}

fn copy(name: &str) -> Result<(), Failure> {
    let path = prompts().copy(name)?;
    say("copied; what you change there is used from now on");
    Output::new().write(&format!("{}\n", path.display()))
}
