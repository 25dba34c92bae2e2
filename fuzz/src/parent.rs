//! Starts a worker for each target, keeps the input of one that fails, and reports one line a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::Plan;
use crate::targets::Target;

/// Runs the plan's targets one after the other and says whether all held.
pub fn run(plan: &Plan) -> bool {
    let folder = folder();
    if let Err(error) = fs::create_dir_all(&folder) {
        eprintln!("fuzz: failed to make {}: {error}", folder.display());
        return false;
    }
    let mut all_held = true;
    for target in &plan.targets {
        match work(plan, target, &folder) {
            Ok(line) => println!("ok {:<16} {line}", target.name),
            Err(fault) => {
                all_held = false;
                println!("FAILED {:<12} {fault}", target.name);
            }
        }
    }
    all_held
}

/// Beside what cargo builds: `target/fuzz`.
fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).unwrap_or(Path::new("target")).join("fuzz")
}

/// The worker's line, or what went wrong and how to see it again.
fn work(plan: &Plan, target: &Target, folder: &Path) -> Result<String, String> {
    let current = folder.join(format!("{}-{}.current", target.name, std::process::id()));
    let output = std::env::current_exe()
        .and_then(|program| {
            Command::new(program)
                .args(["--target", target.name])
                .args(["--seconds", &plan.time.as_secs().to_string()])
                .args(["--seed", &plan.seed.to_string()])
                .arg("--worker")
                .arg(&current)
                .stderr(Stdio::inherit())
                .output()
        })
        .map_err(|error| format!("failed to start the worker: {error}"))?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        // The input at hand was a good one: nobody needs it.
        let _ = fs::remove_file(&current);
        return Ok(line);
    }
    let fault = if line.is_empty() { format!("the process died: {}", output.status) } else { line };
    let kept =
        folder.join(format!("{}-{:016x}.bin", target.name, fnv(&fs::read(&current).unwrap_or_default())));
    fs::rename(&current, &kept).map_err(|error| format!("{fault}; its input could not be kept: {error}"))?;
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
