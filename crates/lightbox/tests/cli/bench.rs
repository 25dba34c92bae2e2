//! A place of its own for each test: home, data, cache, and the program run inside it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that is gone after the test, and what the program's environment says.
pub struct Bench {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder"), variables: Vec::new() }
    }

    /// Sets a variable for all following runs.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("inside the folder"))
            .expect("a folder of the test's own");
        std::fs::write(&path, bytes).expect("a file of the test's own");
        path
    }

    /// Draws a small film of nobody.
    pub fn film(&self, name: &str) -> PathBuf {
        self.file(name, lightbox_phantoms::film_of_height(1, 86).png16())
    }

    /// The program with these arguments, not yet started.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lightbox"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("HOME", self.folder.path()).env("LIGHTBOX_DATA", self.path("data"));
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.command(arguments).output().expect("the program starts").into()
    }

    /// Runs a command line where no file may grow beyond so many blocks of 512 bytes (or 1024, on some shells). That
    /// stands for a full disk: both end in an error of the write.
    #[cfg(unix)]
    pub fn line_on_a_full_disk(&self, n_blocks: usize, line: &str) -> Outcome {
        let program = self.command([""]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -f {n_blocks}; exec \"$0\" \"$@\"")]).arg(program.get_program());
        limited.args(line.split_whitespace()).env_clear().current_dir(self.folder.path());
        limited
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null());
        limited.output().expect("sh is there").into()
    }

    /// Runs a command line written in one string, words separated by spaces.
    pub fn line(&self, line: &str) -> Outcome {
        self.run(line.split_whitespace())
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// Checks the exit code and that each of `words` stands on standard error.
    #[track_caller]
    pub fn expect(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in stderr: {}", self.stderr);
        }
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in stdout: {}\nstderr: {}", self.stdout, self.stderr))
    }
}

/// The names in a folder, sorted; none if it is not there.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    names
}
