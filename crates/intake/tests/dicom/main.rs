//! DICOM framing: files, data sets, values, frames.

mod build;
mod files;
mod frames;
mod masking;
mod nesting;
mod real_files;
mod values;
