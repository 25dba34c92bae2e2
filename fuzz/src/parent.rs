//! Starts a worker for each target, keeps the input of one that fails, and reports one line a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::Plan;
use crate::targets::Target;

/// Runs the plan's targets one after the other and says whether all held.
pub fn run(plan: &Plan) -> bool {
    let (kept, scratch) = (kept_folder(), scratch_folder());
    for folder in [&kept, &scratch] {
        if let Err(error) = fs::create_dir_all(folder) {
            eprintln!("fuzz: failed to make {}: {error}", folder.display());
            return false;
        }
    }
    let mut all_held = true;
    for target in &plan.targets {
        match work(plan, target, &kept, &scratch) {
            Ok(line) => println!("ok {:<16} {line}", target.name),
            Err(fault) => {
                all_held = false;
                println!("FAILED {:<12} {fault}", target.name);
            }
        }
    }
    // Nothing in it is of use to anybody any more.
    let _ = fs::remove_dir_all(&scratch);
    all_held
}

/// For files that are rewritten for every input: in memory where the system has such a place.
fn scratch_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    base.join(format!("lightbox-fuzz-{}", std::process::id()))
}

/// For inputs that failed, beside what cargo builds: `target/fuzz`.
fn kept_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).unwrap_or(Path::new("target")).join("fuzz")
}

/// The worker's line, or what went wrong and how to see it again.
fn work(plan: &Plan, target: &Target, kept: &Path, scratch: &Path) -> Result<String, String> {
    let scratch = scratch.join(target.name);
    fs::create_dir_all(&scratch).map_err(|error| format!("failed to make {}: {error}", scratch.display()))?;
    let current = scratch.join("input");
    let output = std::env::current_exe()
        .and_then(|program| {
            Command::new(program)
                .args(["--target", target.name])
                .args(match plan.inputs {
                    Some(inputs) => ["--inputs".to_owned(), inputs.to_string()],
                    None => ["--seconds".to_owned(), plan.time.as_secs().to_string()],
                })
                .args(["--seed", &plan.seed.to_string()])
                .arg("--worker")
                .arg(&current)
                .env("TMPDIR", &scratch)
                .stderr(Stdio::inherit())
                .output()
        })
        .map_err(|error| format!("failed to start the worker: {error}"))?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(line);
    }
    let fault = if line.is_empty() { format!("the process died: {}", output.status) } else { line };
    let kept =
        kept.join(format!("{}-{:016x}.bin", target.name, fnv(&fs::read(&current).unwrap_or_default())));
    fs::copy(&current, &kept).map_err(|error| format!("{fault}; its input could not be kept: {error}"))?;
    Err(format!(
        "{fault}; seed {}; see it again with: cargo xtask fuzz --target {} --replay {}",
        plan.seed,
        target.name,
        kept.display()
    ))
}

/// FNV-1a, to name a file by what it holds.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
