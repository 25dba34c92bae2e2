//! What was typed after `cargo xtask fuzz`, or by the parent for its workers.

use std::path::PathBuf;
use std::time::Duration;

use crate::targets::{self, Target};

/// Printed after wrong usage.
pub const USAGE: &str = "\
usage: cargo xtask fuzz [--release] [--target NAME]... [--seconds N | --inputs N] [--seed S]
       cargo xtask fuzz --target NAME --replay FILE
       cargo xtask fuzz --list";

/// What this process is there for.
pub enum Role {
    /// Print the names of the targets.
    List,
    /// Start a worker for each target and report.
    Parent,
    /// Fuzz one target; the input at hand is kept in `current`.
    Worker {
        /// Rewritten before each execution.
        current: PathBuf,
    },
    /// Run one target on one file, in this process, with the panic's own message and backtrace.
    Replay {
        /// The file.
        input: PathBuf,
    },
}

/// Everything that was asked.
pub struct Plan {
    /// What this process is there for.
    pub role: Role,
    /// The targets to run, all where none was named.
    pub targets: Vec<&'static Target>,
    /// Time for each target, unless a number of inputs is asked for.
    pub time: Duration,
    /// How many inputs each target is tried with, however long that takes.
    pub inputs: Option<usize>,
    /// Where the sequence of mutations starts.
    pub seed: u64,
}

impl Plan {
    /// Whether a target that has been tried with so many inputs in so much time gets another one.
    pub fn goes_on(&self, n_inputs: usize, elapsed: Duration) -> bool {
        match self.inputs {
            Some(inputs) => n_inputs < inputs,
            None => elapsed < self.time,
        }
    }
}

/// Reads the arguments (without the program's name).
///
/// # Errors
/// A message that names the argument that is not understood.
pub fn parse(arguments: &[String]) -> Result<Plan, String> {
    let mut plan = Plan {
        role: Role::Parent,
        targets: Vec::new(),
        time: Duration::from_secs(10),
        inputs: None,
        seed: 1,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--list" {
            plan.role = Role::List;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} is not an option, or lacks its value"))?;
        let number = || value.parse().map_err(|_| format!("{word} takes a whole number, not `{value}`"));
        match word.as_str() {
            "--target" => {
                let target = targets::ALL.iter().find(|target| target.name == value);
                plan.targets.push(target.ok_or_else(|| format!("there is no target `{value}`; see --list"))?);
            }
            "--seconds" => plan.time = Duration::from_secs(number()?),
            "--inputs" => {
                let n = value.parse().map_err(|_| format!("{word} takes a whole number, not `{value}`"))?;
                plan.inputs = Some(n);
            }
            "--seed" => plan.seed = number()?,
            "--replay" => plan.role = Role::Replay { input: value.into() },
            "--worker" => plan.role = Role::Worker { current: value.into() },
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    if matches!(plan.role, Role::Replay { .. } | Role::Worker { .. }) && plan.targets.len() != 1 {
        return Err("--replay takes exactly one --target".to_owned());
    }
    if plan.targets.is_empty() {
        plan.targets = targets::ALL.iter().collect();
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Plan, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn no_target_means_all_and_a_replay_needs_one() {
        assert_eq!(parsed("--seconds 3 --seed 9").expect("a plan").targets.len(), targets::ALL.len());
        assert_eq!(parsed("--seed 9").expect("a plan").seed, 9);
        assert!(!parsed("--seconds 3").expect("a plan").goes_on(9, Duration::from_secs(4)));
        assert!(parsed("--inputs 10").expect("a plan").goes_on(9, Duration::from_secs(400)));
        assert!(!parsed("--inputs 10").expect("a plan").goes_on(10, Duration::ZERO));
        for line in ["--replay x", "--target nothing", "--seconds soon", "--seconds", "--fast 1"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
