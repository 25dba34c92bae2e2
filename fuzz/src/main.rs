//! The parsers of lightbox against mutated inputs: `cargo xtask fuzz`.
//!
//! A target is a plain `fn(&[u8])`. It fails when it panics, when the process dies (a stack that overflows, an
//! allocation that the system refuses), when it holds more memory than its bound, or when one input takes longer
//! than its bound. Each target runs in a process of its own; the input at hand is in a file before it is tried, so
//! that whatever ends the process, the input remains.
#![allow(clippy::print_stdout, reason = "a developer's tool talks to the terminal")]

mod arguments;
mod memory;
mod mutate;
mod parent;
mod random;
mod targets;
mod worker;

use std::process::ExitCode;

use arguments::Role;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = match arguments::parse(&arguments) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("fuzz: {message}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let passed = match &plan.role {
        Role::List => {
            for target in targets::ALL {
                println!("{}", target.name);
            }
            true
        }
        Role::Parent => parent::run(&plan),
        Role::Worker { current } => worker::fuzz(&plan, current),
        Role::Replay { input } => worker::replay(&plan, input),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
