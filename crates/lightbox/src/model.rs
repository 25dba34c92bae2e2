//! Which model: from a name to files, from files to an engine.

use std::path::{Path, PathBuf};

use lightbox_kernels::{Dtype, Isa};
use lightbox_models::hub::{Repo, is_revision};
use lightbox_models::ollama::Stored;
use lightbox_models::weights::Catalogue;
use lightbox_models::{LoadOptions, LocalEngine, ModelFiles, VisionPrecision, phantom};

use crate::arguments::{Cpu, ModelArguments, Vision};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::outline::Outline;
use crate::quantized;
use crate::terminal::{Progress, say};

/// What names of models in Ollama's store begin with.
const OLLAMA: &str = "ollama:";

/// The name of the model: `--model`, then `wish`, then `LIGHTBOX_MODEL`, then the bundled one.
pub fn name(arguments: &ModelArguments, wish: Option<&str>) -> String {
    arguments
        .model
        .clone()
        .or_else(|| wish.map(str::to_owned))
        .or_else(|| std::env::var("LIGHTBOX_MODEL").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| phantom::NAME.to_owned())
}

/// What a name that begins with `ollama:` stands for in Ollama's store; `None` for other names.
///
/// # Errors
/// [`Code::Model`], saying where was looked.
pub fn stored(name: &str) -> Result<Option<Stored>, Failure> {
    if !name.starts_with(OLLAMA) {
        return Ok(None);
    }
    let wanted = lightbox_models::ollama::Name::parse(name).ok_or_else(|| {
        Failure::new(
            Code::Model,
            format!("{name}: expected a name of Ollama's such as ollama:medgemma1.5:4b or ollama:hf.co/ORG/NAME:TAG"),
        )
    })?;
    let store = folders::ollama_store().ok_or_else(|| {
        Failure::new(
            Code::Model,
            format!(
                "{name}: neither OLLAMA_MODELS nor a home folder is set, so that there is no store to look in"
            ),
        )
    })?;
    Ok(Some(store.resolve(&wanted)?))
}

/// Finds the files of a model by name: the bundled one, a folder, a GGUF file, a model of Ollama's store, or a hub id in
/// the local cache. `projector` is the file with the vision tower of a GGUF model, where it is not to be looked for.
///
/// # Errors
/// [`Code::Model`], saying where was looked.
pub fn files(name: &str, projector: Option<&Path>) -> Result<ModelFiles, Failure> {
    let projector = projector.map(Path::to_owned);
    if name == phantom::NAME {
        return match projector {
            None => Ok(phantom::files()),
            Some(_) => Err(Failure::new(
                Code::Usage,
                "--projector: expected a model in GGUF beside it, found the bundled one",
            )),
        };
    }
    if name.is_empty() {
        return Err(Failure::new(Code::Usage, "--model: expected a name, found nothing"));
    }
    if let Some(stored) = stored(name)? {
        return Ok(ModelFiles::gguf(stored.model, projector.or(stored.projector))?);
    }
    let path = Path::new(name);
    let is_gguf = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    if path.exists() || is_gguf || name.starts_with(['.', '/']) {
        return Ok(ModelFiles::at(path, projector)?);
    }
    Ok(ModelFiles::at(&cached(name)?, projector)?)
}

/// The folder of `ORG/NAME` or `ORG/NAME@REVISION` in the hub's cache.
fn cached(name: &str) -> Result<PathBuf, Failure> {
    let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
    let Some(repo) = Repo::parse(id).filter(|_| is_revision(revision)) else {
        return Err(Failure::new(
            Code::Model,
            format!(
                "{name}: no such folder or file, and not a hub id such as google/medgemma-1.5-4b-it; see `lightbox models list`"
            ),
        ));
    };
    let cache = folders::hub_cache();
    cache.as_deref().and_then(|cache| repo.snapshot(cache, revision)).ok_or_else(|| {
        let place = cache.map_or_else(|| "there is none".to_owned(), |cache| cache.display().to_string());
        let revision = if revision == "main" { String::new() } else { format!(" --revision {revision}") };
        let way_out = match connections_forbidden() {
            None => format!("fetch it with `lightbox models pull {id}{revision}`"),
            Some(by) => format!(
                "{by} forbids fetching it: copy its folder into that cache from a machine that has it, or name the \
                 folder that holds its files"
            ),
        };
        Failure::new(Code::Model, format!("{name}: not in the hub's cache ({place}); {way_out}"))
    })
}

