//! The real program, run as a person runs it: commands, output, exit codes, and what it says of bad input.

mod bench;
mod caches;
mod checkpoint;
mod demo;
mod dicom;
mod doctor;
mod goldens;
#[cfg(feature = "download")]
mod hub;
mod inputs;
mod interrupt;
mod leftovers;
mod models;
mod prepare;
mod prompts;
#[cfg(feature = "download")]
mod pull;
mod quantize;
mod reads;
mod records;
mod replay;
mod request;
mod usage;
