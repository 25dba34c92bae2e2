//! Which model: from a name to files, from files to an engine.

use lightbox_kernels::Isa;
use lightbox_models::{LoadOptions, LocalEngine, ModelFiles};

use crate::arguments::{Cpu, ModelArguments};
use crate::exit::{Code, Failure};
use crate::terminal::Progress;
use crate::{folders, hub};

/// The bundled model.
pub const PHANTOM: &str = "phantom";

const PHANTOM_FILES: &[(&str, &[u8])] = &[
    ("config.json", include_bytes!("../../models/phantom/config.json")),
    ("generation_config.json", include_bytes!("../../models/phantom/generation_config.json")),
    ("chat_template.jinja", include_bytes!("../../models/phantom/chat_template.jinja")),
    ("preprocessor_config.json", include_bytes!("../../models/phantom/preprocessor_config.json")),
    ("processor_config.json", include_bytes!("../../models/phantom/processor_config.json")),
    ("tokenizer.json", include_bytes!("../../models/phantom/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../../models/phantom/tokenizer_config.json")),
    ("model.safetensors", include_bytes!("../../models/phantom/model.safetensors")),
];

/// What must accompany everything that the bundled model says.
pub const PHANTOM_NOTICE: &str = "the model `phantom` is a demonstration with random weights and no medical \
                                  knowledge: its text is noise";

/// The name of the model: `--model`, then `wish`, then `LIGHTBOX_MODEL`, then the bundled one.
pub fn name(arguments: &ModelArguments, wish: Option<&str>) -> String {
    arguments
        .model
        .clone()
        .or_else(|| wish.map(str::to_owned))
        .or_else(|| std::env::var("LIGHTBOX_MODEL").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| PHANTOM.to_owned())
}

/// Finds the files of a model by name: the bundled one, a folder, or a hub id in the local cache.
///
/// # Errors
/// [`Code::Model`], saying where was looked.
pub fn files(name: &str) -> Result<ModelFiles, Failure> {
    if name == PHANTOM {
        return Ok(ModelFiles::embedded(PHANTOM, PHANTOM_FILES));
    }
    if name.is_empty() {
        return Err(Failure::new(Code::Usage, "--model: expected a name, found nothing"));
    }
    let path = std::path::Path::new(name);
    if path.is_dir() || name.starts_with(['.', '/']) {
        return Ok(ModelFiles::folder(path)?);
    }
    if path.is_file() {
        return Err(Failure::new(
            Code::Model,
            format!(
                "{name}: expected a folder in Hugging Face layout, found a file; name the folder that holds config.json"
            ),
        ));
    }
    let Some(cache) = folders::hub_cache() else {
        return Err(Failure::new(
            Code::Model,
            format!("{name}: no such folder, and there is no home for a hub cache"),
        ));
    };
    Ok(ModelFiles::folder(hub::resolve(&cache, name)?)?)
}

/// Loads a model, with a progress bar.
///
/// # Errors
/// [`Code::Model`].
pub fn load(arguments: &ModelArguments, name: &str) -> Result<LocalEngine, Failure> {
    let files = files(name)?;
    let options = LoadOptions {
        n_threads: arguments.threads.map(Into::into),
        chunk_tokens: arguments.chunk.map(Into::into),
        context_tokens: arguments.context_tokens.map(Into::into),
        isa: arguments.cpu.map(isa).transpose()?,
        notice: (name == PHANTOM).then(|| PHANTOM_NOTICE.to_owned()),
    };
    let mut progress: Option<Progress> = None;
    let engine = LocalEngine::load(&files, name, &options, &mut |loaded| {
        let bar = progress.get_or_insert_with(|| Progress::bytes("load model", loaded.total_bytes));
        bar.set(loaded.done_bytes, loaded.total_bytes);
    })?;
    Ok(engine)
}

fn isa(cpu: Cpu) -> Result<Isa, Failure> {
    let wanted = match cpu {
        Cpu::Portable => "portable",
        Cpu::Avx2 => "avx2+fma",
    };
    let available = Isa::available();
    let names: Vec<_> = available.iter().map(ToString::to_string).collect();
    let found = available.iter().zip(&names).find(|(_, name)| *name == wanted).map(|(isa, _)| *isa);
    found.ok_or_else(|| {
        Failure::new(
            Code::Usage,
            format!("--cpu: expected a set that this machine has ({}), found {wanted}", names.join(", ")),
        )
    })
}
