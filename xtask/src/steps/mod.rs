//! The steps of `cargo xtask check`, one file a kind. Each takes the root of the workspace and returns what it counted.

pub mod compiler;
pub mod deny;
pub mod duplicates;
pub mod fuzz;
pub mod hygiene;
pub mod licences;
pub mod links;
pub mod sources;
pub mod tests;
pub mod walls;
