//! Medical inputs: files to frames with their physical meaning.
//!
//! [`open`](fn@open) reads one file, [`read`] bytes that are already in memory. What comes back is a [`Study`]: upright
//! [`Frame`]s, the [`SourceFile`]s that they came from, and every [`Step`] between the two. The content decides the
//! format, never the name of the file. What is not understood is refused, and sizes are checked before memory is asked
//! for; an [`Allowance`] bounds what several files bring together. Knows nothing of models.
#![forbid(unsafe_code)]

mod allowance;
mod choice;
pub mod dicom;
mod error;
mod kind;
mod memory;
mod open;
mod orientation;
mod pictures;
mod step;
mod study;

pub use allowance::Allowance;
pub use choice::{FrameChoice, PictureChoice};
pub use error::{Error, ErrorKind, Result};
pub use open::{open, read};
pub use orientation::Orientation;
pub use step::Step;
pub use study::{Format, Frame, Samples, SourceFile, Study};
