//! The process that runs one target, input after input, until time is up or something is wrong.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::arguments::Plan;
use crate::memory::Span;
use crate::mutate;
use crate::random::Random;
use crate::targets::Target;

/// Inputs that are kept to mutate further; the first ones are the target's seeds.
const MAX_CORPUS: usize = 1024;

/// When the execution at hand started, in milliseconds since the process did; 0 between executions.
static STARTED_MS: AtomicU64 = AtomicU64::new(0);

/// What the last panic said.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// What one execution showed.
struct Execution {
    allocations: usize,
    peak_bytes: usize,
    fault: Option<String>,
}

/// Fuzzes the plan's one target. Says on standard output what happened, in one line.
pub fn fuzz(plan: &Plan, current: &Path) -> bool {
    let target = plan.targets[0];
    let file = match File::options().create(true).write(true).truncate(true).open(current) {
        Ok(file) => file,
        Err(error) => {
            println!("cannot keep the input at hand in {}: {error}", current.display());
            return false;
        }
    };
    remember_panics();
    watch(target.time_limit);
    let begin = Instant::now();
    let mut random = Random::new(plan.seed);
    let mut corpus = (target.seeds)();
    let n_seeds = corpus.len();
    let mut seen = HashSet::new();
    let (mut executions, mut peak_bytes) = (0_usize, 0_usize);
    while executions < n_seeds || plan.goes_on(executions, begin.elapsed()) {
        let input = match corpus.get(executions).filter(|_| executions < n_seeds) {
            Some(seed) => seed.clone(),
            None => mutant(&mut random, target, &corpus),
        };
        if file.set_len(0).and_then(|()| file.write_all_at(&input, 0)).is_err() {
            println!("cannot keep the input at hand in {}", current.display());
            return false;
        }
        STARTED_MS.store(milliseconds(begin).max(1), Ordering::Relaxed);
        let execution = execute(target, &input);
        STARTED_MS.store(0, Ordering::Relaxed);
        executions += 1;
        peak_bytes = peak_bytes.max(execution.peak_bytes);
        if let Some(fault) = execution.fault {
            println!("{fault}");
            return false;
        }
        // Stable Rust shows no coverage. How often an input made the target allocate tells paths apart well enough
        // to be worth following.
        let is_new = seen.insert(execution.allocations);
        if is_new && executions > n_seeds && corpus.len() < MAX_CORPUS {
            corpus.push(input);
        }
    }
    println!(
        "{executions} inputs in {:.0} s, {} kept, at most {} KiB",
        begin.elapsed().as_secs_f64(),
        corpus.len(),
        peak_bytes.div_ceil(1024)
    );
    true
}

/// Runs the target on one file and lets a panic through to the terminal.
pub fn replay(plan: &Plan, input: &Path) -> bool {
    let target = plan.targets[0];
    let bytes = match std::fs::read(input) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("fuzz: failed to read {}: {error}", input.display());
            return false;
        }
    };
    let execution = execute(target, &bytes);
    match &execution.fault {
        Some(fault) => println!("FAILED {}: {fault}", target.name),
        None => println!("ok {}: {} KiB", target.name, execution.peak_bytes.div_ceil(1024)),
    }
    execution.fault.is_none()
}

fn mutant(random: &mut Random, target: &Target, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = random.choice(corpus).clone();
    let other = random.choice(corpus).clone();
    mutate::mutate(random, &mut input, &other, target.words);
    // Behind a checksum lies the parser; half of the mutants get there.
    if let Some(repair) = target.repair
        && random.below(2) == 0
    {
        repair(&mut input);
    }
    input
}

fn execute(target: &Target, input: &[u8]) -> Execution {
    let span = Span::start();
    let begin = Instant::now();
    let result = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let (time, peak_bytes, allocations) = (begin.elapsed(), span.peak_bytes(), span.allocations());
    let memory_limit_bytes = target.memory_limit_bytes(input.len());
    let fault = if result.is_err() {
        let said = PANIC.lock().map(|message| message.clone()).unwrap_or_default();
        Some(format!("panic: {said}"))
    } else if peak_bytes > memory_limit_bytes {
        Some(format!(
            "held {peak_bytes} bytes for an input of {}; the bound is {memory_limit_bytes}",
            input.len()
        ))
    } else if time > target.time_limit {
        Some(format!(
            "took {time:.1?} for an input of {} bytes; the bound is {:?}",
            input.len(),
            target.time_limit
        ))
    } else {
        None
    };
    Execution { allocations, peak_bytes, fault }
}

fn remember_panics() {
    panic::set_hook(Box::new(|information| {
        if let Ok(mut message) = PANIC.lock() {
            *message = information.to_string().replace('\n', " ");
        }
    }));
}

/// Ends the process where an execution does not come back: ten times its bound is not slowness.
fn watch(limit: Duration) {
    let begin = Instant::now();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let started = STARTED_MS.load(Ordering::Relaxed);
            let now = milliseconds(begin);
            if started != 0 && u128::from(now.saturating_sub(started)) > 10 * limit.as_millis() {
                println!("did not come back within {:?}", 10 * limit);
                std::process::exit(1);
            }
        }
    });
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(run: fn(&[u8])) -> Target {
        Target {
            name: "test",
            run,
            seeds: Vec::new,
            words: &[],
            repair: None,
            memory_limit_bytes: 64 << 20,
            memory_limit_per_byte: 0,
            time_limit: Duration::from_millis(300),
        }
    }

    #[test]
    fn faults_are_seen_and_named() {
        let quiet: fn(&[u8]) = |_| ();
        let cases = [
            (quiet, ""),
            (|input| assert!(input.is_empty()), "panic"),
            (|_| drop(std::hint::black_box(vec![1_u8; 80 << 20])), "held"),
            (|_| std::thread::sleep(Duration::from_millis(400)), "took"),
        ];
        for (run, says) in cases {
            let fault = execute(&target(run), b"x").fault;
            match says {
                "" => assert_eq!(fault, None),
                says => assert!(
                    fault.as_deref().is_some_and(|fault| fault.starts_with(says)),
                    "{says}: {fault:?}"
                ),
            }
        }
    }
}
