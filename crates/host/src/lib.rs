//! Operating-system calls: huge-page arenas and vectors, facts about CPU, memory, disk and the GPU's presence, signals.
//!
//! The one room beside `kernels` that may hold unsafe code; it knows nothing of the trade. Facts that a system does not
//! tell are `None`, never a guess; Linux tells all of them, other systems few.

#![allow(unsafe_code)]

mod arena;
mod cgroup;
mod cpu;
mod disk;
mod error;
mod gpu;
mod memory;
mod pages;
mod proc;
mod signals;

pub use arena::Arena;
pub use cpu::{Cpu, cpu, cpu_description, default_threads};
pub use disk::{free_disk_bytes, will_read};
pub use error::{Error, Result};
pub use gpu::{Gpu, gpu};
pub use memory::{Memory, memory};
pub use pages::{prefer_huge_pages, try_vector};
pub use signals::ignore_file_size_signal;
