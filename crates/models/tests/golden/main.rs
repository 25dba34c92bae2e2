//! The engine against transformers 5.23.0: prompts and pixels exactly, log-probabilities within a tolerance, and the
//! same bits whatever the chunk, the threads, the instruction set and what ran before.
//!
//! The goldens and the scripts that made them lie in `reference/`.

mod invariance;
mod numbers;
mod pixels;
mod store;
mod templates;
