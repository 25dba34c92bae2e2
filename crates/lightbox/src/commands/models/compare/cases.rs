//! Cases from files.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_models::{Request, Sampling};
use lightbox_reading::Assignment;
use lightbox_serve::openai::{MAX_BODY_BYTES, parse_request};

use crate::commands::run::request;
use crate::exit::{Code, Failure};
use crate::outline::unfit;

/// A request and how it is called in the report.
pub struct Case {
    /// File, and line in a file of several.
    pub name: String,
    /// What is asked, greedily.
    pub request: Request,
}

/// Reads all cases of files and folders, in order.
///
/// # Errors
/// [`Code::Input`] naming the file, and the line in a file of several.
pub fn load(paths: &[PathBuf], max_tokens: usize) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for path in paths {
        for file in files(path)? {
            add(&file, max_tokens, &mut cases)?;
        }
    }
    if cases.is_empty() {
        return Err(Failure::new(Code::Input, "--cases: expected at least one request, found none"));
    }
    Ok(cases)
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::Input, format!("cannot read {}: {error}", path.display()))
}

/// The file itself, or those of a folder that hold requests, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|e| unread(path, &e))? {
        let file = entry.map_err(|e| unread(path, &e))?.path();
        if file.extension().is_some_and(|end| end == "json" || end == "jsonl") && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn add(file: &Path, max_tokens: usize, cases: &mut Vec<Case>) -> Result<(), Failure> {
    let shown = file.display().to_string();
    let is_lines = file.extension().is_some_and(|end| end == "jsonl");
    let len = fs::metadata(file).map_err(|e| unread(file, &e))?.len();
    if !is_lines && len > MAX_BODY_BYTES as u64 {
        return Err(Failure::new(
            Code::Input,
            format!("{shown}: {len} bytes, at most {MAX_BODY_BYTES} are read"),
        ));
    }
    let bytes = fs::read(file).map_err(|e| unread(file, &e))?;
    if !is_lines {
        cases.push(case(shown, &bytes, max_tokens)?);
        return Ok(());
    }
    for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            cases.push(case(format!("{shown}:{}", i + 1), line, max_tokens)?);
        }
    }
    Ok(())
}

fn case(name: String, body: &[u8], max_tokens: usize) -> Result<Case, Failure> {
    let failed = |code: Code, message: &str| Failure::new(code, format!("{name}: {message}"));
    let asked = parse_request(body).map_err(|e| failed(Code::Input, &e.to_string()))?;
    let understood = request::understand(asked).map_err(|e| failed(e.code, &e.message))?;
    let mut wishes = understood.wishes;
    wishes.sampling = Sampling::default();
    let limit = wishes.max_tokens.unwrap_or(max_tokens);
    let assignment = Assignment::raw(&understood.inputs.study, understood.turns, wishes);
    let mut request = assignment
        .map_err(|e| {
            let failure = unfit(e);
            failed(Code::Input, &failure.message)
        })?
        .request;
    request.max_tokens = Some(limit);
    request.logprobs = None;
    request.prompt_logprobs = None;
    Ok(Case { name, request })
}