/// What forbids `models pull`: a variable, or how the program was built.
#[cfg(feature = "download")]
pub fn connections_forbidden() -> Option<&'static str> {
    crate::download::offline()
}

/// What forbids `models pull`: a program without it opens no connection.
#[cfg(not(feature = "download"))]
pub fn connections_forbidden() -> Option<&'static str> {
    Some("this build, which opens no connection,")
}

/// Settings and tokenizer of a model, by which a request is judged before the weights are loaded.
///
/// # Errors
/// [`Code::Model`].
pub fn outline(arguments: &ModelArguments, name: &str) -> Result<Outline, Failure> {
    Ok(Outline::of_files(
        &files(name, arguments.projector.as_deref())?,
        name,
        arguments.context_tokens.map(Into::into),
    )?)
}

/// Loads a model, with a progress bar.
///
/// # Errors
/// [`Code::Model`].
pub fn load(arguments: &ModelArguments, name: &str) -> Result<LocalEngine, Failure> {
    for note in stored(name)?.into_iter().flat_map(|stored| stored.notes) {
        say(&format!("{name}: {note}"));
    }
    let mut files = files(name, arguments.projector.as_deref())?;
    if let Some(kind) = arguments.quantize {
        files = quantized::copy(&files, name, kind)?;
    }
    warn_of_few_bits(&files, name);
    let options = LoadOptions {
        n_threads: arguments.threads.map(Into::into),
        chunk_tokens: arguments.chunk.map(Into::into),
        context_tokens: arguments.context_tokens.map(Into::into),
        isa: arguments.cpu.map(isa).transpose()?,
        speculate: Some(!arguments.no_speculation),
        vision: match arguments.vision {
            None | Some(Vision::Exact) => VisionPrecision::Exact,
            Some(Vision::Int8) => VisionPrecision::Int8,
        },
        kv: arguments.kv,
        notice: (name == phantom::NAME).then(|| phantom::NOTICE.to_owned()),
        ..LoadOptions::default()
    };
    let mut progress: Option<Progress> = None;
    let engine = LocalEngine::load(&files, name, &options, &mut |loaded| {
        let bar = progress.get_or_insert_with(|| Progress::bytes("load model", loaded.total_bytes));
        bar.set(loaded.done_bytes, loaded.total_bytes);
    })?;
    Ok(engine)
}

/// Says that weights of fewer than four bits cost much of what a model knows. Only GGUF has them.
fn warn_of_few_bits(files: &ModelFiles, name: &str) {
    let dtypes = match files.as_gguf() {
        // What cannot be opened is an error where the model is loaded.
        Some(_) => Catalogue::open(files).map(|catalogue| catalogue.dtypes()).unwrap_or_default(),
        None => return,
    };
    let is_few = |stored: &str| Dtype::of_name(stored).is_some_and(|dtype| dtype.bits_per_value() < 4.0);
    let few: Vec<_> = dtypes.into_keys().filter(|stored| is_few(stored)).collect();
    if !few.is_empty() {
        say(&format!(
            "warning: {name} has weights of fewer than four bits ({}); sets of that kind have lost a third of their score \
             in medical exams; `lightbox models compare` says what they cost on your cases",
            few.join(", ")
        ));
    }
}

fn isa(cpu: Cpu) -> Result<Isa, Failure> {
    let wanted = match cpu {
        Cpu::Portable => "portable",
        Cpu::Avx2 => "avx2+fma",
        Cpu::Avx512 => "avx512",
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
