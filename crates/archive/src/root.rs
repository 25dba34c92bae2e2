//! Where the data folder is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// The data folder: `LIGHTBOX_DATA`, else `$XDG_DATA_HOME/lightbox`, else `$HOME/.local/share/lightbox`.
///
/// `lookup` reads the environment, such as `|name| std::env::var_os(name)`. Empty variables count as unset, and
/// a relative `XDG_DATA_HOME` is ignored as the XDG base directory specification demands.
///
/// # Errors
/// [`ErrorKind::DataFolder`] if none of them is set.
pub fn data_root(lookup: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(root) = set("LIGHTBOX_DATA") {
        return Ok(root);
    }
    if let Some(home) = set("XDG_DATA_HOME").filter(|path| path.is_absolute()) {
        return Ok(home.join("lightbox"));
    }
    if let Some(home) = set("HOME") {
        return Ok(home.join(Path::new(".local/share/lightbox")));
    }
    Err(Error::new(
        ErrorKind::DataFolder,
        "no data folder is known: none of LIGHTBOX_DATA, XDG_DATA_HOME and HOME is set",
    )
    .hint("set LIGHTBOX_DATA to a folder that only you can read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(variables: &[(&str, &str)]) -> Option<PathBuf> {
        data_root(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())).ok()
    }

    #[test]
    fn the_first_variable_that_counts_decides() {
        let all = [("LIGHTBOX_DATA", "/data"), ("XDG_DATA_HOME", "/xdg"), ("HOME", "/home/a")];
        assert_eq!(root(&all), Some("/data".into()));
        assert_eq!(root(&all[1..]), Some("/xdg/lightbox".into()));
        assert_eq!(root(&all[2..]), Some("/home/a/.local/share/lightbox".into()));
        assert_eq!(root(&[]), None);
        assert_eq!(root(&[("LIGHTBOX_DATA", ""), ("XDG_DATA_HOME", "/xdg")]), Some("/xdg/lightbox".into()));
        let relative = [("XDG_DATA_HOME", "xdg"), ("HOME", "/home/a")];
        assert_eq!(root(&relative), Some("/home/a/.local/share/lightbox".into()));
    }
}
