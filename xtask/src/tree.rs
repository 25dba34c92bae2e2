//! The files of the repository, as git sees them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace, wherever the command was typed.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// Files that are committed or would be: tracked, and new ones that git does not ignore. Paths are relative to `root`.
///
/// # Errors
/// What git says, for example that this is not a repository.
pub fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("failed to run git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let mut files: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|path| !path.is_empty() && root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// Text of the files whose name ends with `ending`.
///
/// # Errors
/// The path of a file that cannot be read or is not UTF-8.
pub fn texts(root: &Path, ending: &str) -> Result<Vec<(String, String)>, String> {
    files(root)?
        .into_iter()
        .filter(|path| path.ends_with(ending))
        .map(|path| match std::fs::read_to_string(root.join(&path)) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(format!("failed to read {path}: {error}")),
        })
        .collect()
}
