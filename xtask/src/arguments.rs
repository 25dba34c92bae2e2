//! What was typed after `cargo xtask`.

use crate::check;

/// Printed by `cargo xtask help` and after wrong usage.
pub const USAGE: &str = "\
usage:
  cargo xtask check [--only STEP]... [--skip STEP]...   everything that must hold of the tree
  cargo xtask test                                      every test, doc tests too (two steps of check)
  cargo xtask fuzz [--release] [--target NAME] [--seconds N | --inputs N] [--seed S] [--replay FILE]
                                                        the parsers against mutated inputs

steps of check, in order:
  format sources walls licences duplicates hygiene links
  clippy offline-build tests doc-tests docs fuzz deny";

/// A command, checked.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Run the steps; `only` empty means all of them.
    Check {
        /// Names of the steps to run.
        only: Vec<String>,
        /// Names of the steps to leave out.
        skip: Vec<String>,
    },
    /// The steps that run tests.
    Test,
    /// Run the fuzz program; it reads its own arguments.
    Fuzz {
        /// The arguments as typed.
        passed_on: Vec<String>,
    },
}

/// Reads the arguments (without the program's name).
///
/// # Errors
/// A message that names the argument that is not understood.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let Some((command, rest)) = arguments.split_first() else { return Ok(Command::Help) };
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "check" => parse_check(rest),
        "test" if rest.is_empty() => Ok(Command::Test),
        "test" => {
            Err("`test` takes no arguments; for a part of the tests use `cargo test -p PACKAGE`".to_owned())
        }
        "fuzz" => Ok(Command::Fuzz { passed_on: rest.to_vec() }),
        other => Err(format!("no command `{other}`")),
    }
}

fn parse_check(rest: &[String]) -> Result<Command, String> {
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let list = match word.as_str() {
            "--only" => &mut only,
            "--skip" => &mut skip,
            other => return Err(format!("`check` has no option `{other}`")),
        };
        let name = words.next().ok_or_else(|| format!("{word} needs the name of a step"))?;
        if !check::STEPS.iter().any(|step| step.name == name) {
            return Err(format!("there is no step `{name}`"));
        }
        list.push(name.clone());
    }
    Ok(Command::Check { only, skip })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_are_read_and_typing_errors_are_named() {
        assert_eq!(parsed("test"), Ok(Command::Test));
        assert_eq!(
            parsed("check --only walls --only tests --skip fuzz"),
            Ok(Command::Check { only: vec!["walls".into(), "tests".into()], skip: vec!["fuzz".into()] })
        );
        assert_eq!(
            parsed("fuzz --seconds 3"),
            Ok(Command::Fuzz { passed_on: vec!["--seconds".into(), "3".into()] })
        );
        for (line, names) in [
            ("check --only wals", "wals"),
            ("check --fast", "--fast"),
            ("chekc", "chekc"),
            ("check --skip", "--skip"),
        ] {
            assert!(parsed(line).expect_err(line).contains(names), "{line}");
        }
    }

    #[test]
    fn the_usage_names_every_step() {
        for step in check::STEPS {
            assert!(USAGE.split_whitespace().any(|word| word == step.name), "{} is missing", step.name);
        }
    }
}
