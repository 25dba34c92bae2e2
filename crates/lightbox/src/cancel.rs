//! Ctrl-C: the first ends the work in order, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::exit::{Code, Failure};

/// Installs the handlers and returns the flag that the first Ctrl-C sets.
///
/// Called right before a model starts to generate: until then Ctrl-C ends the program at once, as there is nothing
/// to keep.
pub fn on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    // The order matters: the check for a second Ctrl-C must run before the first one sets the flag.
    flag::register_conditional_shutdown(SIGINT, Code::Interrupted as i32, Arc::clone(&cancelled))
        .and_then(|_| flag::register(SIGINT, Arc::clone(&cancelled)))
        .map_err(|error| Failure::new(Code::Output, format!("failed to watch for Ctrl-C: {error}")))?;
    Ok(cancelled)
}
