//! The container by itself, and whole models in it.

mod container;
mod made;
mod models;
mod settings;
