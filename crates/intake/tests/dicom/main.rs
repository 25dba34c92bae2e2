//! DICOM framing: files, data sets, values, frames.

mod build;
mod frames;
mod nesting;
mod real_files;
