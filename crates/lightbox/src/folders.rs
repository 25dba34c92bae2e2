//! Where the program keeps its own files (XDG base directories), each overridable.

use std::path::{Path, PathBuf};

use crate::arguments::DataArguments;
use crate::exit::{Code, Failure};

/// The folder of records, keys and acceptances: `--data-dir`, `LIGHTBOX_DATA`, `$XDG_DATA_HOME/lightbox`,
/// `~/.local/share/lightbox`. It need not exist.
///
/// # Errors
/// [`Code::Usage`] if none of them says a place, or something else than a folder is there.
pub fn data(arguments: &DataArguments) -> Result<PathBuf, Failure> {
    let folder = match &arguments.data_dir {
        Some(folder) => folder.clone(),
        None => lightbox_archive::data_root(|name| std::env::var_os(name))
            .map_err(|error| Failure::new(Code::Usage, format!("{error}, or say one with --data-dir DIR")))?,
    };
    if std::fs::metadata(&folder).is_ok_and(|facts| !facts.is_dir()) {
        return Err(Failure::new(
            Code::Usage,
            format!(
                "data folder {}: expected a folder, found a file; say another with --data-dir DIR or LIGHTBOX_DATA",
                folder.display()
            ),
        ));
    }
    Ok(folder)
}

/// Writes a file that a command was asked for, whole or not at all, to the folder that `--out` names.
///
/// # Errors
/// [`Code::Output`].
pub fn write_out(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    lightbox_archive::write_whole(folder, name, &[bytes])
        .map_err(|error| unwritten(&folder.join(name), &error))
}

/// A file that a command was asked for and that cannot be written.
pub fn unwritten(path: &Path, error: &lightbox_archive::Error) -> Failure {
    // The archive's own way out is for the data folder.
    let message = match error.kind() {
        lightbox_archive::ErrorKind::DiskFull => format!(
            "{}: no room to write it; free some space, or choose a folder on a larger disk with --out",
            path.display()
        ),
        _ => error.to_string(),
    };
    Failure::new(Code::Output, message)
}

/// Folder and name of a file that `--out` names.
///
/// # Errors
/// [`Code::Usage`] if it names none, or its folder is not there.
pub fn split(out: &Path) -> Result<(&Path, &str), Failure> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = out.file_name().and_then(|name| name.to_str()) else {
        return Err(Failure::new(
            Code::Usage,
            format!("--out {}: expected the name of a file", out.display()),
        ));
    };
    if !folder.is_dir() {
        return Err(Failure::new(
            Code::Usage,
            format!("--out {}: there is no folder {}; make it first", out.display(), folder.display()),
        ));
    }
    Ok((folder, name))
}

/// Makes a folder of the program's own, and what is missing above it, open to its owner alone. One that is there is
/// left as it is.
///
/// # Errors
/// [`Code::Output`].
pub fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Failure::output(folder.display(), &error))
}

/// The folder of prompt templates that override the built-in ones: `$XDG_CONFIG_HOME/lightbox/prompts`,
/// `~/.config/lightbox/prompts`. `None` without a home folder.
pub fn prompt_overrides() -> Option<PathBuf> {
    // As the XDG specification asks: a relative path counts as not set.
    set("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".config")))
        .map(|base| base.join("lightbox/prompts"))
}

/// The hub's cache on this machine.
pub fn hub_cache() -> Option<PathBuf> {
    lightbox_models::hub::cache_folder(|name| std::env::var_os(name))
}

/// The folder of quantized copies of models: `$XDG_CACHE_HOME/lightbox/quantized`, `~/.cache/lightbox/quantized`. All of
/// it can be removed at any time; a copy of a model is the folders `<digest of the model>-<type>` in it. `None` without
/// a home folder.
pub fn quantized_cache() -> Option<PathBuf> {
    set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|base| base.join("lightbox/quantized"))
}

/// Ollama's store on this machine.
pub fn ollama_store() -> Option<lightbox_models::ollama::Store> {
    lightbox_models::ollama::Store::find(|name| std::env::var_os(name))
}

/// A variable that is set and not empty.
fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
