//! `models list`: the models that `--model` finds by name on this machine.

use clap::Args;
use lightbox_models::{hub, phantom};
use serde::Serialize;

use crate::arguments::OutputArguments;
use crate::exit::{Code, Failure};
use crate::folders;
use crate::terminal::{Output, print_json};

/// The models on this machine that --model takes by name
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    folder: Option<std::path::PathBuf>,
    notice: Option<&'static str>,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    let phantom = Listed { name: phantom::NAME.to_owned(), folder: None, notice: Some(phantom::NOTICE) };
    let cached = folders::hub_cache().map(|cache| hub::cached(&cache)).unwrap_or_default();
    let cached = cached.into_iter().map(|model| {
        let name = match model.revision.as_str() {
            "main" => model.repo.to_string(),
            revision => format!("{}@{revision}", model.repo),
        };
        Listed { name, folder: Some(model.folder), notice: None }
    });
    let all: Vec<_> = std::iter::once(phantom).chain(cached).collect();
    if arguments.output.json {
        print_json(&all)?;
        return Ok(Code::Done);
    }
    let mut out = Output::new();
    for model in all {
        let place = model
            .folder
            .map_or_else(|| "bundled; random weights".to_owned(), |path| path.display().to_string());
        out.write(&format!("{:<40} {place}\n", model.name))?;
    }
    Ok(Code::Done)
}
