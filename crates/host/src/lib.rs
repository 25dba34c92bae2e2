//! Operating-system calls: huge-page arenas, CPU and memory facts, the GPU's presence.
//!
//! The one room beside `kernels` that may hold unsafe code; it knows nothing of the trade.

#![allow(unsafe_code)]

mod arena;
mod error;
mod signals;

pub use arena::Arena;
pub use error::{Error, Result};
pub use signals::ignore_file_size_signal;
