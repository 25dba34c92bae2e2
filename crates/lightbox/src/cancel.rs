//! Ctrl-C, and the signal by which systems ask a program to end: the first ends the work in order, the second ends the
//! program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::{Code, Failure};

/// Installs the handlers and returns the flag that the first signal sets.
///
/// Called right before a model starts to generate: until then a signal ends the program at once, as there is nothing
/// to keep.
pub fn on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        watch(signal, &cancelled)
            .map_err(|error| Failure::new(Code::Output, format!("failed to watch for signals: {error}")))?;
    }
    Ok(cancelled)
}

fn watch(signal: i32, cancelled: &Arc<AtomicBool>) -> io::Result<()> {
    // The order matters: the check for a second signal must run before the first one sets the flag.
    flag::register_conditional_shutdown(signal, Code::Interrupted as i32, Arc::clone(cancelled))?;
    flag::register(signal, Arc::clone(cancelled)).map(drop)
}
