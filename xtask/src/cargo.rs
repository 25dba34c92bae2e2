//! Running cargo from inside cargo: always on the workspace, always with the lock file as it is.

use std::path::Path;
use std::process::Command;

/// The cargo that runs this program.
pub fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// A cargo command in the root of the workspace.
pub fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.current_dir(root).args(arguments);
    // What the outer `cargo run` sets for this program would count as a change for some build scripts.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it with the terminal's own output and says whether it succeeded.
pub fn succeeds(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    command(root, arguments).envs(environment.iter().copied()).status().is_ok_and(|status| status.success())
}
